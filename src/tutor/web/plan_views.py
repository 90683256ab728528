"""A plan as its page shows it: steps with where they are done, how far one is, and what catching up comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tutor.curriculum.outline import Outline
from tutor.errors import UsageError
from tutor.study.catchup import Option
from tutor.study.desk import Study
from tutor.study.entries import LogEntry, Query
from tutor.study.log import LogBook
from tutor.study.pacing import Skips
from tutor.study.plans import Plans
from tutor.study.timetable import Entry, Placed, Timetable
from tutor.web.page_words import day_words, span_words
from tutor.web.today_views import Link, links_of, log_item

KINDS = {
    "card": "Card",
    "notes": "Notes",
    "video": "Video",
    "reading": "Reading",
    "exercise": "Exercise",
    "problem": "Problem",
    "reflection": "Reflection",
    "practice": "Practice",
    "build": "Build",
    "systems": "Systems",
    "foundations": "Foundations",
    "log": "Log",
    "capstone": "Capstone",
    "topic": "",
}
UNITS = {"day": "days", "week": "weeks", "month": "months", "section": "sections, in any order", "custom": "weeks"}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item: ``kind`` in words; ``links`` are where it is done, the first first."""

    entry: Entry
    kind: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A step's own items, or those of a part of it; ``cards`` go deeper, each (id, title)."""

    placed: Placed
    when: str
    goal: str
    items: tuple[ItemRow, ...]
    cards: tuple[tuple[str, str], ...]
    current: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its parts; ``anchors`` are the fragments that lead to it, as day-05 and day-5.

    ``state`` is done, late, now, open, free (without dates) or beyond. ``written`` are log entries that belong to it.
    """

    placed: Placed
    number: str
    when: str
    percent: int
    done: int
    of: int
    late: int
    minutes: int
    state: str
    anchors: tuple[str, ...]
    parts: tuple[Part, ...]
    written: tuple[LogEntry, ...]
    log_item: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stands: ``week`` of ``weeks`` from the start on, 0 where there are none; minutes of a study day left.

    ``ahead`` counts items that were done before their day, where nothing is late.
    """

    week: int
    weeks: int
    a_day: int
    ahead: int
    begins: date | None
    skipped: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Everything of a plan's page. ``ways`` are those to catch up; empty where nothing is late."""

    table: Timetable
    steps: tuple[Step, ...]
    standing: Standing
    ways: tuple[Option, ...]
    now: str


def plan_page(study: Study, plans: Plans, table: Timetable, written: Mapping[str, Sequence[LogEntry]]) -> PlanPage:
    """A plan as its page shows it.

    Args:
        study: the desk.
        plans: of the learner.
        table: the plan, under way or not.
        written: log entries by step, as ``entries_for`` finds them.
    """
    current = table.current() if table.taken.active else None
    now = current.stage.inside or current.stage.id if current else ""
    steps = tuple(
        _step(study.outline, table, placed, number, now, current, written)
        for number, placed in enumerate(table.steps, 1)
    )
    return PlanPage(table, steps, _standing(table), tuple(_ways(plans, table)), now)


def entries_for(book: LogBook, outline: Outline, table: Timetable) -> dict[str, list[LogEntry]]:
    """The log's entries by the step that they belong to, the earliest first: of months, which end in one; of others
    the step that today is in."""
    line = outline.plans.get(table.taken.plan)
    now = table.current()
    found: dict[str, list[LogEntry]] = {}
    for step in line.steps if line else ():
        if table.unit == "month" or (now and step.id in (now.stage.id, now.stage.inside)):
            items = (*step.covers, f"{table.taken.plan}/{step.id}")
            entries = {entry.id: entry for item in items for entry in book.entries(Query(item=item))}
            found[step.id] = sorted(entries.values(), key=lambda e: (e.day, e.written))
    return found


