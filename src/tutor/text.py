"""Text that is cut without being changed: offsets into a cleaned copy are offsets into the original."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^)\n]*)\)")
_CHECKBOX = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)\[[ xX~]\]", re.M)
_MARKS = re.compile(r"\*{1,3}|`+|(?<![\w/])_(?=\w)|(?<=\w)_(?![\w/])|^ {0,3}#{1,6} |^ {0,3}> ?|^ *[-*+] +(?=\S)", re.M)
_BULLET = re.compile(r"^(\s*)(?:[-*+•]|\d{1,2}[.)])\s+")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)\s*(\S*)")
_ABBREVIATIONS = frozenset("e.g i.e vs etc cf approx ca dr mr mrs prof al inc ltd jr sr st est".split())
_BEFORE_NUMBERS = frozenset(["no", "fig", "eq", "sec", "ch", "vol", "pp", "p", "min", "max"])
#: The rest of a Markdown link from inside its text: "[528. Random Pick](https://…)".
_LINK_REST = re.compile(r"[^\[\]\n]*\]\(")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]*_]*\s+(?=[\"'“‘(\[*_]*[A-Z0-9])")
_HALF = re.compile("[\ud800-\udfff]")
#: C0 and C1 controls (tab and newline stay), soft hyphen, zero-width, bidi and tag characters.
_INVISIBLE = dict.fromkeys(
    code
    for first, last in (
        (0x00, 0x08),
        (0x0B, 0x0C),
        (0x0E, 0x1F),
        (0x7F, 0x9F),
        (0xAD, 0xAD),
        (0x061C, 0x061C),
        (0x180E, 0x180E),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0xFEFF, 0xFEFF),
        (0xFFF9, 0xFFFB),
        (0xE0000, 0xE007F),
    )
    for code in range(first, last + 1)
)


def mended(text: str) -> str:
    """``text`` with a mark (U+FFFD) for each half of a character: same length, and it can be written as UTF-8.

    Halves come from JSON (a lone ``\\ud800``) and from bytes that are no UTF-8; nothing can store or encode them.
    """
    return _HALF.sub("\ufffd", text)


def clean_question(text: str) -> str:
    """A question without control, zero-width and tag characters, NFC, on one line."""
    return " ".join(unicodedata.normalize("NFC", mended(text)).translate(_INVISIBLE).split())


def blank_invisible(text: str) -> str:
    """``text`` with control, zero-width and tag characters overwritten by spaces: same length."""
    return text.translate(dict.fromkeys(_INVISIBLE, " "))


def blank_markup(text: str) -> str:
    """``text`` with Markdown marks overwritten by spaces: same length, so offsets carry over."""

    def link(match: re.Match[str]) -> str:
        lead = match.start(1) - match.start()
        return " " * lead + match.group(1) + " " * (len(match.group()) - lead - len(match.group(1)))

    text = _LINK.sub(link, text)
    text = _CHECKBOX.sub(lambda m: m.group(1) + "   ", text)
    return _MARKS.sub(lambda m: " " * len(m.group()), text)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines: ``kind`` is paragraph, item, table or code (``info`` is the fence's language)."""

    kind: str
    start: int
    end: int
    info: str = ""


def blocks(text: str, start: int = 0, end: int | None = None) -> Iterator[Block]:
    """The blocks of ``text[start:end]`` in order; offsets are into ``text``, blank lines belong to none."""
    end = len(text) if end is None else end
    kind, begin, last, info, fence, indent = "", start, start, "", "", 0
    position = start
    for line in text[start:end].splitlines(keepends=True):
        after, bare = position + len(line), line.strip()
        content_end = position + len(line.rstrip())
        match = _FENCE.match(line)
        if fence:
            last = content_end
            if match and match.group(1).startswith(fence) and not match.group(2):
                yield Block("code", begin, last, info)
                kind = fence = ""
        elif match:
            if kind:
                yield Block(kind, begin, last)
            kind, begin, last, fence, info = "code", position, content_end, match.group(1), match.group(2)
        elif not bare:
            if kind in ("paragraph", "table"):
                yield Block(kind, begin, last)
                kind = ""
        else:
            bullet = _BULLET.match(line)
            depth = len(bullet.group(1)) if bullet else 0
            new = "table" if bare.startswith("|") else "item" if bullet else "paragraph"
            # Deeper bullets and indented continuation lines belong to the item above them.
            continues = kind == "item" and (
                (new == "item" and depth > indent) or (new == "paragraph" and line[:1] in " \t")
            )
            if (
                not continues
                and (new != kind or new == "item")
                and not (new == "paragraph" and kind == "item" and last + 1 == position)
            ):
                if kind:
                    yield Block(kind, begin, last)
                kind, begin, indent = new, position, depth
            last = content_end
        position = after
    if kind:
        yield Block(kind, begin, last, info if kind == "code" else "")


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Half-open spans of the sentences in ``text[start:end]``, trimmed, abbreviations and decimals kept whole."""
    spans: list[tuple[int, int]] = []
    begin = start
    for match in _SENTENCE_END.finditer(text, start, end):
        before = text[max(begin, match.start() - 12) : match.start()].rstrip(".\"'”’)]*_").rsplit(None, 1)
        word = before[-1].lower().lstrip("(\"'“") if before else ""
        if word in _BEFORE_NUMBERS:  # "see no. 3", but "The answer is no. Then …"
            joined = text[match.end()].isdigit()
        else:
            initial = len(word) == 1 and word.isalpha() and text[match.start() - 1 : match.start()] == "."
            joined = initial or word in _ABBREVIATIONS
        if joined or _in_link(text, begin, match.start()):
            continue
        cut = match.start() + len(match.group().rstrip())
        spans.append((begin, cut))
        begin = match.end()
    spans.append((begin, end))
    return [(a, b) for a, b in (_trim(text, a, b) for a, b in spans) if a < b]


def _in_link(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` lies in the text of a Markdown link that opened at or after ``begin``."""
    return text.rfind("[", begin, at) > text.rfind("]", begin, at) and _LINK_REST.match(text, at) is not None


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
