"""Retrieval quality on a question file: BM25 alone, dense alone, fused, fused with MaxSim.

    python evals/bench/quality.py QUESTIONS.jsonl [PATH…] [--no-builtin] [--encoder FOLDER …]

Questions are lines with ``id``, ``question``, ``kind`` and ``covers`` (empty: must be refused). The named paths are
ingested into a scratch index with the built-in curriculum (or without it). Items of roadmaps and months are neutral, as
../shared's README asks: they are left out of the rankings. A document is relevant when it covers any wanted item.

Further encoders are compared with the first, hit@1 and nDCG@10, by paired permutation tests (10,000 sign flips).
Upstream against the packaged encoder::

    python -m tutor.training.export --out build/upstream
    python evals/bench/quality.py QUESTIONS.jsonl --encoder build/upstream --encoder src/tutor/retrieval/model
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.bootstrap import App
from tutor.evals.metrics import dcg
from tutor.retrieval.encoder import MODEL_DIR, OnnxEncoder
from tutor.retrieval.index import BM25, DENSE, TOKENS
from tutor.retrieval.search import FUSED, RERANKED, Ranking
from tutor.settings import Settings

NEUTRAL = ("roadmap/", "month/")
RANKINGS = {
    "BM25 alone": Ranking((BM25,), {BM25: 1.0}),
    "dense alone": Ranking((DENSE,), {DENSE: 1.0}),
    "fused (RRF)": FUSED,
    "MaxSim only over fused candidates": Ranking((DENSE, BM25, TOKENS), {DENSE: 0.0, BM25: 0.0, TOKENS: 1.0}),
    "fused + MaxSim": RERANKED,
}


def ranked_items(app: App, question: str, ranking: Ranking) -> list[tuple[str, ...]]:
    """The covers of the ranked documents, neutral documents left out."""
    hits = app.searcher.search(question, limit=50, ranking=ranking, by_document=True).hits
    found = []
    for hit in hits:
        covers = hit.passage.covers or (hit.passage.doc_id,)
        if not all(c.startswith(NEUTRAL) for c in covers):
            found.append(covers)
    return found


def measures(
    found: Sequence[tuple[str, ...]], wanted: set[str], available: set[str]
) -> tuple[float, float, float, float]:
    """hit@1, hit@5, recall@5 and nDCG@10 with binary relevance; an item counts once, at its first document."""
    reachable = wanted & available
    seen: set[str] = set()
    gains = []
    for covers in found[:10]:
        new = (set(covers) & reachable) - seen
        seen |= new
        gains.append(1.0 if new else 0.0)
    ideal = dcg([1.0] * min(10, len(reachable)))
    first5 = {c for covers in found[:5] for c in covers} & reachable
    return (
        float(bool(gains and gains[0])),
        float(any(gains[:5])),
        len(first5) / min(5, len(reachable)) if reachable else 0.0,
        dcg(gains) / ideal if ideal else 0.0,
    )


def change(found: NDArray[np.float64], first: NDArray[np.float64]) -> str:
    """By how much the first and the last measure's means moved, with p. Both tables: (questions, measures)."""
    moved = [(found - first)[:, column] for column in (0, -1)]
    return ", ".join(f"{each.mean():+.3f} (p = {p_value(each):.4f})" for each in moved)


def p_value(difference: NDArray[np.float64], flips: int = 10_000) -> float:
    """Two-sided, by flipping signs at random: how often chance alone moves the mean as far."""
    random = np.random.default_rng(20261121)
    signs = random.choice([-1.0, 1.0], size=(flips, len(difference)))
    moved = np.abs((signs * difference).mean(axis=1)) >= abs(difference.mean()) - 1e-12
    return float((moved.sum() + 1) / (flips + 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--no-builtin", action="store_true")
    parser.add_argument(
        "--encoder",
        type=Path,
        action="append",
        default=[],
        help="a folder made by tutor.training.export; the packaged one if none",
    )
    args = parser.parse_args()
    questions = [json.loads(line) for line in args.questions.read_text(encoding="utf-8").splitlines() if line]
    first: dict[str, NDArray[np.float64]] = {}
    for folder in args.encoder or [MODEL_DIR]:
        ask(questions, args.paths, OnnxEncoder(folder), first, builtin=not args.no_builtin)
    return 0


def ask(
    questions: list[dict[str, Any]],
    paths: list[Path],
    encoder: OnnxEncoder,
    first: dict[str, NDArray[np.float64]],
    *,
    builtin: bool,
) -> None:
    """Print one encoder's figures; ``first`` keeps those of the first for each ranking."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home), corpus={"builtin": builtin}), encoder=encoder)
        report = app.ingest(paths)
        print(f"{report.documents} documents, {report.passages} passages, encoder {app.encoder.name}")
        for problem in report.problems:
            print(f"  {problem}", file=sys.stderr)
        available = {c for d in app.reader.documents() for c in d["covers"]}
        answerable = [q for q in questions if set(q["covers"]) & available]
        dropped = sum(1 for q in questions if q["covers"]) - len(answerable)
        print(f"{len(answerable)} questions ({dropped} left out: nothing indexed covers them)\n")
        print("| ranking | hit@1 | hit@5 | recall@5 | nDCG@10 | against the first encoder |\n|---|---|---|---|---|---|")
        for name, ranking in RANKINGS.items():
            found = np.array(
                [measures(ranked_items(app, q["question"], ranking), set(q["covers"]), available) for q in answerable]
            )
            told = change(found, first[name]) if name in first else ""
            first.setdefault(name, found)
            print(f"| {name} | " + " | ".join(f"{m:.3f}" for m in found.mean(axis=0)) + f" | {told} |")
        answers = [(q, app.answerer.ask(q["question"])) for q in questions]
        off = [a.abstained for q, a in answers if not q["covers"]]
        on = [a.abstained for q, a in answers if q["covers"]]
        if off:
            print(f"\nabstained on {sum(off)} of {len(off)} off-topic questions", end="")
        print(f"\nabstained on {sum(on)} of {len(on)} answerable questions")
        app.close()


if __name__ == "__main__":
    sys.exit(main())
