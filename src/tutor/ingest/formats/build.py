"""Puts a document together from headings and blocks, so that section offsets are right by construction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tutor.errors import SourceError
from tutor.ingest.documents import Document, Section
from tutor.ingest.formats.text import normalise
from tutor.ingest.roles import role_of

_JUNK_TITLE = re.compile(
    r"(?:untitled|\(?anonymous\)?|unspecified|title|document\d*|microsoft word - .*|.*\.\w{2,5})\Z", re.I
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of ``text``: it stands at ``start`` up to ``end``; level 0 is the document's own title."""

    level: int
    name: str
    start: int
    end: int


def choose_title(*candidates: str | None, stem: str) -> str:
    """The first candidate that says something, else the file name with its separators as spaces."""
    for candidate in candidates:
        plain = " ".join(normalise(candidate or "").split())
        if plain and not _JUNK_TITLE.match(plain):
            return plain[:300]
    return " ".join(re.sub(r"[_-]+", " ", normalise(stem)).split()) or stem


def sections_between(text: str, headings: Sequence[Heading], *, title: str) -> tuple[Section, ...]:
    """The runs of text below each heading; a heading with nothing below it is kept as a section of itself."""
    sections: list[Section] = []
    path: list[Heading] = []
    start, opened = 0, 0
    for position, heading in enumerate([*headings, Heading(0, "", len(text), len(text))]):
        leaf = position > 0 and heading.level <= path[-1].level
        begin = start if text[start : heading.start].strip() else opened
        if text[begin : heading.start].strip() and (begin == start or leaf):
            names = [item.name for item in path]
            # A subsection without a role of its own speaks for the section around it.
            role = next((r for r in map(role_of, reversed(names)) if r != "body"), "body")
            if names and names[0].casefold() == title.casefold():
                del names[0]
            sections.append(_trimmed(text, Section(tuple(names), begin, heading.start, role)))
        path = [*(item for item in path if item.level < heading.level), heading]
        opened, start = heading.start, heading.end
    return tuple(sections)


def _trimmed(text: str, section: Section) -> Section:
    run = text[section.start : section.end]
    start = section.start + len(run) - len(run.lstrip("\n"))
    return Section(section.heading, start, section.start + len(run.rstrip()), section.role, section.page)


def pipe_table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table whose first row is the head; rows without text are left out."""
    cells = [[" ".join(normalise(cell).split()).replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    width = max(map(len, cells), default=0)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([*lines[:1], "|" + " --- |" * width, *lines[1:]]) if lines else ""


def fence(code: str, info: str = "") -> str:
    """A fenced code block, with a fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{info}\n{code}\n{marks}"


@dataclass
class Builder:
    """Collects pieces in reading order; ``document`` joins them."""

    parts: list[str] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    length: int = 0
    in_list: bool = False

    def heading(self, level: int, name: str) -> None:
        """A heading, shown as a Markdown heading; empty ones are dropped."""
        name = " ".join(normalise(name).split())
        if name:
            start = self._add(f"{'#' * max(1, min(level, 6))} {name}", "\n\n")
            self.headings.append(Heading(level, name, start, self.length))

    def block(self, text: str) -> None:
        """A paragraph, a table or a fenced code block."""
        text = normalise(text).strip("\n")
        if text.strip():
            self._add(text, "\n\n")

    def item(self, text: str, depth: int = 0) -> None:
        """A list item; ``depth`` counts the lists around its own."""
        text = " ".join(normalise(text).split())
        if text:
            self._add(f"{'  ' * depth}- {text}", "\n" if self.in_list else "\n\n")
            self.in_list = True

    def extend(self, other: Builder) -> None:
        """Everything that another builder collected."""
        if other.parts:
            start = self._add("".join(other.parts), "\n\n")
            self.headings += [Heading(h.level, h.name, h.start + start, h.end + start) for h in other.headings]

    def _add(self, text: str, separator: str) -> int:
        if self.parts:
            text = separator + text
        else:
            separator = ""
        self.parts.append(text)
        start = self.length + len(separator)
        self.length += len(text)
        self.in_list = False
        return start

    def document(
        self, *, about: str, doc_id: str, source: str, stem: str, title: str | None, fix: str = ""
    ) -> Document:
        """The document, titled by ``title``, else its first heading, else its file name.

        Raises:
            SourceError: nothing was collected.
        """
        text = "".join(self.parts) + "\n"
        if not text.strip():
            raise SourceError("there is no text in it", about=about, fix=fix or "Nothing was indexed from it.")
        first = self.headings[0].name if self.headings else None
        chosen = choose_title(title, first, stem=stem)
        sections = sections_between(text, self.headings, title=chosen)
        return Document(doc_id, chosen, text, source, "page", sections)
