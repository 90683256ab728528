"""A progress bar on standard error, only where somebody is looking."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.ingest.pipeline import Progress


@contextmanager
def bar(label: str) -> Iterator[Callable[[Progress], None] | None]:
    """Yields what ingest calls back: a bar with count, rate and time left; None when standard error is no terminal.

    rich is imported at the first call, so that a command with nothing to encode does not wait for it.
    """
    if not sys.stderr.isatty():
        yield None
        return
    shown: list[object] = []

    def advance(progress: Progress) -> None:
        if progress.total == 0:
            return
        if not shown:
            shown.extend(_start(label, progress.total))
        display, task = shown
        display.update(task, completed=progress.done)  # type: ignore[attr-defined]

    try:
        yield advance
    finally:
        if shown:
            shown[0].stop()  # type: ignore[attr-defined]


def _start(label: str, total: int) -> tuple[object, object]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Task as RichTask
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: RichTask) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    display.start()
    return display, display.add_task(label, total=total)


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None] | None]:
    """Yields ``(label, done, total)``: one bar at a time under its label; None when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    shown: dict[str, tuple[object, object]] = {}

    def advance(label: str, done: int, total: int) -> None:
        if label not in shown:
            for display, _ in shown.values():
                display.stop()  # type: ignore[attr-defined]
            shown.clear()
            shown[label] = _start(label, total)
        display, task = shown[label]
        display.update(task, completed=done)  # type: ignore[attr-defined]

    try:
        yield advance
    finally:
        for display, _ in shown.values():
            display.stop()  # type: ignore[attr-defined]
