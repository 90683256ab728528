"""What a plan takes a day, beside the minutes that ``tutor today`` has: told where a plan is begun and shown."""

from __future__ import annotations

from math import ceil

from tutor.study.custom import in_hours
from tutor.study.pacing import Skips
from tutor.study.timetable import Timetable


def load_told(table: Timetable, minutes: int) -> str:
    """What a plan asks of a study day; where ``today`` has fewer minutes, that it falls behind and what would do.

    Args:
        table: the plan.
        minutes: of a day, as in ``study.minutes``.

    Returns:
        A sentence or two; empty where nothing is dated, or nothing is left to do.
    """
    needed = table.a_day
    if not needed:
        return ""
    told = f"About {in_hours(needed)} a study day{', with reviews' if table.taken.custom else ''}"
    if needed <= minutes:
        return f"{told}; tutor today has {in_hours(minutes)}."
    return (
        f"{told}, but tutor today has {in_hours(minutes)} (study.minutes), so this plan would fall behind. Give it the "
        f"time (tutor today --minutes {needed}, or study.minutes = {needed}), or take {hours_of(table, minutes):g} "
        f"hours a week: {_slower(table)}"
    )


def hours_of(table: Timetable, minutes: int) -> float:
    """The hours a week that ``minutes`` a study day come to, rounded down to a tenth."""
    return hours_within(minutes, table.taken.skips)


def hours_within(minutes: int, skips: Skips) -> float:
    """As ``hours_of``, by the weekdays without study."""
    return int(minutes * (7 - len(skips.weekdays)) / 6) / 10


def minutes_a_day(hours: float, skips: Skips) -> int:
    """The minutes of a study day that so many hours a week come to, those of reviews with them, rounded up."""
    return ceil(round(hours * 60 / (7 - len(skips.weekdays)), 6))


def _slower(table: Timetable) -> str:
    if table.taken.custom:
        return "tutor plan custom --hours"
    plan = table.taken.plan
    return f"tutor plan stop {plan}, then start it with --hours" if table.taken.active else "--hours"