def title_of(table: Timetable) -> str:
    """What a plan is called, with the day of an interview as people say it."""
    if not table.taken.custom:
        return table.title
    return f"Your plan for {day_words(date.fromisoformat(table.taken.spec['interview']), table.today)}"


def _step(
    outline: Outline,
    table: Timetable,
    placed: Placed,
    number: int,
    now: str,
    current: Placed | None,
    written: Mapping[str, Sequence[LogEntry]],
) -> Step:
    stage = placed.stage
    inside = table.of_step(stage.id)
    entries = [entry for one in inside for entry in one.entries if entry.state != "dropped"]
    done = sum(entry.state == "done" for entry in entries)
    late = sum(entry.state == "late" for entry in entries)
    state = "open"
    if placed.beyond:
        state = "beyond"
    elif entries and done == len(entries):
        state = "done"
    elif late:
        state = "late"
    elif stage.id == now:
        state = "now"
    elif placed.span is None:
        state = "free"
    parts = tuple(_part(outline, table, one, current is one) for one in inside)
    return Step(
        placed,
        _number(stage.id, number),
        span_words(placed.span.first, placed.span.last, table.today) if placed.span else "",
        table.step_percent(stage.id),
        done,
        len(entries),
        late,
        sum(e.item.minutes for e in entries if e.state != "done"),
        state,
        tuple(dict.fromkeys((stage.id, stage.id.replace("-0", "-")))),
        parts,
        tuple(written.get(stage.id, ())),
        log_item(outline, table.taken.plan, stage.id),
    )


def _number(step: str, number: int) -> str:
    """What the overview calls a step: "5" for day-05, "4-5" for weeks-4-5."""
    digits = [part.lstrip("0") for part in step.replace("m", "m-", 1).split("-") if part.isdecimal() and int(part)]
    return "-".join(digits) or str(number)


def _part(outline: Outline, table: Timetable, placed: Placed, current: bool) -> Part:
    stage = placed.stage
    studied = any(entry.item.card for entry in placed.entries)
    cards = () if studied else tuple((name, outline.cards[name].title) for name in stage.cards if name in outline.cards)
    written_for = log_item(outline, table.taken.plan, stage.id)
    rows = tuple(
        ItemRow(entry, KINDS.get(entry.item.kind, entry.item.kind), links_of(entry.item, written_for))
        for entry in placed.entries
    )
    when = span_words(placed.span.first, placed.span.last, table.today) if placed.span and stage.inside else ""
    goal = "" if any(entry.item.title == stage.goal for entry in placed.entries) else stage.goal
    return Part(placed, when, goal, rows, cards, current)


def _standing(table: Timetable) -> Standing:
    one = table.taken
    if table.end is None:
        return Standing(0, 0, 0, 0, None, "")
    weeks = (table.end - one.began).days // 7 + 1
    week = (table.today - one.began).days // 7 + 1
    early = [e for e in table.entries if e.state == "done" and e.due is not None and e.due > table.today]
    return Standing(
        min(max(week, 0), weeks),
        weeks,
        table.a_day,
        0 if table.late else len(early),
        one.start if one.start > table.today else None,
        skips_words(one.skips, table.today),
    )


def skips_words(skips: Skips, today: date) -> str:
    """The days without study, those that have gone by left out: "Sat, Sun; Thu 24 Dec to Sat 26 Dec"."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    said = [", ".join(names[n] for n in sorted(skips.weekdays))] if skips.weekdays else []
    return "; ".join([*said, *(span_words(first, last, today) for first, last in runs(skips, today))])


def runs(skips: Skips, today: date) -> list[tuple[date, date]]:
    """The dates without study from today on, as runs of days."""
    found: list[tuple[date, date]] = []
    for day in sorted(day for day in skips.dates if day >= today):
        if found and (day - found[-1][1]).days == 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _ways(plans: Plans, table: Timetable) -> list[Option]:
    if not table.taken.active or table.unit == "section":
        return []
    try:
        return plans.ways(table.taken.plan)
    except UsageError:  # nothing is late
        return []
