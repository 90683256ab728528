"""A question to ranked passages: clean, expand, encode once, ask the index once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tutor.errors import IndexDamaged, IndexMismatch, SettingsError, UsageError
from tutor.retrieval.encoder import Encoded, Encoder
from tutor.retrieval.index import (
    ASIDE,
    BM25,
    CANDIDATES,
    DENSE,
    FILTER_KEYS,
    NAMES,
    TASK,
    TOKENS,
    Hit,
    HybridQuery,
    IndexReader,
)
from tutor.retrieval.lexical import (
    INTENT_WORDS,
    name_key,
    names_vector,
    query_vector,
    spans,
    stem,
    terms,
    without_manner,
)
from tutor.retrieval.lexicon import Expander, Expansion, Lexicon
from tutor.telemetry import operation, stage
from tutor.text import clean_question

MAX_QUESTION_CHARS = 4_000
_SPARE = 10  # further hits to trade places with
_WANTS_ASIDE = re.compile(
    r"\b(?:books?|papers?|courses?|videos?|articles?|blogs?|resources?|links?|readings?|read|watch|checklist|mastery"
    r"|interview questions?|probes?)\b",
    re.I,
)
_WANTS_TASK = re.compile(r"\b(?:requirements?|exercises?|hands-on|reflect\w*|practi[cs]e)\b", re.I)
_INTENT = frozenset(map(stem, INTENT_WORDS))
#: Words of a question's frame, not of its subject: how it wants to be answered, and what every subject here is.
_FRAME = frozenset(
    term
    for word in (
        *INTENT_WORDS,
        *"trade-off trade-offs tradeoff tradeoffs strategy strategies method methods implement implementing".split(),
        *"implementation design build handle application applications system systems explain describe".split(),
        *"choose various consider".split(),
    )
    for term in terms(word) or [stem(word)]
)
FRAME_WEIGHT = 0.3  # of such a word in the BM25 leg, where the question has others
_BRACKETS = re.compile(r"\s*\([^)]*\)")
EXPANSION_WEIGHT = 0.2  # of an added form's terms in the BM25 leg, against 1 for a word of the question

Filters = Mapping[str, Sequence[str | int]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How the legs are fused: which take part and each one's weight in the reciprocal rank fusion."""

    legs: tuple[str, ...]
    weights: Mapping[str, float]


