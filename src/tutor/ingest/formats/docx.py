"""Reads Word files: headings by style, lists, tables and notes, in the order of the document."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from tutor.errors import SourceError
from tutor.ingest.documents import Document
from tutor.ingest.formats.build import Builder, fence, pipe_table
from tutor.ingest.formats.files import member, open_zip

_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_SPACE = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_WRAPPERS = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:moveTo", "w:smartTag", "w:customXml")))
_SKIPPED = frozenset((_MC_FALLBACK, qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:instrText")))
_HEADING = re.compile(r"heading (\d)\Z", re.I)
_CODE_STYLE = re.compile(r"code|preformatted|source|verbatim|listing|macro text", re.I)
_MONOSPACE = re.compile(r"courier|consolas|menlo|monaco|mono\b|fira code|cascadia", re.I)
_NOTES = ("/footnotes", "/endnotes")


def read(data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document:
    """A Word file (.docx); headers, footers, comments and deleted text are left out.

    Raises:
        SourceError: it is not a Word file, damaged, protected, or without text.
    """
    with open_zip(data, about=about, kind="DOCX") as archive:
        _check_entities(archive, about=about)
    builder = Builder()
    try:
        document = docx.Document(BytesIO(data))
        _Reader(document, builder).run()
        title = document.core_properties.title
    except Exception as error:  # python-docx has no error of its own: a damaged part raises KeyError, ValueError …
        raise SourceError("is not a valid DOCX file", about=about, fix="Open it and save it again as DOCX.") from error
    first = builder.headings[0].name if builder.headings and builder.headings[0].level == 0 else None
    fix = "If it holds scanned pages, run OCR (text recognition) first."
    return builder.document(about=about, doc_id=doc_id, source=source, stem=stem, title=title or first, fix=fix)


def _check_entities(archive: zipfile.ZipFile, *, about: str) -> None:
    """Word writes no document type; entities in one can expand without end."""
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")):
            part = member(archive, name, about=about, kind="DOCX").replace(b"\x00", b"")  # UTF-16 parts too
            if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
                fix = "It could be an attack and was not opened."
                raise SourceError(f"{name} defines XML entities", about=about, fix=fix)


def _children(element: Any) -> Iterator[Any]:
    """The children of an element, those inside content controls and tracked insertions included."""
    for child in element:
        if child.tag in _WRAPPERS:
            yield from _children(child)
        elif child.tag not in _SKIPPED:
            yield child


def _text(element: Any) -> str:
    """All text below an element, text boxes included, once."""
    parts = []
    for child in element:
        if child.tag in (qn("w:t"), _MATH_TEXT):
            parts.append(child.text or "")
        elif child.tag in _SPACE:
            parts.append(_SPACE[child.tag])
        elif child.tag not in _SKIPPED:
            parts.append(_text(child))
            if child.tag == qn("w:p"):
                parts.append("\n")
    return "".join(parts)


class _Reader:
    def __init__(self, document: Any, builder: Builder) -> None:
        self.document = document
        self.builder = builder
        self.styles = {style.style_id: style for style in document.styles}
        self.code: list[str] = []

    def run(self) -> None:
        self.blocks(self.document.element.body)
        for relation in self.document.part.rels.values():
            if not relation.is_external and relation.reltype.endswith(_NOTES):
                for note in parse_xml(relation.target_part.blob):
                    # Separators are notes too, with a type.
                    if note.get(qn("w:type")) in (None, "normal"):
                        self.builder.block(" ".join(_text(note).split()))

    def blocks(self, container: Any) -> None:
        for child in _children(container):
            if child.tag == qn("w:p"):
                self.paragraph(child)
            elif child.tag == qn("w:tbl"):
                self.end_code()
                self.table(child)
        self.end_code()

    def paragraph(self, p: Any) -> None:
        text = _text(p)
        styles = list(self.chain(p))
        name = styles[0].name or "" if styles else ""
        if any(_CODE_STYLE.search(style.name or "") for style in styles) or _monospace(p):
            self.code.append(text)
            return
        self.end_code()
        level = _level(p, styles)
        if level is not None:
            self.builder.heading(level, text)
        elif (depth := _list_depth(p, styles)) is not None:
            self.builder.item(text, depth)
        elif name.lower().startswith("list"):
            self.builder.item(text, int(name[-1]) - 1 if name[-1] in "2345" else 0)
        else:
            self.builder.block("\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip()))

    def end_code(self) -> None:
        code = "\n".join(self.code).strip("\n")
        self.code.clear()
        if code.strip():
            self.builder.block(fence(code))

    def chain(self, p: Any) -> Iterator[Any]:
        """The paragraph's style and those it is based on."""
        style = self.styles.get(p.style) if p.style else None
        seen = set()
        while style is not None and style.style_id not in seen:
            seen.add(style.style_id)
            yield style
            style = getattr(style, "base_style", None)

    def table(self, tbl: Any) -> None:
        rows = []
        for tr in (child for child in _children(tbl) if child.tag == qn("w:tr")):
            row: list[str] = []
            for tc in (child for child in _children(tr) if child.tag == qn("w:tc")):
                # A cell that continues the one above repeats nothing.
                row.append("" if tc.vMerge == "continue" else _text(tc))
                row += [""] * (min(tc.grid_span, 50) - 1)
            rows.append(row)
        if max(map(len, rows), default=0) > 1:
            self.builder.block(pipe_table(rows))
            return
        for cell in (c for tr in _children(tbl) if tr.tag == qn("w:tr") for c in _children(tr) if c.tag == qn("w:tc")):
            self.blocks(cell)  # one column is a box around text, not a table


def _level(p: Any, styles: list[Any]) -> int | None:
    for style in styles:
        name = style.name or ""
        if match := _HEADING.match(name):
            return int(match.group(1))
        if name.lower() == "title":
            return 0
    for holder in (p, *(style.element for style in styles)):
        outline = holder.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        if outline is not None:  # 9 is body text
            value = int(outline.get(qn("w:val"), "9"))
            return value + 1 if value < 9 else None
    return None


def _list_depth(p: Any, styles: list[Any]) -> int | None:
    for holder in (p, *(style.element for style in styles)):
        number = holder.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if number is not None:
            identifier, level = number.find(qn("w:numId")), number.find(qn("w:ilvl"))
            if identifier is not None and identifier.get(qn("w:val")) == "0":  # a list style switched off
                return None
            return int(level.get(qn("w:val"), "0")) if level is not None else 0
    return None


def _monospace(p: Any) -> bool:
    runs = [run for run in p.iter(qn("w:r")) if _text(run).strip()]
    fonts = [run.find(f"{qn('w:rPr')}/{qn('w:rFonts')}") for run in runs]
    return bool(runs) and all(f is not None and _MONOSPACE.search(f.get(qn("w:ascii")) or "") for f in fonts)
