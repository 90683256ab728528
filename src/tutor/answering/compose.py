"""Chooses the sentences of an extractive answer and lays them out: a verdict, then short grouped bullets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tutor.answering.cite import Citation
from tutor.answering.intent import Intent
from tutor.answering.score import RESTATED, Scored, speaks_for
from tutor.answering.units import Unit
from tutor.retrieval.lexical import terms

MAX_WORDS = 180  # of the answer as it is shown, headings and marks too
LONG_WORDS = 230  # likewise, to a question that wants more than one thing
MIN_WORDS = 60
VERDICT_WORDS = 50
_MAX_BULLETS, _LONG_BULLETS = 7, 9
_MANY = 13  # terms of a question that wants more than one thing
_WIDE = frozenset({"trade-off", "plan"})  # intents that do, however short the question
_TOO_SIMILAR = 0.7  # shared terms / terms of the shorter sentence
# How much less than the best sentence's worth others may have: at all, and while the answer is still shorter than
# MIN_WORDS; and what being on another subject than the first sentence costs.
_KEEP, _FILL, _STRAY = 0.45, 1.1, 0.06
_LEADS = 0.1  # what a section that suits the intent is worth for the first sentence
_OPENER = 0.72  # share of the best score that a sentence of the section for just this kind of question needs to lead
_NEAR = 0.5  # share of the lead's score that advice from the first passage needs to open instead
_SECOND = 0.9  # share of the first sentence's score that a second one needs to stand beside it
_OWN = 0.1  # what naming everything the question names is worth for the first sentence
_TELLING = frozenset({"why", "learn", "body", "tradeoffs", "when", "when-not"})

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

    ``unmet`` are sides of a comparison of which no sentence says what they are or when to use them; ``room`` is how
    many words it might have.
    """

    verdict: tuple[Sentence, ...]
    groups: tuple[Group, ...]
    citations: tuple[Citation, ...]
    unmet: tuple[str, ...] = ()
    room: int = MAX_WORDS

    def markdown(self) -> str:
        """The answer as Markdown with ``[n]`` behind every sentence."""
        parts = [" ".join(_line(s) for s in self.verdict)]
        for group in self.groups:
            lines = [f"- {_line(s)}" for s in group.sentences]
            parts.append("\n".join([f"**{group.label}**", "", *lines] if group.label else lines))
        return "\n\n".join(p for p in parts if p)


def room(intent: Intent, asked: int) -> int:
    """The most words of an answer: LONG_WORDS to a comparison, a design and a question of many terms.

    Args:
        asked: how many terms the question has.
    """
    wide = bool(intent.sides) or intent.name in _WIDE or (asked >= _MANY and intent.name != "definition")
    return LONG_WORDS if wide else MAX_WORDS


def compose(
    scored: Sequence[Scored],
    intent: Intent,
    named: frozenset[str] = frozenset(),
    close: int = 24,
    asked: int = 0,
) -> Composed:
    """An answer of at most ``room`` words as shown; empty when there is nothing to quote.

    Args:
        named: the ids of documents that the question asks for by name.
        close: a sentence that ranks from here on does not count as telling of a side: it names it in passing.
        asked: how many terms the question has.
    """
    if not scored:
        return Composed((), (), ())
    lead = _lead(scored, intent, named)
    selection = _Selection(lead, intent, room(intent, asked))
    for required in _other_sides(scored, lead.unit, intent):
        selection.offer(required)
    near = [(s, s.worth - _STRAY * (not _on_subject(s, lead.unit, intent))) for s in scored]
    near.sort(key=lambda pair: -pair[1])
    best = near[0][1]
    for candidate, worth in near:
        # Where a document was asked for by name, others only help a short answer.
        elsewhere = bool(named) and not _on_subject(candidate, lead.unit, intent)
        if worth >= best - _KEEP and not elsewhere:
            selection.offer(candidate)
    for candidate, worth in near:
        if selection.words < MIN_WORDS and worth >= best - _FILL:
            selection.offer(candidate)
    telling = [s.unit for s in scored if s.unit.rank < close]
    unmet = tuple(side for side in intent.sides if not any(_tells_of(u, _own_terms(side, intent)) for u in telling))
    return replace(_layout(selection.verdict, selection.bullets, intent), unmet=unmet, room=selection.room)


