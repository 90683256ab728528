"""What the API of studying answers, as models: they describe it in /openapi.json, and every answer is held to them.

Days are ISO dates in the learner's zone, moments ISO times with theirs; lists are in the order of the curriculum unless
said otherwise.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Percent = Annotated[int, Field(ge=0, le=100)]
Probability = Annotated[float, Field(ge=0, le=1)]
Status = Literal["not-started", "learning", "mastered"]

#: An answer whose fields are not there where they do not apply.
SPARSE: dict[str, Any] = {"response_model_exclude_unset": True}


class Out(BaseModel):
    """Every field is there, whatever the answer: what is not known is null."""

    model_config = ConfigDict(extra="forbid")


class LineOut(Out):
    """Something to do today."""

    kind: Literal["review", "drill", "read", "plan"]
    title: str
    why: str
    minutes: int
    refs: list[str] = Field(description="Cards and points it is about.")
    command: str = Field(description="What does it in a terminal.")
    plan: str | None = Field(None, description="Of kind plan: the plan's id; not there otherwise.")
    item: str | None = Field(None, description="Of kind plan: what can be ticked off; not there otherwise.")
    tick: str | None = Field(None, description="Of kind plan: what ticks it off in a terminal; not there otherwise.")
    aside: str | None = Field(None, description="Forgotten again and again: what could be set aside instead.")


class TodayOut(Out):
    """What fits the minutes, in order, and what does not."""

    lines: list[LineOut]
    left_out: list[LineOut]
    minutes: int
    total: int = Field(description="Minutes of the lines together.")
    left_out_min: int


class ShareOut(Out):
    """How many of some cards are where; those mastered count whole, those being learnt half."""

    name: str
    cards: int
    learning: int
    mastered: int
    percent: Percent


class CardProgressOut(Out):
    """Where the learner stands with a card."""

    card: str
    status: Status
    why: str = Field(description="What the status rests on.")
    since: Moment | None
    recall: Probability | None = Field(description="Null where nothing was reviewed yet.")
    drilled: int
    strong: int
    due: Moment | None
    missed: list[str] = Field(description="Points that the last answers lacked, as probe/point.")
    suspended: bool = Field(description="It does not come up in reviews.")


class ProgressOut(Out):
    """Shares of the curriculum, and every card."""

    all: list[ShareOut]
    phases: list[ShareOut]
    sections: list[ShareOut]
    tiers: list[ShareOut]
    plans: list[ShareOut]
    cards: list[CardProgressOut]


class MarkRowOut(Out):
    """A card was marked."""

    at: Moment
    what: Literal["mark"]
    status: Status
    why: str
    note: str


class DrillRowOut(Out):
    """A card was drilled."""

    at: Moment
    what: Literal["drill"]
    probe: str
    verdict: str
    score: float
    session: str
    task: int


class ViewRowOut(Out):
    """The learner disagreed with the status of a point, or disputed a red flag: then ``point`` is as `!2`."""

    at: Moment
    what: Literal["view"]
    probe: str
    point: str
    status: str = Field(description="By the learner.")
    graded: str = Field(description="By the grade.")
    session: str
    task: int


class CardOut(CardProgressOut):
    """A card's progress with its mastery check and history, the oldest first."""

    title: str
    check: list[str]
    history: list[Annotated[MarkRowOut | DrillRowOut | ViewRowOut, Field(discriminator="what")]]


class FlashOut(Out):
    """Something to recall."""

    ref: str
    title: str
    ask: str
    answer: list[str]
    doc_id: str
    recall: Probability
    lapses: int = Field(description="How often it was forgotten.")
    seconds: int = Field(description="That it takes about.")


class RoundOut(Out):
    """What is asked now, the likeliest forgotten first; ``more`` is due and does not fit."""

    flashes: list[FlashOut]
    more: int


class RatedOut(Out):
    """What a rating came to."""

    ref: str
    due: Moment
    reps: int
    lapses: int


