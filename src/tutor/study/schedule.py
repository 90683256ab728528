"""When something is due again: FSRS (the ``fsrs`` package, the algorithm's reference) per card and per rubric point.

Pure: a state and a rating give the next state. Steps of minutes are left out, since nobody drills a card twice in ten
minutes; the shortest interval is a day. Within a twentieth of an interval either way the day with the least due is
taken, so that a week of study does not come back on one day.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from fsrs import Card, Rating, Scheduler, State

Grade = Literal[1, 2, 3, 4]
AGAIN: Grade = 1
HARD: Grade = 2
GOOD: Grade = 3
EASY: Grade = 4
LEECH_FROM = 5  # lapses: by then it is not forgotten but not understood, and reading it again helps more than a rating
_SPREAD = 0.05
_LONGEST_DAYS = 365  # an interview is nearer
BELIEVED_DAYS = 30.0  # for how long one's own word is taken before it is tried
_BELIEVED_SPREAD = 10  # days either way
_DIFFICULTY = 5.0  # the middle of FSRS's scale: nothing is known of it

#: What a rubric point's status is worth as a rating; ``prompted`` where it came only after a follow-up. Never easy.
OF_STATUS: Mapping[str, Grade] = {
    "covered": GOOD,
    "prompted": HARD,
    "partly": HARD,
    "missed": AGAIN,
    "contradicted": AGAIN,
}
#: What a drill's verdict is worth for its card; an answer that could not be graded rates nothing. Never easy.
OF_VERDICT: Mapping[str, Grade] = {"strong": GOOD, "mixed": HARD, "weak": AGAIN, "wrong": AGAIN}


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of ``ref``, a card's id or ``card/probe/point``.

    ``state`` is FSRS's: 1 learning, 2 review, 3 relearning. ``stability`` in days; ``difficulty`` in [1, 10].
    """

    ref: str
    state: int
    step: int | None
    stability: float | None
    difficulty: float | None
    due: datetime
    last: datetime
    reps: int = 0
    lapses: int = 0
    suspended: bool = False

    @property
    def card(self) -> str:
        """The id of the card it is of."""
        return self.ref.split("/", 1)[0]

    @property
    def probe(self) -> str:
        """The id of the probe that the point is of; empty for a card."""
        return self.ref.split("/")[1] if "/" in self.ref else ""

    @property
    def leech(self) -> bool:
        return self.lapses >= LEECH_FROM


