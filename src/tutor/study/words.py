"""What a learner has vouched for: cards that are mastered by their own word or an import, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from tutor.study.progress import Marked, counting
from tutor.study.schedule import Deck, Item

_VOUCHED = ("override", "import")  # a mastery check is a review of the card, and is scheduled as one


def vouched(marks: Iterable[Marked]) -> dict[str, datetime]:
    """By card the time of the mark that counts, where that says mastered and no check was made.

    Args:
        marks: of a learner, the oldest first.
    """
    by_card: dict[str, list[Marked]] = {}
    for mark in marks:
        by_card.setdefault(mark.card, []).append(mark)
    last = {card: counting(of_card) for card, of_card in by_card.items()}
    return {card: m.at for card, m in last.items() if m and m.status == "mastered" and m.why in _VOUCHED}


def deck_of(items: Iterable[Item], marks: Iterable[Marked], *, retention: float, zone: ZoneInfo) -> Deck:
    """Everything that a learner reviews, with the cards that they vouch for: those are tried too, and fade."""
    deck = Deck(items, retention=retention, zone=zone)
    for card, at in vouched(marks).items():
        if (item := deck.items.get(card)) is None or item.last < at:
            deck.believe(card, at)
    return deck
