"""What a drill leaves behind for later: for each graded task its score, and the day it is due again.

Light to import: what a learner studies next is read from here, without all that grades.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.drill.grade import PointGrade
    from tutor.drill.records import Round, Session

RESULTS = "results.jsonl"
OVERRIDES = "overrides.jsonl"
#: What a red flag's number follows where it stands among points, as in views: "!2".
FLAG = "!"
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


def made_of(points: Mapping[str, str]) -> float:
    """How many points a result has made, a half for one partly made; ``points`` as in its row."""
    worth = {"covered": 1.0, "prompted": 1.0, "partly": 0.5}
    return sum(worth.get(status, 0.0) for status in points.values())


def coverage_of(row: Mapping[str, Any]) -> float:
    """The share of its points that a result has made, in [0, 1]; of a row without points its score."""
    points = row.get("points")
    if not isinstance(points, dict) or not points:
        return float(row.get("score") or 0.0)
    return made_of(points) / len(points)


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


def viewed_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Every result with the learner's own view of its points, the oldest first.

    Where a view differs from the grade the point has the learner's status, the row the verdict and score that follow,
    and ``views`` says by point what was graded and when the view was given; of a red flag that the learner disputes, as
    "!2", also what it is for them.
    """
    views: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for view in read_rows(folder / OVERRIDES):
        for key in (("session", "task"), ("session", "card", "probe")):
            if all(view.get(name) for name in key):  # those of an early version name no task
                said = views.setdefault(tuple(str(view[name]) for name in key), {})
                said.pop(str(view.get("point")), None)  # so that the last one of all stays the last
                said[str(view.get("point"))] = view
                break
    for row in read_rows(folder / RESULTS):
        by_task = views.get((str(row.get("session")), str(row.get("task"))), {})
        by_probe = views.get((str(row.get("session")), str(row.get("card")), str(row.get("probe"))), {})
        mine = by_probe | by_task
        yield _viewed(row, mine) if mine and isinstance(row.get("points"), dict) else row


def _viewed(row: dict[str, Any], views: dict[str, dict[str, Any]]) -> dict[str, Any]:
    points, differ = dict(row["points"]), {}
    for point, view in views.items():
        if point.startswith(FLAG):
            if view.get("learner") == "not-said":
                differ[point] = {"graded": "said", "learner": "not-said", "at": str(view.get("at", ""))}
            continue
        graded = {"prompted": "covered"}.get(points.get(point, ""), points.get(point))
        if graded is not None and view.get("learner") not in (None, graded):
            differ[point] = {"graded": points[point], "at": str(view.get("at", ""))}
            points[point] = view["learner"]
    if not differ:
        return row
    last = list(views.values())[-1]  # its verdict counts all views until then
    follows: dict[str, Any] = {name: last[name] for name in ("verdict", "score") if name in last}
    return {**row, **follows, "points": points, "views": differ}


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
