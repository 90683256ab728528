"""What the forms of plans send, read as the plans take it; a field that is wrong is named by its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tutor.errors import UsageError
from tutor.study.pacing import WEEKDAYS, day_of_words

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Fields:
    """What was typed, as it was typed, so that a form comes back with it. ``lists`` are fields with several values."""

    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field without blanks around it; at most 200 characters of it."""
        return self.texts.get(name, "").strip()[:_LONGEST]

    def several(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(value.strip()[:_LONGEST] for value in self.lists.get(name, ()) if value.strip())

    def day(self, name: str, about: str) -> date | None:
        """A date; None where the field is empty.

        Raises:
            UsageError: it is none.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            return day_of_words(text)
        except UsageError as error:
            raise UsageError(error.what, about=about, fix=error.fix) from error

    def number(self, name: str, about: str) -> float | None:
        """A number above 0, with a point or a comma; None where the field is empty.

        Raises:
            UsageError: it is none.
        """
        text = self.text(name).replace(",", ".")
        if not text:
            return None
        try:
            found = float(text)
        except ValueError as error:
            raise UsageError(f"'{text[:40]}' is no number", about=about, fix="Digits, as in 8 or 1.5.") from error
        if not 0 < found < 1e6:
            raise UsageError(f"'{text[:40]}' is out of range", about=about, fix="A number above 0.")
        return found

    def skips(self) -> list[str]:
        """Weekdays and dates without study, as ``skips_of`` reads them."""
        return [*(day for day in self.several("weekday") if day in WEEKDAYS), self.text("skips")]


@dataclass(frozen=True, slots=True)
class Start:
    """When a plan begins and how fast it goes."""

    start: date | None
    pace: float | None
    until: date | None
    hours: float | None
    skips: list[str]


def start_of(given: Fields) -> Start:
    """What a form to start a plan sent; of pace, end and hours the one that was chosen.

    Raises:
        UsageError: a field cannot be read, or what was chosen is missing.
    """
    speed = given.text("speed") or next((name for name in ("pace", "until", "hours") if given.text(name)), "")
    wanted = {"pace": ("pace", "--pace"), "until": ("end", "--until"), "hours": ("hours a week", "--hours")}
    if speed in wanted and not given.text(speed):
        what, about = wanted[speed]
        raise UsageError(f"the {what} is missing" if speed != "hours" else "the hours are missing", about=about)
    return Start(
        given.day("start", "--from"),
        given.number("pace", "--pace") if speed == "pace" else None,
        given.day("until", "--until") if speed == "until" else None,
        given.number("hours", "--hours") if speed == "hours" else None,
        given.skips(),
    )


@dataclass(frozen=True, slots=True)
class Interview:
    """What a plan for an interview is made from."""

    interview: date
    track: str
    hours: float
    start: date | None
    skips: list[str]
    known: list[str]


def interview_of(given: Fields) -> Interview:
    """What a form for an interview sent.

    Raises:
        UsageError: a field is missing or cannot be read.
    """
    interview = given.day("interview", "--interview")
    if interview is None:
        raise UsageError("the day of the interview is missing", about="--interview", fix="As in 2027-02-01.")
    hours = given.number("hours", "--hours")
    if hours is None:
        raise UsageError("the hours a week are missing", about="--hours", fix="As in 8.")
    known = [name.strip() for name in given.texts.get("known", "")[:4_000].replace("\n", ",").split(",")]
    return Interview(
        interview, given.text("track"), hours, given.day("start", "--from"), given.skips(), [n for n in known if n]
    )
