"""A document as HTML with one span of its Markdown source marked.

The document is parsed as it stands, so marking never changes its structure. Inside each block that the span reaches,
two private-use characters are set around the span's share of the block's text and the block's inline Markdown is parsed
again. A place is taken only when the rendered block shows both and is the same but for them; otherwise the next place
inwards is tried, so a span may begin in the middle of a link's address or a run of asterisks. Last, the text between
the two is wrapped in ``<mark>``, one element a text node.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from tutor.web.drawings import drawn
from tutor.web.render import CHECKBOX, MARKERS, PARSER, safe
from tutor.web.render import MARKERS_GONE as _GONE

_OPEN, _CLOSE = MARKERS  # replaced in the source first
_OURS = str.maketrans({_OPEN: " ", _CLOSE: " "})
_LINE = re.compile(r"\r\n?|\n")
_HTML_TAG = re.compile(r"(<[^>]*>)")  # markdown-it escapes < and > in text and in attributes
_TAG_WITH_OURS = re.compile(rf"<[^>]*[{_OPEN}{_CLOSE}]")
# Places tried for each end. One try parses the block's text once, so long blocks get fewer.
_MAX_TRIES, _TRIED_CHARS = 400, 1_000_000
_BOXES = {" ": "☐", "~": "☐", "x": "☑", "X": "☑"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """``html`` is safe; ``contents`` are the top headings in order, each with the id of its element and its text."""

    html: str
    contents: tuple[tuple[str, str], ...]


def render_document(text: str, start: int = 0, end: int = 0, *, title: str = "") -> Rendered:
    """``text`` rendered, with ``text[start:end]`` in ``<mark>`` elements, the first with ``id="cited"``.

    Args:
        text: Markdown; raw HTML in it is shown as text.
        start: where the span begins, in characters of ``text``.
        end: where it ends, exclusive. An empty span, or one out of range, marks nothing.
        title: what the page already shows as its heading: a first heading with the same text is left out.
    """
    text = text.translate(_OURS)
    env: dict[str, Any] = {}
    tokens = PARSER.parse(text, env)
    if 0 <= start < end <= len(text):
        _mark(tokens, _lines(text), start, end, env)
    contents = tuple(_headings(tokens, title))
    _checkboxes(tokens)
    return Rendered(drawn(safe(_wrap(PARSER.renderer.render(tokens, PARSER.options, env)))), contents)


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line as markdown-it counts them, with the offset of its first character."""
    lines, begin = [], 0
    for match in _LINE.finditer(text):
        lines.append((begin, text[begin : match.start()]))
        begin = match.end()
    return [*lines, (begin, text[begin:])]


def _mark(tokens: Sequence[Token], lines: Sequence[tuple[int, str]], start: int, end: int, env: dict[str, Any]) -> None:
    row, column = -1, 0  # in a table: the line of the last cell, and where in it that cell ended
    for token, before in zip(tokens, [None, *tokens], strict=False):
        if not token.map or token.type not in ("inline", "fence", "code_block"):
            continue
        first, last = token.map
        if lines[first][0] >= end:
            return
        cell = before is not None and before.type in ("th_open", "td_open")
        if cell:
            row, column = (row, column) if row == first else (first, 0)
        own = lines[first + (token.type == "fence") : last]
        offsets = _offsets(token.content, own, column if cell else None)
        if cell and offsets:
            column = offsets[-1] + 1 - lines[first][0]
        low, high = bisect_left(offsets, start), bisect_left(offsets, end)
        if box := CHECKBOX.match(token.content):
            low = max(low, box.end())
        while low < high and token.content[low].isspace():
            low += 1
        while low < high and token.content[high - 1].isspace():
            high -= 1
        if low < high:
            _set(token, low, high, env)


