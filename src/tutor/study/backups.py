"""Copies of the SQLite file: one a day, of its last hour; one before each migration and import; and going back to one.

A copy is checked before it counts: a damaged database pushes no good copy out. Nor does one that has lost rows: they
are only ever added, so a copy that has more than the newest is kept beyond the number.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from filecmp import cmp
from pathlib import Path

from tutor.errors import StudyDamaged
from tutor.study.salvage import salvage

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

#: What SQLite says of a file that is broken, and not of one that is only locked, missing or forbidden.
DAMAGED = ("malformed", "not a database", "disk image", "file is encrypted", "unsupported file format")
_BEHIND_S = 3600
_COPYING = threading.Lock()
_DAILY = re.compile(r"daily-\d{4}-\d{2}-\d{2}\.db")
_HEADER = b"SQLite format 3\x00"


def folder(path: Path) -> Path:
    """Where a database's backups lie."""
    return path.parent / "backups"


def daily(path: Path, now: datetime, *, keep: int) -> Path | None:
    """A copy, unless there is one of this day that is less than an hour behind; None then.

    Raises:
        StudyDamaged: the database is; the copies are as they were.
        OSError, sqlite3.Error: it cannot be written.
    """
    name = f"daily-{now.date().isoformat()}"
    with _COPYING:  # threads of one process write at once
        with suppress(FileNotFoundError):
            made = (folder(path) / f"{name}.db").stat().st_mtime
            if _changed(path) - made < _BEHIND_S:
                return None
        return make(path, now, name=name, keep=keep)


def before(path: Path, now: datetime, revision: str) -> Path:
    """A copy to go back to from a migration; the one made before, where nothing was written since.

    A migration that fails is tried again by the next command: each would leave a copy of the same.

    Raises:
        StudyDamaged: the database is; nothing was copied.
        OSError, sqlite3.Error: it cannot be written.
    """
    others = [copy for copy in copies(path) if copy.name.startswith(f"before-{revision}-")]
    made = make(path, now, name=f"before-{revision}-{now:%Y-%m-%d-%H%M%S}", keep=None)
    for other in others:
        if other != made and cmp(made, other, shallow=False):
            made.unlink()
            return other
    return made


def _changed(path: Path) -> float:
    """When something was last written to a database, in seconds since 1970."""
    changed = path.stat().st_mtime
    with suppress(FileNotFoundError):
        changed = max(changed, Path(f"{path}-wal").stat().st_mtime)
    return changed


def make(path: Path, now: datetime, *, name: str = "", keep: int | None) -> Path:
    """Copy the database as it is, also while others write; whole and sound, or not at all.

    Args:
        path: the database.
        now: what the copy is named after, where it has no ``name``.
        name: of the copy, without its suffix.
        keep: how many daily copies are kept; None removes none.

    Raises:
        StudyDamaged: the database is; nothing was copied.
        OSError, sqlite3.Error: it cannot be written.
    """
    target = folder(path) / f"{name or f'{now:%Y-%m-%d-%H%M%S}'}.db"
    scratch = _copy(path, target)
    try:
        if why := problem(scratch):
            raise StudyDamaged(f"the database is damaged ({why})", about=str(path), fix="Run: tutor doctor")
        rows = _rows(scratch)
        if target.exists() and _rows(target) > rows:
            os.replace(target, target.with_name(f"{target.stem}-before-{now:%H%M%S}.db"))
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    if keep is not None:
        others = [p for p in _dailies(target.parent) if p != target]
        for old in others[: max(0, len(others) - keep + 1)]:
            with suppress(sqlite3.Error):  # one that cannot be read is left to be looked at
                if _rows(old) <= rows:
                    old.unlink(missing_ok=True)
    return target


def _dailies(place: Path) -> list[Path]:
    """The daily copies, the oldest first by when they were made: a clock may have been wrong once."""
    found = []
    for path in place.iterdir():
        with suppress(FileNotFoundError):  # another process removes old ones too
            if _DAILY.fullmatch(path.name):
                found.append((path.stat().st_mtime, path.name, path))
    return [path for _, _, path in sorted(found)]


