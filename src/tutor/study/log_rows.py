"""Queries on the entries of the log. Searching 10,000 entries reads what is searched and nothing else of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from tutor.study.entries import LogEntry, Query, finder, folded, of_date
from tutor.study.store import new_id
from tutor.study.tables import Entry

_AT_ONCE = 500  # ids in one query
_COLUMNS = (
    Entry.entry,
    Entry.version,
    Entry.at,
    Entry.written,
    Entry.title,
    Entry.text,
    Entry.tags,
    Entry.cards,
    Entry.item,
    Entry.deleted,
)
_SEARCHED = (Entry.entry, Entry.title, Entry.text, cast(Entry.tags, String), cast(Entry.cards, String), Entry.at)


def noon(day: date) -> datetime:
    """How an entry's day is kept: noon UTC is the same day whatever zone the learner is in later."""
    return datetime.combine(day, time(12), UTC)


def add(session: Session, learner: str, entry: LogEntry) -> None:
    """Store a version."""
    session.add(
        Entry(
            id=new_id(),
            learner=learner,
            at=noon(entry.day),
            entry=entry.id,
            version=entry.version,
            written=entry.written,
            title=entry.title,
            text=entry.text,
            tags=list(entry.tags),
            cards=list(entry.cards),
            item=entry.item,
            deleted=entry.deleted,
        )
    )


def stamp(session: Session, learner: str) -> tuple[Any, ...]:
    """What is another after every change of the log."""
    found = select(func.count(), func.max(Entry.written)).where(Entry.learner == learner)
    return tuple(session.execute(found).one())


def last_written(session: Session, learner: str) -> LogEntry | None:
    """The entry that was written or changed last, of those that are not deleted."""
    query = _newest(learner, _COLUMNS).where(Entry.deleted.is_(False)).order_by(Entry.written.desc(), Entry.id.desc())
    row = session.execute(query.limit(1)).one_or_none()
    return None if row is None else _entry(row)


def beginning_with(session: Session, learner: str, start: str, *, limit: int) -> list[LogEntry]:
    """Entries whose ids begin so, deleted ones too."""
    query = _newest(learner, _COLUMNS).where(Entry.entry.startswith(start, autoescape=True)).order_by(Entry.entry)
    return list(map(_entry, session.execute(query.limit(limit))))


def versions(session: Session, learner: str, entry_id: str) -> list[LogEntry]:
    """All versions of an entry, the newest first."""
    query = select(*_COLUMNS).where(Entry.learner == learner, Entry.entry == entry_id)
    return list(map(_entry, session.execute(query.order_by(Entry.version.desc()))))


def find(session: Session, learner: str, query: Query, *, deleted: bool) -> list[str]:
    """Ids of the entries that fit a query, newest first."""
    tags, cards = ([json.dumps(name) for name in names] for names in (query.tags, query.cards))
    terms, dates = [finder(term) for term in query.terms], [of_date(wanted) for wanted in query.dates]
    found = []
    read = _SEARCHED if terms or dates else (Entry.entry, *[literal("")] * 2, *_SEARCHED[3:])
    for row in session.execute(_fitting(_newest(learner, read), query, deleted=deleted)):
        if all(tag in row[3] for tag in tags) and (not cards or any(card in row[4] for card in cards)):
            text = searched(row) if terms or dates else ""
            if all(term(text) for term in terms) and all(of(text, _day(row[5])) for of in dates):
                found.append(row[0])
    return found


def tags(session: Session, learner: str) -> list[tuple[str, int]]:
    """Tags with how many entries have each, the commonest first, of entries that are not deleted."""
    counts: Counter[str] = Counter()
    query = _newest(learner, (cast(Entry.tags, String),)).where(Entry.deleted.is_(False))
    for (text,) in session.execute(query.where(cast(Entry.tags, String) != "[]")):
        counts.update(json.loads(text))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def texts(session: Session, learner: str) -> Iterator[tuple[str, str]]:
    """Id and folded text of every entry that is not deleted, newest first."""
    for row in session.execute(_fitting(_newest(learner, _SEARCHED), Query(), deleted=False)):
        yield row[0], searched(row)


def searched(row: Row[Any]) -> str:
    """What of an entry is searched: title, text, tags and cards, folded."""
    title, text, tags, cards = (row[at] for at in range(1, 5))
    if "\\u" in tags:
        tags = " ".join(json.loads(tags))
    return folded(f"{title}\n{text}\n{tags}\n{cards}")


def whole(session: Session, learner: str, ids: Sequence[str]) -> list[LogEntry]:
    """The entries of ids, in their order."""
    found: dict[str, LogEntry] = {}
    for at in range(0, len(ids), _AT_ONCE):
        query = _newest(learner, _COLUMNS).where(Entry.entry.in_(ids[at : at + _AT_ONCE]))
        found |= {entry.id: entry for entry in map(_entry, session.execute(query))}
    return [found[name] for name in ids if name in found]


def _newest(learner: str, columns: Sequence[Any]) -> Select[Any]:
    """The newest version of every entry."""
    last = (
        select(Entry.entry.label("entry"), func.max(Entry.version).label("version"))
        .where(Entry.learner == learner)
        .group_by(Entry.entry)
        .subquery()
    )
    both = (Entry.entry == last.c.entry) & (Entry.version == last.c.version)
    return select(*columns).join(last, both).where(Entry.learner == learner)


def _fitting(found: Select[Any], query: Query, *, deleted: bool) -> Select[Any]:
    """Those of a day and an item that a query wants, newest first."""
    wanted: list[ColumnElement[bool]] = [Entry.deleted.is_(deleted)]
    if query.first:
        wanted.append(Entry.at >= noon(query.first))
    if query.last:
        wanted.append(Entry.at <= noon(query.last))
    if query.item:
        wanted.append(or_(Entry.item == query.item, Entry.item.startswith(f"{query.item}/", autoescape=True)))
    return found.where(*wanted).order_by(Entry.at.desc(), Entry.written.desc(), Entry.entry.desc())


def _entry(row: Any) -> LogEntry:
    cards, tags = tuple(row.cards), tuple(row.tags)
    return LogEntry(
        row.entry, row.version, _day(row.at), row.written, row.title, row.text, tags, cards, row.item, bool(row.deleted)
    )


def _day(moment: datetime) -> date:
    """The day of an entry that is kept as ``noon`` has it."""
    return moment.astimezone(UTC).date()
