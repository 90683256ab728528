"""What a learner has vouched for: cards that are mastered by their own word or an import, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from tutor.study.progress import Marked, counting
from tutor.study.schedule import Deck, Item

_VOUCHED = ("override", "import")  # a mastery check is a review of the card, and is scheduled as one


def vouched(marks: Iterable[Marked]) -> dict[str, datetime]:
    """By card since when it is called mastered, where the mark that counts says so and no check was made.

    Args:
        marks: of a learner, the oldest first.
    """
    by_card: dict[str, list[Marked]] = {}
    since: dict[str, datetime] = {}
    for mark in marks:
        of_card = by_card.setdefault(mark.card, [])
        of_card.append(mark)
        counts = counting(of_card)
        if counts and counts.status == "mastered" and counts.why in _VOUCHED:
            since.setdefault(mark.card, counts.at)
        else:
            since.pop(mark.card, None)
    return since


def deck_of(items: Iterable[Item], marks: Iterable[Marked], *, retention: float, zone: ZoneInfo) -> Deck:
    """Everything that a learner reviews, with the cards that they vouch for and never reviewed: those are tried too."""
    deck = Deck(items, retention=retention, zone=zone)
    for card, at in vouched(marks).items():
        if card not in deck.items:  # what is reviewed comes up on its own day
            deck.believe(card, at)
    return deck
