"""What an importer produces: documents, with sections that point into their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Section:
    """A run of the source under one heading.

    ``start`` and ``end`` are character offsets into ``Document.text``, half-open. ``role`` says what kind of part it
    is: body, why, learn, map, tradeoffs, when, when-not, probes, mistakes, red-flags, failures, scenarios, mastery,
    resources, signal or figures. ``page`` is 1-based, for paged formats.
    """

    heading: tuple[str, ...]
    start: int
    end: int
    role: str = "body"
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be cited. All offsets of sections, chunks and citations point into ``text``."""

    doc_id: str
    title: str
    text: str
    source: str
    kind: str
    sections: tuple[Section, ...]
    covers: tuple[str, ...] = ()
    meta: Mapping[str, str | int | tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    acronyms: Mapping[str, str] = field(default_factory=dict)
