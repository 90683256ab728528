"""The lint: each fault is found where it is planted, and the sets of this repository have none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tutor.evals.lint import lint
from tutor.evals.lint_read import curriculum_documents, training_questions
from tutor.evals.lint_rows import Fault
from tutor.evals.sets import Question, Sets
from tutor.evals.wording import Copies, Nearest, normalised, overlaps, shared_run, words
from tutor.ingest.documents import Document, Section

ROOT = Path(__file__).resolve().parents[2]
BODY = "A quorum is any set of replicas large enough that two of them always overlap in at least one of 5 nodes."


def document(doc_id: str, **meta: Any) -> Document:
    return Document(doc_id, doc_id.title(), BODY, f"{doc_id}.md", "card", (Section(("Why",), 0, len(BODY)),), meta=meta)


DOCUMENTS = [document("quorum", phase=3), document("raft", phase=4), document("day", related=("raft", "gone"))]
GOOD: dict[str, Any] = {
    "id": "g-1",
    "question": "How many machines must agree before a write counts?",
    "kind": "how",
    "phase": 3,
    "history": [],
    "documents": ["quorum"],
    "passages": [{"doc": "quorum", "section": "Why"}],
    "reference": "So many that no other group of that size can exist without sharing a member with this one here.",
    "key_facts": [{"fact": "a majority of the machines", "aliases": ["more than half"]}],
}
REFUSED = {"id": "r-1", "question": "How long do I boil an egg?", "kind": "far", "why": "cooking"}


def found(folder: Path, *rows: dict[str, Any], learnt: tuple[str, ...] = (), **files: list[Any]) -> list[Fault]:
    """The faults of small sets, but those of the whole (there are too few of everything)."""
    for name in ("golden", "calibration", "drill"):
        (folder / name).mkdir(exist_ok=True)
    named = {"golden/questions": rows or (GOOD,), "golden/refuse": [REFUSED]} | {
        name.replace("__", "/"): lines for name, lines in files.items()
    }
    for name, lines in named.items():
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return [
        f for f in lint(Sets(folder), DOCUMENTS, learnt) if "are needed" not in f.what and "nothing of" not in f.what
    ]


def test_good_rows_have_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"documents": ["quorum", "nope"]}, "there is no document 'nope'"),
        ({"passages": [{"doc": "quorum", "section": "Whence"}]}, "'quorum' has no section 'Whence'"),
        ({"passages": [{"doc": "raft", "section": "Why"}]}, "'raft' is not among the right documents"),
        ({"documents": ["quorum", "quorum"]}, "named twice"),
        ({"phase": 7}, "there is no phase 7"),
        ({"phase": None}, "there is no phase None"),
        ({"phase": 4}, "the phase is 4, 'quorum' is of 3"),
        ({"kind": "follow-up"}, "a follow-up without"),
        ({"history": ["What is Raft?"]}, "has a history"),
        ({"kind": "multi-card"}, "'multi-card' with one document"),
        ({"reference": "Thirteen words are two words too few for it, so this is short."}, "the reference has 13 words"),
        ({"reference": "word " * 121}, "the reference has 121 words"),
        ({"key_facts": [{"fact": f"fact number {n}"} for n in range(7)]}, "7 key facts"),
        ({"key_facts": [{"fact": "a majority", "aliases": ["A majority!"]}]}, "stands twice in one key fact"),
        ({"key_facts": [{"fact": "a majority"}, {"fact": "half", "aliases": ["a Majority"]}]}, "said of two key facts"),
        ({"key_facts": [{"fact": "which it is"}]}, "has no word that means anything"),
        ({"key_facts": []}, "key_facts"),
        ({"kind": "riddle"}, "kind"),
        ({"answer": "x"}, "answer"),
        (
            {"question": "Would any set of replicas large enough that two of us agree?"},
            "the question has 9 words in a row",
        ),
        ({"reference": f"{BODY[:-1]} that there are, says the card."}, "the reference has 22 words in a row"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, changed: dict[str, Any], what: str) -> None:
    faults = found(tmp_path, GOOD | changed)
    assert [f for f in faults if what in f.what and f.level == "fault" and f.id == "g-1"], faults
    assert all(f.fix for f in faults)


def test_warnings_fail_nothing(tmp_path: Path) -> None:
    row = GOOD | {"question": "Why is any set of replicas large?", "key_facts": [{"fact": "4 of 5 nodes"}]}
    faults = found(tmp_path, row)
    assert [f.level for f in faults] == ["warning", "warning"]
    assert [f.what for f in faults] == [
        "the key fact '4 of 5 nodes' has '4', which none of its passages has",
        "the question has 6 words in a row from 'quorum'",
    ]


def test_a_document_without_a_phase_has_those_of_its_cards(tmp_path: Path) -> None:
    row = GOOD | {"documents": ["day"], "passages": [{"doc": "day", "section": "Why"}]}
    assert found(tmp_path, row | {"phase": 4}) == []
    assert [f.what for f in found(tmp_path, row)] == ["the phase is 3, 'day' is of 4"]


def test_ids_and_questions_are_unique_over_all_sets(tmp_path: Path) -> None:
    same = "how MANY machines must agree before a write counts"
    rows = [GOOD, GOOD | {"id": "g-2"}, GOOD | {"question": "What is a majority for?"}]
    held = [{"id": "g-2", "question": same, "kind": "how", "answerable": True, "covers": ["x"]}]
    faults = found(tmp_path, *rows, calibration__held_out=held, drill__answers=[{"id": "r-1"}])
    assert [(f.file, f.id, f.what) for f in faults] == [
        ("golden/questions.jsonl", "g-1", "the id is already that of a row in golden/questions.jsonl"),
        ("golden/questions.jsonl", "g-2", "asks what g-1 in golden/questions.jsonl asks"),
        ("calibration/held_out.jsonl", "g-2", "asks what g-1 in golden/questions.jsonl asks"),
        ("calibration/held_out.jsonl", "g-2", "the id is already that of a row in golden/questions.jsonl"),
        ("drill/answers.jsonl", "r-1", "the id is already that of a row in golden/refuse.jsonl"),
    ]


def test_the_same_follow_up_after_something_else_is_another_question(tmp_path: Path) -> None:
    row = GOOD | {"kind": "follow-up", "question": "and why not there?", "history": ["What is Raft?"]}
    assert found(tmp_path, row, row | {"id": "g-2", "history": ["What is a quorum?"]}) == []


def test_training_questions_are_kept_out(tmp_path: Path) -> None:
    exact = "how many machines must agree, before a write counts"
    assert [f.level for f in found(tmp_path, learnt=(exact,))] == ["fault"]
    near = "how many machines must agree before writes count, roughly"
    assert [f.level for f in found(tmp_path, learnt=(near,))] == ["warning"]
    assert found(tmp_path, learnt=("what makes a write safe",)) == []


@pytest.mark.parametrize("line", ["{", "[]", "3", '"x"', "{}", '{"id": 1}'])
def test_a_bad_line_is_a_fault_and_the_others_are_checked(tmp_path: Path, line: str) -> None:
    faults = found(tmp_path, line, GOOD | {"phase": 7})  # type: ignore[arg-type]
    assert len(faults) == 2
    assert "line 1" in faults[0].what
    assert faults[1].id == "g-1"


def test_too_few_is_a_fault(tmp_path: Path) -> None:
    found(tmp_path)
    said = [f.what for f in lint(Sets(tmp_path), DOCUMENTS)]
    assert "has 1 valid rows, 320 are needed" in said
    assert "has 1 valid rows, 80 are needed" in said
    assert "nothing of kind 'spoken'" in said
    assert "nothing of phase '4'" in said
    assert "nothing of kind 'how'" not in said


def test_words_are_compared_without_case_accents_and_marks() -> None:
    assert (
        words("**Don’t** use `write-ahead` _naïvely_, C++ or C#!") == "dont use write ahead naively c++ or c#".split()
    )
    assert normalised("What's ﬁne?") == normalised("WHATS FINE")


@pytest.mark.parametrize(
    ("mine", "theirs", "run"),
    [("a b c", "a b c", 3), ("x a b y", "b y a b", 2), ("a b", "ab", 0), ("", "a", 0), ("a x b y c d e", "c d e b", 3)],
)
def test_the_longest_shared_run(mine: str, theirs: str, run: int) -> None:
    assert shared_run(mine.split(), theirs) == run


def test_copies_names_the_document_with_the_longest_run() -> None:
    copies = Copies({"short": "one two three four five six", "long": "Zero, one two three four five six seven."})
    assert copies.of({"x": "says one two three four five six seven", "y": "one two three"}) == {"x": (7, "long")}


def test_nearest_is_by_shared_terms() -> None:
    near = Nearest(["what is a kafka partition", "how do leases expire"])
    assert near.of("Kafka partitions?") == (1.0, "what is a kafka partition")
    assert near.of("boil an egg") == (0.0, "")


def test_overlap_is_told_by_kind() -> None:
    row = Question.model_validate(GOOD | {"question": "any set of replicas large enough?"})
    how, whole = overlaps([row], DOCUMENTS, ["replicas"])
    assert (how.kind, whole.kind) == ("how", "all")
    assert how.questions == 1
    assert how.trigrams == 1.0
    assert how.longest == 6
    assert 0 < how.learnt < 1
    assert how.reference_trigrams == 0.0


def test_the_sets_of_this_repository_are_without_fault_and_quickly_checked() -> None:
    sets = Sets(ROOT / "evals")
    started = time.process_time()
    documents, learnt = (
        curriculum_documents([ROOT / "corpus" / n for n in ("cards", "notes", "practice", "plans")]),
        training_questions(sets),
    )
    faults = lint(sets, documents, learnt)
    assert [f for f in faults if f.level == "fault"] == []
    assert len(learnt) > 9_000
    figures = overlaps(sets.questions, documents, learnt)
    assert time.process_time() - started < 30  # 5 s on an idle machine
    assert figures[-1].questions == len(sets.questions)
    assert figures[-1].trigrams < 0.05, "the questions are written in their own words"
