"""Tables of Markdown, row by row, each with the heads of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tutor.text import blocks

_CELL = re.compile(r"(?:[^|\\]|\\.)*")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_NAMELESS = re.compile(r"\W*\d|[\W\d]*\Z")
_ENDS = (":", "?", ".")


@dataclass(frozen=True, slots=True)
class Row:
    """``text[start:end]`` reaches from the first cell into the last; ``heads`` and ``cells`` are as many.

    ``above`` is where the line of the heads begins and ends.
    """

    start: int
    end: int
    above: tuple[int, int]
    heads: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def said(self) -> str:
        """The row by itself: "**Write-back:** Write cost: cache only at first; Main risk: lost writes".

        The first head is left out ("Pattern"), but where the cell below it needs one: "**Replicas 3:** Needed: 2".
        """
        first, *others = self.cells
        bold = _BOLD.fullmatch(first)
        name = bold.group(1) if bold else first
        if _NAMELESS.match(name):
            name = f"{self.heads[0]} {name}".strip()
        told = (f"{head}: {cell}" if head else cell for head, cell in zip(self.heads[1:], others, strict=True) if cell)
        return f"**{name}{'' if name.endswith(_ENDS) else ':'}** {'; '.join(told)}"


def rows(text: str) -> Iterator[Row]:
    """The rows of every table of a text, below its heads.

    What has no line of dashes below its first is no table; a row that is not of as many cells as there are heads, or
    without a first cell or any other, is left out.
    """
    for block in blocks(text):
        if block.kind == "table":
            yield from _rows(text, block.start, block.end)


def _rows(text: str, start: int, end: int) -> Iterator[Row]:
    heads: tuple[str, ...] = ()
    above, at = (start, start), start
    for number, line in enumerate(text[start:end].splitlines(keepends=True)):
        if number == 1 and not _RULE.fullmatch(line.strip()):
            return
        spans = _cells(line)
        cells = tuple(line[a:b].replace("\\|", "|") for a, b in spans)
        if number == 0:
            heads, above = cells, (at, at + len(line))
        elif number > 1 and len(cells) == len(heads) and cells[0] and any(cells[1:]):
            last = max(b for a, b in spans if b > a)
            yield Row(at + spans[0][0], at + last, above, heads, cells)
        at += len(line)


def _cells(line: str) -> list[tuple[int, int]]:
    """Where the cells of a line begin and end, without blanks; an empty one has no length."""
    found = []
    at, end = line.index("|") + 1, len(line.rstrip())
    while at < end:
        match = _CELL.match(line, at, end)
        a, b = match.span() if match else (at, at)
        inner = line[a:b]
        found.append((a + len(inner) - len(inner.lstrip()), a + len(inner.rstrip())) if inner.strip() else (a, a))
        at = b + 1
    return found
