"""Reads EPUB books: the chapters of the spine in order, through the HTML reader; nothing is unpacked to the disk."""

from __future__ import annotations

import posixpath
import zipfile
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tutor.errors import SourceError
from tutor.ingest.documents import Document
from tutor.ingest.formats.build import Builder
from tutor.ingest.formats.files import member, open_zip
from tutor.ingest.formats.html import add_content, characters, parse

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")


@dataclass
class _Book:
    """What the package file says: the title, the chapters' files in reading order, and the table of contents."""

    title: str | None
    chapters: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


def read(data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document:
    """An EPUB 2 or 3 book.

    Raises:
        SourceError: it is not an EPUB file, damaged, protected by DRM, or without text.
    """
    with open_zip(data, about=about, kind="EPUB") as archive:
        book = _book(archive, about=about)
        builder = Builder()
        for name in book.chapters:
            _add_chapter(builder, member(archive, name, about=about, kind="EPUB"), book.labels.get(name), about=about)
    fix = "A book of scanned pages needs OCR (text recognition) first."
    return builder.document(about=about, doc_id=doc_id, source=source, stem=stem, title=book.title, fix=fix)


def _add_chapter(builder: Builder, data: bytes, label: str | None, *, about: str) -> None:
    if not data.strip():
        return
    chapter = Builder()
    try:
        add_content(parse(characters(data, about=about)), chapter)
    except RecursionError as error:
        raise SourceError("has a chapter that is nested too deeply", about=about, fix="Convert it again.") from error
    if label and chapter.parts and not chapter.headings:
        builder.heading(1, label)
    builder.extend(chapter)


def _xml(archive: zipfile.ZipFile, name: str, *, about: str) -> Element:
    data = member(archive, name, about=about, kind="EPUB")
    try:
        root: Element = fromstring(data)
    except DefusedXmlException as error:
        fix = "It could be an attack and was not opened."
        raise SourceError(f"{name} defines XML entities", about=about, fix=fix) from error
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(f"is damaged: {name} is not valid XML", about=about, fix="Save it again as EPUB.") from error
    return root


def _book(archive: zipfile.ZipFile, *, about: str) -> _Book:
    container = _xml(archive, _CONTAINER, about=about)
    package = next((e.get("full-path") for e in container.iterfind(".//{*}rootfile") if e.get("full-path")), None)
    if not package:
        raise SourceError("is not a valid EPUB file: it names no package", about=about, fix="Save it again as EPUB.")
    opf = _xml(archive, package, about=about)
    title = next((e.text for e in opf.iterfind(".//{http://purl.org/dc/elements/1.1/}title") if e.text), None)
    book = _Book(title)
    items = {item.get("id", ""): item for item in opf.iterfind(".//{*}manifest/{*}item")}
    for reference in opf.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is not None and item.get("media-type", _PAGES[0]) in _PAGES and item.get("href"):
            book.chapters.append(_resolve(package, item.get("href", "")))
    _check_protection(archive, book.chapters, about=about)
    for item in items.values():
        name = _resolve(package, item.get("href", ""))
        if name in archive.NameToInfo and "nav" in item.get("properties", "").split():
            links = parse(characters(member(archive, name, about=about, kind="EPUB"), about=about)).select(
                "nav a[href]"
            )
            for link in links:
                book.labels.setdefault(_resolve(name, str(link["href"])), link.get_text())
        elif name in archive.NameToInfo and item.get("media-type") == "application/x-dtbncx+xml":
            for point in _xml(archive, name, about=about).iterfind(".//{*}navPoint"):
                target, label = point.find("{*}content"), point.find("{*}navLabel/{*}text")
                if target is not None and label is not None and label.text:
                    book.labels.setdefault(_resolve(name, target.get("src", "")), label.text)
    return book


def _check_protection(archive: zipfile.ZipFile, chapters: list[str], *, about: str) -> None:
    """Scrambled fonts are common and harmless; scrambled chapters mean DRM."""
    if _ENCRYPTION not in archive.NameToInfo:
        return
    locked = {
        unquote(e.get("URI", "")) for e in _xml(archive, _ENCRYPTION, about=about).iterfind(".//{*}CipherReference")
    }
    if locked & set(chapters):
        raise SourceError("is protected by DRM", about=about, fix="Use a copy without copy protection.")


def _resolve(base: str, href: str) -> str:
    """The name inside the container of what ``href``, written in ``base``, points to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(href.split("#")[0])))
