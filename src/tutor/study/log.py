"""The decision log in the store: entries are added in versions, deleted ones kept, and found again.

Nothing is ever changed or taken out: an edit, a deletion and a restoration each add a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import Outline
from tutor.errors import NotFound, StaleAnswer, UsageError
from tutor.study import entries as rules
from tutor.study import log_rows
from tutor.study.date_words import split_dates
from tutor.study.days import day_of
from tutor.study.entries import LogEntry, Query
from tutor.study.evidence import Spent
from tutor.study.links import CardNames, current_item, item_of
from tutor.study.log_scan import Scan
from tutor.study.lookup import card_of
from tutor.study.records import add_sitting
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Learner
from tutor.text import mended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.offers import Offer
    from tutor.study.timetable import Timetable

_SHORTEST_ID = 4
EVERYTHING = Query()
NONE = "none"  # as a card or item: the learner wants no link


class LogBook:
    """One learner's decision log.

    Args:
        store: makes the store when it is first needed.
        outline: the curriculum.
        zone: the learner's.
        clock: the time now, with a time zone.
    """

    def __init__(
        self,
        store: Callable[[], StudyStore],
        outline: Callable[[], Outline],
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._make_store = store
        self._make_outline = outline
        self.zone = zone
        self.clock = clock
        self._read: tuple[object, Scan] = (None, Scan())
        self._tags: tuple[object, list[tuple[str, int]]] = (None, [])

    @cached_property
    def store(self) -> StudyStore:
        """The store, with the learner's row in it."""
        store = self._make_store()
        store.owner()
        return store

    @cached_property
    def outline(self) -> Outline:
        return self._make_outline()

    @cached_property
    def names(self) -> CardNames:
        return CardNames(self.outline)

    @property
    def today(self) -> date:
        """The learner's day now."""
        return day_of(self.clock(), self.zone)

    def add(
        self,
        text: str,
        *,
        title: str = "",
        tags: Sequence[str] = (),
        cards: Sequence[str] | None = None,
        item: str = "",
        day: str = "",
        seconds: float = 0.0,
    ) -> LogEntry:
        """Write an entry.

        Args:
            text: 1 to 20,000 characters; a first line "# …" becomes the title where none is given.
            title: one line, may be empty.
            tags: with or without "#".
            cards: by any of their names; None for those that the text names, ``("none",)`` for no card.
            item: as ``links.item_of`` takes it; empty for the step of the active plan
                that the entry's day is in, "none" for no item.
            day: as ``entries.checked_day`` takes it.
            seconds: that it took to write, where that is known.

        Raises:
            UsageError: something is out of range, or the text is empty.
            NotFound: no such card or item.
            StudyFault: nothing was stored.
        """
        head, body = ("", text) if title else rules.split_title(rules.cleaned(text))
        now = self.clock()
        entry = LogEntry(
            new_id(),
            1,
            rules.checked_day(day, day_of(now, self.zone)),
            now,
            rules.checked_title(title or head),
            rules.checked_text(body),
            rules.checked_tags(tags),
        )
        entry = replace(
            entry,
            cards=self._linked(entry) if cards is None else self._named(cards),
            item=self._item(item) if item else self.current(str(entry.day)),
        )
        with self.store.write() as session:
            log_rows.add(session, self.store.learner, entry)
            if seconds > 0:
                add_sitting(session, self.store.learner, Spent(now, seconds, "log", entry.id))
        return entry

    def edit(
        self,
        name: str,
        *,
        text: str | None = None,
        title: str | None = None,
        tags: Sequence[str] | None = None,
        cards: Sequence[str] | None = None,
        item: str | None = None,
        day: str | None = None,
        version: int | None = None,
    ) -> LogEntry:
        """Write a new version of an entry; what is None stays as it was, and nothing is written where nothing changes.

        Cards that were found from the old text are found anew from a new one; those that were chosen stay. ``cards``
        empty finds them from the text. ``version`` is the one that was edited, where that is to be the newest.

        Raises:
            As ``add``; NotFound also where no such entry is, UsageError where it is deleted, StaleAnswer where it is
                at another version.
        """
        wanted = self.get(name).id

        def changed(old: LogEntry) -> LogEntry:
            if old.deleted:
                raise UsageError("the entry is deleted", about=old.id[:8], fix=f"First: tutor log restore {old.id[:8]}")
            if version not in (None, old.version):
                raise StaleAnswer(
                    "the entry was changed meanwhile",
                    about=f"it is at version {old.version}, you edited version {version}",
                    fix="Compare the two, and save yours again if it is to stand.",
                )
            new = replace(
                old,
                text=old.text if text is None else rules.checked_text(text),
                title=old.title if title is None else rules.checked_title(title),
                tags=old.tags if tags is None else rules.checked_tags(tags),
                item=old.item if item is None else self._item(item),
                day=old.day if day is None else rules.checked_day(day, self.today),
            )
            if cards:
                return replace(new, cards=self._named(cards))
            anew = cards is not None or old.cards == self._linked(old)
            return replace(new, cards=self._linked(new)) if anew else new

        return self._next(wanted, changed)

    def delete(self, name: str) -> LogEntry:
        """Take an entry out of sight; it stays in the store.

        Raises:
            NotFound: no such entry.
        """
        return self._next(self.get(name).id, lambda old: replace(old, deleted=True))

    def restore(self, name: str, version: int | None = None) -> LogEntry:
        """Bring an entry back, or an earlier version of it, as a new version; "last" is the one deleted last.

        Raises:
            NotFound: no such entry or version, or none is deleted.
        """
        found = self._last_deleted() if version is None and name.strip().lower() == "last" else self.get(name)
        if version is None:
            return self._next(found.id, lambda old: replace(old, deleted=False))
        chosen = next((v for v in self.versions(found.id) if v.version == version), None)
        if chosen is None:
            raise NotFound(f"it has no version {version}", about=found.id[:8], fix=f"The newest is {found.version}.")
        return self._next(found.id, lambda old: replace(chosen, version=old.version, deleted=False))

    def get(self, name: str) -> LogEntry:
        """The newest version of an entry, deleted or not, by its id, how its id begins, or "last".

        Raises:
            NotFound: there is none, or the log is empty.
            UsageError: several ids begin so.
        """
        wanted = name.strip().lower()
        if wanted == "last":
            with self.store.read() as session:
                found = log_rows.last_written(session, self.store.learner)
            if found is None:
                raise NotFound("the log is empty", fix='Begin it: tutor log "…"')
            return found
        if not re.fullmatch(rf"[0-9a-f-]{{{_SHORTEST_ID},40}}", wanted):
            raise NotFound("no entry has this id", about=name.strip()[:40], fix="See: tutor log list")
        with self.store.read() as session:
            rows = log_rows.beginning_with(session, self.store.learner, wanted, limit=4)
        if exact := [row for row in rows if row.id == wanted]:
            return exact[0]
        if len(rows) > 1:
            raise UsageError(
                "several entries begin so", about=wanted, fix=f"Write more of it: {', '.join(r.id[:12] for r in rows)}"
            )
        if not rows:
            raise NotFound("no entry has this id", about=wanted, fix="See: tutor log list")
        return rows[0]

    def _last_deleted(self) -> LogEntry:
        if not (deleted := self.search(deleted=True)[1]):
            raise NotFound(
                "no entry is deleted", about="last", fix="For an earlier version: tutor log restore ID --version N"
            )
        return max(deleted, key=lambda entry: entry.written)

    def versions(self, name: str) -> list[LogEntry]:
        """Every version of an entry, the newest first.

        Raises:
            As ``get``.
        """
        wanted = self.get(name).id
        with self.store.read() as session:
            return log_rows.versions(session, self.store.learner, wanted)

    def search(
        self, query: Query = EVERYTHING, *, deleted: bool = False, limit: int | None = None, start: int = 0
    ) -> tuple[int, list[LogEntry]]:
        """How many entries a query finds, and ``limit`` of them from the ``start``-th on, newest first.

        Args:
            query: what to find.
            deleted: among the deleted entries instead.
            limit: how many are read whole; None for all.
            start: how many of the newest are passed over.
        """
        with self.store.read() as session:
            ids = log_rows.find(session, self.store.learner, query, deleted=deleted)
            return len(ids), log_rows.whole(session, self.store.learner, ids[start:][:limit])

    def entries(self, query: Query = EVERYTHING) -> list[LogEntry]:
        """All that a query finds, newest first."""
        return self.search(query)[1]

    def query(
        self,
        words: str = "",
        *,
        tags: Sequence[str] = (),
        cards: Sequence[str] = (),
        item: str = "",
        first: str = "",
        last: str = "",
    ) -> Query:
        """A query from what was typed; dates among the words are days, as ``date_words.split_dates`` reads them.

        Raises:
            UsageError: a tag or day is none.
            NotFound: no such card or item.
        """
        rest, dates = split_dates(mended(words), self.today)
        return Query(
            rules.search_terms(rest),
            rules.checked_tags(tags),
            self._named(cards),
            self._item(item) if item else "",
            rules.checked_day(first, self.today, future=True, about="since") if first else None,
            rules.checked_day(last, self.today, future=True, about="until") if last else None,
            dates,
        )

    def tags(self, limit: int | None = None) -> list[tuple[str, int]]:
        """Tags with how many entries have each, the commonest first."""
        with self.store.read() as session:
            now = log_rows.stamp(session, self.store.learner)
            if now != self._tags[0]:
                self._tags = (now, log_rows.tags(session, self.store.learner))
        return self._tags[1][:limit]

    def near(self, parts: Mapping[str, float], *, limit: int) -> list[LogEntry]:
        """Entries that hold most of the ``parts`` (beginnings of words, with their weights), the best and newest first.

        A rough choice for what ranks them in earnest; entries without any part are left out.
        """
        wanted = {rules.folded(part): weight for part, weight in parts.items()}
        with self.store.read() as session:
            now = log_rows.stamp(session, self.store.learner)
            if now != self._read[0]:
                self._read = (now, Scan(log_rows.texts(session, self.store.learner)))
            return log_rows.whole(session, self.store.learner, self._read[1].best(wanted, limit))

    def takes(self, name: str, value: str) -> bool:
        """Whether an entry takes what a field of its form holds.

        Args:
            name: date, title, tags, cards or item.
            value: as it was typed, several tags or cards with commas between them; empty for none.
        """
        cards = [part.strip() for part in value.split(",") if part.strip()]
        checks: dict[str, Callable[[], object]] = {
            "date": lambda: rules.checked_day(value, self.today),
            "title": lambda: rules.checked_title(value),
            "tags": lambda: rules.checked_tags([value]),
            "cards": lambda: self._named(cards),
            "item": lambda: self._item(value),
        }
        try:
            checks[name]()
        except (UsageError, NotFound):
            return False
        return True

    def titles(self, cards: Sequence[str]) -> tuple[str, ...]:
        """The titles of cards."""
        return tuple(self.names.titles(cards))

    def current(self, day: str = "") -> str:
        """The item that an entry of a day (today) belongs to by the plans that are followed; may be empty.

        Raises:
            UsageError: the day is none, or in the future.
        """
        return current_item(self.outline, self._followed(), rules.checked_day(day, self.today))

    def offers(self, item: str) -> list[Offer]:
        """What of the plans that are followed an entry that belongs to ``item`` may have done."""
        tables = self._followed()
        if not tables:
            return []
        from tutor.study.offers import of_entry

        return of_entry(self.outline, tables, item)

    def _followed(self) -> list[Timetable]:
        from tutor.study.taken import followed

        with self.store.read() as session:
            if not followed(session, self.store.learner):
                return []  # who follows no plan does not wait for them to load
        from tutor.study.plans import Plans

        return Plans(lambda: self.store, lambda: self.outline, zone=self.zone, clock=self.clock).under_way()

    @property
    def news(self) -> list[str]:
        """What the learner has to be told of the store, where it has been opened."""
        return list(self.store.news) if "store" in self.__dict__ else []

    def close(self) -> None:
        """Let go of the store."""
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()

    def _next(self, entry_id: str, change: Callable[[LogEntry], LogEntry]) -> LogEntry:
        """Write what ``change`` makes of the newest version, unless it makes nothing of it; both in one transaction."""
        with self.store.write() as session:
            session.get(Learner, self.store.learner, with_for_update=True)  # PostgreSQL: one writer at a time
            old = log_rows.whole(session, self.store.learner, [entry_id])[0]
            new = change(old)
            if new == old:
                return old
            new = replace(new, version=old.version + 1, written=self.clock())
            log_rows.add(session, self.store.learner, new)
        return new

    def _linked(self, entry: LogEntry) -> tuple[str, ...]:
        return self.names.find(f"{entry.title}\n{entry.text}")

    def _named(self, cards: Sequence[str]) -> tuple[str, ...]:
        if [card.strip().lower() for card in cards] == [NONE]:
            return ()
        return rules.checked_cards([card_of(self.outline, card).id for card in cards])

    def _item(self, name: str) -> str:
        return "" if name.strip().lower() in ("", NONE) else item_of(self.outline, name)
