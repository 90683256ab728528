"""A question to an answer: search, decide whether the curriculum answers it, compose, check every citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tutor.answering import abstain, asked
from tutor.answering.asked import JOINT, Asked
from tutor.answering.cite import Citation, Further, Own
from tutor.answering.compose import Composed, compose
from tutor.answering.intent import Intent, classify
from tutor.answering.score import label, score
from tutor.answering.screen import leans_on_context, off_curriculum, says_nothing
from tutor.answering.slips import is_slip
from tutor.answering.units import Units
from tutor.answering.written import Generation
from tutor.retrieval.index import TASK, Hit
from tutor.retrieval.lexical import INTENT_WORDS, query_content, terms
from tutor.retrieval.lexicon import base_forms
from tutor.retrieval.search import Filters, Searcher, SearchResult, wants_task
from tutor.telemetry import answered, operation, stage

_PASSAGES = 12  # that sentences are chosen from; 24 would say .013 more of the key facts for 40 ms more
_WEIGHED = 12  # of them, first, that decide whether the question is answered
_SIDE_PASSAGES = 4
_TURNS_ON = 0.2  # rarity-weighted share of a question's terms that a name needs to be what it turns on
_NUMBERED, _IN_BRACKETS = re.compile(r"\[(\d+)\]"), r"(\1)"
_CLAUSE = re.compile(r"(?:^|[.;:]\s+)(\S+(?:\s+\S+)?)")  # its first two words
_NAMED = 3  # documents of one name that are looked into


@dataclass(frozen=True, slots=True)
class Nearest:
    """A document close to the question."""

    doc_id: str
    title: str
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """``text`` is Markdown with ``[n]`` marks; ``confidence`` in [0, 1] that the curriculum answers; ``ms`` wall time.

    When ``abstained``, ``text`` says so and why, there are no citations, and ``nearest`` names the closest documents.
    ``meant`` are short forms in the question with what they stand for.
    ``refusal`` is the reason where the question itself cannot be answered, whatever is near. ``uncovered`` are names
    in the question, or sides of its comparison, that no document tells of, although the rest of it is answered.
    ``generation`` is a language model's part in it, None where none was asked.
    ``further`` are linked readings to go deeper, which have no part in the answer.
    ``own`` are quotes from the learner's log: never part of ``text``, and there also where the curriculum abstained.
    ``stages`` are the milliseconds of each stage: those of all searches together, then weigh, abstain, units, compose
    and cite.
    """

    question: str
    intent: str
    text: str
    composed: Composed
    citations: tuple[Citation, ...]
    abstained: bool
    confidence: float
    signals: abstain.Signals
    nearest: tuple[Nearest, ...]
    corrected: tuple[tuple[str, str], ...]
    meant: tuple[tuple[str, str], ...]
    uncovered: tuple[str, ...]
    refusal: str
    ms: float
    stages: Mapping[str, float] = field(default_factory=dict, compare=False)
    further: tuple[Further, ...] = ()
    generation: Generation | None = None
    own: tuple[Own, ...] = ()

    @property
    def whole(self) -> str:
        """``text``, and behind it what is the learner's own, marked as that."""
        return "\n\n".join(filter(None, (self.text, own_markdown(self.own))))


@dataclass(frozen=True, slots=True)
class Grounds:
    """An extractive answer and the passages that a model may write another from, best first, with their vectors."""

    answer: Answer
    hits: tuple[Hit, ...]
    filters: Filters | None = None


