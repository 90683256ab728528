"""Puts the decision log together by itself: writing an entry does not wait for what encodes and searches."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import cached_property

from tutor.errors import StudyFault
from tutor.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.entries import LogEntry
    from tutor.study.log import LogBook

_log = logging.getLogger(__name__)


def open_log(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> LogBook:
    """The log over the store and the built-in curriculum of a home; nothing is opened before it is used.

    Raises:
        SettingsError: the time zone is none.
    """
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.outline import outline
    from tutor.study.days import zone_of
    from tutor.study.log import LogBook
    from tutor.studying import open_store

    home, chosen = settings.home.expanduser(), settings.study
    return LogBook(
        lambda: open_store(settings, clock=clock),
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        zone=zone_of(chosen.zone),
        clock=clock,
    )


def resources_of(card: str) -> list[tuple[str, str, str]]:
    """Kind, title and address of what a card of the built-in curriculum says to read; nothing for one it has not."""
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.parse import parse_card

    path = next((builtin_corpus() / "cards").rglob(f"{card}.md"), None) if re.fullmatch(r"[a-z0-9-]+", card) else None
    if path is None:
        return []
    found, _ = parse_card(path.read_text(encoding="utf-8"), about=str(path), stem=path.stem)
    return [(resource.kind, resource.title, str(resource.url)) for resource in found.resources]


class OwnEntries:
    """The learner's entries as answers look at them; a log that cannot be read is told of, and costs no answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _book(self) -> LogBook:
        return open_log(self._settings)

    def near(self, parts: Mapping[str, float], *, limit: int) -> Sequence[LogEntry]:
        """As ``LogBook.near``; nothing where the log is empty or cannot be read."""
        try:
            return self._book.near(parts, limit=limit) if self._any() else ()
        except StudyFault as fault:
            _log.warning("the decision log is left out of answers. %s", fault.message)
            return ()

    def newest(self, *, limit: int) -> Sequence[LogEntry]:
        """The newest entries; nothing where the log is empty or cannot be read."""
        try:
            return self._book.search(limit=limit)[1] if self._any() else ()
        except StudyFault as fault:
            _log.warning("the decision log is left out of answers. %s", fault.message)
            return ()

    @property
    def today(self) -> date:
        """The learner's day now."""
        return self._book.today

    def titles(self, cards: Sequence[str]) -> Sequence[str]:
        """The titles of cards."""
        return self._book.titles(cards)

    def close(self) -> None:
        """Let go of the store."""
        if "_book" in self.__dict__:
            self.__dict__.pop("_book").close()

    def _any(self) -> bool:
        """Whether there may be entries: without one a question waits for no database library (0.1 s)."""
        if self._settings.study.url or "_book" in self.__dict__:
            return True
        path = self._settings.home.expanduser() / "study.db"
        if not path.is_file():
            return False
        query = "SELECT 1 FROM entries WHERE learner = ? LIMIT 1"
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                return database.execute(query, (self._settings.study.learner,)).fetchone() is not None
        except sqlite3.Error:
            return True  # damaged or of an older version: the store knows what to do, and says so
