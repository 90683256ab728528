"""A flash round: what is due, asked one by one. Pure: what to ask and what to show; ratings are stored by the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.lookup import point_of
from tutor.study.schedule import Deck, Item

POINT_S = 60  # a point: recalled, looked up, rated
CARD_S = 180  # a card: its check gone through by heart


@dataclass(frozen=True, slots=True)
class Flash:
    """Something to recall: ``ask`` first, then ``answer`` with where it is from (``doc_id`` is the card's)."""

    ref: str
    title: str
    ask: str
    answer: tuple[str, ...]
    doc_id: str
    recall: float
    lapses: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Round:
    """What is asked now, the likeliest forgotten first, and how many more are due."""

    flashes: tuple[Flash, ...]
    more: int


def flash_round(outline: Outline, deck: Deck, until: datetime, *, minutes: int, cards: Sequence[str] = ()) -> Round:
    """What is due until then and fits into the minutes; at least one thing where anything is due.

    Args:
        outline: the curriculum; what it has no more is passed over.
        deck: what is reviewed.
        until: the end of the learner's day.
        minutes: from 1.
        cards: only these and their points, where given.
    """
    due = [
        flash
        for item in deck.due(until)
        if not cards or item.card in cards
        if (flash := flash_of(outline, deck, item, until))
    ]
    taken: list[Flash] = []
    left = minutes * 60
    for flash in due:
        if flash.seconds <= left or not taken:
            taken.append(flash)
            left -= flash.seconds
    return Round(tuple(taken), len(due) - len(taken))


def flash_of(outline: Outline, deck: Deck, item: Item, until: datetime) -> Flash | None:
    """What is asked of an item, the same until it is rated; None where the curriculum has it no more."""
    recall = deck.recall(item.ref, until)
    if (place := point_of(outline, item.ref)) is not None:
        card, probe, point = place
        ask = f"{probe.ask} {point.follow_up}" if point.follow_up != probe.ask else probe.ask
        return Flash(item.ref, card.title, ask, (point.text,), card.id, recall, item.lapses, POINT_S)
    found = outline.cards.get(item.ref)
    if found is None:
        return None
    ask, answer = _question(found, item.reps)
    return Flash(found.id, found.title, ask, answer, found.id, recall, item.lapses, CARD_S)


def _question(card: CardLine, turn: int) -> tuple[str, tuple[str, ...]]:
    """The card's questions in turn, with what an answer has; its mastery check where it has none."""
    if not card.probes:
        return f"Go through {card.title} by heart: what must you be able to do?", card.check
    probe = card.probes[turn % len(card.probes)]
    return probe.ask, tuple(point.text for point in probe.points)
