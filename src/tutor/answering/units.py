"""The sentences and bullets that an answer is cut from, each a verbatim span with its share of the token vectors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from tutor.answering.orders import gives_orders
from tutor.retrieval.encoder import Encoder, Vectors, worded
from tutor.retrieval.index import ASIDE, Hit, Passage
from tutor.retrieval.lexical import terms
from tutor.tables import rows
from tutor.text import blank_markup, blocks, sentences

#: Passages whose spans are kept: those of some thousand questions, as the same ones are found again and again.
KEPT = 1_500
#: Roles whose sentences say what is wrong; they are only quoted with that mark.
WRONG = frozenset({"red-flags", "mistakes"})

_MARKER = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)])\s+(?:\[[ xX~]\]\s*)?|\s*\[[ xX~]\]\s*|\s*>\s+")
_WORD = re.compile(r"\w+")
#: A sentence about a text, not about its subject: "A practical guide to RAG.", "How systems agree on a leader."
_TEASER = re.compile(
    r"\W*(?:(?:covers?|covering|learn|explores?|discover|understand|master|everything you|in this|welcome)\b"
    r"|this (?:article|guide|post|chapter|day|section|page)\b"
    r"|an? (?:[\w-]+ ){0,4}(?:guide|walk-?through|tour|introduction|overview|look|deep[- ]dive|primer|explainer)\b"
    r"|(?:how|why|what|when) (?!to\b)[^?,]+\.?$|(?:how|why|what|when) (?:every|the|an?|it|and)\b[^?]*$)",
    re.I,
)
#: How no sentence ends.
_CUT_OFF = re.compile(r"(?:[—–,(/&]|\b(?:and|or|the|an?|of|to|with|for|in|by|vs|e\.g|i\.e|such as)\.?)[\s*_]*\Z", re.I)
_LONG_WORDS = 42
_MAX_WORDS = 60
_MIN_WORDS = 5
_WRAPPED_CHARS = 50
_LISTED = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """``text`` is what the answer says, ``tokens`` are its late-interaction vectors (n, token_dims).

    ``text`` is ``passage.text[start:end]``, but of a ``row`` of a table: its cells, each behind the head of its column.
    """

    passage: Passage
    rank: int
    start: int
    end: int
    text: str
    tokens: Vectors
    terms: frozenset[str]
    words: int
    first: bool
    row: bool = False

    @property
    def quote(self) -> str:
        """What the citation of it quotes."""
        return self.passage.text[self.start : self.end]

    @property
    def teaser(self) -> bool:
        """Whether the sentence announces a text, or only lists names, instead of saying something."""
        return _TEASER.match(self.text) is not None or self.text.count(" · ") >= _LISTED

    @property
    def wrong(self) -> bool:
        """Whether the sentence states a mistake and must carry the mark."""
        return self.passage.role in WRONG


@dataclass(frozen=True, slots=True)
class _Cut:
    """A quotable span of a passage's text, and which of its token vectors are the span's.

    ``said`` is how a row of a table reads by itself; of everything else "", as that reads as it stands.
    """

    start: int
    end: int
    at: NDArray[np.intp]
    terms: frozenset[str]
    words: int
    said: str = ""


class Units:
    """Cuts passages into quotable spans. How one is cut does not depend on the question, so it is kept.

    Args:
        encoder: what made the passages' token vectors.
        most: how many passages' spans are kept; one takes about 10 KB.
    """

    def __init__(self, encoder: Encoder, most: int = KEPT) -> None:
        self._cut = lru_cache(maxsize=most)(partial(_cut, encoder))

    def of(self, hit: Hit, rank: int) -> Iterator[Unit]:
        """The quotable spans of a passage, in order; ``hit`` must carry its token vectors."""
        passage = hit.passage
        if passage.role in ASIDE or hit.tokens is None:
            return
        text = passage.text
        for n, cut in enumerate(self._cut(passage.prefix, text, len(hit.tokens))):
            said, chosen, row = cut.said or text[cut.start : cut.end], hit.tokens[cut.at], bool(cut.said)
            yield Unit(passage, rank, cut.start, cut.end, said, chosen, cut.terms, cut.words, n == 0 and not row, row)


def _cut(encoder: Encoder, prefix: str, text: str, tokens: int) -> tuple[_Cut, ...]:
    """The quotable spans of a passage's text, which was encoded behind ``prefix`` and has ``tokens`` vectors."""
    starts = _starts(encoder, prefix, text, tokens)
    found = []
    for start, end in spans(text):
        quoted = text[start:end]
        count = len(_WORD.findall(quoted))
        if (
            gives_orders(quoted)
            or _torn(quoted)
            or not _MIN_WORDS <= count <= _MAX_WORDS
            or quoted.rstrip("*_\"'” )").endswith(("?", ":"))
        ):
            continue
        at = np.flatnonzero(_within(starts, start, end))
        found.append(_Cut(start, end, at, frozenset(terms(quoted)), count))
    for row in rows(text):
        said = row.said
        count = len(_WORD.findall(said))
        if gives_orders(said) or not _MIN_WORDS <= count <= _MAX_WORDS:
            continue
        at = np.flatnonzero(_within(starts, row.start, row.end) | _within(starts, *row.above))
        found.append(_Cut(row.start, row.end, at, frozenset(terms(said)), count, said))
    return tuple(found)


