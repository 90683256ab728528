"""Brings the shelf up to date with the list: what is due is asked for, one page after another, hosts in turn."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tutor.errors import Offline, ReadingDisallowed, ReadingFailed, ReadingGone, ReadingRefused
from tutor.ingest.documents import Document
from tutor.ingest.readings.dedup import Signature, from_list, signature, twin
from tutor.ingest.readings.fetch import Page, Validators
from tutor.ingest.readings.places import candidates
from tutor.ingest.readings.shelf import Shelf, State
from tutor.ingest.readings.sources import Source, canonical

#: So many hosts in a row that cannot be reached, and none that could: there is no network.
_UNREACHED = 3
_DAY = 86_400.0
#: What each status of an outcome says, in the order of the report.
STATUSES = {
    "fetched": "fetched",
    "unchanged": "unchanged",
    "fresh": "asked for lately",
    "due": "would be asked for",
    "duplicate": "known already",
    "robots": "not allowed by robots.txt",
    "refused": "refused",
    "gone": "gone",
    "failed": "failed, try again",
    "off": "not fetched, by the list",
}


class Fetches(Protocol):
    """What ``fetch.Fetcher`` does."""

    def get(self, url: str, known: Validators | None = None) -> Page: ...


class Extracts(Protocol):
    """What ``worker.Worker`` does."""

    def extract(self, data: bytes, kind: str, *, url: str, charset: str | None = None) -> Document: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one reading; ``status`` is a key of STATUSES, ``text`` whether its text is here."""

    source: Source
    status: str
    why: str = ""
    text: bool = False


@dataclass(slots=True)
class Report:
    """The outcomes in the list's order, and the ids of readings that the list no longer has."""

    outcomes: list[Outcome] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return Counter(outcome.status for outcome in self.outcomes)

    def done(self, *, asked: bool) -> bool:
        """Whether nothing is left to try again and, where readings were ``asked`` for by name, their texts are here."""
        missing = any(o.status in ("robots", "refused", "gone") and not o.text for o in self.outcomes)
        return not self.counts["failed"] and not (asked and missing)


