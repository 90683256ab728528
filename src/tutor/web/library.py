"""A document as its page shows it: its place in the curriculum, its neighbours, and parts of very long documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PHASES = {
    0: "Architectural thinking",
    1: "Foundations",
    2: "Low-level design",
    3: "Storage and databases",
    4: "Distributed systems",
    5: "Data-intensive systems",
    6: "AI engineering I",
    7: "AI engineering II",
    8: "Operability and judgment",
    9: "Practice and strategy",
}
_LINKS = {"prerequisites": "Read before", "related": "Related", "parent": "Part of", "parts": "Its parts"}
_PART_CHARS = 200_000  # of a document on one page: 0.3 s to render on one core


@dataclass(frozen=True, slots=True)
class Part:
    """``text[start:end]`` of a document; where the parts before and after begin (None: there is none)."""

    start: int
    end: int
    before: int | None
    after: int | None


def crumbs(document: Mapping[str, Any]) -> str:
    """Where a document belongs, as one line."""
    return " · ".join(place_of(document)) or str(document["kind"])


def links(
    document: Mapping[str, Any], documents: Iterable[Mapping[str, Any]]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The documents that this one names and the library has, as (label, [(doc_id, title)])."""
    titles = {d["doc_id"]: d["title"] for d in documents}
    found = []
    for key, label in _LINKS.items():
        value = document["meta"].get(key) or ()
        named: Sequence[str] = [value] if isinstance(value, str) else value
        if known := [(i, titles[i]) for i in named if i in titles]:
            found.append((label, known))
    return found


def window(text: str, at: int, *, centred: bool = False) -> Part:
    """The part of a document that is shown: all of it, or of a long one what follows (or surrounds) ``at``.

    Parts begin and end between paragraphs where that is possible.
    """
    if len(text) <= _PART_CHARS:
        return Part(0, len(text), None, None)
    at = min(max(0, at), len(text) - 1)
    start = _paragraph(text, max(0, at - (_PART_CHARS // 2 if centred else 0)))
    end = min(len(text), start + _PART_CHARS)
    if end < len(text):
        end = max(_paragraph(text, end), start + 1)
    before = max(0, start - _PART_CHARS) if start else None
    return Part(start, end, before, end if end < len(text) else None)


def _paragraph(text: str, at: int) -> int:
    """The begin of the paragraph that ``at`` stands in, or ``at`` where it is far."""
    found = text.rfind("\n\n", max(0, at - 20_000), at + 2)
    return found + 2 if found >= 0 else at


def place_of(document: Mapping[str, Any]) -> list[str]:
    """Where a document belongs, from the largest part to the smallest."""
    meta = document["meta"]
    parts = (PHASES.get(meta.get("phase", -1)), meta.get("section"), meta.get("category"), meta.get("depth"))
    return [str(p) for p in parts if p]