def _copy(path: Path, target: Path) -> Path:
    """A copy beside ``target``, still under another name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.stem}.{os.getpid()}.part")
    try:
        private(scratch)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(scratch)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, that can be read where nothing can be written
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    return scratch


def private(path: Path) -> None:
    """Make a file, where there is none, that only its owner may read. One that is there is not touched (``held``)."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def damage(path: Path) -> str:
    """What is wrong with a file at a glance; empty where it begins as a database does, or nothing was stored yet.

    A file that is missing or empty is none that is new where there are backups of it.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(len(_HEADER) + 2)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return "it is missing" if copies(path) else ""
    except OSError:
        return ""  # told when it is opened
    if not head:
        return "it is empty" if copies(path) else ""
    if not head.startswith(_HEADER):
        return "it is no SQLite database"
    page = int.from_bytes(head[len(_HEADER) :], "big")
    if size <= (page if page > 1 else 65_536) and not _written(Path(f"{path}-wal")) and copies(path):
        return "it holds nothing"  # one page is a database without a table, made where ours had gone
    return ""


def _written(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def copies(path: Path) -> list[Path]:
    """Every backup, the newest first."""
    place = folder(path)
    return sorted(place.glob("*.db"), key=lambda p: -p.stat().st_mtime) if place.is_dir() else []


def problem(path: Path) -> str:
    """What SQLite finds wrong with a file; empty where it is sound. Reads all of it.

    Raises:
        sqlite3.Error: it cannot be looked at, for a reason that says nothing of the file.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if any(word in str(error) for word in DAMAGED):
            return str(error)
        raise
    return "" if found == "ok" else " ".join(str(found).split())


def restore(path: Path, now: datetime) -> str:
    """Put a damaged file aside, the last sound backup in its place, and into that what can still be read of the file.

    Returns:
        What happened, for the learner; empty where the file is sound, as when another process was quicker.

    Raises:
        StudyDamaged: there is no sound backup; the file is where it was.
        OSError, sqlite3.Error: there is no room, or no right, to do it; the file is where it was.
    """
    with _alone(path):
        why = damage(path) or (problem(path) if path.exists() and path.stat().st_size else "")
        if not why:
            return ""
        good = next((copy for copy in copies(path) if _sound(copy)), None)
        if good is None:
            raise StudyDamaged(
                f"the database is damaged ({why}) and there is no backup",
                about=str(path),
                fix="Move the file away to begin anew, or bring in an export: tutor import FILE",
            )
        scratch = _copy(good, path)  # first, while a full disk still changes nothing
        kept = _aside(path, now)
        saved = salvage(kept, scratch) if kept else 0
        os.replace(scratch, path)
    told = f"The study database was damaged ({why}). It now stands as in the backup {good.name}"
    if saved:
        told += f", with {saved} rows that could still be read of what came after"
    return f"{told}; the damaged file is kept as {kept.name}." if kept else f"{told}."


def _aside(path: Path, now: datetime) -> Path | None:
    """Move a file and what belongs to it out of the way; where to, None where there is none."""
    if not path.exists():
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)  # without its file it says nothing
        return None
    stem, number = f"{path.stem}.damaged-{now:%Y%m%d-%H%M%S}", 1
    while (aside := path.with_name(f"{stem}{f'-{number}' if number > 1 else ''}{path.suffix}")).exists():
        number += 1
    os.replace(path, aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


def _sound(path: Path) -> bool:
    try:
        return not problem(path)
    except sqlite3.Error:
        return False


def _rows(path: Path) -> int:
    """How many rows a sound database holds in all."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")
        quoted = ['"' + name.replace('"', '""') + '"' for (name,) in names.fetchall()]
        return sum(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in quoted)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process restores meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f"{path.name}.lock"), "ab") as handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
