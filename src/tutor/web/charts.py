"""The charts of the pages: figures in, a figure with an SVG drawing and a table out. Pure.

Each names its units, draws values that are not known as not known, and says in words what it shows. No drawing needs a
script, and none holds a coordinate that is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from tutor.axis import Axis
from tutor.web.figures import WIDTH, Cell, Link, Table, Text, cut, element, figure, number, thinned, words

LEFT, RIGHT, TOP, BOTTOM = 42.0, 14.0, 26.0, 44.0  # units around a plot: labels of the ticks and the axes' names
_BAR, _ROW = 12.0, 38.0  # height of a horizontal bar, and of its row with the label over it
MOST_WEEKS = 26  # of a calendar: with more, a day would be too small to see on a phone


@dataclass(frozen=True, slots=True)
class Point:
    """A place of a line: ``y`` with the interval from ``low`` to ``high``; ``label`` names ``x`` on the axis."""

    x: float
    y: float
    label: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A value from 0 on, None where it is not known; ``shown`` is how it is told, ``rests_on`` what it comes from."""

    label: str
    value: float | None
    shown: str
    rests_on: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """How many of a whole are in each part, in the order of the parts."""

    label: str
    counts: Sequence[int]
    shown: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Guessed:
    """Guesses of about one confidence, and the share that came true; both in [0, 1]."""

    confidence: float
    outcome: float
    guesses: int
    label: str


def line(
    text: Text, points: Sequence[Point], table: Table, *, x_name: str, y_name: str, aim: float | None = None
) -> Markup:
    """Shares in [0, 1] along ``x``, as a line with the area of its intervals.

    Args:
        text: its name and what it says.
        points: in the order of ``x``; at least one.
        table: the same data.
        x_name: what ``x`` is, with its unit.
        y_name: what ``y`` is; it is drawn in per cent.
        aim: a level to compare with.
    """
    height = 220.0
    y = Axis(0, 1, height - BOTTOM, TOP)
    x = Axis(points[0].x, points[-1].x, LEFT + 10, WIDTH - RIGHT - 10)
    at = [x.at(p.x) if len(points) > 1 else (LEFT + WIDTH - RIGHT) / 2 for p in points]
    drawn = [*_percent_grid(y), *_names(height, x_name, y_name)]
    drawn += [words(label, place, height - BOTTOM + 16, anchor="middle") for place, label in _labels(at, points)]
    if aim is not None:
        drawn.append(element("line", "aim", x1=LEFT, x2=WIDTH - RIGHT, y1=y.at(aim), y2=y.at(aim)))
        drawn.append(words(f"aim {aim:.0%}", LEFT + 4, y.at(aim) - 5, kind="tick aim-name"))
    band = [(place, p.low, p.high) for place, p in zip(at, points, strict=True)]
    known = [(place, low, high) for place, low, high in band if low is not None and high is not None]
    if len(known) > 1:
        edge = [(place, y.at(high)) for place, _, high in known]
        edge += [(place, y.at(low)) for place, low, _ in reversed(known)]
        drawn.append(element("polygon", "band", points=_path(edge)))
    elif known:
        place, low, high = known[0]
        drawn.append(element("line", "whisker", x1=place, x2=place, y1=y.at(low), y2=y.at(high)))
    path = [(place, y.at(p.y)) for place, p in zip(at, points, strict=True)]
    if len(path) > 1:
        drawn.append(element("polyline", "line", points=_path(path)))
    for (place, level), p in zip(path, points, strict=True):
        drawn.append(element("circle", "dot", f"{p.label}: {p.y:.0%}", cx=place, cy=level, r=4))
    return figure(text, height, drawn, table, kind="lines")


def _labels(at: Sequence[float], points: Sequence[Point]) -> list[tuple[float, str]]:
    return thinned([(place, p.label) for place, p in zip(at, points, strict=True)])


