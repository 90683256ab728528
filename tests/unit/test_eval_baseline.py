"""What may be a baseline, and what the gate makes of a measure that is gone since."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from report_data import fingerprint
from tutor.errors import SourceError
from tutor.evals.baseline import Baseline, Thresholds, read_baseline, read_thresholds, write_baseline
from tutor.evals.gate import judge
from tutor.evals.record import Case, Report, Suite
from tutor.evals.verdict import Finding

SUITES = ("retrieval", "answers", "ragas")


def case(number: int, **values: float) -> Case:
    return Case(id=f"g-{number}", question=f"What is {number}?", kind="how", values=values)


def run() -> Report:
    """Ten questions of which the last is refused."""
    answers = [case(n, answered=1.0, key_facts=0.5, citations_right=1.0) for n in range(9)]
    suites = (
        Suite(name="retrieval", cases=tuple(case(n, **{"hit@1": 1.0}) for n in range(10)), totals={"ms_p95": 4.0}),
        Suite(name="answers", cases=(*answers, case(9, answered=0.0, key_facts=0.0))),
        Suite(name="ragas", cases=tuple(case(n, ragas_similarity=0.5) for n in range(9))),
    )
    return Report(fingerprint=fingerprint(), started="2026-11-22T03:00:00+00:00", seconds=1.0, suites=suites)


def written(folder: Path, change: Callable[[Any], None] = lambda data: None) -> Path:
    """A baseline's file, changed."""
    path = folder / "main.json"
    write_baseline(path, Baseline(reason="what these tests compare with", written="", report=run()))
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_whole_run_can_be_a_baseline(tmp_path: Path) -> None:
    assert read_baseline(written(tmp_path), SUITES).report == run()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d["report"].update(layout=2), "it is of layout 2, this version reads 1"),
        (lambda d: d["report"].update(layout=2, suites="of a later version"), "it is of layout 2"),
        (lambda d: d["report"].pop("layout"), "it is of layout None"),
        (lambda d: d["report"].update(sample=40), "it is a sample of 40 of each set"),
        (lambda d: d["report"].update(suites=d["report"]["suites"][:1]), "it has no cases of answers, ragas"),
        (lambda d: d["report"]["suites"][2].update(cases=[]), "it has no cases of ragas"),
        (
            lambda d: d["report"]["suites"][0]["cases"][3]["values"].update({"hit@1": "NaN"}),
            "hit@1 of g-3 is no number",
        ),
        (lambda d: d["report"]["suites"][0]["cases"][3]["values"].update({"hit@1": math.nan}), "is no number"),
        (lambda d: d["report"]["suites"][0]["totals"].update(ms_p95="Infinity"), "retrieval.ms_p95 is no number"),
        (lambda d: d["report"]["suites"][1]["cases"][2].update(error="broke"), "answers g-2 could not be run"),
        (lambda d: d.update(reason="short"), "reason: String should have at least 10 characters"),
        (lambda d: d.pop("report"), "report: Field required"),
    ],
)
def test_what_can_be_no_baseline_is_refused_with_the_reason(
    tmp_path: Path, change: Callable[[Any], None], why: str
) -> None:
    with pytest.raises(SourceError) as told:
        read_baseline(written(tmp_path, change), SUITES)
    assert "no baseline (" in told.value.what
    assert why in told.value.what
    assert "--update-baseline" in told.value.fix


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"report": 3}', "\udcff"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "main.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceError, match="no baseline"):
        read_baseline(path)
    with pytest.raises(SourceError, match="the floors cannot be read"):
        read_thresholds(path)


# What is gone


WATCHED = Thresholds(
    floors={}, watched=("retrieval.hit@1", "answers.key_facts", "answers.citations_right", "ragas.ragas_similarity")
)


def failing(change: Callable[[Any], None]) -> list[Finding]:
    data = json.loads(run().model_dump_json())
    change(data["suites"])
    held = Baseline(reason="what these tests compare with", written="", report=run())
    return [f for f in judge(Report.model_validate_json(json.dumps(data)), WATCHED, held).findings if f.level == "fail"]


def values(suites: Any, suite: int, number: int) -> dict[str, float]:
    found: dict[str, float] = suites[suite]["cases"][number]["values"]
    return found


def test_nothing_is_gone_from_the_same_run() -> None:
    assert failing(lambda suites: None) == []


def test_a_measure_that_is_gone_where_the_question_was_answered_fails() -> None:
    found = failing(lambda suites: values(suites, 1, 4).pop("citations_right"))
    assert [(f.metric, f.why) for f in found] == [
        ("answers.citations_right", "not measured for 1 cases that were: g-4")
    ]


def test_a_question_that_is_now_refused_has_no_measures_of_its_answer() -> None:
    def refuse(suites: Any) -> None:
        values(suites, 1, 4).update(answered=0.0)
        del values(suites, 1, 4)["citations_right"]
        del suites[2]["cases"][4]

    assert failing(refuse) == []


def test_what_a_refused_question_has_too_is_missed_of_one_that_is_now_refused() -> None:
    def refuse(suites: Any) -> None:
        values(suites, 1, 4).update(answered=0.0)
        del values(suites, 1, 4)["key_facts"]

    assert [f.metric for f in failing(refuse)] == ["answers.key_facts"]


def test_an_answered_question_that_ragas_has_not_measured_fails() -> None:
    def lose(suites: Any) -> None:
        del suites[2]["cases"][4]

    assert [(f.metric, f.why) for f in failing(lose)] == [
        ("ragas.ragas_similarity", "not measured for 1 cases that were: g-4")
    ]


def test_ragas_alone_cannot_tell_who_was_refused() -> None:
    def alone(suites: Any) -> None:
        del suites[2]["cases"][4]
        del suites[:2]

    assert failing(alone) == []
