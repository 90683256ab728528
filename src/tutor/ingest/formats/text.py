"""Reads plain text: bytes to characters, characters to a clean form, lines that look like headings to sections."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator

from tutor.errors import SourceError
from tutor.ingest.documents import Document

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the UTF-16 one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What text files are really in, once UTF-8 is ruled out; rarer code pages fit short text by accident.
_GUESSED = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile(r"[ \t]+$", re.M)
_UNDERLINE = re.compile(r"([=\-~^*+#\"'`])\1{2,}\Z")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*)[.)]?\s+[^\W\d_]")
_LEADER = re.compile(r"(?:\.\s*){3,}\d*\Z|\s{2,}\d+\Z")
_TEXT_FIX = "Give a text file, or one of the other formats with its own ending."


def decode(data: bytes, *, about: str, declared: str | None = None) -> str:
    """The characters of ``data``: by byte order mark, as UTF-8, as ``declared``, else by the best guess.

    Raises:
        SourceError: the bytes are not text.
    """
    mark = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    if mark is None and b"\x00" in data:
        raise SourceError("looks like a binary file", about=about, fix=_TEXT_FIX)
    for encoding in (mark,) if mark else ("utf-8", declared):
        try:
            text = data.decode(encoding) if encoding else None
        except (UnicodeError, LookupError):
            continue
        if text is not None:
            break
    else:
        text = None if mark else _guess(data)
    if text is None or _unprintable(text):
        raise SourceError("looks like a binary file", about=about, fix=_TEXT_FIX)
    return text


def _guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    high = sum(byte > 127 for byte in data[: 1 << 16])
    found = from_bytes(data[: 1 << 20], cp_isolation=list(_GUESSED))
    best = found.best()
    names = [best.encoding] if best else []
    # Western text fits several code pages equally well; the common one is the better guess among equals, and where
    # there is too little to judge by.
    if (high < 8 and high * 3 < len(data)) or any(
        m.encoding == "cp1252" and best and m.chaos <= best.chaos for m in found
    ):
        names.insert(0, "cp1252")
    for encoding in (*names, "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return None


def _unprintable(text: str) -> bool:
    sample = text[: 1 << 16]
    odd = sum(1 for c in sample if c not in "\n\r\t\f" and unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs"))
    return "\x00" in text or (odd + sample.count("\ufffd")) * 10 > len(sample) * 3


def normalise(text: str) -> str:
    """``text`` in NFC with ``\\n`` line ends, plain spaces, nothing invisible and nothing trailing on a line."""
    text = _SPACES.sub(" ", _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)))
    return _TRAILING.sub("", unicodedata.normalize("NFC", text))


def read(data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document:
    """A plain text file; its text is kept as it is, apart from ``normalise``.

    Raises:
        SourceError: it is binary or empty.
    """
    from tutor.ingest.formats.build import Heading, choose_title, sections_between

    text = normalise(decode(data, about=about)).strip("\n") + "\n"
    if not text.strip():
        raise SourceError("the file is empty", about=about, fix="Nothing was indexed from it.")
    headings = [Heading(level, name, start, end) for level, name, start, end in _headings(text)]
    title = choose_title(headings[0].name if headings else None, stem=stem)
    return Document(doc_id, title, text, source, "page", sections_between(text, headings, title=title))


def _headings(text: str) -> Iterator[tuple[int, str, int, int]]:
    """Lines that look like headings, as (level, name, start, end)."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    marks: list[str] = []  # underline characters in order of appearance: the first is the highest level
    at = 0
    while at < len(lines):
        line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
        after_blank = at == 0 or not lines[at - 1] or bool(_UNDERLINE.match(lines[at - 1]))
        if after_blank and _short(line, 80) and _UNDERLINE.match(below) and not _UNDERLINE.match(line):
            overlined = at > 0 and lines[at - 1] == below
            mark = below[0] * (2 if overlined else 1)
            marks += [mark] if mark not in marks else []
            yield marks.index(mark) + 1, line.strip(), starts[at - overlined], min(starts[at + 2], len(text))
            at += 2
            continue
        level = _level(lines, at) if after_blank and not below else 0
        if level:
            yield level, line.strip(), starts[at], min(starts[at + 1], len(text))
        at += 1


def _short(line: str, limit: int) -> bool:
    return 0 < len(line) <= limit and not line[0].isspace() and any(c.isalnum() for c in line)


def _level(lines: list[str], at: int) -> int:
    """The level of a line that stands alone between blank lines, 0 if it is a paragraph."""
    line = lines[at]
    if not _short(line, 80) or line[-1] in ".,;:!?" or _LEADER.search(line):
        return 0
    rest = [other for other in lines[at + 1 : at + 60] if other]
    following = rest[0] if rest else ""
    if number := _NUMBERED.match(line):
        depth = number.group(1).count(".") + 1
        # "1. Do this", "2. Do that" with blank lines between is a list, not a table of chapters.
        before = next((other for other in reversed(lines[max(0, at - 60) : at]) if other), "")
        return 0 if depth == 1 and (_NUMBERED.match(following) or _NUMBERED.match(before)) else depth
    letters = [c for c in line if c.isalpha()]
    if len(letters) >= 4 and all(c.isupper() for c in letters):
        return 1
    # A title above a paragraph, not one of several short remarks.
    paragraph = len(following) > len(line) and (len(following) > 60 or following[-1] in ".:;?!")
    return 2 if len(line) <= 60 and line[0].isupper() and paragraph else 0
