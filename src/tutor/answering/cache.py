"""Answers that were made before: exact by a key of all they depend on, by sense only where the same is provably asked.

It is for answers that a language model wrote, which cost seconds and money. An extractive answer is made again in 20 to
40 ms, which nobody waits for; keeping it would store what learners ask for nothing.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from threading import RLock
from typing import Any, Literal, Protocol

from tutor.answering.screen import leans_on_context
from tutor.answering.sense import Sense, Senses

MEMORY_BYTES = 16 * 1024 * 1024  # about 3,000 answers of 5 kB
#: Cosine of two questions of one sense: the lowest of the committed pairs with one meaning is .775.
SIMILAR = 0.75
_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """All that an answer depends on but the question.

    ``generation`` of the index; ``model`` and ``prompt`` version that wrote it; ``settings`` a digest of those that
    matter; ``filters`` as JSON with sorted keys; ``learner`` whose cache it is: nobody is given another's.
    """

    generation: str
    model: str
    prompt: str = ""
    settings: str = ""
    filters: str = "{}"
    learner: str = ""

    @property
    def digest(self) -> str:
        """sha256 of the scope."""
        return _sha256([_LAYOUT, asdict(self)])

    def key(self, question: str) -> str:
        """sha256 of the scope and the question, which must stand alone."""
        return _sha256([_LAYOUT, asdict(self), normalised(question)])


def scope_of(
    generation: str,
    model: str,
    prompt: str,
    *,
    settings: Mapping[str, Any],
    filters: Mapping[str, Sequence[str | int]] | None = None,
    learner: str = "",
) -> Scope:
    """A scope from what it is made of; the order of a filter's values does not count, since any of them may match."""
    only = {key: sorted(values, key=str) for key, values in (filters or {}).items()}
    return Scope(generation, model, prompt, _sha256(settings), json.dumps(only, sort_keys=True), learner)


@dataclass(frozen=True, slots=True)
class Found:
    """A stored answer, and how it was found; ``question`` is the one it was made for."""

    payload: dict[str, Any]
    how: Literal["memory", "disk", "sense"]
    question: str


@dataclass(slots=True)
class Counts:
    """What became of lookups since the start."""

    memory: int = 0
    disk: int = 0
    sense: int = 0
    missed: int = 0
    evicted: int = 0


class Shelf(Protocol):
    """Where answers outlive the process. Failures are misses."""

    def get(self, key: str) -> tuple[str, dict[str, Any]] | None: ...

    def put(self, key: str, scope: Scope, question: str, payload: Mapping[str, Any]) -> None: ...

    def questions(self, scope: Scope) -> Sequence[tuple[str, str]]: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


