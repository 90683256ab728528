"""The gate itself: every planted regression fails it, and a run that changed nothing never does.

On a sample of the golden sets with the real index, encoder and grader; ``evals/mutations.py`` does the same on the
whole sets, against the floors and the baseline in force.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tutor.bootstrap import App
from tutor.evals.baseline import Baseline, Thresholds, read_baseline, read_thresholds, write_baseline
from tutor.evals.gate import judge
from tutor.evals.planted import PLANTED, Planted
from tutor.evals.record import Report
from tutor.evals.run import evaluate
from tutor.evals.sets import Sets
from tutor.evals.verdict import Verdict
from tutor.settings import Settings

EVALS = Path(__file__).resolve().parents[2] / "evals"
#: About so many cases of each set; retrieval takes them all, as one leg of four is worth two points.
SAMPLES = {"retrieval": 0, "answers": 40, "refusals": 60, "drill": 30}


def thresholds() -> Thresholds:
    """What is compared is what the repository compares; its floors are for whole sets, not for a sample."""
    ours = read_thresholds(EVALS / "thresholds.json")
    return Thresholds(floors={"answers.citations_resolve": 1.0}, watched=ours.watched)


def run(app: App, suites: Sequence[str] = tuple(SAMPLES)) -> Report:
    """A report of which each suite has its own number of cases."""
    reports = [evaluate(app, Sets(EVALS), [name], sample=SAMPLES[name]) for name in suites]
    return reports[0].model_copy(update={"suites": tuple(s for r in reports for s in r.suites), "sample": 1})


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
    def small() -> Report:
        return evaluate(app, Sets(EVALS), ("retrieval", "refusals"), sample=10)

    first = Baseline(reason="the first of twenty", written="", report=small())
    verdicts = [judge(small(), thresholds(), first) for _ in range(20)]
    assert [v.failed for v in verdicts] == [False] * 20
    assert [v.changes for v in verdicts] == [()] * 20


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_regression_is_caught(planted: Planted, curriculum_home: Path, baseline: Baseline) -> None:
    with planted.made(Settings(home=curriculum_home)) as app:
        report = run(app, planted.suites)
    bounds = thresholds()
    if "times as long" in planted.name:  # of latency the ceiling is what is in force
        slow = read_thresholds(EVALS / "thresholds.json").ceilings["answers.latency_p95"]
        bounds = bounds.model_copy(update={"ceilings": {"answers.latency_p95": slow}})
    verdict = judge(report, bounds, baseline)
    assert verdict.failed
    assert set(verdict.unlike) == {"BM25 off": {"settings"}, "the documents of phase 4 deleted": {"corpus"}}.get(
        planted.name, set()
    )


def test_a_slice_has_its_own_floor(baseline: Baseline) -> None:
    ours = Thresholds(floors={}, slices={"retrieval.hit@5": {"phase:4": 1.01}})
    (finding,) = judge(baseline.report, ours, None).findings
    assert (finding.level, finding.slice) == ("fail", "phase:4")


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


def test_two_points_fail_however_many_got_better(baseline: Baseline) -> None:
    def worse(suite: Any) -> None:
        found = [c["values"] for c in suite["cases"]]
        up = [v for v in found if v["section@1"] == 0][:6]
        down = [v for v in found if v["section@1"] == 1][:14]
        for values in up:
            values["section@1"] = 1.0
        for values in down:
            values["section@1"] = 0.0

    verdict = verdict_of(without(baseline.report, worse), baseline)
    assert [f.metric for f in verdict.findings if f.level == "fail"] == ["retrieval.section@1"]


def test_one_question_that_flips_is_noise(baseline: Baseline) -> None:
    def flip(suite: Any) -> None:
        next(c["values"] for c in suite["cases"] if c["values"]["hit@1"] == 1)["hit@1"] = 0.0

    assert not verdict_of(without(baseline.report, flip), baseline).failed


def test_a_suite_that_was_asked_for_and_lacks_a_metric_fails(baseline: Baseline) -> None:
    ours = Thresholds(floors={"retrieval.invented": 0.1})
    (finding,) = judge(baseline.report, ours, None).findings
    assert (finding.level, finding.why) == ("fail", "was not measured")


def test_a_baseline_is_read_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    whole = baseline.model_copy(update={"report": baseline.report.model_copy(update={"sample": 0})})
    write_baseline(tmp_path / "b" / "main.json", whole)
    assert read_baseline(tmp_path / "b" / "main.json", tuple(SAMPLES)) == whole
    lines = (tmp_path / "b" / "main.json").read_text(encoding="utf-8").splitlines()
    assert len(lines) > sum(len(s.cases) for s in baseline.report.suites)
