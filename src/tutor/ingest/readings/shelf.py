"""The learner's own cache of readings: ``<home>/readings``, never part of the product.

``state/ID.json`` says how each reading stands, ``text/ID.reading.json`` has its text, ``index/`` is what is searched.
Every file is written whole and put in place by one rename, the text before its state: a kill at any moment loses at
most the reading in flight.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from tutor.errors import IndexBusy, SourceError
from tutor.ingest.collect import READING_SUFFIX as SUFFIX
from tutor.ingest.documents import Document, Section
from tutor.ingest.readings.sources import Source

_FORMAT = 1


@dataclass(slots=True)
class State:
    """How a reading stands.

    ``status`` is fetched, duplicate, robots, refused, gone or failed; ``why`` in words where it is not fetched.
    ``checked_at`` and ``retry_at`` are Unix seconds: when the site was last asked, and before when not to ask it again.
    ``sha256`` and ``words`` (MinHash) are of the text on the shelf, or of what it is a duplicate of (``twin``).
    """

    status: str = ""
    why: str = ""
    url: str = ""
    etag: str = ""
    modified: str = ""
    checked_at: float = 0.0
    retry_at: float = 0.0
    sha256: str = ""
    twin: str = ""
    words: list[int] = field(default_factory=list)


class Shelf:
    """Text and state of readings under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.texts = root / "text"
        self._states = root / "state"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time.

        Raises:
            IndexBusy: another one is fetching.
        """
        self.texts.mkdir(parents=True, exist_ok=True)
        self._states.mkdir(exist_ok=True)
        try:
            with FileLock(self.root / "lock", timeout=0):
                yield
        except Timeout as error:
            raise IndexBusy("another process fetches readings", about=str(self.root), fix="Run it again.") from error

    def state(self, name: str) -> State:
        """What is known of a reading; nothing where it was never asked for or its file is damaged."""
        try:
            row = json.loads((self._states / f"{name}.json").read_bytes())
            return State(**row)
        except (OSError, ValueError, TypeError):
            return State()

    def keep(self, name: str, state: State) -> None:
        """Remember how a reading stands."""
        _write(self._states / f"{name}.json", asdict(state))

    def has(self, name: str) -> bool:
        """Whether its text is here."""
        return self._text(name).is_file()

    def put(self, source: Source, document: Document) -> None:
        """Store a reading's text."""
        sections = [asdict(section) for section in document.sections]
        _write(self._text(source.id), _head(source) | {"text": document.text, "sections": sections})

    def mend(self, source: Source) -> None:
        """Bring the title, cards and licence of a stored text to what the list says now."""
        path = self._text(source.id)
        try:
            row = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return
        if row | _head(source) != row:
            _write(path, row | _head(source))

    def drop(self, name: str) -> None:
        """Forget a reading's text."""
        self._text(name).unlink(missing_ok=True)

    def tidy(self, wanted: Iterable[str]) -> list[str]:
        """Remove what the list no longer has, and files of a write that was cut off; the ids removed."""
        keep = set(wanted)
        gone = [p for p in self.texts.glob(f"*{SUFFIX}") if p.name.removesuffix(SUFFIX) not in keep]
        gone += [p for p in self._states.glob("*.json") if p.stem not in keep]
        for path in (*gone, *self.texts.glob(".*.part"), *self._states.glob(".*.part")):
            path.unlink(missing_ok=True)
        return sorted({path.name.removesuffix(SUFFIX).removesuffix(".json") for path in gone})

    def _text(self, name: str) -> Path:
        return self.texts / f"{name}{SUFFIX}"


def _head(source: Source) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "id": source.id,
        "url": source.url,
        "title": source.title,
        "cards": list(source.cards),
        "licence": source.licence,
    }


def _write(path: Path, row: dict[str, object]) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(row, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read_reading(text: str, *, source: str) -> Document:
    """A stored reading as a document: kind "reading", its cards' ids as ``covers``, its address as ``source``.

    Raises:
        SourceError: the file is damaged or of a later format.
    """
    try:
        row = json.loads(text)
        if row["format"] != _FORMAT:
            raise ValueError("another format")
        sections = tuple(Section(**(s | {"heading": tuple(s["heading"])})) for s in row["sections"])
        if any(not 0 <= s.start <= s.end <= len(row["text"]) for s in sections):
            raise ValueError("a section outside the text")
        return Document(
            doc_id=f"reading/{row['id']}",
            title=row["title"],
            text=row["text"],
            source=row["url"],
            kind="reading",
            sections=sections,
            covers=tuple(row["cards"]),
            meta={"licence": row["licence"]},
        )
    except (ValueError, KeyError, TypeError) as error:
        fix = "Remove it and run: tutor ingest --readings"
        raise SourceError("is no stored reading", about=source, fix=fix) from error
