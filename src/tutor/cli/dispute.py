"""Where a learner disagrees with a grade: "2 covered" below it, or ``tutor drill --override ID 2=covered`` later.

A red flag is named by an F before its number: "F1 not said".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tutor.cli.state import echo_wrapped
from tutor.drill.grade import Grade
from tutor.drill.judge import STATUSES
from tutor.drill.views import FLAG_STATUSES
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.drill.engine import Drills
    from tutor.drill.records import Session

_VIEW = re.compile(r"\s*(?:(?P<task>\d+)\.)?(?P<point>[\w-]+)\s*[=\s]\s*(?P<status>[a-z]+(?:[ -][a-z]+)?)\s*", re.I)
_FLAG = re.compile(r"f(?P<number>\d{1,3})", re.I)


def ask(drills: Drills, session: str, task: int, grade: Grade, line: Callable[[], str]) -> None:
    """Take the learner's own view of points and flags, a line each, until an empty one: it is kept as labelled data.

    Raises:
        EOFError: standard input ended.
    """
    if not grade.points or grade.verdict == "ungraded":
        return
    flags = " A red flag that you did not say: 'F1 not said'." if grade.red_flags else ""
    echo_wrapped(
        f"(Disagree? A point's number and covered, partly, missed or contradicted, as in '1 covered'; or Enter.{flags})"
    )
    while said := line().strip():
        try:
            _, point, status = _parsed(said, grade)
            counts = drills.override(session, task, point, status)["verdict"]
        except TutorError as error:
            echo_wrapped(error.message)
        else:
            echo_wrapped(f"Kept: {_name(grade, point)} is {status.replace('-', ' ')} for you. {_counts(counts)}")


def override(drills: Drills, session_id: str, views: Sequence[str]) -> None:
    """Keep views of a drill that is over, or of its graded tasks: "2=covered", or "1.2=covered" of its first task.

    Of a red flag as "F1=not-said".

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
        echo_wrapped(
            f"Kept: {_name(grade, point)}{of} is {status.replace('-', ' ')} for you. {_counts(row['verdict'])}"
        )


def _counts(verdict: str) -> str:
    return f"In your progress the answer counts as {verdict}."


def _grade(session: Session, task: int) -> Grade:
    grade = session.rounds[task - 1].grade if 1 <= task <= len(session.rounds) else None
    if grade is None:
        raise UsageError(f"the drill has no graded task {task}", about=session.id)
    return grade


def _parsed(said: str, grade: Grade) -> tuple[str, str, str]:
    """Task as typed, the point's id or flag's key, and the status of a view; it may be cut short."""
    match, ids = _VIEW.fullmatch(said), [p.point for p in grade.points]
    wanted = f"A point from 1 to {len(ids)} and one of {', '.join(STATUSES)}, as in: 2 covered"
    if not match:
        raise UsageError(f"'{said}' is no view of a point", fix=wanted)
    if match["point"] not in ids and (flag := _FLAG.fullmatch(match["point"])):
        return match["task"] or "", _flag(grade, int(flag["number"])), _of_flag(match["status"])
    statuses = [s for s in STATUSES if s.startswith(match["status"].lower())]
    number = int(match["point"]) if match["point"].isdecimal() else 0
    point = match["point"] if match["point"] in ids else ids[number - 1] if 1 <= number <= len(ids) else ""
    if not point:
        raise UsageError(f"there is no point {match['point']}", fix=wanted)
    if len(statuses) != 1:
        raise UsageError(f"'{match['status']}' is no status", fix=wanted)
    return match["task"] or "", point, statuses[0]


def _flag(grade: Grade, number: int) -> str:
    if not 1 <= number <= len(grade.red_flags):
        fix = f"Its red flags: F1 to F{len(grade.red_flags)}" if grade.red_flags else "The answer was given none."
        raise UsageError(f"there is no red flag F{number}", fix=fix)
    return grade.red_flags[number - 1].key


def _of_flag(typed: str) -> str:
    """What a red flag is for the learner; "not" is enough of "not-said"."""
    wanted = typed.lower().replace(" ", "-")
    found = [status for status in FLAG_STATUSES if status.startswith(wanted)]
    if not found:
        raise UsageError(f"'{typed}' is no status of a red flag", fix="As in: F1 not said; or: F1 said")
    return found[0]


def _name(grade: Grade, point: str) -> str:
    ids, flags = [p.point for p in grade.points], [f.key for f in grade.red_flags]
    return f"red flag F{flags.index(point) + 1}" if point in flags else f"point {ids.index(point) + 1}"
