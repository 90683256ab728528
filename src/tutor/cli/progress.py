"""A progress bar on standard error where somebody is looking, a line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

_MANY = 200  # passages that take more than a few seconds to encode

if TYPE_CHECKING:
    from tutor.ingest.pipeline import Progress


@contextmanager
def bar(label: str) -> Iterator[Callable[[Progress], None]]:
    """Yields what ingest calls back: a bar with count, rate and time left; one line, where it takes
    long, when standard error is no terminal.

    rich is imported at the first call, so that a command with nothing to encode does not wait for it.
    """
    if not sys.stderr.isatty():
        yield _once(label)
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


def _once(label: str) -> Callable[[Progress], None]:
    """A line where nobody watches a bar, so that a minute of silence is not taken for a hang."""
    told: list[bool] = []

    def advance(progress: Progress) -> None:
        if progress.total >= _MANY and not told:
            told.append(True)
            print(f"tutor: {label}: {progress.total:,} passages, this takes a while.", file=sys.stderr, flush=True)

    return advance


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
