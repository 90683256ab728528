"""What a text names: the corpus's own names, and words written as names are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from tutor.answering.asked import proper
from tutor.retrieval.lexical import name_key, stem
from tutor.retrieval.search import Searcher

#: Aliases of cards that are ordinary words in a question: "which tool", "the base table".
_ORDINARY = frozenset(map(stem, "tool question method technology author compute token database monitoring".split()))
_DETERMINER = re.compile(r"(?:\b(?:an?|the|our|my|your|one|each|every)\s+)$", re.I)


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text: ``text[start:end]``; ``key`` is what its spellings have in common.

    ``coined`` where one of its words is no English word: "etcd".
    """

    text: str
    start: int
    end: int
    key: str
    coined: bool = False

    @property
    def product(self) -> bool:
        """Whether it is written as products are: "Kafka", "RabbitMQ"."""
        return not self.text.islower() and not self.acronym

    @property
    def acronym(self) -> bool:
        letters = [c for c in self.text if c.isalpha()]
        return len(letters) > 1 and all(map(str.isupper, letters[:-1]))  # "GSIs", "RPCs"


class Names(Protocol):
    """Finds the names in a text, in order, none inside another."""

    def __call__(self, text: str) -> tuple[Named, ...]: ...


class CorpusNames:
    """Names that the index's lexicon knows, and proper names that it does not."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher  # not its expander, which a new generation replaces

    def __call__(self, text: str) -> tuple[Named, ...]:
        spans = self._searcher.expander.names_in(text, is_word=self._searcher.encoder.is_word)
        for word in proper(text):
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                if not any(start < match.end() and match.start() < end for start, end in spans):
                    spans.append(match.span())
        named = (self._named(text, a, b) for a, b in sorted(spans))
        return tuple(n for n in named if n.key not in _ORDINARY)

    def _named(self, text: str, start: int, end: int) -> Named:
        name = text[start:end]
        coined = not all(self._searcher.encoder.is_word(w) for w in re.findall(r"[a-z]+", name.lower()))
        return Named(name, start, end, name_key(name) or name.lower(), coined)


def with_article(text: str, name: Named) -> str:
    """The name as it stood, with the article before it: "a saga"."""
    before = _DETERMINER.search(text, 0, name.start)
    return text[before.start() if before else name.start : name.end]