def _offsets(content: str, lines: Sequence[tuple[int, str]], cell_from: int | None) -> list[int]:
    """For each character of a block's content, its offset in the document.

    The content's lines are those of the source without indentation and block markers; in a table cell (looked for from
    column ``cell_from``) the backslash before an escaped ``|`` is gone too.
    """
    found: list[int] = []
    for part, (begin, line) in zip(content.split("\n"), lines, strict=False):
        at = line.rfind(part) if cell_from is None else line.find(part, cell_from)
        if at >= 0:
            found += range(begin + at, begin + at + len(part))
        else:  # tabs or escapes were changed: letter by letter
            at = cell_from or 0
            for letter in part:
                where = line.find(letter, at)
                at = where if where >= 0 else at
                found.append(begin + at)
                at += where >= 0
        found.append(begin + len(line))
    return found[: len(content)]


def _set(token: Token, low: int, high: int, env: dict[str, Any]) -> None:
    """Put the two characters around ``token.content[low:high]``, or around less where Markdown's marks are in it."""
    text = token.content
    if token.type != "inline":
        token.content = text[:low] + _OPEN + text[low:high] + _CLOSE + text[high:]
        return

    def html(content: str) -> tuple[str, list[Token]]:
        inline = PARSER.parseInline(content, env)
        return PARSER.renderer.render(inline, PARSER.options, env), inline[0].children or []

    unmarked, _ = html(text)

    def harmless(content: str) -> bool:
        found, _ = html(content)
        shown = all(found.count(mark) == content.count(mark) for mark in (_OPEN, _CLOSE))
        return shown and found.translate(_GONE) == unmarked and not _TAG_WITH_OURS.search(found)

    tries = min(_MAX_TRIES, 4 + _TRIED_CHARS // len(text))
    opening = _first(range(low, high)[:tries], lambda a: harmless(text[:a] + _OPEN + text[a:]))
    if opening is None:
        return
    head = text[:opening] + _OPEN
    closing = _first(range(high, opening, -1)[:tries], lambda b: harmless(head + text[opening:b] + _CLOSE + text[b:]))
    if closing is not None:
        token.content = head + text[opening:closing] + _CLOSE + text[closing:]
        _, token.children = html(token.content)


def _first(places: range, fits: Callable[[int], bool]) -> int | None:
    return next((place for place in places if fits(place)), None)


def _headings(tokens: list[Token], title: str) -> Iterator[tuple[str, str]]:
    """Give headings their ids and levels (the page's own heading is level 1), and yield those of the top level."""
    opens = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
    levels = [int(tokens[i].tag[1]) for i in opens]
    if opens and _visible(tokens[opens[0] + 1]) == title and opens[0] == 0:
        del tokens[:3]
        opens, levels = [i - 3 for i in opens[1:]], levels[1:]
    if not opens:
        return
    highest = min(levels)
    for number, (i, level) in enumerate(zip(opens, levels, strict=True), 1):
        tokens[i].tag = tokens[i + 2].tag = f"h{min(6, level - highest + 2)}"
        if level == highest:
            name = f"section-{number}"
            tokens[i].attrSet("id", name)
            yield name, _visible(tokens[i + 1])


def _visible(token: Token) -> str:
    kinds = ("text", "code_inline", "softbreak")
    pieces = [" " if t.type == "softbreak" else t.content for t in token.children or () if t.type in kinds]
    return "".join(pieces).translate(_GONE)


def _checkboxes(tokens: Sequence[Token]) -> None:
    for token, before in zip(tokens[2:], tokens, strict=False):
        if before.type == "list_item_open" and token.type == "inline" and token.children:
            child = token.children[0]
            child.content = CHECKBOX.sub(lambda m: _BOXES[m.group(1)], child.content, count=1)


def _wrap(html: str) -> str:
    """Every text node between the two characters in a ``<mark>``."""
    if _OPEN not in html:
        return html
    pieces, inside, marked = [], False, False
    for piece in _HTML_TAG.split(html):
        if piece.startswith("<"):
            pieces.append(piece)
            continue
        for part in re.split(f"([{_OPEN}{_CLOSE}])", piece):
            if part in (_OPEN, _CLOSE):
                inside = part == _OPEN
            elif inside and part.strip():
                pieces.append(f"<mark>{part}</mark>" if marked else f'<mark id="cited">{part}</mark>')
                marked = True
            else:
                pieces.append(part)
    return "".join(pieces)
