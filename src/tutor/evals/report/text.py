"""Text and figures from outside made fit to show: no control characters, one width, digits that tell two apart."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

# What XML 1.0 forbids, C1 controls (a terminal may obey them), and marks that turn the direction of what follows.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_DIGITS = 3
_MOST_DIGITS = 6
_WORDS = 400  # compared in a diff; its cost grows with the square
Part = tuple[Literal["same", "gone", "new"], str]


def clean(text: str) -> str:
    """The text without control characters, marks of direction and lone surrogates; tabs and line ends stay."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str, most: int = 0) -> str:
    """The text on one line, cut to ``most`` characters (0: not cut) with an ellipsis."""
    found = " ".join(clean(text).split())
    return found if not most or len(found) <= most else found[: most - 1].rstrip() + "…"


def number(value: float | None, unlike: float | None = None) -> str:
    """A figure with three decimals, or as many as tell it from ``unlike`` (0.9296 is not the floor 0.93).

    Args:
        value: None is shown as a dash; from 10 on there are fewer decimals.
        unlike: a figure that it must not look like unless both are equal.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    digits = _DIGITS if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    if unlike is not None and math.isfinite(unlike) and value != unlike:
        while digits < _MOST_DIGITS and round(value, digits) == round(unlike, digits):
            digits += 1
    return f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0: no minus before a zero


def signed(change: float | None) -> str:
    """A difference with its sign; a dash where there is none, ``0`` where nothing changed."""
    if change is None or not math.isfinite(change):
        return "–"
    if change == 0:
        return "0"
    return ("+" if change > 0 else "-") + number(abs(change), 0.0)


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``93 s``, ``12 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 120:
        return f"{seconds:.0f} s"
    return f"{round(seconds) // 60} min {round(seconds) % 60} s"


def difference(before: str, after: str) -> Iterator[Part]:
    """What became of a text, word by word, in reading order: parts that stayed, went or came."""
    old, new = clean(before).split()[:_WORDS], clean(after).split()[:_WORDS]
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", " ".join(old[a:b])
            continue
        if a < b:
            yield "gone", " ".join(old[a:b])
        if c < d:
            yield "new", " ".join(new[c:d])
