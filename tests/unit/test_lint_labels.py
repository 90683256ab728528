"""The lint of labelled rows: each fault is found where it is planted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.corpus import load_corpus
from tutor.drill.rubric import Flag, Point, Rubric
from tutor.evals.drills import rubrics_of
from tutor.evals.lint import lint
from tutor.evals.lint_labels import drill_rows, fact_labels, judge_labels, twins
from tutor.evals.lint_read import curriculum_documents
from tutor.evals.lint_rows import Fault
from tutor.evals.sets import FactLabel, JudgeLabel, Sets
from tutor.ingest.documents import Document, Section

RUBRIC = Rubric(
    doc_id="quorum",
    title="Quorum",
    ask="Why a majority?",
    points=(Point(id="overlap", text="two majorities overlap"), Point(id="split", text="no two sides win")),
    flags=(Flag(id=1, wrong="half is enough", why="two halves do not overlap"),),
)
RUBRICS = {("quorum", "why"): RUBRIC}
ROW: dict[str, Any] = {
    "id": "quorum/why/1",
    "card": "quorum",
    "probe": "why",
    "kind": "strong",
    "half": "fit",
    "answer": "Any two of them share a member.",
    "points": {"overlap": "covered", "split": "missed"},
    "red_flags": [],
    "verdict": "mixed",
}
FACT = FactLabel(id="f-1", question="Why?", answer="Because.", fact="a majority", covered=True, half="fit")
JUDGED = JudgeLabel(
    id="j-1", question="Why so?", contexts=("A.",), answer="Because.", reference="Since.", faithful=True, covers=True
)


def drill(*rows: dict[str, Any]) -> list[Fault]:
    return list(drill_rows("drill/answers.jsonl", rows, RUBRICS))


def test_a_good_row_has_no_fault() -> None:
    assert drill(ROW, ROW | {"id": "quorum/why/2", "answer": "Another.", "red_flags": [1]}) == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"probe": "how"}, "there is no probe quorum / how"),
        ({"card": "raft"}, "there is no probe raft / why"),
        ({"points": {"overlap": "covered"}}, "the points are not those of the probe: overlap, split"),
        ({"points": ["overlap"]}, "the points are not those of the probe"),
        ({"points": {"overlap": "yes", "split": "missed"}}, "points.overlap is 'yes'"),
        ({"verdict": "good"}, "verdict is 'good'"),
        ({"half": "both"}, "half is 'both'"),
        ({"kind": "fluent"}, "kind is 'fluent'"),
        ({"answer": " "}, "the answer is no text"),
        ({"answer": 3}, "the answer is no text"),
        ({"answer": "x" * 20_001}, "the answer is no text"),
        ({"red_flags": [2]}, "red_flags is [2]"),
        ({"red_flags": ["1"]}, "red_flags is ['1']"),
        ({"red_flags": [True]}, "red_flags is [True]"),
        ({"red_flags": [1, 1]}, "red_flags is [1, 1]"),
        ({"id": "quorum/how/1"}, "the id is not that of its probe"),
        ({"id": "quorum/why/x"}, "the id is not that of its probe"),
        ({"note": "x"}, "the fields note are missing or unknown"),
    ],
)
def test_a_planted_fault_of_a_drill_answer_is_found(changed: dict[str, Any], what: str) -> None:
    (fault,) = drill(ROW | changed)
    assert fault.what.startswith(what)
    assert (fault.level, bool(fault.fix)) == ("fault", True)


def test_a_drill_answer_without_its_fields_is_one_fault() -> None:
    (fault,) = drill({"id": "quorum/why/1"})
    assert "answer, card, half, kind" in fault.what


def test_the_same_answer_and_both_halves_of_a_probe_are_found() -> None:
    same, other = ROW | {"id": "quorum/why/2"}, ROW | {"id": "quorum/why/3", "answer": "No.", "half": "report"}
    assert [(f.id, f.what) for f in drill(ROW, same, other)] == [
        ("quorum/why/2", "is the answer that quorum/why/1 gives"),
        ("quorum/why/3", "its probe is in the half 'fit' with quorum/why/1"),
    ]


def test_labels_of_facts_are_each_once_and_questions_in_one_half() -> None:
    twice, halved = (
        FACT.model_copy(update={"id": "f-2", "fact": "A majority!"}),
        FACT.model_copy(update={"id": "f-3", "fact": "half", "half": "report"}),
    )
    assert list(fact_labels("golden/fact_labels.jsonl", [FACT])) == []
    assert [(f.id, f.what) for f in fact_labels("golden/fact_labels.jsonl", [FACT, twice, halved])] == [
        ("f-2", "labels the fact and the answer of f-1"),
        ("f-3", "its question is in the half 'fit' with f-1"),
    ]


def test_labels_for_a_judge_are_each_once() -> None:
    twice = JUDGED.model_copy(update={"id": "j-2", "contexts": ("A.", "a")})
    assert list(judge_labels("golden/judge_labels.jsonl", [JUDGED])) == []
    assert [(f.id, f.what) for f in judge_labels("golden/judge_labels.jsonl", [JUDGED, twice])] == [
        ("j-2", "labels the answer of j-1"),
        ("j-2", "a context stands twice"),
    ]


def document(doc_id: str, *covers: str) -> Document:
    return Document(doc_id, doc_id, "x", f"{doc_id}.md", "card", (Section(("Why",), 0, 1),), covers=covers)


DOCUMENTS = [document("quorum", "guide/quorum"), document("note", "article/quorum", "article/raft")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"article/quorum": ["guide/gone"]}', "no document covers 'guide/gone'"),
        ('{"article/gone": ["guide/quorum"]}', "no document covers 'article/gone'"),
        ('{"article/quorum": ["guide/quorum", "guide/quorum"]}', "names an item twice, or itself"),
        ('{"article/quorum": ["article/quorum"]}', "names an item twice, or itself"),
        ('{"article/quorum": ["guide/quorum"], "article/quorum": ["guide/quorum"]}', "stands there twice"),
        ('{"article/quorum": []}', "is no object of lists"),
        ('{"article/quorum": "guide/quorum"}', "is no object of lists"),
        ("[]", "is no object of lists"),
        ("{", "is no JSON"),
    ],
)
def test_a_planted_fault_of_the_notes_is_found(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "calibration").mkdir()
    path = tmp_path / "calibration" / "twins.json"
    path.write_text('{"article/quorum": ["guide/quorum"]}', encoding="utf-8")
    assert list(twins(tmp_path, DOCUMENTS)) == []
    path.write_text(text, encoding="utf-8")
    (fault,) = twins(tmp_path, DOCUMENTS)
    assert fault.what.startswith(what)


def test_the_lint_looks_at_all_labels_of_this_repository(tmp_path: Path) -> None:
    """A row changed in each file of a copy is that file's only fault."""
    evals = Path(__file__).resolve().parents[2] / "evals"
    for folder in ("golden", "calibration", "drill"):
        shutil.copytree(evals / folder, tmp_path / folder)

    def change(file: str, **values: Any) -> None:
        lines = (tmp_path / file).read_text(encoding="utf-8").splitlines()
        changed = json.dumps(json.loads(lines[1]) | values)
        (tmp_path / file).write_text("\n".join([lines[0], changed, *lines[2:]]), encoding="utf-8")

    change("golden/judge_labels.jsonl", faithful="perhaps")
    change("golden/fact_labels.jsonl", id="j-001")
    change("drill/answers.jsonl", verdict="good")
    found = lint(Sets(tmp_path), curriculum_documents(), (), rubrics_of(load_corpus(builtin_corpus())))
    faults = [(f.file, f.what) for f in found if f.level == "fault"]
    assert [file for file, _ in faults] == [
        "golden/judge_labels.jsonl",
        "golden/judge_labels.jsonl",
        "drill/answers.jsonl",
    ]
    said = " ".join(what for _, what in faults)
    assert "faithful" in said and "the id is already that of a row" in said and "verdict is 'good'" in said
