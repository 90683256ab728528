"""A learner's own view of a graded point or red flag: what is taken, and what follows from all of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor.drill.grade import Grade, as_viewed
from tutor.drill.judge import STATUSES
from tutor.drill.results import FLAG
from tutor.drill.rubric import Rubric
from tutor.errors import NotFound, UsageError
from tutor.text import mended

_REASON_CHARS = 1_000
FLAG_STATUSES = ("said", "not-said")


def checked(point: str, status: str, reason: str) -> str:
    """The reason as it is kept; ``point`` is a point's id, or a red flag's key as "!2".

    Raises:
        UsageError: no such status, or the reason is longer than 1,000 characters.
    """
    reason = mended(reason).strip()
    if len(reason) > _REASON_CHARS:
        raise UsageError(f"the reason has {len(reason):,} characters", fix=f"It takes {_REASON_CHARS:,}.")
    known = statuses_of(point)
    if status not in known:
        raise UsageError(f"'{status}' is no status", fix=f"One of: {', '.join(known)}.")
    return reason


def statuses_of(point: str) -> tuple[str, ...]:
    """What a point, or a red flag, can be for the learner."""
    return FLAG_STATUSES if point.startswith(FLAG) else STATUSES


def viewed(rubric: Rubric, grade: Grade, before: Mapping[str, str], point: str, status: str) -> dict[str, Any]:
    """What is kept of a view: the point or flag, its graded and its new status, the score and verdict with all views.

    Args:
        rubric: what was wanted.
        grade: as it was given.
        before: the views so far, status by point.
        point: the point's id, or the red flag's key.
        status: one of ``statuses_of`` it.

    Raises:
        NotFound: the task has no such point, or its answer was given no such red flag.
    """
    given: dict[str, str] = {p.point: p.status for p in grade.points} | {f.key: "said" for f in grade.red_flags}
    if point not in given:
        if point.startswith(FLAG):
            keys = ", ".join(str(f.id) for f in grade.red_flags) or "none"
            raise NotFound("the answer was given no such red flag", about=point, fix=f"Its red flags: {keys}.")
        ids = ", ".join(p.point for p in grade.points)
        raise NotFound("the task has no such point", about=point, fix=f"Its points: {ids}.")
    views = {name: own for name, own in {**before, point: status}.items() if own in statuses_of(name)}
    seen = as_viewed(rubric, grade, views)
    claims = {p.id: p.text for p in rubric.points} | {f.key: f.wrong for f in grade.red_flags}
    return {
        "point": point,
        "claim": claims[point],
        "graded": given[point],
        "learner": status,
        "score": seen.score,
        "verdict": seen.verdict,
    }
