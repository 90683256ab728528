"""What the drills' part of the JSON API gives, as models that /openapi.json shows.

A drill may tell more than is listed here: further fields pass through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tutor.drill.grade import Verdict
from tutor.drill.judge import FlagView, Status
from tutor.drill.records import State
from tutor.web.schemas import Words

Share = Annotated[float, Field(ge=0, le=1)]
Span = Annotated[tuple[int, int], Field(description="Start and end in the answer, characters, end exclusive.")]


class _Out(BaseModel):
    model_config = ConfigDict(extra="allow")


class PointOut(_Out):
    """A rubric point of a graded answer; ``evidence`` is what of the answer speaks to it."""

    point: str
    status: Status
    evidence: str
    span: Span | None
    confidence: float
    unsure: bool
    prompted: bool = Field(description="Whether it came only after a follow-up.")
    note: str


class FlagOut(_Out):
    """Something wrong in an answer, and why it is wrong."""

    id: str
    wrong: str
    why: str
    evidence: str
    span: Span


class GradeOut(_Out):
    """A grade: coverage of the rubric's points, not truth."""

    score: Share
    verdict: str
    points: list[PointOut]
    red_flags: list[FlagOut]
    level: str
    lifts: Words = Field(description="What would lift the answer to the next level.")
    follow_ups: Words
    reason: str
    ms: float


class OpinionOut(_Out):
    """What a language model says of a point; the grade stands whatever it says."""

    point: str
    model: str
    status: Status
    made: bool | None = Field(description="Null where there is no opinion; ``why`` says why.")
    quote: str
    start: int
    end: int
    why: str


class ReadOut(_Out):
    """A passage to read for a point that was missed."""

    doc: str
    title: str
    heading: Words
    quote: str
    point: str


class _After(_Out):
    read: list[ReadOut]
    due: str | None = Field(description="The day it is due again, ISO 8601.")
    overrides: dict[str, Status | FlagView] = Field(
        description="The learner's own view, by point; of red flag 2 as !2."
    )


class GradedOut(GradeOut, _After):
    """The grade of the task that has just ended, and what follows from it."""

    card: str
    probe: str
    rating: int | None = Field(description="The learner's own, 1 to 5.")
    twist: GradeOut | None
    second: list[OpinionOut] | None


class AskedOut(_Out):
    """What is asked now; ``id`` goes back with the reply."""

    id: str
    state: State
    text: str
    point: str
    phrased: str = Field(description="The same in a language model's words; empty where none was asked.")


class StepOut(_Out):
    """Where a drill stands."""

    session: str
    kind: str
    state: State
    task: int = Field(description="From 1.")
    of: int
    question: AskedOut | None = Field(description="Null once the drill is over.")
    why: str = Field(description="Why this question was chosen for the learner; empty where they chose.")
    minutes: float = Field(description="The time box of this task; 0 for none.")
    left_s: float | None = Field(description="Seconds left of it; null where there is none.")
    minutes_in_all: float
    graded: GradedOut | None = Field(None, description="Only after the step that ended a task.")


class DrillRow(_Out):
    """A drill in a list."""

    session: str
    kind: str
    state: State
    title: str
    task: int
    of: int
    started: str = Field(description="UTC, ISO 8601.")


class TurnOut(_Out):
    """A line of the transcript."""

    who: Literal["interviewer", "learner"]
    state: State
    text: str
    at: str


class RoundOut(_After):
    """What was said to a task, and its grade as the drill keeps it."""

    turns: list[TurnOut]
    rating: int | None
    grade: dict[str, Any] | None


class SessionOut(_Out):
    """The whole drill: its tasks with their rubrics, and a round for each."""

    id: str
    kind: str
    tasks: list[dict[str, Any]]
    rounds: list[RoundOut]
    at: int
    pending: AskedOut | None
    started: str


class OverrideOut(_Out):
    """The learner's own judgement of a point or red flag, as it was kept, and what follows from all of theirs."""

    session: str
    task: int
    card: str
    probe: str
    point: str
    claim: str
    answer: str
    graded: Status | FlagView
    learner: Status | FlagView
    score: float
    verdict: Verdict
    at: str