def bars(text: Text, rows: Sequence[Bar], *, heads: Sequence[str], most: float, opened: bool = False) -> Markup:
    """Values one under the other, from 0 to ``most``; what is not known has an empty, dashed bar.

    Args:
        text: its name and what it says.
        rows: in their order.
        heads: names of the table's columns: label, value, and what it rests on where that is given.
        most: the value of a full bar.
        opened: whether the table is shown at once.
    """
    width = WIDTH - 2
    drawn: list[Markup] = []
    for number_, row in enumerate(rows):
        top = number_ * _ROW
        room = width - (len(row.shown) + 2) * 7.2
        drawn += [words(cut(row.label, room), 1, top + 14, kind="name")]
        drawn += [words(row.shown, WIDTH - 1, top + 14, anchor="end", kind="tick")]
        place: dict[str, float] = {"x": 1.0, "y": top + 20, "height": _BAR, "rx": 3}
        known = _finite(row.value)
        drawn.append(_rect("rest" if known is not None else "unknown", "", width=width, **place))
        if known and known > 0 and most > 0:
            length = min(1.0, known / most) * width
            drawn.append(_rect("full", f"{row.label}: {row.shown}", width=length, **place))
    data = [[_linked(row.label, row.href), row.shown, *([row.rests_on] if len(heads) > 2 else [])] for row in rows]
    return figure(text, len(rows) * _ROW, drawn, Table(heads, data), kind="bars", opened=opened)


def stacks(
    text: Text, parts: Sequence[tuple[str, str]], rows: Sequence[Stack], *, head: str, opened: bool = False
) -> Markup:
    """What wholes are made of, one under the other; a bar's full length is its own whole.

    Args:
        text: its name and what it says.
        parts: class and name of each part, from the left.
        rows: in their order.
        head: what a row is, for the table.
        opened: whether the table is shown at once.
    """
    width = WIDTH - 2
    drawn: list[Markup] = []
    for at, row in enumerate(rows):
        top, left, whole = at * _ROW, 1.0, sum(row.counts)
        drawn.append(words(cut(row.label, width - (len(row.shown) + 2) * 7.2), 1, top + 14, kind="name"))
        drawn.append(words(row.shown, WIDTH - 1, top + 14, anchor="end"))
        if not whole:
            drawn.append(_rect("unknown", "", x=1.0, y=top + 20, width=width, height=_BAR, rx=3))
        for (kind, name), count in zip(parts, row.counts, strict=True):
            length = width * count / whole if whole else 0.0
            if length:
                said = f"{row.label}: {count} {name}"
                drawn.append(_rect(kind, said, x=left, y=top + 20, width=length, height=_BAR))
            left += length
    heads = [head, *(name for _, name in parts), "of"]
    data = [[_linked(row.label, row.href), *map(str, row.counts), str(sum(row.counts))] for row in rows]
    return figure(text, len(rows) * _ROW, drawn, Table(heads, data), kind="stacks", legend=parts, opened=opened)


def columns(text: Text, rows: Sequence[Bar], *, heads: Sequence[str], x_name: str, y_name: str) -> Markup:
    """Values side by side, from 0 on, as over days or weeks; ``label`` is on the axis where there is room.

    Args:
        text: its name and what it says.
        rows: in their order; ``rests_on`` names one in full, and what is not known counts as nothing.
        heads: names of the table's two columns.
        x_name: what stands side by side.
        y_name: what a value is, with its unit.
    """
    height = 200.0
    values = [_finite(row.value) or 0.0 for row in rows]
    y = Axis(0, max(4.0, math.ceil(max([*values, 0.0]))), height - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(rows))
    drawn = []
    for place, label in y.ticks:
        drawn.append(element("line", "grid", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place))
        drawn.append(words(label, LEFT - 6, place + 4, anchor="end"))
    drawn += _names(height, x_name, y_name)
    centres = [LEFT + (at + 0.5) * step for at in range(len(rows))]
    labels = thinned([(centre, row.label) for centre, row in zip(centres, rows, strict=True)])
    drawn += [words(label, place, height - BOTTOM + 16, anchor="middle") for place, label in labels]
    wide = min(28.0, step * 0.72)
    for centre, row, value in zip(centres, rows, values, strict=True):
        if value > 0:
            top = y.at(value)
            said = f"{row.rests_on or row.label}: {row.shown}"
            box = {"x": centre - wide / 2, "y": top, "width": wide, "height": height - BOTTOM - top}
            drawn.append(_rect("full", said, rx=2, **box))
    data = [[_linked(row.rests_on or row.label, row.href), row.shown] for row in rows]
    return figure(text, height, drawn, Table(heads, data), kind="columns")


