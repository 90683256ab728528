"""The text of a fetched page as a document: what was written, without what the site puts around it."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from tutor.errors import MissingExtra, ReadingRefused, SourceError
from tutor.ingest.documents import Document
from tutor.ingest.formats.text import decode, normalise
from tutor.ingest.markdown import read_markdown

MAX_CHARS = 2_000_000
MIN_WORDS = 60
_FRAME = 1.5  # our own reader's words for one of the extractor's, from which it has taken in the page's frame
_STUB_WORDS = 300  # a text this short that asks for an account is not the text
_STUB = re.compile(
    r"\b(?:"
    r"subscribe (?:now )?to (?:continue|read|unlock)|continue reading with|(?:sign|log) in to (?:continue|read|view)"
    r"|create (?:a free|an) account to|(?:for|to) (?:paid )?(?:subscribers|members) only|members-only story"
    r"|this (?:article|content|post|story) is for (?:paid |paying )?(?:subscribers|members)|start your free trial"
    r"|verify (?:that )?you are (?:a )?human|checking your browser|enable javascript|access denied"
    r")\b",
    re.I,
)
_FRONT = re.compile(r"\A\ufeff?---\n.{0,20000}?\n(?:---|\.\.\.)\n", re.S)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s+\S+")


def extract(data: bytes, kind: str, *, url: str, charset: str | None = None) -> Document:
    """The page's text, with headings, lists, tables and code as Markdown, and its sections.

    Args:
        data: the unpacked body.
        kind: html, pdf or text (Markdown or plain).
        charset: what the header named; bytes that are UTF-8 are read as such whatever it says.

    Raises:
        ReadingRefused: there is no text in it, or only a notice that stands in for it.
        MissingExtra: the extractor is not installed.
    """
    try:
        if kind == "pdf":
            from tutor.ingest.formats.pdf import read

            document = read(data, about=url, doc_id="reading", source=url, stem="reading")
        else:
            text = _from_html(data, url, charset) if kind == "html" else _from_text(data, url, charset)
            # The blank line before it: what begins like front matter is text, nothing that we act upon.
            document = read_markdown(f"\n{normalise(text).strip()}\n", doc_id="reading", source=url)
    except SourceError as error:
        raise ReadingRefused(error.what, about=url) from error
    words = len(document.text.split())
    if words < MIN_WORDS:
        raise ReadingRefused("shows no text worth keeping (maybe only with its scripts)", about=url)
    if words < _STUB_WORDS and _STUB.search(document.text):
        raise ReadingRefused("shows only a notice in place of the text (a sign-in, a paywall, a check)", about=url)
    if len(document.text) > MAX_CHARS:
        raise ReadingRefused(f"has more than {MAX_CHARS:,} characters of text", about=url)
    return replace(document, meta={}, aliases=(), acronyms={}, covers=(), kind="reading")


def _from_html(data: bytes, url: str, charset: str | None) -> str:
    from tutor.ingest.formats.html import characters, read

    markup = decode(data, about=url, declared=charset) if charset else characters(data, about=url)
    text = _main_text(markup, url)
    words = len(text.split())
    try:
        own = read(markup.encode(), about=url, doc_id="reading", source=url, stem="reading").text
    except SourceError:
        if words >= MIN_WORDS:
            return text
        raise
    # Our own reader takes all that is not navigation. It is right where the extractor finds next to nothing, and where
    # it loses code (102 of 440 blocks in 118 pages of the Rust books) without having left much else away.
    lost = own.count("\n```") > text.count("\n```") and len(own.split()) <= _FRAME * words
    return own if words < MIN_WORDS or lost else text


def _main_text(markup: str, url: str) -> str:
    try:
        import trafilatura
    except ImportError as error:
        raise MissingExtra("the linked readings", extra="readings", module="trafilatura") from error
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it cannot read is told by us
    found = trafilatura.extract(
        markup,
        url=url,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        include_links=False,
        include_images=False,
    )
    return str(found or "")


def _from_text(data: bytes, url: str, charset: str | None) -> str:
    """Markdown or plain text without front matter, images, links' addresses and raw HTML; code stays as it is."""
    text = _FRONT.sub("", normalise(decode(data, about=url, declared=charset)))
    parts: list[str] = []
    prose: list[str] = []
    fence = ""

    def flush() -> None:
        if prose:
            parts.append(_without_markup("\n".join(prose)))
            prose.clear()

    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            parts.append(line)
            if mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            flush()
            parts.append(line)
            fence = mark.group(1)
        else:
            prose.append(line)
    flush()
    return "\n".join(parts)


def _without_markup(text: str) -> str:
    text = _LINK.sub(r"\1", _IMAGE.sub("", _COMMENT.sub("", text)))
    lines = (_TAG.sub("", line).rstrip() for line in text.split("\n") if not _DEFINITION.match(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
