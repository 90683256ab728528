"""Plans on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from textwrap import shorten
from typing import TYPE_CHECKING

import typer

from tutor.cli.state import echo_wrapped
from tutor.cli.study import bar, counted, line, note
from tutor.cli.study import minutes as in_words
from tutor.study.load import load_told

if TYPE_CHECKING:
    from tutor.curriculum.outline import Outline, PlanLine
    from tutor.study.catchup import Option
    from tutor.study.custom import Custom
    from tutor.study.timetable import Entry, Placed, Timetable

_MARKS = {"done": "[x]", "dropped": "[-]", "late": "[!]", "today": "[ ]", "open": "[ ]"}
_UNITS = {"day": "days", "week": "weeks", "month": "months", "section": "sections, in any order"}
_END = "End it: tutor plan stop custom"
_NAMED = 48  # characters of a reason that was given in full before
_FEW = 8  # of what is late


def print_list(rows: Sequence[tuple[PlanLine, Timetable | None]], own: Timetable | None) -> None:
    """The plans, those under way with their progress."""
    for plan, table in rows:
        if table:
            line(f"{plan.id}: {plan.title}", f"{bar(table.percent)} {table.percent:3d} %")
            note(_standing(table))
        else:
            steps = f"{len(plan.steps)} steps, by {_UNITS[plan.unit]}" if plan.unit == "week" else None
            line(f"{plan.id}: {plan.title}", steps or f"{len(plan.steps)} {_UNITS[plan.unit]}")
            note(plan.about)
    if own:
        line(f"custom: {own.title}", f"{bar(own.percent)} {own.percent:3d} %")
        note(_standing(own))
        if own.over:
            note(_END)
    typer.echo("\nBegin one: tutor plan start ID")
    if not own:
        typer.echo("For an interview: tutor plan custom --interview DATE --track backend --hours 8")


def print_table(table: Timetable, shown: Sequence[Placed], *, minutes: int, steps: bool = True) -> None:
    """A plan: its head with what it takes beside the ``minutes`` of a day, its steps in short, the stages shown."""
    line(table.title, f"{bar(table.percent)} {table.percent:3d} %")
    if table.taken.active:
        note(_standing(table), lead="")
        if table.over:
            typer.echo(_END)
    else:
        when = f" Begun today it would end on {_day(table.end)}." if table.end else ""
        note(f"{table.about}{when}", lead="")
        typer.echo(f"Begin it: tutor plan start {table.taken.plan}")
    if told := load_told(table, minutes):
        note(told, lead="")
    if table.late:
        typer.echo(f"\nLate ({len(table.late)}):")
        for entry in table.late[:_FEW]:
            line(f"[!] {entry.item.id}", f"due {_day(entry.due)}")
        if (more := len(table.late) - _FEW) > 0:
            typer.echo(f"and {more:,} more")
        typer.echo(f"What to do about it: tutor plan catch-up {table.taken.plan}")
    if steps or not shown:
        _print_steps(table)
    for placed in shown:
        _print_stage(placed)


def _print_steps(table: Timetable) -> None:
    typer.echo()
    for placed in table.steps:
        stage = placed.stage
        # Week 3 of its own plan is not called "week-3: Week 3".
        name = stage.title if table.taken.custom else f"{stage.id}: {stage.title}"
        line(f"{table.step_percent(stage.id):3d} %  {name}", _days(placed))


def _print_stage(placed: Placed) -> None:
    stage = placed.stage
    typer.echo()
    line(stage.title, _days(placed))
    if stage.goal and not any(entry.item.title == stage.goal for entry in placed.entries):
        note(stage.goal)
    for entry in placed.entries:
        item = entry.item
        line(f"{_MARKS[entry.state]} {item.id}", f"{item.kind}, {in_words(item.minutes)}", lead="  ")
        note(item.title, lead="      ")
        if item.link:
            typer.echo(f"      {item.link}")
    if stage.cards and not any(entry.item.card for entry in placed.entries):
        note(f"Goes deeper: {', '.join(stage.cards)}", lead="  ")
    for kind, title, link in stage.links:
        note(f"{kind.capitalize()}: {title}", lead="  ")
        typer.echo(f"      {link}")


def print_ticked(table: Timetable, changed: Sequence[Entry], *, undo: bool) -> None:
    """What was ticked off, and how far the plan is then."""
    if not changed:
        typer.echo("Nothing changed: it was not ticked off." if undo else "Nothing changed: it was ticked off before.")
    for entry in changed:
        line(f"{'[ ]' if undo else '[x]'} {entry.item.id}")
    line(table.title, f"{bar(table.percent)} {table.percent:3d} %")
    for step in dict.fromkeys(_step_of(table, entry) for entry in changed):
        line(f"{step}", f"{table.step_percent(step)} %", lead="    ")


def print_moved(before: Timetable, after: Timetable) -> None:
    """A plan after days were left out."""
    if after.end is None:
        line(f"{after.title}: its order is free, nothing moves.")
    elif any(placed.beyond for placed in after.placed):
        note(
            f"{after.title}: not everything fits in any more. tutor plan catch-up {after.taken.plan} says what to do.",
            lead="",
        )
    elif after.end == before.end:
        line(f"{after.title}: ends on {_day(after.end)} as before.")
    else:
        line(f"{after.title}: ends on {_day(after.end)}, and was to end on {_day(before.end)}.")


def print_options(table: Timetable, found: Sequence[Option]) -> None:
    """The ways to catch up, with what each costs."""
    what = f"{counted(len(table.late), 'item is', 'items are')} late ({in_words(_sum(table.late))})."
    typer.echo(what if table.late else "Nothing is late, but not everything fits in before the interview.")
    for option in found:
        typer.echo()
        cannot = "not possible" if option.needed else "not needed"
        line(f"--{option.way}", _then(option) if option.taken else cannot)
        note(option.why)
        _print_lost(option)
    first = next((option.way for option in found if option.taken), None)
    if first:
        typer.echo(f"\nAs in: tutor plan catch-up {table.taken.plan} --{first}")


def _then(option: Option) -> str:
    """When the plan ends then, and what a day takes; a plan with nothing left has neither."""
    return f"ends on {_day(option.end)}, {in_words(option.a_day)} a day" if option.end else "nothing is left"


def print_way(option: Option, table: Timetable) -> None:
    """A plan that was laid out anew."""
    note(option.why, lead="")
    _print_lost(option)
    note(_standing(table), lead="")


def print_custom(made: Custom, outline: Outline, table: Timetable | None, *, minutes: int) -> None:
    """A plan of one's own: what it holds, in order, and what not."""
    typer.echo(
        f"{counted(len(made.cards), 'card')} until {_day(made.interview)}: {in_words(made.minutes)} of "
        f"{in_words(made.budget)} for new cards, on {counted(made.days, 'day')}."
    )
    note("A fifth of the hours is kept for reviews: tutor today", lead="")
    why, told_why = "", set[str]()
    for number, one in enumerate(made.cards, 1):
        if one.why != why:
            why = one.why
            said = why[:1].upper() + why[1:]
            again = why in told_why  # in full once; then as much as names it
            echo_wrapped(shorten(said, _NAMED, placeholder=" …") if again else said, lead="  ", hang=2)
            told_why.add(why)
        line(f"{number}. {outline.cards[one.card].title}", in_words(one.minutes), lead="    ")
    if made.left_out:
        typer.echo(f"\nLeft out ({len(made.left_out)}):")
        for out in made.left_out[:_FEW]:
            card = outline.cards[out.card]
            line(f"- {card.title} (tier {card.tier})", out.why, lead="  ")
        if (more := len(made.left_out) - _FEW) > 0:
            typer.echo(f"  - and {more:,} more")
        typer.echo(f"{made.all_hours:g} hours a week would hold everything.")
    if table:
        typer.echo()
        if told := load_told(table, minutes):
            note(told, lead="")
        typer.echo("Taken up. Next: tutor plan show custom")


