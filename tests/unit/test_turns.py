"""A flash round on pages: a question is rated once, whoever sends it how often; what was done on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from study_fakes import NOW, ZONE, card, curriculum, deck
from tutor.errors import NotFound, UsageError
from tutor.study.desk import Study
from tutor.study.done import done_today, untouched
from tutor.study.records import LONGEST_S
from tutor.study.reviews import Rated
from tutor.study.rounds import POINT_S
from tutor.study.schedule import AGAIN, EASY, GOOD, HARD
from tutor.study.store import StudyStore
from tutor.study.turns import rate_once, revealed, sitting

POINTS = ("disk/p1/a", "disk/p1/b", "log/p1/a")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def study(tmp_path: Path, clock: Clock) -> Iterator[Study]:
    """Three points that were learnt ten days ago, and are due."""
    found = Study(
        lambda: StudyStore(tmp_path / "study.db", clock=clock),
        lambda: curriculum(card("disk"), card("log", "disk")),
        list,
        zone=ZONE,
        minutes=45,
        retention=0.9,
        clock=clock,
    )
    before = NOW - timedelta(days=10)
    found.rate([Rated(ref, GOOD, before, f"drill:20260219-00000001/{n}") for n, ref in enumerate(POINTS)])
    yield found
    found.close()


def test_a_round_goes_through_what_is_due_and_ends(study: Study, clock: Clock) -> None:
    seen = []
    for left in (3, 2, 1):
        found = sitting(study, NOW)
        assert found.turn is not None and found.left == left and len(found.recalled) == 3 - left
        seen.append(found.turn.flash.ref)
        clock.now += timedelta(seconds=20)
        rating = 1 if left == 1 else 3
        assert rate_once(study, found.turn.flash.ref, rating, seen=found.turn.seen, confidence=80).counted
    end = sitting(study, NOW)
    assert end.turn is None and end.left == end.more == 0
    assert [one.ref for one in end.recalled] == seen and sorted(seen) == sorted(POINTS)
    assert {one.confidence for one in end.recalled} == {0.8}
    assert end.ahead == ((NOW + timedelta(days=1)).date(), 1)  # what was forgotten


def test_a_round_is_as_long_as_was_asked_for(study: Study, clock: Clock) -> None:
    for number in range(2):
        found = sitting(study, NOW, minutes=2 * POINT_S // 60)
        assert found.turn is not None and (found.left, found.more) == (2 - number, 1)
        clock.now += timedelta(seconds=5)
        rate_once(study, found.turn.flash.ref, 1, seen=found.turn.seen)
    end = sitting(study, NOW, minutes=2)
    assert end.turn is None and (end.left, end.more) == (0, 1)
    assert (
        sitting(study, clock.now + timedelta(seconds=1), minutes=2).left == 1
    )  # one that begins goes on with the rest


def test_a_round_of_one_card_knows_only_that_one(study: Study) -> None:
    assert sitting(study, NOW, cards=["Log"]).left == 1
    with pytest.raises(NotFound):
        sitting(study, NOW, cards=["nothing"])
    with pytest.raises(UsageError, match="out of range"):
        sitting(study, NOW, minutes=0)


def test_what_each_rating_comes_to_is_what_the_rating_then_gives(study: Study, clock: Clock) -> None:
    turn = revealed(study, POINTS[0])
    assert turn.days[AGAIN] <= turn.days[HARD] <= turn.days[GOOD] <= turn.days[EASY]
    item = rate_once(study, POINTS[0], GOOD, seen=turn.seen).item
    assert (item.due.astimezone(ZONE).date() - clock.now.astimezone(ZONE).date()).days == turn.days[GOOD]


def test_a_preview_changes_nothing() -> None:
    mine = deck(("disk", 3, 10), ("log", 3, 8), ("cache", 2, 8))
    before = dict(mine.items)
    days = mine.preview("disk", NOW)
    assert mine.items == before and days == mine.preview("disk", NOW)
    assert mine.rate("disk", HARD, NOW).due == days[HARD]


def test_a_second_window_does_not_rate_again(study: Study, clock: Clock) -> None:
    one, other = revealed(study, POINTS[0]), revealed(study, POINTS[0])
    assert rate_once(study, POINTS[0], 1, seen=one.seen).counted
    clock.now += timedelta(seconds=3)
    late = rate_once(study, POINTS[0], 4, seen=other.seen)
    assert not late.counted and late.item.reps == 2
    assert not rate_once(study, POINTS[0], 1, seen=one.seen).counted  # sent again
    assert revealed(study, POINTS[0]).seen != one.seen


def test_what_is_no_longer_due_is_not_rated(study: Study, clock: Clock) -> None:
    rate_once(study, POINTS[0], 3, seen=revealed(study, POINTS[0]).seen)
    clock.now += timedelta(minutes=1)
    again = revealed(study, POINTS[0])  # by its own address, and not due
    assert not rate_once(study, POINTS[0], 4, seen=again.seen).counted


def test_time_is_measured_up_to_a_pause(study: Study, clock: Clock) -> None:
    shown = clock.now
    clock.now += timedelta(hours=2)
    rate_once(study, POINTS[0], 3, seen=revealed(study, POINTS[0]).seen, shown=shown)
    assert study.stats().studied.seconds["review"] == LONGEST_S["review"]


@pytest.mark.parametrize(("rating", "confidence"), [(0, None), (5, None), (3, 101)])
def test_a_rating_out_of_range_stores_nothing(study: Study, rating: int, confidence: float | None) -> None:
    turn = revealed(study, POINTS[0])
    with pytest.raises(UsageError):
        rate_once(study, POINTS[0], rating, seen=turn.seen, confidence=confidence)
    assert revealed(study, POINTS[0]) == turn


def test_what_is_not_reviewed_cannot_be_rated(study: Study) -> None:
    with pytest.raises(NotFound):
        rate_once(study, "log/p2/a", 3, seen="x")
    with pytest.raises(UsageError):
        rate_once(study, POINTS[0], 3, seen="")


def test_a_round_of_another_day_begins_anew(study: Study, clock: Clock) -> None:
    assert sitting(study, NOW - timedelta(days=3)).began == NOW
    assert sitting(study, NOW + timedelta(days=3)).began == NOW


def test_what_was_done_today(study: Study, clock: Clock) -> None:
    assert not done_today(study, ()).anything and not untouched(study)
    rate_once(study, POINTS[0], 1, seen=revealed(study, POINTS[0]).seen, shown=clock.now - timedelta(seconds=120))
    rate_once(study, POINTS[1], 3, seen=revealed(study, POINTS[1]).seen)
    study.mark("log", "mastered")
    done = done_today(study, ())
    assert (done.recalled, done.forgotten) == (2, 1) and done.checked == (("log", "Log"),)
    assert done.minutes == 3  # two measured, one estimated
    clock.now += timedelta(days=1)
    assert not done_today(study, ()).anything


def test_a_first_visit_has_touched_nothing(tmp_path: Path, clock: Clock) -> None:
    study = Study(
        lambda: StudyStore(tmp_path / "new.db", clock=clock), curriculum, list, zone=ZONE, minutes=45, retention=0.9,
        clock=clock,
    )  # fmt: skip
    assert untouched(study)
    study.mark("disk", "learning")
    assert not untouched(study)
    study.close()
