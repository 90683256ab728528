"""What a drill leaves behind for later: for each graded task its score, and the day it is due again.

Light to import: what a learner studies next is read from here, without all that grades.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.drill.grade import PointGrade
    from tutor.drill.records import Round, Session

RESULTS = "results.jsonl"
_PAUSE_S = 600  # a longer silence between two turns was spent on something else

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
                "points": {p.point: _status(p) for p in done.grade.points},
                "kind": session.kind,
                "rating": done.rating,
                "seconds": _spent_s(done),
                "at": _ended(done).isoformat(),
                "due": due.isoformat(),
            }
        )
    return rows


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, the oldest first; a line that a crash cut short is passed over."""
    if not path.is_file():
        return
    for line in path.read_bytes().split(b"\n"):  # a learner's words may hold U+2028, where splitlines cuts
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def evidence_of(folder: Path, session: str, task: int, point: str) -> str:
    """The learner's words that a point's status in a graded task (from 1) rests on; empty where there are none."""
    if not re.fullmatch(r"[0-9]{8}-[0-9a-f]{8}", session):
        return ""
    try:
        drill = json.loads((folder / f"{session}.json").read_bytes())
        points = drill["rounds"][task - 1]["grade"]["points"]
        return next((str(p["evidence"]) for p in points if p["point"] == point), "")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return ""  # the drill is gone, or was written by another version: its grade is told without the words


def _status(point: PointGrade) -> str:
    """Its status; prompted where it was made only after a follow-up."""
    return "prompted" if point.status == "covered" and point.prompted else point.status


def _spent_s(done: Round) -> float:
    times = [turn.at for turn in done.turns]
    pauses = ((after - before).total_seconds() for before, after in pairwise(times))
    return round(sum(min(max(0.0, pause), _PAUSE_S) for pause in pauses), 1)


def _ended(done: Round) -> datetime:
    return done.turns[-1].at
