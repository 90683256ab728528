"""What the curriculum itself says: passages to read, and its own words, to tell pasted text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tutor.curriculum.corpus import Corpus
from tutor.drill.gaming import content, runs
from tutor.drill.records import Reading
from tutor.errors import IndexMissing
from tutor.retrieval.index import TASK, Passage
from tutor.retrieval.search import Searcher
from tutor.text import blank_markup, blocks, sentences

_QUIZZES = frozenset({"probes", TASK})
_QUIZ = re.compile(r"\b(?:mastery check|quiz|self[- ]test)\b", re.I)
_MAX_CHARS = 1_000


_KNOWN = 4_000  # claims whose passage is kept: the curriculum's probes have some 2,000
_LINE_CHARS = 240


class SearchLibrary:
    """Passages by the search, no quizzes; nothing where there is no index. What was found once is kept."""

    def __init__(self, searcher: Callable[[], Searcher]) -> None:
        self._searcher = searcher
        self._known: dict[tuple[str, str, str], Reading | None] = {}
        self._bare: set[tuple[str, str]] = set()

    def read_for(self, claim: str, doc_id: str) -> Reading | None:
        """The passage nearest to a claim, of that document where it has one."""
        try:
            searcher = self._searcher()
            generation = searcher.reader.manifest.generation
            key = (generation, doc_id, claim)
            if key not in self._known:
                if len(self._known) >= _KNOWN:
                    self._known.clear()
                self._known[key] = self._search(searcher, claim[:_MAX_CHARS], doc_id, generation)
            return self._known[key]
        except IndexMissing:
            return None

    def _search(self, searcher: Searcher, claim: str, doc_id: str, generation: str) -> Reading | None:
        passages: list[Passage] = []
        if (generation, doc_id) not in self._bare:
            passages = [h.passage for h in searcher.search(claim, limit=5, filters={"doc_id": [doc_id]}).hits]
            if not passages:  # an estimate: none of its points needs to look there
                self._bare.add((generation, doc_id))
        passages = passages or [h.passage for h in searcher.search(claim, limit=3).hits]
        for p in passages:
            if p.role not in _QUIZZES and not _QUIZ.search(p.heading[-1] if p.heading else ""):
                start, end = nearest_span(p.text, claim) or (0, len(p.text))
                place = {"start": p.start + start, "end": p.start + end}
                return Reading(title=p.title, heading=p.heading, doc_id=p.doc_id, quote=p.text, **place)
        return None


def nearest_line(quote: str, claim: str) -> str:
    """The sentence of a passage that has most of a claim's words, without markup, at most 240 characters."""
    span = nearest_span(quote, claim)
    line = " ".join(blank_markup(quote)[slice(*span)].split()) if span else ""
    return line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1].rsplit(" ", 1)[0] + "…"


def nearest_span(quote: str, claim: str) -> tuple[int, int] | None:
    """Where in a passage the sentence is that has most of a claim's words; None where none has any."""
    wanted = set(content(claim))
    plain = blank_markup(quote)
    best: tuple[int, int] | None = None
    most = 0
    for block in blocks(plain):
        if block.kind in ("code", "table"):
            continue
        for start, end in sentences(plain, block.start, block.end):
            shared = len(wanted & set(content(plain[start:end])))
            if shared > most:
                best, most = (start, end), shared
    return best


class OwnText(Mapping[str, frozenset[tuple[str, ...]]]):
    """The runs of words of each document's file, by its id; read when first asked for.

    Those of a card's red flags are left out: who says one has not pasted an answer, but made the mistake it names.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._known: dict[str, frozenset[tuple[str, ...]]] = {}

    def __getitem__(self, doc_id: str) -> frozenset[tuple[str, ...]]:
        if doc_id not in self._known:
            found = runs(self._corpus.paths[doc_id].read_text(encoding="utf-8"))
            card = self._corpus.cards.get(doc_id)
            wrong = (flag.wrong for probe in card.probes for flag in probe.red_flags) if card else ()
            self._known[doc_id] = found.difference(*map(runs, wrong))
        return self._known[doc_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._corpus.paths)

    def __len__(self) -> int:
        return len(self._corpus.paths)
