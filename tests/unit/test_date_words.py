"""Dates among the words of a search: which days they mean, and what is no date."""

from __future__ import annotations

from datetime import date

import pytest

from tutor.study.date_words import split_dates

TODAY = date(2026, 5, 20)  # a Wednesday


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("2026-05-03", date(2026, 5, 3), date(2026, 5, 3)),
        ("3 May 2026", date(2026, 5, 3), date(2026, 5, 3)),
        ("3rd of May, 2026", date(2026, 5, 3), date(2026, 5, 3)),
        ("MAY 3, 2026", date(2026, 5, 3), date(2026, 5, 3)),
        ("sept 4 2025", date(2025, 9, 4), date(2025, 9, 4)),
        ("Dec 2025", date(2025, 12, 1), date(2025, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-W18", date(2026, 4, 27), date(2026, 5, 3)),
        ("today", TODAY, TODAY),
        ("yesterday", date(2026, 5, 19), date(2026, 5, 19)),
        ("this week", date(2026, 5, 18), date(2026, 5, 24)),
        ("last week", date(2026, 5, 11), date(2026, 5, 17)),
        ("this month", date(2026, 5, 1), TODAY),
        ("last month", date(2026, 4, 1), date(2026, 4, 30)),
        ("last year", date(2025, 1, 1), date(2025, 12, 31)),
        ("on Monday", date(2026, 5, 18), date(2026, 5, 18)),
        ("Wednesday", date(2026, 5, 13), date(2026, 5, 13)),  # the last one, not today
        ('"3 May 2026"', date(2026, 5, 3), date(2026, 5, 3)),  # as a terminal's "3 May 2026" arrives
    ],
)
def test_words_that_are_days(typed: str, first: date, last: date) -> None:
    rest, (found,) = split_dates(f"kafka {typed} queue", TODAY)
    assert rest == "kafka queue"
    assert (found.first, found.last, found.any_year) == (first, last, False)
    assert found.holds(first) and found.holds(last)


@pytest.mark.parametrize("typed", ["3 May", "May 3", "May 3rd", "3rd of may"])
def test_a_day_without_a_year_is_that_day_of_any_year(typed: str) -> None:
    rest, (found,) = split_dates(typed, TODAY)
    assert rest == ""
    assert found.holds(date(2024, 5, 3)) and found.holds(date(2026, 5, 3))
    assert not found.holds(date(2026, 5, 4)) and not found.holds(date(2026, 3, 5))


def test_a_month_of_any_year_and_a_leap_day() -> None:
    (march,) = split_dates("in March", TODAY)[1]
    assert march.holds(date(2020, 3, 31)) and not march.holds(date(2020, 4, 1))
    (leap,) = split_dates("29 Feb", TODAY)[1]
    assert leap.holds(date(2024, 2, 29)) and not leap.holds(date(2024, 2, 28))


@pytest.mark.parametrize(
    "typed",
    ["it may be", "march on", "31 Feb", "2026-13-01", "2026-W60", "v2026-05-03", "12.3 May", "phase 3",
     '"decided on 3 May"', "mayday 3", "99999-01-01", "0000-01"],
)  # fmt: skip
def test_what_is_no_date_stays_a_word(typed: str) -> None:
    assert split_dates(typed, TODAY) == (typed, ())


def test_several_dates_each_once() -> None:
    rest, found = split_dates("3 May resp 4 May 3 May", TODAY)
    assert rest == "resp" and [one.text for one in found] == ["3 May", "4 May"]
