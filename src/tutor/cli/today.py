"""``tutor today``: what to do today, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit
from tutor.cli.study import counted, line, minutes, note, studying

if TYPE_CHECKING:
    from tutor.study.today import Today

_SHOWN = 5  # of what was left out


def today(
    context: typer.Context,
    time: Annotated[
        int | None, typer.Option("--minutes", "-m", help="How many there are (default: study.minutes).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what to do today and why: what is due, weak, next in your plan, or below something that failed."""
    with studying(context) as study:
        found = study.today(time)
        if as_json:
            from tutor.study.wire import today_json

            emit(today_json(found))
            return
        _print(found)


def _print(found: Today) -> None:
    if not found.lines:
        typer.echo("Nothing is due, and every card is begun. Drill what you like: tutor drill")
        return
    typer.echo(f"Today, {minutes(found.total)} of {minutes(found.minutes)}:")
    for number, one in enumerate(found.lines, 1):
        line(f"{number}. {one.kind.capitalize()}: {one.title}", minutes(one.minutes))
        note(one.why)
        note(one.command)
        if one.aside:
            note(f"tutor review --suspend {one.aside}")
    if not found.left_out:
        return
    what = f"{counted(len(found.left_out), 'thing')}, {minutes(found.left_out_min)}"
    typer.echo(f"\nLeft out, since the time is used ({what}):")
    for one in found.left_out[:_SHOWN]:
        line(f"- {one.kind.capitalize()}: {one.title} ({one.why})", minutes(one.minutes))
    if (more := len(found.left_out) - _SHOWN) > 0:
        typer.echo(f"- and {more:,} more")