@dataclass(slots=True)
class Sync:
    """What a run works with.

    ``known`` gives, when it is first needed, the signatures of documents that are in the library anyway; ``now`` is
    Unix seconds; ``recheck_days`` for how long a page is not asked for again.
    """

    shelf: Shelf
    fetcher: Fetches
    extractor: Extracts
    now: Callable[[], float]
    known: Callable[[], Mapping[str, Signature]] = dict
    recheck_days: float = 7.0
    _seen: dict[str, Signature] | None = None

    def __enter__(self) -> Sync:
        return self

    def __exit__(self, *exception: object) -> None:
        self.extractor.close()

    def plan(self, sources: Iterable[Source], again: frozenset[str] = frozenset()) -> list[Outcome]:
        """What a run would do, without asking anybody: fresh, due or off, or how it stands where that is not due."""
        return [self._standing(source, again) for source in sources]

    def run(
        self,
        sources: Sequence[Source],
        *,
        again: frozenset[str] = frozenset(),
        whole: Sequence[Source] | None = None,
        on_outcome: Callable[[Outcome, int, int], None] | None = None,
    ) -> Report:
        """Fetch what is due.

        Args:
            sources: what to look at.
            again: pages, as ``canonical`` writes them, to ask for however fresh they are.
            whole: the whole list; texts of what is no longer in it, or no longer to be fetched, are removed.
            on_outcome: called after each reading that was due, with how many of how many are done.

        Raises:
            Offline: no host can be reached; then nothing was changed.
        """
        report = Report()
        found = {outcome.source.id: outcome for outcome in self.plan(sources, again)}
        due = [outcome.source for outcome in found.values() if outcome.status == "due"]
        reached, lost = False, set[str]()
        for done, source in enumerate(in_turn(due), 1):
            try:
                outcome = self._one(source)
            except Offline as error:
                lost.add(source.host)
                if not reached and len(lost) >= _UNREACHED:
                    raise _offline(lost) from error
                outcome = Outcome(source, "failed", error.what, self.shelf.has(source.id))
            else:
                reached = True
            found[source.id] = outcome
            if on_outcome:
                on_outcome(outcome, done, len(due))
        if due and not reached:
            raise _offline(lost)
        report.outcomes = list(found.values())
        for source in sources:
            self.shelf.mend(source)
        if whole is not None:
            report.removed = self.shelf.tidy(source.id for source in whole if source.fetch)
        return report

    def _standing(self, source: Source, again: frozenset[str]) -> Outcome:
        here = self.shelf.has(source.id)
        if not source.fetch:
            return Outcome(source, "off", source.why)
        state, now = self.shelf.state(source.id), self.now()
        if canonical(source.url) in again:
            return Outcome(source, "due", "", here)
        if state.retry_at > now:
            return Outcome(source, "failed", state.why, here)
        lost = state.status == "fetched" and not here  # somebody removed the text
        if state.status == "duplicate" and state.twin.startswith("reading/"):
            lost = not self.shelf.has(state.twin.removeprefix("reading/"))
        if state.status in ("", "failed") or lost or now - state.checked_at >= self.recheck_days * _DAY:
            return Outcome(source, "due", "", here)
        status = "fresh" if state.status == "fetched" else state.status
        return Outcome(source, status, state.why, here)

    def _one(self, source: Source) -> Outcome:
        """Ask for one page and put what came on the shelf.

        Raises:
            Offline: it cannot be reached; nothing was changed.
        """
        name, state = source.id, self.shelf.state(source.id)
        state.checked_at, state.retry_at = self.now(), 0.0
        try:
            page = self._page(source, state)
            status = self._take(source, state, page) if page.status == 200 else "unchanged"
            if status == "unchanged":
                state.status, state.why = "fetched", ""
        except Offline:
            raise
        except ReadingRefused as error:
            kinds = {ReadingDisallowed: "robots", ReadingGone: "gone"}
            state.status = status = kinds.get(type(error), "refused")
            state.why = _said(error, source)
        except ReadingFailed as error:
            state.status, state.why = "failed", _said(error, source)
            state.retry_at = self.now() + error.retry_s if error.retry_s else 0.0
            status = "failed"
        self.shelf.keep(name, state)
        return Outcome(source, status, state.why, self.shelf.has(name))

    def _page(self, source: Source, state: State) -> Page:
        """The first of the places where the text may stand that has it."""
        known = Validators(state.url, state.etag, state.modified)
        if not self.shelf.has(source.id):
            known = Validators()  # what is not here has to come again
        last: ReadingRefused = ReadingGone("there is nothing at the address")
        for url in candidates(source.url):
            page = self.fetcher.get(url, known)
            if page.status in (200, 304):
                return page
            kind = ReadingGone if page.status in (404, 410) else ReadingRefused
            last = kind(f"answers with status {page.status}", about=page.url)
        raise last

    def _take(self, source: Source, state: State, page: Page) -> str:
        """Put a page on the shelf, unless it says what is known already."""
        document = self.extractor.extract(page.data, page.kind, url=page.url, charset=page.charset)
        digest = hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
        validators = page.validators
        state.url, state.etag, state.modified = validators.url, validators.etag, validators.modified
        if digest == state.sha256 and self.shelf.has(source.id):
            return "unchanged"
        mine = signature(document.text)
        state.sha256, state.words = digest, [int(value) for value in mine]
        others = self._signatures()
        others.pop(f"reading/{source.id}", None)
        state.twin = twin(mine, others) or ""
        if state.twin:
            self.shelf.drop(source.id)
            state.status, state.why = "duplicate", f"says the same as {state.twin}"
            return "duplicate"
        self.shelf.put(source, document)
        others[f"reading/{source.id}"] = mine
        state.status, state.why = "fetched", ""
        return "fetched"

    def _signatures(self) -> dict[str, Signature]:
        """Of the library's documents and of every text on the shelf, by the documents' ids."""
        if self._seen is None:
            self._seen = dict(self.known())
            for path in self.shelf.texts.glob("*.json"):
                name = path.name.partition(".")[0]
                if words := self.shelf.state(name).words:
                    self._seen[f"reading/{name}"] = from_list(words)
        return self._seen


def in_turn(sources: Iterable[Source]) -> Iterator[Source]:
    """One of each host, then the next of each, so that the pauses of one host are filled with the others."""
    hosts: dict[str, list[Source]] = {}
    for source in sources:
        hosts.setdefault(source.host, []).append(source)
    while hosts:
        for host in list(hosts):
            yield hosts[host].pop(0)
            if not hosts[host]:
                del hosts[host]


def _offline(lost: Iterable[str]) -> Offline:
    names = ", ".join(sorted(lost)[:3])
    return Offline(
        f"no network: {names} cannot be reached",
        fix="Nothing was changed; run it again when there is one.",
    )


def _said(error: ReadingRefused | ReadingFailed, source: Source) -> str:
    """What happened, and where, if the trouble was at another address than the reading's own."""
    elsewhere = error.about and canonical(error.about) != canonical(source.url) and "://" in error.about
    return f"{error.what} ({error.about})" if elsewhere else error.what
