"""Copies of the SQLite file: one a day, one before each migration; and going back to the last good one."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from tutor.errors import StudyDamaged

_DAILY = re.compile(r"daily-\d{4}-\d{2}-\d{2}\.db")
_HEADER = b"SQLite format 3\x00"


def folder(path: Path) -> Path:
    """Where a database's backups lie."""
    return path.parent / "backups"


def daily(path: Path, now: datetime, *, keep: int) -> Path | None:
    """A copy, unless there is one of this day already; None then, and where nothing has been stored yet."""
    name = f"daily-{now.date().isoformat()}"
    if not path.is_file() or (folder(path) / f"{name}.db").exists() or problem(path):
        return None
    return make(path, now, name=name, keep=keep)


def make(path: Path, now: datetime, *, name: str = "", keep: int | None) -> Path:
    """Copy the database as it is, also while others write; whole, or not at all.

    Args:
        path: the database.
        now: what the copy is named after, where it has no ``name``.
        name: of the copy, without its suffix.
        keep: how many daily copies are kept; None removes none.

    Raises:
        OSError: it cannot be written.
        sqlite3.Error: the database cannot be read.
    """
    target = folder(path) / f"{name or f'{now:%Y-%m-%d-%H%M%S}'}.db"
    _copy(path, target)
    if keep is not None:
        for old in sorted(p for p in target.parent.iterdir() if _DAILY.fullmatch(p.name))[:-keep]:
            old.unlink(missing_ok=True)
    return target


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(f".{os.getpid()}.part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(scratch)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, that can be read where nothing can be written
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)


def damage(path: Path) -> str:
    """What is wrong with a file at a glance: empty for one that is missing, new or begins as a database does."""
    try:
        with open(path, "rb") as file:
            head = file.read(len(_HEADER))
    except OSError:
        return ""
    return "" if not head or head == _HEADER else "it is no SQLite database"


def problem(path: Path) -> str:
    """What SQLite finds wrong with a file; empty where it is sound. Reads all of it."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else str(found)


def restore(path: Path, now: datetime, *, why: str = "") -> str:
    """Put a damaged file aside and the last sound backup in its place; what happened, for the learner.

    Raises:
        StudyDamaged: there is no sound backup; the file is where it was.
    """
    why = why or problem(path) or "it could not be read"
    good = [p for p in sorted(folder(path).glob("*.db"), key=lambda p: -p.stat().st_mtime) if not problem(p)]
    if not good:
        raise StudyDamaged(
            f"the database is damaged ({why}) and there is no backup",
            about=str(path),
            fix="Move the file away to begin anew, or bring in an export: tutor import FILE",
        )
    aside = path.with_name(f"{path.stem}.damaged-{now:%Y%m%d-%H%M%S}{path.suffix}")
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    os.replace(path, aside)
    _copy(good[0], path)
    return (
        f"The study database was damaged ({why}). It now stands as in the backup {good[0].name}; "
        f"the damaged file is kept as {aside.name}."
    )
