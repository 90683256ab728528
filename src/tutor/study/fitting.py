"""Whether a plan can be held; where it cannot, what would fit."""

from __future__ import annotations

from datetime import date
from typing import cast

from tutor.curriculum.outline import Outline, PlanLine
from tutor.errors import UsageError
from tutor.study.agenda import agenda
from tutor.study.custom import Custom, in_hours, most_hours
from tutor.study.pacing import MOST_A_DAY, Skips, Unit, first_end, lay_out, pace_until, study_days
from tutor.study.timetable import lengths


def dated(
    outline: Outline, plan: PlanLine, begin: date, pace: float | None, until: date | None, skips: Skips
) -> tuple[date, float]:
    """The first study day and the pace of a plan.

    Raises:
        UsageError: there is no way to hold it; says what would fit.
    """
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
