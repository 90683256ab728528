"""Sentences of different documents that say nearly the same: repeated, or with other figures, or one of them negated.

A list for people to judge, not a verdict: similar sentences about two technologies differ in their figures rightly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tutor.retrieval.encoder import Encoder
from tutor.retrieval.lexical import terms
from tutor.text import blank_markup, blocks, sentences

SAME = 0.93  # cosine from which two sentences repeat each other
CLOSE = 0.80  # cosine from which other figures or a negation may contradict
_FEWEST_WORDS = 6
_SHARED = 0.5  # of the shorter sentence's terms, numbers left out: the same subject, not only the same tone
_ROWS = 512  # sentences compared with all others at once
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NOT = re.compile(r"\b(?:not|never|no|cannot|without|neither|n't)\b", re.I)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and the id of the document that says it."""

    doc_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Two sentences with the cosine of their vectors; ``kind`` is repeated, figures or negation."""

    kind: str
    similarity: float
    first: Said
    second: Said


def find_twins(bodies: Mapping[str, str], encoder: Encoder) -> list[Twins]:
    """Pairs of sentences from different documents, most similar first.

    Args:
        bodies: document id → Markdown.
        encoder: makes the sentence vectors.
    """
    said = [s for name, body in bodies.items() for s in _said(name, body)]
    if not said:
        return []
    vectors = np.stack([e.dense for e in encoder.encode([s.text for s in said])])
    found: list[Twins] = []
    for at in range(0, len(said), _ROWS):
        near = vectors[at : at + _ROWS] @ vectors.T
        for row, column in zip(*np.nonzero(near >= CLOSE), strict=True):
            first, second = said[at + row], said[column]
            if at + row < column and first.doc_id != second.doc_id:
                similarity = float(near[row, column])
                if kind := _kind(first.text, second.text, similarity):
                    found.append(Twins(kind, similarity, first, second))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.first.doc_id))


def _said(doc_id: str, body: str) -> Iterator[Said]:
    plain = blank_markup(body)
    for block in blocks(plain):
        if block.kind in ("paragraph", "item"):
            for start, end in sentences(plain, block.start, block.end):
                text = " ".join(plain[start:end].split())
                if len(text.split()) >= _FEWEST_WORDS:
                    yield Said(doc_id, text)


def _kind(first: str, second: str, similarity: float) -> str:
    figures = [{n.replace(",", "") for n in _NUMBER.findall(text)} for text in (first, second)]
    subjects = [{t for t in terms(text) if not t[0].isdigit()} for text in (first, second)]
    shared = len(subjects[0] & subjects[1]) / max(1, min(map(len, subjects)))
    if shared >= _SHARED:
        if all(figures) and not figures[0] & figures[1]:
            return "figures"
        if bool(_NOT.search(first)) != bool(_NOT.search(second)):
            return "negation"
    return "repeated" if similarity >= SAME else ""
