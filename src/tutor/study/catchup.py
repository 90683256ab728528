"""What to do about what is late, each way with what it costs: shift the rest, squeeze it in, or drop what is late."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, cast

from tutor.curriculum.outline import Outline, PlanLine
from tutor.errors import UsageError
from tutor.study.agenda import agenda
from tutor.study.custom import budget_of, hours_for, in_hours, most_hours
from tutor.study.pacing import MOST_A_DAY, Unit, pace_until, study_days
from tutor.study.timetable import Entry, Taken, Timetable, lengths, timetable

Way = Literal["shift", "squeeze", "drop"]
WAYS: tuple[Way, ...] = ("shift", "squeeze", "drop")


@dataclass(frozen=True, slots=True)
class Option:
    """A way to catch up. ``taken`` is the plan then, None where the way leads nowhere; ``why`` tells of it.

    ``needed`` is false where it would come to the same as to shift, so that there is nothing to choose. ``end`` is the
    last day then, None where nothing is left; ``a_day`` the minutes of a study day. ``lost`` are items that are given
    up, and ``cards`` those that no other step of the plan names, with what later builds on them.
    """

    way: Way
    why: str
    end: date | None
    a_day: int
    taken: Taken | None
    lost: tuple[Entry, ...] = ()
    cards: tuple[tuple[str, tuple[str, ...]], ...] = ()
    needed: bool = True


def options(outline: Outline, plan: PlanLine | None, table: Timetable) -> list[Option]:
    """The three ways for a plan that is behind.

    Raises:
        UsageError: nothing is late, the order is free, or the interview is over.
    """
    if table.unit == "section":
        raise UsageError("its order is free, so nothing can be late", about=table.taken.plan)
    if table.over:
        again = "tutor plan stop custom ends the plan; tutor plan custom --interview DATE makes another"
        raise UsageError(f"the interview ({table.taken.spec['interview']}) is over", about=table.taken.plan, fix=again)
    beyond = any(placed.beyond for placed in table.placed)
    if not table.late and not beyond:
        raise UsageError("nothing is late", about=table.taken.plan, fix=f"Next: tutor plan show {table.taken.plan}")
    if plan is None:
        return [_custom_shift(outline, table), _custom_squeeze(outline, table), _custom_drop(outline, table)]
    return [_shift(outline, plan, table), _squeeze(outline, plan, table), _drop(outline, plan, table)]


def _remaining(table: Timetable) -> list[str]:
    """The steps that have something open, in order."""
    open_in = {entry.stage for entry in table.open}
    inside = {placed.stage.id: placed.stage.inside or placed.stage.id for placed in table.placed}
    steps = {inside[stage] for stage in open_in}
    return [placed.stage.id for placed in table.steps if placed.stage.id in steps]


def _from_today(table: Timetable, **changes: Any) -> Taken:
    spec = {**table.taken.spec, "began": table.taken.began.isoformat(), "left": _remaining(table)}
    return replace(table.taken, start=table.today, spec=spec, **changes)


def _again(outline: Outline, plan: PlanLine | None, table: Timetable, taken: Taken) -> Timetable:
    return timetable(outline, plan, taken, table.ticks, table.today, table.mastered)


def _shift(outline: Outline, plan: PlanLine, table: Timetable) -> Option:
    taken = _from_today(table)
    then = _again(outline, plan, table, taken)
    later = (then.end - table.end).days if then.end and table.end else 0
    moved = f"{_days(later)} later than now" if later > 0 else "no later than now"
    return Option("shift", f"Everything that is open begins today; it ends {moved}.", then.end, then.a_day, taken)


def _squeeze(outline: Outline, plan: PlanLine, table: Timetable) -> Option:
    end = table.end
    steps = _remaining(table)
    every = lengths(plan, agenda(outline, plan))
    if end is None or end < table.today:
        return Option("squeeze", "The last day of the plan is over.", end, 0, None)
    shifted = _again(outline, plan, table, _from_today(table))
    if shifted.end and shifted.end <= end:
        return Option("squeeze", "To shift is enough: it ends no later than now.", end, 0, None, needed=False)
    try:
        pace = pace_until(
            [every[step] for step in steps], table.today, end, unit=cast(Unit, plan.unit), skips=table.taken.skips
        )
    except UsageError as error:
        return Option("squeeze", error.message, end, 0, None)
    taken = _from_today(table, pace=min(pace, table.taken.pace))
    then = _again(outline, plan, table, taken)
    load = then.a_day
    if load > MOST_A_DAY:
        why = f"It would take {in_hours(load)} a day until {end}; at most {in_hours(MOST_A_DAY)} are planned for."
        return Option("squeeze", why, end, load, None)
    was = math.ceil(sum(e.item.minutes for e in table.counted) / max(1, _days_of(table)))
    return Option(
        "squeeze",
        f"It ends as planned; a day takes {in_hours(load)} from now on, and took {in_hours(was)}.",
        then.end,
        load,
        taken,
    )


def _days_of(table: Timetable) -> int:
    return study_days(table.taken.start, table.end or table.taken.start, table.taken.skips)


def _drop(outline: Outline, plan: PlanLine | None, table: Timetable) -> Option:
    late = table.late
    gone = [*table.taken.spec.get("dropped", ()), *(entry.item.id for entry in late)]
    taken = replace(table.taken, spec={**table.taken.spec, "dropped": gone})
    then = _again(outline, plan, table, taken)
    why = f"{_things(len(late))} given up ({in_hours(sum(e.item.minutes for e in late))}); the dates stay."
    return Option("drop", why, then.end, then.a_day, taken, tuple(late), _lost_cards(outline, table, late))


def _lost_cards(outline: Outline, table: Timetable, lost: Sequence[Entry]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Cards that only what is lost would have come to, each with the later cards that build on it."""
    gone = {entry.item.id for entry in lost}
    kept: dict[str, None] = {}
    missed: dict[str, None] = {}
    for placed in table.placed:
        alive = any(e.item.id not in gone and e.state != "dropped" for e in placed.entries)
        for entry in placed.entries:
            if entry.item.card:
                (missed if entry.item.id in gone else kept)[entry.item.card] = None
        if not any(e.item.card for e in placed.entries) and placed.entries:
            (kept if alive else missed).update(dict.fromkeys(placed.stage.cards))
    found = []
    for card in (name for name in missed if name not in kept):
        above = tuple(name for name in kept if name in outline.cards and card in outline.cards[name].prerequisites)
        found.append((card, above))
    return tuple(found)


