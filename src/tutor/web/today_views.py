"""The day's list as rows of a page: each with where it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from tutor.curriculum.outline import Outline
from tutor.study.agenda import WRITTEN, Item
from tutor.study.days import day_of
from tutor.study.desk import MOST_MINUTES, Study
from tutor.study.done import Done, done_today, untouched
from tutor.study.timetable import Entry
from tutor.study.today import Line, Today
from tutor.studying import plans_of
from tutor.web.pieces import document_url

_KINDS = {"review": "Recall", "drill": "Drill", "read": "Read", "plan": "Plan"}


@dataclass(frozen=True, slots=True)
class Link:
    """Where something is done; ``away`` is on another site."""

    href: str
    text: str
    away: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. ``links`` are what to do, the first first; ``entry`` is what can be ticked off."""

    kind: str
    label: str
    title: str
    why: str
    minutes: int
    links: tuple[Link, ...]
    plan: str = ""
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Everything of the page. ``due`` questions can be recalled in a round of ``due_min``.

    ``enough``: as much was done as the day has minutes.
    """

    today: date
    found: Today
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...]
    done: Done
    first_visit: bool
    following: bool
    due: int
    due_min: int

    @property
    def enough(self) -> bool:
        return self.done.minutes >= self.found.minutes

    @property
    def ticking(self) -> tuple[str, ...]:
        """The plans of which something can be ticked off."""
        return tuple(dict.fromkeys(row.plan for row in (*self.rows, *self.left_out) if row.entry))


def day_of_study(study: Study, minutes: int | None) -> Day:
    """What the page shows.

    Raises:
        UsageError: minutes out of range.
    """
    found = study.today(minutes)
    tables = plans_of(study).under_way()
    done = done_today(study, tables)
    entries = {(table.taken.plan, entry.item.id): entry for table in tables for entry in table.entries}

    def rows(lines: Sequence[Line]) -> tuple[Row, ...]:
        return tuple(_row(study.outline, line, entries.get((line.plan, line.item))) for line in lines)

    waiting = study.round(MOST_MINUTES)
    return Day(
        day_of(study.clock(), study.zone),
        found,
        rows(found.lines),
        rows(found.left_out),
        done,
        not done.anything and untouched(study),
        bool(tables),
        len(waiting.flashes) + waiting.more,
        -(-sum(flash.seconds for flash in waiting.flashes) // 60),
    )


def _row(outline: Outline, line: Line, entry: Entry | None) -> Row:
    card = line.refs[0].split("/", 1)[0] if line.refs else ""
    links: list[Link] = []
    if line.kind == "plan":
        own = links_of(entry.item, log_item(outline, line.plan, entry.stage)) if entry else ()
        links = [*own, Link(f"/plan/{line.plan}#{line.item}", "See the plan")]
    elif line.kind == "review":
        links = [Link(f"/review?{urlencode({'card': card})}", "Recall")]
    else:
        ask = next((p.ask for p in outline.cards[card].probes if p.id == line.probe), "")
        drill = drill_link(ask) if ask else Link(document_url(card), "Check it")
        links = [Link(document_url(card), "Read"), Link(drill.href, "Then drill")] if line.kind == "read" else [drill]
    if line.aside:
        links = [*links, Link(f"/review/aside?{urlencode({'ref': line.aside})}", "Set aside")]
    return Row(line.kind, _KINDS[line.kind], line.title, line.why, line.minutes, tuple(links), line.plan, entry)


def drill_link(request: str, text: str = "Drill") -> Link:
    """A drill on a card, or the very question that is given."""
    return Link(f"/drill?{urlencode({'request': request})}", text)


def log_item(outline: Outline, plan: str, stage: str) -> str:
    """What an entry of the log belongs to that is written for a step of a plan; empty where the log has none for it."""
    line = outline.plans.get(plan)
    found = next((s for step in (line.steps if line else ()) for s in (step, *step.parts) if s.id == stage), None)
    return (found.covers[0] if found.covers else f"{plan}/{stage}") if found else ""


def links_of(item: Item, written_for: str) -> tuple[Link, ...]:
    """Where an item of a plan is done; nothing for what is done with one's hands.

    Args:
        item: of a plan.
        written_for: what an entry of the log about it belongs to, as ``log_item`` gives it.
    """
    if item.card:
        return Link(document_url(item.card), "Read"), drill_link(item.card)
    if item.doc_id:
        return (Link(document_url(item.doc_id), "Read"),)
    if item.link:
        return (Link(item.link, "Watch" if item.kind == "video" else "Open", away=True),)
    if item.kind in WRITTEN:
        return (Link(f"/log/new?{urlencode({'item': written_for})}", "Write it in the log"),)
    return ()
