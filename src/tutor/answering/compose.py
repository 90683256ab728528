"""Chooses the sentences of an extractive answer and lays them out: a verdict, then short grouped bullets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from tutor.answering.asked import Asked
from tutor.answering.cite import Citation
from tutor.answering.intent import Intent
from tutor.answering.units import Unit
from tutor.retrieval.encoder import Vectors
from tutor.retrieval.lexical import terms

MAX_WORDS = 180  # of the answer as it is shown, headings and marks too
MIN_WORDS = 60
VERDICT_WORDS = 50
_MAX_BULLETS = 7
_TOO_SIMILAR = 0.7  # shared terms / terms of the shorter sentence
# Shares of the best sentence's score that others must reach: on the lead's subject, on another one, and the same two
# while the answer is still shorter than MIN_WORDS.
_KEEP, _STRAY, _FILL, _FILL_STRAY = 0.65, 0.90, 0.50, 0.60
# What a sentence's score is made of, beside its likeness to the question; chosen in evals/LOG.md.
_LEXICAL, _FIT, _STANDING, _OPENING, _DEFINES = 0.45, 0.15, 0.25, 0.04, 0.15
_LEADS = 0.1  # what a section that suits the intent is worth for the first sentence
_OPENER = 0.72  # share of the best score that a sentence of the section for just this kind of question needs to lead
_LABELLED = 0.4  # what a bullet's own label is worth when it names all that the question does
_SECOND = 0.75  # share of the first sentence's score that a second one needs to stand beside it
_TEASER = 0.3
_ADVICE, _AGAINST = 0.2, 0.5  # what speaking for the side to argue for is worth, and against it costs
_LISTING = 0.15  # a plan names what to do; it explains nothing
_RESTATED = 0.95  # share of the question's terms that a wrong claim needs to be what the question asks about
_WEAK = 0.5  # share of the best score under which a sentence does not speak for its side
_OWN = 0.1  # what naming everything the question names is worth for the first sentence

#: "**Raft election:** a follower …": what a bullet says it is about.
_LEAD_IN = re.compile(r"\*\*(.{1,80}?):?\*\*:?\s")
_COPULA = re.compile(r"\W*((?:[^\s.;:]+ ){1,8}?)(?:is|are|means?|(?P<event>occurs?|happens?)) ", re.I)
_BRACKETED = re.compile(r"\s*[()]\s*")
_INSTEAD = re.compile(r"\b(?:instead of|rather than|over)\b", re.I)
_TELLING = frozenset({"why", "learn", "body", "tradeoffs", "when", "when-not"})
_PLANS = frozenset({"plan", "roadmap", "month"})

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
    """One line of the answer: text, number of its citation (0: none), mark before it (or ""), further citations."""

    text: str
    n: int
    mark: str
    more: tuple[int, ...] = ()

    @property
    def cites(self) -> tuple[int, ...]:
        return tuple(n for n in (self.n, *self.more) if n)


@dataclass(frozen=True, slots=True)
class Group:
    """Bullets under one label ("" for none)."""

    label: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """``verdict`` is one or two sentences; ``groups`` follow it; every sentence's ``n`` is in ``citations``.

    ``unmet`` are sides of a comparison of which no sentence says what they are or when to use them.
    """

    verdict: tuple[Sentence, ...]
    groups: tuple[Group, ...]
    citations: tuple[Citation, ...]
    unmet: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The answer as Markdown with ``[n]`` behind every sentence."""
        parts = [" ".join(_line(s) for s in self.verdict)]
        for group in self.groups:
            lines = [f"- {_line(s)}" for s in group.sentences]
            parts.append("\n".join([f"**{group.label}**", "", *lines] if group.label else lines))
        return "\n\n".join(p for p in parts if p)


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its score.

    ``likeness`` is its MaxSim part alone (cosine, at most 1); ``own`` is the rarity-weighted share of the question's
    terms that it holds itself, not by its heading; ``defines`` whether it begins "<all that the question names> is",
    ``literal`` whether it holds them as they were asked for, not by another name; ``entry`` whether its own label is
    just what was asked for ("**Cache stampede (thundering herd):** …").
    """

    unit: Unit
    score: float
    likeness: float
    own: float
    defines: bool = False
    literal: bool = False
    entry: bool = False


def score(found: Sequence[Unit], query_tokens: Vectors, intent: Intent, about: Asked) -> list[Scored]:
    """Units by how well they answer, best first.

    Args:
        query_tokens: (n, token_dims), normalised, of the question's content words.
    """
    if not found:
        return []
    lexical, asked = _lexical(found, about), frozenset(about.rarity)
    scored = []
    for unit, matched in zip(found, lexical, strict=True):
        likeness = float(np.mean(np.max(query_tokens @ unit.tokens.T, axis=1))) if len(unit.tokens) else 0.0
        fit = intent.role_fit(unit.passage.role)
        standing = 1.0 / (1.0 + 0.5 * unit.rank)
        value = likeness + _LEXICAL * matched + _FIT * fit + _STANDING * standing + _OPENING * unit.first
        if unit.first and not unit.teaser and intent.name == "definition" and unit.passage.role in ("why", "body"):
            value += _DEFINES
        if unit.wrong and intent.name not in ("failure", "why-not", "when-not"):
            value -= 0.1
        if unit.passage.role == "map":
            value -= 0.06
        if unit.teaser:
            value -= _TEASER
        if unit.passage.kind in _PLANS and intent.name not in ("plan", "list"):
            value -= _LISTING
        if intent.name == "prefer" and intent.sides:
            value += (0.0, _ADVICE, -_AGAINST)[_speaks_for(unit, *intent.sides)]
        lead_in = _LEAD_IN.match(unit.text)
        label = lead_in.group(1) if lead_in else ""
        if label:
            value += _LABELLED * about.share(about.held(terms(label)))
        scored.append(
            Scored(
                unit,
                value,
                likeness,
                about.share(about.held(unit.terms)),
                _defines(unit.text, label, about),
                about.share(unit.terms) >= _RESTATED,
                _is_entry(label, asked),
            )
        )
    return sorted(scored, key=lambda s: (-s.score, s.unit.rank, s.unit.start))


def _defines(text: str, label: str, about: Asked) -> bool:
    """Whether a sentence, after its label, begins "<all that the question names> is"."""
    opening = _COPULA.match(_LEAD_IN.sub("", text, count=1))
    if opening is None or (label and opening["event"]):  # "Layers: caching happens in …" says where, not what
        return False
    return about.share(about.held(terms(opening.group(1)))) >= _RESTATED


def _is_entry(label: str, asked: frozenset[str]) -> bool:
    """Whether a label, without or within its brackets, has the terms of the question and no others."""
    return any(set(terms(part)) == asked for part in (label, *_BRACKETED.split(label)) if part.strip())


def _speaks_for(unit: Unit, first: str, second: str) -> int:
    """1 where a sentence advises the first thing over the second, -1 the other way round, 0 where it does not say."""
    ours, theirs = set(terms(first)), set(terms(second))
    parts = _INSTEAD.split(unit.text, maxsplit=1)
    if len(parts) == 2:
        taken, left = (set(terms(p)) for p in parts)
        balance = bool(ours & taken) - bool(theirs & taken) - bool(ours & left) + bool(theirs & left)
        return (balance > 0) - (balance < 0)
    role = {"when": 1, "when-not": -1}.get(unit.passage.role, 0)
    for named in (unit.terms, set(terms(unit.passage.title))):
        if side := bool(ours & named) - bool(theirs & named):
            return role * side
    return 0


def _lexical(found: Sequence[Unit], about: Asked) -> NDArray[np.float64]:
    """BM25+ of each unit (its heading counts as part of it) for the question's terms, scaled to at most 1."""
    # The plus variant: its IDF never turns negative, as Okapi's does for a term in most of so few sentences.
    texts = [[*about.held(unit.terms), *terms(" ".join(unit.passage.heading))] or [""] for unit in found]
    scores = np.asarray(BM25Plus(texts).get_scores(list(about.rarity)), dtype=np.float64)
    return scores / max(float(scores.max()), 1e-9)


