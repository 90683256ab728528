"""How long the parts of a drill may take, and how long they took: an interviewer's clock, which does not stop."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from tutor.drill.formats import MOCKS
from tutor.drill.records import Session
from tutor.drill.rubric import step_name

#: Minutes that an answer is meant to take where its task has no time box, by format.
TARGETS = {"decision": 5.0}
TARGET = 3.0
FOLLOW_UP_MINUTES = 1.5


class Clock(NamedTuple):
    """``since`` is when the pending question was asked; ``minutes`` is its target, 0 for none."""

    since: datetime
    minutes: float
    boxed: bool


class Step(NamedTuple):
    """A task of a drill with its time: ``spent_s`` from its first question to the last words, None before it began."""

    number: int
    name: str
    minutes: float
    spent_s: float | None
    state: Literal["done", "now", "ahead"]

    @property
    def over_s(self) -> float:
        """Seconds beyond the minutes it may take; 0 within them, and where it may take any."""
        return max(0.0, (self.spent_s or 0.0) - self.minutes * 60) if self.minutes else 0.0


def clock(session: Session) -> Clock | None:
    """The clock of the pending question; None where a drill is over, or asks how good an answer was."""
    if session.pending is None or session.state == "rate":
        return None
    since = next(t.at for t in reversed(session.round.turns) if t.who == "interviewer")
    if session.state == "answer":
        minutes = session.task.minutes or TARGETS.get(session.kind, TARGET)
        return Clock(since, minutes, bool(session.task.minutes))
    return Clock(since, 0.0 if session.state == "clarify" else FOLLOW_UP_MINUTES, False)


def steps(session: Session, now: datetime) -> list[Step]:
    """Every task with its time, in order; the one that is going on up to ``now``."""
    found = []
    for number, (task, done) in enumerate(zip(session.tasks, session.rounds, strict=True), 1):
        name = step_name(task.probe) if session.kind in MOCKS and task.probe else task.rubric.title
        going = session.pending is not None and number == session.at + 1
        spent = None
        if done.turns:
            end = now if going else done.turns[-1].at
            spent = max(0.0, (end - done.turns[0].at).total_seconds())
        found.append(Step(number, name, task.minutes, spent, "now" if going else "done" if done.turns else "ahead"))
    return found
