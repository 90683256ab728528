"""Chooses the sentences of an extractive answer and lays them out: a verdict, then short grouped bullets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tutor.answering.cite import Citation
from tutor.answering.intent import Intent
from tutor.answering.units import Unit
from tutor.retrieval.encoder import Vectors
from tutor.retrieval.lexical import terms

MAX_WORDS = 165
VERDICT_WORDS = 50
_MAX_BULLETS = 6
_TOO_SIMILAR = 0.55  # shared terms / terms of the shorter sentence
_KEEP = 0.80  # of the best sentence's score; weaker ones do not enter the answer

_LABELS = {
    "why": "Why it exists",
    "learn": "How it works",
    "tradeoffs": "Trade-offs",
    "when": "When to use",
    "when-not": "When not to use",
    "failures": "How it fails",
    "mistakes": "Common mistakes",
    "red-flags": "Wrong to say",
    "figures": "Figures",
    "scenarios": "In a design",
    "map": "Worth knowing",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the answer: the quote, its citation number, and the mark that goes before it (or "")."""

    text: str
    n: int
    mark: str


@dataclass(frozen=True, slots=True)
class Group:
    """Bullets under one label ("" for none)."""

    label: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """``verdict`` is one or two sentences; ``groups`` follow it; every sentence's ``n`` is in ``citations``."""

    verdict: tuple[Sentence, ...]
    groups: tuple[Group, ...]
    citations: tuple[Citation, ...]

    def markdown(self) -> str:
        """The answer as Markdown with ``[n]`` behind every sentence."""
        parts = [" ".join(_line(s) for s in self.verdict)]
        for group in self.groups:
            lines = [f"- {_line(s)}" for s in group.sentences]
            parts.append("\n".join([f"**{group.label}**", "", *lines] if group.label else lines))
        return "\n\n".join(p for p in parts if p)


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its score; ``likeness`` is its MaxSim part alone (cosine, at most 1)."""

    unit: Unit
    score: float
    likeness: float


def score(
    found: Sequence[Unit], query_tokens: Vectors, intent: Intent, rarity: Mapping[str, float]
) -> list[Scored]:
    """Units by how well they answer, best first.

    Args:
        query_tokens: (n, token_dims), normalised, of the question's content words.
        rarity: question term → weight in [0, 1]; rarer terms weigh more.
    """
    total = sum(rarity.values()) or 1.0
    scored = []
    for unit in found:
        likeness = float(np.mean(np.max(query_tokens @ unit.tokens.T, axis=1))) if len(unit.tokens) else 0.0
        named = unit.terms | set(terms(" ".join(unit.passage.heading)))
        coverage = sum(weight for term, weight in rarity.items() if term in named) / total
        fit = intent.role_fit(unit.passage.role)
        standing = 1.0 / (1.0 + 0.5 * unit.rank)
        value = likeness + 0.25 * coverage + 0.15 * fit + 0.15 * standing + (0.04 if unit.first else 0.0)
        if unit.wrong and intent.name not in ("failure", "why-not", "when-not"):
            value -= 0.1
        if unit.passage.role == "map":
            value -= 0.06
        scored.append(Scored(unit, value, likeness))
    return sorted(scored, key=lambda s: (-s.score, s.unit.rank, s.unit.start))


def compose(scored: Sequence[Scored], intent: Intent) -> Composed:
    """An answer of at most MAX_WORDS words; empty when there is nothing to quote."""
    if not scored:
        return Composed((), (), ())
    floor = scored[0].score * _KEEP
    lead = next((s for s in scored if intent.leads(s.unit.passage.role) and not s.unit.wrong), None)
    lead = lead if lead and lead.score >= floor else next((s for s in scored if not s.unit.wrong), scored[0])
    chosen = [lead.unit]
    words = lead.unit.words
    verdict = 1
    required = _other_side(scored, lead.unit, intent)
    pool = [*([required] if required else []), *(s for s in scored if s.score >= floor)]
    per_document: dict[str, int] = {lead.unit.passage.doc_id: 1}
    for candidate in pool:
        unit = candidate.unit
        if len(chosen) > _MAX_BULLETS:
            break
        if unit in chosen or words + unit.words > MAX_WORDS or any(_alike(unit, other) for other in chosen):
            continue
        if per_document.get(unit.passage.doc_id, 0) >= 5:
            continue
        same_place = unit.passage.doc_id == lead.unit.passage.doc_id and intent.leads(unit.passage.role)
        if verdict == 1 and same_place and not unit.wrong and lead.unit.words + unit.words <= VERDICT_WORDS:
            chosen.insert(1, unit)
            verdict = 2
        else:
            chosen.append(unit)
        words += unit.words
        per_document[unit.passage.doc_id] = per_document.get(unit.passage.doc_id, 0) + 1
    return _layout(chosen, verdict)


def _other_side(scored: Sequence[Scored], lead: Unit, intent: Intent) -> Scored | None:
    """For a comparison, the best unit about the side that the lead does not speak of."""
    for side in intent.sides:
        wanted = set(terms(side))
        if wanted and not wanted & (lead.terms | set(terms(lead.passage.title))):
            return next((s for s in scored if wanted & (s.unit.terms | set(terms(s.unit.passage.title)))), None)
    return None


def _alike(a: Unit, b: Unit) -> bool:
    shorter = min(len(a.terms), len(b.terms)) or 1
    return len(a.terms & b.terms) / shorter > _TOO_SIMILAR


def _layout(chosen: Sequence[Unit], verdict: int) -> Composed:
    heads = list(chosen[:verdict])
    grouped: dict[tuple[str, str], list[Unit]] = {}
    for unit in chosen[verdict:]:
        label = _LABELS.get(unit.passage.role, "")
        grouped.setdefault((unit.passage.title, label), []).append(unit)
    citations: list[Citation] = []

    def sentence(unit: Unit) -> Sentence:
        passage = unit.passage
        n = len(citations) + 1
        citations.append(
            Citation(
                n,
                passage.doc_id,
                passage.chunk_id,
                passage.title,
                passage.heading,
                passage.start + unit.start,
                passage.start + unit.end,
                unit.text,
                passage.covers,
                passage.source,
                passage.page,
            )
        )
        return Sentence(unit.text, n, _mark(unit))

    first = tuple(sentence(u) for u in heads)
    groups = []
    for (title, label), members in grouped.items():
        name = f"{title}: {label[0].lower()}{label[1:]}" if label else title
        groups.append(Group(name, tuple(sentence(u) for u in members)))
    return Composed(first, tuple(groups), tuple(citations))


def _mark(unit: Unit) -> str:
    if not unit.wrong or "Wrong to say" in unit.text:
        return ""
    return "Wrong to say: " if unit.passage.role == "red-flags" else "Mistake: "


def _line(sentence: Sentence) -> str:
    return f"{sentence.mark}{sentence.text} [{sentence.n}]"
