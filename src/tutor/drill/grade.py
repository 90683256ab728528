"""A grade: each point covered, partly, missed or contradicted, with the learner's own words, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.drill.calibration import Softmax, calibrated
from tutor.drill.evidence import length
from tutor.drill.gaming import REASONS
from tutor.drill.judge import Status
from tutor.drill.reading import MAX_ANSWER_CHARS
from tutor.drill.results import FLAG
from tutor.drill.rubric import Rubric
from tutor.errors import UsageError

Verdict = Literal["strong", "mixed", "weak", "wrong", "ungraded"]
Level = Literal["", "senior", "staff"]
WORTH: dict[Status, float] = {"missed": 0.0, "partly": 0.5, "covered": 1.0, "contradicted": 0.0}

VERDICTS: tuple[Verdict, ...] = ("strong", "mixed", "weak", "wrong")
STRONG_FROM, MIXED_FROM = 0.72, 0.3  # share of the points' worth, where there are no chances to go by
STRONG_LEAST = 0.65  # share below which no answer is strong, whatever the chances of what is missed
CAP = 0.45  # of the score with a contradicted point or a red flag: below what passes
WRONG_FROM = 0.8  # chance of a denial from which an answer may be called wrong: beside a red flag nothing else may
SURE_FROM = 0.8  # probability from which a reply moves a point that it was not asked about
_SHORT_WORDS, _LONG_WORDS = 50, 120  # up to the first an answer is short, from the second on it is not at all
SHORT_WORDS = 25  # below which an answer is a remark


class PointGrade(Strict):
    """``evidence`` is ``answer[start:end]``, empty where the point is missed; ``confidence`` the status's probability.

    ``unsure`` marks those to be looked at; ``prompted`` those made only after a follow-up; ``note`` explains.
    """

    point: str
    status: Status
    evidence: str = ""
    start: int = 0
    end: int = 0
    confidence: float = 1.0
    unsure: bool = False
    prompted: bool = False
    note: str = ""
    worth: float | None = Field(None, description="Expected worth, over the probabilities of all statuses.")
    denied: float = Field(0.0, description="Probability that the point is contradicted.")


class FlagGrade(Strict):
    """A red flag that the answer asserts, with its words."""

    id: int
    wrong: str
    why: str
    evidence: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """What it is called where points are called by their ids, as "!2"."""
        return f"{FLAG}{self.id}"


class Grade(Strict):
    """``score`` in [0, 1]; ``lifts`` are at most two moves to the next level.

    ``reason`` says why nothing was graded, or what the points alone do not show.
    ``lifted`` says of each of the rubric's lifts whether the answer makes it; ``words`` is the length of what was read;
    ``flag_chance`` the highest probability of a red flag, raised or not.
    """

    score: float
    verdict: Verdict
    points: tuple[PointGrade, ...]
    red_flags: tuple[FlagGrade, ...] = ()
    level: Level = ""
    lifts: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    reason: str = ""
    lifted: tuple[bool, ...] = ()
    words: int = 0
    flag_chance: float = 0.0
    ms: float = Field(0.0, ge=0)

    @property
    def unsure(self) -> bool:
        """Whether a status is near the line."""
        return any(p.unsure for p in self.points)


def verdict_features(points: Sequence[PointGrade], flag_chance: float, words: int) -> NDArray[np.float32]:
    """(9,): mean and least worth, mean and highest chance of a denial, of a red flag, length (``evidence.length``), and
    how short the answer is, in [0, 1], by itself and times the worths: who is brief need not say more to be right."""
    worth = [_worth(p) for p in points]
    denied = [p.denied for p in points]
    short = float(np.clip((_LONG_WORDS - words) / (_LONG_WORDS - _SHORT_WORDS), 0, 1))
    mean, least = float(np.mean(worth)), min(worth)
    told = [mean, least, float(np.mean(denied)), max(denied), flag_chance, length(words)]
    return np.array([*told, short, short * mean, short * least], dtype=np.float32)


def points_made(grade: Grade, views: Mapping[str, str] | None = None) -> float:
    """How many points an answer makes, a half for one that is partly made.

    Args:
        grade: the grade.
        views: the learner's own view of points, by point: it counts instead of the grade's.
    """
    worth: Mapping[str, float] = {str(status): value for status, value in WORTH.items()}
    return sum(worth.get((views or {}).get(p.point, p.status), 0.0) for p in grade.points)


def coverage(grade: Grade, views: Mapping[str, str] | None = None) -> float:
    """The share of the points that an answer makes, in [0, 1], whatever else it says; as ``points_made``."""
    return points_made(grade, views) / len(grade.points) if grade.points else 0.0


def checked_answer(answer: str) -> str:
    """The answer.

    Raises:
        UsageError: it is longer than 20,000 characters.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        raise UsageError(
            f"the answer has {len(answer):,} characters, the limit is {MAX_ANSWER_CHARS:,}",
            fix="Say it shorter: an interview answer has 100 to 400 words.",
        )
    return answer