def _print_lost(option: Option) -> None:
    for entry in option.lost[:_FEW]:
        line(f"- {entry.item.id}", in_words(entry.item.minutes), lead="    ")
    if (more := len(option.lost) - _FEW) > 0:
        typer.echo(f"    - and {more:,} more")
    for card, above in option.cards:
        later = f"; later in the plan {', '.join(above)} {'builds' if len(above) == 1 else 'build'} on it"
        note(f"Nothing else in the plan comes to {card}{later if above else ''}.")


def _standing(table: Timetable) -> str:
    """Since when, until when, how far."""
    done = f"{table.done} of {counted(len(table.counted), 'item')} done"
    late = f", {len(table.late)} late" if table.late else ""
    if table.over:
        interview = _day(date.fromisoformat(table.taken.spec["interview"]))
        return f"The interview was on {interview}; {done}."
    if table.end is None:
        return f"Since {_day(table.taken.began)}; {done}."
    if table.taken.start > table.today:
        return f"Begins on {_day(table.taken.start)}, ends on {_day(table.end)}."
    if not table.open:
        return f"All done ({_day(table.taken.began)} to {_day(table.end)})."
    return f"From {_day(table.taken.began)} to {_day(table.end)}; {done}{late}."


def _days(placed: Placed) -> str:
    if placed.span is None:
        return ""
    first, last = _day(placed.span.first), _day(placed.span.last)
    return first if first == last else f"{first} to {last}"


def _step_of(table: Timetable, entry: Entry) -> str:
    stage = next(placed.stage for placed in table.placed if placed.stage.id == entry.stage)
    return stage.inside or stage.id


def _sum(entries: Sequence[Entry]) -> int:
    return sum(entry.item.minutes for entry in entries)


def _day(day: date | None) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}" if day else ""
