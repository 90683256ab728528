"""What the JSON API takes and gives, as models: they validate requests and describe the API in /openapi.json."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tutor.drill.formats import FORMATS
from tutor.text import mended

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what the index can hold
Words = list[str]
Stages = Annotated[dict[str, float], Field(description="Milliseconds in each stage of the work, in order.")]
#: Text from a client: JSON can carry half a character, which nothing can store or send back.
Text = Annotated[str, BeforeValidator(lambda value: mended(value) if isinstance(value, str) else value)]


class ErrorParts(BaseModel):
    """What happened, what it was about (may be empty), what to do, and whether the same call may succeed later."""

    what: str
    about: str
    fix: str
    transient: bool


class ErrorOut(BaseModel):
    """The body of every response that is not a success."""

    error: ErrorParts


class SaidIn(BaseModel):
    """A question that was asked before, and what was answered."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(min_length=1, max_length=4_000)
    answer: Text = Field("", max_length=20_000, description="Its first sentence is remembered.")


class Question(BaseModel):
    """What to ask, and among which passages: any of each filter's values."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(
        description="1 to 4,000 characters.", examples=["B-tree or LSM-tree for a write-heavy store?"]
    )
    filters: dict[str, list[Whole | str]] = Field(default_factory=dict, examples=[{"phase": [3, 4]}])
    history: list[SaidIn] = Field(
        default_factory=list,
        max_length=50,
        description="The conversation so far, oldest first: a follow-up is read with it. It is not kept.",
    )
    conversation: Text = Field(
        "",
        max_length=40,
        description="The id of a kept conversation, or new to begin one: the turn is kept in it, and a follow-up is "
        "read with its turns instead of the history. Empty: nothing is kept.",
    )
    written: bool = Field(True, description="Whether a language model, where one is set, may write the answer.")


class CitationOut(BaseModel):
    """A cited span: ``quote`` is the document's text from ``start`` to ``end`` (characters, end exclusive)."""

    n: int = Field(description="The number in the answer's [n].")
    doc_id: str
    chunk_id: str
    title: str
    heading: Words
    start: int
    end: int
    quote: str
    covers: Words = Field(description="Items of the curriculum that the document covers.")
    page: int | None = Field(description="From 1, for paged formats.")
    kind: str = Field(description="Of the document: card, note, page, reading …; entry: the learner's log.")


class FurtherOut(CitationOut):
    """A linked reading that the learner has fetched: depth, no part of the answer. ``covers`` are its cards."""

    url: str
    licence: str = Field(description="Of the reading; unknown where the list does not know it.")


class NearestOut(BaseModel):
    """A document close to the question."""

    doc_id: str
    title: str
    covers: Words


class DroppedOut(BaseModel):
    """A sentence of a model that does not reach the answer, and why."""

    text: str
    why: str


class GenerationOut(BaseModel):
    """A language model's part in an answer."""

    model: str
    kept: bool = Field(description="Whether the reply had been written before, and was checked anew.")
    fallback: str | None = Field(description="Why the quoted answer stands instead of the written one.")
    trouble: str | None = Field(description="What went wrong after its beginning had been sent, which stands.")
    sentences: int = Field(description="How many of its sentences were checked.")
    supported: int = Field(description="How many of them a cited span says.")
    share: float
    dropped: list[DroppedOut]
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = Field(description="US dollars; null where the price is not known.")
    estimated: bool = Field(description="Whether tokens were counted here, not by the model's server.")
    took: str = Field(description="Tokens and cost of the reply for a reader; empty where nothing was taken.")
    first_ms: float | None = Field(description="Until the model's first piece.")
    ms: float
    line: str = Field(description="All that in one line for a reader.")


class KeptOut(BaseModel):
    """Where a turn is kept; or only ``line``, which says why it is not."""

    conversation: str = ""
    turn: str = ""
    title: str = ""
    line: str = ""


class AnswerOut(BaseModel):
    """A cited answer. When ``abstained``, one sentence that says so, no citations, and the nearest documents."""

    answer: str = Field(description="Markdown with [n] behind every sentence.")
    citations: list[CitationOut]
    abstained: bool
    confidence: float = Field(description="Probability that the library answers the question.")
    nearest: list[NearestOut]
    intent: str
    corrected: list[Words] = Field(description="Mended typos, each as written and as read.")
    meant: list[Words] = Field(description="Short forms in the question, each with what it stands for.")
    uncovered: list[str] = Field(description="Names or sides of a comparison that nothing quoted speaks of.")
    further: list[FurtherOut] = Field(description="Linked readings to go deeper; they have no part in the answer.")
    generation: GenerationOut | None = Field(description="A language model's part in it; null where none was asked.")
    ms: float
    stages: Stages
    standalone: str | None = Field(None, description="How a follow-up was read; null where it was read as asked.")
    kept: KeptOut | None = Field(None, description="What became of it in a conversation; null where none was named.")