# Unequal, and no small fractions of each other: the engine breaks exact ties at random, and with 1 and 1.1 the tenth of
# one leg ties with the eleventh of the other.
FUSED = Ranking((DENSE, BM25, NAMES), {DENSE: 1.0, BM25: 1.497, NAMES: 1.543})
RERANKED = Ranking((DENSE, BM25, NAMES, TOKENS), {DENSE: 1.0, BM25: 1.497, NAMES: 1.543, TOKENS: 2.213})


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``hits`` best first; ``question`` cleaned; ``spoken`` what ``encoded`` was made from; ``ms`` wall time.

    ``stages`` are the milliseconds of clean, expand, encode, query (all legs, their fusion and MaxSim: the index does
    them in one call) and order.

    ``named`` are the ids of the documents among the hits by whose names the question goes, if it asks of nothing else:
    "What is EOS?", "Kafka vs Redis". They come first.
    """

    question: str
    spoken: str
    hits: list[Hit]
    encoded: Encoded
    expansion: Expansion
    named: frozenset[str]
    ms: float
    stages: Mapping[str, float] = field(default_factory=dict, compare=False)


def weighted(measured: Ranking, weights: Mapping[str, float]) -> Ranking:
    """A fusion with other weights than the measured ones for some legs; a leg with weight 0 is left out.

    Raises:
        SettingsError: no leg is left that finds passages.
    """
    all_weights = {leg: float(weights.get(leg, measured.weights[leg])) for leg in measured.legs}
    legs = tuple(leg for leg in measured.legs if all_weights[leg] > 0)
    if not {DENSE, BM25, NAMES} & set(legs):
        raise SettingsError(
            "no leg is left that finds passages", about="search.weights", fix="Keep one of dense, bm25, names above 0."
        )
    return Ranking(legs, {leg: all_weights[leg] for leg in legs})


class Searcher:
    """The hybrid query over an index reader and an encoder.

    Raises:
        IndexMismatch: the index was built with another encoder.
    """

    def __init__(self, reader: IndexReader, encoder: Encoder, *, ranking: Ranking = RERANKED) -> None:
        self.reader = reader
        self.encoder = encoder
        self.ranking = ranking
        self._generation = ""
        self._expander = Expander(Lexicon())
        self._adopt()

    def _adopt(self) -> None:
        manifest = self.reader.manifest
        if manifest.encoder != self.encoder.name:
            raise IndexMismatch(
                f"the index was built with the encoder {manifest.encoder}, in force is {self.encoder.name}",
                fix="Run: tutor ingest --rebuild",
            )
        self._expander = Expander(Lexicon.from_payload(self.reader.payload("lexicon", "lexicon") or {}))
        self._generation = manifest.generation

    def refresh(self) -> None:
        """Move to the newest generation."""
        self.reader.refresh()
        if self.reader.manifest.generation != self._generation:
            self._adopt()

    @property
    def expander(self) -> Expander:
        return self._expander

    def fall_back(self, fault: IndexDamaged) -> None:
        """Move to an older generation, after the one in hand could not be read.

        Raises:
            IndexDamaged: ``fault``, when there is none.
        """
        self.reader.fall_back(fault)
        self._adopt()

    def search(
        self,
        question: str,
        *,
        limit: int = 10,
        filters: Filters | None = None,
        ranking: Ranking | None = None,
        by_document: bool = False,
        with_vectors: bool = False,
    ) -> SearchResult:
        """Passages for a question, best first; from an older generation where the newest turns out to be damaged.

        Args:
            question: 1 to 4,000 characters after cleaning.
            limit: 1 to 200 hits.
            filters: payload values to match, any of each key's.
            ranking: which legs, with what weights; the searcher's own when left out.
            by_document: only each document's best passage.
            with_vectors: hits carry their vectors.

        Raises:
            UsageError: an empty or over-long question, a limit out of range, an unknown filter key.
            IndexFault: the index cannot answer.
        """
        try:
            with operation("search", limit=limit) as running:
                return self._search(running, question, limit, filters, ranking, by_document, with_vectors)
        except IndexDamaged as fault:
            self.fall_back(fault)
            with operation("search", limit=limit) as running:
                return self._search(running, question, limit, filters, ranking, by_document, with_vectors)

    def _search(
        self,
        running: operation,
        question: str,
        limit: int,
        filters: Filters | None,
        ranking: Ranking | None,
        by_document: bool,
        with_vectors: bool,
    ) -> SearchResult:
        ranking = ranking or self.ranking
        with stage("clean"):
            text = checked_question(question)
        running.tell(question=text)
        check_limit(limit)
        if unknown := set(filters or ()) - FILTER_KEYS:
            raise UsageError(
                f"unknown filter {', '.join(sorted(unknown))}", fix=f"Known: {', '.join(sorted(FILTER_KEYS))}."
            )
        for key, values in (filters or {}).items():
            if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values):
                raise UsageError("the number is out of range", about=f"filter {key}")
        with stage("expand"):
            expansion = self._expander.expand(text, is_word=self.encoder.is_word)
            read = spoken(text, expansion)
        with stage("encode"):
            encoded = self.encoder.encode([read])[0]
        # What bears a name may rank low for all else, and must not be outvoted by what three legs find near it.
        name = self._expander.is_name(text)
        query = HybridQuery(
            dense=encoded.dense,
            tokens=encoded.tokens,
            sparse=query_vector(weighted_terms(text, expansion)),
            names=names_vector(spans(expansion.mended(text))),
            limit=max(limit, CANDIDATES) if by_document or name else limit + _SPARE,
            legs=tuple(leg for leg in ranking.legs if not (name and leg == TOKENS and NAMES in ranking.legs)),
            weights=ranking.weights,
            filters=filters or {},
            with_vectors=with_vectors,
        )
        with stage("query"):
            found = self.reader.search(query) if len(encoded.tokens) else []
        with stage("order"):
            hits = _ordered_within_documents(found, text)
            named = _named(expansion.mended(text), hits)
            hits.sort(key=lambda hit: hit.passage.doc_id not in named)
        if by_document:
            best: dict[str, Hit] = {}
            for hit in hits:
                best.setdefault(hit.passage.doc_id, hit)
            hits = list(best.values())
        running.note(hits=len(hits[:limit]), generation=self.reader.manifest.generation)
        return SearchResult(text, read, hits[:limit], encoded, expansion, named, running.ms, running.stages)


def _named(question: str, hits: Sequence[Hit]) -> frozenset[str]:
    """The documents whose titles, aliases and acronyms together are all that the question speaks of, or none."""
    asked = _key(question)
    found: dict[frozenset[str], set[str]] = {}
    for hit in hits:
        passage = hit.passage
        for name in (*passage.names, passage.title, _BRACKETS.sub("", passage.title)):
            if (key := _key(name)) and key <= asked:
                found.setdefault(key, set()).add(passage.doc_id)
    if not asked or frozenset().union(*found) != asked:
        return frozenset()
    # "Lightweight transactions" are not also transactions.
    longest = [key for key in found if not any(key < other for other in found)]
    return frozenset().union(*(found[key] for key in longest))


@lru_cache(maxsize=4_096)  # the names of the documents that are found, again and again
def _key(name: str) -> frozenset[str]:
    """The stems of a name's words, in no order, but for words such as "definition"."""
    return frozenset(w for w in name_key(name).split() if w not in _INTENT)


