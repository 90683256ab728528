"""Reads PDF: one section per page, with running headers removed and lines joined into paragraphs again."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from itertools import takewhile

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from tutor.errors import SourceError
from tutor.ingest.documents import Document, Section
from tutor.ingest.formats.build import choose_title
from tutor.ingest.formats.text import normalise

# pypdf logs every oddity of a file that it can read all the same.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_BULLET = re.compile(r"[•‣◦▪●○■–*-]\s+(?=\S)")
_NUMBER = re.compile(r"\d+|\b[ivxl]+\b")
_NUMBERED = re.compile(r"\(?(?:\d{1,2}|[a-z])[.)]\s+\S")
_PAGE_NUMBER = re.compile(r"(?:page|p\.?|seite)?\s*#\s*(?:(?:of|/|von)\s*#)?")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010]\Z")
_EDGE = 2  # running headers and footers are looked for in so many lines at the top and the bottom of each page
_OCR = "If its pages are scanned images, run OCR (text recognition) on it first, for example with ocrmypdf."
_LOCKED = "Save a copy without a password."


def read(data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document:
    """A PDF file; pages without text are left out, pages that cannot be decoded are named in ``meta``.

    Raises:
        SourceError: it is damaged, needs a password, or holds no text.
    """
    try:
        reader = PdfReader(BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("needs a password", about=about, fix=_LOCKED)
        count = len(reader.pages)
    except SourceError:
        raise
    except (DependencyError, FileNotDecryptedError) as error:
        raise SourceError("is encrypted", about=about, fix=_LOCKED) from error
    except Exception as error:  # a damaged file makes pypdf raise almost anything
        raise SourceError("is not a valid PDF file", about=about, fix="Print it to a new PDF file.") from error
    pages: list[list[str]] = []
    broken: list[int] = []
    for number in range(count):
        try:
            text = reader.pages[number].extract_text()
        except Exception:  # noqa: BLE001 as above; the other pages are still good
            broken.append(number + 1)
            text = ""
        # Before ``normalise``, which takes the soft hyphen away and leaves the line end.
        pages.append(normalise(text.translate(_LIGATURES).replace("\xad\n", "")).split("\n"))
    if count and len(broken) == count:
        raise SourceError("none of its pages can be decoded", about=about, fix="Print it to a new PDF file.")
    words = _words(pages)
    texts = [_paragraphs(lines, words) for lines in without_running_lines(pages)]
    if not any(texts):
        raise SourceError("there is no text in it", about=about, fix=_OCR)
    text, sections = _join(texts)
    meta: dict[str, str | int | tuple[str, ...]] = {"pages": count}
    if broken:
        meta["unreadable_pages"] = tuple(map(str, broken))
    title = choose_title(_metadata_title(reader), stem=stem)
    return Document(doc_id, title, text, source, "page", sections, meta=meta)


def _metadata_title(reader: PdfReader) -> str | None:
    try:
        title = reader.metadata.title if reader.metadata else None
    except Exception:  # noqa: BLE001 as in ``read``; the file name will do
        return None
    return str(title) if title else None


def _join(texts: Iterable[str]) -> tuple[str, tuple[Section, ...]]:
    whole = ""
    sections = []
    for number, text in enumerate(texts, start=1):
        if text:
            whole += "\n\n" if whole else ""
            sections.append(Section((), len(whole), len(whole) + len(text), "body", number))
            whole += text
    return whole + "\n", tuple(sections)


def without_running_lines(pages: list[list[str]]) -> list[list[str]]:
    """The pages without the lines that most of them repeat at the top or the bottom, page numbers included."""
    edges = [_edges(page) for page in pages]
    counts = Counter(key for edge in edges for key in set(edge.values()))
    kept = []
    for page, edge in zip(pages, edges, strict=True):
        repeated = {at for at, key in edge.items() if counts[key] >= _enough(key, len(pages))}
        filled = [at for at, line in enumerate(page) if line]
        # Only from the edge inwards: below a first line that is content, the second one is content too.
        drop = {*takewhile(repeated.__contains__, filled), *takewhile(repeated.__contains__, reversed(filled))}
        rest = [line for at, line in enumerate(page) if at not in drop]
        # A page that is nothing but such lines is a page of content that the others repeat.
        kept.append(rest if any(rest) or all(_PAGE_NUMBER.fullmatch(edge[at]) for at in drop) else page)
    return kept


def _enough(key: str, pages: int) -> int:
    """On how many pages a line must stand to be a running one."""
    return 2 if _PAGE_NUMBER.fullmatch(key) else max(3, (pages + 1) // 2)


def _edges(page: list[str]) -> dict[int, str]:
    """Line number -> what is compared between pages, for the lines at the top and the bottom."""
    filled = [at for at, line in enumerate(page) if line]
    keys = {}
    for at in {*filled[:_EDGE], *filled[-_EDGE:]}:
        line = " ".join(page[at].casefold().split())
        blank = _NUMBER.sub("#", line)
        # "Chapter 3" and "Chapter 4" are content; "Chapter 3 The log 41" and "42" differ by the page number only.
        running = _PAGE_NUMBER.fullmatch(blank) or len(re.findall(r"[^\W\d_]{2,}", blank)) > 2
        keys[at] = re.sub(r"^\d+\b|\b\d+$", "#", line) if running and not _PAGE_NUMBER.fullmatch(blank) else line
        if _PAGE_NUMBER.fullmatch(blank):
            keys[at] = blank
    return keys


def _words(pages: list[list[str]]) -> frozenset[str]:
    return frozenset(re.findall(r"\w+(?:-\w+)*", "\n".join("\n".join(page) for page in pages).casefold()))


def _paragraphs(lines: list[str], words: frozenset[str]) -> str:
    """The lines of a page as paragraphs and list items, separated by blank lines."""
    widths = sorted(len(line) for line in lines if line.strip())
    width = widths[len(widths) * 9 // 10] if widths else 0
    out: list[str] = []
    open_line = False  # the next line continues the last entry of ``out``
    for raw in lines:
        line = " ".join(raw.split())
        if not line:
            open_line = False
            continue
        bullet = _BULLET.match(line)
        if bullet:
            line = "- " + line[bullet.end() :]
        if open_line and not bullet and not _NUMBERED.match(line):
            out[-1] = _glue(out[-1], line, words)
        else:
            out.append(line)
        full = len(raw) >= width * (0.8 if line[-1] in ".!?:" else 0.6)
        open_line = full or bool(_HYPHEN.search(line))
    text = "\n\n".join(out)
    return re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", text)


def _glue(before: str, after: str, words: frozenset[str]) -> str:
    """Two lines of a paragraph as one, with a word that was cut at the line end made whole."""
    if not _HYPHEN.search(before) or not after[0].islower():
        return f"{before} {after}"
    head, tail = re.findall(r"[\w-]+\Z", before[:-1])[-1], re.findall(r"\A\w+", after)[0]
    compound, whole = f"{head}-{tail}".casefold(), f"{head}{tail}".casefold()
    # "state-of-the-" and "art" keep their hyphen; so does what the document elsewhere writes with one.
    keep = "-" in head or (compound in words and whole not in words)
    return before + after if keep else before[:-1] + after
