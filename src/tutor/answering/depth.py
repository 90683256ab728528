"""Further reading: what the linked readings that the learner has fetched say to a question, told apart from the answer.

Readings have an index of their own (docs/decisions), so that they have no part in the ranking, the rarity of words, or
the decision to answer. A reading is asked as the curriculum is, and named where it would have answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tutor.answering.answer import Answer, Answerer
from tutor.answering.cite import Citation, Further, resolves
from tutor.errors import IndexFault, IndexMissing
from tutor.retrieval.search import Searcher
from tutor.telemetry import operation

_log = logging.getLogger(__name__)


class Readings:
    """The learner's readings as something to ask.

    Args:
        open_searcher: opens the readings' own index; called when it is first needed, and again after a fault.
        most: how many readings are named.
    """

    def __init__(self, open_searcher: Callable[[], Searcher], *, most: int) -> None:
        self._open = open_searcher
        self._most = most
        self._searcher: Searcher | None = None

    def beside(self, answer: Answer) -> tuple[Further, ...]:
        """At most ``most`` readings, one citation each, best first; numbers go on from the answer's.

        None where the question itself cannot be answered. A fault of the readings' index is logged: the answer stands.
        """
        if answer.refusal:
            return ()
        try:
            if self._searcher is None:
                self._searcher = self._open()
            with operation("further"):
                self._searcher.refresh()
                return tuple(self._named(self._searcher, answer))
        except IndexMissing:
            return ()
        except IndexFault as fault:
            _log.warning("the readings cannot be searched. %s", fault.message)
            self.close()
            return ()

    def close(self) -> None:
        """Release the index."""
        if self._searcher is not None:
            self._searcher.reader.close()
            self._searcher = None

    def _named(self, searcher: Searcher, answer: Answer) -> list[Further]:
        # A reading is depth for the cards that the answer quotes. Where it quotes none, only what a reading says first
        # is near enough to be named.
        quoted: list[str | int] = list(dict.fromkeys(citation.doc_id for citation in answer.citations))
        found = Answerer(searcher).answer(answer.question, filters={"covers": quoted} if quoted else None)
        leading = {sentence.n for sentence in found.composed.verdict}
        best: dict[str, Citation] = {}
        for citation in found.citations:
            if quoted or citation.n in leading:
                best.setdefault(citation.doc_id, citation)
        named: list[Further] = []
        for citation in best.values():
            document: Mapping[str, Any] = searcher.reader.payload("document", citation.doc_id) or {}
            if len(named) < self._most and resolves(citation, {citation.doc_id: document.get("text", "")}):
                numbered = replace(citation, n=len(answer.citations) + len(named) + 1)
                named.append(Further(numbered, str(document.get("meta", {}).get("licence", "unknown"))))
        return named
