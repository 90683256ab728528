"""A plan that was taken up, with dates: which item is due when, what is done, where one is and what is late. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any, Literal, cast

from tutor.curriculum.outline import Outline, PlanLine
from tutor.study.agenda import Item, Stage, agenda, card_item
from tutor.study.custom import REVIEW_SHARE, a_day
from tutor.study.pacing import Skips, Span, Unit, lay_out, spread, study_days

CUSTOM = "custom"
OWN = {"interview", "track", "hours", "cards"}  # what the spec of a custom plan has to say
State = Literal["done", "dropped", "late", "today", "open"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A plan as it was taken up, or changed since. ``spec`` says what is not in the curriculum's plan:

    ``left``: ids of the steps (custom: cards) that are still laid out from ``start``; all where it is missing.
    ``dropped``: ids of items that are no longer asked for. ``began``: the first start, where a change moved it.
    ``since``: ticks from before this instant do not count. A custom plan has ``interview``, ``track``, ``hours``,
    ``cards`` in order with ``why`` for each, and ``left_out``.
    """

    id: str
    plan: str
    at: datetime
    start: date
    pace: float
    skips: Skips
    spec: Mapping[str, Any]
    active: bool = True

    @property
    def custom(self) -> bool:
        return self.plan == CUSTOM

    @property
    def began(self) -> date:
        return date.fromisoformat(self.spec["began"]) if self.spec.get("began") else self.start


@dataclass(frozen=True, slots=True)
class Entry:
    """An item with its date (None where the order is free, or it was done before the plan was laid out anew).

    ``done`` is when it was ticked off: None in state done where its card is mastered.
    """

    item: Item
    stage: str
    due: date | None
    done: datetime | None
    state: State


@dataclass(frozen=True, slots=True)
class Placed:
    """A stage with its study days and items; ``beyond`` where it no longer fits before the interview."""

    stage: Stage
    span: Span | None
    entries: tuple[Entry, ...]
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """A plan on ``today``. ``unit`` is day, week, month, section (free order) or custom."""

    taken: Taken
    title: str
    about: str
    unit: str
    today: date
    placed: tuple[Placed, ...]
    #: Items that were ticked and are not in the plan any more, as after an edit of the curriculum: kept, not counted.
    strangers: tuple[str, ...] = field(default=())

    @property
    def entries(self) -> list[Entry]:
        return [entry for placed in self.placed for entry in placed.entries]

    @property
    def counted(self) -> list[Entry]:
        """What progress is of: all but what was dropped."""
        return [entry for entry in self.entries if entry.state != "dropped"]

    @property
    def done(self) -> int:
        return sum(entry.state == "done" for entry in self.entries)

    @property
    def percent(self) -> int:
        """Of the items, rounded down, so that 100 means all of them."""
        return 100 * self.done // len(self.counted) if self.counted else 0

    @property
    def late(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.state == "late"]

    @property
    def open(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.state in ("late", "today", "open")]

    @property
    def end(self) -> date | None:
        """The last study day of all; None where the order is free."""
        return max((placed.span.last for placed in self.placed if placed.span), default=None)

    @property
    def minutes_left(self) -> int:
        return sum(entry.item.minutes for entry in self.open)

    @property
    def a_day(self) -> int:
        """Minutes of a study day until the end, rounded up, from today or the first day on; 0 where nothing is dated.

        With those of reviews where the plan keeps time for them.
        """
        if self.end is None or self.over or not self.open:
            return 0
        first = max(self.today, self.taken.start)
        days = study_days(first, max(self.end, first), self.taken.skips)
        minutes = self.minutes_left / max(1, days)
        return ceil(minutes / (1 - REVIEW_SHARE) if self.taken.custom else minutes)

    @property
    def over(self) -> bool:
        """Whether the interview that it is for is over."""
        return self.taken.custom and date.fromisoformat(self.taken.spec["interview"]) < self.today

    @property
    def ticks(self) -> dict[str, datetime]:
        """When each item was ticked off, as ``timetable`` takes it."""
        return {entry.item.id: entry.done for entry in self.entries if entry.done}

    @property
    def mastered(self) -> set[str]:
        """The cards that count as done by what is known of them."""
        return {entry.item.card for entry in self.entries if entry.state == "done" and not entry.done}

    def current(self) -> Placed | None:
        """The step that today is in, or the next one; the last one after the end; None where the order is free.

        A step comes with its parts, so it is the innermost one that has something to do.
        """
        dated = [placed for placed in self.placed if placed.span and placed.entries]
        now = [placed for placed in dated if placed.span and placed.span.last >= self.today]
        return min(now, key=lambda p: p.span.first if p.span else date.max) if now else dated[-1] if dated else None

    def of_step(self, step: str) -> list[Placed]:
        """A step and its parts."""
        return [placed for placed in self.placed if step in (placed.stage.id, placed.stage.inside)]

    def step_percent(self, step: str) -> int:
        """How much of a step and its parts is done."""
        entries = [entry for placed in self.of_step(step) for entry in placed.entries if entry.state != "dropped"]
        return 100 * sum(entry.state == "done" for entry in entries) // len(entries) if entries else 0

    @property
    def steps(self) -> list[Placed]:
        """The steps without their parts."""
        return [placed for placed in self.placed if not placed.stage.inside]


