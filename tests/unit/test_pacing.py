"""Dates of plans: every step once, in order, never on a day that is skipped."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import UsageError
from tutor.study.pacing import Skips, Span, lay_out, pace_until, skips_of, spread, study_days

MONDAY = date(2026, 3, 2)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
SKIPS = st.builds(Skips, st.frozensets(DAYS, max_size=40), st.frozensets(st.integers(0, 6), max_size=6))


def dates(spans: list[Span]) -> list[tuple[str, str]]:
    return [(f"{span.first:%m-%d}", f"{span.last:%m-%d}") for span in spans]


def days_of(span: Span, skips: Skips) -> list[date]:
    every = (span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1))
    return [day for day in every if skips.open(day)]


def test_days_follow_each_other_without_the_weekend() -> None:
    found = lay_out([1] * 7, date(2026, 3, 5), unit="day", pace=1, skips=skips_of(["sat,sun"]))
    assert [f"{span.first:%a %d}" for span in found] == [
        "Thu 05", "Fri 06", "Mon 09", "Tue 10", "Wed 11", "Thu 12", "Fri 13",
    ]  # fmt: skip
    assert all(span.first == span.last for span in found)


def test_a_skipped_date_pushes_days_and_weeks_back_by_one() -> None:
    off = skips_of(["2026-03-03"])
    assert dates(lay_out([1] * 3, MONDAY, unit="day", pace=1, skips=off)) == [
        ("03-02", "03-02"),
        ("03-04", "03-04"),
        ("03-05", "03-05"),
    ]
    assert dates(lay_out([1, 1], MONDAY, unit="week", pace=1, skips=off)) == [("03-02", "03-09"), ("03-10", "03-16")]


def test_weekends_off_leave_a_week_a_week_and_a_month_a_month() -> None:
    off = skips_of(["sat", "sun"])
    assert dates(lay_out([1, 2], MONDAY, unit="week", pace=1, skips=off)) == [("03-02", "03-06"), ("03-09", "03-20")]
    # 1 February 2026 is a Sunday
    assert dates(lay_out([1, 1], date(2026, 1, 1), unit="month", pace=1, skips=off)) == [
        ("01-01", "01-30"),
        ("02-02", "02-27"),
    ]


def test_months_are_those_of_the_calendar_also_from_the_31st() -> None:
    assert dates(lay_out([1, 1, 1], date(2026, 1, 31), unit="month", pace=1, skips=Skips())) == [
        ("01-31", "02-27"),
        ("02-28", "03-30"),
        ("03-31", "04-29"),
    ]


def test_a_pace_stretches_and_presses() -> None:
    assert dates(lay_out([1] * 4, MONDAY, unit="day", pace=0.5, skips=Skips())) == [
        ("03-02", "03-02"),
        ("03-02", "03-02"),
        ("03-03", "03-03"),
        ("03-03", "03-03"),
    ]
    assert dates(lay_out([1, 1], MONDAY, unit="day", pace=2, skips=Skips())) == [("03-02", "03-03"), ("03-04", "03-05")]


@given(
    st.lists(st.floats(0.1, 3), min_size=1, max_size=30),
    DAYS,
    st.sampled_from(["day", "week", "month"]),
    st.floats(0.1, 2),
    SKIPS,
)
def test_every_step_has_its_days_in_order_and_none_that_is_skipped(
    lengths: list[float], start: date, unit: Literal["day", "week", "month"], pace: float, skips: Skips
) -> None:
    found = lay_out(lengths, start, unit=unit, pace=pace, skips=skips)
    assert len(found) == len(lengths)
    assert found[0].first >= start
    for span in found:
        assert span.first <= span.last
        assert skips.open(span.first) and skips.open(span.last)
    for before, after in pairwise(found):
        assert before.first <= after.first and before.last <= after.last
        # A day is shared only by steps that are shorter than one.
        assert after.first > before.last or after.first == before.last


@given(st.integers(1, 40), DAYS, SKIPS)
def test_a_day_a_step_takes_each_open_day_once(count: int, start: date, skips: Skips) -> None:
    found = [span.first for span in lay_out([1] * count, start, unit="day", pace=1, skips=skips)]
    assert found == sorted(set(found)) and len(found) == count
    assert study_days(start, found[-1], skips) == count


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), DAYS, st.integers(0, 60), SKIPS)
def test_items_are_spread_in_order_over_open_days(minutes: list[int], first: date, length: int, skips: Skips) -> None:
    days = days_of(Span(first, first + timedelta(days=length)), skips)
    if not days:
        return
    span = Span(days[0], days[-1])
    found = spread(minutes, span, skips)
    assert len(found) == len(minutes) and found == sorted(found)
    assert set(found) <= set(days)


@given(st.integers(1, 30), DAYS, st.integers(0, 200), SKIPS)
def test_a_pace_until_a_date_ends_by_it(count: int, start: date, room: int, skips: Skips) -> None:
    until = start + timedelta(days=room)
    try:
        pace = pace_until([1.0] * count, start, until, unit="day", skips=skips)
    except UsageError:
        quickest = lay_out([1.0] * count, start, unit="day", pace=0.1, skips=skips)
        assert quickest[-1].last > until
    else:
        assert lay_out([1.0] * count, start, unit="day", pace=pace, skips=skips)[-1].last <= until


def test_skips_are_read_as_they_are_written() -> None:
    found = skips_of(["Sat,sun", "2026-12-24..2026-12-26", " 2027-01-01 "])
    assert found.weekdays == {5, 6} and len(found.dates) == 4
    assert skips_of(found.words) == found


@pytest.mark.parametrize(
    "word", ["someday", "2026-02-30", "24.12.2026", "2026-12-26..2026-12-24", "20261224", "2026-12-24..", "0001-01-01"]
)
def test_no_day_is_told(word: str) -> None:
    with pytest.raises(UsageError) as told:
        skips_of([word])
    assert told.value.fix


def test_nothing_left_to_study_on_is_told() -> None:
    with pytest.raises(UsageError, match="every weekday"):
        skips_of(["mon,tue,wed,thu,fri,sat,sun"])
    with pytest.raises(UsageError, match="more than 10 years"):
        lay_out([1] * 6, MONDAY, unit="day", pace=1, skips=skips_of(["2026-03-02..2036-03-09"]))
    with pytest.raises(UsageError, match="pace of 11"):
        lay_out([1], MONDAY, unit="day", pace=11, skips=Skips())
    with pytest.raises(UsageError, match="pace of nan"):
        lay_out([1], MONDAY, unit="day", pace=float("nan"), skips=Skips())
