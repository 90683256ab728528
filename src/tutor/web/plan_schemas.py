"""What the API of plans answers, as models; days and times as in ``study_schemas``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tutor.web.study_schemas import Day, Moment, Out, Percent


class StepOut(Out):
    """A step of a plan in short; its days are null where the order is free."""

    id: str
    title: str
    first: Day | None
    last: Day | None
    percent: Percent


class SummaryOut(Out):
    """Where a plan stands."""

    id: str
    title: str
    unit: Literal["day", "week", "month", "section", "custom"]
    start: Day
    end: Day | None = Field(description="Null where the order is free.")
    pace: float
    skips: list[str] = Field(description="Weekdays and dates without study.")
    today: Day
    done: int
    items: int = Field(description="All but what was dropped.")
    dropped: int
    percent: Percent
    minutes_left: int
    minutes_a_day: int = Field(description="Of a study day until the end, with reviews where the plan keeps time.")
    over: bool = Field(description="The interview that it is for is over.")
    late: list[str] = Field(description="Ids of items.")
    now: str | None = Field(description="The step or part that today is in.")
    steps: list[StepOut]
    not_in_the_plan: list[str] = Field(description="Ticked items that the curriculum has no more.")


class PlanRowOut(Out):
    """A plan of the curriculum."""

    id: str
    title: str
    about: str
    unit: Literal["day", "week", "month", "section"]
    steps: int
    under_way: bool
    progress: SummaryOut | None


class TrackOut(Out):
    """What an interview can be about."""

    id: str
    title: str


class PlansOut(Out):
    """The plans of the curriculum, and the learner's own."""

    plans: list[PlanRowOut]
    custom: SummaryOut | None
    tracks: list[TrackOut]


class ItemOut(Out):
    """Something to do and tick off; ``card``, ``link`` and ``doc_id`` are empty where there is none."""

    id: str
    kind: str
    title: str
    minutes: int
    card: str
    link: str
    doc_id: str = Field(description="A document of the library.")
    due: Day | None
    done: Moment | None = Field(description="When it was ticked off; null in state done where its card is mastered.")
    state: Literal["done", "dropped", "late", "today", "open"]


class ResourceOut(Out):
    """A linked resource."""

    kind: str
    title: str
    url: str


class PartOut(Out):
    """A step, or a part of one, with its items."""

    id: str
    inside: str = Field(description="The step that it is a part of; empty for a step.")
    title: str
    goal: str
    cards: list[str]
    links: list[ResourceOut]
    first: Day | None
    last: Day | None
    beyond: bool = Field(description="It does not fit in before the interview any more.")
    items: list[ItemOut]


class TableOut(SummaryOut):
    """A plan with its items. What follows ``stages`` is there for a plan of one's own."""

    stages: list[PartOut]
    interview: Day | None = Field(None, description="Its day.")
    track: str | None = None
    hours: float | None = Field(None, description="A week.")
    why: dict[str, str] | None = Field(None, description="Why each card is in.")
    left_out: dict[str, str] | None = Field(None, description="Why each card is not.")


class ShownOut(TableOut):
    """A plan as it is followed, or as it would be from today on."""

    under_way: bool


class ChosenOut(Out):
    """A card of a plan for an interview, or one that is left out of it."""

    card: str
    minutes: int
    why: str
    title: str
    tier: int


class CustomOut(Out):
    """What a plan for an interview holds, in the order of study; minutes are those for new cards."""

    track: str
    interview: Day
    hours: float
    cards: list[ChosenOut]
    left_out: list[ChosenOut]
    minutes: int
    budget: int
    days: int
    needed_hours: float = Field(description="A week, that would hold tier 1.")
    all_hours: float = Field(description="A week, that would hold everything.")
    by: Day | None = Field(description="The first interview that leaves time for tier 1 at these hours.")
    holds_tier_1: bool
    taken_up: bool


class SkippedOut(Out):
    """The plans after days were left out."""

    plans: list[SummaryOut]


class TickedOut(Out):
    """The items that changed, and where the plan stands."""

    changed: list[str]
    plan: SummaryOut


class LostCardOut(Out):
    """A card that nothing else in the plan comes to."""

    card: str
    builds_on_it: list[str]


class OptionOut(Out):
    """A way to catch up, with what it costs."""

    way: Literal["shift", "squeeze", "drop"]
    possible: bool
    why: str
    end: Day | None
    minutes_a_day: int
    lost: list[str]
    lost_cards: list[LostCardOut]


class WaysOut(Out):
    """What is late, and the ways to go on."""

    late: list[str]
    ways: list[OptionOut]


class CaughtUpOut(Out):
    """The way that was gone, and the plan then."""

    way: OptionOut
    plan: SummaryOut