class AnswerCache:
    """Answers by question and scope; safe to call from several threads.

    Args:
        memory_bytes: of JSON that is kept in the process; the least recently used goes first.
        shelf: keeps them on disk as well; None keeps them in memory only.
        senses: finds answers to the same question in other words; None finds exact ones only.
        similarity: cosine of two questions in [-1, 1]; asked only where their senses are equal.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = MEMORY_BYTES,
        shelf: Shelf | None = None,
        senses: Senses | None = None,
        similarity: Callable[[str, str], float] | None = None,
    ) -> None:
        self._limit = memory_bytes
        self._shelf = shelf
        self._senses = senses
        self._similarity = similarity
        self._kept: OrderedDict[str, tuple[str, str, str]] = OrderedDict()  # key → scope, question, JSON
        self._bytes = 0
        self._by_sense: dict[str, dict[Sense, list[tuple[str, str]]]] = {}
        self._generation = ""
        self._lock = RLock()
        self.counts = Counts()

    @property
    def bytes(self) -> int:
        """Bytes of JSON in memory."""
        return self._bytes

    def get(self, question: str, scope: Scope) -> Found | None:
        """The stored answer to a question that stands alone."""
        if not cacheable(question):
            return None
        with self._lock:
            self._follow(scope.generation)
            key = scope.key(question)
            found = self._exact(key, scope) or self._alike(question, scope)
            if found is None:
                self.counts.missed += 1
            else:
                setattr(self.counts, found.how, getattr(self.counts, found.how) + 1)
            return found

    def put(self, question: str, scope: Scope, payload: Mapping[str, Any]) -> bool:
        """Keep an answer; False of one that is not kept: abstained, or to a question that leans on a conversation."""
        if payload.get("abstained") or not cacheable(question):
            return False
        body = json.dumps(payload, ensure_ascii=False, sort_keys=True)
        with self._lock:
            self._follow(scope.generation)
            key = scope.key(question)
            self._remember(key, scope, question, body)
            if self._shelf is not None:
                self._shelf.put(key, scope, question, payload)
        return True

    def close(self) -> None:
        """Let go of the shelf."""
        if self._shelf is not None:
            self._shelf.close()

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._kept.clear()
            self._by_sense.clear()
            self._bytes = 0
            if self._shelf is not None:
                self._shelf.clear()

    def _follow(self, generation: str) -> None:
        """A new generation makes every stored answer stale; the key says so too, this frees the memory."""
        if generation != self._generation:
            self._kept.clear()
            self._by_sense.clear()
            self._bytes = 0
            self._generation = generation

    def _exact(self, key: str, scope: Scope) -> Found | None:
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
            return Found(json.loads(kept[2]), "memory", kept[1])
        if self._shelf is not None and (stored := self._shelf.get(key)):
            question, payload = stored
            self._remember(key, scope, question, json.dumps(payload, ensure_ascii=False, sort_keys=True))
            return Found(payload, "disk", question)
        return None

    def _alike(self, question: str, scope: Scope) -> Found | None:
        if self._senses is None or self._similarity is None:
            return None
        sense = self._senses.of(question)
        if sense is None:
            return None
        for key, asked in reversed(self._senses_of(scope).get(sense, [])):
            if self._similarity(question, asked) < SIMILAR:
                continue
            if found := self._exact(key, scope):
                return Found(found.payload, "sense", asked)
        return None

    def _senses_of(self, scope: Scope) -> dict[Sense, list[tuple[str, str]]]:
        digest = scope.digest
        if digest not in self._by_sense:
            self._by_sense[digest] = {}
            for key, question in self._shelf.questions(scope) if self._shelf is not None else ():
                self._index(digest, key, question)
        return self._by_sense[digest]

    def _index(self, digest: str, key: str, question: str) -> None:
        if self._senses is not None and (sense := self._senses.of(question)) is not None:
            rows = self._by_sense[digest].setdefault(sense, [])
            if (key, question) not in rows:
                rows.append((key, question))

    def _remember(self, key: str, scope: Scope, question: str, body: str) -> None:
        if before := self._kept.pop(key, None):
            self._bytes -= _size(before)
        row = (scope.digest, question, body)
        if _size(row) > self._limit:
            return
        self._kept[key] = row
        self._bytes += _size(row)
        self._senses_of(scope)
        self._index(scope.digest, key, question)
        while self._bytes > self._limit:
            gone, old = self._kept.popitem(last=False)
            self._bytes -= _size(old)
            self.counts.evicted += 1
            if self._shelf is None:
                for rows in self._by_sense.get(old[0], {}).values():
                    rows[:] = [r for r in rows if r[0] != gone]


def cacheable(question: str) -> bool:
    """Whether a question stands alone: half of one means something else in the next conversation."""
    return leans_on_context(question) is None


def normalised(question: str) -> str:
    """A question in one spelling of its characters and blanks.

    Capitals stay: "USE" is not "use". So does what stands raised, lowered or as a fraction: 10³ is not 103.
    """
    parts = (p if _raised(p[:1]) else unicodedata.normalize("NFKC", p) for p in _by_height(question))
    return " ".join("".join(parts).split())


def _raised(char: str) -> bool:
    return unicodedata.decomposition(char).startswith(("<super>", "<sub>", "<fraction>")) if char else False


def _by_height(text: str) -> list[str]:
    """Runs of characters that are all raised, or all not."""
    return ["".join(run) for _, run in groupby(text, _raised)]


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _size(row: tuple[str, str, str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in row)
