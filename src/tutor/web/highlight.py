"""A document as HTML with one span of its Markdown source marked.

The span's characters are tagged with a private-use character after each word, the Markdown is rendered, and the tagged
words are wrapped in ``<mark>`` inside the rendered text, so that a span may begin in the middle of a bold word or run
over several list items without breaking the markup.
"""

from __future__ import annotations

import re

from tutor.text import blank_markup
from tutor.web.render import diagrams, markdown

_TAG = "\ue000"  # private use: not in any real text; stripped from the source first
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(rf"(?:[^\W_]+{_TAG}(?:[^<>\w{_TAG}]|(?:</?(?:strong|em|code|a)\b[^>]*>))*)+", re.S)
_INNER_TAG = re.compile(r"(<[^>]+>)")


def highlighted(text: str, start: int, end: int) -> str:
    """``text`` rendered, with ``text[start:end]`` in ``<mark>`` elements, the first with ``id="cited"``.

    Offsets out of range mark nothing.
    """
    text = text.replace(_TAG, " ")
    if not 0 <= start < end <= len(text):
        return diagrams(markdown(text))
    # Only words of the visible text are tagged: not link targets, not markup.
    visible = blank_markup(text)
    pieces, last = [], 0
    for match in _WORD.finditer(visible, start, end):
        pieces.append(text[last : match.end()] + _TAG)
        last = match.end()
    html = markdown("".join(pieces) + text[last:])
    first = True

    def mark(match: re.Match[str]) -> str:
        nonlocal first
        parts = []
        for part in _INNER_TAG.split(match.group()):
            if part.startswith("<") or not part.strip():
                parts.append(part)
                continue
            core = part.rstrip()
            attributes = ' id="cited"' if first else ""
            first = False
            parts.append(f"<mark{attributes}>{core}</mark>{part[len(core) :]}")
        return "".join(parts).replace(_TAG, "")

    return diagrams(_RUN.sub(mark, html).replace(_TAG, ""))
