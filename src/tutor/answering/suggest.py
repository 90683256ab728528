"""What to ask next: from the probes of the cards that an answer cites, and the cards that lie beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.curriculum.outline import CardLine, Outline
from tutor.retrieval.lexical import terms

MOST = 3
#: Kinds of probe that a reader asks too, the most telling first; an estimate or a design is for a drill.
_KINDS = ("why-not", "compare", "how", "trade-off", "failure", "scale")
_LONGEST = 120  # characters: a probe that sets a scene first is for a drill
_ON = 2  # probes that an answer shows of its first card
_SAME = 0.6  # of the shorter question's terms: the same question in other words


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and the card that it comes from."""

    question: str
    card: str


def suggestions(cited: Sequence[str], outline: Outline, asked: Sequence[str]) -> list[Suggestion]:
    """At most three questions that were not asked yet, the same ones each time.

    First a probe of each of the two cards that were cited first, then one of a card related to the first; where there
    are fewer, more of their probes. With each question asked a card's turn begins two probes on, so that a conversation
    that stays on one card is not offered the same ones after every answer.

    Args:
        cited: ids of the documents that the answer quotes, in its order; what is no card is passed over.
        outline: the curriculum.
        asked: the conversation's questions.
    """
    cards = [outline.cards[name] for name in dict.fromkeys(cited) if name in outline.cards]
    found: list[Suggestion] = []
    said = [frozenset(terms(question)) for question in asked]
    on = _ON * max(0, len(asked) - 1)

    def take(candidates: Iterator[Suggestion], most: int) -> None:
        for one in candidates:
            if len(found) == MOST or most == 0:
                return
            words = frozenset(terms(one.question))
            if not any(_same(words, other) for other in said):
                said.append(words)
                found.append(one)
                most -= 1

    for card in cards[:2]:
        take(_probes(card, on), 1)
    for card in cards[:1]:
        take(_beside(card, outline, {card.id for card in cards}, on), 1)
    for card in cards:
        take(_probes(card, on), MOST)
    return found


def _probes(card: CardLine, on: int) -> Iterator[Suggestion]:
    """A card's probes that a reader asks too, the most telling kind first, beginning so many on."""
    fit = [p.ask for kind in _KINDS for p in card.probes if p.kind == kind and len(p.ask) <= _LONGEST]
    at = on % len(fit) if fit else 0
    yield from (Suggestion(ask, card.id) for ask in (*fit[at:], *fit[:at]))


def _beside(card: CardLine, outline: Outline, cited: set[str], on: int) -> Iterator[Suggestion]:
    for name in card.related:
        if name in outline.cards and name not in cited:
            yield from _probes(outline.cards[name], on)


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and bool(other) and len(one & other) >= _SAME * min(len(one), len(other))
