"""Drills on disk: one file for each, written whole at every step, so that a killed process loses nothing."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tutor.drill.session import Session
from tutor.errors import NotFound, SourceError

_ID = re.compile(r"[0-9]{8}-[0-9a-f]{8}")
#: Days until a probe is due again, by verdict.
DAYS = {"strong": 14, "mixed": 4, "weak": 2, "wrong": 1, "ungraded": 1}


class DrillStore:
    """Sessions, results and overrides under one folder, which is made when something is first written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new_id(self, now: datetime) -> str:
        """An id that sorts by day and cannot be guessed."""
        return f"{now:%Y%m%d}-{secrets.token_hex(4)}"

    def save(self, session: Session) -> None:
        """Write a session: all of it or, if that fails, what was there before.

        Raises:
            SourceError: the folder cannot be written.
        """
        self._write(self.folder / f"{session.id}.json", session.model_dump_json(indent=1) + "\n")

    def load(self, session_id: str) -> Session:
        """A session by its id.

        Raises:
            NotFound: there is none.
            SourceError: its file cannot be read.
        """
        path = self.folder / f"{session_id}.json"
        if not _ID.fullmatch(session_id) or not path.is_file():
            raise NotFound(
                "no drill has this id", about=session_id, fix="'tutor drill --list' shows those that are open."
            )
        try:
            return Session.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise SourceError(
                "the drill cannot be read",
                about=str(path),
                fix="Delete the file, or mend it; other drills are not affected.",
            ) from error

    def open(self) -> list[Session]:
        """The drills that are not over, the newest first; files that cannot be read are passed over."""
        found = []
        for path in sorted(self.folder.glob("*.json"), key=lambda p: -p.stat().st_mtime):
            if _ID.fullmatch(path.stem):
                try:
                    session = self.load(path.stem)
                except SourceError:
                    continue
                if session.pending:
                    found.append(session)
        return found

    def finish(self, session: Session, now: datetime) -> list[dict[str, Any]]:
        """Note the results of the tasks of a session that is over, each with the day it is due again."""
        rows = []
        for task, done in zip(session.tasks, session.rounds, strict=True):
            if done.grade is None:
                continue
            due = now + timedelta(days=DAYS[done.grade.verdict])
            rows.append(
                {
                    "session": session.id,
                    "card": task.card,
                    "probe": task.probe,
                    "score": done.grade.score,
                    "verdict": done.grade.verdict,
                    "missed": [p.point for p in done.grade.points if p.status != "covered"],
                    "rating": done.rating,
                    "at": now.isoformat(),
                    "due": due.date().isoformat(),
                }
            )
        self._append("results.jsonl", rows)
        return rows

    def override(self, row: dict[str, Any]) -> None:
        """Keep the learner's own judgement of a point, as labelled data."""
        self._append("overrides.jsonl", [row])

    def results(self) -> Iterator[dict[str, Any]]:
        """Every result, the oldest first; a line that a crash cut short is passed over."""
        return self._rows("results.jsonl")

    def overrides(self) -> Iterator[dict[str, Any]]:
        """Every override, the oldest first; a line that a crash cut short is passed over."""
        return self._rows("overrides.jsonl")

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.folder / name
        if not path.is_file():
            return
        for line in path.read_bytes().split(b"\n"):  # a learner's words may hold U+2028, where splitlines cuts
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / name, "a", encoding="utf-8") as file:
                file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, path: Path, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.folder, delete=False) as scratch:
                scratch.write(text)
                scratch.flush()
                os.fsync(scratch.fileno())
            os.replace(scratch.name, path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(
            f"the drill cannot be stored ({error.strerror})",
            about=str(self.folder),
            fix="Free some space, or set TUTOR_HOME.",
        )