class Answerer:
    """Answers without a language model: every sentence is cut verbatim from a passage.

    Args:
        searcher: over what answers.
        beside: the readings to name below an answer; not asked where filters narrow the question.
    """

    def __init__(self, searcher: Searcher, beside: Callable[[Answer], tuple[Further, ...]] | None = None) -> None:
        self.searcher = searcher
        self._beside = beside
        self._units = Units(searcher.encoder)

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        """Answer one question.

        Raises:
            UsageError: an empty or over-long question, an unknown filter.
            IndexFault: the index cannot answer.
        """
        return self.grounds(question, filters=filters).answer

    def grounds(self, question: str, *, filters: Filters | None = None) -> Grounds:
        """Answer one question, and keep what the answer is cut from; the passages it quotes come first.

        Raises:
            As ``ask``.
        """
        found = self._found(question, filters)
        answer = found.answer
        answered(answer.intent, "refused" if answer.refusal else "abstained" if answer.abstained else "answered")
        if self._beside and not filters:
            answer = replace(answer, further=self._beside(answer))
        return Grounds(answer, found.hits, filters)

    def answer(self, question: str, *, filters: Filters | None = None) -> Answer:
        """As ``ask``, without further reading, and not counted as a question that somebody asked."""
        return self._found(question, filters).answer

    def _found(self, question: str, filters: Filters | None) -> Grounds:
        began = self.searcher.reader.manifest.generation
        with operation("ask") as running:
            found = self._ask(running, question, filters)
        if self.searcher.reader.manifest.generation != began:
            # The searcher turned to an older generation halfway: one answer is cut from one generation.
            with operation("ask") as running:
                found = self._ask(running, question, filters)
        return found

    def _ask(self, running: operation, question: str, filters: Filters | None) -> Grounds:
        found = self.searcher.search(question, limit=_PASSAGES, filters=filters, with_vectors=True)
        intent = classify(found.question)
        if intent.name == "other" and found.named and not intent.sides:
            intent = Intent("definition")  # "Kafka"
        more = self._sides(found, intent, filters)
        close = _WEIGHED + len(more)
        hits = [*found.hits[:_WEIGHED], *more, *found.hits[_WEIGHED:]]
        with stage("weigh"):
            about = asked.read(found, self.searcher.expander, max(2, self.searcher.reader.manifest.passages))
            content = asked.content(found)
        with stage("abstain"):
            weighed = found.hits[:_WEIGHED]
            signals = abstain.measure(weighed, found.encoded.dense, content.tokens, about, found.question)
            nearest = _nearest(found.hits)
            confidence = abstain.confidence(signals)
            refusal, doubt = self._refusal(found, intent)
            confidence *= 1.0 - doubt
        composed = Composed((), (), ())
        quotable: list[Hit] = []
        if confidence >= abstain.threshold():
            with stage("units"):
                quotable = [hit for hit in hits if hit.passage.role != TASK or wants_task(found.question)]
                candidates = [u for rank, hit in enumerate(quotable) for u in self._units.of(hit, rank)]
            with stage("compose"):
                scored = score(candidates, content.tokens, intent, about)
                composed = compose(scored, intent, about.named, close, len(about.rarity))
        abstained = not composed.citations
        with stage("cite"):
            text = (refusal or _not_answered(nearest)) if abstained else composed.markdown()
            uncovered = () if abstained else self._uncovered(found, composed, about)
        generation = self.searcher.reader.manifest.generation
        running.note(intent=intent.name, abstained=abstained, confidence=round(confidence, 4), generation=generation)
        running.tell(question=found.question)
        answer = Answer(
            question=found.question,
            intent=intent.name,
            text=text,
            composed=composed,
            citations=composed.citations,
            abstained=abstained,
            confidence=confidence,
            signals=signals,
            nearest=nearest,
            corrected=found.expansion.corrected,
            meant=asked.meant(found),
            uncovered=uncovered,
            refusal=refusal if abstained else "",
            ms=running.ms,
            stages=running.stages,
        )
        quoted = [citation.chunk_id for citation in composed.citations]
        return Grounds(answer, tuple(sorted(quotable, key=lambda hit: hit.passage.chunk_id not in quoted)))

    def _refusal(self, found: SearchResult, intent: Intent) -> tuple[str, float]:
        """What speaks against answering, whatever the ranking says ("" for nothing), and how much (1: all)."""
        if says_nothing(found.question):
            return 'That asks nothing, so nothing was looked up. Ask on, as in "How does Kafka fail?".', 1.0
        if off_curriculum(found.question):
            return "The curriculum says nothing of you or of this assistant's instructions; nothing can be cited.", 1.0
        pointer = leans_on_context(found.question)
        if pointer is not None:
            what = f'It is not clear what "{pointer}" stands for' if pointer else "The question names no subject"
            return f'{what}: name the subject, as in "How does Kafka fail?".', 1.0
        for side in intent.sides:
            named = query_content(JOINT.sub(" ", found.expansion.mended(side)))
            if named and not any(map(self.searcher.expander.frequency, named)):
                # Not the end of it: "spinlock over mutex" is answered by a card that speaks of spinning threads.
                return f"The curriculum has nothing on {side}, so it cannot be compared.", 0.5
        return "", 0.0

    def _uncovered(self, found: SearchResult, composed: Composed, about: Asked) -> tuple[str, ...]:
        """Names in the question that no passage holds, and those and sides of it that nothing quoted speaks of."""
        quoted = composed.citations
        corrected = {wrong for wrong, _ in found.expansion.corrected}
        # Elsewhere what a bullet is called counts, and what a clause begins with, not what is named in passing.
        first = quoted[0].doc_id
        texts = (" ".join([c.title, *c.heading, c.quote if c.doc_id == first else _subjects(c.quote)]) for c in quoted)
        there = about.held(term for text in texts for term in terms(text))
        uncovered = [
            word
            for word in about.proper
            if about.share(frozenset(terms(word))) >= _TURNS_ON
            and not {*terms(word), *terms(word.removesuffix("s"))} & there  # "GSIs"
            and word.lower() not in corrected
        ]
        for word in re.findall(r"[^\W_][\w.+#-]*[^\W_]", found.question):
            lower = word.lower()
            content = [w for w in query_content(JOINT.sub(" ", word)) if w not in INTENT_WORDS]
            if (
                not content
                or word[0].isdigit()
                or lower in corrected
                or any(map(self.searcher.expander.frequency, [lower, *content]))
            ):
                continue
            is_word = self.searcher.encoder.is_word
            if not any(map(is_word, base_forms(lower))) and (word in about.proper or not is_slip(lower, is_word)):
                uncovered.append(word)
        told = {term for citation in quoted for term in terms(_subjects(citation.quote))}
        unmet = (side for side in composed.unmet if not told.issuperset(terms(side)))
        return tuple(dict.fromkeys([*uncovered, *unmet]))

    def _sides(self, found: SearchResult, intent: Intent, filters: Filters | None) -> list[Hit]:
        """Further passages: for a comparison the best about each side alone, for a name those of its documents."""
        more: list[Hit] = []
        known = {hit.passage.chunk_id for hit in found.hits}
        if not intent.sides and not (filters or {}).get("doc_id"):
            for doc_id in sorted(found.named)[:_NAMED]:
                mine = {**(filters or {}), "doc_id": [doc_id]}
                hits = self.searcher.search(found.question, limit=_SIDE_PASSAGES, filters=mine, with_vectors=True).hits
                more += [hit for hit in hits if hit.passage.chunk_id not in known]
        for side in intent.sides:
            for hit in self.searcher.search(side, limit=_SIDE_PASSAGES, filters=filters, with_vectors=True).hits:
                if hit.passage.chunk_id not in known:
                    known.add(hit.passage.chunk_id)
                    more.append(hit)
        return more