def compose(scored: Sequence[Scored], intent: Intent, named: frozenset[str] = frozenset()) -> Composed:
    """An answer of at most MAX_WORDS words as shown; empty when there is nothing to quote.

    ``named`` are the ids of documents that the question asks for by name.
    """
    if not scored:
        return Composed((), (), ())
    best = scored[0].score
    lead = _lead(scored, intent, named)
    selection = _Selection(lead, intent)
    for required in _other_sides(scored, lead.unit, intent):
        selection.offer(required)
    for candidate in scored:
        on_subject = _on_subject(candidate.unit, lead.unit, intent)
        if candidate.score >= best * _KEEP and (on_subject or (not named and candidate.score >= best * _STRAY)):
            selection.offer(candidate)
    for floor, anywhere in ((_FILL, False), (_FILL_STRAY, True)):
        for candidate in scored:
            if selection.words >= MIN_WORDS:
                break
            if candidate.score >= best * floor and (anywhere or _on_subject(candidate.unit, lead.unit, intent)):
                selection.offer(candidate)
    unmet = tuple(side for side in intent.sides if not any(_tells_of(s.unit, _own_terms(side, intent)) for s in scored))
    return replace(_layout(selection.verdict, selection.bullets, intent), unmet=unmet)


def _lead(scored: Sequence[Scored], intent: Intent, named: frozenset[str]) -> Scored:
    """The sentence that opens the answer."""
    right = [s for s in scored if not s.unit.wrong] or scored
    if named and not intent.sides:
        right = [s for s in right if s.unit.passage.doc_id in named] or right
    if intent.name == "prefer" and intent.sides:
        speaking = [s for s in right if _speaks_for(s.unit, *intent.sides) > 0] or right
        right = [s for s in speaking if _names(s.unit, _own_terms(intent.sides[0], intent))] or speaking
    elif intent.sides:
        # Both sides in one sentence is what a comparison asks for; else one that speaks of the first.
        sides = [_own_terms(side, intent) for side in intent.sides]
        most = max(sum(_names(s.unit, side) for side in sides) for s in right)
        right = [s for s in right if sum(_names(s.unit, side) for side in sides) == most]
    lead = max(right, key=lambda s: s.score + _LEADS * intent.leads(s.unit.passage.role) + _OWN * s.own)
    restated = max((s for s in scored if s.unit.wrong and s.own >= _RESTATED), key=lambda s: s.likeness, default=None)
    claims = intent.name == "other" and restated and restated.likeness > lead.likeness and restated.own > lead.own
    if restated and claims:
        return restated  # "Does CAP mean two of three?" is answered by why that is wrong to say
    if intent.name == "choose":
        # Advice on the thing itself before advice that shares a word with the question.
        subject = [s for s in right if s.unit.rank == 0 and s.score >= _FILL * lead.score and not s.unit.teaser]
        lead = max(subject, key=lambda s: s.score + _LEADS * intent.leads(s.unit.passage.role), default=lead)
    if intent.name == "definition":
        # The thing itself has to be in the sentence that defines it, where one is near enough.
        whole = [s for s in right if s.own >= _RESTATED and s.score >= _OPENER * lead.score and not s.unit.teaser]
        lead = max(
            whole,
            key=lambda s: (s.entry, intent.leads(s.unit.passage.role), s.defines, s.literal, s.score),
            default=lead,
        )
    if intent.opener and lead.unit.passage.role != intent.opener:
        for candidate in right:
            suits = candidate.unit.passage.role == intent.opener and not candidate.unit.teaser
            near = candidate.unit.passage.doc_id in named or _same_subject(candidate.unit, lead.unit)
            if suits and near and candidate.score >= _OPENER * lead.score:
                return candidate
    return lead


