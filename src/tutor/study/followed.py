"""The plans that a learner follows, from their rows in the store: what is ticked off, what comes next. Pure.

Rows are only added: the newest of a plan and of an item counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tutor.curriculum.outline import Outline
from tutor.study.agenda import WRITTEN
from tutor.study.pacing import skips_of
from tutor.study.timetable import CUSTOM, OWN, Taken, Timetable, timetable

if TYPE_CHECKING:
    from tutor.study.today import Next

_MOST_NEXT = 8  # items of a plan that are asked for on one day
_AHEAD = timedelta(days=7)  # what is due later is not asked for yet, unless nothing else is

#: By plan: how it was taken up, and when each item was ticked off.
Followed = Mapping[str, tuple[Taken, Mapping[str, datetime]]]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of the table of plans."""

    id: str
    plan: str
    at: datetime
    start: date
    pace: float
    skips: Sequence[str]
    spec: Mapping[str, Any]
    active: bool

    def taken(self) -> Taken:
        return Taken(self.id, self.plan, self.at, self.start, self.pace, skips_of(self.skips), self.spec, self.active)


def active_of(rows: Iterable[PlanRow]) -> dict[str, Taken]:
    """The plans under way by their ids, the earliest taken up first; ``rows`` come as they were added."""
    newest: dict[str, PlanRow] = {}
    for row in rows:
        newest.pop(row.plan, None)
        newest[row.plan] = row
    # A plan of one's own that lacks what makes it one, as after an import from elsewhere, cannot be shown.
    whole = [row for row in newest.values() if row.plan != CUSTOM or row.spec.keys() >= OWN]
    found = [row.taken() for row in whole if row.active]
    return {taken.plan: taken for taken in sorted(found, key=lambda t: (t.began, t.plan))}


def since_of(one: Taken) -> datetime | None:
    """The instant before which ticks do not count; None where all do."""
    return datetime.fromisoformat(one.spec["since"]) if one.spec.get("since") else None


def ticked_of(rows: Iterable[tuple[str, datetime, bool]], since: datetime | None = None) -> dict[str, datetime]:
    """When each item was ticked off, without those taken back, and those before ``since``.

    Args:
        rows: item, time, and whether it was ticked off or taken back, as they were added.
        since: an instant; None for all.
    """
    found: dict[str, datetime] = {}
    for item, at, done in rows:
        found.pop(item, None)
        if done and (since is None or at >= since):
            found[item] = at
    return found


def tables_of(outline: Outline, followed: Followed, today: date, mastered: Collection[str] = ()) -> list[Timetable]:
    """The plans that are followed, laid out; one that the curriculum has no more stays in the store, not shown."""
    known = {name: both for name, both in followed.items() if both[0].custom or name in outline.plans}
    return [table_of(outline, taken, ticks, today, mastered) for taken, ticks in known.values()]


def table_of(
    outline: Outline, taken: Taken, ticks: Mapping[str, datetime], today: date, mastered: Collection[str] = ()
) -> Timetable:
    """A plan with its dates on the learner's day ``today``; cards that are mastered count as done.

    Raises:
        KeyError: the curriculum has no such plan.
    """
    return timetable(outline, None if taken.custom else outline.plans[taken.plan], taken, ticks, today, mastered)


def next_items(tables: Iterable[Timetable], mastered: Collection[str] = ()) -> list[Next]:
    """What plans ask for on their day, the latest first: what is due, then what comes within the next week.

    Cards that are mastered are not asked for, ticked off or not; of a plan whose interview is over, only that it is.
    """
    from tutor.study.today import Next  # loads FSRS, which nothing else here needs

    found = []
    for table in tables:
        if table.unit == "section" or table.taken.start > table.today:
            continue
        if table.over:
            done = f"{table.done} of {len(table.counted)} done"
            note = f"its interview is over, {done}: end it, or make another with tutor plan custom"
            found.append(Next(table.taken.plan, table.title, "", (), 1, note=note))
            continue
        soon = table.today + _AHEAD
        waiting = [entry for entry in table.open if entry.item.card not in mastered]
        due = sorted((e for e in waiting if e.due and e.due <= soon), key=lambda e: e.due or soon)
        titles = {placed.stage.id: placed.stage.title for placed in table.placed}
        for entry in due[:_MOST_NEXT] or waiting[:1]:
            item = entry.item
            where = titles[entry.stage].split(":")[0]
            title = f"{where}: {item.title}" if item.card else f"{where}, {item.kind}: {item.title}"
            late = (table.today - entry.due).days if entry.due else 0
            cards = (item.card,) if item.card else ()
            how = "" if item.card else f"tutor plan show {table.taken.plan} --step {entry.stage}"
            if item.kind in WRITTEN:
                how = f"tutor log --item {table.taken.plan}/{entry.stage}"
            found.append(Next(table.taken.plan, title, item.id, cards, item.minutes, late, how))
    return sorted(found, key=lambda n: -n.late_days)
