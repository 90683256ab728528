"""What the product says to the questions of the sets: each is asked once in a run, whichever suites want to know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from tutor.answering.answer import Answer
from tutor.answering.talk import Said
from tutor.bootstrap import App
from tutor.evals.sets import Question, Sets
from tutor.retrieval.index import Hit

HITS = 10


class Asked:
    """Answers and hits by question.

    Args:
        app: the product under test, with its index made.
        sets: the golden sets.
    """

    def __init__(self, app: App, sets: Sets) -> None:
        self.app = app
        self._sets = sets
        self._answers: dict[str, Answer] = {}
        self._read: dict[str, str] = {}
        self._hits: dict[tuple[str, bool], list[Hit]] = {}

    def read(self, question: Question) -> str:
        """What the product makes of a question after what was asked before it, as in a conversation."""
        if question.id not in self._read:
            before = self.app.talk.remembered(Said(text) for text in question.history)
            self._read[question.id] = self.app.talk.read(question.question, before).text
        return self._read[question.id]

    def answer(self, question: str) -> Answer:
        if question not in self._answers:
            self._answers[question] = self.app.answerer.ask(question)
        return self._answers[question]

    def by_document(self, question: str) -> list[Hit]:
        """Each document's best passage, the ten best documents."""
        return self._search(question, by_document=True)

    def passages(self, question: str) -> list[Hit]:
        """The ten best passages."""
        return self._search(question, by_document=False)

    def _search(self, question: str, *, by_document: bool) -> list[Hit]:
        key = question, by_document
        if key not in self._hits:
            self._hits[key] = self.app.searcher.search(question, limit=HITS, by_document=by_document).hits
        return self._hits[key]

    @cached_property
    def documents(self) -> dict[str, dict[str, object]]:
        return {d["doc_id"]: d for d in self.app.reader.documents()}

    @cached_property
    def texts(self) -> dict[str, str]:
        return {d: str((self.app.reader.payload("document", d) or {}).get("text", "")) for d in self.documents}

    def answering_for(self, wanted: Sequence[str]) -> dict[str, frozenset[str]]:
        """The documents that answer, with the wanted ones that each stands for: itself, those that cover the same item,
        and those whose subject it is a note on.
        """
        found: dict[str, set[str]] = {}
        for name in wanted:
            items = set(map(str, self.documents.get(name, {}).get("covers", ())))  # type: ignore[call-overload]
            items |= {twin for twin, cards in self._sets.twins.items() if items & set(cards)}
            for doc_id, row in self.documents.items():
                if doc_id == name or items & set(row["covers"]):  # type: ignore[call-overload]
                    found.setdefault(doc_id, set()).add(name)
            found.setdefault(name, set()).add(name)
        return {doc_id: frozenset(names) for doc_id, names in found.items()}
