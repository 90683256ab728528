"""A plan as an iCalendar file (RFC 5545), for any calendar: an all-day event for each step, or each day with cards."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from tutor.errors import UsageError
from tutor.study.timetable import Placed, Timetable

_DAY = timedelta(days=1)


def as_calendar(table: Timetable, *, now: datetime) -> bytes:
    """The plan's calendar; an event has the same name in every export, so that a second one replaces the first.

    Raises:
        UsageError: the plan's order is free, so it has no dates.
    """
    if table.end is None:
        raise UsageError("it has no dates, its order is free", about=table.taken.plan, fix="Export another plan.")
    calendar = Calendar()
    calendar.add("prodid", "-//tutor//study plans//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", table.title)
    for placed in table.placed:
        if placed.span is None or not placed.entries:
            continue
        for first, last, name, title, lines in _events(table, placed):
            event = Event()
            event.add("uid", f"{table.taken.plan}.{name}@tutor")
            event.add("dtstamp", now)
            event.add("dtstart", first)
            event.add("dtend", last + _DAY)  # exclusive, section 3.6.1
            event.add("summary", title)
            event.add("description", "\n".join(lines))
            event.add("transp", "TRANSPARENT")  # a plan does not make anybody busy
            event.add("categories", ["tutor"])
            calendar.add_component(event)
    if table.taken.custom:
        interview = Event()
        day = date.fromisoformat(table.taken.spec["interview"])
        interview.add("uid", "custom.interview@tutor")
        interview.add("dtstamp", now)
        interview.add("dtstart", day)
        interview.add("dtend", day + _DAY)
        interview.add("summary", "Interview")
        calendar.add_component(interview)
    return bytes(calendar.to_ical())


def _events(table: Timetable, placed: Placed) -> list[tuple[date, date, str, str, list[str]]]:
    """A day's step is one event; of weeks each day with something due has one; of a month each part, or it whole."""
    assert placed.span is not None
    marks = {"done": "[x]", "dropped": "[-]"}

    def lines(day: date | None = None) -> list[str]:
        return [
            f"{marks.get(e.state, '[ ]')} {e.item.title}" + (f" ({e.item.link})" if e.item.link else "")
            for e in placed.entries
            if day is None or e.due == day
        ]

    title = placed.stage.title
    if table.unit in ("day", "month"):
        return [(placed.span.first, placed.span.last, placed.stage.id, title, lines())]
    days = sorted({entry.due for entry in placed.entries if entry.due})
    return [(day, day, f"{placed.stage.id}.{n}", title, lines(day)) for n, day in enumerate(days, 1)]