def timetable(
    outline: Outline,
    plan: PlanLine | None,
    taken: Taken,
    ticks: Mapping[str, datetime],
    today: date,
    mastered: Collection[str] = (),
) -> Timetable:
    """A plan with its dates.

    Args:
        outline: the curriculum.
        plan: of the curriculum; None for a custom one.
        taken: as it was taken up.
        ticks: when each item was ticked off, without those taken back.
        today: the learner's day.
        mastered: cards that count as done, ticked off or not.
    """
    known = set(mastered)
    if plan is None:
        placed = _custom(outline, taken, ticks, today, known)
        spec = taken.spec
        title = f"Your plan for {spec['interview']}"
        about = f"{spec['hours']:g} hours a week, track {spec['track']}."
        unit = CUSTOM
    else:
        placed = _laid(outline, plan, taken, ticks, today, known)
        title, about, unit = plan.title, plan.about, plan.unit
    items = {entry.item.id for one in placed for entry in one.entries}
    return Timetable(taken, title, about, unit, today, tuple(placed), tuple(sorted(set(ticks) - items)))


def lengths(plan: PlanLine, stages: Sequence[Stage]) -> dict[str, float]:
    """How many units each step of a dated plan takes.

    The steps of the twelve weeks say theirs in their names ("weeks-4-5"). Where steps share weeks, or one stands before
    the first, they share the time by the work in them, so that twelve weeks are twelve.
    """
    steps = [step.id for step in plan.steps]
    if plan.unit != "week" or not any(_weeks(step) for step in steps):
        return dict.fromkeys(steps, 1.0)
    work = {step: sum(s.minutes for s in stages if step in (s.id, s.inside)) or 1 for step in steps}
    groups: list[tuple[list[str], set[int]]] = []
    for step in steps:
        weeks = _weeks(step)
        if groups and (not groups[-1][1] or not weeks or groups[-1][1] & weeks):
            groups[-1][0].append(step)
            groups[-1][1].update(weeks)
        else:
            groups.append(([step], weeks))
    return {step: len(weeks) * work[step] / sum(work[s] for s in inside) for inside, weeks in groups for step in inside}


def _weeks(step: str) -> set[int]:
    found = re.fullmatch(r"weeks?-(\d+)(?:-(\d+))?", step)
    return set(range(int(found[1]), int(found[2] or found[1]) + 1)) if found else set()


def _laid(
    outline: Outline, plan: PlanLine, taken: Taken, ticks: Mapping[str, datetime], today: date, known: set[str]
) -> list[Placed]:
    stages = agenda(outline, plan)
    dropped = set(taken.spec.get("dropped", ()))
    spans: dict[str, Span] = {}
    if plan.unit != "section":
        every = lengths(plan, stages)
        left = [step for step in every if step in set(taken.spec.get("left", every))]
        laid = lay_out(
            [every[step] for step in left], taken.start, unit=cast(Unit, plan.unit), pace=taken.pace, skips=taken.skips
        )
        spans = dict(zip(left, laid, strict=True))
    placed = []
    for stage in stages:
        span = _span_of(stage, stages, spans, taken.skips)
        dues = _dues(stage, span, taken.skips, plan.unit)
        entries = [
            _entry(item, stage.id, due, ticks, dropped, today, known)
            for item, due in zip(stage.items, dues, strict=True)
        ]
        placed.append(Placed(stage, span, tuple(entries)))
    return placed


