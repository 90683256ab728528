"""Dates in what somebody searches for: "3 May", "May 2026", "2026-W18", "last week". Rules only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = {name[:size]: n for n, name in enumerate(_NAMES, 1) for size in (3, 4, len(name)) if size != 4 or n == 9}
_M = rf"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_D = r"(\d{1,2})(?:st|nd|rd|th)?(?![\w-])"
_Y = r"(\d{4})(?![\w-])"
_QUOTED = re.compile(r'("[^"]*")')


@dataclass(frozen=True, slots=True)
class DateWords:
    """``text`` as it was typed means the days from ``first`` to ``last``; in any year where none was named."""

    text: str
    first: date
    last: date
    any_year: bool = False

    def holds(self, day: date) -> bool:
        """Whether a day is one of those."""
        if not self.any_year:
            return self.first <= day <= self.last
        return (self.first.month, self.first.day) <= (day.month, day.day) <= (self.last.month, self.last.day)


def split_dates(typed: str, today: date) -> tuple[str, tuple[DateWords, ...]]:
    """What was typed without its dates, and these. Words in quotes stay as they are, unless they are just a date.

    Args:
        typed: as in ``kafka 3 May 2026``.
        today: the learner's day, for "yesterday" and "last week".
    """
    found: list[DateWords] = []

    def taken(match: re.Match[str], days: Callable[[re.Match[str], date], _Span | None]) -> str:
        span = days(match, today)
        if span is None:  # as the 31st of February: words like any other
            return match.group()
        found.append(DateWords(" ".join(match.group().split()), *span))
        return " "

    parts = _QUOTED.split(typed)
    for at, part in enumerate(parts):
        inside = part.strip('" ')
        if at % 2 and not any(pattern.fullmatch(inside) for pattern, _ in _PATTERNS):
            continue
        parts[at] = inside if at % 2 else part
        for pattern, days in _PATTERNS:
            parts[at] = pattern.sub(lambda match, days=days: taken(match, days), parts[at])
    return " ".join("".join(parts).split()), tuple(dict.fromkeys(found))


_Span = tuple[date, date, bool]


def _day(year: str | None, month: str | int, day: str) -> _Span | None:
    number = month if isinstance(month, int) else _MONTHS[month.lower()]
    try:
        found = date(int(year or 2000), number, int(day))  # a leap year, so that 29 February is one
    except ValueError:
        return None
    return found, found, year is None


def _month(year: str | None, month: int) -> _Span | None:
    try:
        first = date(int(year or 2000), month, 1)
        last = date(first.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    except ValueError:
        return None
    return first, last, year is None


def _week(year: str, week: str) -> _Span | None:
    try:
        first = date.fromisocalendar(int(year), int(week), 1)
        return first, first + timedelta(days=6), False
    except (ValueError, OverflowError):
        return None


def _around(which: str, unit: str, today: date) -> _Span:
    if unit == "week":
        first = today - timedelta(days=today.weekday() + 7 * (which == "last"))
        return first, first + timedelta(days=6), False
    first = today.replace(day=1) if unit == "month" else today.replace(month=1, day=1)
    if which == "this":
        return first, today, False
    before = first - timedelta(days=1)
    return (before.replace(day=1) if unit == "month" else before.replace(month=1, day=1)), before, False


def _back(days: int, today: date) -> _Span:
    found = today - timedelta(days=days)
    return found, found, False


def _weekday(name: str, today: date) -> _Span:
    return _back((today.weekday() - _DAYS.index(name.lower())) % 7 or 7, today)


#: Each with what it means; the first that fits takes the words.
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], _Span | None]], ...] = tuple(
    (re.compile(rf"(?<![\w.-]){pattern}", re.IGNORECASE), days)
    for pattern, days in (
        (r"(\d{4})-(\d{2})-(\d{2})(?![\w-])", lambda m, _: _day(m[1], int(m[2]), m[3])),
        (r"(\d{4})-?W(\d{1,2})(?![\w-])", lambda m, _: _week(m[1], m[2])),
        (r"(\d{4})-(\d{2})(?![\w-])", lambda m, _: _month(m[1], int(m[2]))),
        (rf"{_D}(?: of)? {_M},? {_Y}", lambda m, _: _day(m[3], m[2], m[1])),
        (rf"{_M} {_D},? {_Y}", lambda m, _: _day(m[3], m[1], m[2])),
        (rf"{_D}(?: of)? {_M}(?!,? \d{{4}})", lambda m, _: _day(None, m[2], m[1])),
        (rf"{_M} {_D}(?!,? \d{{4}})", lambda m, _: _day(None, m[1], m[2])),
        (rf"{_M} {_Y}", lambda m, _: _month(m[2], _MONTHS[m[1].lower()])),
        (rf"in {_M}(?![\w-])", lambda m, _: _month(None, _MONTHS[m[1].lower()])),
        (r"(this|last) (week|month|year)\b", lambda m, today: _around(m[1].lower(), m[2].lower(), today)),
        (r"(today|yesterday)\b", lambda m, today: _back(m[1].lower() == "yesterday", today)),
        (rf"(?:last |on )?({'|'.join(_DAYS)})\b", lambda m, today: _weekday(m[1], today)),
    )
)
