"""Further reading: what the linked readings that the learner has fetched say to a question, told apart from the answer.

Readings have an index of their own (docs/decisions), so that they have no part in the ranking, the rarity of words, or
the decision to answer. A reading is asked as the curriculum is, and named where it would have answered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tutor.answering.answer import Answer, Answerer
from tutor.answering.cite import Citation, resolves
from tutor.errors import IndexFault
from tutor.retrieval.search import Searcher

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Further:
    """A reading with what it says to the question: ``citation.source`` is its address, ``covers`` its cards."""

    citation: Citation
    licence: str


class Readings:
    """The learner's readings as something to ask.

    Args:
        searcher: over the readings' own index.
        most: how many readings are named.
    """

    def __init__(self, searcher: Searcher, *, most: int) -> None:
        self._searcher = searcher
        self._answerer = Answerer(searcher)
        self._most = most

    def beside(self, answer: Answer) -> tuple[Further, ...]:
        """At most ``most`` readings, one citation each, best first; numbers go on from the answer's.

        None where the question itself cannot be answered. A fault of the readings' index is logged: the answer stands.
        """
        if answer.refusal:
            return ()
        try:
            self._searcher.refresh()
            found = self._answerer.ask(answer.question)
            return tuple(self._first_of_each(found, len(answer.citations)))
        except IndexFault as fault:
            _log.warning("the readings cannot be searched. %s", fault.message)
            return ()

    def _first_of_each(self, found: Answer, before: int) -> list[Further]:
        best: dict[str, Citation] = {}
        for citation in found.citations:
            best.setdefault(citation.doc_id, citation)
        named: list[Further] = []
        for citation in best.values():
            document: Mapping[str, Any] = self._searcher.reader.payload("document", citation.doc_id) or {}
            if len(named) < self._most and resolves(citation, {citation.doc_id: document.get("text", "")}):
                numbered = replace(citation, n=before + len(named) + 1)
                named.append(Further(numbered, str(document.get("meta", {}).get("licence", "unknown"))))
        return named