class _Selection:
    """The sentences chosen so far, within the limits of length and likeness."""

    def __init__(self, lead: Scored, intent: Intent) -> None:
        self.verdict = [lead.unit]
        self.bullets: list[Unit] = []
        self.words = _shown(lead.unit)
        self._second = _SECOND * lead.score
        self._labels: set[str] = set()
        self._intent = intent

    def offer(self, candidate: Scored) -> None:
        """Take the sentence where it fits: beside the lead when it continues the verdict, else as a bullet."""
        unit = candidate.unit
        chosen = [*self.verdict, *self.bullets]
        if unit in chosen or any(_alike(unit, other) for other in chosen):
            return
        lead = self.verdict[0]
        continues = unit.passage.doc_id == lead.passage.doc_id and self._intent.leads(unit.passage.role)
        continues = continues and candidate.score >= self._second
        beside = len(self.verdict) == 1 and continues and not unit.wrong and lead.words + unit.words <= VERDICT_WORDS
        label = "" if beside else _label(unit)
        words = _shown(unit) + (0 if beside else 1 + (0 if label in self._labels else len(label.split())))
        if self.words + words > MAX_WORDS or (not beside and len(self.bullets) >= _MAX_BULLETS):
            return
        (self.verdict if beside else self.bullets).append(unit)
        self._labels.add(label)
        self.words += words


