"""``tutor today``: what to do today, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.day import print_today
from tutor.cli.state import State


def today(
    context: typer.Context,
    time: Annotated[
        int | None, typer.Option("--minutes", "-m", help="How many there are (default: study.minutes).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what to do today and why: what is due, weak, next in your plan, or below something that failed."""
    state: State = context.obj
    print_today(state.settings(), time, as_json=as_json)
