"""A flash round on pages: a question is shown, its answer revealed and rated in requests of their own.

Nothing of it is kept but the ratings. A question is named by the review that it follows (``seen``): rated from a second
window, sent twice, or settled by a drill in between, it counts once, and whoever comes late is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from tutor.errors import NotFound, UsageError
from tutor.study.days import day_of, end_of
from tutor.study.desk import Study, checked_minutes
from tutor.study.insights import forecast
from tutor.study.lookup import card_of, known
from tutor.study.records import LONGEST_S
from tutor.study.rounds import CARD_S, POINT_S, Flash, flash_of, flash_round
from tutor.study.schedule import Deck, Grade, Item
from tutor.study.tables import Review

LONGEST_ROUND = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a round; ``days`` until it is due again by each rating, ``due`` where it is not rated now."""

    flash: Flash
    seen: str
    leech: bool
    due: date
    days: Mapping[Grade, int]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A rating of a round; ``confidence`` in [0, 1], None where it was not given; ``due`` is when it comes back."""

    ref: str
    card: str
    title: str
    rating: int
    confidence: float | None
    due: datetime | None
    leech: bool


@dataclass(frozen=True, slots=True)
class Sitting:
    """A round since ``began``: ``turn`` is next, None at its end; ``left`` counts it too; ``more`` is due beyond.

    ``ahead`` is the next later day on which something is due, with how much; None within the next two weeks.
    """

    began: datetime
    turn: Turn | None
    left: int
    more: int
    recalled: tuple[Recalled, ...]
    ahead: tuple[date, int] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rating; not ``counted`` where it was rated, or came not to be due, in between."""

    item: Item
    counted: bool


def sitting(study: Study, began: datetime, minutes: int | None = None, cards: Sequence[str] = ()) -> Sitting:
    """Where a round stands.

    Args:
        study: the desk.
        began: when the round began; what was rated since is part of it. One of long ago counts as begun now.
        minutes: of the whole round; the day's where it is None.
        cards: only these and their points, where given.

    Raises:
        NotFound: no such card.
        UsageError: minutes out of range.
    """
    given = checked_minutes(study.minutes if minutes is None else minutes)
    ids = [card_of(study.outline, name).id for name in cards]
    study.sync()
    now = study.clock()
    if not now - LONGEST_ROUND <= began <= now:
        began = now
    deck, until = _deck(study), _until(study)
    recalled = _recalled(study, deck, began, ids)
    left_s = given * 60 - sum(POINT_S if "/" in one.ref else CARD_S for one in recalled)
    found = flash_round(study.outline, deck, until, minutes=max(1, left_s // 60), cards=ids)
    known_items = (i for i in deck.items.values() if known(study.outline, i.ref) and not deck.out(i))
    days = forecast(known_items, now, study.zone)[1:]
    ahead = next(((day, count) for day, count in days if count), None)
    if left_s <= 0:
        return Sitting(began, None, 0, len(found.flashes) + found.more, recalled, ahead)
    first = found.flashes[0] if found.flashes else None
    turn = _turn(study, deck, first) if first else None
    return Sitting(began, turn, len(found.flashes), found.more, recalled, ahead)


def revealed(study: Study, ref: str) -> Turn:
    """A question with its answer and what each rating would come to, due or not.

    Raises:
        NotFound: the curriculum has no such card or point, or it was never reviewed.
    """
    deck = _deck(study)
    item = _item(deck, ref)
    flash = flash_of(study.outline, deck, item, _until(study))
    if flash is None:
        raise NotFound("the curriculum has it no more", about=ref[:200], fix="Go on with the rest.")
    return _turn(study, deck, flash)


def rate_once(
    study: Study,
    ref: str,
    rating: int,
    *,
    seen: str,
    confidence: float | None = None,
    shown: datetime | None = None,
) -> Outcome:
    """Take the rating of a question down, unless it is no longer the one that was shown.

    Args:
        study: the desk.
        ref: a card's id or ``card/probe/point``.
        rating: 1 forgotten, 2 hard, 3 good, 4 easy.
        seen: the question's, as it was shown.
        confidence: in [0, 100], as given before the answer was shown.
        shown: when it was; the time since, up to ten minutes, is what it took.

    Raises:
        NotFound: the curriculum has no such card or point, or it was never reviewed.
        UsageError: the rating or the confidence is out of range.
    """
    if not seen:
        raise UsageError("the question that was rated is not named", fix="Rate it on its own page.")
    deck = _deck(study)
    item = _item(deck, ref)
    if seen != _seen(item) or item.due > _until(study) or deck.out(item):
        return Outcome(item, False)
    seconds = None
    if shown is not None:
        seconds = min(LONGEST_S["review"], max(0.0, (study.clock() - shown).total_seconds()))
    after = study.review(ref, rating, confidence=confidence, seconds=seconds, key=seen)
    return Outcome(after, after.reps > item.reps)


def _deck(study: Study) -> Deck:
    return study.standing().deck


def _until(study: Study) -> datetime:
    return end_of(day_of(study.clock(), study.zone), study.zone)


def _item(deck: Deck, ref: str) -> Item:
    if (item := deck.items.get(ref)) is None:
        raise NotFound("nothing of this name is reviewed", about=ref[:200], fix="Go on with what is due.")
    return item


def _seen(item: Item) -> str:
    return item.last.isoformat()


def _turn(study: Study, deck: Deck, flash: Flash) -> Turn:
    item, now = deck.items[flash.ref], study.clock()
    today = day_of(now, study.zone)
    days = {grade: (day_of(due, study.zone) - today).days for grade, due in deck.preview(flash.ref, now).items()}
    return Turn(flash, _seen(item), item.leech, day_of(item.due, study.zone), days)


def _recalled(study: Study, deck: Deck, began: datetime, cards: Sequence[str]) -> tuple[Recalled, ...]:
    """The learner's own ratings since then, the earliest first."""
    query = select(Review.ref, Review.rating, Review.confidence).where(
        Review.learner == study.store.learner, Review.at >= began, Review.source.like("review:%")
    )
    with study.store.read() as session:
        rows = [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Review.at, Review.id))]
    found = []
    for ref, rating, confidence in rows:
        card, item = ref.split("/", 1)[0], deck.items.get(ref)
        if card in study.outline.cards and (not cards or card in cards):
            title = study.outline.cards[card].title
            due = item.due if item else None
            found.append(Recalled(ref, card, title, rating, confidence, due, bool(item and item.leech)))
    return tuple(found)