def settle(
    rubric: Rubric,
    points: Sequence[PointGrade],
    flags: Sequence[FlagGrade],
    lifted: Sequence[bool],
    *,
    words: int,
    flag_chance: float = 0.0,
    by: Softmax | None = None,
) -> Grade:
    """Score, verdict, level and next moves from the points and flags.

    With a contradicted point or a red flag the score is at most ``CAP``: in an interview one confident falsehood weighs
    more than one omission. So it is where a denial is likeliest but too unsure to be held against anybody.

    Args:
        rubric: what was wanted.
        points: their statuses.
        flags: those that were raised.
        lifted: whether each of the rubric's lifts was made.
        words: the length of the answer.
        flag_chance: the highest chance of a red flag.
        by: gives the verdict from the chances of the statuses; by shares of the points where there are no chances.
    """
    share = sum(WORTH[p.status] for p in points) / len(points) if points else 0.0
    denied = [p for p in points if p.status == "contradicted"]
    made = [p for p in points if WORTH[p.status]]
    verdict = _verdict(points, bool(flags), flag_chance, words, by)
    score = sum(_worth(p) for p in points) / max(1, len(points))
    if not made:
        score *= 0.3  # likely bits of points nobody can put a finger on
    if verdict == "wrong":
        score *= 0.002  # below an answer that says too little
    elif denied or flags or any(_doubted(p) for p in points):
        score = min(score, CAP)
    reason = ""
    if made and (denied or flags):
        reason = "The points that are made count as made; what was read as false "
        reason += "decides the verdict." if verdict == "wrong" else "caps the grade."
    elif verdict == "mixed" and share >= STRONG_FROM and not denied and not flags:
        doubtful = min(points, key=lambda p: p.confidence)
        text = next(p.text for p in rubric.points if p.id == doubtful.point)
        reason = f"The points seem made, but not surely: something may be vague or false. Least certain: {text}"
    level: Level = ""
    if verdict == "strong":
        level = "staff" if any(lifted) and share >= 0.85 else "senior"
    missing = [p for p in points if not WORTH[p.status]]
    by_id = {p.id: p for p in rubric.points}
    moves = [f"Correct: {by_id[p.point].text}" for p in denied]
    moves += [f"Add: {by_id[p.point].text}" for p in missing if p.status == "missed"]
    moves += [line for line, done in zip(rubric.lifts, lifted, strict=False) if not done]
    follow_ups = [by_id[p.point].follow_up for p in (*denied, *missing) if by_id[p.point].follow_up]
    if not made and not denied and not flags and words < 6:
        return Grade(
            score=0.0,
            verdict="ungraded",
            points=tuple(points),
            reason=REASONS["short"],
            follow_ups=tuple(dict.fromkeys(follow_ups)),
        )
    return Grade(
        score=round(score, 4),
        verdict=verdict,
        reason=reason,
        points=tuple(points),
        red_flags=tuple(flags),
        level=level,
        lifts=tuple(moves[:2]),
        follow_ups=tuple(dict.fromkeys(follow_ups)),
        lifted=tuple(lifted),
        words=words,
        flag_chance=flag_chance,
    )


