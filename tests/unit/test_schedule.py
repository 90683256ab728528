"""When something is due: FSRS's own intervals, ratings of grades, and load spread over days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fsrs import Card, Rating
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.study.schedule import AGAIN, GOOD, OF_STATUS, OF_VERDICT, Deck, scheduler

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
RATED = st.tuples(st.integers(0, 40), st.sampled_from([1, 2, 3, 4]), st.integers(0, 60 * 24 * 9))


def deck() -> Deck:
    return Deck([], retention=0.9, zone=BERLIN)


@given(st.lists(RATED, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_state_and_interval_are_the_reference_packages(rated: list[tuple[int, int, int]]) -> None:
    ours, theirs, at = deck(), {}, NOW
    for ref, rating, minutes in rated:
        at += timedelta(minutes=minutes)
        item = ours.rate(str(ref), rating, at)  # type: ignore[arg-type]
        theirs[ref], _ = scheduler(0.9).review_card(theirs.get(ref, Card(card_id=0, due=at)), Rating(rating), at)
        reference = theirs[ref]
        assert (item.state, item.stability, item.difficulty) == (
            reference.state.value,
            reference.stability,
            reference.difficulty,
        )
        days = (reference.due - at) / timedelta(days=1)
        assert abs((item.due - reference.due) / timedelta(days=1)) <= round(days * 0.05)
        theirs[ref].due = item.due


def test_5000_reviews_replayed_give_the_same_state_as_one_by_one() -> None:
    import random

    draw, at = random.Random(7), NOW
    rated = []
    for _ in range(5000):
        at += timedelta(minutes=draw.randrange(1, 240))
        rated.append((f"card-{draw.randrange(300)}", draw.choice([1, 2, 3, 3, 3, 4]), at))
    whole = deck()
    for ref, rating, moment in rated:
        whole.rate(ref, rating, moment)  # type: ignore[arg-type]
    stored: Deck = deck()
    for ref, rating, moment in rated:
        stored = Deck(stored.items.values(), retention=0.9, zone=BERLIN)  # as read from the database each time
        stored.rate(ref, rating, moment)  # type: ignore[arg-type]
    assert stored.items == whole.items


def test_a_drill_never_rates_easy() -> None:
    assert max(OF_STATUS.values()) == max(OF_VERDICT.values()) == GOOD
    assert "ungraded" not in OF_VERDICT


def test_many_reviews_of_one_day_do_not_come_back_on_one_day() -> None:
    spread = deck()
    for n in range(60):
        at = NOW
        for _ in range(4):
            item = spread.rate(f"c{n}", GOOD, at)
            at = item.due
    days = Counter(item.due.date() for item in spread.items.values())
    assert len(days) > 3 and max(days.values()) < 30


def test_what_is_forgotten_again_and_again_is_a_leech() -> None:
    taught, at = deck(), NOW
    for _ in range(5):
        at = taught.rate("kafka", GOOD, at).due
        item = taught.rate("kafka", AGAIN, at)
        at = item.due
    assert item.lapses == 5 and item.leech


def test_a_review_from_a_clock_that_is_behind_counts_as_now() -> None:
    late = deck()
    first = late.rate("kafka", GOOD, NOW)
    second = late.rate("kafka", GOOD, NOW - timedelta(days=3))
    assert second.last == first.last == NOW


def test_due_is_ordered_by_what_is_likeliest_forgotten() -> None:
    known = deck()
    known.rate("new", AGAIN, NOW)
    known.rate("old", GOOD, NOW - timedelta(days=40))
    known.rate("fresh", GOOD, NOW)
    found = [item.ref for item in known.due(NOW + timedelta(days=2))]
    assert found[0] == "old" and "new" in found
    known.suspend("old", True)
    assert "old" not in [item.ref for item in known.due(NOW + timedelta(days=2))]
    assert known.recall("never", NOW) == 0.0


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_days_are_the_learners_also_where_clocks_change(hour: int) -> None:
    at = datetime(2026, 3, 28, hour, 30, tzinfo=BERLIN)  # the night after, clocks go forward
    item = deck().rate("kafka", AGAIN, at)
    assert (item.due - at) == timedelta(days=1)
