"""``tutor plan``: the curriculum's plans and one of one's own, with dates; ticked off, skipped, caught up with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import State, emit
from tutor.cli.study import studying
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.study.catchup import Way
    from tutor.study.plans import Plans
    from tutor.study.timetable import Placed, Timetable

app = typer.Typer(
    help="Plans with dates: by day, week or month, as a checklist, or made for an interview.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

_FEW_STEPS = 14  # those of a plan are listed above the one that today is in

Plan = Annotated[str, typer.Argument(metavar="ID", help="A plan's id, or the beginning of it.")]
Json = Annotated[bool, typer.Option("--json", help="JSON out.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(metavar="DAYS", help="Without study: sat,sun or 2026-12-24 or 2026-12-24..2026-12-31; repeatable."),
]
From = Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day (default: today).")]


@contextmanager
def _plans(context: typer.Context) -> Iterator[Plans]:
    from tutor.studying import plans_of

    with studying(context) as study:
        yield plans_of(study)


@app.callback()
def list_plans(context: typer.Context, as_json: Json = False) -> None:
    """List the plans, and how far you are."""
    if context.invoked_subcommand:
        return
    from tutor.cli.plan_text import print_list
    from tutor.study.plan_wire import row_json, summary_json
    from tutor.study.timetable import CUSTOM

    with _plans(context) as plans:
        rows = plans.all()
        own = next((table for table in plans.under_way() if table.taken.plan == CUSTOM), None)
        if as_json:
            emit({"plans": [row_json(*row) for row in rows], "custom": summary_json(own) if own else None})
        else:
            print_list(rows, own)


@app.command("start")
def start(
    context: typer.Context,
    plan: Plan,
    begin: From = None,
    pace: Annotated[
        float | None, typer.Option(help="How many days, weeks or months a step takes: 0.5 is twice as fast.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The day by which it is to end.")] = None,
    hours: Annotated[float | None, typer.Option(help="Hours a week, in place of a pace.")] = None,
    skip: Skip = None,
    afresh: Annotated[bool, typer.Option("--afresh", help="What was ticked before does not count.")] = False,
    as_json: Json = False,
) -> None:
    """Take a plan up."""
    with _plans(context) as plans:
        minutes = _day_minutes(context)
        table = plans.start(
            plan, start=_date(begin), pace=pace, until=_date(until), hours=hours, skips=skip or (), afresh=afresh
        )
        _tell(table, as_json, minutes)


@app.command("show")
def show(
    context: typer.Context,
    plan: Plan,
    step: Annotated[str, typer.Option("--step", help="A step by its id.")] = "",
    day: Annotated[int | None, typer.Option("--day", help="A day's step, from 1.")] = None,
    week: Annotated[int | None, typer.Option("--week", help="What a week holds, from 1.")] = None,
    month: Annotated[int | None, typer.Option("--month", help="A month's step, from 1.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Every item.")] = False,
    as_json: Json = False,
) -> None:
    """Show a plan: where you are, what is late, and a step's items."""
    from tutor.cli.plan_text import print_table
    from tutor.errors import NotFound
    from tutor.study.plan_wire import table_json

    with _plans(context) as plans:
        try:
            table = plans.of(plan)
        except NotFound:
            table = plans.preview(plan)  # how it would be from today on
        shown = list(table.placed) if whole else _shown(table, step, day, week, month)
        if as_json:
            emit({**table_json(table, shown if shown or step else None), "under_way": table.taken.active})
        else:
            asked = any((step, day is not None, week is not None, month is not None, whole))
            few = not asked and len(table.steps) <= _FEW_STEPS
            print_table(table, shown, minutes=_day_minutes(context), steps=few)


@app.command("done")
def done(
    context: typer.Context,
    plan: Plan,
    items: Annotated[list[str], typer.Argument(help="Items as 'tutor plan show' names them, or a step's id.")],
    as_json: Json = False,
) -> None:
    """Tick items off."""
    _tick(context, plan, items, as_json, undo=False)


@app.command("undo")
def undo(
    context: typer.Context,
    plan: Plan,
    items: Annotated[list[str], typer.Argument(help="Items that were not done after all, or a step's id.")],
    as_json: Json = False,
) -> None:
    """Take ticks back."""
    _tick(context, plan, items, as_json, undo=True)


