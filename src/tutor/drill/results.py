"""What a drill leaves behind for later: for each graded task its score, and the day it is due again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tutor.drill.records import Round, Session

#: Days until a task is due again, by verdict.
DAYS = {"strong": 14, "mixed": 4, "weak": 2, "wrong": 1, "ungraded": 1}


def due_of(done: Round) -> date | None:
    """The day a graded task is due again; None without a grade."""
    return (_ended(done) + timedelta(days=DAYS[done.grade.verdict])).date() if done.grade else None


def rows_of(session: Session) -> list[dict[str, Any]]:
    """A row for each task that has its grade; the same rows whenever it is asked, ``task`` counts from 1."""
    rows = []
    for number, (task, done) in enumerate(zip(session.tasks, session.rounds, strict=True), 1):
        if done.grade is None or (due := due_of(done)) is None:
            continue
        rows.append(
            {
                "session": session.id,
                "task": number,
                "card": task.card,
                "probe": task.probe,
                "score": done.grade.score,
                "verdict": done.grade.verdict,
                "missed": [p.point for p in done.grade.points if p.status != "covered"],
                "rating": done.rating,
                "at": _ended(done).isoformat(),
                "due": due.isoformat(),
            }
        )
    return rows


def _ended(done: Round) -> datetime:
    return done.turns[-1].at
