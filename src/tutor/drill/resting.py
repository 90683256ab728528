"""What a point may rest on: not on words that are read as false, nor on one sentence that hardly speaks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tutor.drill.evidence import Evidence
from tutor.drill.grade import WORTH, FlagGrade, PointGrade
from tutor.drill.reading import Window

MADE = 0.5  # judge's probability that a window covers a claim, from which it does by itself
ELSEWHERE = 0.3  # the same where words beside a red flag take the place of the flag's own
SHARED = 0.5  # the same where the window carries another point as well
#: Words of the answers in which that is asked: a shorter one is one window anyway, and of a longer one the judge's
#: reading of the whole tells more. (On the fit half it costs .05 of kappa per point there, and brings .09 here.)
FEW_WORDS, MANY_WORDS = 30, 95
FLAGGED = "What seems to make this was read as false."
BESIDE = "What was said makes another point; of this one it says too little."


class Span(Protocol):
    """A stretch ``answer[start:end]``."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def resting(
    points: Sequence[PointGrade], evidence: Sequence[Evidence], flags: Sequence[FlagGrade], answer: str, words: int
) -> tuple[PointGrade, ...]:
    """The points with those that have nothing to rest on as missed, and unsure.

    Args:
        points: as the probabilities give them.
        evidence: for each of them, in order; more may follow.
        flags: the red flags that were raised.
        answer: what the spans are of.
        words: how many the answer has.
    """
    sound = [_beside(p, one, flags, answer) for p, one in zip(points, evidence, strict=False)]
    if not FEW_WORDS < words <= MANY_WORDS:
        return tuple(sound)
    return tuple(_alone(p, one, sound) for p, one in zip(sound, evidence, strict=False))


def _beside(point: PointGrade, evidence: Evidence, flags: Sequence[FlagGrade], answer: str) -> PointGrade:
    """The point, resting on words that raise no red flag where there are such; else missed."""
    if not WORTH[point.status] or not any(_overlap(point, flag) for flag in flags):
        return point
    sound = [made for made in evidence.made if not any(_overlap(made[0], flag) for flag in flags)]
    window, chance = max(sound, key=lambda made: made[1], default=(evidence.best, 0.0))
    if chance < ELSEWHERE:
        return _doubtful(point, FLAGGED)
    return point.model_copy(update=_span(window, answer))


def _alone(point: PointGrade, evidence: Evidence, points: Sequence[PointGrade]) -> PointGrade:
    """The point, unless a surer one rests on the same words and the judge does not read it in them by themselves."""
    if not WORTH[point.status]:
        return point
    others = (p for p in points if p.point != point.point and WORTH[p.status] and _overlap(p, point))
    read = max((chance for window, chance in evidence.made if _overlap(window, point)), default=1.0)
    if read >= SHARED or not any(p.confidence > point.confidence for p in others):
        return point
    return _doubtful(point, BESIDE)


def _doubtful(point: PointGrade, note: str) -> PointGrade:
    update = {"status": "missed", "evidence": "", "start": 0, "end": 0, "unsure": True, "note": note}
    return point.model_copy(update=update | {"worth": None if point.worth is None else 0.0})


def _span(window: Window, answer: str) -> dict[str, object]:
    return {"evidence": answer[window.start : window.end], "start": window.start, "end": window.end}


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
