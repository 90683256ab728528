"""What the commands of studying share: the desk, opened and closed, and lines of a table that fit the terminal."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from tutor.cli.state import State, echo_wrapped, terminal_width
from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.study.desk import Study


@contextmanager
def studying(context: typer.Context) -> Iterator[Study]:
    """The desk of the common options; tells once what its store has to tell.

    Garbage is not collected meanwhile: while modules are loaded there is none, and looking for it takes 50 ms.
    """
    gc.disable()
    try:
        yield from _opened(context.obj)
    finally:
        gc.enable()


def _opened(state: State) -> Iterator[Study]:
    from tutor.studying import open_study

    study = open_study(state.settings())
    try:
        for news in study.store.news:
            print(f"tutor: {news}", file=sys.stderr)
        yield study
    finally:
        study.close()


def after_drill(core: App, session_id: str) -> None:
    """Take a drill's grades into progress. A fault is told and no more: the drill keeps its results for next time."""
    try:
        if any(done.grade for done in core.drills.store.load(session_id).rounds):
            core.study.sync()
    except TutorError as fault:
        print(f"tutor: your progress is not up to date, the drill is kept. {fault.message}", file=sys.stderr)


def line(left: str, right: str = "", *, lead: str = "") -> None:
    """A line with something at its right end; the left part is cut where both do not fit."""
    room = terminal_width() - len(lead) - (len(right) + 2 if right else 0)
    shown = left if len(left) <= room else left[: max(1, room - 1)] + "…"
    typer.echo(f"{lead}{shown:<{max(1, room)}}  {right}" if right else f"{lead}{shown}")


def note(text: str, lead: str = "    ") -> None:
    """A paragraph below a line, indented."""
    echo_wrapped(text, lead=lead, hang=len(lead))


def bar(percent: int, width: int = 20) -> str:
    """A share as a bar that any terminal can draw."""
    full = round(width * max(0, min(100, percent)) / 100)
    return "#" * full + "." * (width - full)


def counted(number: int, one: str, many: str = "") -> str:
    """As "1 card", "2 cards"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def minutes(number: float) -> str:
    """As "25 min", "3.5 h"."""
    return f"{number:.0f} min" if number < 90 else f"{number / 60:.1f} h"
