"""28 days of doing exactly what ``tutor today`` says, 45 minutes each: nothing starves, and plans keep their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from tutor.curriculum import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.study import custom
from tutor.study.days import end_of
from tutor.study.followed import next_items, table_of
from tutor.study.pacing import Skips
from tutor.study.schedule import GOOD, Deck
from tutor.study.timetable import Entry, Taken, Timetable
from tutor.study.today import Line, today

FIRST = date(2026, 3, 2)
ZONE = ZoneInfo("Europe/Berlin")
MINUTES, DAYS = 45, 28


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outline:
    return outline(builtin_corpus(), tmp_path_factory.mktemp("outline") / "outline.json")


def taken(whole: Outline, plan: str) -> Taken:
    at = datetime(2026, 3, 2, 7, tzinfo=UTC)
    if plan != "custom":
        return Taken("", plan, at, FIRST, 1.0, Skips(), {})
    interview = FIRST + timedelta(weeks=6)
    made = custom.choose(
        whole, start=FIRST, interview=interview, track=custom.track_of("backend"), hours=8, skips=Skips()
    )
    spec = {
        "interview": interview.isoformat(),
        "track": "backend",
        "hours": 8,
        "cards": [one.card for one in made.cards],
    }
    return Taken("", plan, at, FIRST, 1.0, Skips(), spec)


@dataclass
class Life:
    """Somebody who does a line for as long as it says; what is done earlier leaves minutes for what comes next.

    ``spent`` are minutes on items of the plan; ``passed`` is who overtook an item that was late, and that item.
    """

    whole: Outline
    plan: Taken
    reviews: bool
    spent: dict[str, int] = field(default_factory=dict)
    ticks: dict[str, datetime] = field(default_factory=dict)
    passed: list[tuple[str, str]] = field(default_factory=list)
    deck: Deck = field(default_factory=lambda: Deck([], retention=0.9, zone=ZONE))

    def day(self, day: date) -> None:
        now, left = datetime(day.year, day.month, day.day, 8, tzinfo=UTC), MINUTES
        while left:
            table = table_of(self.whole, self.plan, self.ticks, day)
            found = today(
                self.whole, {}, self.deck, (), next_items([table]),
                now=now, until=end_of(day, ZONE), minutes=left,
            )  # fmt: skip
            for line in found.lines:
                if left:
                    left -= self.do(line, min(line.minutes, left), now, table)

    def do(self, line: Line, minutes: int, now: datetime, table: Timetable) -> int:
        """The minutes that it took."""
        if line.kind != "plan":
            for ref in line.refs:
                self.deck.rate(ref, GOOD, now)
            return minutes
        entries = {entry.item.id: entry for entry in table.entries}
        item = entries[line.item].item
        took = min(minutes, item.minutes - self.spent.get(item.id, 0))
        self.spent[item.id] = self.spent.get(item.id, 0) + took
        before = [one for one in table.open if one.item.id not in self.ticks and earlier(one, entries[item.id])]
        self.passed += [(item.id, one.item.id) for one in before if one.state == "late"]
        if self.spent[item.id] == item.minutes:
            self.ticks[item.id] = now
            if self.reviews and item.card:
                self.deck.rate(item.card, GOOD, now)
        return took


def earlier(one: Entry, other: Entry) -> bool:
    assert one.due and other.due
    return one.due < other.due


@pytest.mark.parametrize("plan", ["28-days", "custom"])
def test_a_plan_that_takes_more_than_the_day_is_done_in_its_order_and_no_minute_is_lost(
    plan: str, whole: Outline
) -> None:
    me = Life(whole, taken(whole, plan), reviews=False)
    for n in range(DAYS):
        me.day(FIRST + timedelta(days=n))
    entries = table_of(whole, me.plan, {}, FIRST).entries
    ends = list(accumulate(entry.item.minutes for entry in entries))
    could = sum(end <= MINUTES * DAYS for end in ends)
    # In the order in which they are due, and as many as there are minutes for: nothing could be less late.
    assert list(me.ticks) == [entry.item.id for entry in entries[:could]]
    assert sum(me.spent.values()) == MINUTES * DAYS and me.passed == []
    kinds = {entry.item.kind for entry in entries if entry.item.id in me.ticks}
    assert kinds == (
        {"card"} if plan == "custom" else {"notes", "video", "reading", "exercise", "problem", "reflection"}
    )
    if plan == "custom":
        # Caching takes 46 minutes: the first of the second day.
        assert next(iter(me.ticks)) == "caching" and me.ticks["caching"].date() == FIRST + timedelta(days=1)


def test_reviews_of_what_was_learnt_leave_the_plan_its_share_and_its_order(whole: Outline) -> None:
    me = Life(whole, taken(whole, "custom"), reviews=True)
    for n in range(DAYS):
        before = sum(me.spent.values())
        me.day(FIRST + timedelta(days=n))
        assert sum(me.spent.values()) - before >= 0.4 * MINUTES
    assert me.passed == []
    cards = list(me.ticks)
    assert len(cards) > 15 and cards[0] == "caching"
    for number, name in enumerate(cards):
        below = [p for p in whole.cards[name].prerequisites if p in me.plan.spec["cards"]]
        assert set(below) <= set(cards[:number]), name
    due = me.deck.due(end_of(FIRST + timedelta(days=DAYS - 1), ZONE))
    assert len(due) < 20, "a backlog that can still be worked off"
