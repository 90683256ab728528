"""What a terminal shows of grades: the red flag that it accuses of, and a mock's grades when it is over."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drill_fakes import AllSaid, Shelf, corpus
from fakes import FakeEncoder
from tutor.cli import interview
from tutor.drill.engine import Drills
from tutor.drill.store import DrillStore


@pytest.fixture
def drills(tmp_path: Path) -> Drills:
    grader: Any = AllSaid()
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    return Drills(corpus(), FakeEncoder(), grader, DrillStore(tmp_path), Shelf(), clock=lambda: now)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_red_flag_is_named_with_what_it_accuses_of(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = drills.start("kafka")
    for words in ("", "good false", "skip", "3"):
        assert session.pending
        session = drills.reply(session.id, session.pending.id, words)
    typed(monkeypatch, "\n")
    interview.run(drills, session)
    said = " ".join(capsys.readouterr().out.split())
    flag = session.tasks[0].rubric.flags[0]
    assert f"read as: {flag.wrong} in truth: {flag.why}" in said
    points = len(session.tasks[0].rubric.points)
    assert f"Coverage: 100% of the points ({points} of {points})." in said


def test_a_mock_goes_on_without_grades_and_shows_them_when_it_is_over(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = drills.start("url shortener", kind="hld")
    steps = len(session.tasks)
    typed(monkeypatch, "\n" + "good\n\n\n" * (steps - 1))
    interview.run(drills, session)
    assert "Grade:" not in capsys.readouterr().out
    session = drills.resume(session.id)
    assert session.at == steps - 1
    typed(monkeypatch, "good\n\n\n4\n" + "\n" * steps)
    interview.run(drills, session)
    said = capsys.readouterr().out
    assert said.count("Grade:") == steps
    assert "1. Requirements" in said and f"{steps}. " in said
