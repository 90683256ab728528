"""A model's reply as it is written: pieces of text in, sentences with their citation marks out.

A sentence is given out when the next one has begun or its line has ended, so marks behind the full stop belong to it
and a reply that breaks off never gives its last half sentence. What cannot be checked as a sentence (headings, tables,
code) comes out as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tutor.answering.prompt import NO_ANSWER, visible
from tutor.models.thoughts import Thoughts
from tutor.text import sentences

MAX_LINE_CHARS = 2_000  # a line without an end is a loop
MAX_CHARS = 20_000  # of a reply
MAX_REPEATS = 3  # sentences said before, from which a reply is a loop
_MARKS = re.compile(
    r"[ \t]*(?:\[\^?(?:(?:passages?|sources?|p)\.?\s*)?(\d{1,4}(?:\s*(?:,|;|–|-|and)\s*\d{1,4})*)\]"
    r"|【(?:passage\s*)?(\d{1,4}(?:\s*,\s*\d{1,4})*)[^】\n]{0,20}】)",
    re.I,
)
_HALF_MARK = re.compile(r"[\[【][^\]】\n]{0,40}$")
_BULLET = re.compile(r"^(\s*)(?:[-*+•]|\d{1,2}[.)])\s+")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_IMAGE = re.compile(r"!\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)?")
_DEFINITION = re.compile(r"^\s*\[[^\]\n]+\]:\s*\S+.*$")
_ADDRESS = re.compile(r"<?(?:\b(?:https?|ftp|file|data|javascript|mailto)\s*:\s*/{0,2}|\bwww\.)[^\s<>\])]*>?", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>|<!--.*?(?:-->|$)|<\|[^|\n]*\|>")
#: What may still become a link, an image or a tag where a page or a terminal reads it. "<" before a space, a figure or
#: "=" opens nothing.
_UNSAFE = re.compile(
    r"\]\s*[(\[:]|!\[|:\s*//|(?<!\w)//\w|<(?![\s\d=])|&(?:#|lt\b)|\bwww\.|\bjavascript:|\bdata:\w", re.I
)
_GAP = re.compile(r" +([.,;:!?])(?=\s|$)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Written:
    """One sentence: ``text`` without marks, ``marks`` the numbers it cites, in order.

    ``kind`` is prose, item, heading, table or code, or none where a whole line says that there is no answer;
    ``paragraph`` counts from 0; ``cut`` says that it never ended.
    """

    text: str
    marks: tuple[int, ...]
    kind: str
    paragraph: int
    cut: bool = False


@dataclass
class Reply:
    """Reads a reply piece by piece. ``trouble`` says why it should not be read on ("" while it may be)."""

    trouble: str = ""
    text: list[str] = field(default_factory=list)
    _line: str = ""
    _chars: int = 0
    _paragraph: int = 0
    _blank: bool = True
    _in_code: bool = False
    _code: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _repeats: int = 0
    _thoughts: Thoughts = field(default_factory=Thoughts)

    def shown(self, piece: str) -> str:
        """What of a piece is reply, not thought; ``read`` takes it. May be empty."""
        self._chars += len(piece)
        return self._thoughts.feed(piece)

    def feed(self, piece: str) -> Iterator[Written]:
        """The sentences that a piece completes."""
        yield from self.read(self.shown(piece))

    def read(self, piece: str) -> Iterator[Written]:
        """The sentences that a piece without thoughts completes."""
        if self.trouble:
            return
        piece = visible(piece.replace("\r\n", "\n").replace("\r", "\n"))
        self.text.append(piece)
        if self._chars > MAX_CHARS:
            self.trouble = "the reply was too long"
            return
        *lines, self._line = (self._line + piece).split("\n")
        for line in lines:
            yield from self._ended(line)
        if len(self._line) > MAX_LINE_CHARS:
            self.trouble = "the reply went on without an end"
        elif not self._in_code:
            yield from self._begun()

    def end(self) -> Iterator[Written]:
        """The rest of the reply; a last sentence with neither a full stop nor a mark behind it is marked as cut."""
        yield from self.read(self._thoughts.end())
        if self.trouble:
            return
        line, self._line = self._line, ""
        if line.strip() or self._in_code:
            yield from self._ended(line, last=True)
        if self._code:
            yield Written("\n".join(self._code), (), "code", self._paragraph, cut=True)
            self._code = []

    def _begun(self) -> Iterator[Written]:
        """Sentences of the unfinished line that another has followed."""
        if self._line.lstrip().startswith(("#", "|", "`", "~")):
            return
        half_mark = _HALF_MARK.search(self._line)
        found = self._sentences(self._line[: half_mark.start()] if half_mark else self._line)
        if len(found) < 2:
            return
        kind = "item" if _BULLET.match(self._line) else "prose"
        self._open(kind)
        for start, end in found[:-1]:
            yield from self._said(self._line[start:end], kind)
        rest = self._line[found[-1][0] :]
        # A sentence that follows in a bullet belongs to the bullet.
        self._line = ("- " if kind == "item" else "") + rest

    def _ended(self, line: str, *, last: bool = False) -> Iterator[Written]:
        if _FENCE.match(line):
            self._in_code = not self._in_code
            if not self._in_code:
                yield Written("\n".join(self._code), (), "code", self._paragraph)
                self._code = []
            return
        if self._in_code:
            self._code.append(line)
            return
        bare = line.strip()
        if not bare or set(bare) <= set("-*_= "):
            self._blank = True
            return
        kind = "item" if _BULLET.match(line) else "prose"
        if bare.strip("#*_\"'.:! ").upper() == NO_ANSWER:
            yield Written(NO_ANSWER, (), "none", self._paragraph)
            return
        if bare.startswith("#") or (re.fullmatch(r"\*\*[^*]+\*\*:?", bare) is not None):
            kind = "heading"
        elif bare.startswith("|") and bare.count("|") > 1:
            kind = "table"
        elif _DEFINITION.match(line) and not _MARKS.match(line):
            return
        self._open(kind)
        if kind in ("heading", "table"):
            yield Written(cleaned(bare.strip("#*: ")), (), kind, self._paragraph)
            return
        found = self._sentences(line)
        for n, (start, end) in enumerate(found):
            yield from self._said(line[start:end], kind, last=last and n == len(found) - 1)

    def _open(self, kind: str) -> None:
        """Begin a paragraph where a blank line or a bullet does."""
        if self._blank or kind in ("item", "heading"):
            self._paragraph += bool(self._seen or self._repeats)
        self._blank = False

    def _sentences(self, line: str) -> list[tuple[int, int]]:
        """Spans of the line's sentences, each with the marks behind it, without the bullet."""
        bullet = _BULLET.match(line)
        begin = bullet.end() if bullet else 0
        blank = _MARKS.sub(lambda m: " " * len(m.group()), line)
        starts = [start for start, _ in sentences(blank, begin, len(line))]
        if not starts:
            return []
        starts[0] = begin  # a mark that opens the line
        return list(zip(starts, [*starts[1:], len(line)], strict=True))

    def _said(self, raw: str, kind: str, *, last: bool = False) -> Iterator[Written]:
        marks = tuple(dict.fromkeys(n for m in _MARKS.finditer(raw) for n in _numbers(m.group(1) or m.group(2))))
        text = cleaned(_MARKS.sub("", raw))
        while (bare := cleaned(_MARKS.sub("", text))) != text:  # what stood around a mark may be a mark itself
            text = bare
        if not text:
            return
        key = " ".join(_WORD.findall(text.lower()))
        if key in self._seen:
            self._repeats += 1
            if self._repeats >= MAX_REPEATS:
                self.trouble = "the reply repeats itself"
            return
        self._seen.add(key)
        ended = text.rstrip("*_\"'”’)")[-1:] in tuple(".!?") or raw.rstrip().endswith(("]", "】"))
        yield Written(text, marks, kind, self._paragraph, cut=last and not ended)


def cleaned(text: str) -> str:
    """A sentence without images, links, addresses and tags; the words of a link stay.

    Cleaned until nothing changes: what stood around a part that went may be one itself.
    """
    before = ""
    while text != before:
        before = text
        for pattern, left in ((_IMAGE, ""), (_LINK, r"\1"), (_TAG, ""), (_ADDRESS, "")):
            text = pattern.sub(left, text)
        text = _GAP.sub(r"\1", " ".join(text.split()))
    return text


def unsafe(text: str) -> bool:
    """Whether a cleaned text still has what could be read as a link, an image or a tag."""
    return _UNSAFE.search(text) is not None


def _numbers(listed: str) -> list[int]:
    """ "1, 3" is 1 and 3; "2-4" is 2, 3 and 4."""
    found: list[int] = []
    for part in re.split(r"\s*(?:,|;|and)\s*", listed):
        ends = [int(n) for n in re.split(r"\s*[–-]\s*", part) if n]
        if len(ends) == 2 and 0 < ends[1] - ends[0] < 10:
            found += range(ends[0], ends[1] + 1)
        else:
            found += ends
    return found