class SuspendedOut(Out):
    """What is known of a card or point that is reviewed; stability in days, difficulty from 1 to 10."""

    ref: str
    card: str
    state: int = Field(description="1 learning, 2 review, 3 relearning.")
    step: int | None
    stability: float | None
    difficulty: float | None
    due: Moment
    last: Moment
    reps: int
    lapses: int
    leech: bool
    suspended: bool


class SuspendOut(Out):
    """What was set aside or taken back: a card with its points, or a point."""

    items: list[SuspendedOut]


class StageOut(Out):
    """A card on the way."""

    card: str
    title: str
    tier: int
    status: Status
    minutes: int = Field(description="That are left.")
    why: str


class TiesOut(Out):
    """What a card hangs together with; ids."""

    card: str
    before: list[str]
    after: list[str]
    related: list[str]
    threads: list[str]
    plans: list[str]


class PathOut(Out):
    """The way to a card, in order, the goal last."""

    goal: str
    stages: list[StageOut]
    left_out: list[str] = Field(description="Mastered, or said to be known.")
    hours: float
    ties: TiesOut


class ThreadOut(Out):
    """Cards that one design pulls in, one after another."""

    id: str
    title: str
    why: str
    cards: list[str]
    progress: ShareOut


class NodeOut(Out):
    """A card on a map."""

    id: str
    title: str
    phase: int
    tier: int
    status: Status


class EdgeOut(Out):
    """``source`` comes before ``target``, or the two are related."""

    source: str
    target: str
    kind: Literal["before", "related"]


class MapOut(Out):
    """Cards and how they hang together."""

    nodes: list[NodeOut]
    edges: list[EdgeOut]


class ReadinessOut(Out):
    """How ready the learner is for a tier; null where too little was answered to say."""

    tier: int
    percent: Percent | None
    cards: int
    answered: int
    mastered: int
    answers: int


class WeakPointOut(Out):
    """A point that the last answer lacked."""

    ref: str
    title: str
    text: str
    asked: int
    lacked: int
    at: Moment


class KindOut(Out):
    """Answers to a kind of question; the score is null where they are too few to say."""

    kind: str
    answers: int
    strong: int
    failed: int
    score: Probability | None


class ClaimOut(Out):
    """A point's status in one answer."""

    session: str
    task: int
    at: Moment
    status: str
    words: str = Field(description="The learner's own; empty where they are not kept.")


class ContradictionOut(Out):
    """A point made in one answer and contradicted in another."""

    ref: str
    title: str
    text: str
    made: ClaimOut
    contradicted: ClaimOut
    mended: bool


class BinOut(Out):
    """Guesses with a confidence from ``low`` to ``high``."""

    low: float
    high: float
    guesses: int
    confidence: float
    outcome: float


class CalibrationOut(Out):
    """How far confidence and outcome agree; null where the guesses are too few to say."""

    guesses: int
    brier: float | None
    unskilled: float | None = Field(description="The score of who always guesses their own mean outcome.")
    bias: float | None = Field(description="Above 0 is overconfident.")
    curve: list[BinOut]


class StudiedOut(Out):
    """Days that were studied on, and seconds that were measured."""

    days: int = Field(description="Of this month.")
    days_30: int = Field(description="Of the last 30.")
    seconds: dict[str, float] = Field(description="By kind: drill, review, log …")
    weeks: list[tuple[Day, float]] = Field(description="The last eight, each by its Monday, with its seconds.")
    phases: list[tuple[int, float]] = Field(description="Phases of the cards that it was spent on, with seconds.")


class StatsOut(Out):
    """What answers and reviews show."""

    readiness: list[ReadinessOut]
    weak_points: list[WeakPointOut]
    kinds: list[KindOut]
    contradictions: list[ContradictionOut]
    calibration: CalibrationOut
    studied: StudiedOut
    forecast: list[tuple[Day, int]] = Field(description="How much is due on each of the next days.")