def _lead(scored: Sequence[Scored], intent: Intent, named: frozenset[str]) -> Scored:
    """The sentence that opens the answer."""
    said = [s for s in scored if not s.unit.row] or scored  # a row of a table follows; it opens nothing
    right = [s for s in said if not s.unit.wrong] or said
    right = [s for s in right if s.names] or right
    if named and not intent.sides:
        right = [s for s in right if s.unit.passage.doc_id in named] or right
    if intent.argues:
        speaking = [s for s in right if speaks_for(s.unit, *intent.sides) > 0] or right
        right = [s for s in speaking if _names(s.unit, _own_terms(intent.sides[0], intent))] or speaking
    elif intent.sides:
        # Both sides in one sentence is what a comparison asks for; else one that speaks of the first.
        sides = [_own_terms(side, intent) for side in intent.sides]
        most = max(sum(_names(s.unit, side) for side in sides) for s in right)
        right = [s for s in right if sum(_names(s.unit, side) for side in sides) == most]
    lead = max(right, key=lambda s: s.score + _LEADS * intent.leads(s.unit.passage.role) + _OWN * s.own)
    if not lead.rarest:
        # "How do you stop a cache stampede?" is not opened by what stops misses of absent keys.
        shares = {1: _SECOND, 2: _OPENER}
        told = [s for s in right if s.rarest and s.score >= shares[s.rarest] * lead.score and not s.unit.teaser]
        told = [s for s in told if _same_subject(s.unit, lead.unit)]
        lead = max(told, key=lambda s: (s.rarest, s.score), default=lead)
    restated = max((s for s in said if s.unit.wrong and s.own >= RESTATED), key=lambda s: s.likeness, default=None)
    claims = intent.name == "other" and restated and restated.likeness > lead.likeness and restated.own > lead.own
    if restated and claims:
        return restated  # "Does CAP mean two of three?" is answered by why that is wrong to say
    if intent.name == "choose":
        # Advice on the thing itself before advice that shares a word with the question.
        subject = [s for s in right if s.unit.rank == 0 and s.score >= _NEAR * lead.score and not s.unit.teaser]
        lead = max(subject, key=lambda s: s.score + _LEADS * intent.leads(s.unit.passage.role), default=lead)
    if intent.name == "definition":
        # The thing itself has to be in the sentence that defines it, where one is near enough.
        whole = [s for s in right if s.own >= RESTATED and s.score >= _OPENER * lead.score and not s.unit.teaser]
        lead = max(
            whole,
            key=lambda s: (s.entry, intent.leads(s.unit.passage.role), s.defines, s.literal, s.score),
            default=lead,
        )
    if intent.opener and lead.unit.passage.role != intent.opener:
        for candidate in right:
            suits = candidate.unit.passage.role == intent.opener and not candidate.unit.teaser
            near = candidate.unit.passage.doc_id in named or _same_subject(candidate.unit, lead.unit)
            if suits and near and candidate.score >= _OPENER * lead.score and candidate.rarest >= lead.rarest:
                return candidate
    return lead


class _Selection:
    """The sentences chosen so far, within the limits of length and likeness; past MAX_WORDS only on the subject."""

    def __init__(self, lead: Scored, intent: Intent, room: int) -> None:
        self.room = room
        self.verdict = [lead.unit]
        self.bullets: list[Unit] = []
        self.words = _shown(self.verdict, self.bullets, intent)
        self._second = _SECOND * lead.score
        self._intent = intent

    def offer(self, candidate: Scored) -> None:
        """Take the sentence where it fits: beside the lead when it continues the verdict, else as a bullet."""
        unit = candidate.unit
        chosen = [*self.verdict, *self.bullets]
        if unit in chosen or any(_alike(unit, other) for other in chosen):
            return
        lead = self.verdict[0]
        continues = unit.passage.doc_id == lead.passage.doc_id and self._intent.leads(unit.passage.role)
        continues = continues and candidate.score >= self._second and candidate.names and not unit.row
        beside = len(self.verdict) == 1 and continues and not unit.wrong and lead.words + unit.words <= VERDICT_WORDS
        if not beside and len(self.bullets) >= (_MAX_BULLETS if self.room == MAX_WORDS else _LONG_BULLETS):
            return
        verdict, bullets = ([*self.verdict, unit], self.bullets) if beside else (self.verdict, [*self.bullets, unit])
        words = _shown(verdict, bullets, self._intent)
        if words <= MAX_WORDS or (words <= self.room and _on_subject(candidate, lead, self._intent)):
            self.verdict, self.bullets, self.words = verdict, bullets, words


