"""The gate itself: every planted regression fails it, and a run that changed nothing never does.

On a sample of the golden sets with the real index, encoder and grader; ``evals/mutations.py`` does the same on the
whole sets, against the floors and the baseline in force.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tutor.answering import abstain
from tutor.answering.answer import Answer, Answerer
from tutor.bootstrap import App, builtin_roots
from tutor.drill.judge import COVERED
from tutor.evals.baseline import Baseline, Thresholds, read_baseline, read_thresholds, write_baseline
from tutor.evals.gate import judge
from tutor.evals.record import Report
from tutor.evals.run import evaluate
from tutor.evals.sets import Sets
from tutor.evals.verdict import Verdict
from tutor.retrieval.encoder import OnnxEncoder
from tutor.settings import Settings

EVALS = Path(__file__).resolve().parents[2] / "evals"
SAMPLE = 110
SUITES = ("retrieval", "answers", "refusals", "drill")
NAMES = ("watched", "floors")


class Noise:
    """An encoder whose question vectors say nothing; texts keep their lengths."""

    def __init__(self) -> None:
        self._real = OnnxEncoder()

    def encode(self, texts: Sequence[str], **options: Any) -> list[Any]:
        return [self._blur(text, encoded) for text, encoded in zip(texts, self._real.encode(texts), strict=True)]

    @staticmethod
    def _blur(text: str, encoded: Any) -> Any:
        random = np.random.default_rng(zlib.crc32(text.encode()))
        dense = random.standard_normal(encoded.dense.shape).astype(np.float32)
        tokens = random.standard_normal(encoded.tokens.shape).astype(np.float32)
        tokens /= np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-6)
        return dataclasses.replace(encoded, dense=dense / np.linalg.norm(dense), tokens=tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Pleased:
    """A judge for whom everything is covered."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Any:
        found = np.full((len(pairs), 4), 0.01, dtype=np.float32)
        found[:, COVERED] = 0.97
        return found


def thresholds() -> Thresholds:
    """What is compared is what the repository compares; its floors are for whole sets, not for a sample."""
    ours = read_thresholds(EVALS / "thresholds.json")
    return Thresholds(floors={"answers.citations_resolve": 1.0}, watched=ours.watched)


def run(app: App, suites: Sequence[str] = SUITES, sample: int = SAMPLE) -> Report:
    return evaluate(app, Sets(EVALS), suites, sample=sample)


@pytest.fixture(scope="module")
def app(curriculum_home: Path) -> Iterator[App]:
    found = App(Settings(home=curriculum_home))
    found.ensure_index()
    yield found
    found.close()


@pytest.fixture(scope="module")
def baseline(app: App) -> Baseline:
    return Baseline(reason="what this test compares with", written="", report=run(app))


def failing(report: Report, baseline: Baseline) -> set[str]:
    return {f.metric for f in judge(report, thresholds(), baseline).findings if f.level == "fail"}


def test_a_run_that_changed_nothing_passes(app: App, baseline: Baseline) -> None:
    verdict = judge(run(app), thresholds(), baseline)
    assert not verdict.failed
    assert verdict.changes == ()
    assert verdict.unlike == ()
    assert len(verdict.findings) >= 8


def test_twenty_identical_runs_raise_no_alarm(app: App) -> None:
    suites = ("retrieval", "refusals")
    first = Baseline(reason="the first of twenty", written="", report=run(app, suites, 40))
    verdicts = [judge(run(app, suites, 40), thresholds(), first) for _ in range(20)]
    assert [v.failed for v in verdicts] == [False] * 20
    assert [v.changes for v in verdicts] == [()] * 20


def test_an_encoder_that_says_nothing_is_caught(curriculum_home: Path, baseline: Baseline) -> None:
    broken: Any = Noise()
    app = App(Settings(home=curriculum_home), encoder=broken)
    assert {"retrieval.ndcg@10", "retrieval.recall@5"} <= failing(run(app, ("retrieval",)), baseline)
    app.close()


def test_a_leg_that_is_off_is_caught(curriculum_home: Path, baseline: Baseline) -> None:
    for leg in ("bm25", "dense", "tokens"):
        app = App(Settings(home=curriculum_home, search={"weights": {leg: 0}}))
        caught = failing(run(app, ("retrieval", "refusals", "answers")), baseline)
        app.close()
        if leg == "bm25":
            assert caught, "BM25 is off and nothing fails"


