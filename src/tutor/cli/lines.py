"""Lines that fit the terminal, and JSON: what commands print with, and loads nothing."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import Any


def echo(text: str = "") -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def emit(row: dict[str, Any]) -> None:
    """One JSON line on standard output, flushed, so that a reader sees it at once."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(row, ensure_ascii=not plain), flush=True)


def terminal_width() -> int:
    """Columns to wrap to: the terminal's (``COLUMNS``), at most 100."""
    return min(100, shutil.get_terminal_size((80, 24)).columns)


def echo_wrapped(text: str, *, lead: str = "", hang: int = 0) -> None:
    """Print one paragraph within the terminal's width; paths and ids are never cut."""
    echo(
        textwrap.fill(
            text,
            terminal_width(),
            initial_indent=lead,
            subsequent_indent=" " * hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def line(left: str, right: str = "", *, lead: str = "") -> None:
    """A line with something at its right end; the left part is cut where both do not fit."""
    room = terminal_width() - len(lead) - (len(right) + 2 if right else 0)
    shown = left if len(left) <= room else left[: max(1, room - 1)] + "…"
    echo(f"{lead}{shown:<{max(1, room)}}  {right}" if right else f"{lead}{shown}")


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
