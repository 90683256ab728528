"""What a case was seen to do, from ``Case.seen``: every part may be absent or of another shape, none of it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tutor.evals.record import Case
from tutor.evals.report.text import clean, line


@dataclass(frozen=True)
class Hit:
    """A retrieved passage; ``right`` is None where nobody said."""

    doc: str
    title: str
    section: str
    right: bool | None

    @property
    def name(self) -> str:
        """The title (or the document's id) and the section."""
        return " › ".join(filter(None, (self.title or self.doc, self.section))) or "a passage without a name"


@dataclass(frozen=True)
class Seen:
    """A case's hits best first, its answer, the facts that it lacks, and what was wanted."""

    hits: tuple[Hit, ...]
    answer: str
    missing: tuple[str, ...]
    wanted: tuple[str, ...]
    why: str


def look(case: Case) -> Seen:
    """What is known of a case, with control characters removed."""
    hits = case.seen.get("hits")
    return Seen(
        hits=tuple(_hit(h) for h in hits) if isinstance(hits, list | tuple) else (),
        answer=clean(_text(case.seen.get("answer"))).strip(),
        missing=_texts(case.seen.get("missing")),
        wanted=_texts(case.seen.get("wanted")),
        why=line(_text(case.seen.get("why"))),
    )


def _hit(found: Any) -> Hit:
    if not isinstance(found, dict):
        return Hit(line(_text(found)), "", "", None)
    right = found.get("right")
    doc, title, section = (line(_text(found.get(k))) for k in ("doc", "title", "section"))
    return Hit(doc, title, section, None if right is None else bool(right))


def _texts(found: Any) -> tuple[str, ...]:
    several = found if isinstance(found, list | tuple) else [found]
    return tuple(filter(None, (line(_text(t)) for t in several)))


def _text(found: Any) -> str:
    return "" if found is None else str(found)
