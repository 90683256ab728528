"""Rows of an export brought into the store: what is new is added, the newest version of a row stays, nothing is lost.

Rows are the same where their ids are, or what makes them unique (a drill's task, a review's source).
Two machines may have written the same version of a log entry: both are kept, numbered in the order of their writing.
What both have reviewed since they parted is replayed, so that what FSRS knows rests on all of it. Notes on a card that
both have written stand one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from tutor.study.notes import both
from tutor.study.reviews import replay
from tutor.study.rows import LEARNERS, TABLES, Row
from tutor.study.tables import Review

T = TypeVar("T")

#: What makes a row unique besides its id.
KEYS: Mapping[str, tuple[str, ...]] = {
    "card_notes": ("card",),
    "drilled": ("session", "task"),
    "memory": ("ref",),
    "reviews": ("ref", "source"),
    "conversations": ("conversation",),
}
_ASIDE = 1_000_000  # where versions wait while they are numbered anew
_CHUNK = 500


@dataclass(slots=True)
class Counts:
    """How many rows or files of a part were new, were there already as they are or newer, or replaced an older one."""

    new: int = 0
    kept: int = 0
    replaced: int = 0

    @property
    def changes(self) -> int:
        return self.new + self.replaced


@dataclass(slots=True)
class _Plan:
    """What is to be written to a table: rows that are new, and by id what changes of a row."""

    new: list[Row] = field(default_factory=list)
    changed: dict[str, Row] = field(default_factory=dict)


def merge(
    session: Session, learner: str, tables: Mapping[str, Sequence[Row]], *, retention: float, zone: ZoneInfo
) -> dict[str, Counts]:
    """Bring rows, as ``rows.read`` gives them, into the learner's; what became of them, by table.

    Args:
        session: one that writes; the learner's row is there.
        learner: whose they become.
        tables: the rows by table.
        retention: the probability of recall at which a review is due, in (0, 1).
        zone: the learner's.
    """
    query = select(Review.ref, Review.source).where(Review.learner == learner)
    before = {(row.ref, row.source) for row in session.execute(query)}
    counts = {name: _merge(session, learner, table, tables.get(name, ())) for name, table in TABLES.items()}
    _replay(session, learner, before, tables.get("reviews", ()), retention=retention, zone=zone)
    return counts


def merge_learner(session: Session, learner: str, given: Row) -> Counts:
    """Fill in of the learner's own row what is still empty; the rest is a setting of this machine."""
    mine = session.execute(select(LEARNERS).where(LEARNERS.c.id == learner)).mappings().one()
    if mine["name"] or not given["name"]:
        return Counts(kept=1)
    session.execute(update(LEARNERS).where(LEARNERS.c.id == learner).values(name=given["name"]))
    return Counts(replaced=1)


def _merge(session: Session, learner: str, table: Table, given: Sequence[Row]) -> Counts:
    mine = {row["id"]: row for row in _rows(session, learner, table)}
    key = KEYS.get(table.name, ())
    by_key = {tuple(row[k] for k in key): row for row in mine.values()} if key else {}
    others = _others(session, learner, table, [row["id"] for row in given])
    plan, counts = _Plan(), Counts()
    for one in given:
        row = dict(one)  # versions are numbered below, and what was given stays as it is
        if row["id"] in others:  # the same export was brought in by another learner of this database
            row["id"] = sha256(f"{learner}\x00{row['id']}".encode()).hexdigest()[:32]
        found = mine.get(row["id"]) or (by_key.get(tuple(row[k] for k in key)) if key else None)
        if found is None:
            mine[row["id"]] = row
            if key:
                by_key[tuple(row[k] for k in key)] = row
            plan.new.append(row)
            counts.new += 1
        elif table.name == "card_notes":
            if (text := both(found["text"], row["text"])) == found["text"]:
                counts.kept += 1
                continue
            change = {"text": text, "version": found["version"] + 1, "at": max(found["at"], row["at"])}
            found.update(change)
            if found not in plan.new:
                plan.changed[found["id"]] = change
            counts.replaced += 1
        elif change := _change(table.name, row, found):
            found.update(change)
            if found not in plan.new:
                plan.changed[found["id"]] = change
            counts.replaced += 1
        else:
            counts.kept += 1
    if table.name == "entries":
        _number(session, table, mine, plan)
    for chunk in _chunks(plan.new):
        session.execute(insert(table), [{**row, "learner": learner} for row in chunk])
    for name, change in plan.changed.items():
        session.execute(update(table).where(table.c.id == name).values(**change))
    return counts


