"""Deletes all that a learner has made, in the database and in files, once a whole copy of it lies in ``backups/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from tutor.errors import StudyFault, StudyFull
from tutor.files import write_whole
from tutor.study import folders
from tutor.study.rows import TABLES
from tutor.study.several import of_several, put_aside
from tutor.study.store import StudyStore
from tutor.study.tables import Learner
from tutor.study.transfer import FOLDERS, dumped, read
from tutor.study.whose import LOCAL, own_home

_OLDER = ("backups/*.db", "backups/*.json", "backups/drills-of-several-*", "*.damaged-*")


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows and files there were, and the export that was written before; ``tutor import`` brings it back.

    ``left`` are older copies in the home that still hold some of it, and of what others who share it have made.
    ``several`` are drills that another learner may have made (``several.of_several``): they are kept in ``kept_in``.
    """

    rows: int
    files: int
    backup: str
    left: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    kept_in: str = ""


def erase(
    store: Callable[[], StudyStore],
    home: Path,
    export: Callable[[], Mapping[str, Any]],
    *,
    clock: Callable[[], datetime],
) -> Erased:
    """Delete a learner's rows of every table, and the folders of files, but no drill that another may have made.

    Files go first: progress is read anew from what drills leave behind, so that rows without their files stay gone. The
    learner's own row is made anew, for processes that have the store open. Older copies stay, and are told.

    Args:
        store: opens the learner's store.
        home: where ``backups/`` lies, and the learner's own folders (``whose.own_home``).
        export: everything as one document (``Transfer.export``).
        clock: the time now, with a time zone.

    Raises:
        StudyFault: the copy cannot be written, and nothing was deleted; or a file cannot be deleted, and the database
            is as it was.
    """
    now = clock()
    target = home / "backups" / f"before-erase-{now:%Y-%m-%d-%H%M%S}.json"
    _write(target, dumped(export()))
    read(target.read_bytes(), str(target))  # what cannot be brought back is no copy
    kept_in = home / "drills"
    with closing(store()) as opened:
        shared = of_several(opened, home)
        if shared and opened.learner == LOCAL:  # out of the folder that progress is read from
            kept_in = put_aside(home, shared, now)
        files = sum(folders.remove(own_home(home, opened.learner) / name) for name in FOLDERS)
        rows = _delete_rows(opened, now)
    older = [path for kind in _OLDER for path in home.glob(kind) if path not in (target, kept_in)]
    left = tuple(str(path) for path in sorted(older))
    return Erased(rows, files, str(target), left, tuple(shared), str(kept_in) if shared else "")


def _delete_rows(store: StudyStore, now: datetime) -> int:
    with store.write() as session:
        rows = 0
        for table in reversed(list(TABLES.values())):
            rows += session.connection().execute(delete(table).where(table.c.learner == store.learner)).rowcount
        session.connection().execute(delete(Learner).where(Learner.id == store.learner))
        session.add(Learner(id=store.learner, name="", created=now))
    return rows


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, and have it on the disk before anything is deleted."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode("utf-8"), suffix=".part")
    except OSError as error:
        kind = StudyFull if error.errno == 28 else StudyFault
        raise kind(
            f"no copy can be written ({error.strerror}), so nothing was deleted",
            about=str(path),
            fix="Make room there.",
        ) from error
