"""Whether a plan can be held; where it cannot, what would fit."""

from __future__ import annotations

from datetime import date
from typing import cast

from tutor.curriculum.outline import Outline, PlanLine
from tutor.errors import UsageError
from tutor.study.agenda import agenda
from tutor.study.custom import Custom, in_hours, most_hours
from tutor.study.pacing import MOST_A_DAY, PACES, Skips, Unit, first_end, lay_out, pace_until, study_days
from tutor.study.timetable import lengths


def dated(
    outline: Outline,
    plan: PlanLine,
    begin: date,
    pace: float | None,
    until: date | None,
    skips: Skips,
    *,
    hours: float | None = None,
) -> tuple[date, float]:
    """The first study day and the pace of a plan, by a pace, an end or the hours a week.

    Raises:
        UsageError: more than one of them is given, or there is no way to hold it; says what would fit.
    """
    given = [name for name, value in (("a pace", pace), ("an end", until), ("hours", hours)) if value is not None]
    if plan.unit == "section":
        if given:
            fix = "Leave --pace, --until and --hours."
            raise UsageError("its order is free, so it has no pace", about=plan.id, fix=fix)
        return begin, 1.0
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other", about="--until", fix="Give one of them.")
    if hours is not None:
        pace = _pace_of(outline, plan, begin, hours, skips)
    stages = agenda(outline, plan)
    every, unit = list(lengths(plan, stages).values()), cast(Unit, plan.unit)
    minutes = sum(stage.minutes for stage in stages)
    if until is not None and until < begin:
        raise UsageError(f"the end ({until}) is before the start ({begin})", about="--until")
    try:
        chosen = 1.0 if pace is None else pace
        if until is not None:
            chosen = pace_until(every, begin, until, unit=unit, skips=skips)
        spans = lay_out(every, begin, unit=unit, pace=chosen, skips=skips)
    except UsageError:
        if until is None:
            raise
        load = MOST_A_DAY + 1
    else:
        load = minutes // study_days(spans[0].first, spans[-1].last, skips)
    if load > MOST_A_DAY:
        by = first_end(every, minutes, begin, unit=unit, skips=skips)
        raise UsageError(
            f"it takes {in_hours(minutes)}, and so quickly that is more than {in_hours(MOST_A_DAY)} a day",
            about=plan.id,
            fix=f"What would fit: tutor plan start {plan.id} --until {by}",
        )
    return spans[0].first, chosen


def impossible(outline: Outline, made: Custom, skips: Skips) -> UsageError:
    """Why a plan of one's own cannot be taken up, with what would fit."""
    if made.cards:
        first = [out.card for out in made.left_out if outline.cards[out.card].tier == 1]
        hours = "hour" if made.hours == 1 else "hours"
        what = (
            f"{made.hours:g} {hours} a week until {made.interview} leave {in_hours(made.budget)} for new cards, and "
            f"tier 1 does not fit in: {', '.join(outline.cards[name].title for name in first)} would be left out"
        )
    elif made.left_out:
        what = f"until {made.interview} there are {in_hours(made.budget)} for new cards: not enough for one"
    else:
        what = "every card that the track asks for is mastered already"
        return UsageError(what, about="--interview", fix="Keep them fresh: tutor today")
    ways = [f"{made.needed_hours:g} hours a week hold tier 1"] if made.needed_hours <= most_hours(skips) else []
    if made.by:
        ways.append(f"at {made.hours:g} hours an interview on {made.by} or later does")
    if made.cards:
        ways.append(f"--what-fits takes the {len(made.cards)} cards that fit")
    return UsageError(what, about="--interview", fix=f"{'; '.join(ways)}." if ways else "")


def _pace_of(outline: Outline, plan: PlanLine, begin: date, hours: float, skips: Skips) -> float:
    """The pace at which a dated plan takes so many hours a week, from the estimates of its items.

    Raises:
        UsageError: the hours are out of range, or the pace would be; says which hours would do.
    """
    if not 0 < hours <= most_hours(skips):
        what = f"{hours:g} hours a week are out of range"
        raise UsageError(what, about="--hours", fix=f"Above 0, at most {most_hours(skips):g}.")
    stages = agenda(outline, plan)
    every, unit = list(lengths(plan, stages).values()), cast(Unit, plan.unit)
    spans = lay_out(every, begin, unit=unit, pace=1.0, skips=skips)
    weeks = ((spans[-1].last - spans[0].first).days + 1) / 7
    weekly = sum(stage.minutes for stage in stages) / 60 / weeks
    slowest, quickest = -(-weekly * 2 // PACES[1]) / 2, weekly * 2 // PACES[0] / 2
    if not slowest <= hours <= quickest:
        raise UsageError(
            f"with {hours:g} hours a week it is out of range",
            about="--hours",
            fix=f"As it stands it takes {weekly:.1f}; from {slowest:g} to {min(quickest, most_hours(skips)):g} can do.",
        )
    return -(-weekly / hours * 1000 // 1) / 1000
