"""Parts of a timetable by name or number: a step, a week, a month, an item."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches

from tutor.errors import NotFound, UsageError
from tutor.study.timetable import Entry, Placed, Timetable


def of_step(table: Timetable, step: str) -> list[Placed]:
    """A step with its parts.

    Raises:
        NotFound: the plan has none of this id.
    """
    wanted = step_named(table, step)
    if wanted and (found := table.of_step(wanted)):
        return found
    names = [placed.stage.id for placed in table.steps]
    some = ", ".join(names if len(names) <= 16 else [*names[:3], "…", names[-1]])
    raise NotFound(f"no step is called '{wanted[:60]}'", about=table.taken.plan, fix=f"Known: {some}.")


def step_named(table: Timetable, text: str) -> str:
    """The id of the step that a text names, also without zeros ("day-5") or as the log calls it ("month/1/week/2");
    the text in small letters where there is none."""
    wanted = text.strip().lower().removeprefix(f"{table.taken.plan}/")
    names = [placed.stage.id for placed in table.placed]
    if wanted in names:
        return wanted
    alike = [name for name in names if _parts(name) == _parts(wanted)]
    return alike[0] if len(alike) == 1 else wanted


def _parts(name: str) -> list[str]:
    """The words and numbers of a name: "d", "5" of day-05, "m", "1", "w", "2" of month/1/week/2 and m1-w2."""
    short = {"day": "d", "days": "d", "week": "w", "weeks": "w", "month": "m", "months": "m"}
    found = re.findall(r"[a-z]+|[0-9]+", name)
    return [part.lstrip("0") or "0" if part.isdecimal() else short.get(part, part) for part in found]


def of_month(table: Timetable, number: int) -> list[Placed]:
    """The ``number``-th step of a plan by months, from 1.

    Raises:
        NotFound: the plan has no months, or not so many.
    """
    if table.unit != "month" or not 1 <= number <= len(table.steps):
        months = f"It has {len(table.steps)}." if table.unit == "month" else "It has none; see --step."
        raise NotFound(f"there is no month {number}", about=table.taken.plan, fix=months)
    return of_step(table, table.steps[number - 1].stage.id)


def of_week(table: Timetable, number: int) -> list[Placed]:
    """What a week from the plan's start on holds, from 1: the items due in it, or the stages that it lies in.

    Raises:
        NotFound: the plan has no dates, or ends before.
    """
    if table.end is None:
        raise NotFound(f"there is no week {number}", about=table.taken.plan, fix="Its order is free; see --step.")
    start = table.taken.start
    weeks = (table.end - start).days // 7 + 1
    if not 1 <= number <= weeks:
        raise NotFound(f"there is no week {number}", about=table.taken.plan, fix=f"It has {weeks}.")
    first = start + timedelta(days=7 * (number - 1))
    last = first + timedelta(days=6)
    found = []
    for placed in table.placed:
        due = tuple(entry for entry in placed.entries if entry.due and first <= entry.due <= last)
        if due and table.unit != "month":
            found.append(replace(placed, entries=due))
        elif (
            table.unit == "month"
            and placed.span
            and placed.entries
            and placed.span.first <= last
            and placed.span.last >= first
        ):
            found.append(placed)
    return found


def entries_of(table: Timetable, text: str) -> list[Entry]:
    """The entries that a name stands for: an item's id, a step's, or an item's last part where it is the only one.

    A step may be named in any way that ``step_named`` knows, alone or before an item's last part.

    Raises:
        NotFound: nothing is called so; the nearest names are told.
        UsageError: several items are.
    """
    wanted = text.strip().lower()
    by_id = {entry.item.id: entry for entry in table.entries}
    if wanted in by_id:
        return [by_id[wanted]]
    head, _, tail = wanted.rpartition("/")
    if (named := f"{step_named(table, head)}/{tail}") in by_id:
        return [by_id[named]]
    if wanted and (placed := table.of_step(step_named(table, wanted))):
        return [entry for one in placed for entry in one.entries]
    tails = [entry for name, entry in by_id.items() if name.rsplit("/", 1)[-1] == wanted]
    if len(tails) == 1:
        return tails
    plan = table.taken.plan
    if tails:
        some = ", ".join(entry.item.id for entry in tails[:3])
        raise UsageError(f"'{wanted}' is the name of {len(tails)} items", about=plan, fix=f"Say which: {some} …")
    near = get_close_matches(wanted, [*by_id, *(p.stage.id for p in table.placed)], n=3, cutoff=0.5)
    fix = f"Did you mean: {', '.join(near)}?" if near else f"tutor plan show {plan} names them."
    raise NotFound(f"no item is called '{wanted[:60]}'", about=plan, fix=fix)
