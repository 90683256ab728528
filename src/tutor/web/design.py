"""The design system read from its own style sheets: tokens with their values in both themes, and their contrast.

Nothing here is a copy: a token that is changed in tokens.css is another one on /design with the next request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(r"^\s*--([\w-]+):\s*(.+?);\s*$", re.MULTILINE)
_PAIR = re.compile(r"light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
#: Every pair of colours that stands in the pages as text on a ground. WCAG 2.2, 1.4.3 (AA) asks for 4.5 to 1.
TEXT_ON_GROUND: tuple[tuple[str, str], ...] = (
    *((ink, ground) for ink in ("ink", "soft", "accent", "right", "wrong") for ground in ("paper", "sheet")),
    *(("ink", ground) for ground in ("marker", "wrong-soft", "accent-soft")),
    *(("soft", ground) for ground in ("wrong-soft", "accent-soft")),
    *(("on-accent", "accent"), ("on-accent", "wrong"), ("accent", "accent-soft")),
)
#: Edges of what can be used, on their ground: 3 to 1 (WCAG 2.2, 1.4.11).
EDGE_ON_GROUND = (("edge", "paper"), ("edge", "sheet"))
#: What each colour is for.
PURPOSE: Mapping[str, str] = {
    "paper": "the page",
    "sheet": "panels, fields, the map",
    "ink": "text",
    "soft": "text that steps back",
    "line": "lines between things",
    "edge": "edges of fields and buttons",
    "accent": "links, buttons, what is chosen",
    "accent-soft": "behind what is chosen or said",
    "on-accent": "text on the accent",
    "margin": "the notebook's margin line, the brand",
    "marker": "what is quoted",
    "wrong": "errors, and what cannot be undone",
    "wrong-soft": "behind errors",
    "right": "what is right, fine or mastered",
}


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour token; ``light`` and ``dark`` are #rrggbb."""

    name: str
    light: str
    dark: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """The contrast of two colour tokens, light and dark, and the least it may be."""

    ink: str
    ground: str
    light: float
    dark: float
    least: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens by what they are: colours, font families and sizes, spaces and measures as (name, value)."""

    colours: Sequence[Colour]
    families: list[tuple[str, str]]
    sizes: list[tuple[str, str]]
    spaces: Sequence[tuple[str, str]]
    contrasts: Sequence[Contrast]


def tokens(path: Path) -> Tokens:
    """The tokens of a style sheet, in its order; colours are those written as ``light-dark(#rrggbb, #rrggbb)``."""
    found = _TOKEN.findall(path.read_text(encoding="utf-8"))
    colours = []
    others = []
    for name, value in found:
        if pair := _PAIR.fullmatch(value):
            colours.append(Colour(name, pair[1], pair[2], PURPOSE.get(name, "")))
        else:
            others.append((name, value))
    known = {colour.name: colour for colour in colours}
    contrasts = [
        Contrast(
            ink,
            ground,
            contrast(known[ink].light, known[ground].light),
            contrast(known[ink].dark, known[ground].dark),
            least,
        )
        for pairs, least in ((TEXT_ON_GROUND, 4.5), (EDGE_ON_GROUND, 3.0))
        for ink, ground in pairs
        if ink in known and ground in known
    ]
    families = [(name, value) for name, value in others if "," in value and "clamp" not in value]
    spaces = [(n, v) for n, v in others if re.fullmatch(r"s\d|measure|rail|round", n)]
    sizes = [pair for pair in others if pair not in families and pair not in spaces]
    return Tokens(colours, families, sizes, spaces, contrasts)


def contrast(one: str, other: str) -> float:
    """The contrast of two #rrggbb colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