def test_wrong_citations_are_caught(app: App, baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Answerer.ask

    def shifted(self: Answerer, question: str, **options: Any) -> Answer:
        answer = right(self, question, **options)
        moved = tuple(dataclasses.replace(c, start=c.start + 7, end=c.end + 7) for c in answer.citations)
        return dataclasses.replace(answer, citations=moved)

    monkeypatch.setattr(Answerer, "ask", shifted)
    assert "answers.citations_resolve" in failing(run(app, ("answers",)), baseline)


@pytest.mark.parametrize("threshold", [0.0, 1.1], ids=["never", "always"])
def test_abstaining_never_or_always_is_caught(
    app: App, baseline: Baseline, monkeypatch: pytest.MonkeyPatch, threshold: float
) -> None:
    monkeypatch.setattr(abstain, "threshold", lambda: threshold)
    assert "refusals.decision" in failing(run(app, ("refusals",)), baseline)


def test_a_phase_that_is_gone_is_caught(baseline: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = []
    for root in builtin_roots():
        copy = Path(shutil.copytree(root, tmp_path / root.name))
        roots.append(copy)
        for path in copy.rglob("*.md"):
            if "\nphase: 4\n" in path.read_text(encoding="utf-8")[:2000]:
                path.unlink()
    monkeypatch.setattr("tutor.bootstrap.builtin_roots", lambda: roots)
    app = App(Settings(home=tmp_path / "home"))
    app.ensure_index()
    report = run(app, ("retrieval", "answers"))
    app.close()
    assert {"retrieval.recall@5"} <= failing(report, baseline)
    ours = Thresholds(floors={}, slices={"retrieval.hit@5": {"phase:4": 0.5}})
    (finding,) = judge(report, ours, None).findings
    assert (finding.level, finding.slice) == ("fail", "phase:4")


def test_a_grader_that_is_always_pleased_is_caught(curriculum_home: Path, baseline: Baseline) -> None:
    pleased: Any = Pleased()
    app = App(Settings(home=curriculum_home), judge=pleased)
    assert {"drill.points", "drill.verdict"} & failing(run(app, ("drill",)), baseline)
    app.close()


def without(report: Report, change: Callable[[Any], None]) -> Report:
    """The report with its first suite's data changed."""
    data = report.model_dump(mode="python")
    change(data["suites"][0])
    return Report.model_validate(data)


def verdict_of(report: Report, baseline: Baseline) -> Verdict:
    return judge(report, thresholds(), baseline)


def test_a_value_that_is_no_number_fails(baseline: Baseline) -> None:
    spoilt = without(baseline.report, lambda s: s["cases"][0]["values"].update({"mrr": math.nan}))
    assert [f.metric for f in verdict_of(spoilt, baseline).findings if f.level == "fail"] == ["retrieval.mrr"]


def test_an_error_fails(baseline: Baseline) -> None:
    spoilt = without(
        baseline.report, lambda s: s["cases"][0].update({"values": {}, "error": "the index cannot answer"})
    )
    first = verdict_of(spoilt, baseline).findings[0]
    assert (first.level, "the index cannot answer" in first.why) == ("fail", True)


def test_a_missing_question_fails(baseline: Baseline) -> None:
    whole = baseline.report.model_copy(update={"sample": 0})
    held = baseline.model_copy(update={"report": whole})
    short = without(whole, lambda s: s.update({"cases": s["cases"][1:]}))
    found = [f for f in verdict_of(short, held).findings if f.level == "fail"]
    assert found
    assert all("not measured for 1 cases" in f.why for f in found)


def test_a_suite_that_was_asked_for_and_lacks_a_metric_fails(baseline: Baseline) -> None:
    ours = Thresholds(floors={"retrieval.invented": 0.1})
    (finding,) = judge(baseline.report, ours, None).findings
    assert (finding.level, finding.why) == ("fail", "was not measured")


def test_a_baseline_is_read_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    write_baseline(tmp_path / "b" / "main.json", baseline)
    assert read_baseline(tmp_path / "b" / "main.json") == baseline
    lines = (tmp_path / "b" / "main.json").read_text(encoding="utf-8").splitlines()
    assert len(lines) > sum(len(s.cases) for s in baseline.report.suites)