class SearchIn(BaseModel):
    """A search; a filter may be given several times, any of its values counts."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(description="What to look for, 1 to 4,000 characters.")
    k: int = Field(10, ge=1, le=200, description="How many hits at most.")
    by_doc: bool = Field(False, description="Only each document's best passage.")
    phase: list[Whole] = Field(default_factory=list)
    tier: list[Whole] = Field(default_factory=list)
    section: Words = Field(default_factory=list)
    priority: Words = Field(default_factory=list)
    depth: Words = Field(default_factory=list)
    tags: Words = Field(default_factory=list)
    kind: Words = Field(default_factory=list)
    role: Words = Field(default_factory=list)
    doc_id: Words = Field(default_factory=list)
    covers: Words = Field(default_factory=list)

    def filters(self) -> dict[str, list[str | int]]:
        """The filters that were given."""
        return {k: v for k, v in self.model_dump(exclude={"q", "k", "by_doc"}).items() if v}


class HitOut(BaseModel):
    """A ranked passage: ``text`` is the document's text from ``start`` to ``end``."""

    doc_id: str
    chunk_id: str
    covers: Words
    score: float
    title: str
    heading: Words
    start: int
    end: int
    page: int | None
    source: str
    text: str


class SearchOut(BaseModel):
    """Ranked passages, best first."""

    hits: list[HitOut]
    ms: float
    stages: Stages


class DocumentRow(BaseModel):
    """A document without its text. ``meta`` depends on its kind: phase, depth, tags, prerequisites, resources …"""

    doc_id: str
    title: str
    source: str
    kind: str
    covers: Words
    aliases: Words
    acronyms: dict[str, str]
    meta: dict[str, Any]
    passages: Words = Field(description="Ids of its passages, in order.")
    hash: str


class SectionOut(BaseModel):
    """A run of a document under one heading: offsets into its text, end exclusive."""

    heading: Words
    start: int
    end: int
    role: str
    page: int | None


class DocumentOut(DocumentRow):
    """A document with its text."""

    text: str
    sections: list[SectionOut]


class HealthOut(BaseModel):
    """What answers."""

    status: str
    generation: str
    documents: int
    passages: int
    encoder: str


class DrillIn(BaseModel):
    """A drill to start: free text, a card, a format, or a set by what narrows it."""

    model_config = ConfigDict(extra="forbid")

    request: Text = Field("", max_length=4_000, examples=["why not kafka"])
    format: Text = Field("", description=f"One of {', '.join(FORMATS)}; by default what the request asks for.")
    card: Text = Field("", max_length=200)
    phases: list[int] = Field(default_factory=list, max_length=10)
    tiers: list[int] = Field(default_factory=list, max_length=3)
    thread: Text = ""
    count: int | None = Field(None, description="How many probes a set has (5), or decisions (1).")
    seed: int | None = None
    due: bool = False
    weak: bool = False
    choose: bool = Field(False, description="Due first, then weak, next in a plan, new: always `count` (1) probes.")


class ReplyIn(BaseModel):
    """The learner's words to a question; ``question`` is the id that came with it."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    answer: Text = Field(description="0 to 20,000 characters.")


class OverrideIn(BaseModel):
    """The learner's own judgement of a point, or of a red flag, of a task (from 1)."""

    model_config = ConfigDict(extra="forbid")

    task: int = 1
    point: Text = Field("", description="The point's id; empty where a red flag is meant.")
    flag: int | None = Field(None, description="The red flag's id.")
    status: Text = Field(description="Of a point one of its statuses; of a red flag `said` or `not-said`.")
    reason: Text = Field("", max_length=1_000, description="Why, in the learner's words.")


class SheetIn(BaseModel):
    """A calculator sheet: a line for each figure, which may use the names of those above it."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(max_length=15_000, examples=["dau = 50 M * 20%\nqps = dau * 10 / day"])


class LineOut(BaseModel):
    """A line of a sheet. One that is empty or a remark has neither a value nor an error."""

    number: int = Field(description="From 1.")
    name: str = Field(description='What stands before the "="; may be empty.')
    value: float | None = Field(description="In base units: bytes, seconds, currency.")
    shown: str = Field(description='With its unit, as "1,157/s = 100 million/day".')
    error: str = Field(description="What is wrong with the line.")


class OpinionsIn(BaseModel):
    """Which task of a drill (from 1) the language model is to read."""

    model_config = ConfigDict(extra="forbid")

    task: int = 1


class GradeIn(BaseModel):
    """An answer to grade: ``card`` by id, title or alias; ``probe`` by id, or a question."""

    model_config = ConfigDict(extra="forbid")

    card: Text
    probe: Text = ""
    answer: Text = Field(description="0 to 20,000 characters.")


class FeedbackIn(BaseModel):
    """A vote on an answer, to learn from: nothing else about who gives it is kept."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(description="As it was asked, 1 to 4,000 characters.")
    answer: str = Field(description="As it was shown, at most 20,000 characters.")
    citations: Words = Field(default_factory=list, max_length=50, description="chunk_id of what the answer quoted.")
    vote: str = Field(description="up or down.", examples=["down"])
    note: str = Field("", description="What is wrong or good, at most 2,000 characters.")


class FeedbackOut(FeedbackIn):
    """The vote as it was kept."""

    at: str = Field(description="UTC, ISO 8601.")
