"""Dates of a plan: pure, on the learner's own days, so that no clock change and no time zone can move one.

A step takes ``pace`` of the plan's unit: a day, a week, a calendar month. Dates that are skipped push everything after
them back. Weekdays that are skipped do so in a plan by days; a week stays a week and a month a month, with fewer days
to study on. Steps follow each other in order, and no step lies on a day that is skipped.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Literal

from tutor.errors import UsageError

Unit = Literal["day", "week", "month"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PACES = (0.1, 10.0)
LONGEST_YEARS = 10
MOST_A_DAY = 600  # minutes: past that a plan is not followed
_MOST_SKIPPED = 3_660  # dates in a row: ten years
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Skips:
    """Dates and weekdays (0 is Monday) without study."""

    dates: frozenset[date] = frozenset()
    weekdays: frozenset[int] = frozenset()

    def open(self, day: date) -> bool:
        """Whether there is study on a day."""
        return day not in self.dates and day.weekday() not in self.weekdays

    @property
    def words(self) -> list[str]:
        """As they are stored, and as ``skips_of`` reads them."""
        return [*(WEEKDAYS[n] for n in sorted(self.weekdays)), *(day.isoformat() for day in sorted(self.dates))]


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last study day of something, both of them its own."""

    first: date
    last: date


def skips_of(words: Iterable[str]) -> Skips:
    """Weekdays ("sat", "Sunday"), dates ("2026-12-24") and runs of dates ("2026-12-24..2026-12-31").

    Raises:
        UsageError: a word is none of these, a run ends before it begins, or no weekday is left.
    """
    dates: set[date] = set()
    weekdays: set[int] = set()
    for word in (part.strip() for text in words for part in text.split(",")):
        if not word:
            continue
        if re.fullmatch(r"[a-z]{3,9}", word.lower()) and word.lower()[:3] in WEEKDAYS:
            weekdays.add(WEEKDAYS.index(word.lower()[:3]))
            continue
        first, separator, last = word.partition("..")
        begin = day_of_words(first)
        end = day_of_words(last) if separator else begin
        if not begin <= end <= begin + timedelta(days=_MOST_SKIPPED):
            raise UsageError(f"'{word}' is no run of days", fix="The earlier date first, as 2026-12-24..2026-12-31.")
        dates.update(begin + timedelta(days=n) for n in range((end - begin).days + 1))
    if len(weekdays) == 7:
        raise UsageError("every weekday is skipped, so no day is left to study on", fix="Leave one of them out.")
    return Skips(frozenset(dates), frozenset(weekdays))


