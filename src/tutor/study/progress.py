"""Where a learner stands with a card: not started, learning or mastered, by rules that can be told.

Mastered is earned: by the card's own mastery check, by strong drills on two days, or said outright. It is lost again
when a later drill fails, when the card or one of its points is forgotten in a later review, or when recall has fallen
too low. What was forgotten counts as mended once it is recalled; a drill that failed takes new evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.schedule import AGAIN, BELIEVED_DAYS, Deck

Status = Literal["not-started", "learning", "mastered"]
STATUSES: tuple[Status, ...] = ("not-started", "learning", "mastered")
STRONG_DAYS = 2  # on so many days a card was answered strongly: one good evening is no mastery
STRONG_PROBES = 2  # and on so many of its questions, where it has them
#: Probability of recall under which what was mastered counts as being learnt: reviews are due at 0.9, and FSRS-6 gets
#: here after about nine times the days that a review was put off for.
FORGOTTEN_BELOW = 0.7
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

    ``missed`` are the points that the last answer to their probe lacked, as ``probe/point``; ``suspended``: the card
    does not come up in reviews.
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
    suspended: bool = False


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
        answers: all of the learner's that were graded, of cards that are no longer in the curriculum too.
        deck: what is reviewed.
        last_ratings: by ref (a card's id or ``card/probe/point``) the last rating and its time.
        now: the time.
        zone: the learner's, whose days count.
    """
    marked: dict[str, list[Marked]] = {}
    answered: dict[str, list[Answered]] = {}
    rated: dict[str, dict[str, tuple[int, datetime]]] = {}
    for mark in sorted(marks, key=lambda m: m.at):
        marked.setdefault(mark.card, []).append(mark)
    for answer in sorted(answers, key=lambda a: a.at):
        answered.setdefault(answer.card, []).append(answer)
    for ref, last in last_ratings.items():
        rated.setdefault(ref.split("/", 1)[0], {})[ref] = last
    return {
        name: _of_card(card, marked.get(name, []), answered.get(name, []), deck, rated.get(name, {}), now, zone)
        for name, card in outline.cards.items()
    }


def _of_card(
    card: CardLine,
    marks: Sequence[Marked],
    answers: Sequence[Answered],
    deck: Deck,
    rated: Mapping[str, tuple[int, datetime]],
    now: datetime,
    zone: ZoneInfo,
) -> CardProgress:
    item = deck.items.get(card.id)
    recall = deck.recall(card.id, now) if item else None
    believed = now - timedelta(days=BELIEVED_DAYS)
    fading = (recall, max(item.last, believed)) if recall is not None and item else None
    status, why, since = _status(card, marks, answers, rated, fading, zone)
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
        bool(item and item.suspended),
    )


def _status(
    card: CardLine,
    marks: Sequence[Marked],
    answers: Sequence[Answered],
    rated: Mapping[str, tuple[int, datetime]],
    fading: tuple[float, datetime] | None,
    zone: ZoneInfo,
) -> tuple[Status, str, datetime | None]:
    said = counting(marks)
    own = said is not None and said.why != "import"  # an import adds, but takes nothing away
    lowered = said.at if said and own and said.status != "mastered" else None
    earned, lost = _earned(card, [a for a in answers if lowered is None or a.at > lowered], zone)
    if said is not None and said.status == "mastered" and (earned is None or said.at >= earned):
        return _kept(card, said.at, _SAID[said.why], answers, rated, fading)
    if earned is not None:
        return _kept(card, earned, f"strong in drills on {STRONG_DAYS} days", answers, rated, fading)
    if lost is not None:
        return "learning", f"was mastered; a later drill was {lost.verdict}", lost.at
    if said is not None:
        since = [a for a in answers if a.at > said.at or not own]
        if said.status == "learning" or not since:
            failed = said.why == "check" and said.status != "mastered"
            return said.status, "not yet by the mastery check" if failed else _SAID[said.why], said.at
        return "learning", _so_far(since), since[0].at
    if not answers and not rated:
        return "not-started", "nothing yet", None
    return "learning", _so_far(answers), min([a.at for a in answers[:1]] + [at for _, at in rated.values()])


def counting(marks: Sequence[Marked]) -> Marked | None:
    """The mark that counts: the last, but for imported ones that would lower what stood before."""
    counting: Marked | None = None
    for mark in marks:
        lowers = counting is not None and STATUSES.index(mark.status) < STATUSES.index(counting.status)
        if not (mark.why == "import" and lowers):
            counting = mark
    return counting


def _kept(
    card: CardLine,
    since: datetime,
    why: str,
    answers: Sequence[Answered],
    rated: Mapping[str, tuple[int, datetime]],
    fading: tuple[float, datetime] | None,
) -> tuple[Status, str, datetime | None]:
    """What has become of a mastery since it was reached; ``fading`` is the card's recall, and its last
    review, or a month ago where that is later.

    One that was said outright is taken for a month, whatever was forgotten before; then it fades too.
    """
    if failed := next((a for a in answers if a.at > since and a.verdict in FAILED), None):
        return "learning", f"was mastered; a later drill was {failed.verdict}", failed.at
    forgotten = sorted((at, ref) for ref, (rating, at) in rated.items() if at > since and rating == AGAIN)
    if own := next((at for at, ref in forgotten if ref == card.id), None):
        return "learning", "was mastered; forgotten in a later review", own
    points = {f"{card.id}/{probe.id}/{point.id}" for probe in card.probes for point in probe.points}
    if lacking := [(at, ref) for at, ref in forgotten if ref in points]:
        count = "a point was" if len(lacking) == 1 else f"{len(lacking)} points were"
        return "learning", f"was mastered; {count} missed since", lacking[0][0]
    if fading and fading[1] >= since and fading[0] < FORGOTTEN_BELOW:
        return "learning", f"was mastered; recall has fallen to {fading[0]:.0%}", since
    return "mastered", why, since


_SAID = {
    "check": "the mastery check",
    "override": "your own word",
    "import": "imported",
    "drill": "drills",
    "decay": "forgotten",
}


def _earned(card: CardLine, answers: Sequence[Answered], zone: ZoneInfo) -> tuple[datetime | None, Answered | None]:
    """When drills had shown mastery, counted from the last one that failed; and that one, where it took a mastery."""
    days: set[date] = set()
    probes: set[str] = set()
    when, lost = None, None
    for answer in answers:
        if answer.verdict in FAILED:
            lost = answer if when else lost
            days, probes, when = set(), set(), None
        elif answer.verdict == "strong":
            days.add(answer.at.astimezone(zone).date())
            probes.add(answer.probe)
            if (
                when is None
                and len(days) >= STRONG_DAYS
                and len(probes) >= min(STRONG_PROBES, max(1, len(card.probes)))
            ):
                when, lost = answer.at, None
    return when, lost


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
