"""Looking back: recall by gap, runs of days, weeks, and what a stretch leaves out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from study_fakes import NOW, ZONE, curriculum, deck, graded
from tutor.errors import UsageError
from tutor.study.desk import Study
from tutor.study.lookback import days_of, fading, look_back, recall_by_gap, weeks_of, wilson
from tutor.study.records import Spent
from tutor.study.reviews import Rated
from tutor.study.store import StudyStore

LONG_AGO = NOW - timedelta(days=999)
TODAY = date(2026, 3, 1)  # a Sunday


def rated(ref: str, *days_and_ratings: tuple[float, int]) -> list[tuple[str, int, datetime]]:
    """Ratings so many days before ``NOW``, the oldest first."""
    return [(ref, rating, NOW - timedelta(days=days)) for days, rating in days_and_ratings]


def test_recall_is_told_by_the_days_since_the_review_before() -> None:
    rows = [
        *rated("a", (20, 3), (19, 3), (17, 1), (16, 3), (16, 3)),  # gaps 1, 2, 1 and none
        *rated("b", (90, 1), (50, 3), (45, 4)),  # gaps 40 and 5
        *rated("c", (1, 1)),  # a first review says nothing
    ]
    found, repeated = recall_by_gap(rows, LONG_AGO, ZONE)
    assert repeated == 5
    assert [(r.first, r.last, r.reviews, r.share) for r in found] == [
        (1, 1, 2, 1.0),
        (2, 3, 1, 0.0),
        (4, 7, 1, 1.0),
        (31, None, 1, 1.0),
    ]
    assert all(r.low <= r.share <= r.high for r in found)


def test_recall_of_a_stretch_counts_gaps_that_reach_back_before_it() -> None:
    rows = rated("a", (20, 3), (10, 3), (2, 1))
    found, repeated = recall_by_gap(rows, NOW - timedelta(days=5), ZONE)
    assert [(r.first, r.reviews, r.share) for r in found] == [(8, 1, 0.0)] and repeated == 1
    assert recall_by_gap([], LONG_AGO, ZONE) == ([], 0)


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # as R's binom.wilson gives it
    assert wilson(0, 4)[0] == 0.0 and wilson(4, 4)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_runs_of_days() -> None:
    def at(*days: int) -> list[datetime]:
        return [NOW - timedelta(days=n) for n in days]

    found = days_of(at(9, 8, 7, 7, 3, 1), TODAY, ZONE)
    assert (found.run, found.longest, found.latest) == (1, 3, date(2026, 2, 28))
    assert found.done[date(2026, 2, 22)] == 2
    assert days_of(at(0, 1, 2), TODAY, ZONE).run == 3
    assert (days_of(at(3, 2), TODAY, ZONE).run, days_of([], TODAY, ZONE).latest) == (0, None)


def test_a_day_is_the_learners() -> None:
    late = datetime(2026, 2, 27, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    assert list(days_of([late], TODAY, ZONE).done) == [date(2026, 2, 28)]


def test_weeks_of_a_stretch_those_with_nothing_too() -> None:
    spent = [Spent(NOW - timedelta(days=n), 60.0, "drill", "a") for n in (0, 1, 15, 400)]
    weeks = weeks_of(spent, TODAY - timedelta(days=29), TODAY, ZONE)
    assert weeks == (
        (date(2026, 1, 26), 0.0),
        (date(2026, 2, 2), 0.0),
        (date(2026, 2, 9), 60.0),
        (date(2026, 2, 16), 0.0),
        (date(2026, 2, 23), 120.0),
    )
    assert len(weeks_of(spent, date(2024, 1, 1), TODAY, ZONE)) == 26
    assert len(weeks_of([], TODAY, TODAY, ZONE)) == 1


def test_what_fades_falls_from_day_to_day() -> None:
    mine = deck(("disk", 3, 1), ("log", 1, 4))
    found = fading(mine, ["disk", "log"], NOW)
    shares = [share for _, share in found]
    assert [days for days, _ in found][:3] == [0, 1, 2]
    assert shares == sorted(shares, reverse=True) and 0 < shares[-1] < shares[0] <= 1
    assert fading(mine, [], NOW) == []


@pytest.fixture
def study(tmp_path: Path) -> Study:
    outline = curriculum()
    store = StudyStore(tmp_path / "study.db", clock=lambda: NOW)
    return Study(lambda: store, lambda: outline, list, zone=ZONE, minutes=45, retention=0.9, clock=lambda: NOW)


def test_a_stretch_leaves_out_what_was_before_it(study: Study) -> None:
    from tutor.study import reviews

    tasks = [
        graded("disk", "weak", 100, score=0.1, a="missed"),
        *(graded("log", "weak", days, score=0.2, number=days, a="missed", b="covered") for days in (9, 6, 3)),
    ]
    reviews.take_in(study.store, tasks, retention=0.9, zone=ZONE)
    guessed = [
        Rated("cache", 3, NOW - timedelta(days=days), f"review:{days}", 0.8, 1.0, 30.0) for days in (60, 20, 8, 1)
    ]
    study.rate(guessed)
    every, month = look_back(study), look_back(study, 30)
    assert (every.first, month.first, month.last) == (date(2025, 11, 21), date(2026, 1, 31), TODAY)
    assert [w.ref for w in every.weak_points] == ["log/p1/a", "disk/p1/a"]
    assert [w.ref for w in month.weak_points] == ["log/p1/a"]
    assert (every.calibration.guesses, month.calibration.guesses) == (8, 6)  # a drill has one too
    assert (every.kinds[0].answers, month.kinds[0].answers) == (4, 3)
    assert month.seconds == {"drill": 360.0, "review": 90.0}
    assert sum(seconds for _, seconds in every.weeks) == 600.0
    assert len(every.days.done) == 8 and set(every.days.done.values()) == {1}  # a task with its points is one thing
    assert every.repeated == 3 + 2 * 2 + 2  # of cache, log's points, and log
    assert [r.tier for r in month.readiness] == [r.tier for r in every.readiness] == [1, 2, 3]
    assert every.reviewed_cards == 3 and len(every.fading) == 7


def test_nothing_yet(study: Study) -> None:
    found = look_back(study, 90)
    assert (found.recalled, found.repeated, found.fading, found.days.latest) == ([], 0, [], None)
    assert look_back(study).first == TODAY
    with pytest.raises(UsageError, match="looked back over"):
        look_back(study, 31)