def _subjects(quote: str) -> str:
    """What a quoted sentence says that it is about: its label, and the first two words of each clause."""
    return " ".join([label(quote), *_CLAUSE.findall(quote)])


def _nearest(hits: Sequence[Hit]) -> tuple[Nearest, ...]:
    nearest: dict[str, Nearest] = {}
    for hit in hits:
        passage = hit.passage
        if len(nearest) < 3:
            nearest.setdefault(passage.title, Nearest(passage.doc_id, passage.title, passage.covers))
    return tuple(nearest.values())


def renumbered(answer: Answer) -> Answer:
    """The answer with its quotes from the log, then its further reading, numbered on from its citations."""
    own = tuple(replace(one, n=n) for n, one in enumerate(answer.own, len(answer.citations) + 1))
    behind = len(answer.citations) + len(own) + 1
    further = tuple(replace(f, citation=replace(f.citation, n=n)) for n, f in enumerate(answer.further, behind))
    return replace(answer, own=own, further=further)


def own_markdown(own: Sequence[Own]) -> str:
    """Quotes from the learner's log as a group of their own; "" for none."""
    # What a learner wrote may look like a citation or a heading; in the answer it is neither.
    quotes = [_NUMBERED.sub(_IN_BRACKETS, " ".join(one.quote.split())) for one in own]
    lines = [f"- {one.place}: “{quote}” [{one.n}]" for one, quote in zip(own, quotes, strict=True)]
    return "\n".join(["**From your log**", "", *lines]) if own else ""


def _not_answered(nearest: Sequence[Nearest]) -> str:
    if not nearest:
        return "The curriculum does not answer this question."
    names = ", ".join(n.title for n in nearest)
    return f"The curriculum does not answer this question; the nearest cards are: {names}."
