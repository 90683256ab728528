"""A question to an answer: search, decide whether the curriculum answers it, compose, check every citation."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.answering import abstain
from tutor.answering.cite import Citation
from tutor.answering.compose import Composed, compose, score
from tutor.answering.intent import INTENT_WORDS, Intent, classify
from tutor.answering.screen import leans_on_context, off_curriculum
from tutor.answering.units import units
from tutor.retrieval.encoder import Encoded
from tutor.retrieval.index import Hit
from tutor.retrieval.lexical import query_content, terms
from tutor.retrieval.lexicon import base_forms
from tutor.retrieval.search import Filters, Searcher, SearchResult

_JOINT = re.compile(r"[-/+&_]")
_PASSAGES = 12
_SIDE_PASSAGES = 4


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
    ``refusal`` is the reason where the question itself cannot be answered, whatever is near. ``uncovered`` are names
    in the question that no document holds, although the rest of it is answered.
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
    uncovered: tuple[str, ...]
    refusal: str
    ms: float


class Answerer:
    """Answers without a language model: every sentence is cut verbatim from a passage."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        """Answer one question.

        Raises:
            UsageError: an empty or over-long question, an unknown filter.
            IndexFault: the index cannot answer.
        """
        began = time.perf_counter()
        found = self.searcher.search(question, limit=_PASSAGES, filters=filters, with_vectors=True)
        intent = classify(found.question)
        hits = self._with_sides(found, intent, filters)
        rarity, unknown = self._rarity(found)
        content = self._content(found)
        signals = abstain.measure(found.hits, found.encoded.dense, content.tokens, rarity, unknown)
        nearest = _nearest(found.hits)
        confidence = abstain.confidence(signals)
        refusal, doubt = self._refusal(found, intent)
        confidence *= 1.0 - doubt
        composed = Composed((), (), ())
        if confidence >= abstain.threshold():
            candidates = [u for rank, hit in enumerate(hits) for u in units(hit, rank, self.searcher.encoder)]
            composed = compose(score(candidates, content.tokens, intent, rarity), intent)
        abstained = not composed.citations
        return Answer(
            question=found.question,
            intent=intent.name,
            text=(refusal or _not_answered(nearest)) if abstained else composed.markdown(),
            composed=composed,
            citations=composed.citations,
            abstained=abstained,
            confidence=confidence,
            signals=signals,
            nearest=nearest,
            corrected=found.expansion.corrected,
            uncovered=() if abstained else self._uncovered(found),
            refusal=refusal if abstained else "",
            ms=(time.perf_counter() - began) * 1000,
        )

    def _refusal(self, found: SearchResult, intent: Intent) -> tuple[str, float]:
        """What speaks against answering, whatever the ranking says ("" for nothing), and how much (1: all)."""
        if off_curriculum(found.question):
            return "The curriculum says nothing of you or of this assistant's instructions; nothing can be cited.", 1.0
        pointer = leans_on_context(found.question)
        if pointer is not None:
            what = f'"{pointer}" points at something said before' if pointer else "it names no subject"
            return f'Each question is read for itself and {what}: name the subject, as in "How does Kafka fail?".', 1.0
        for side in intent.sides:
            named = query_content(_JOINT.sub(" ", found.expansion.mended(side)))
            if named and not any(map(self.searcher.expander.frequency, named)):
                # Not the end of it: "spinlock over mutex" is answered by a card that speaks of spinning threads.
                return f"The curriculum has nothing on {side}, so it cannot be compared.", 0.5
        return "", 0.0

    def _uncovered(self, found: SearchResult) -> tuple[str, ...]:
        """Names in the question that no passage holds: words that are no English either."""
        corrected = {wrong for wrong, _ in found.expansion.corrected}
        uncovered = []
        for word in re.findall(r"[^\W_][\w.+#-]*[^\W_]", found.question):
            lower = word.lower()
            content = [w for w in query_content(_JOINT.sub(" ", word)) if w not in INTENT_WORDS]
            if not content or lower in corrected or any(map(self.searcher.expander.frequency, [lower, *content])):
                continue
            if not any(map(self.searcher.encoder.is_word, base_forms(lower))):
                uncovered.append(word)
        return tuple(dict.fromkeys(uncovered))

    def _with_sides(self, found: SearchResult, intent: Intent, filters: Filters | None) -> list[Hit]:
        """The hits, and for a comparison the best passages about each side alone."""
        hits = list(found.hits)
        known = {hit.passage.chunk_id for hit in hits}
        for side in intent.sides:
            for hit in self.searcher.search(side, limit=_SIDE_PASSAGES, filters=filters, with_vectors=True).hits:
                if hit.passage.chunk_id not in known:
                    known.add(hit.passage.chunk_id)
                    hits.append(hit)
        return hits

    def _rarity(self, found: SearchResult) -> tuple[dict[str, float], frozenset[str]]:
        """The question's terms weighted by IDF (scaled to [0, 1]), and those that no passage holds."""
        text = found.question
        for wrong, right in found.expansion.corrected:
            text = f"{text} {right}".replace(wrong, " ")
        passages = max(2, self.searcher.reader.manifest.passages)
        rarity: dict[str, float] = {}
        unknown: set[str] = set()
        asked, instead = query_content(text), dict(found.expansion.instead)
        for word in [w for w in asked if w not in INTENT_WORDS] or asked:
            # "cursor-based" counts by its parts where the corpus does not use it whole.
            whole = self.searcher.expander.frequency(word)
            parts = [word] if whole else query_content(_JOINT.sub(" ", word))
            if word in instead:
                parts = query_content(_JOINT.sub(" ", instead[word]))
            for part in parts:
                frequency = self.searcher.expander.frequency(part)
                weight = math.log((passages + 1) / (frequency + 0.5)) / math.log(passages * 2 + 2)
                for term in terms(part):
                    rarity[term] = max(rarity.get(term, 0.0), weight)
                    if not frequency:
                        unknown.add(term)
        return rarity, frozenset(unknown)

    def _content(self, found: SearchResult) -> Encoded:
        """The question's vectors without those of stop words and punctuation (all of them when nothing is left)."""
        text = found.spoken
        keep = [i for i, (a, b) in enumerate(found.encoded.offsets) if query_content(_whole_word(text, a, b))]
        if not keep:
            return found.encoded
        return Encoded(found.encoded.dense, found.encoded.tokens[keep], ())


def _whole_word(text: str, start: int, end: int) -> str:
    """The word around a token, since a word piece alone may look like a stop word."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end]


def _nearest(hits: Sequence[Hit]) -> tuple[Nearest, ...]:
    nearest: dict[str, Nearest] = {}
    for hit in hits:
        passage = hit.passage
        if len(nearest) < 3:
            nearest.setdefault(passage.title, Nearest(passage.doc_id, passage.title, passage.covers))
    return tuple(nearest.values())


def _not_answered(nearest: Sequence[Nearest]) -> str:
    if not nearest:
        return "The curriculum does not answer this question."
    names = ", ".join(n.title for n in nearest)
    return f"The curriculum does not answer this question; the nearest cards are: {names}."