def token_starts(hit: Hit, encoder: Encoder) -> NDArray[np.int64]:
    """Where in the passage's text each of its stored token vectors begins; negative for those of its headings."""
    return _starts(encoder, hit.passage.prefix, hit.passage.text, 0 if hit.tokens is None else len(hit.tokens))


def _starts(encoder: Encoder, prefix: str, text: str, tokens: int) -> NDArray[np.int64]:
    if not tokens:
        return np.zeros(0, dtype=np.int64)
    encoded_text = f"{prefix}\n{blank_markup(text)}"
    offsets = encoder.offsets(encoded_text)
    # As they are stored: without those of punctuation.
    kept = worded(encoded_text, offsets)[:tokens]
    return np.array([offsets[n][0] - len(prefix) - 1 for n in kept], dtype=np.int64)


def _within(starts: NDArray[np.int64], start: int, end: int) -> NDArray[np.bool_]:
    return np.asarray((starts >= start) & (starts < end))


def _torn(text: str) -> bool:
    """Whether a paste cut the sentence off ("…", "such as"), or in two: a bracket closes before one opens."""
    if text.rstrip("*_\"'” )").endswith(("…", "...")):
        return True
    if _CUT_OFF.search(text) or (text.count("(") != text.count(")") and not re.match(r"\w{1,2}\)", text)):
        return True
    closing = text.find(")")
    return closing >= 0 and not 0 <= text.find("(") < closing and not re.match(r"\w{1,2}\)", text)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """The sentences and bullets of a passage's text, without markers; tables, code and headings are left out.

    The rows of tables are quotable too (``tutor.tables``), but not as they stand.
    """
    for block in blocks(text):
        if block.kind in ("table", "code"):
            continue
        start = block.start
        if match := _MARKER.match(text, start, block.end):
            start = match.end()
        if text.startswith("#", start):
            continue
        item = text[start : block.end]
        limit = _MAX_WORDS if "Wrong to say" in item else _LONG_WORDS  # a red flag is never cut from its correction
        if block.kind == "item" and "\n" not in item.strip() and len(_WORD.findall(item)) <= limit:
            yield start, block.end
            continue
        nested = block.kind == "item"
        for line_start, line_end in (_lines if nested else _runs)(text, start, block.end):
            for a, b in sentences(text, line_start, line_end):
                if len(_WORD.findall(text[a:b])) > _LONG_WORDS or " · " in text[a:b]:
                    yield from _pieces(text, a, b)
                else:
                    yield a, b


def _runs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A paragraph cut after short lines: wrapped prose fills its lines, a pasted page puts one thing on each."""
    begin = at = start
    for line in text[start:end].splitlines(keepends=True):
        at += len(line)
        if len(line.rstrip()) < _WRAPPED_CHARS:
            yield begin, begin + len(text[begin:at].rstrip())
            begin = at
    if text[begin:end].strip():
        yield begin, end


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines of a nested list, without their markers."""
    at = start
    for line in text[start:end].splitlines(keepends=True):
        begin = at
        if match := _MARKER.match(text, at, at + len(line)):
            begin = match.end()
        if line.strip():
            yield begin, at + len(line.rstrip())
        at += len(line)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run-on line cut where its author cut it: at " · ", else whole."""
    at = start
    for match in re.finditer(r"\s+·\s+", text[start:end]):
        yield from _trimmed(text, at, start + match.start())
        at = start + match.end()
    yield from _trimmed(text, at, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if match := _MARKER.match(text, start, end):
        start = match.end()
    if text[start:end].strip():
        yield start, end