def _ordered_within_documents(hits: list[Hit], question: str) -> list[Hit]:
    """Within each document's places in the ranking, what answers best first, by late interaction; its links, checklists
    and tasks last, or first where asked for.

    The order of the documents stays. Among all passages the votes of all legs rank best; to choose within a document
    MaxSim alone does: the right section first for .513 of the golden questions instead of .452 (evals/LOG.md). A weight
    of 0.9 or 0.8 on links and checklists over the whole ranking lost .02 nDCG@10.
    """
    wanted = (ASIDE if _WANTS_ASIDE.search(question) else frozenset()) | ({TASK} if wants_task(question) else set())

    def order(role: str) -> int:
        return 0 if role in wanted else 2 if role in ASIDE or role == TASK else 1

    places: dict[str, list[int]] = {}
    for place, hit in enumerate(hits):
        places.setdefault(hit.passage.doc_id, []).append(place)
    ordered = list(hits)
    for mine in places.values():
        sources = sorted(mine, key=lambda i: (order(hits[i].passage.role), -(hits[i].late or 0.0)))
        for place, source in zip(mine, sources, strict=True):
            ordered[place] = replace(hits[source], score=hits[place].score)
    return ordered


def wants_task(question: str) -> bool:
    """Whether a question asks for exercises or requirements."""
    return _WANTS_TASK.search(question) is not None


def check_limit(limit: int) -> None:
    """Raises UsageError unless 1 <= ``limit`` <= 200."""
    if not 1 <= limit <= 200:
        raise UsageError(f"the number of hits must be 1 to 200, not {limit}", about="-k")


def checked_question(question: str) -> str:
    """The cleaned question.

    Raises:
        UsageError: nothing is left of it, or it is longer than 4,000 characters.
    """
    # Half a surrogate pair (a byte of the terminal that is not UTF-8, "\\ud800" in JSON) is no character.
    text = clean_question(question.encode("utf-8", "ignore").decode("utf-8"))
    if not text:
        raise UsageError("the question is empty", fix="Ask something, as in: When would you not use Kafka?")
    if len(text) > MAX_QUESTION_CHARS:
        raise UsageError(
            f"the question has {len(text):,} characters, the limit is {MAX_QUESTION_CHARS:,}",
            fix="Shorten it; to search a long text, ingest it: tutor ingest FILE",
        )
    return text


def spoken(text: str, expansion: Expansion) -> str:
    """What the encoder reads: typos mended, words of manner gone, acronyms spelt out behind the question."""
    text = without_manner(expansion.mended(text))
    return f"{text} ({', '.join(expansion.added[:3])})" if expansion.added else text


def weighted_terms(text: str, expansion: Expansion) -> dict[str, float]:
    """BM25 terms of the question with their weights: its own and corrections 1, or FRAME_WEIGHT; other forms
    EXPANSION_WEIGHT."""
    weighted: dict[str, float] = {}
    for form in expansion.added[:6]:
        weighted.update(dict.fromkeys(terms(form), EXPANSION_WEIGHT))
    for _, right in (*expansion.corrected, *expansion.instead):
        weighted.update(dict.fromkeys(terms(right), 1.0))
    weighted.update(dict.fromkeys(terms(text), 1.0))
    frame = _FRAME & weighted.keys()
    if len(frame) < len(weighted):
        weighted.update({term: weighted[term] * FRAME_WEIGHT for term in frame})
    return weighted
