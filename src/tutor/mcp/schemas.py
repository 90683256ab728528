"""What the tools take and give, as models: they check arguments, and their schemas are what clients are shown."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tutor.retrieval.search import MAX_QUESTION_CHARS
from tutor.web.schemas import Text, Words

Phase = Annotated[int, Field(ge=0, le=9)]
Name = Annotated[Text, Field(max_length=200)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArguments(_Arguments):
    """What to look for, and among which documents."""

    query: Text = Field(min_length=1, max_length=MAX_QUESTION_CHARS, description="Words or a question.")
    limit: int = Field(8, ge=1, le=50, description="How many passages at most.")
    by_document: bool = Field(False, description="Only each document's best passage.")
    phase: list[Phase] = Field(default_factory=list, max_length=10, description="Only cards of these phases (0 to 9).")
    kind: list[Name] = Field(default_factory=list, max_length=10, description="Only documents of these kinds: card …")
    doc_id: list[Name] = Field(default_factory=list, max_length=50, description="Only these documents.")

    def filters(self) -> dict[str, list[str | int]]:
        """The filters that were given."""
        return {k: v for k, v in self.model_dump(include={"phase", "kind", "doc_id"}).items() if v}


class AskArguments(_Arguments):
    """A question that names its subject."""

    question: Text = Field(
        min_length=1,
        max_length=MAX_QUESTION_CHARS,
        description="A whole question that names its subject; what was said before is not known here.",
        examples=["Why not Kafka for a task queue?"],
    )
    phase: list[Phase] = Field(default_factory=list, max_length=10, description="Only from cards of these phases.")


class CardArguments(_Arguments):
    """Which document to read, and from where."""

    card: Name = Field(min_length=1, description="A card or other document by id, title or alias.", examples=["kafka"])
    start: int = Field(0, ge=0, le=2**53, description="The character to begin at, for documents that come in parts.")


class AnswerArguments(_Arguments):
    """The learner's words to the pending question."""

    session: Name = Field(description="The drill's id, from drill_start.")
    question: Name = Field(description="The id of the question that is answered, from the last step.")
    answer: Text = Field(max_length=20_000, description="The learner's own words, unchanged.")


class NoArguments(_Arguments):
    """Nothing."""


class PassageOut(BaseModel):
    """A ranked passage: ``text`` is the document's text from ``start`` to ``end``."""

    doc_id: str
    chunk_id: str
    title: str
    heading: Words
    text: str
    start: int
    end: int
    page: int | None
    covers: Words
    score: float


class PassagesOut(BaseModel):
    """Passages, best first."""

    passages: list[PassageOut]


class Part(BaseModel):
    """Where a section of a document stands."""

    heading: Words
    start: int
    end: int


class CardOut(BaseModel):
    """A document, or a part of a long one: ``text`` begins at ``start``; ``next_start`` is null at its end."""

    doc_id: str
    title: str
    kind: str
    uri: str
    covers: Words
    aliases: Words
    prerequisites: Words
    related: Words
    sections: list[Part]
    text: str
    start: int
    next_start: int | None


class QuestionOut(BaseModel):
    """What the learner is asked now; its ``id`` goes back with the answer."""

    id: str
    state: str
    text: str
    point: str = ""


class GradedOut(BaseModel):
    """The grade of a task that has just ended."""

    model_config = ConfigDict(extra="allow")

    card: str
    probe: str
    score: float
    verdict: str
    level: str
    reason: str
    points: list[dict[str, Any]] = Field(description="Each point of the rubric, its status and the evidence for it.")
    red_flags: list[dict[str, Any]]
    lifts: Words = Field(description="What would make it an answer of the next level.")
    read: list[dict[str, Any]] = Field(description="Where the curriculum says what was missed.")
    due: str | None


class StepOut(BaseModel):
    """Where a drill stands; ``question`` is null once it is over."""

    session: str
    kind: str
    state: str
    task: int
    of: int
    question: QuestionOut | None
    minutes: float
    left_s: float | None
    minutes_in_all: float
    graded: GradedOut | None = None


class DueOut(BaseModel):
    """A probe or exercise that is due again, with its last result; without one where it was never asked."""

    card: str
    probe: str
    title: str
    ask: str
    verdict: str
    score: float | None
    due: str
    again: dict[str, Any] = Field(description="What to give drill_start to be asked it again.")


class OpenOut(BaseModel):
    """A drill that waits for an answer."""

    session: str
    kind: str
    state: str
    title: str
    task: int
    of: int
    started: str


class TodayOut(BaseModel):
    """What is due, longest due first, and which drills are open, newest first."""

    date: str
    due: list[DueOut]
    open: list[OpenOut]
