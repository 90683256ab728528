"""The grader of claims: screens an answer, gathers evidence for each point, and settles the grade."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tutor.drill.calibration import CALIBRATION, Models, Softmax, calibrated
from tutor.drill.evidence import FLAG_FEATURES, NEAR, Evidence, Gatherer
from tutor.drill.gaming import REASONS, echo, likeliest, screen
from tutor.drill.grade import (
    MIXED_FROM,
    SHORT_WORDS,
    SURE_FROM,
    WORTH,
    FlagGrade,
    Grade,
    PointGrade,
    checked_answer,
    settle,
)
from tutor.drill.judge import CONTRADICTED, COVERED, STATUSES
from tutor.drill.reading import Window, read
from tutor.drill.repeats import folded
from tutor.drill.resting import MADE, resting
from tutor.drill.rubric import Flag, Point, Rubric
from tutor.telemetry import stage

UNSURE_BELOW = 0.6  # probability of the status given
_BEARS = 0.37  # nearest meaning from which a remark that makes nothing bears on the question all the same
_PLAINLY = 1.1  # times the chance that a claim is made, from which it can be said to be denied
#: Chance of a denial that is believed by itself; with others, where it is likelier than not and the answer's other
#: points are denied with so high a chance on the mean. Fit half, whole answers: accused without having denied 21 → 2,
#: denials found 144 → 134; .95 alone finds 81, .7 alone 125 and accuses 8.
SURELY, LIKELY, OTHERS = 0.95, 0.5, 0.4
DOUBTED = "It may be denied here, or said in other words: too unsure to count either way."
_WORTHS = np.array([0.0, 0.5, 1.0, -0.5])  # in the order of STATUSES; what is denied takes away
_MISSED = np.array([1.0, 0.0, 0.0, 0.0])
_ECHO = 0.7  # share of the question's words above which an answer that makes little is the question again
_ELOQUENT = -0.15  # substance below which even points that seem made are none: honest answers have −0.06 at the least


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
        with stage("screen"):
            screened = screen(read(answer), ask=rubric.ask, card=self._runs.get(rubric.doc_id, frozenset()), own=seen)
        if screened.reason:
            return _nothing(rubric, screened.reason, began)
        reading = folded(screened.reading)
        with stage("evidence"):  # with the judge's reading inside
            evidence = self._gatherer.gather(reading, rubric.claims)
        fit = calibrated(self._calibration)
        rest = evidence[len(rubric.points) :]
        if all(one.affinity < NEAR for one in evidence):
            return _nothing(rubric, likeliest(screened.dropped) if screened.dropped else "off", began)
        points, flags, chance = settled(rubric, evidence, answer, reading.words, fit)
        lifted = [lifts(status_chances(fit.status, one), one) for one in rest[len(rubric.flags) :]]
        grade = settle(rubric, points, flags, lifted, words=reading.words, flag_chance=chance, by=fit.verdict)
        share = sum(WORTH[p.status] for p in points) / max(1, len(points))
        if reading.words >= SHORT_WORDS and self._substance(reading.text) < (0 if share < MIXED_FROM else _ELOQUENT):
            return _nothing(rubric, "padding", began)
        if share < 0.5 and not flags and not any(p.denied >= 0.5 for p in points) and echo(answer, rubric.ask) >= _ECHO:
            return _nothing(rubric, "question", began)
        made = any(p.status != "missed" for p in points)
        if not made and not flags and reading.words < SHORT_WORDS and all(one.affinity < _BEARS for one in evidence):
            return _nothing(rubric, likeliest(screened.dropped) if screened.dropped else "off", began)
        if screened.dropped and grade.verdict in ("weak", "ungraded") and not any(WORTH[p.status] for p in points):
            return _nothing(rubric, likeliest(screened.dropped), began)
        return grade.model_copy(update={"ms": (time.perf_counter() - began) * 1000})


def settled(
    rubric: Rubric, evidence: Sequence[Evidence], answer: str, words: int, fit: Models
) -> tuple[tuple[PointGrade, ...], tuple[FlagGrade, ...], float]:
    """The points, the red flags that are raised, and the highest chance in [0, 1] of one.

    Args:
        rubric: what is wanted.
        evidence: for each point, then for each red flag; more may follow.
        answer: what the spans are of.
        words: how many of it are read.
        fit: the models of statuses and red flags.
    """
    rest = evidence[len(rubric.points) :]
    chances = [flag_chance(fit.flag, one) for one in rest[: len(rubric.flags)]]
    flags = tuple(
        _flag(flag, one, answer)
        for flag, one, chance in zip(rubric.flags, rest, chances, strict=False)
        if chance >= fit.flag_from
    )
    graded = [
        point_grade(point, one, status_chances(fit.status, one), answer)
        for point, one in zip(rubric.points, evidence, strict=False)
    ]
    return resting(believed(graded), evidence, flags, answer, words), flags, max(chances, default=0.0)


def status_chances(by: Softmax, evidence: Evidence) -> NDArray[np.float64]:
    """Probabilities (4,) of a claim's statuses: surely missed where nothing of the answer is near it in meaning.

    A denial that the judge itself reads nowhere, or of which it is not sure enough, is none: an accusation shakes
    people who are right.
    """
    if evidence.affinity < NEAR:
        return _MISSED
    chances = by(evidence.features)
    least = max(evidence.denial, _PLAINLY * chances[COVERED])
    if not evidence.deniable or (chances.argmax() == CONTRADICTED and chances[CONTRADICTED] < least):
        chances[CONTRADICTED] = 0.0
    return np.asarray(chances / chances.sum())


def lifts(chances: NDArray[np.float64], evidence: Evidence) -> bool:
    """Whether a move of the level above is made: surely, and so that the judge reads it in words that can be shown."""
    return bool(chances[COVERED] >= SURE_FROM) and any(made >= MADE for _, made in evidence.made)


def believed(points: Sequence[PointGrade]) -> tuple[PointGrade, ...]:
    """The points with only those denials that are sure enough to accuse somebody of; the others missed, and unsure.

    Of the denials of middling chance, each by itself, as many are right answers as false ones. An answer that goes
    against the other points as well is another thing.
    """
    doubted = {"status": "missed", "evidence": "", "start": 0, "end": 0, "unsure": True, "note": DOUBTED}
    every = sum(p.denied for p in points)

    def sure(point: PointGrade) -> bool:
        others = (every - point.denied) / max(1, len(points) - 1)
        return point.denied >= SURELY or (point.denied >= LIKELY and others >= OTHERS)

    return tuple(p.model_copy(update=doubted) if p.status == "contradicted" and not sure(p) else p for p in points)


def flag_chance(by: Softmax, evidence: Evidence) -> float:
    """The probability that an answer asserts a red flag: none where nothing of it is near."""
    return float(by(evidence.features[FLAG_FEATURES])[1]) if evidence.affinity >= NEAR else 0.0


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
