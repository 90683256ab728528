"""What can still be read of a damaged SQLite file, brought into a sound one.

Rows carry ids that are the same everywhere and are hardly ever changed, so that those a backup lacks can be added to it
without asking which of two is right.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def salvage(damaged: Path, sound: Path) -> int:
    """Add to ``sound`` the rows of ``damaged`` that can be read and that it lacks; how many.

    Nothing of the damaged file is changed. A row whose page is broken is left out, as is one that fits nowhere.
    """
    total = 0
    with closing(sqlite3.connect(sound)) as to:
        to.execute("PRAGMA foreign_keys=ON")
        names = [r[0] for r in to.execute("SELECT name FROM sqlite_master WHERE type='table' AND sql NOT NULL")]
        names = [name for name in names if not name.startswith("sqlite_") and name != "alembic_version"]
        for name in sorted(names, key=lambda name: name != "learners"):  # what others belong to comes first
            columns = [row[1] for row in to.execute(f'PRAGMA table_info("{name}")')]
            marks = ", ".join("?" * len(columns))
            for row in _rows(damaged, name, columns):
                with suppress(sqlite3.Error):
                    newest = _newest(to, name, columns, row)
                    verb = "REPLACE" if newest else "IGNORE"
                    total += to.execute(f'INSERT OR {verb} INTO "{name}" VALUES ({marks})', newest or row).rowcount
        to.commit()
    return total


def _newest(
    to: sqlite3.Connection, name: str, columns: list[str], row: tuple[object, ...]
) -> tuple[object, ...] | None:
    """The later state of a row and the one with its id; None where there is none, or that is the one already.

    What FSRS knows is kept in one row for each thing. Setting that aside is no review of it: of two words on that the
    later one is told by their own times, as in ``merge``.
    """
    if not {"id", "at"} <= set(columns):
        return None
    when = "changed" if "changed" in columns else "at"
    listed = ", ".join(f'"{column}"' for column in columns)
    found = to.execute(f'SELECT {listed} FROM "{name}" WHERE id = ?', (row[columns.index("id")],)).fetchone()
    if found is None:
        return None
    read, there = dict(zip(columns, row, strict=True)), dict(zip(columns, found, strict=True))
    newest = dict(read if str(read[when]) > str(there[when]) else there)
    if "suspended_at" in columns:
        said = read if _said_aside(read) > _said_aside(there) else there
        newest |= {"suspended": said["suspended"], "suspended_at": said["suspended_at"]}
    return tuple(newest.values()) if newest != there else None


def _said_aside(row: dict[str, object]) -> str:
    """When it was last set aside or taken back, empty where never. An early version kept no time: after the review."""
    return str(row["suspended_at"] or (row["at"] if row["suspended"] else ""))


def _rows(path: Path, name: str, columns: list[str]) -> list[tuple[object, ...]]:
    """The rows of a table from its start to the first hole, and from its end back to the last one."""
    found: dict[int, tuple[object, ...]] = {}
    listed = ", ".join(f'"{column}"' for column in columns)
    for order in ("ASC", "DESC"):
        query = f'SELECT rowid, {listed} FROM "{name}" NOT INDEXED ORDER BY rowid {order}'
        with (
            suppress(sqlite3.Error, UnicodeError),
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        ):
            for row in source.execute(query):
                found[row[0]] = row[1:]
    return [found[key] for key in sorted(found)]
