"""The library's shelves: documents grouped in one of five ways, and which of them a reader asked to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tutor.curriculum.outline import Outline, StepLine
from tutor.study.progress import CardProgress
from tutor.web.library import PHASES, place_of

#: How the library can be grouped: name in the URL → what the reader is offered.
GROUPINGS: Mapping[str, str] = {
    "phase": "Phase",
    "section": "Section",
    "tier": "Tier",
    "plan": "Plan",
    "category": "Category",
}
#: Kinds of documents, in the order in which they stand; any other is one of the learner's own.
KINDS: Mapping[str, str] = {
    "card": "Cards",
    "article": "Articles",
    "day": "Days of the 28-day plan",
    "problem": "Design problems",
    "flawed-design": "Designs to review",
    "outage": "Outage studies",
    "playbook": "Playbooks",
    "checklist": "Checklists",
    "prompts": "Prompts",
    "plan": "Steps of plans",
}
TRACKS: Mapping[str, str] = {
    "lld": "Low-level design",
    "hld": "High-level design",
    "ml": "Machine learning",
    "genai": "Generative AI",
    "capstone": "Capstones",
}
#: Where a learner stands with a card: name in the URL → words, and the badge's kind.
MARKS: Mapping[str, tuple[str, str]] = {
    "not-started": ("Not started", ""),
    "learning": ("Learning", "going"),
    "mastered": ("Mastered", "good"),
    "due": ("Due", "bad"),
}
_DEPTHS = ("fundamental", "intermediate", "deep-dive")
_OWN = "Your documents"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asked to see; empty parts ask for nothing. A value that no document has shows none."""

    words: str = ""
    phase: str = ""
    tier: str = ""
    depth: str = ""
    mark: str = ""
    kind: str = ""
    by: str = "phase"

    @property
    def grouping(self) -> str:
        return self.by if self.by in GROUPINGS else "phase"

    @property
    def facets(self) -> dict[str, str]:
        """The filters but for the words, of those that are set."""
        given = {name: getattr(self, name) for name in ("phase", "tier", "depth", "mark", "kind")}
        return {name: value for name, value in given.items() if value}

    def url(self, by: str) -> str:
        """The library's address with the same filters, grouped otherwise."""
        parts = {"by": by if by != "phase" else "", "filter": self.words, **self.facets}
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/documents?{query}" if query else "/documents"


@dataclass(frozen=True, slots=True)
class Row:
    """A document in a list.

    ``words`` are lower-case and searched beside what is visible; ``facets`` are what filters look at, as "tier-1" or
    "card". ``status`` is empty where the document is no card of the curriculum.
    """

    doc_id: str
    title: str
    details: str
    words: str
    facets: frozenset[str]
    status: str = ""
    due: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents under one heading."""

    name: str
    rows: list[Row] = field(default_factory=list)

    @property
    def shown(self) -> int:
        return sum(row.shown for row in self.rows)

    @property
    def standing(self) -> str:
        """How many of its cards are where, in words; empty where none is begun."""
        counts = {name: sum(row.status == name for row in self.rows) for name in ("learning", "mastered")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def arrange(
    documents: Iterable[Mapping[str, Any]],
    wanted: Wanted,
    *,
    outline: Outline | None = None,
    progress: Mapping[str, CardProgress] | None = None,
    until: datetime | None = None,
) -> list[Shelf]:
    """All documents on shelves, each row saying whether it is what was ``wanted``.

    Args:
        documents: as ``Core.documents`` gives them; rows keep their order.
        wanted: the filters, and how to group.
        outline: the curriculum, for its plans; a document stands on the shelf of each plan that names it.
        progress: where the learner stands with the cards, where that is known.
        until: a card is due whose date is before this.
    """
    plans = _plans(outline) if outline else {}
    shelves: dict[tuple[Any, ...], Shelf] = {}
    for document in documents:
        found = (progress or {}).get(document["doc_id"]) if document["kind"] == "card" else None
        row = _row(document, wanted, found, until)
        for order, name in _places(document, wanted.grouping, plans):
            shelves.setdefault((order, name), Shelf(name)).rows.append(row)
    return [shelves[key] for key in sorted(shelves)]


def counted(shelves: Sequence[Shelf]) -> tuple[int, int]:
    """How many documents are shown, and how many there are; one on two shelves counts once."""
    rows = {row.doc_id: row.shown for shelf in shelves for row in shelf.rows}
    return sum(rows.values()), len(rows)


def choices(documents: Iterable[Mapping[str, Any]], *, marks: bool) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The filters that make sense of these documents: name, label, and (value, words) of each choice."""
    metas = [document["meta"] for document in documents]
    kinds = {document["kind"] for document in documents}
    phases = sorted({m["phase"] for m in metas if isinstance(m.get("phase"), int)})
    tiers = sorted({m["tier"] for m in metas if isinstance(m.get("phase"), int) and isinstance(m.get("tier"), int)})
    depths = [d for d in _DEPTHS if any(m.get("depth") == d for m in metas)]
    found = [
        ("phase", "Phase", [(str(p), f"{p}: {PHASES[p]}" if p in PHASES else str(p)) for p in phases]),
        ("tier", "Tier", [(str(t), f"Tier {t}") for t in tiers]),
        ("depth", "Depth", [(d, d.capitalize()) for d in depths]),
        ("mark", "Progress", [(name, words) for name, (words, _) in MARKS.items()] if marks else []),
        ("kind", "Kind", [(k, words) for k, words in KINDS.items() if k in kinds]),
    ]
    if kinds - set(KINDS):
        found[-1][2].append(("own", _OWN))
    return [row for row in found if len(row[2]) > 1]


