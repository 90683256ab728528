"""Citations: what a sentence of an answer rests on, and the check that it really stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Citation:
    """``quote == document.text[start:end]``; ``n`` is the number shown, from 1, in the order of the answer."""

    n: int
    doc_id: str
    chunk_id: str
    title: str
    heading: tuple[str, ...]
    start: int
    end: int
    quote: str
    covers: tuple[str, ...]
    source: str
    page: int | None
    kind: str = ""  # of the document: card, note, page, reading …


@dataclass(frozen=True, slots=True)
class Further:
    """A linked reading with what it says to a question: ``citation.source`` is its address, ``covers`` its cards."""

    citation: Citation
    licence: str


@dataclass(frozen=True, slots=True)
class Own:
    """A quote from the learner's own log: ``quote == entry.text[start:end]``; ``n`` goes on behind the citations'."""

    n: int
    entry: str
    day: date
    title: str
    start: int
    end: int
    quote: str
    cards: tuple[str, ...]

    @property
    def place(self) -> str:
        """What it is called: "Your entry of 3 May 2026"."""
        return f"Your entry of {self.day.day} {self.day:%B %Y}"


def resolves(citation: Citation, texts: Mapping[str, str]) -> bool:
    """Whether the quote stands verbatim at its place; ``texts`` maps doc_id to the document's text."""
    text = texts.get(citation.doc_id)
    return text is not None and text[citation.start : citation.end] == citation.quote
