"""Votes on answers, kept beside the index: what a complaint was about, to make a case of it later."""

from __future__ import annotations

import errno
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutor.errors import SourceError, UsageError

VOTES = ("up", "down")
MAX_QUESTION, MAX_ANSWER, MAX_NOTE = 4_000, 20_000, 2_000  # characters
MAX_CITATIONS, MAX_ID = 50, 300


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote on an answer; ``citations`` are the ids of the passages it quoted, ``at`` is UTC in ISO 8601."""

    question: str
    answer: str
    citations: tuple[str, ...]
    vote: str
    note: str
    at: str


class FeedbackStore:
    """Votes as JSON lines in ``answers.jsonl`` of a folder, which is made when something is first written.

    Lines are only ever added, each with one call to the system and flushed to the disk, so that neither two processes
    nor a crash spoil what is there.

    Args:
        folder: where the file is.
        clock: the time now, with a time zone.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = folder / "answers.jsonl"
        self._clock = clock

    def add(self, question: str, answer: str, vote: str, *, citations: Sequence[str] = (), note: str = "") -> Vote:
        """Keep a vote.

        Args:
            question: as it was asked, 1 to 4,000 characters.
            answer: as it was shown, at most 20,000 characters.
            vote: up or down.
            citations: ids of the passages that the answer quoted, at most 50.
            note: what is wrong or good, at most 2,000 characters.

        Raises:
            UsageError: something is missing or too long; nothing was kept.
            SourceError: the file cannot be written.
        """
        if vote not in VOTES:
            raise UsageError(f"'{vote[:40]}' is no vote", about="vote", fix="up or down.")
        kept = Vote(
            question=_text("question", question, MAX_QUESTION, empty=False),
            answer=_text("answer", answer, MAX_ANSWER),
            citations=tuple(dict.fromkeys(_text("citations", name, MAX_ID, empty=False) for name in citations)),
            vote=vote,
            note=_text("note", note, MAX_NOTE),
            at=self._clock().astimezone(UTC).isoformat(timespec="seconds"),
        )
        if len(kept.citations) > MAX_CITATIONS:
            raise UsageError(f"{len(kept.citations)} citations", about="citations", fix=f"At most {MAX_CITATIONS}.")
        self._append(json.dumps(asdict(kept), ensure_ascii=False))
        return kept

    def votes(self) -> Iterator[Vote]:
        """Every vote, the oldest first; a line that a crash cut short or that is no vote is passed over.

        Raises:
            SourceError: the file cannot be read.
        """
        if not self.path.is_file():
            return
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise SourceError(f"the votes cannot be read ({error.strerror})", about=str(self.path)) from error
        for line in lines:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if (vote := _vote(row)) is not None:
                yield vote

    def _append(self, line: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a+b", buffering=0, opener=_private) as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                torn = size > 0 and file.read(1) != b"\n"  # a crash in the middle of a line
                data = (b"\n" if torn else b"") + f"{line}\n".encode()
                if file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
        except OSError as error:
            fix = "Free some space, or set TUTOR_HOME."
            raise SourceError(f"the vote cannot be stored ({error.strerror})", about=str(self.path), fix=fix) from error


def _private(path: str, flags: int) -> int:
    """Opens a file that only its owner may read when it is made: questions may be personal."""
    return os.open(path, flags, 0o600)


def _text(name: str, value: str, most: int, *, empty: bool = True) -> str:
    """The value without control characters that are not blanks, trimmed.

    Raises:
        UsageError: it is too long, or empty where it must not be.
    """
    value = value.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
    value = "".join(c for c in value if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
    if len(value) > most:
        raise UsageError(f"has {len(value):,} characters", about=name, fix=f"At most {most:,}.")
    if not value and not empty:
        raise UsageError("is empty", about=name, fix=f"1 to {most:,} characters.")
    return value


def _vote(row: Any) -> Vote | None:
    if not isinstance(row, dict) or row.get("vote") not in VOTES:
        return None
    cited = row.get("citations")
    texts = {name: row.get(name) for name in ("question", "answer", "vote", "note", "at")}
    told = {name: text for name, text in texts.items() if isinstance(text, str)}
    if len(told) < len(texts) or not isinstance(cited, list):
        return None
    return Vote(citations=tuple(name for name in cited if isinstance(name, str)), **told)