def _shown(verdict: Sequence[Unit], bullets: Sequence[Unit], intent: Intent) -> int:
    """How many blank-separated words the answer takes, headings, marks and numbers with it."""
    sentences = sum(len(u.text.split()) + len(_mark(u).split()) + 1 for u in (*verdict, *bullets)) + len(bullets)
    return sentences + sum(len(label.split()) for label, _ in _groups(verdict[0], bullets, intent))


def _groups(lead: Unit, bullets: Sequence[Unit], intent: Intent) -> list[tuple[str, list[Unit]]]:
    """The bullets under their labels: the lead's document first, sections that suit the intent first.

    A label names its document only where the one before is of another.
    """
    titles = list(dict.fromkeys([lead.passage.title, *(u.passage.title for u in bullets)]))
    grouped: dict[tuple[str, str], list[Unit]] = {}

    def order(unit: Unit) -> tuple[int, bool, bool]:
        passage = unit.passage
        return titles.index(passage.title), passage.role in _LABELS, not intent.leads(passage.role)

    for unit in sorted(bullets, key=order):
        grouped.setdefault((unit.passage.title, _LABELS.get(unit.passage.role, "")), []).append(unit)
    found, before = [], lead.passage.title
    for (title, label), members in grouped.items():
        name = label if title == before else f"{title}: {label[0].lower()}{label[1:]}" if label else title
        found.append((name, _rows_in_order(members)))
        before = title
    return found


def _rows_in_order(members: Sequence[Unit]) -> list[Unit]:
    """Rows of tables as they follow each other there ("Step 2" before "Step 6"); the rest keeps its place."""
    passages = [unit.passage.chunk_id for unit in members]
    rows = iter(sorted((u for u in members if u.row), key=lambda u: (passages.index(u.passage.chunk_id), u.start)))
    return [next(rows) if unit.row else unit for unit in members]


def _named(unit: Unit) -> frozenset[str] | set[str]:
    """The terms that a sentence is about: its own and its document's title."""
    return unit.terms | set(terms(unit.passage.title))


def _same_subject(a: Unit, b: Unit) -> bool:
    return a.passage.doc_id == b.passage.doc_id or bool(set(a.passage.covers) & set(b.passage.covers))


def _on_subject(candidate: Scored, lead: Unit, intent: Intent) -> bool:
    """Whether a sentence speaks of a side of the comparison, or of what the question or its opening is about."""
    if intent.sides:
        return any(_names(candidate.unit, _own_terms(side, intent)) for side in intent.sides)
    return candidate.main or _same_subject(candidate.unit, lead)


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
                unit.quote,
                passage.covers,
                passage.source,
                passage.page,
                passage.kind,
            )
        )
        return Sentence(unit.text, n, _mark(unit))

    first = tuple(sentence(u) for u in heads)
    groups = tuple(
        Group(label, tuple(sentence(u) for u in members)) for label, members in _groups(heads[0], bullets, intent)
    )
    return Composed(first, groups, tuple(citations))


def _mark(unit: Unit) -> str:
    if not unit.wrong or "Wrong to say" in unit.text:
        return ""
    return "Wrong to say: " if unit.passage.role == "red-flags" else "Mistake: "


def _line(sentence: Sentence) -> str:
    return f"{sentence.mark}{sentence.text} {''.join(f'[{n}]' for n in sentence.cites)}".rstrip()
