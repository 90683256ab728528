"""Rows of graded drill tasks, as the drills leave them behind, made into what studying goes by.

Nothing here knows drills: a front end hands over their rows. A row that makes no sense is passed over, not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tutor.study.evidence import GradedTask
from tutor.study.schedule import OF_STATUS

VERDICTS = ("strong", "mixed", "weak", "wrong", "ungraded")
_LONGEST = 120  # of a name, in characters: what the tables hold


def tasks_of(rows: Iterable[Mapping[str, Any]]) -> list[GradedTask]:
    """The graded tasks, the oldest first; of several rows of one task the last counts.

    Args:
        rows: with session, task (from 1), card, probe, kind, verdict, score, points (point → status), rating, seconds,
            at, and views (point → graded, at) where statuses are the learner's own; of a red flag that they dispute
            under "!" and its number, with ``learner``. Rows of an early version have no task: they are numbered as they
            come.
    """
    found: dict[tuple[str, int], GradedTask] = {}
    without: dict[str, int] = {}
    for row in rows:
        number = row.get("task")
        if number is None and isinstance(session := row.get("session"), str):
            number = without[session] = without.get(session, 0) + 1
        if task := _task(row, number):
            found[task.session, task.task] = task
    return sorted(found.values(), key=lambda task: (task.at, task.session, task.task))


def _task(row: Mapping[str, Any], number: object) -> GradedTask | None:
    session, card, probe = row.get("session"), row.get("card", ""), row.get("probe", "")
    verdict, score = row.get("verdict"), row.get("score")
    at = _time(row.get("at"))
    names = (session, card, probe)
    if at is None or verdict not in VERDICTS or not all(isinstance(n, str) and len(n) <= _LONGEST for n in names):
        return None
    if not session or len(str(session)) > 40 or not _whole(number) or not _number(score):
        return None
    points = row.get("points")
    rating, seconds = row.get("rating"), row.get("seconds")
    return GradedTask(
        str(session),
        int(number),  # type: ignore[call-overload]  # looked at above
        str(card),
        str(probe),
        str(row.get("kind") or "")[:32],
        str(verdict),
        min(1.0, max(0.0, float(score))),  # type: ignore[arg-type]
        {str(point): str(status) for point, status in points.items() if _known(point, status)}
        if isinstance(points, Mapping)
        else {},
        rating if isinstance(rating, int) and _whole(rating) and 1 <= rating <= 5 else None,
        float(seconds) if isinstance(seconds, int | float) and _number(seconds) and seconds >= 0 else None,
        at,
        _views(row.get("views"), points),
    )


def _views(views: object, points: object) -> dict[str, dict[str, str]]:
    """By point that has the learner's own status, and red flag that they dispute, what was graded, and when."""
    if not isinstance(views, Mapping) or not isinstance(points, Mapping):
        return {}
    disputed = {
        flag: {"graded": "said", "learner": "not-said", "at": at.isoformat()}
        for flag, view in views.items()
        if isinstance(flag, str) and isinstance(view, Mapping) and flag[:1] == "!" and flag[1:].isdecimal()
        and view.get("learner") == "not-said" and len(flag) <= 8 and (at := _time(view.get("at"))) is not None
    }  # fmt: skip
    return disputed | {
        point: {"graded": str(view["graded"]), "at": at.isoformat()}
        for point, view in views.items()
        if isinstance(view, Mapping)
        and _known(point, points.get(point))
        and _known(point, view.get("graded"))
        and (at := _time(view.get("at"))) is not None
    }


def _known(point: object, status: object) -> bool:
    return isinstance(point, str) and 0 < len(point) <= 80 and isinstance(status, str) and status in OF_STATUS


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e9


def _time(value: object) -> datetime | None:
    """An ISO time; one without a zone is meant in UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
