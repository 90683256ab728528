"""A learner's own view of a graded point: what is taken, and what follows from all of their views together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor.drill.grade import Grade, as_viewed
from tutor.drill.judge import STATUSES
from tutor.drill.rubric import Rubric
from tutor.errors import NotFound, UsageError
from tutor.text import mended

_REASON_CHARS = 1_000


def checked(status: str, reason: str) -> str:
    """The reason as it is kept.

    Raises:
        UsageError: no such status, or the reason is longer than 1,000 characters.
    """
    reason = mended(reason).strip()
    if len(reason) > _REASON_CHARS:
        raise UsageError(f"the reason has {len(reason):,} characters", fix=f"It takes {_REASON_CHARS:,}.")
    if status not in STATUSES:
        raise UsageError(f"'{status}' is no status", fix=f"One of: {', '.join(STATUSES)}.")
    return reason


def viewed(rubric: Rubric, grade: Grade, before: Mapping[str, str], point: str, status: str) -> dict[str, Any]:
    """What is kept of a view: the point, its graded and its new status, the score and verdict with all views.

    Args:
        rubric: what was wanted.
        grade: as it was given.
        before: the views so far, status by point.
        point: the point's id.
        status: one of ``judge.STATUSES``.

    Raises:
        NotFound: the task has no such point.
    """
    graded = next((p for p in grade.points if p.point == point), None)
    if graded is None:
        ids = ", ".join(p.point for p in grade.points)
        raise NotFound("the task has no such point", about=point, fix=f"Its points: {ids}.")
    views = {name: own for name, own in {**before, point: status}.items() if own in STATUSES}
    seen = as_viewed(rubric, grade, views)
    claim = next(p.text for p in rubric.points if p.id == point)
    return {
        "point": point,
        "claim": claim,
        "graded": graded.status,
        "learner": status,
        "score": seen.score,
        "verdict": seen.verdict,
    }