class Deck:
    """Everything that a learner reviews, with how much is due on each day.

    Args:
        items: as they are stored.
        retention: the probability of recall at which a review is due, in (0, 1).
        zone: the learner's.
    """

    def __init__(self, items: Iterable[Item], *, retention: float, zone: ZoneInfo) -> None:
        self.items = {item.ref: item for item in items}
        self._retention = retention
        self._zone = zone
        self._load = Counter(self._day(item.due) for item in self.items.values() if not item.suspended)

    def rate(self, ref: str, rating: Grade, at: datetime) -> Item:
        """The item after a rating.

        A time before its last review counts as the time of that one: two machines' clocks differ, and reviews come in
        late from an import.
        """
        before = self.items.get(ref)
        at = max(at.astimezone(UTC), before.last) if before else at.astimezone(UTC)
        card = _card(before) if before else Card(card_id=0, due=at)
        after, _ = scheduler(self._retention).review_card(card, Rating(rating), at)
        lapsed = before is not None and before.state == State.Review.value and rating == AGAIN
        item = Item(
            ref,
            after.state.value,
            after.step,
            after.stability,
            after.difficulty,
            self._balanced(after.due, at, leaving=before),
            at,
            (before.reps if before else 0) + 1,
            (before.lapses if before else 0) + int(lapsed),
            before.suspended if before else False,
        )
        return self._put(item)

    def believe(self, ref: str, at: datetime) -> Item:
        """The item of something that was never reviewed and that the learner says they know.

        It is asked in about a month, on a day that goes by its name, so that an import of many does not come back on
        one day and the day is the same whenever this is asked.
        """
        at = at.astimezone(UTC)
        shift = zlib.crc32(ref.encode()) % (2 * _BELIEVED_SPREAD + 1) - _BELIEVED_SPREAD
        due = at + timedelta(days=BELIEVED_DAYS + shift)
        return self._put(Item(ref, State.Review.value, None, BELIEVED_DAYS, _DIFFICULTY, due, at))

    def out(self, item: Item) -> bool:
        """Whether it does not come up: it is suspended, or the card that it is a point of is."""
        card = self.items.get(item.card)
        return item.suspended or (card is not None and card.suspended)

    def preview(self, ref: str, at: datetime) -> dict[Grade, datetime]:
        """When the item would be due after each rating; nothing is changed.

        Raises:
            KeyError: it was never reviewed.
        """
        before = self.items[ref]
        found: dict[Grade, datetime] = {}
        for grade in (AGAIN, HARD, GOOD, EASY):
            found[grade] = self.rate(ref, grade, at).due
            self._put(before)
        return found

    def suspend(self, ref: str, suspended: bool) -> Item:
        """The item, out of the reviews or back among them.

        Raises:
            KeyError: it was never reviewed.
        """
        return self._put(replace(self.items[ref], suspended=suspended))

    def forget(self, ref: str) -> None:
        """Take an item out, as if it had never been reviewed."""
        if (before := self.items.pop(ref, None)) and not before.suspended:
            self._load[self._day(before.due)] -= 1

    def _put(self, item: Item) -> Item:
        self.forget(item.ref)
        self.items[item.ref] = item
        if not item.suspended:
            self._load[self._day(item.due)] += 1
        return item

    def recall(self, ref: str, now: datetime) -> float:
        """The probability in [0, 1] that it is remembered now; 0 for what was never reviewed."""
        item = self.items.get(ref)
        return scheduler(self._retention).get_card_retrievability(_card(item), now.astimezone(UTC)) if item else 0.0

    def due(self, until: datetime) -> list[Item]:
        """What is due until then and not suspended, what is likeliest forgotten first."""
        found = [item for item in self.items.values() if item.due <= until and not self.out(item)]
        return sorted(found, key=lambda item: (self.recall(item.ref, until), item.ref))

    def brought_forward(self, since: Mapping[str, datetime]) -> Deck:
        """The same deck with some items due at given times at the latest; what it has not is passed over."""
        items = (
            replace(item, due=min(item.due, since[ref])) if ref in since else item for ref, item in self.items.items()
        )
        return Deck(items, retention=self._retention, zone=self._zone)

    def _balanced(self, due: datetime, at: datetime, *, leaving: Item | None) -> datetime:
        """The least loaded moment near ``due``; the nearest where several are alike."""
        days = max(1, round((due - at) / timedelta(days=1)))
        width = round(days * _SPREAD)
        left = self._day(leaving.due) if leaving and not leaving.suspended else None

        def load(shift: int) -> int:
            day = self._day(due + timedelta(days=shift))
            return self._load[day] - (day == left)

        best = min(range(-width, width + 1), key=lambda n: (load(n), abs(n), n))
        return due + timedelta(days=best)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()


@lru_cache(maxsize=8)
def scheduler(retention: float) -> Scheduler:
    """FSRS with its published parameters, whole days, and no random fuzz (``Deck`` spreads the load instead)."""
    return Scheduler(
        desired_retention=retention,
        learning_steps=(),
        relearning_steps=(),
        maximum_interval=_LONGEST_DAYS,
        enable_fuzzing=False,
    )


def _card(item: Item) -> Card:
    return Card(
        card_id=0,
        state=State(item.state),
        step=item.step,
        stability=item.stability,
        difficulty=item.difficulty,
        due=item.due,
        last_review=item.last,
    )
