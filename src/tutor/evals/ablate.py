"""Ablations: what each part of retrieval gives and costs, as one table that anybody can make again."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.bootstrap import App
from tutor.evals.metrics import percentile
from tutor.evals.record import Report
from tutor.evals.run import evaluate
from tutor.evals.sets import Sets
from tutor.evals.stats import worse_p
from tutor.evals.suites import Tick
from tutor.ingest.chunk import MAX_TOKENS
from tutor.retrieval.encoder import Encoder, OnnxEncoder
from tutor.settings import Settings

MEASURES = ("hit@1", "recall@5", "ndcg@10", "section@1")
_SUITES = ("retrieval",)


@dataclass(frozen=True, slots=True)
class Variant:
    """One row: settings of the search, and the longest passage where it is not the packaged one."""

    name: str
    search: dict[str, Any]
    passage_tokens: int = MAX_TOKENS


#: The first is what ships; the others differ from it as named.
VARIANTS = (
    Variant("what ships", {}),
    Variant("BM25 alone", {"rerank": False, "weights": {"dense": 0, "names": 0}}),
    Variant("dense alone", {"rerank": False, "weights": {"bm25": 0, "names": 0}}),
    Variant("BM25 and dense, fused", {"rerank": False, "weights": {"names": 0}}),
    Variant("fused, with names and aliases", {"rerank": False}),
    Variant("fused and reranked, without names", {"weights": {"names": 0}}),
    Variant("all weights 1", {"weights": {"dense": 1.0, "bm25": 1.001, "names": 1.002, "tokens": 1.003}}),
    Variant("MaxSim twice as heavy", {"weights": {"tokens": 4.426}}),
    Variant("passages of at most 110 tokens", {}, 110),
    Variant("passages of at most 160 tokens", {}, 160),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Means by measure; ``p`` one-sided that it is as much worse than the first row by chance; its cost."""

    name: str
    means: dict[str, float]
    p: float
    search_ms: float
    index_mb: float
    passages: int
    ingest_s: float


_HEADS = (f"{'variant':34}", *MEASURES, "p", "ms", "MB", "passages", "ingest s")
#: The head of the table that ``line`` makes rows for, in Markdown.
HEAD = f"| {' | '.join(_HEADS)} |\n{'|---' * len(_HEADS)}|"


def line(row: Row) -> str:
    """A row of the table."""
    means = " | ".join(f"{row.means[name]:.3f}" for name in MEASURES)
    cost = f"{row.search_ms:.1f} | {row.index_mb:.1f} | {row.passages} | {row.ingest_s:.0f}"
    return f"| {row.name:34} | {means} | {row.p:.3f} | {cost} |"


class Stretched:
    """An encoder for which every token counts as more, so that passages of at most ``limit`` tokens are cut."""

    def __init__(self, encoder: Encoder, limit: int) -> None:
        self._encoder = encoder
        self._by = MAX_TOKENS / limit

    def count_tokens(self, text: str) -> int:
        return round(self._encoder.count_tokens(text) * self._by)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


def ablate(settings: Settings, sets: Sets, *, sample: int = 0, tick: Tick | None = None) -> Iterator[Row]:
    """Rows for ``VARIANTS``, each measured on the golden questions; indexes are made in a scratch folder.

    Args:
        settings: those in force; the variants change ``search`` only.
        sets: the golden sets.
        sample: about how many questions; 0 for all.
        tick: told of progress, with the variant's name.
    """
    first: Report | None = None
    with tempfile.TemporaryDirectory() as scratch:
        ingest_s: dict[int, float] = {}
        for variant in VARIANTS:
            size = variant.passage_tokens
            encoder: Any = OnnxEncoder(threads=settings.encoder.threads)
            if size != MAX_TOKENS:
                encoder = Stretched(encoder, size)
            home = Path(scratch) / str(size)
            app = App(_with(settings, home, variant.search), encoder=encoder)
            began = time.perf_counter()
            app.ensure_index()
            ingest_s.setdefault(size, time.perf_counter() - began)
            report = evaluate(app, sets, _SUITES, sample=sample, tick=_named(tick, variant.name))
            first = first or report
            yield _row(app, variant, report, first, sets, ingest_s[size])
            app.close()


def compare(
    one: Settings, other: Settings, sets: Sets, suites: tuple[str, ...], *, sample: int = 0, tick: Tick | None = None
) -> tuple[Report, Report]:
    """The runs of two settings on a scratch index, or two where they differ in more than searching and judging."""
    reports = []
    alike = other.model_copy(update={"search": one.search, "judge": one.judge, "home": one.home}) == one
    with tempfile.TemporaryDirectory() as scratch:
        for name, settings in (("A", one), ("B", other)):
            app = App(_with(settings, Path(scratch) / ("A" if alike else name), {}))
            app.ensure_index()
            reports.append(evaluate(app, sets, suites, sample=sample, tick=_named(tick, name)))
            app.close()
    return reports[0], reports[1]


def _with(settings: Settings, home: Path, search: dict[str, Any]) -> Settings:
    chosen = settings.search.model_copy(update=search)
    return settings.model_copy(update={"home": home, "index": None, "search": chosen})


def _named(tick: Tick | None, name: str) -> Callable[[str, int, int], None] | None:
    return (lambda suite, done, total: tick(f"{name}: {suite}", done, total)) if tick else None


def _row(app: App, variant: Variant, report: Report, first: Report, sets: Sets, took: float) -> Row:
    cases, before = report.suites[0].cases, {c.id: c for c in first.suites[0].cases}
    pairs = [(before[c.id].values["ndcg@10"], c.values["ndcg@10"]) for c in cases if not c.error]
    times = []
    for question in sets.questions[:60]:
        began = time.perf_counter()
        app.searcher.search(question.question)
        times.append((time.perf_counter() - began) * 1000)
    size = sum(p.stat().st_size for p in app.settings.index_dir.rglob("*") if p.is_file())
    return Row(
        name=variant.name,
        means={name: report.suites[0].metrics[name] for name in MEASURES},
        p=worse_p([a for a, _ in pairs], [b for _, b in pairs]),
        search_ms=percentile(times, 0.5),
        index_mb=size / 1e6,
        passages=app.reader.manifest.passages,
        ingest_s=took,
    )
