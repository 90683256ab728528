"""What the store keeps of a learner, read without SQLAlchemy: loading that takes longer than all of ``tutor today``.

Only where there is nothing to do but read: a sound SQLite file of this version's schema, whose learner is known. In
every other case, and whatever goes wrong, the answer is None, and the store is opened, which mends, tells or refuses.
The rows are those that ``reviews``, ``records`` and ``taken`` read through SQLAlchemy; a test holds them side by side.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.errors import StudyFault
from tutor.study import backups
from tutor.study.evidence import GradedTask, Noted
from tutor.study.held import OPENING, identity, is_open
from tutor.study.revision import HEAD
from tutor.study.schedule import Item
from tutor.study.standing import Kept

if TYPE_CHECKING:
    from tutor.study.followed import Followed

_BUSY_S = 1  # a reader hardly ever waits; whoever has to is told by the store, which waits longer
_ITEMS = """SELECT ref, state, step, stability, difficulty, due, at, reps, lapses, suspended
    FROM memory WHERE learner = ? ORDER BY ref"""
_TASKS = """SELECT session, task, card, probe, kind, verdict, score, points, rating, seconds, at, views
    FROM drilled WHERE learner = ? ORDER BY at, session, task"""
_MARKS = "SELECT card, status, why, at, note FROM marks WHERE learner = ? ORDER BY at, id"
_RATED = """SELECT reviews.ref, reviews.rating, reviews.at FROM reviews
    JOIN memory ON reviews.learner = memory.learner AND reviews.ref = memory.ref AND reviews.at = memory.at
    WHERE memory.learner = ? ORDER BY reviews.id"""
_PLANS = "SELECT id, plan, at, start, pace, skips, spec, active FROM plans WHERE learner = ? ORDER BY at, id"
_TICKS = "SELECT item, at, done FROM ticks WHERE learner = ? AND plan = ? ORDER BY at, id"


def glance(path: Path, learner: str, *, now: datetime, keep: int) -> Kept | None:
    """What a SQLite file keeps of a learner, with the plans under way; the day's backup is made as when it is opened.

    Args:
        path: the file.
        learner: whose rows are meant.
        now: the time, with a time zone.
        keep: how many daily backups are kept.

    Returns:
        None where the store has to be opened for it.
    """
    with OPENING:
        if is_open(identity(path)) or not path.is_file() or not os.access(path.parent, os.W_OK):
            return None
        try:
            if backups.damage(path):
                return None
            with closing(_connected(path)) as connection:
                connection.execute("BEGIN")  # one state of the database
                kept = _kept(connection, learner) if _ready(connection, learner) else None
            if kept is not None:
                backups.daily(path, now, keep=keep)
        except (sqlite3.Error, OSError, StudyFault, ArithmeticError, LookupError, TypeError, ValueError):
            return None  # a fault, or a row that makes no sense: the store has the words and the means for it
    return kept


def _connected(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"  # "rw" makes no file where there is none
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)


def _ready(connection: sqlite3.Connection, learner: str) -> bool:
    """Whether there is nothing to bring up to date, and nobody to take up."""
    found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    known = connection.execute("SELECT 1 FROM learners WHERE id = ?", (learner,)).fetchone()
    return found == [(HEAD,)] and known is not None


def _kept(connection: sqlite3.Connection, learner: str) -> Kept:
    def rows(query: str) -> Iterator[Any]:
        return connection.execute(query, (learner,))

    items = [
        Item(ref, state, step, stability, difficulty, _instant(due), _instant(at), reps, lapses, bool(suspended))
        for ref, state, step, stability, difficulty, due, at, reps, lapses, suspended in rows(_ITEMS)
    ]
    tasks = {(task.session, task.task): task for task in map(_task, rows(_TASKS))}
    marks = [Noted(card, status, why, _instant(at), note) for card, status, why, at, note in rows(_MARKS)]
    rated = {ref: (rating, _instant(at)) for ref, rating, at in rows(_RATED)}
    return Kept(items, tasks, marks, rated, _followed(connection, learner))


def _followed(connection: sqlite3.Connection, learner: str) -> Followed:
    rows = connection.execute(_PLANS, (learner,)).fetchall()
    if not rows:
        return {}
    from tutor.study.followed import PlanRow, active_of, since_of, ticked_of

    plans = active_of(
        PlanRow(id, plan, _instant(at), date.fromisoformat(start), pace, json.loads(skips), json.loads(spec), bool(on))
        for id, plan, at, start, pace, skips, spec, on in rows
    )
    found = {}
    for name, taken in plans.items():
        ticks = connection.execute(_TICKS, (learner, name))
        found[name] = taken, ticked_of(((item, _instant(at), bool(done)) for item, at, done in ticks), since_of(taken))
    return found


def _task(row: Sequence[Any]) -> GradedTask:
    session, task, card, probe, kind, verdict, score, points, rating, seconds, at, views = row
    said, own = json.loads(points), json.loads(views)
    return GradedTask(session, task, card, probe, kind, verdict, score, said, rating, seconds, _instant(at), own)


def _instant(text: str) -> datetime:
    """A time as SQLAlchemy keeps it in SQLite: UTC, and no word of that."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
