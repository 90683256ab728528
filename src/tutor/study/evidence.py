"""What a learner's progress and schedule go by, as the store keeps it: ratings, graded tasks, marks, guesses, time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tutor.study.progress import Answered, Marked
from tutor.study.schedule import OF_STATUS, OF_VERDICT, Grade

#: Seconds that count at most of what is measured from one event to the next: what is longer was a pause.
LONGEST_S = {"review": 600.0, "check": 600.0, "log": 3600.0}
_LACKING = ("missed", "contradicted")


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating (1 again to 4 easy) of ``ref``; ``source`` names what it came of, once for each ref.

    ``confidence`` is what the learner gave beforehand, ``outcome`` what came of it, in [0, 1]; ``seconds`` it took.
    """

    ref: str
    rating: Grade
    at: datetime
    source: str
    confidence: float | None = None
    outcome: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GradedTask:
    """A graded task of a drill, as the drills hand it over.

    ``points`` maps the ids of rubric points to covered, prompted, partly, missed or contradicted. Where that is the
    learner's own view, ``views`` has what was ``graded``, and ``at`` what time the view was given; of a red flag
    that they dispute, as "!2", also what it is for the ``learner``.
    """

    session: str
    task: int
    card: str
    probe: str
    kind: str
    verdict: str
    score: float
    points: Mapping[str, str] = field(default_factory=dict)
    rating: int | None = None
    seconds: float | None = None
    at: datetime = datetime.min
    views: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"drill:{self.session}/{self.task}"

    def ratings(self) -> list[Rated]:
        """What it is worth: one rating for the card, one for each point; none of an answer that was not graded."""
        if not self.card or self.verdict not in OF_VERDICT:
            return []
        confidence = None if self.rating is None else (self.rating - 1) / 4
        found = [Rated(self.card, OF_VERDICT[self.verdict], self.at, self.source, confidence, self.score, self.seconds)]
        if self.probe:
            found += [
                Rated(f"{self.card}/{self.probe}/{point}", OF_STATUS[status], self.at, self.source)
                for point, status in self.points.items()
            ]
        return found


@dataclass(frozen=True, slots=True)
class Noted(Marked):
    """A mark with what the learner wrote beside it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """``confidence`` before ``outcome`` was known, both in [0, 1]; ``ref`` is what of, ``source`` as in reviews."""

    ref: str
    confidence: float
    outcome: float
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Spent:
    """``seconds`` that were measured until ``at``; ``kind`` is drill, review, check or log; ``ref`` what on."""

    at: datetime
    seconds: float
    kind: str
    ref: str


def changed(known: Mapping[tuple[str, int], GradedTask], tasks: Iterable[GradedTask]) -> bool:
    """Whether some task is not among those known, or not as it is known."""
    return any(known.get((task.session, task.task)) != task for task in tasks)


def answers(tasks: Iterable[GradedTask]) -> list[Answered]:
    """What progress goes by: answers about a card that could be graded."""
    return [
        Answered(
            task.card,
            task.probe,
            task.verdict,
            task.score,
            task.at,
            tuple(point for point, status in task.points.items() if status in _LACKING),
        )
        for task in tasks
        if task.card and task.verdict != "ungraded"
    ]
