"""The curriculum's Mermaid diagrams as they were drawn beforehand, found by their source.

``ingest/draw_diagrams.py`` makes the drawings: plain SVG without style, script, id or link, coloured by the page's own
style sheet. Nothing is drawn while a page is asked for, and a diagram that has no drawing stays as its source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from markdown_it import MarkdownIt

FOLDER = Path(__file__).resolve().parent / "diagrams"
_PLACE = re.compile(r'<span class="drawing-([0-9a-f]{16})"></span>')


def name_of(source: str) -> str:
    """What the drawing of a Mermaid source is called: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(source.strip().encode("utf-8", "replace")).hexdigest()[:16]


def is_mermaid(info: str) -> bool:
    """Whether a fenced block with this info string is a diagram."""
    return (info.split() or [""])[0].lower() == "mermaid"


def sources(text: str) -> list[str]:
    """The sources of a Markdown text's diagrams, in its order."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [token.content for token in tokens if token.type == "fence" and is_mermaid(token.info)]


@lru_cache(maxsize=256)
def drawing(name: str) -> str:
    """A drawing as HTML; empty where there is none."""
    path = FOLDER / f"{name}.svg"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def place(source: str) -> str:
    """What stands for a drawing until the page's HTML is sanitised; empty where there is no drawing."""
    name = name_of(source)
    return f'<span class="drawing-{name}"></span>' if drawing(name) else ""


def drawn(html: str) -> str:
    """Sanitised HTML with the drawings in their places."""
    return _PLACE.sub(lambda found: drawing(found.group(1)), html)