def _change(table: str, given: Row, found: Row) -> Row:
    """What changes of a row by one that was given; empty where it stays as it is.

    Setting something aside is no review of it: which of two words on that is the later one is told by their own times.
    """
    apart = ("suspended", "suspended_at") if table == "memory" else ()
    kept = ("id", *KEYS.get(table, ()), "version", *apart)
    change = {name: value for name, value in given.items() if name not in kept} if _newer(table, given, found) else {}
    if apart and (said := _said_aside(given)) and said > (_said_aside(found) or datetime.min.replace(tzinfo=UTC)):
        change |= {name: given[name] for name in apart}
    return change


def _said_aside(row: Row) -> datetime | None:
    """When it was last set aside or taken back. An early version kept no time: then it was after the last review."""
    said: datetime | None = row["suspended_at"] or (row["at"] if row["suspended"] else None)
    return said


def _newer(table: str, given: Row, found: Row) -> bool:
    """Whether a row is a later state of the one that is there. Of two of the same time the one that is there stays."""
    if table == "entries":
        return bool(given["written"] > found["written"])
    if table in ("conversations", "turns"):
        return bool(given["changed"] > found["changed"])
    if table == "memory":
        return bool((given["at"], given["reps"]) > (found["at"], found["reps"]))
    return bool(given["at"] > found["at"])


def _number(session: Session, table: Table, mine: Mapping[str, Row], plan: _Plan) -> None:
    """Number the versions of entries anew of which one number stands for two."""
    of: dict[str, list[Row]] = {}
    for row in mine.values():
        of.setdefault(row["entry"], []).append(row)
    new = {row["id"] for row in plan.new}
    for rows in of.values():
        if len({row["version"] for row in rows}) == len(rows):
            continue
        for number, row in enumerate(sorted(rows, key=lambda r: (r["written"], r["version"], r["id"])), 1):
            if row["id"] not in new:
                aside = update(table).where(table.c.id == row["id"])
                session.execute(aside.values(version=table.c.version + _ASIDE))
                plan.changed.setdefault(row["id"], {})["version"] = number
            row["version"] = number


def _replay(
    session: Session,
    learner: str,
    before: set[tuple[str, str]],
    given: Sequence[Row],
    *,
    retention: float,
    zone: ZoneInfo,
) -> None:
    theirs = {(row["ref"], row["source"]) for row in given}
    gained, had = {ref for ref, _ in theirs - before}, {ref for ref, _ in before - theirs}
    parted = gained & had
    if not parted:
        return
    replay(session, learner, parted, retention=retention, zone=zone)
    session.flush()


def _rows(session: Session, learner: str, table: Table) -> Iterator[Row]:
    columns = [column for column in table.columns if column.name != "learner"]
    for row in session.execute(select(*columns).where(table.c.learner == learner)).mappings():
        yield dict(row)


def _others(session: Session, learner: str, table: Table, ids: Sequence[str]) -> set[str]:
    """Which ids are those of another learner's rows."""
    found: set[str] = set()
    for chunk in _chunks(ids):
        found |= set(session.scalars(select(table.c.id).where(table.c.id.in_(chunk), table.c.learner != learner)))
    return found


def _chunks(of: Sequence[T]) -> Iterator[Sequence[T]]:
    """Parts of a size that every database takes in one statement."""
    return (of[start : start + _CHUNK] for start in range(0, len(of), _CHUNK))
