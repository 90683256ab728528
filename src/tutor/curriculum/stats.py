"""What there is in the curriculum, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tutor.curriculum.corpus import Corpus
from tutor.curriculum.note import Article, Day
from tutor.curriculum.words import word_count

Row = tuple[str, int, int, int]


def by_shelf(corpus: Corpus) -> Iterator[Row]:
    """(shelf, documents, probes, words): cards by phase, notes and practice entries by kind."""
    shelves: dict[str, list[int]] = {}
    for card in sorted(corpus.cards.values(), key=lambda c: c.phase):
        _add(shelves, f"phase {card.phase}", len(card.probes), corpus.bodies[card.id])
    for entry in corpus.entries.values():
        shelf = "days" if isinstance(entry, Day) else "articles" if isinstance(entry, Article) else "practice"
        _add(shelves, shelf, 0, corpus.bodies[entry.id])
    for shelf, (documents, probes, words) in shelves.items():
        yield shelf, documents, probes, words


def _add(shelves: dict[str, list[int]], shelf: str, probes: int, body: str) -> None:
    row = shelves.setdefault(shelf, [0, 0, 0])
    row[0] += 1
    row[1] += probes
    row[2] += word_count(body)


def probe_kinds(corpus: Corpus) -> Counter[str]:
    """How many probes there are of each kind."""
    return Counter(probe.kind for card in corpus.cards.values() for probe in card.probes)


def points(corpus: Corpus) -> int:
    """How many must-have points the probes have together."""
    return sum(len(probe.must_have) for card in corpus.cards.values() for probe in card.probes)