def _open_cards(table: Timetable) -> list[str]:
    """In the plan's order, which is that of prerequisites."""
    left = {entry.item.id for entry in table.open}
    return [name for name in table.taken.spec["cards"] if name in left]


def _relaid(table: Timetable, **changes: Any) -> Taken:
    spec = {**table.taken.spec, "began": table.taken.began.isoformat(), "left": _open_cards(table), **changes}
    return replace(table.taken, start=table.today, spec=spec)


def _room(table: Timetable) -> tuple[int, int]:
    """Minutes for new cards, and study days, from today until the interview."""
    interview = date.fromisoformat(table.taken.spec["interview"])
    if interview <= table.today:
        return 0, 0
    days = study_days(table.today, interview - timedelta(days=1), table.taken.skips)
    return budget_of(table.today, interview, float(table.taken.spec["hours"]), table.taken.skips), days


def _custom_shift(outline: Outline, table: Timetable) -> Option:
    if not _fits(table):
        needs, has = _apart(table.minutes_left, _room(table)[0])
        why = (
            f"What is open takes {needs}, and until the interview there are {has} for it. "
            "For a later interview: tutor plan custom --interview DATE"
        )
        return Option("shift", why, table.end, 0, None)
    taken = _relaid(table)
    then = _again(outline, None, table, taken)
    return Option("shift", "Everything that is open begins today, and still fits in.", then.end, then.a_day, taken)


def _fits(table: Timetable) -> bool:
    return table.minutes_left <= _room(table)[0]


def _apart(needs: int, has: int) -> tuple[str, str]:
    """Two lengths of time in words that differ, as they do by a minute."""
    words = in_hours(needs), in_hours(has)
    return words if words[0] != words[1] else (f"{needs} min", f"{has} min")


def _custom_squeeze(outline: Outline, table: Timetable) -> Option:
    _, days = _room(table)
    now = float(table.taken.spec["hours"])
    if not days:
        return Option("squeeze", "No study day is left until the interview.", table.end, 0, None)
    if _fits(table):
        why = f"To shift is enough: {now:g} hours a week hold all of it."
        return Option("squeeze", why, table.end, 0, None, needed=False)
    hours, most = hours_for(table.minutes_left, days, table.taken.skips), most_hours(table.taken.skips)
    if hours > most:
        why = f"It would take {hours:g} hours a week; at most {most:g} are planned for."
        return Option("squeeze", why, table.end, 0, None)
    taken = _relaid(table, hours=hours)
    then = _again(outline, None, table, taken)
    return Option("squeeze", f"All of it, in {hours:g} hours a week instead of {now:g}.", then.end, then.a_day, taken)


def _custom_drop(outline: Outline, table: Timetable) -> Option:
    """Keep the first cards that fit: they are the most asked ones, and what they build on stands before them."""
    if _fits(table):
        why = "To shift is enough: nothing has to be given up."
        return Option("drop", why, table.end, 0, None, needed=False)
    budget, spent, keep = _room(table)[0], 0, []
    minutes = {entry.item.id: entry.item.minutes for entry in table.open}
    for name in _open_cards(table):
        spent += minutes[name]
        if spent > budget:
            break
        keep.append(name)
    lost = [entry for entry in table.open if entry.item.id not in keep]
    gone = [*table.taken.spec.get("dropped", ()), *(entry.item.id for entry in lost)]
    taken = _relaid(table, left=keep, dropped=gone)
    then = _again(outline, None, table, taken)
    time = in_hours(sum(e.item.minutes for e in lost))
    why = f"{_things(len(lost))} given up ({time}); the hours stay."
    if not keep:
        why = f"Not even what comes first fits in before the interview: {_things(len(lost))} given up ({time})."
    return Option("drop", why, then.end, then.a_day, taken, tuple(lost), _lost_cards(outline, table, lost))


def _things(count: int) -> str:
    return "1 item is" if count == 1 else f"{count} items are"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
