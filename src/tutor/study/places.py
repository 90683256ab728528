"""Where words stand in a text: a short piece of it in which they can be marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tutor.study.entries import folded

_BEFORE = 60  # characters of a piece that stand before the first word that was found
_LONGEST = 200
_TO_A_BLANK = 20  # so far from its end a piece is cut between words

#: A text in parts, in their order: each with whether it is one of the words that were looked for.
Parts = tuple[tuple[str, bool], ...]


def in_all(text: str, needles: Sequence[str]) -> Parts:
    """The whole text, with the needles told apart.

    Args:
        text: of any kind.
        needles: as ``folded`` writes them; they are found anywhere, in the middle of words too.
    """
    return _split(text, _spans(text, needles), 0, len(text))


def piece(text: str, needles: Sequence[str]) -> Parts:
    """A piece of at most about 200 characters, on one line, from before the first needle that is found.

    Returns:
        Its parts, "… " or " …" among them where the text goes on; empty where no needle is in the text.
    """
    text = " ".join(text.split())
    spans = _spans(text, needles)
    if not spans:
        return ()
    start = max(0, spans[0][0] - _BEFORE)
    if start:
        blank = text.find(" ", start, spans[0][0])
        start = blank + 1 if 0 <= blank <= start + _TO_A_BLANK else start
    end = min(len(text), max(start + _LONGEST, spans[0][1]))
    if end < len(text):
        blank = text.rfind(" ", max(spans[0][1], end - _TO_A_BLANK), end)
        end = blank if blank >= 0 else end
    parts = _split(text, spans, start, end)
    before: Parts = (("… ", False),) if start else ()
    after: Parts = ((" …", False),) if end < len(text) else ()
    return before + parts + after


def held(text: str, needles: Sequence[str]) -> int:
    """How many of the needles a text holds."""
    wanted = folded(text)
    return sum(needle in wanted for needle in needles)


def _spans(text: str, needles: Sequence[str]) -> list[tuple[int, int]]:
    """Where needles stand in ``text``, in characters of it, from the first on; what overlaps or touches is one span."""
    low, at = _folded_with_places(text)
    found: list[tuple[int, int]] = []
    for needle in filter(None, needles):
        here = low.find(needle)
        while here >= 0:
            found.append((at[here], at[here + len(needle)]))
            here = low.find(needle, here + len(needle))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end > start]


def _folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is searched, and for each of its characters (and for its end) where that stands in ``text``.

    Folding may change how many characters there are: "ﬁ" becomes two, a letter and its accent one.
    """
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    low: list[str] = []
    at: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        letters = folded(text[start:end])
        low.append(letters)
        at += [start] * len(letters)
        start = end
    return "".join(low), [*at, len(text)]


def _split(text: str, spans: Sequence[tuple[int, int]], start: int, end: int) -> Parts:
    parts: list[tuple[str, bool]] = []
    for first, last in spans:
        if first >= end:
            break
        parts += [(text[start:first], False), (text[first : min(last, end)], True)]
        start = min(last, end)
    parts.append((text[start:end], False))
    return tuple(part for part in parts if part[0])
