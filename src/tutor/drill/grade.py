"""A grade: each point covered, partly, missed or contradicted, with the learner's own words, and what follows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.drill.evidence import Evidence, Gatherer
from tutor.drill.gaming import REASONS, echo, screen
from tutor.drill.judge import CONTRADICTED, COVERED, STATUSES, Status
from tutor.drill.reading import MAX_ANSWER_CHARS, Window, read
from tutor.drill.rubric import Flag, Point, Rubric
from tutor.errors import UsageError

CALIBRATION = Path(__file__).with_name("calibration.json")

Verdict = Literal["strong", "mixed", "weak", "wrong", "ungraded"]
Level = Literal["", "senior", "staff"]
WORTH: dict[Status, float] = {"missed": 0.0, "partly": 0.5, "covered": 1.0, "contradicted": 0.0}

_WORTHS = np.array([0.0, 0.5, 1.0, -0.5])  # in the order of STATUSES; what is denied takes away

VERDICTS: tuple[Verdict, ...] = ("strong", "mixed", "weak", "wrong")
STRONG_FROM, MIXED_FROM = 0.72, 0.3  # share of the points' worth, where there are no chances to go by
CAP = 0.45  # of the score with a contradicted point or a red flag: below what passes
UNSURE_BELOW = 0.6  # probability of the status given
_SHORT_WORDS = 25
_ECHO = 0.7  # share of the question's words above which an answer that makes little is the question again
_ELOQUENT = -0.15  # substance below which even points that seem made are none: honest answers have −0.06 at the least


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


@dataclass(frozen=True, slots=True)
class Softmax:
    """A linear model over standardised features: probabilities of its classes."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = self.weight @ ((features - self.mean) / self.scale) + self.bias
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum())

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Softmax:
        return cls(*(np.array(data[key], dtype=float) for key in ("mean", "scale", "weight", "bias")))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What ``evals/drill/calibrate.py`` fits: models of status, flag and verdict, and the chance that raises a flag."""

    status: Softmax
    flag: Softmax
    flag_from: float
    verdict: Softmax


@lru_cache(maxsize=4)
def calibrated(path: Path = CALIBRATION) -> Calibration:
    """The calibration of a file, read once."""
    data = json.loads(path.read_text(encoding="utf-8"))
    status, flag, verdict = (Softmax.of(data[name]) for name in ("status", "flag", "verdict"))
    return Calibration(status, flag, float(data["flag_from"]), verdict)


def verdict_features(points: Sequence[PointGrade], flag_chance: float, words: int) -> NDArray[np.float32]:
    """(6,): mean and least worth, mean and highest chance of a denial, of a red flag, length (log)."""
    worth = [_worth(p) for p in points]
    denied = [p.denied for p in points]
    return np.array(
        [np.mean(worth), min(worth), np.mean(denied), max(denied), flag_chance, np.log1p(words)], dtype=np.float32
    )


class Grader:
    """Grades answers against rubrics.

    Args:
        gatherer: finds what an answer offers for a claim.
        card_runs: runs of words of a document's own text by its id (``gaming.runs``), to tell pasted text.
        substance: whether words are technical at all, below 0 where they are not (``substance.Substance``).
        calibration: the file that ``evals/drill/calibrate.py`` writes.
    """

    def __init__(
        self,
        gatherer: Gatherer,
        card_runs: Mapping[str, frozenset[tuple[str, ...]]],
        substance: Callable[[str], float],
        calibration: Path = CALIBRATION,
    ) -> None:
        self._gatherer = gatherer
        self._runs = card_runs
        self._substance = substance
        self._calibration = calibration

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        """The grade of an answer.

        Args:
            rubric: what is wanted.
            answer: 0 to 20,000 characters; an empty one is ungraded.
            seen: questions asked besides the rubric's own, that the answer may repeat.

        Raises:
            UsageError: the answer is too long.
        """
        began = time.perf_counter()
        checked_answer(answer)
        screened = screen(read(answer), ask=rubric.ask, card=self._runs.get(rubric.doc_id, frozenset()), own=seen)
        if screened.reason:
            return _nothing(rubric, screened.reason, began)
        reading = screened.reading
        evidence = self._gatherer.gather(reading, rubric.claims)
        fit = calibrated(self._calibration)
        points = tuple(
            point_grade(point, one, fit.status(one.features), answer)
            for point, one in zip(rubric.points, evidence, strict=False)
        )
        rest = evidence[len(rubric.points) :]
        chances = [float(fit.flag(one.features)[1]) for one in rest[: len(rubric.flags)]]
        flags = tuple(
            _flag(flag, one, answer)
            for flag, one, chance in zip(rubric.flags, rest, chances, strict=False)
            if chance >= fit.flag_from
        )
        lifted = [int(fit.status(one.features).argmax()) == COVERED for one in rest[len(rubric.flags) :]]
        grade = settle(
            rubric, points, flags, lifted, words=reading.words, flag_chance=max(chances, default=0.0), by=fit.verdict
        )
        share = sum(WORTH[p.status] for p in points) / max(1, len(points))
        if reading.words >= _SHORT_WORDS and self._substance(reading.text) < (0 if share < MIXED_FROM else _ELOQUENT):
            return _nothing(rubric, "padding", began)
        if share < 0.5 and not flags and not any(p.denied >= 0.5 for p in points) and echo(answer, rubric.ask) >= _ECHO:
            return _nothing(rubric, "question", began)
        if screened.dropped and grade.verdict == "weak" and not any(WORTH[p.status] for p in points):
            reasons = list(screened.dropped.values())
            return _nothing(rubric, max(set(reasons), key=reasons.count), began)
        return grade.model_copy(update={"ms": (time.perf_counter() - began) * 1000})


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
    more than one omission.

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
    if by and points and all(p.worth is not None for p in points):
        verdict: Verdict = VERDICTS[int(by(verdict_features(points, flag_chance, words)).argmax())]
        if verdict == "strong" and (denied or flags):
            verdict = "mixed"
    elif (denied and len(denied) >= sum(WORTH[p.status] for p in points)) or (flags and share < 0.5):
        verdict = "wrong"
    elif denied or flags:
        verdict = "mixed"
    elif share >= STRONG_FROM:
        verdict = "strong"
    elif share >= MIXED_FROM and not (words < _SHORT_WORDS and share < 0.45):
        verdict = "mixed"
    else:
        verdict = "weak"
    score = sum(_worth(p) for p in points) / max(1, len(points))
    if not made:
        score *= 0.3  # likely bits of points nobody can put a finger on
    if verdict == "wrong":
        score *= 0.05  # below an answer that says too little
    elif denied or flags:
        score = min(score, CAP)
    reason = ""
    if verdict == "mixed" and share >= STRONG_FROM and not denied and not flags:
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


def _worth(point: PointGrade) -> float:
    """In [0, 1]: what is likely made counts by its probability, so that two answers seldom tie."""
    return WORTH[point.status] if point.worth is None else point.worth


def together(rubric: Rubric, before: Grade, reply: Grade, asked: str, shift: int) -> Grade:
    """The grade of an answer and a reply to a follow-up.

    What the reply makes counts, and on the point that was asked about it replaces what was said before: who corrects
    oneself when asked has corrected oneself.

    Args:
        rubric: of both.
        before: of all that was said so far.
        reply: of the reply alone.
        asked: the point that was asked about.
        shift: where the reply begins in the text that the spans are of.
    """
    points = []
    for old, new in zip(before.points, reply.points, strict=True):
        better = WORTH[new.status] > WORTH[old.status] or (new.status == "contradicted" and old.status == "missed")
        if better or (old.point == asked and new.status != "missed"):
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


def point_grade(point: Point, evidence: Evidence, chances: NDArray[np.float64], answer: str) -> PointGrade:
    """A point's grade from the probabilities (4,) of its statuses."""
    number = int(chances.argmax())
    status = STATUSES[number]
    window: Window | None = None
    if status in ("covered", "partly"):
        window = evidence.best
    elif status == "contradicted":
        window = evidence.against
    return PointGrade(
        point=point.id,
        status=status,
        evidence=answer[window.start : window.end] if window else "",
        start=window.start if window else 0,
        end=window.end if window else 0,
        confidence=round(float(chances[number]), 4),
        unsure=float(chances[number]) < UNSURE_BELOW,
        worth=round(max(0.0, float(chances @ _WORTHS)), 4),
        denied=round(float(chances[CONTRADICTED]), 4),
    )


def _flag(flag: Flag, evidence: Evidence, answer: str) -> FlagGrade:
    window = evidence.best
    return FlagGrade(
        id=flag.id,
        wrong=flag.wrong,
        why=flag.why,
        evidence=answer[window.start : window.end],
        start=window.start,
        end=window.end,
    )


def _nothing(rubric: Rubric, reason: str, began: float) -> Grade:
    """No grade, and why; every point is missed, none of them held against the learner."""
    return Grade(
        score=0.0,
        verdict="ungraded",
        points=tuple(PointGrade(point=p.id, status="missed") for p in rubric.points),
        follow_ups=tuple(p.follow_up for p in rubric.points if p.follow_up)[:2],
        reason=REASONS[reason],
        ms=(time.perf_counter() - began) * 1000,
    )
