"""Where a learner stands with a card: not started, learning or mastered, by rules that can be told.

Mastered is earned: by the card's own mastery check, by strong drills on two days, or said outright. It is lost again
when a later drill or review fails, or when the card is likelier forgotten than not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.schedule import AGAIN, Deck

Status = Literal["not-started", "learning", "mastered"]
STATUSES: tuple[Status, ...] = ("not-started", "learning", "mastered")
STRONG_DAYS = 2  # on so many days a card was answered strongly: one good evening is no mastery
STRONG_PROBES = 2  # and on so many of its questions, where it has them
FORGOTTEN_BELOW = 0.5  # probability of recall under which what was mastered counts as being learnt
FAILED = ("weak", "wrong")


@dataclass(frozen=True, slots=True)
class Marked:
    """A card was marked; ``why`` is check, override, import or decay."""

    card: str
    status: Status
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """A graded answer to a card's probe, as far as progress goes by it."""

    card: str
    probe: str
    verdict: str
    score: float
    at: datetime
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardProgress:
    """``why`` says in words what the status rests on; ``recall`` in [0, 1], None where nothing was reviewed yet.

    ``missed`` are the points that the last answer to their probe lacked, as ``probe/point``.
    """

    card: str
    status: Status
    why: str
    since: datetime | None
    recall: float | None
    drilled: int
    strong: int
    due: datetime | None
    missed: tuple[str, ...] = ()


def progress(
    outline: Outline,
    marks: Iterable[Marked],
    answers: Iterable[Answered],
    deck: Deck,
    last_ratings: Mapping[str, tuple[int, datetime]],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> dict[str, CardProgress]:
    """Every card's progress, in the curriculum's order.

    Args:
        outline: the curriculum.
        marks: all of the learner's.
        answers: all of the learner's, of cards that are no longer in the curriculum too.
        deck: what is reviewed.
        last_ratings: by ref the last rating and its time.
        now: the time.
        zone: the learner's, whose days count.
    """
    marked: dict[str, list[Marked]] = {}
    answered: dict[str, list[Answered]] = {}
    for mark in sorted(marks, key=lambda m: m.at):
        marked.setdefault(mark.card, []).append(mark)
    for answer in sorted(answers, key=lambda a: a.at):
        answered.setdefault(answer.card, []).append(answer)
    return {
        name: _of_card(card, marked.get(name, []), answered.get(name, []), deck, last_ratings.get(name), now, zone)
        for name, card in outline.cards.items()
    }


def _of_card(
    card: CardLine,
    marks: Sequence[Marked],
    answers: Sequence[Answered],
    deck: Deck,
    rated: tuple[int, datetime] | None,
    now: datetime,
    zone: ZoneInfo,
) -> CardProgress:
    item = deck.items.get(card.id)
    recall = deck.recall(card.id, now) if item else None
    status, why, since = _status(card, marks, answers, rated, recall, zone)
    return CardProgress(
        card.id,
        status,
        why,
        since,
        recall,
        len(answers),
        sum(a.verdict == "strong" for a in answers),
        item.due if item else None,
        _missed(answers),
    )


def _status(
    card: CardLine,
    marks: Sequence[Marked],
    answers: Sequence[Answered],
    rated: tuple[int, datetime] | None,
    recall: float | None,
    zone: ZoneInfo,
) -> tuple[Status, str, datetime | None]:
    earned = _earned(card, answers, zone)
    said = marks[-1] if marks else None
    if said is None and earned is None:
        if not answers and rated is None:
            return "not-started", "nothing yet", None
        first = min([a.at for a in answers[:1]] + ([rated[1]] if rated else []))
        return "learning", _so_far(answers), first
    if said is not None and (earned is None or said.at >= earned):
        if said.status != "mastered":
            newer = [a for a in answers if a.at > said.at]
            if said.status == "not-started" and newer:
                return "learning", _so_far(newer), newer[0].at
            return said.status, _SAID[said.why], said.at
        since, why = said.at, _SAID[said.why]
    else:
        assert earned is not None
        since, why = earned, f"strong in drills on {STRONG_DAYS} days"
    if failed := next((a for a in answers if a.at > since and a.verdict in FAILED), None):
        return "learning", f"was mastered; a later drill was {failed.verdict}", failed.at
    if rated and rated[1] > since and rated[0] == AGAIN:
        return "learning", "was mastered; forgotten in a later review", rated[1]
    if recall is not None and recall < FORGOTTEN_BELOW:
        return "learning", f"was mastered; recall has fallen to {recall:.0%}", since
    return "mastered", why, since


_SAID = {
    "check": "the mastery check",
    "override": "your own word",
    "import": "imported",
    "drill": "drills",
    "decay": "forgotten",
}


def _earned(card: CardLine, answers: Sequence[Answered], zone: ZoneInfo) -> datetime | None:
    """When drills had shown mastery, counted from the last one that failed; None where they have not."""
    days: set[date] = set()
    probes: set[str] = set()
    when = None
    for answer in answers:
        if answer.verdict in FAILED:
            days, probes, when = set(), set(), None
        elif answer.verdict == "strong":
            days.add(answer.at.astimezone(zone).date())
            probes.add(answer.probe)
            if (
                when is None
                and len(days) >= STRONG_DAYS
                and len(probes) >= min(STRONG_PROBES, max(1, len(card.probes)))
            ):
                when = answer.at
    return when


def _so_far(answers: Sequence[Answered]) -> str:
    if not answers:
        return "reviewed"
    strong = sum(a.verdict == "strong" for a in answers)
    return f"{len(answers)} {'drill' if len(answers) == 1 else 'drills'}, {strong} strong"


def _missed(answers: Sequence[Answered]) -> tuple[str, ...]:
    last = {answer.probe: answer for answer in answers}
    return tuple(f"{probe}/{point}" for probe, answer in last.items() for point in answer.missed)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some cards are where."""

    name: str
    cards: int
    learning: int
    mastered: int

    @property
    def percent(self) -> int:
        """Mastered cards count whole, those being learnt half."""
        return round(100 * (self.mastered + 0.5 * self.learning) / self.cards) if self.cards else 0


def share(name: str, cards: Iterable[str], found: Mapping[str, CardProgress]) -> Share:
    """The share of some cards, of those that the curriculum has."""
    statuses = [found[card].status for card in dict.fromkeys(cards) if card in found]
    return Share(name, len(statuses), statuses.count("learning"), statuses.count("mastered"))
