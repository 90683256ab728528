"""Cuts a document into passages: by section, tables and code whole, every passage a slice of the document's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tutor.ingest.documents import Document, Section
from tutor.retrieval.index import ASIDE
from tutor.text import Block, blank_markup, blocks, sentences

MAX_TOKENS = 220  # with the heading path it stays under the encoder's 254
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage. ``text == document.text[start:end]``; ``heading`` is the path shown above it, title first.

    ``names`` are aliases and acronyms of the document that this passage explains; its text may not hold them.
    """

    chunk_id: str
    doc_id: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int
    role: str
    page: int | None
    ordinal: int
    names: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What stands before the passage for the encoder and the BM25 leg."""
        return " > ".join(self.heading)

    @property
    def encoded_text(self) -> str:
        """The encoder's input: prefix, newline, the passage with markup blanked (so offsets carry over)."""
        return f"{self.prefix}\n{blank_markup(self.text)}"


def slug(text: str) -> str:
    """Lower-case words joined by hyphens, at most 60 characters."""
    return _SLUG.sub("-", text.lower()).strip("-")[:60].rstrip("-") or "text"


def chunk(document: Document, count_tokens: Callable[[str], int], *, max_tokens: int = MAX_TOKENS) -> list[Chunk]:
    """The passages of a document, in order.

    ``max_tokens`` holds for prose and lists; a single table or code block is never split, however long. Ids are
    ``doc_id#section-slug`` (``.2``, ``.3`` … where a section has several), so an edit in one section leaves the ids
    of the others alone. Mermaid diagrams are drawings, not passages, and are left out.
    """
    chunks: list[Chunk] = []
    used: dict[str, int] = {}
    for section in document.sections:
        heading = (document.title, *section.heading)
        base = f"{document.doc_id}#{slug(' '.join(section.heading)) if section.heading else 'intro'}"
        if section.page is not None and not section.heading:
            base = f"{document.doc_id}#page-{section.page}"
        for start, end in _pack(document.text, section, count_tokens, max_tokens):
            used[base] = used.get(base, 0) + 1
            chunk_id = base if used[base] == 1 else f"{base}.{used[base]}"
            chunks.append(
                Chunk(
                    chunk_id,
                    document.doc_id,
                    heading,
                    document.text[start:end],
                    start,
                    end,
                    section.role,
                    section.page,
                    len(chunks),
                )
            )
    return _named(document, chunks)


def _named(document: Document, chunks: list[Chunk]) -> list[Chunk]:
    """The chunks with each name of the document's front matter on the first that holds it, or on the first of all."""
    carriers = [c for c in chunks if c.role not in ASIDE] or chunks
    if not carriers:
        return chunks
    names: dict[str, list[str]] = {}
    plain = {c.chunk_id: _plain(f"{c.prefix} {c.text}") for c in carriers}
    pairs = [(alias, alias) for alias in document.aliases] + list(document.acronyms.items())
    for short, long in pairs:
        wanted = _plain(long).split()
        held = [
            (_plain(short) in text) + 2 * (_plain(long) in text) + sum(f" {w} " in text for w in wanted) / len(wanted)
            for text in plain.values()
        ]
        carrier = carriers[held.index(max(held))]
        names.setdefault(carrier.chunk_id, []).extend(dict.fromkeys((short, long)))
    return [replace(c, names=tuple(dict.fromkeys(names.get(c.chunk_id, ())))) for c in chunks]


def _plain(text: str) -> str:
    """Letters and digits in lower case between single blanks, for finding whole names."""
    return f" {_SLUG.sub(' ', text.lower()).strip()} "


def _pack(
    text: str, section: Section, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[int, int]]:
    begin: int | None = None
    end = section.start
    size = 0
    for start, stop, tokens in _units(text, section, count_tokens, max_tokens):
        # Text between two units was left out on purpose (a diagram): a passage must not run across it.
        if begin is not None and (size + tokens > max_tokens or text[end:start].strip()):
            yield begin, end
            begin = None
        if begin is None:
            begin, size = start, 0
        end = stop
        size += tokens
    if begin is not None:
        yield begin, end


def _units(
    text: str, section: Section, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[int, int, int]]:
    """Spans that are never split, with their token counts."""
    for block in blocks(text, section.start, section.end):
        if block.kind == "code" and block.info == "mermaid":
            continue
        tokens = count_tokens(blank_markup(text[block.start : block.end]))
        if tokens <= max_tokens or block.kind in ("table", "code"):
            yield block.start, block.end, tokens
        else:
            yield from _split(text, block, count_tokens, max_tokens)


def _split(
    text: str, block: Block, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[int, int, int]]:
    for start, end in sentences(text, block.start, block.end):
        tokens = count_tokens(blank_markup(text[start:end]))
        if tokens <= max_tokens:
            yield start, end, tokens
            continue
        # No sentence end for over 220 tokens: a pasted list without newlines, or no language at all. Cut at words.
        per_token = max(1, (end - start) // tokens)
        at = start
        while at < end:
            cut = min(end, at + per_token * max_tokens * 3 // 4)
            if cut < end:
                space = max(text.rfind(" ", at + 1, cut), text.rfind("\n", at + 1, cut), text.rfind("·", at + 1, cut))
                cut = space if space > at else cut
            while (tokens := count_tokens(blank_markup(text[at:cut]))) > max_tokens and cut - at > 1:
                cut = at + (cut - at) // 2  # denser here than on average: many signs, or another script
            if text[at:cut].strip():
                yield at, cut, tokens
            at = cut
