"""Complaints become drafts: once each, newest first, never by themselves part of a set."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tutor.drill.store import DrillStore
from tutor.evals.candidates import KINDS, candidates, reviewed, write
from tutor.evals.lint_read import parsed
from tutor.evals.lint_rows import Fault
from tutor.evals.sets import Question
from tutor.feedback import FeedbackStore
from tutor.ingest.documents import Document, Section

TEXT = "intro\n\n## When NOT to use\nnever\n"
DOCUMENT = Document(
    "kafka",
    "Kafka",
    TEXT,
    "kafka.md",
    "card",
    (Section((), 0, 7), Section(("When NOT to use",), 7, len(TEXT))),
    meta={"phase": 4},
)


def clock() -> Callable[[], datetime]:
    """Every call a minute later."""
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def tick() -> datetime:
        nonlocal now
        now += timedelta(minutes=1)
        return now

    return tick


@pytest.fixture
def votes(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback", clock())


def override(home: Path, **changed: str) -> None:
    row = {"session": "s", "card": "kafka", "probe": "why-not", "point": "order", "claim": "Order is lost."}
    row |= {"answer": "My answer.", "graded": "missed", "learner": "covered", "at": "2026-03-02T00:00:00+00:00"}
    DrillStore(home / "drills").override(row | changed)


def test_a_complaint_is_a_draft_with_what_can_be_guessed(tmp_path: Path, votes: FeedbackStore) -> None:
    cited = ["kafka#when-not-to-use.2", "kafka#when-not-to-use", "kafka#intro", "gone#x"]
    votes.add("Why not Kafka for jobs?", "Because. [1]", "down", citations=cited, note="says nothing")
    (found,) = candidates(tmp_path, documents=[DOCUMENT])
    assert found.set == "golden/questions.jsonl"
    assert found.id == found.row["id"]
    assert found.id.startswith("c-")
    assert found.row["kind"] == "why-not"
    assert found.row["phase"] == 4
    assert found.row["documents"] == ["kafka", "gone"]
    assert found.row["passages"] == [
        {"doc": "kafka", "section": "When NOT to use"},
        {"doc": "kafka", "section": ""},
    ]
    assert found.row["reference"] == ""
    assert found.row["key_facts"] == []
    assert found.row["todo"]
    assert found.row["seen"]["note"] == "says nothing"


def test_a_question_is_one_candidate_and_the_last_vote_decides(tmp_path: Path, votes: FeedbackStore) -> None:
    votes.add("What is Raft?", "a", "down", note="first")
    votes.add("what is raft", "b", "down", note="second")
    votes.add("What is Paxos?", "c", "down")
    votes.add("What is ZAB?", "d", "down")
    votes.add("What is ZAB", "e", "up")
    votes.add("What is 2PC?", "f", "up")
    found = candidates(tmp_path)
    assert [c.row["question"] for c in found] == ["What is Paxos?", "what is raft"]
    assert found[1].row["seen"]["note"] == "second"
    assert found == candidates(tmp_path)


def test_overrides_of_an_answer_are_one_draft_label(tmp_path: Path) -> None:
    override(tmp_path)
    override(tmp_path, point="replay", learner="partly", at="2026-03-03T00:00:00+00:00")
    override(tmp_path, point="replay", learner="missed", at="2026-03-04T00:00:00+00:00")  # agrees with the grade again
    override(tmp_path, answer="Another.", at="2026-03-05T00:00:00+00:00")
    override(tmp_path, answer="Fine.", learner="missed")
    found = candidates(tmp_path)
    assert [c.row["answer"] for c in found] == ["Another.", "My answer."]
    assert {c.set for c in found} == {"drill/answers.jsonl"}
    assert found[1].row["points"] == {"order": "covered"}
    assert found[1].row["verdict"] == ""
    assert found[1].row["seen"]["overrides"][0]["graded"] == "missed"


def test_a_disputed_red_flag_is_a_draft_label(tmp_path: Path) -> None:
    flag = {"point": "!2", "claim": "Kafka is a faster queue.", "graded": "said"}
    override(tmp_path, **flag, learner="not-said")
    override(tmp_path, **flag, learner="said", answer="Another.")
    (found,) = candidates(tmp_path)
    assert (found.set, found.row["points"], found.row["red_flags"]) == ("drill/answers.jsonl", {}, [])
    assert found.row["seen"]["overrides"][0].items() >= (flag | {"learner": "not-said"}).items()


def test_lines_that_are_no_overrides_are_passed_over(tmp_path: Path) -> None:
    override(tmp_path)
    with open(tmp_path / "drills" / "overrides.jsonl", "a", encoding="utf-8") as file:
        file.write('{"card": "kafka"}\n[1]\n{"card": "ka')
    assert len(candidates(tmp_path)) == 1


def test_what_was_reviewed_is_left_out(tmp_path: Path, votes: FeedbackStore) -> None:
    votes.add("What is Raft?", "a", "down")
    override(tmp_path)
    sets = tmp_path / "evals"
    assert len(candidates(tmp_path, sets=sets)) == 2
    (sets / "golden").mkdir(parents=True)
    first, second = candidates(tmp_path)
    (sets / "golden" / "reviewed.txt").write_text(f"# seen\n\n{first.id} became g-f-001\n{second.id}# personal\n")
    assert reviewed(sets) == {first.id, second.id}
    assert candidates(tmp_path, sets=sets) == []


def test_a_draft_is_refused_by_the_lint_until_it_is_finished(tmp_path: Path, votes: FeedbackStore) -> None:
    votes.add("Why not Kafka for jobs?", "Because.", "down", citations=["kafka#intro"])
    override(tmp_path)
    write(candidates(tmp_path, documents=[DOCUMENT]), tmp_path / "out" / "drafts.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out" / "drafts.jsonl").read_text().splitlines()]
    assert ["question" in row for row in rows] == [True, False]
    faults: list[Fault] = []
    assert parsed(tmp_path / "out", "drafts.jsonl", Question, faults) == []
    assert [f.what for f in faults] == [f"line {n} is a draft that nobody has finished" for n in (1, 2)]
    done = rows[0] | {"reference": "A log is no queue of tasks.", "key_facts": [{"fact": "a log is no queue"}]}
    del done["todo"], done["seen"]
    (tmp_path / "done.jsonl").write_text(json.dumps(done))
    faults = []
    assert len(parsed(tmp_path, "done.jsonl", Question, faults)) == 1
    assert faults == []


def test_a_home_without_complaints_has_none(tmp_path: Path) -> None:
    assert candidates(tmp_path) == []


def test_every_intent_has_a_kind() -> None:
    from tutor.answering import intent

    assert set(KINDS) == set(intent._ROLES)