def _verdict(
    points: Sequence[PointGrade], flagged: bool, flag_chance: float, words: int, by: Softmax | None
) -> Verdict:
    """Fitted, or by shares; within what the statuses that are shown allow, so that verdict and points agree."""
    worth = sum(WORTH[p.status] for p in points)
    share = worth / len(points) if points else 0.0
    denied = sum(p.status == "contradicted" for p in points)
    surely = any(_surely_denied(p) for p in points)
    if not worth and surely:
        return "wrong"
    if share == 1 and not flagged and all(p.confidence >= SURE_FROM for p in points):
        return "strong"  # who makes every point need not make them long
    if by and points and all(p.worth is not None for p in points):
        verdict: Verdict = VERDICTS[int(by(verdict_features(points, flag_chance, words)).argmax())]
        if verdict == "strong" and (denied or flagged or share < STRONG_LEAST):
            return "mixed"
        if verdict == "wrong" and not (surely or flagged):
            verdict = "mixed" if share >= MIXED_FROM else "weak"  # nothing to show for an accusation
        return "weak" if not worth and not flagged else verdict
    if (surely and denied >= worth) or (flagged and share < 0.5):
        return "wrong"
    if (denied or flagged) and worth:
        return "mixed"
    if share >= STRONG_FROM:
        return "strong"
    return "mixed" if share >= MIXED_FROM and not (words < SHORT_WORDS and share < 0.45) else "weak"


def _surely_denied(point: PointGrade) -> bool:
    """Whether a point is contradicted with a high chance, or by a grader that deals in no chances."""
    return point.status == "contradicted" and (point.worth is None or point.denied >= WRONG_FROM)


def _doubted(point: PointGrade) -> bool:
    """Whether a denial was likeliest, and not sure enough to be shown as one."""
    return point.status == "missed" and 0 < point.confidence <= point.denied


def _worth(point: PointGrade) -> float:
    """In [0, 1]: what is likely made counts by its probability, so that two answers seldom tie."""
    return WORTH[point.status] if point.worth is None else point.worth


def together(rubric: Rubric, before: Grade, reply: Grade, asked: str, shift: int) -> Grade:
    """The grade of an answer and a reply to a follow-up.

    On the point that was asked about the reply replaces what was said before: who corrects oneself when asked has
    corrected oneself. Another point it moves only where that is sure: a reply is short and was not about it.

    Args:
        rubric: of both.
        before: of all that was said so far.
        reply: of the reply alone.
        asked: the point that was asked about.
        shift: where the reply begins in the text that the spans are of.
    """
    if reply.verdict == "ungraded":
        return before  # nothing was said
    points = []
    for old, new in zip(before.points, reply.points, strict=True):
        made = new.status == "covered" and WORTH[old.status] < 1 and new.confidence >= SURE_FROM
        lost = new.status == "contradicted" and old.status == "missed" and new.confidence >= SURE_FROM
        if made or lost or (old.point == asked and new.status != "missed"):
            span = {"start": new.start + shift, "end": new.end + shift} if new.evidence else {}
            prompted = WORTH[new.status] > 0 and WORTH[old.status] == 0
            old = new.model_copy(update={**span, "prompted": prompted})
        points.append(old)
    known = {f.id for f in before.red_flags}
    flags = [f.model_copy(update={"start": f.start + shift, "end": f.end + shift}) for f in reply.red_flags]
    either = zip(before.lifted or [False] * len(rubric.lifts), reply.lifted or [False] * len(rubric.lifts), strict=True)
    return settle(
        rubric,
        points,
        (*before.red_flags, *(f for f in flags if f.id not in known)),
        [a or b for a, b in either],
        words=before.words + reply.words,
        flag_chance=max(before.flag_chance, reply.flag_chance),
        by=calibrated().verdict,
    )


def as_viewed(rubric: Rubric, grade: Grade, views: Mapping[str, str]) -> Grade:
    """The grade by the same rules with the learner's own statuses of points and without the red flags they dispute.

    Where nothing was graded it stays so.

    Args:
        rubric: what was wanted.
        grade: as it was given.
        views: status by point, "not-said" by the key of a red flag; those of others say nothing.
    """
    flags = [flag for flag in grade.red_flags if views.get(flag.key) != "not-said"]
    disputed = len(flags) < len(grade.red_flags)
    if grade.verdict == "ungraded" or not (disputed or any(p.point in views for p in grade.points)):
        return grade
    points = []
    for point in grade.points:
        if status := cast("Status | None", views.get(point.point)):
            worth, denied = (None if point.worth is None else WORTH[status]), float(status == "contradicted")
            point = point.model_copy(update={"status": status, "worth": worth, "denied": denied, "confidence": 1.0})
        points.append(point)
    return settle(
        rubric,
        points,
        flags,
        grade.lifted,
        words=grade.words,
        # Of what is left it is not known which was the likeliest; where all are disputed none was said.
        flag_chance=0.0 if disputed and not flags else grade.flag_chance,
        by=calibrated().verdict,
    )