def _row(document: Mapping[str, Any], wanted: Wanted, found: CardProgress | None, until: datetime | None) -> Row:
    meta, title, kind = document["meta"], str(document["title"]), str(document["kind"])
    card = isinstance(meta.get("phase"), int)
    due = bool(found and found.due and until and found.due < until and not found.suspended)
    facets = {f"kind-{kind if kind in KINDS else 'own'}"}
    if card:
        facets |= {f"phase-{meta['phase']}", f"tier-{meta.get('tier')}", f"depth-{meta.get('depth')}"}
    if found:
        facets |= {f"mark-{found.status}", *(("mark-due",) if due else ())}
    tier = f"Tier {meta['tier']}" if card and meta.get("tier") else ""
    section = str(meta.get("section") or "")
    details = (TRACKS.get(section, section), tier, meta.get("depth"))
    below = " · ".join(str(part) for part in details if part) or KINDS.get(kind, kind)
    visible = f"{title} {below}".lower()
    named = " ".join([*document["aliases"], *meta.get("tags", ()), *place_of(document)]).lower()
    words = " ".join(word for word in dict.fromkeys(named.split()) if word not in visible)
    searched = f"{visible} {words}"
    shown = all(needle in searched for needle in wanted.words.lower().split())
    shown = shown and all(f"{name}-{value}" in facets for name, value in wanted.facets.items())
    return Row(
        str(document["doc_id"]),
        title,
        below,
        words,
        frozenset(facets),
        found.status if found else "",
        due,
        shown,
    )


def _places(
    document: Mapping[str, Any], by: str, plans: Mapping[str, Sequence[tuple[int, str]]]
) -> Iterator[tuple[Any, str]]:
    """The shelves that a document stands on, each as what orders it, and its name."""
    meta, kind = document["meta"], str(document["kind"])
    phase, tier, section = meta.get("phase"), meta.get("tier"), str(meta.get("section") or "")
    if by == "plan":
        yield from plans.get(document["doc_id"], ()) or [_kind_shelf(kind, "In no plan: ")]
    elif by == "category" or not isinstance(phase, int):
        yield _category(kind, section) if by == "category" else _kind_shelf(kind)
    elif by == "tier":
        yield (tier or 9, f"Tier {tier}" if tier else "Without a tier")
    elif by == "section":
        yield (phase, section or "Without a section")
    else:
        yield (phase, f"Phase {phase}: {PHASES[phase]}" if phase in PHASES else f"Phase {phase}")


def _kind_shelf(kind: str, before: str = "") -> tuple[int, str]:
    if kind not in KINDS:
        return 200, _OWN
    name = KINDS[kind]
    return 100 + list(KINDS).index(kind), f"{before}{name[:1].lower()}{name[1:]}" if before else name


def _category(kind: str, section: str) -> tuple[int, str]:
    """Articles by their category, days by their area, problems by their track, everything else by its kind."""
    order, name = _kind_shelf(kind)
    if kind in ("article", "day", "problem") and section:
        return order, f"{name.split(' of ')[0]}: {TRACKS.get(section, section.replace(' / ', ', '))}"
    return order, name


def _plans(outline: Outline) -> dict[str, list[tuple[int, str]]]:
    """By document the plans that name it, as places among shelves."""
    found: dict[str, list[tuple[int, str]]] = {}
    for order, plan in enumerate(outline.plans.values()):
        for doc_id in dict.fromkeys(_named(plan.steps)):
            found.setdefault(doc_id, []).append((order, plan.title))
    return found


def _named(steps: Iterable[StepLine]) -> Iterator[str]:
    for step in steps:
        yield from (*step.cards, *step.notes, *step.practice)
        yield from _named(step.parts)
