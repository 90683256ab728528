"""Drills that lie where the learners of a home once drilled together: whose one is cannot be told, so none is deleted.

An early version kept the drills of every learner in the home's own folder and counted all of them for each. The folder
is the default learner's now; what another learner's progress counts of it may be theirs (``whose.own_home``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from tutor.errors import StudyFault
from tutor.files import write_whole
from tutor.study.folders import alone
from tutor.study.store import StudyStore
from tutor.study.tables import Drilled
from tutor.study.whose import LOCAL, own_home

_DRILLS = "drills"


def of_several(store: StudyStore, home: Path) -> list[str]:
    """Ids of drills in the home's own folder that the default learner may have made, and another one, too.

    Of the default learner's store those of all others; of another's those that count for them. A drill that lies in the
    other's own folder as well is a copy of theirs, and is none of these.
    """
    query = select(Drilled.learner, Drilled.session).where(Drilled.learner != LOCAL).distinct()
    if store.learner != LOCAL:
        query = query.where(Drilled.learner == store.learner)
    with store.read() as session:
        found = session.execute(query).all()
    return sorted(
        {drill for learner, drill in found if _file(home, drill) and not _file(own_home(home, learner), drill)}
    )


def put_aside(home: Path, drills: Collection[str], now: datetime) -> Path:
    """Move drills with all that belongs to them out of the home's own folder, into one below ``backups/``; which.

    Lines of logs are copied: what is left of the folder is to be deleted.

    Raises:
        StudyFault: one cannot be moved. Those before it are; doing it again goes on.
    """
    folder, target = home / _DRILLS, home / "backups" / f"drills-of-several-{now:%Y-%m-%d-%H%M%S}"
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(folder, make=False):
            for path in sorted(folder.glob("*.jsonl")):
                kept = [line for line in path.read_bytes().split(b"\n") if _session(line) in drills]
                if kept:
                    write_whole(target / path.name, b"".join(line + b"\n" for line in kept))
            for path in sorted(folder.iterdir()):
                if path.name.split(".", 1)[0] in drills:
                    os.replace(path, target / path.name)
    except OSError as error:
        raise StudyFault(
            f"a drill cannot be put aside ({error.strerror})",
            about=str(target),
            fix="Mend that and run the same again.",
        ) from error
    return target


def _file(home: Path, drill: str) -> bool:
    return (home / _DRILLS / f"{drill}.json").is_file()


def _session(line: bytes) -> str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    found = row.get("session") if isinstance(row, dict) else None
    return found if isinstance(found, str) else ""
