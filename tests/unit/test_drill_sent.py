"""A sent answer is kept before it is graded: no kill, fault or second window loses it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drill_fakes import AllSaid, Shelf, corpus
from fakes import FakeEncoder
from tutor.drill.engine import Drills
from tutor.drill.grade import Grade
from tutor.drill.records import Session
from tutor.drill.rubric import Rubric
from tutor.drill.store import DrillStore
from tutor.drill.transcript import as_markdown, session_json
from tutor.errors import StaleAnswer, UsageError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Killed(BaseException):
    """As a signal: nothing that a program does about errors gets to see it."""


class Falls(AllSaid):
    """Ends the process, or raises its fault, instead of grading."""

    def __init__(self, fault: BaseException) -> None:
        super().__init__()
        self.fault = fault

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        raise self.fault


def made(folder: Path, grader: Any = None, now: datetime = NOW) -> Drills:
    return Drills(corpus(), FakeEncoder(), grader or AllSaid(), DrillStore(folder), Shelf(), clock=lambda: now)


def at_the_answer(folder: Path) -> tuple[Session, str]:
    drills = made(folder)
    session = drills.start("kafka")
    assert session.pending
    session = drills.reply(session.id, session.pending.id, "")
    assert session.pending
    return session, session.pending.id


def killed(folder: Path, text: str = "a good answer") -> tuple[Session, str]:
    """A drill whose process ended while it graded ``text``."""
    session, question = at_the_answer(folder)
    with pytest.raises(Killed):
        made(folder, Falls(Killed())).reply(session.id, question, text)
    return session, question


def said(session: Session) -> list[str]:
    return [t.text for t in session.rounds[0].turns if t.who == "learner"]


def test_an_answer_that_was_sent_before_a_kill_is_graded_when_the_drill_goes_on(tmp_path: Path) -> None:
    before, question = killed(tmp_path)
    later = made(tmp_path, now=NOW + timedelta(hours=2))
    after = later.resume(before.id)
    assert said(after) == ["", "a good answer"] and after.sent is None
    assert after.pending and after.pending.id != question and after.round.first is not None
    *_, answer, asked = after.round.turns
    assert (answer.at, asked.at) == (NOW, NOW + timedelta(hours=2))  # said then, asked now: it was never shown
    assert later.resume(before.id) == after
    assert as_markdown(later, after).count("a good answer") == 1
    assert "sent" not in session_json(later, after)


def test_who_answers_again_after_a_kill_is_told_what_is_asked_now(tmp_path: Path) -> None:
    before, question = killed(tmp_path)
    drills = made(tmp_path)
    with pytest.raises(StaleAnswer) as refused:
        drills.reply(before.id, question, "another answer")
    after = drills.resume(before.id)
    assert said(after) == ["", "a good answer"] and after.pending
    assert after.pending.text in refused.value.fix


def test_words_that_do_not_fit_are_not_kept_as_sent(tmp_path: Path) -> None:
    session, question = at_the_answer(tmp_path)
    drills = made(tmp_path)
    for words in ("", "x" * 20_001):
        with pytest.raises(UsageError):
            drills.reply(session.id, question, words)
    assert drills.store.load(session.id) == session


def test_a_fault_in_grading_puts_the_words_aside_and_the_question_stands(tmp_path: Path) -> None:
    session, question = at_the_answer(tmp_path)
    with pytest.raises(RuntimeError):
        made(tmp_path, Falls(RuntimeError("no memory"))).reply(session.id, question, "a good answer")
    assert (tmp_path / f"{session.id}.refused.txt").read_text(encoding="utf-8") == "a good answer\n"
    assert made(tmp_path).resume(session.id) == session
    assert said(made(tmp_path).reply(session.id, question, "a good answer")) == ["", "a good answer"]


def test_a_rating_that_was_sent_ends_the_drill_and_is_noted_once(tmp_path: Path, monkeypatch: Any) -> None:
    session, question = at_the_answer(tmp_path)
    drills = made(tmp_path)
    asked = drills.reply(session.id, question, "skip").pending
    assert asked and asked.state == "rate"

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(DrillStore, "_note", kill)
        with pytest.raises(Killed):
            drills.reply(session.id, asked.id, "4")
    assert drills.resume(session.id).pending is None
    assert [row["rating"] for row in drills.store.results()] == [4]


def test_a_drill_that_an_earlier_version_kept_goes_on(tmp_path: Path) -> None:
    session, question = at_the_answer(tmp_path)
    path = tmp_path / f"{session.id}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    del kept["sent"]
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert said(made(tmp_path).reply(session.id, question, "a good answer")) == ["", "a good answer"]