def calibration(text: Text, points: Sequence[Guessed]) -> Markup:
    """How sure against how often right, with the diagonal of who knows exactly; a dot's area goes by its guesses."""
    height = 300.0
    x, y = Axis(0, 1, LEFT, WIDTH - RIGHT), Axis(0, 1, height - BOTTOM, TOP)
    drawn = [*_percent_grid(y), *_names(height, "how sure you were", "came true")]
    drawn += [words(f"{n}%", x.at(n / 100), height - BOTTOM + 16, anchor="middle") for n in (0, 25, 50, 75, 100)]
    drawn.append(element("line", "aim", x1=x.at(0), y1=y.at(0), x2=x.at(1), y2=y.at(1)))
    drawn.append(words("too sure", x.at(0.98), y.at(0.04), anchor="end", kind="side"))
    drawn.append(words("not sure enough", x.at(0.02), y.at(0.93), kind="side"))
    most = max((point.guesses for point in points), default=1)
    for point in sorted(points, key=lambda p: -p.guesses):  # small dots over large ones
        radius = 4 + 10 * math.sqrt(point.guesses / most)
        said = f"{point.label} sure: {point.outcome:.0%} of {point.guesses} came true"
        drawn.append(element("circle", "dot", said, cx=x.at(point.confidence), cy=y.at(point.outcome), r=radius))
        over = y.at(point.outcome) - radius - 4
        drawn.append(words(str(point.guesses), x.at(point.confidence), max(12.0, over), anchor="middle", kind="count"))
    rows = [[p.label, f"{p.confidence:.0%}", f"{p.outcome:.0%}", str(p.guesses)] for p in points]
    table = Table(("How sure", "on average", "came true", "guesses"), rows)
    return figure(text, height, drawn, table, kind="calibration")


def calendar(text: Text, done: Mapping[date, int], first: date, last: date, *, unit: str) -> Markup:
    """Days as squares, a week a column from Monday down, darker where more was done; the last 26 weeks at most.

    Args:
        text: its name and what it says.
        done: how much on each day; a day that is missing had nothing.
        first: the first day.
        last: the last day.
        unit: what was done, in the plural.
    """
    first = max(first, last - timedelta(days=last.weekday() + 7 * (MOST_WEEKS - 1)))
    monday = first - timedelta(days=first.weekday())
    weeks = (last - monday).days // 7 + 1
    side = min(20.0, (WIDTH - LEFT) / weeks)
    drawn = [words(name, 0, TOP + (row + 0.5) * side + 4) for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))]
    months: list[tuple[float, str]] = []
    for at in range(weeks):
        start = monday + timedelta(weeks=at)
        if at == 0 or start.month != (start - timedelta(weeks=1)).month:
            months.append((LEFT + at * side, f"{start:%b}"))
    drawn += [
        words(name, place, TOP - 6)
        for (place, name), after in zip(months, [*months[1:], (WIDTH + 99, "")], strict=True)
        if after[0] - place >= 28
    ]
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        week, weekday = divmod((day - monday).days, 7)
        count = max(0, done.get(day, 0))
        x, y, said = LEFT + week * side + 1, TOP + weekday * side + 1, f"{day:%a} {day.day} {day:%b}: {count} {unit}"
        drawn.append(_rect(f"day level-{level(count)}", said, x=x, y=y, width=side - 2, height=side - 2, rx=2))
    rows = [[f"{day:%A} {day.day} {day:%B %Y}", str(done[day])] for day in sorted(done) if first <= day <= last]
    legend = [("day level-0", "nothing"), ("day level-1", "1 to 4"), ("day level-2", "5 to 9"),
              ("day level-3", "10 to 19"), ("day level-4", f"20 {unit} or more")]  # fmt: skip
    table = Table(("Day", unit), rows[::-1])
    return figure(text, TOP + 7 * side + 4, drawn, table, kind="calendar", legend=legend)


def level(count: int) -> int:
    """The shade of a day, 0 to 4."""
    return sum(count >= least for least in (1, 5, 10, 20))


def _percent_grid(y: Axis) -> list[Markup]:
    found = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        found.append(element("line", "grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y.at(share), y2=y.at(share)))
        found.append(words(f"{share:.0%}", LEFT - 6, y.at(share) + 4, anchor="end"))
    return found


def _names(height: float, x_name: str, y_name: str) -> list[Markup]:
    """The axes' names: of ``y`` above it, where it needs no turning, of ``x`` below."""
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [words(y_name, 0, 12, kind="axis"), words(x_name, middle, height - 6, anchor="middle", kind="axis")]


def _rect(kind: str, said: str, **places: float) -> Markup:
    return element("rect", kind, said, **places)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in places)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _linked(label: str, href: str) -> Cell:
    return Link(label, href) if href else label
