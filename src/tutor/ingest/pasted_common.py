"""What the splitters of pasted pages share: lines with offsets, ids from titles, and cutting a document out.

All offsets are character offsets into the whole pasted text, half-open, until :func:`cut` makes them relative.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tutor.ingest.documents import Document, Section

Meta = Mapping[str, str | int | tuple[str, ...]]

_BLANK = " \t\r\n\f\v\u00a0\u200b\ufeff"
_JOINING = re.compile("[.'\u2018\u2019\u0300-\u036f]")
_SEPARATING = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One non-blank line: ``text`` without surrounding blanks, its ``start`` and ``end``, and its ``indent``."""

    text: str
    start: int
    end: int
    indent: int


def lines_of(text: str, begin: int = 0, end: int | None = None) -> Iterator[Line]:
    """The non-blank lines of ``text[begin:end]`` in order, with offsets into ``text``.

    Carriage returns, trailing blanks and a byte order mark are left out.
    """
    # Not str.splitlines: it also breaks at form feeds and U+2028, which a paste may hold inside a sentence.
    for raw in text[begin:end].split("\n"):
        stripped = raw.lstrip(_BLANK)
        indent = len(raw) - len(stripped)
        stripped = stripped.rstrip(_BLANK)
        if stripped:
            start = begin + indent
            yield Line(stripped, start, start + len(stripped), indent)
        begin += len(raw) + 1


def slug(title: str) -> str:
    """The id part of a title: lower case ASCII words joined by hyphens; empty when nothing is left."""
    folded = unicodedata.normalize("NFKD", title).lower()
    # Dots and apostrophes join what stands around them ("2.0" -> "20", "Ada's" -> "adas"); all else separates.
    return _SEPARATING.sub("-", _JOINING.sub("", folded)).strip("-")


@dataclass(slots=True)
class Ids:
    """Hands out ids under one prefix; a name that was taken gets -2, -3 ... in order of appearance."""

    prefix: str
    taken: set[str] = field(default_factory=set)

    def claim(self, title: str) -> str:
        """A fresh ``prefix/slug`` for ``title``."""
        base = f"{self.prefix}/{slug(title) or 'untitled'}"
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        return name


def cut(
    text: str,
    source: str,
    *,
    kind: str,
    doc_id: str,
    title: str,
    span: tuple[int, int],
    sections: Iterable[Section],
    meta: Meta | None = None,
) -> Document:
    """The document of the verbatim slice ``span``; ``sections`` come with offsets into ``text``.

    Sections are trimmed of surrounding blanks, and dropped when nothing remains. A note covers no item; every other
    kind covers its own id. ``meta["source_start"]`` is where the slice begins in ``text``.
    """
    start, end = _trim(text, *span)
    kept = []
    for section in sections:
        first, last = _trim(text, section.start, section.end)
        if first < last:
            kept.append(Section(section.heading, first - start, last - start, section.role))
    return Document(
        doc_id=doc_id,
        title=title,
        text=text[start:end],
        source=source,
        kind=kind,
        sections=tuple(kept),
        covers=() if kind == "note" else (doc_id,),
        meta={"source_start": start, **(meta or {})},
    )


def note(
    text: str,
    source: str,
    doc_id: str,
    title: str,
    lines: Sequence[Line],
    *,
    sections: Iterable[Section] | None = None,
    meta: Meta | None = None,
) -> list[Document]:
    """The note that keeps ``lines``, which belong to no item: one document, or none when there are no lines."""
    if not lines:
        return []
    parts = body(lines) if sections is None else sections
    span = (lines[0].start, lines[-1].end)
    return [cut(text, source, kind="note", doc_id=doc_id, title=title, span=span, sections=parts, meta=meta)]


def body(lines: Sequence[Line], heading: tuple[str, ...] = ()) -> list[Section]:
    """One body section over ``lines``, under ``heading``; none when there are no lines."""
    return [Section(heading, lines[0].start, lines[-1].end)] if lines else []


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _BLANK:
        start += 1
    while end > start and text[end - 1] in _BLANK:
        end -= 1
    return start, end