@app.command("skip")
def skip_days(
    context: typer.Context,
    days: Annotated[list[str], typer.Argument(metavar="DAYS", help="2026-12-24, 2026-12-24..2026-12-31 or sun.")],
    plan: Annotated[str, typer.Option("--plan", help="Only this one (default: all that are under way).")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Study on these days after all.")] = False,
    as_json: Json = False,
) -> None:
    """Leave days out; what follows moves back. With --undo they are studied on after all."""
    from tutor.cli.plan_text import print_moved
    from tutor.study.plan_wire import summary_json

    with _plans(context) as plans:
        changed = plans.skip(days, plan, undo=undo)
        if as_json:
            emit({"plans": [summary_json(after) for _, after in changed]})
        else:
            for before, after in changed:
                print_moved(before, after)


@app.command("catch-up")
def catch_up(
    context: typer.Context,
    plan: Plan,
    shift: Annotated[bool, typer.Option("--shift", help="Everything that is open begins today.")] = False,
    squeeze: Annotated[bool, typer.Option("--squeeze", help="It ends as planned, with more a day.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give up what is late.")] = False,
    as_json: Json = False,
) -> None:
    """Say how a plan that is behind could go on, and with an option go that way."""
    from tutor.cli.plan_text import print_options, print_way
    from tutor.study.plan_wire import option_json, summary_json

    ways: list[Way] = []
    ways += ["shift"] if shift else []
    ways += ["squeeze"] if squeeze else []
    ways += ["drop"] if drop else []
    if len(ways) > 1:
        raise UsageError("one way at a time", about="--" + " --".join(ways), fix="Without any it tells of all three.")
    with _plans(context) as plans:
        if not ways:
            table, found = plans.of(plan), plans.ways(plan)
            if as_json:
                emit({"late": [e.item.id for e in table.late], "ways": [option_json(option) for option in found]})
            else:
                print_options(table, found)
            return
        option, table = plans.catch_up(plan, ways[0])
        if as_json:
            emit({"way": option_json(option), "plan": summary_json(table)})
        else:
            print_way(option, table)


@app.command("custom")
def custom(
    context: typer.Context,
    interview: Annotated[str, typer.Option(metavar="DATE", help="The day of the interview.")],
    track: Annotated[str, typer.Option(help="backend, data or ml.")],
    hours: Annotated[float, typer.Option(help="Hours a week, in all.")],
    begin: From = None,
    skip: Skip = None,
    know: Annotated[list[str] | None, typer.Option("--know", help="A card that needs no time; repeatable.")] = None,
    what_fits: Annotated[bool, typer.Option("--what-fits", help="Take what fits where tier 1 does not.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show it.")] = False,
    as_json: Json = False,
) -> None:
    """Make a plan for an interview: tier 1 first, and what a card builds on before it."""
    from tutor.cli.plan_text import print_custom
    from tutor.study.pacing import day_of_words
    from tutor.study.plan_wire import custom_json

    with studying(context) as study:
        from tutor.studying import plans_of

        plans = plans_of(study)
        made = plans.choose(
            interview=day_of_words(interview),
            track=track,
            hours=hours,
            start=_date(begin),
            skips=skip or (),
            known=know or (),
        )
        table = None
        if not preview:
            table = plans.take_up(made, start=_date(begin), skips=skip or (), what_fits=what_fits)
        if as_json:
            emit({**custom_json(made, study.outline), "taken_up": table is not None})
        else:
            print_custom(made, study.outline, table, minutes=study.minutes)


@app.command("stop")
def stop(context: typer.Context, plan: Plan, as_json: Json = False) -> None:
    """Follow a plan no longer. What you ticked off stays."""
    from tutor.study.plan_wire import summary_json

    with _plans(context) as plans:
        table = plans.stop(plan)
        if as_json:
            emit(summary_json(table))
        else:
            typer.echo(
                f"Stopped: {table.title}, {table.done} of {len(table.counted)} done. What you ticked off is kept."
            )


@app.command("ics")
def ics(
    context: typer.Context,
    plan: Plan,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file (default: standard output).")] = None,
) -> None:
    """Write a plan as a calendar file (iCalendar)."""
    from datetime import UTC, datetime

    from tutor.study.calendar_file import as_calendar

    with _plans(context) as plans:
        data = as_calendar(plans.of(plan), now=datetime.now(UTC))
    if out is None:
        sys.stdout.buffer.write(data)
        return
    out.write_bytes(data)
    typer.echo(f"Written: {out}")


def _tick(context: typer.Context, plan: str, items: list[str], as_json: bool, *, undo: bool) -> None:
    from tutor.cli.plan_text import print_ticked
    from tutor.study.plan_wire import summary_json

    with _plans(context) as plans:
        changed = plans.done(plan, items, undo=undo)
        table = plans.of(plan)
        if as_json:
            emit({"changed": [entry.item.id for entry in changed], "plan": summary_json(table)})
        else:
            print_ticked(table, changed, undo=undo)


def _day_minutes(context: typer.Context) -> int:
    """The minutes that ``tutor today`` has."""
    state: State = context.obj
    return state.settings().study.minutes


def _tell(table: Timetable, as_json: bool, minutes: int) -> None:
    from tutor.cli.plan_text import print_table
    from tutor.study.plan_wire import table_json

    if as_json:
        emit(table_json(table))
    else:
        print_table(table, [], minutes=minutes)


def _date(text: str | None) -> date | None:
    from tutor.study.pacing import day_of_words

    return None if text is None else day_of_words(text)


def _shown(table: Timetable, step: str, day: int | None, week: int | None, month: int | None) -> list[Placed]:
    """The stages that are asked for, else the one that today is in; of a checklist all."""
    from tutor.study.windows import of_month, of_step, of_week

    if sum(bool(given) for given in (step, day is not None, week is not None, month is not None)) > 1:
        raise UsageError("one of --step, --day, --week and --month at a time")
    if step:
        return of_step(table, step)
    if day is not None:
        return of_step(table, f"day-{day:02d}")
    if week is not None:
        return of_week(table, week)
    if month is not None:
        return of_month(table, month)
    current = table.current()
    return table.of_step(current.stage.inside or current.stage.id) if current else []
