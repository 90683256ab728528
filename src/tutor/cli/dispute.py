"""Where a learner disagrees with a grade: "2 covered" below it, or ``tutor drill --override ID 2=covered`` later."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from tutor.cli.state import echo_wrapped
from tutor.drill.grade import Grade
from tutor.drill.judge import STATUSES
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.drill.engine import Drills
    from tutor.drill.records import Session

_VIEW = re.compile(r"\s*(?:(?P<task>\d+)\.)?(?P<point>[\w-]+)\s*[=\s]\s*(?P<status>[a-z]+)\s*", re.I)


def ask(drills: Drills, session: str, task: int, grade: Grade, line: Callable[[], str]) -> None:
    """Take the learner's own view of points, a line each, until an empty one: it is kept as labelled data.

    Raises:
        EOFError: standard input ended.
    """
    if not grade.points or grade.verdict == "ungraded":
        return
    echo_wrapped(
        "(Disagree? A point's number and covered, partly, missed or contradicted, as in '1 covered'; or Enter.)"
    )
    while said := line().strip():
        try:
            _, point, status = _parsed(said, grade)
            counts = drills.override(session, task, point, status)["verdict"]
        except TutorError as error:
            echo_wrapped(error.message)
        else:
            typer.echo(f"Kept: point {_number(grade, point)} is {status} for you. {_counts(counts)}")


def override(drills: Drills, session_id: str, views: Sequence[str]) -> None:
    """Keep views of a drill that is over, or of its graded tasks: "2=covered", or "1.2=covered" of its first task.

    Raises:
        NotFound: no such drill, task or point.
        UsageError: a view is none, there is none, or nothing is graded yet; nothing of the others is kept then either.
    """
    session = drills.store.load(session_id)
    if not views:
        fix = f"As in: tutor drill --override {session_id} 2=covered"
        raise UsageError("which point, and what is it for you?", about="--override", fix=fix)
    graded = [number for number, done in enumerate(session.rounds, 1) if done.grade]
    if not graded:
        raise UsageError("nothing of this drill is graded yet", about=session_id)
    parsed = []
    for view in views:
        task = int(match["task"]) if (match := _VIEW.fullmatch(view)) and match["task"] else graded[-1]
        parsed.append((task, *_parsed(view, _grade(session, task))[1:]))
    for task, point, status in parsed:
        row = drills.override(session_id, task, point, status)
        grade = _grade(session, task)
        of = f" of task {task}" if len(session.tasks) > 1 else ""
        typer.echo(f"Kept: point {_number(grade, point)}{of} is {status} for you. {_counts(row['verdict'])}")


def _counts(verdict: str) -> str:
    return f"In your progress the answer counts as {verdict}."


def _grade(session: Session, task: int) -> Grade:
    grade = session.rounds[task - 1].grade if 1 <= task <= len(session.rounds) else None
    if grade is None:
        raise UsageError(f"the drill has no graded task {task}", about=session.id)
    return grade


def _parsed(said: str, grade: Grade) -> tuple[str, str, str]:
    """Task as typed, the point's id and the status of a view; statuses may be cut short, points counted."""
    match, ids = _VIEW.fullmatch(said), [p.point for p in grade.points]
    wanted = f"A point from 1 to {len(ids)} and one of {', '.join(STATUSES)}, as in: 2 covered"
    if not match:
        raise UsageError(f"'{said}' is no view of a point", fix=wanted)
    statuses = [s for s in STATUSES if s.startswith(match["status"].lower())]
    number = int(match["point"]) if match["point"].isdecimal() else 0
    point = match["point"] if match["point"] in ids else ids[number - 1] if 1 <= number <= len(ids) else ""
    if not point:
        raise UsageError(f"there is no point {match['point']}", fix=wanted)
    if len(statuses) != 1:
        raise UsageError(f"'{match['status']}' is no status", fix=wanted)
    return match["task"] or "", point, statuses[0]


def _number(grade: Grade, point: str) -> int:
    return [p.point for p in grade.points].index(point) + 1
