"""What the curriculum itself says: passages to read, and its own words, to tell pasted text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tutor.curriculum.corpus import Corpus
from tutor.drill.engine import Reading
from tutor.drill.gaming import runs
from tutor.errors import IndexMissing
from tutor.retrieval.search import Searcher

_MAX_CHARS = 1_000


class SearchLibrary:
    """Passages by the search; nothing where there is no index."""

    def __init__(self, searcher: Callable[[], Searcher]) -> None:
        self._searcher = searcher

    def read_for(self, claim: str, doc_id: str) -> Reading | None:
        """The passage nearest to a claim, of that document where it has one."""
        try:
            searcher = self._searcher()
            hits = searcher.search(claim[:_MAX_CHARS], limit=3, filters={"doc_id": [doc_id]}).hits
            hits = hits or searcher.search(claim[:_MAX_CHARS], limit=1).hits
        except IndexMissing:
            return None
        return next((Reading(h.passage.title, h.passage.heading, h.passage.doc_id, h.passage.text) for h in hits), None)


class OwnText(Mapping[str, frozenset[tuple[str, ...]]]):
    """The runs of words of each document's file, by its id; read when first asked for."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._known: dict[str, frozenset[tuple[str, ...]]] = {}

    def __getitem__(self, doc_id: str) -> frozenset[tuple[str, ...]]:
        if doc_id not in self._known:
            self._known[doc_id] = runs(self._corpus.paths[doc_id].read_text(encoding="utf-8"))
        return self._known[doc_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._corpus.paths)

    def __len__(self) -> int:
        return len(self._corpus.paths)
