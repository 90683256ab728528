"""Where the cards of a map stand: columns by what builds on what, lanes by phase. Pure, and the same every time.

A layered drawing after Sugiyama, Tagawa and Toda (1981): a card's column is the longest way of prerequisites to it, so
that every line points to the right, and the order within a column follows the mean place of a card's neighbours
(their barycentre), which keeps lines from crossing where it can.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

#: In pixels at full size: a box, what is between boxes, and what stands around all of it.
WIDTH, HEIGHT = 224, 70
BETWEEN_COLUMNS, BETWEEN_ROWS = 52, 12
MARGIN, HEAD, BETWEEN_LANES = 20, 34, 22
_LINE_CHARS, _MOST_LINES = 24, 4
_SWEEPS = 6

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """A card at its place: the upper left corner in pixels, and its title in lines."""

    id: str
    x: int
    y: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """The cards of a group over the whole width; ``name`` is "" where there is one group only."""

    name: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A line from the right side of ``source`` to the left side of ``target``, as an SVG path."""

    source: str
    target: str
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything with its place, within ``width`` × ``height`` pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lanes: tuple[Lane, ...]
    curves: tuple[Curve, ...]


def layout(titles: Mapping[str, str], edges: Iterable[Pair], groups: Mapping[str, str] | None = None) -> Drawing:
    """Boxes that do not overlap, and curves that point to the right.

    Args:
        titles: id → title of every card, in the order that decides where nothing else does.
        edges: (before, after); those with an end that is not there are left out, and so are those that a longer way
            says already. A circle is cut where it closes.
        groups: id → the lane it belongs to, lanes in the order of their first card; None for one without a name.
    """
    known = [(a, b) for a, b in dict.fromkeys(edges) if a in titles and b in titles and a != b]
    column = _columns(titles, known)
    forward = [(a, b) for a, b in known if column[a] < column[b]]
    lanes = _ordered(titles, column, forward, groups or {})
    places: dict[str, tuple[int, int]] = {}
    drawn: list[Lane] = []
    top = MARGIN
    for name, cells in lanes.items():
        rows = max(map(len, cells.values()))
        head = HEAD if name else 0
        inner = rows * HEIGHT + (rows - 1) * BETWEEN_ROWS
        for at, cell in cells.items():
            used = len(cell) * HEIGHT + (len(cell) - 1) * BETWEEN_ROWS
            y = top + head + (inner - used) // 2
            for card in cell:
                places[card] = (MARGIN + at * (WIDTH + BETWEEN_COLUMNS), y)
                y += HEIGHT + BETWEEN_ROWS
        drawn.append(Lane(name, top, head + inner))
        top += head + inner + BETWEEN_LANES
    columns = max(column.values(), default=0) + 1
    return Drawing(
        2 * MARGIN + columns * WIDTH + (columns - 1) * BETWEEN_COLUMNS,
        top - BETWEEN_LANES + MARGIN if drawn else 2 * MARGIN,
        tuple(Box(card, x, y, _lines(titles[card])) for card, (x, y) in places.items()),
        tuple(drawn),
        tuple(Curve(a, b, _path(places[a], places[b])) for a, b in reduced(forward)),
    )


def reduced(edges: Sequence[Pair]) -> list[Pair]:
    """The edges without those that a longer way says already (the transitive reduction); free of circles."""
    after: dict[str, list[str]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
    beyond: dict[str, set[str]] = {}

    def reach(card: str) -> set[str]:
        if card not in beyond:
            beyond[card] = set().union(*({b} | reach(b) for b in after.get(card, ())))
        return beyond[card]

    return [(a, b) for a, b in edges if not any(b in reach(other) for other in after[a] if other != b)]


def _columns(cards: Collection[str], edges: Iterable[Pair]) -> dict[str, int]:
    """Each card's column: the length of the longest way to it."""
    before: dict[str, list[str]] = {card: [] for card in cards}
    for a, b in edges:
        before[b].append(a)
    found: dict[str, int] = {}

    def at(card: str, way: tuple[str, ...]) -> int:
        if card not in found:
            lower = [at(b, (*way, card)) for b in before[card] if b not in way and b != card]
            found[card] = max(lower, default=-1) + 1
        return found[card]

    for card in cards:
        at(card, ())
    return found


Cells = dict[str, dict[int, list[str]]]


def _ordered(
    titles: Iterable[str], column: Mapping[str, int], edges: Iterable[Pair], groups: Mapping[str, str]
) -> Cells:
    """Lane → column → cards from top to bottom, with as few crossings as some sweeps of barycentres give."""
    lanes: Cells = {}
    for card in titles:
        lanes.setdefault(groups.get(card, ""), {}).setdefault(column[card], []).append(card)
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    for sweep in range(_SWEEPS):
        near = before if sweep % 2 == 0 else after
        place = _places(lanes)
        for cells in lanes.values():
            for at in sorted(cells, reverse=sweep % 2 == 1):
                cells[at].sort(key=lambda card: _mean([place[n] for n in near.get(card, ())], place[card]))
    return lanes


def _places(lanes: Cells) -> dict[str, float]:
    """Each card's row, counted from the top over all lanes; the cards of a cell stand around its middle."""
    found: dict[str, float] = {}
    top = 0
    for cells in lanes.values():
        rows = max(map(len, cells.values()))
        for cell in cells.values():
            for number, card in enumerate(cell):
                found[card] = top + (rows - len(cell)) / 2 + number
        top += rows
    return found


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    x, y = source[0] + WIDTH, source[1] + HEIGHT // 2
    to_x, to_y = target[0], target[1] + HEIGHT // 2
    bend = max(BETWEEN_COLUMNS // 2, (to_x - x) // 2)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"


def _lines(title: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(title, _LINE_CHARS, max_lines=_MOST_LINES, placeholder=" …"))
