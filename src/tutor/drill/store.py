"""Drills on disk: one file for each, written whole at every step, so that a killed process loses nothing."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tutor.drill.records import Pad, Session
from tutor.drill.results import OVERRIDES, RESULTS, read_rows, rows_of, viewed_rows
from tutor.drill.session import expected
from tutor.errors import NotFound, SourceError, StaleAnswer
from tutor.files import write_whole

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_SCRATCH = re.compile(r"tmp[a-z0-9_]{8}")
_LEFT_S = 600  # a write takes milliseconds: what is older nobody is writing any more
_ID = re.compile(r"[0-9]{8}-[0-9a-f]{8}")


class DrillStore:
    """Sessions, results and overrides under one folder, which is made when something is first written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new_id(self, now: datetime) -> str:
        """An id that sorts by day and cannot be guessed."""
        return f"{now:%Y%m%d}-{secrets.token_hex(4)}"

    def save(self, session: Session, *, answering: str = "") -> None:
        """Write a session: all of it or, if that fails, what was there before.

        The results of tasks that have just got their grade are noted first: killed in between, the words that were
        sent are graded again, and the row that gives replaces this one.

        Args:
            session: the drill after a step.
            answering: the question that this step answered. It must still be the pending one of what is stored: of two
                processes that answer the same question at once only the first is heard.

        Raises:
            StaleAnswer: another process has answered the question.
            SourceError: the folder cannot be written.
        """
        with self._locked():
            if answering:
                before = self.load(session.id)
                expected(before, answering)
                if len(rows_of(before)) < len(rows_of(session)):
                    self._note([session])
            else:
                self._sweep()
            self._write(self.folder / f"{session.id}.json", session.model_dump_json(indent=1) + "\n")

    def amend(self, session_id: str, change: Callable[[Session], Session]) -> Session:
        """Change what is stored of a drill without answering its question; gives it as it is then.

        Raises:
            NotFound: there is none.
            SourceError: the folder cannot be written.
        """
        with self._locked():
            before = self.load(session_id)
            after = change(before)
            if after != before:
                self._write(self.folder / f"{session_id}.json", after.model_dump_json(indent=1) + "\n")
            return after

    def load(self, session_id: str) -> Session:
        """A session by its id.

        Raises:
            NotFound: there is none.
            SourceError: its file cannot be read.
        """
        path = self.folder / f"{session_id}.json"
        if not _ID.fullmatch(session_id) or not path.is_file():
            raise NotFound(
                "no drill has this id", about=session_id, fix="'tutor drill --list --all' shows those there are."
            )
        try:
            return Session.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise SourceError(
                "the drill cannot be read",
                about=str(path),
                fix="Delete the file, or mend it; other drills are not affected.",
            ) from error

    def keep_words(self, session_id: str, text: str) -> Path:
        """Put words that were refused, or could not be graded, into a file; where it is.

        Raises:
            SourceError: the folder cannot be written.
        """
        path = self.folder / f"{session_id}.refused.txt"
        self._write(path, text + "\n")
        return path

    def open(self) -> list[Session]:
        """The drills that are not over, the newest first."""
        return [session for session in self._those(lambda path: not _is_over(path)) if session.pending]

    def all(self) -> list[Session]:
        """Every drill, the one that was last gone on with first; files that cannot be read are passed over."""
        return self._those(lambda path: True)

    def _those(self, wanted: Callable[[Path], bool]) -> list[Session]:
        found = []
        for path in sorted(self.folder.glob("*.json"), key=lambda p: -p.stat().st_mtime):
            if _ID.fullmatch(path.stem) and wanted(path):
                with suppress(SourceError):
                    found.append(self.load(path.stem))
        return found

    def note(self, sessions: Iterable[Session]) -> None:
        """Note the results of graded tasks, each with the day it is due again; those that are noted stay as they are.

        Raises:
            SourceError: the folder cannot be written.
        """
        graded = [session for session in sessions if rows_of(session)]
        if graded:
            with self._locked():
                self._note(graded)

    def repair(self) -> None:
        """Note what is missing of drills that have no result with all their points.

        Earlier versions noted them when they ended, or without the points' statuses.
        """
        noted = {row.get("session") for row in self.results() if "points" in row or "task" not in row}
        found = []
        for path in self.folder.glob("*.json"):
            if _ID.fullmatch(path.stem) and path.stem not in noted:
                with suppress(SourceError):  # told where that drill is asked for
                    found.append(self.load(path.stem))
        self.note(found)

    def _note(self, sessions: Iterable[Session]) -> None:
        last: dict[tuple[Any, Any], dict[str, Any]] = {}
        for row in self.results():
            last[row.get("session"), row.get("task")] = row
        self._append(
            RESULTS,
            [
                row
                for session in sessions
                if (session.id, None) not in last  # rows without a task are of an earlier version, which noted all
                for row in rows_of(session)
                if last.get((session.id, row["task"])) != row
            ],
        )

    def override(self, row: dict[str, Any]) -> None:
        """Keep the learner's own judgement of a point or red flag, as labelled data."""
        with self._locked():
            self._append(OVERRIDES, [row])

    def overrides(self, session: Session) -> dict[tuple[int, str], str]:
        """The learner's own view of points by task (from 1) and point: what was said last."""
        return {key: row["learner"] for key, row in self.views(session).items()}

    def views(self, session: Session) -> dict[tuple[int, str], dict[str, Any]]:
        """As ``overrides``, the whole row of each: ``learner`` is the status, ``reason`` may be missing."""
        found: dict[tuple[int, str], dict[str, Any]] = {}
        numbers = {(task.card, task.probe): number for number, task in enumerate(session.tasks, 1)}
        for row in self._rows(OVERRIDES):
            if row.get("session") == session.id:
                number = row.get("task") or numbers.get((row.get("card", ""), row.get("probe", "")), 0)
                found[number, row["point"]] = row
        return found

    def pad(self, session_id: str) -> Pad:
        """What was written beside a drill; empty where nothing was, or where it cannot be read."""
        with suppress(OSError, ValueError):  # a damaged pad must not lock its drill
            return Pad.model_validate_json((self.folder / f"{session_id}.pad.json").read_bytes())
        return Pad()

    def keep_pad(self, session_id: str, pad: Pad, now: datetime) -> Pad:
        """Keep what is written beside a drill; gives it with its new revision, or as it was where nothing is new.

        Raises:
            NotFound: no such drill.
            StaleAnswer: it was changed since ``pad.revision``, and not to the same.
            SourceError: the folder cannot be written.
        """
        with self._locked():
            self.load(session_id)
            before = self.pad(session_id)
            same = {"revision": before.revision, "at": before.at}
            if pad.model_copy(update=same) == before:
                return before
            if pad.revision != before.revision and (pad.notes, pad.sheet) != (before.notes, before.sheet):
                raise StaleAnswer(
                    "the notes were changed in another window",
                    about=session_id,
                    fix="Take over what you need of the other notes, and save again.",
                )
            kept = pad.model_copy(update={"revision": before.revision + 1, "at": now})
            self._write(self.folder / f"{session_id}.pad.json", kept.model_dump_json(indent=1) + "\n")
            return kept

    def opinions(self, rows: list[dict[str, Any]]) -> None:
        """Keep what a second reader said of points, beside what the grade says."""
        with self._locked():
            self._append("opinions.jsonl", rows)

    def every_override(self) -> Iterator[dict[str, Any]]:
        """Every override of all drills, the oldest first; a line that a crash cut short is passed over."""
        return self._rows(OVERRIDES)

    def results(self) -> Iterator[dict[str, Any]]:
        """Every result, the oldest first; a line that a crash cut short is passed over."""
        return self._rows(RESULTS)

    def viewed(self) -> Iterator[dict[str, Any]]:
        """Every result as the learner sees it (``results.viewed_rows``), those that were never noted too."""
        noted = set()
        for row in viewed_rows(self.folder):
            noted.add(row.get("session"))
            yield row
        names = {path.stem for path in self.folder.glob("*.json")} - noted
        for name in sorted(name for name in names if _ID.fullmatch(name)):
            with suppress(SourceError):  # told where that drill is asked for
                yield from rows_of(self.load(name))

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        return read_rows(self.folder / name)

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / name, "ab+") as file:
                text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                    text = "\n" + text  # a crash cut the last line short: it must not take this one with it
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else writes here meanwhile, in this process or another; the lock goes with the process that has it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = open(self.folder / "lock", "ab")  # noqa: SIM115  closed by the with below
        except OSError as error:
            raise self._unwritable(error) from error
        with handle:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(self, path: Path, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode("utf-8"))
        except OSError as error:
            raise self._unwritable(error) from error

    def _sweep(self) -> None:
        """Remove what killed processes were writing."""
        for path in self.folder.glob("tmp*"):
            with suppress(OSError):
                if _SCRATCH.fullmatch(path.name) and time.time() - path.stat().st_mtime > _LEFT_S:
                    path.unlink()

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(
            f"the drill cannot be stored ({error.strerror})",
            about=str(self.folder),
            fix="Free some space, or set TUTOR_HOME.",
        )


def _is_over(path: Path) -> bool:
    """Whether a drill's file says at a glance that it is over: to read all of it takes some twenty times as long.

    No words of a learner begin a line of the file. One that was written otherwise is to be read.
    """
    try:
        return b'\n "pending": null' in path.read_bytes()
    except OSError:
        return False
