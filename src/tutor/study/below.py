"""What a card builds on that failed, lacked a point or was forgotten lately: that is due too. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tutor.curriculum.outline import Outline
from tutor.study.lookup import known
from tutor.study.progress import FAILED, Answered, CardProgress
from tutor.study.schedule import AGAIN, Deck

_RECENT = timedelta(days=7)  # how long what failed pulls its prerequisites up
_HOW = {"wrong": "went wrong", "weak": "went badly"}


@dataclass(frozen=True, slots=True)
class Pulled:
    """A card that is due because of one that builds on it: ``why`` in words, ``since`` when that failed."""

    card: str
    why: str
    since: datetime


def pulled(
    outline: Outline,
    found: Mapping[str, CardProgress],
    deck: Deck,
    answers: Sequence[Answered],
    rated: Mapping[str, tuple[int, datetime]],
    now: datetime,
) -> list[Pulled]:
    """The prerequisites of what failed within a week, that of the latest failure first, each once.

    Those are left out that are mastered, set aside, or were looked at since; what is set aside pulls up nothing.

    Args:
        outline: the curriculum.
        found: progress of every card.
        deck: what is reviewed.
        answers: graded answers, the oldest first.
        rated: by card or point the last rating and its time.
        now: the time.
    """
    due: dict[str, Pulled] = {}
    for at, card, how in sorted(_failed(outline, answers, rated, now), key=lambda f: (f[0], f[1]), reverse=True):
        above, own = outline.cards[card], deck.items.get(card)
        if own and deck.out(own):
            continue
        for name in above.prerequisites:
            below, item = found.get(name), deck.items.get(name)
            if name in due or below is None or below.status == "mastered":
                continue
            if item is None or (item.last < at and not deck.out(item)):
                due[name] = Pulled(name, f"{above.title} {how} and builds on it", at)
    return list(due.values())


def _failed(
    outline: Outline, answers: Sequence[Answered], rated: Mapping[str, tuple[int, datetime]], now: datetime
) -> Iterator[tuple[datetime, str, str]]:
    """Cards by when and how they failed: in their last answer, or in a review after it."""
    last = {answer.card: answer for answer in answers}
    for card, answer in last.items():
        if card in outline.cards and now - answer.at <= _RECENT and (answer.verdict in FAILED or answer.missed):
            yield answer.at, card, _HOW.get(answer.verdict, "lacked a point")
    forgotten: dict[str, tuple[datetime, str, str]] = {}
    for ref, (rating, at) in sorted(rated.items()):  # a card before its points
        card = ref.split("/", 1)[0]
        answered = last.get(card)
        if rating != AGAIN or now - at > _RECENT or not known(outline, ref) or (answered and at <= answered.at):
            continue
        if card not in forgotten or at > forgotten[card][0]:
            forgotten[card] = (at, card, "was forgotten" if ref == card else "had a point forgotten")
    yield from forgotten.values()