def _span_of(stage: Stage, stages: Sequence[Stage], spans: Mapping[str, Span], skips: Skips) -> Span | None:
    """A step's days; those of a part where the step has nothing but parts; the step's last day for parts beside it."""
    if not stage.inside:
        return spans.get(stage.id)
    whole = spans.get(stage.inside)
    parts = [other.id for other in stages if other.inside == stage.inside]
    if whole is None or any(other.id == stage.inside and other.items for other in stages):
        return whole
    days = [d for n in range((whole.last - whole.first).days + 1) if skips.open(d := whole.first + timedelta(days=n))]
    at, count = parts.index(stage.id), len(parts)
    first = len(days) * at // count
    return Span(days[min(first, len(days) - 1)], days[max(first, len(days) * (at + 1) // count - 1)])


def _dues(stage: Stage, span: Span | None, skips: Skips, unit: str) -> Sequence[date | None]:
    """In a week the cards are spread over its days; all else is due by the end of its step."""
    if span is None:
        return [None] * len(stage.items)
    if unit == "week":
        return spread([item.minutes for item in stage.items], span, skips) if not stage.inside else [span.last]
    return [span.last] * len(stage.items)


def _custom(
    outline: Outline, taken: Taken, ticks: Mapping[str, datetime], today: date, known: set[str]
) -> list[Placed]:
    """Weeks from the first day, with the cards that the hours hold; after the interview nothing has a date any more."""
    spec = taken.spec
    cards = [name for name in spec["cards"] if name in outline.cards]
    left = set(spec.get("left", cards))
    dropped = set(spec.get("dropped", ()))
    last = date.fromisoformat(spec["interview"]) - timedelta(days=1)
    days = [d for n in range((last - taken.start).days + 1) if taken.skips.open(d := taken.start + timedelta(days=n))]
    daily = a_day(float(spec["hours"]), taken.skips)
    weeks: dict[int, list[tuple[Item, date | None]]] = {}
    spent = 0
    for name in cards:
        item = card_item(outline.cards[name])
        if name not in left or name in dropped:
            weeks.setdefault(-1, []).append((item, None))
            continue
        spent += item.minutes
        at = max(0, int(-(-(spent - 1e-6) // daily)) - 1)
        if at >= len(days):
            weeks.setdefault(9_999, []).append((item, last))
        else:
            weeks.setdefault((days[at] - taken.start).days // 7, []).append((item, days[at]))
    placed = []
    for number in sorted(weeks):
        items = tuple(item for item, _ in weeks[number])
        span = None
        if number == -1:
            name, title = "before", "Before this plan was laid out anew"
        elif number == 9_999:
            name, title = "beyond", "Does not fit in before the interview any more"
        else:
            inside = [d for d in days if (d - taken.start).days // 7 == number]
            span = Span(inside[0], inside[-1])
            name, title = f"week-{number + 1}", f"Week {number + 1}"
        stage = Stage(name, title, "", items, tuple(item.card for item in items))
        over = last + timedelta(days=1) < today
        entries = tuple(
            _entry(item, name, None if over else due, ticks, dropped, today, known) for item, due in weeks[number]
        )
        placed.append(Placed(stage, span, entries, number == 9_999))
    return placed


def _entry(
    item: Item,
    stage: str,
    due: date | None,
    ticks: Mapping[str, datetime],
    dropped: set[str],
    today: date,
    known: set[str],
) -> Entry:
    done = ticks.get(item.id)
    state: State = "open"
    if done or item.card in known:
        state = "done"
    elif item.id in dropped:
        state = "dropped"
    elif due is not None and due <= today:
        state = "late" if due < today else "today"
    return Entry(item, stage, due, done, state)
