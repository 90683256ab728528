"""The pasted study guide: phases, sections, and cards whose parts carry labels.

The paste lost its markup, so structure is read from how lines look: ``3Storage ...`` opens a phase, ``3a — ...`` a
section, and ``Some Title HIGHDEEP-DIVE`` (title, priority and depth badges run together) a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from tutor.ingest.documents import Document, Section
from tutor.ingest.pasted_common import Ids, Line, cut, lines_of, note

_BADGES = re.compile(r"(HIGH|MEDIUM|LOW)[ \t]*(FUNDAMENTAL|INTERMEDIATE|DEEP-DIVE)[ \t]*\r?$", re.MULTILINE)
_PHASE = re.compile(r"(\d{1,2})([A-Z]\S* .*[^.:;,])$")
_SECTION = re.compile(r"(\d{1,2}[a-z])\s+[—–-]\s+\S")
_LONGEST_TITLE = 120
_FEW, _MANY = 3, 10

# A label may follow one pictograph and may carry a qualifier: "⚠️ Common mistakes (avoid these):".
_ICON = r"(?:[^\x00-\x7f\w•·–—…‘’“”]\ufe0f?\s*)?"
_QUALIFIER = r"(?P<qualifier>\s*[(/—–][^:]{0,60})?"
_COLON = r"\s*:(?=\s|$)"

_LABELS: tuple[tuple[str, str, str], ...] = (
    (r"what\s*(?:&|and)\s*why", "What and why", "why"),
    (r"why(?:\s+deep-dive)?", "Why", "why"),
    (r"learn(?:\s*\(inline\))?", "Learn", "learn"),
    (r"deep-dive map", "Deep-dive map", "map"),
    (r"trade-?offs", "Tradeoffs", "tradeoffs"),
    (r"when not(?:\s+to use)?", "When not to use", "when-not"),
    (r"when to use", "When to use", "when"),
    (r"interview probes", "Interview probes", "probes"),
    (r"common mistakes", "Common mistakes", "mistakes"),
    (r"(?:interview )?red flags", "Red flags", "red-flags"),
    (r"interview signal", "Interview signal", "signal"),
    (r"you know it when", "You know it when", "mastery"),
    (r"resources", "Resources", "resources"),
    (r"(?:common )?production failures", "Production failures", "failures"),
    (r"studies", "Studies", "failures"),
    (r"cross-cutting lessons", "Cross-cutting lessons", "failures"),
    (r"(?:design scenarios|problems)", "Problems", "scenarios"),
)
_KNOWN = tuple(
    (re.compile(_ICON + name + _QUALIFIER + _COLON, re.IGNORECASE), heading, role) for name, heading, role in _LABELS
)
# Any other short "Heading (qualifier): ..." opens a body section under its own words.
_OTHER = re.compile(r"(?P<heading>[A-Z][\w ,&/'’–-]{1,48}?)" + r"\s*(?:\([^()]{1,60}\))?" + _COLON)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line that opens something: ``level`` is phase, section or card; ``index`` counts non-blank lines."""

    index: int
    level: str
    title: str
    number: str = ""
    priority: str = ""
    depth: str = ""


def recognise_guide(text: str) -> bool:
    """Whether lines end in a priority badge run together with a depth badge, as the guide's cards do.

    Three are enough where a phase or a section opens too. Without, it takes ten: a note that quotes a few titles of the
    guide is the learner's own.
    """
    titles = len(list(islice(_BADGES.finditer(text), _MANY)))
    return titles == _MANY or (titles >= _FEW and any(mark.level != "card" for mark in _marks(list(lines_of(text)))))


def split_guide(text: str, source: str) -> list[Document]:
    """One card per badge line, and notes for the front matter and for what phases and sections say first."""
    lines = list(lines_of(text))
    marks = list(_marks(lines))
    ids = Ids("guide")
    bounds = [*(mark.index for mark in marks), len(lines)]
    documents = _note(text, source, ids.claim("about"), "About this guide", lines[: bounds[0]], opening=0)
    place: dict[str, str | int | tuple[str, ...]] = {}
    for mark, (begin, end) in zip(marks, pairwise(bounds), strict=True):
        block = lines[begin:end]
        if mark.level == "phase":
            # A new phase ends the section before it, though the guide does not say so where a phase has no sections.
            place = {"phase": int(mark.number), "phase_title": mark.title}
        elif mark.level == "section":
            place = {**{key: place[key] for key in place if key != "section"}, "section": mark.title}
        if mark.level == "card":
            badges = {"priority": mark.priority, "depth": mark.depth}
            card = cut(
                text,
                source,
                kind="card",
                doc_id=ids.claim(mark.title),
                title=mark.title,
                span=(block[0].start, block[-1].end),
                sections=_labelled(block[1:]),
                meta={**place, **badges},
            )
            documents.append(card)
        elif len(block) > 1:
            # A bare phase or section line is not a document: its words are in the meta of every card below it.
            doc_id = ids.claim(f"{mark.level} {mark.number}")
            documents += _note(text, source, doc_id, mark.title, block, opening=1, meta=place)
    return documents


def _note(
    text: str,
    source: str,
    doc_id: str,
    title: str,
    block: Sequence[Line],
    *,
    opening: int,
    meta: dict[str, str | int | tuple[str, ...]] | None = None,
) -> list[Document]:
    """A note over ``block`` whose sections begin after its ``opening`` header lines."""
    return note(text, source, doc_id, title, block, sections=_labelled(block[opening:]), meta=meta)


def _marks(lines: Sequence[Line]) -> Iterator[_Mark]:
    phase = -1
    for index, line in enumerate(lines):
        if len(line.text) > _LONGEST_TITLE:
            continue
        badges = _BADGES.search(line.text)
        if badges and badges.start() and line.text[0] not in "-*|[":
            yield _Mark(
                index,
                "card",
                line.text[: badges.start()].rstrip(),
                priority=badges[1].lower(),
                depth=badges[2].lower(),
            )
        elif (opened := _PHASE.match(line.text)) and int(opened[1]) > phase:
            # Phases only count up, so a later line that begins with a digit and a capital is not one by accident.
            phase = int(opened[1])
            yield _Mark(index, "phase", opened[2], number=opened[1])
        elif (opened := _SECTION.match(line.text)) and int(opened[1][:-1]) == phase:
            yield _Mark(index, "section", line.text, number=opened[1])


def _labelled(lines: Sequence[Line]) -> list[Section]:
    """Sections of ``lines``, one per label; each starts after its label, and text before any label is body."""
    sections: list[Section] = []
    heading: tuple[str, ...] = ()
    role = "body"
    start = lines[0].start if lines else 0
    end = start
    for line in lines:
        if found := _label(line.text):
            sections.append(Section(heading, start, end, role))
            heading, role, length = found
            start = line.start + length
        end = line.end
    sections.append(Section(heading, start, end, role))
    return sections


def _label(line: str) -> tuple[tuple[str, ...], str, int] | None:
    """Heading, role and length in characters of the label that ``line`` opens with, if it does."""
    for pattern, heading, role in _KNOWN:
        if found := pattern.match(line):
            qualifier = (found["qualifier"] or "").strip()
            # "Learn (inline) — the review checklist:" names its part; "(build these)" and "/ why-not" add nothing.
            part = (qualifier.lstrip("—– "),) if qualifier[:1] in ("—", "–") else ()
            return (heading, *part), role, found.end()
    if found := _OTHER.match(line):
        return (found["heading"],), "body", found.end()
    return None
