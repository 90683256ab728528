"""What every chart stands in: a figure with its name, the drawing, what it says in words, and its data as a table.

Drawings carry classes and SVG's own attributes only, so that the content security policy holds and style sheets choose
the colours. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 340.0  # units of a drawing, near a phone's pixels, so that letters keep their size on one
LETTER = 7.2  # units of an average letter at the style sheet's largest size


@dataclass(frozen=True, slots=True)
class Link:
    """A cell of a table that leads to what it is about."""

    text: str
    href: str


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Table:
    """A chart's data: names of the columns, and rows whose first cell names them."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Text:
    """What a chart is called, and what it says, in a sentence or two; ``key`` is its own on the page."""

    key: str
    title: str
    says: str


def figure(
    text: Text,
    height: float,
    drawn: Sequence[Markup],
    table: Table,
    *,
    kind: str,
    legend: Sequence[tuple[str, str]] = (),
    opened: bool = False,
) -> Markup:
    """A whole chart as HTML.

    Args:
        text: its name and what it says; screen readers are told both as the drawing's.
        height: of the drawing, in units.
        drawn: its elements, which are safe.
        table: the same data.
        kind: a class of its own.
        legend: class and name of what is told apart by colour.
        opened: whether the table is shown at once.
    """
    keys = Markup("").join(
        Markup('<li><svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="{}" width="12" height="12"/>'
               "</svg>{}</li>").format(name, said) for name, said in legend
    )  # fmt: skip
    return Markup(
        '<figure class="chart {kind}"><figcaption>{title}</figcaption>'
        '<p class="says" aria-hidden="true">{says}</p><div class="drawn">'
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{key}-title {key}-says">'
        '<title id="{key}-title">{title}</title>'
        '<desc id="{key}-says">{says}</desc>{drawn}</svg>{legend}</div>'
        '<details{opened}><summary>As a table<span class="hidden">: {title}</span></summary>{table}</details></figure>'
    ).format(
        kind=kind,
        key=text.key,
        title=text.title,
        says=text.says,
        width=number(WIDTH),
        height=number(height),
        drawn=Markup("").join(drawn),
        legend=Markup('<ul class="legend">{}</ul>').format(keys) if legend else "",
        opened=Markup(" open") if opened else "",
        table=_table(text, table),
    )


def too_little(text: Text) -> Markup:
    """In the place of a chart for which there is too little: what it will show, and from when on."""
    return Markup('<figure class="chart none"><figcaption>{}</figcaption><p class="empty">{}</p></figure>').format(
        text.title, text.says
    )


def _table(text: Text, table: Table) -> Markup:
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in table.heads)
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            _cell(row[0]), Markup("").join(Markup("<td>{}</td>").format(_cell(cell)) for cell in row[1:])
        )
        for row in table.rows
    )
    return Markup(
        '<div class="table" tabindex="0" role="region" aria-label="{}, data"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(text.title, heads, rows)


def _cell(cell: Cell) -> Markup:
    if isinstance(cell, Link):
        return Markup('<a href="{}">{}</a>').format(cell.href, cell.text)
    return escape(cell)


def number(value: float) -> str:
    """A coordinate as short as it can be.

    Raises:
        ValueError: it is not finite, which no drawing can hold.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is no coordinate")
    return f"{round(value, 1):g}"


def element(name: str, kind: str, said: str = "", **attributes: float | str) -> Markup:
    """An SVG element of a class; figures are rounded, ``said`` is its tooltip, ``_`` in a name stands for ``-``."""
    given = {key.replace("_", "-"): number(v) if isinstance(v, float | int) else v for key, v in attributes.items()}
    shown = Markup("").join(Markup(' {}="{}"').format(Markup(key), value) for key, value in given.items())
    tooltip = Markup("<title>{}</title>").format(said) if said else ""
    return Markup('<{0} class="{1}"{2}>{3}</{0}>').format(Markup(name), kind, shown, tooltip)


def words(text: str, x: float, y: float, *, anchor: str = "start", kind: str = "tick") -> Markup:
    """Text at a place; ``anchor`` is start, middle or end."""
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, number(x), number(y), anchor, text
    )


def cut(text: str, room: float) -> str:
    """As much of a text as ``room`` units hold."""
    most = max(2, int(room / LETTER))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def thinned(labels: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those labels that do not run into each other when each is centred on its place; the first and last stay."""
    if len(labels) < 3:
        return list(labels)

    def apart(one: tuple[float, str], other: tuple[float, str]) -> bool:
        return abs(other[0] - one[0]) >= (len(one[1]) + len(other[1])) / 2 * LETTER + 4

    kept = [labels[0]]
    for label in labels[1:-1]:
        if apart(kept[-1], label) and apart(label, labels[-1]):
            kept.append(label)
    return [*kept, labels[-1]]
