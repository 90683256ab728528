"""What a drill is made of: tasks, questions, turns, rounds; plain records that a store can keep."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.drill.grade import Grade
from tutor.drill.judge import Status
from tutor.drill.rubric import Rubric

State = Literal["clarify", "answer", "follow-up", "twist", "rate", "done"]
Speaker = Literal["interviewer", "learner"]


class Task(Strict):
    """One question of a drill with its rubric. ``probe`` is empty where the question is no card's probe.

    ``follow_ups`` bounds how many are asked in all; ``minutes`` is the time box, 0 for none; ``brief`` is read first.
    ``why`` says why it was chosen for the learner, empty where they chose.
    """

    card: str
    probe: str = ""
    rubric: Rubric
    brief: str = ""
    clarify: bool = True
    rate: bool = True
    follow_ups: int = Field(3, ge=0, le=12)
    minutes: float = Field(0, ge=0)
    why: str = ""


class Question(Strict):
    """What the learner is asked now; ``point`` is set for a follow-up, ``phrased`` where a model put it otherwise."""

    id: str
    state: State
    text: str
    point: str = ""
    phrased: str = ""

    @property
    def shown(self) -> str:
        return self.phrased or self.text


class Turn(Strict):
    """A line of the transcript."""

    who: Speaker
    state: State
    text: str
    at: datetime
    point: str = ""
    phrased: str = ""

    @property
    def shown(self) -> str:
        return self.phrased or self.text


class Reading(Strict):
    """A passage to read for a point that was missed; ``line`` is the sentence of ``quote`` nearest to the point.

    ``start`` and ``end`` are that sentence's place in the document's text, or the passage's; 0 where it is not known.
    """

    title: str
    heading: tuple[str, ...]
    doc_id: str
    quote: str
    point: str = ""
    line: str = ""
    start: int = 0
    end: int = 0

    @property
    def where(self) -> str:
        """Title and headings, as "Apache Kafka > Trade-offs"."""
        return " > ".join(dict.fromkeys((self.title, *self.heading)))


class Opinion(Strict):
    """What a language model, the second reader, says of a point; the grade stands whatever it says.

    ``made`` is None where there is no opinion, and ``why`` says why. ``quote`` is ``answer[start:end]`` of all that the
    learner said to the question and its follow-ups, a line each. ``status`` is what the grade says.
    """

    point: str
    model: str
    status: Status
    made: bool | None = None
    quote: str = ""
    start: int = 0
    end: int = 0
    why: str = ""


class Round(Strict):
    """What has been said to a task, and its grade once it is over; ``rating`` is the learner's own, 1 to 5."""

    turns: tuple[Turn, ...] = ()
    asked: tuple[str, ...] = Field((), description="The points that were followed up, once for each time.")
    first: Grade | None = Field(None, description="The grade of the answer before any help.")
    so_far: Grade | None = Field(None, description="The same with the replies to follow-ups.")
    twist: Grade | None = None
    rating: int | None = None
    grade: Grade | None = None
    read: tuple[Reading, ...] | None = Field(None, description="What to read, found when the grade was made.")
    second: tuple[Opinion, ...] | None = Field(None, description="What a language model says of the points.")


class Sent(Strict):
    """Words that have been sent to a question and are not graded yet: kept first, so that no kill loses them."""

    question: str
    text: str
    at: datetime


class Session(Strict):
    """A drill. ``at`` numbers the current task; ``pending`` is None once it is over.

    ``sent`` is what answers the pending question and is still to be graded; None at every other time.
    """

    id: str
    kind: str
    tasks: tuple[Task, ...] = Field(min_length=1)
    rounds: tuple[Round, ...]
    at: int = 0
    pending: Question | None
    started: datetime
    sent: Sent | None = None

    @property
    def state(self) -> State:
        return self.pending.state if self.pending else "done"

    @property
    def task(self) -> Task:
        """The current task; the last one of a drill that is over."""
        return self.tasks[min(self.at, len(self.tasks) - 1)]

    @property
    def round(self) -> Round:
        """What has been said to it."""
        return self.rounds[min(self.at, len(self.rounds) - 1)]


class Pad(Strict):
    """What a learner writes beside a drill: none of it is graded.

    ``draft`` is the unsent answer to the question ``question``; ``revision`` grows with every change.
    """

    notes: str = Field("", max_length=10_000)
    sheet: str = Field("", max_length=15_000)
    draft: str = Field("", max_length=20_000)
    question: str = ""
    revision: int = 0
    at: datetime | None = None