def day_of_words(text: str) -> date:
    """A date as 2026-12-24.

    Raises:
        UsageError: it is none.
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            raise ValueError
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"'{text.strip()[:40]}' is no date", fix="Year, month and day, as in 2026-12-24.") from None
    if not 2000 <= found.year <= 2200:
        raise UsageError(f"{found} is out of range", fix="A year from 2000 to 2200.")
    return found


def lay_out(lengths: Sequence[float], start: date, *, unit: Unit, pace: float, skips: Skips) -> list[Span]:
    """The dates of steps that follow each other.

    Args:
        lengths: of each step in units, above 0; steps whose share is less than a day share one with their neighbour.
        start: of the first one; it begins on the first open day from then on.
        unit: of the plan.
        pace: how many units a length of 1 takes.
        skips: days without study.

    Raises:
        UsageError: the pace is out of range, or the plan would end more than ten years after its start.
    """
    if not PACES[0] <= pace <= PACES[1]:
        raise UsageError(
            f"a pace of {pace:g} is out of range",
            about="--pace",
            fix=f"From {PACES[0]:g} (ten times as fast) to {PACES[1]:g} (ten times as slow).",
        )
    if not lengths:
        return []
    # Rounded, so that seven steps of a seventh are a week and not a hair less.
    bounds = [round(total * pace, 6) for total in accumulate(lengths, initial=0.0)]
    offsets = [_offset(start, bound, unit) for bound in bounds]
    whole = max(offsets[-1], 1)
    days = _open_days(start, whole, unit, skips)
    marks = [_moved(start, n, unit, skips, days) for n in offsets]
    spans = []
    for begin, end in pairwise(marks):
        first = min(begin, len(days) - 1)
        spans.append(Span(days[first], days[max(first, min(end, len(days)) - 1)]))
    return spans


def _offset(start: date, bound: float, unit: Unit) -> int:
    """How many days after the start a bound in units lies, as if nothing were skipped."""
    if unit == "day":
        return int(bound)
    if unit == "week":
        return round(bound * 7)
    return (_months_after(start, bound) - start).days


def _months_after(start: date, months: float) -> date:
    """A date so many calendar months later: the 31st becomes the last of a shorter month; a part of one counts days."""
    whole = int(months)
    index = start.year * 12 + start.month - 1 + whole
    year, month = index // 12, index % 12 + 1
    length = monthrange(year, month)[1]
    return date(year, month, min(start.day, length)) + timedelta(days=round((months - whole) * length))


def _open_days(start: date, whole: int, unit: Unit, skips: Skips) -> list[date]:
    """The study days of a plan that takes ``whole`` days where nothing is skipped; at least one."""
    days: list[date] = []
    day, counted = start, 0
    limit = start + timedelta(days=366 * LONGEST_YEARS)
    while counted < whole or not days:
        if day > limit:
            raise UsageError(
                f"the plan would end more than {LONGEST_YEARS} years after its start",
                fix="Take a quicker pace, or skip less.",
            )
        is_open = skips.open(day)
        counted += is_open if unit == "day" else day not in skips.dates
        if is_open:
            days.append(day)
        day += _DAY
    return days


def _moved(start: date, offset: int, unit: Unit, skips: Skips, days: Sequence[date]) -> int:
    """Where among the study days something lies that would come ``offset`` days after the start."""
    if unit == "day":
        return offset
    day, left = start, offset
    while left > 0 or day in skips.dates:
        left -= day not in skips.dates
        day += _DAY
    return bisect_left(days, day)


def spread(minutes: Sequence[int], span: Span, skips: Skips) -> list[date]:
    """The day by which each item of a step is due, in order, by the minutes that they take."""
    days = [d for n in range((span.last - span.first).days + 1) if skips.open(d := span.first + timedelta(days=n))]
    days = days or [span.last]
    total = sum(minutes) or 1
    done = list(accumulate(minutes, initial=0))
    # An item is due on the day on which its middle lies: the first on the first day, the last on the last.
    return [days[min(len(days) - 1, int(len(days) * (begin + end) / 2 / total))] for begin, end in pairwise(done)]


def study_days(first: date, last: date, skips: Skips) -> int:
    """How many days from ``first`` to ``last``, both counted, are open."""
    return sum(skips.open(first + timedelta(days=n)) for n in range((last - first).days + 1))


def pace_until(lengths: Sequence[float], start: date, until: date, *, unit: Unit, skips: Skips) -> float:
    """The slowest pace at which the last step ends by ``until``.

    Raises:
        UsageError: not even the quickest pace does.
    """
    low, high = PACES
    quickest = lay_out(lengths, start, unit=unit, pace=low, skips=skips)[-1].last
    if quickest > until:
        raise UsageError(
            f"the plan does not fit in before {until}",
            fix=f"At its quickest it ends on {quickest}; drop steps, or wait.",
        )
    for _ in range(40):
        middle = (low + high) / 2
        if lay_out(lengths, start, unit=unit, pace=middle, skips=skips)[-1].last <= until:
            low = middle
        else:
            high = middle
    return int(low * 1000) / 1000


def first_end(lengths: Sequence[float], minutes: int, start: date, *, unit: Unit, skips: Skips) -> date:
    """The first day by which so many minutes of steps can end without more than ``MOST_A_DAY`` on a study day.

    Raises:
        UsageError: it is more than ten years away.
    """
    until = start
    while True:
        if study_days(start, until, skips) * MOST_A_DAY >= minutes:
            try:
                pace = pace_until(lengths, start, until, unit=unit, skips=skips)
            except UsageError:
                pass  # a little later it does
            else:
                last = lay_out(lengths, start, unit=unit, pace=pace, skips=skips)[-1].last
                if study_days(start, last, skips) * MOST_A_DAY >= minutes:
                    return until
        until += _DAY
        if (until - start).days > 366 * LONGEST_YEARS:
            raise UsageError(f"the plan would end more than {LONGEST_YEARS} years after its start", fix="Skip less.")
