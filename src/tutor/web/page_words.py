"""Errors of studying in the words of the pages: where one clicks in place of what one types into a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

from tutor.errors import NotFound, TutorError

#: An error's ``about`` → the form's field, and what the page calls it.
FIELDS = {
    "--from": ("start", "first day"),
    "--until": ("until", "end"),
    "--pace": ("pace", "pace"),
    "--hours": ("hours", "hours a week"),
    "--skip": ("skips", "days without study"),
    "--interview": ("interview", "interview"),
    "--track": ("track", "track"),
    "--minutes": ("minutes", "minutes"),
    "--shift": ("way", "shift"),
    "--squeeze": ("way", "squeeze"),
    "--drop": ("way", "drop"),
    "skip": ("first", "days without study"),
}
_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"What would fit: tutor plan start [\w-]+ --until (\S+)", r"An end on \1 or later would fit."),
        (r"Begin today, and tick off what is done: tutor plan done", "Begin today, and tick off what is done."),
        (
            r"tutor plan catch-up [\w-]+ lays it out anew; tutor plan stop [\w-]+ ends it",
            "Catching up lays it out anew; stopping ends it",
        ),
        (r"--what-fits takes the (\d+) cards that fit", r"“Take what fits” takes the \1 cards that fit"),
        (r"For a later interview: tutor plan custom --interview DATE", "Make a plan for a later interview."),
        (r"For an evening's revision: tutor today, or tutor drill --tier 1", "For an evening's revision: Today."),
        (r"The twelve-week plan holds everything: tutor plan start 12-weeks", "The twelve-week plan holds everything."),
        (r"For days that have gone by: tutor plan catch-up ID --shift", "For days that have gone by, catch up."),
        (r"Begin: tutor plan \S.*", "Begin it on the page Plan."),
        (r"Begin one: tutor plan", "Begin one below."),
        (r"Next: tutor plan show ([\w-]+)", "Go on with the next step."),
        (r"tutor plan show [\w-]+ names them", "The plan's page lists them"),
        (r"As in: tutor plan skip (\S+)", r"As in \1."),
        (r"Keep them fresh: tutor today", "Keep them fresh: Today."),
        (r"Leave --pace, --until and --hours", "Leave pace, end and hours empty"),
        (r"'tutor progress' lists them all", "The library lists them all"),
        (r"What would do: (--[\w, -]+)", lambda match: f"What would do: {match[1].replace('--', '')}"),
        (r"See: tutor review --json", "See what is due: Review."),
        (r"\.\.$", "."),
    )
)


def on_page(error: TutorError) -> TutorError:
    """The same error as a page tells it."""
    fix = error.fix
    for pattern, words in _WORDS:
        fix = pattern.sub(words, fix)
    shown = TutorError(error.what, about=FIELDS.get(error.about, ("", error.about))[1], fix=fix)
    shown.transient = error.transient
    return shown


def meant(error: TutorError | None, titles: Mapping[str, str], address: str) -> list[tuple[str, str]]:
    """The cards that may have been meant by a name that is none, as (title, address); those without a title not.

    Args:
        error: what the page tells; empty for one that names no cards.
        titles: of cards by id.
        address: where one of them is asked for instead, without its id, as "/map?goal=".
    """
    near = error.near if isinstance(error, NotFound) else ()
    return [(titles[card], f"{address}{quote(card, safe='')}") for card in near if card in titles]


def field_of(error: TutorError | None) -> str:
    """The form's field that an error is about; empty where it is about none."""
    return FIELDS.get(error.about, ("", ""))[0] if error else ""


def day_words(day: date | None, today: date) -> str:
    """A day as people say it, with its year where that is another one: "Sat 2 Jan 2027"."""
    if day is None:
        return ""
    said = f"{day:%a} {day.day} {day:%b}"
    return said if day.year == today.year else f"{said} {day.year}"


def span_words(first: date, last: date, today: date) -> str:
    """The first and last day of something, or the one day it is."""
    return day_words(first, today) if first == last else f"{day_words(first, today)} to {day_words(last, today)}"


def in_days(days: int) -> str:
    """How far away a day is: "tomorrow", "in 8 days", "in 3 months"."""
    if days <= 1:
        return "today" if days < 1 else "tomorrow"
    if days < 60:
        return f"in {days} days"
    return f"in {round(days / 30.4)} months"