def _shown(unit: Unit) -> int:
    """How many blank-separated words the sentence takes, its mark and number with it."""
    return len(unit.text.split()) + len(_mark(unit).split()) + 1


def _label(unit: Unit) -> str:
    label = _LABELS.get(unit.passage.role, "")
    title = unit.passage.title
    return f"{title}: {label[0].lower()}{label[1:]}" if label else title


def _named(unit: Unit) -> frozenset[str] | set[str]:
    """The terms that a sentence is about: its own and its document's title."""
    return unit.terms | set(terms(unit.passage.title))


def _same_subject(a: Unit, b: Unit) -> bool:
    return a.passage.doc_id == b.passage.doc_id or bool(set(a.passage.covers) & set(b.passage.covers))


def _on_subject(unit: Unit, lead: Unit, intent: Intent) -> bool:
    """Whether a sentence speaks of a side of the comparison, or of what the first sentence is about."""
    if intent.sides:
        return any(_names(unit, _own_terms(side, intent)) for side in intent.sides)
    return _same_subject(unit, lead)


def _own_terms(side: str, intent: Intent) -> set[str]:
    """The terms of one side that the other does not have: "async" of "sync vs async replication"."""
    shared = set.intersection(*(set(terms(s)) for s in intent.sides))
    return set(terms(side)) - shared


def _tells_of(unit: Unit, wanted: set[str]) -> bool:
    """Whether a sentence says of a side what it is or when to use it; an outage that it had says neither."""
    return not wanted or (unit.passage.role in _TELLING and not unit.teaser and _names(unit, wanted))


def _names(unit: Unit, wanted: set[str]) -> bool:
    """Whether the sentence or its document's title has one of the terms; "async" is in "asynchronous"."""
    return any(there.startswith(term) for there in _named(unit) for term in wanted)


def _other_sides(scored: Sequence[Scored], lead: Unit, intent: Intent) -> Iterator[Scored]:
    """For a comparison, the best sentence about each side that the lead's document is not about."""
    for side in intent.sides:
        wanted = _own_terms(side, intent)
        if not wanted or wanted & set(terms(lead.passage.title)):
            continue
        about = [s for s in scored if _names(s.unit, wanted) and not s.unit.wrong and not s.unit.teaser]
        titled = (s for s in about if wanted & set(terms(s.unit.passage.title)))
        if best := next(titled, None) or next((s for s in about if s.unit is not lead), None):
            yield best


def _alike(a: Unit, b: Unit) -> bool:
    shorter = min(len(a.terms), len(b.terms)) or 1
    return len(a.terms & b.terms) / shorter > _TOO_SIMILAR


def _layout(heads: Sequence[Unit], bullets: Sequence[Unit], intent: Intent) -> Composed:
    grouped: dict[str, list[Unit]] = {}
    for unit in sorted(bullets, key=lambda u: not intent.leads(u.passage.role)):
        grouped.setdefault(_label(unit), []).append(unit)
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
    groups = tuple(Group(label, tuple(sentence(u) for u in members)) for label, members in grouped.items())
    return Composed(first, groups, tuple(citations))


def _mark(unit: Unit) -> str:
    if not unit.wrong or "Wrong to say" in unit.text:
        return ""
    return "Wrong to say: " if unit.passage.role == "red-flags" else "Mistake: "


def _line(sentence: Sentence) -> str:
    return f"{sentence.mark}{sentence.text} {''.join(f'[{n}]' for n in sentence.cites)}".rstrip()
