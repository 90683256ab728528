"""What a single golden question must keep to: places that exist, a phase that fits, facts that can be looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.evals.sets import Question
from tutor.evals.wording import normalised, sections, text_of
from tutor.ingest.documents import Document
from tutor.quantities.numbers import agrees, quantities
from tutor.retrieval.lexical import terms

FACTS = 6  # a question with more asks for a list, and one missing fact says nothing
REFERENCE_WORDS = (15, 120)


class Fault(Strict):
    """Something wrong in a set; a ``warning`` is for a person to judge and fails nothing."""

    file: str = Field(description="below the folder of the sets")
    id: str = Field("", description="of the row; empty where it is about the file or the row has none")
    what: str
    fix: str
    level: Literal["fault", "warning"] = "fault"


class Rows:
    """Checks golden questions against the curriculum.

    Args:
        documents: the curriculum's.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = {d.doc_id: d for d in documents}
        self._texts = sections(documents)
        self.phases = frozenset(phase for d in documents if isinstance(phase := d.meta.get("phase"), int))

    def check(self, file: str, question: Question) -> Iterator[Fault]:
        """The faults of a question, in the order of its fields."""
        found = (
            *self._places(question),
            *self._phase(question),
            *_shape(question),
            *_facts(question),
            *self._figures(question),
        )
        for what, fix, level in found:
            yield Fault(file=file, id=question.id, what=what, fix=fix, level=level)

    def _places(self, question: Question) -> Iterator[_Found]:
        for doc_id in question.documents:
            if doc_id not in self._documents:
                yield f"there is no document '{doc_id}'", "Name a document by its id: tutor search --by-doc.", "fault"
        for place in dict.fromkeys(question.passages):
            if (place.doc, place.section) not in self._texts:
                known = [section for doc, section in self._texts if doc == place.doc]
                fix = f"Its sections: {'; '.join(known)}." if known else "Name a document by its id."
                yield f"'{place.doc}' has no section '{place.section}'", fix, "fault"
            if place.doc not in question.documents:
                fix = "Add it to 'documents', or take the passage out."
                yield f"the passage's document '{place.doc}' is not among the right documents", fix, "fault"
        if len(set(question.passages)) < len(question.passages) or len(set(question.documents)) < len(
            question.documents
        ):
            yield "a document or passage is named twice", "Name each once, the best first.", "fault"

    def _phase(self, question: Question) -> Iterator[_Found]:
        if question.phase not in self.phases:
            yield (
                f"there is no phase {question.phase}",
                f"One of {min(self.phases, default=0)} to {max(self.phases, default=0)}.",
                "fault",
            )
            return
        first = self._documents.get(question.documents[0])
        fitting = self._phases_of(first) if first else set()
        if fitting and question.phase not in fitting:
            told = ", ".join(map(str, sorted(fitting)))
            yield f"the phase is {question.phase}, '{question.documents[0]}' is of {told}", "Take its phase.", "fault"

    def _phases_of(self, document: Document) -> set[int]:
        """A card's own phase; of an article, a day or an exercise those of the cards that it belongs to."""
        if isinstance(phase := document.meta.get("phase"), int):
            return {phase}
        related = document.meta.get("related", ())
        cards = [self._documents[r] for r in related if r in self._documents] if isinstance(related, tuple) else []
        return {phase for card in cards if isinstance(phase := card.meta.get("phase"), int)}

    def _figures(self, question: Question) -> Iterator[_Found]:
        """Figures in facts that none of the right sections has; an estimate may work them out, so only warnings."""
        said = quantities(text_of(question.passages, self._texts))
        for fact in question.key_facts:
            for mine in quantities(fact.fact):
                if not mine.trivial and not any(agrees(mine, theirs, tolerance=0.02) for theirs in said):
                    figure = fact.fact[mine.start : mine.end].strip()
                    what = f"the key fact '{fact.fact}' has '{figure}', which none of its passages has"
                    yield what, "Check the figure, or add the passage that has it.", "warning"


_Found = tuple[str, str, Literal["fault", "warning"]]


def _shape(question: Question) -> Iterator[_Found]:
    if question.kind == "follow-up" and not question.history:
        yield "a follow-up without what was asked before", "Put the earlier questions into 'history'.", "fault"
    if question.kind != "follow-up" and question.history:
        yield (
            f"has a history but is of kind '{question.kind}'",
            "Make it a follow-up, or take the history out.",
            "fault",
        )
    if question.kind == "multi-card" and len(question.documents) < 2:
        yield "of kind 'multi-card' with one document", "Name the others, or choose another kind.", "fault"
    least, most = REFERENCE_WORDS
    if not least <= (count := len(question.reference.split())) <= most:
        yield f"the reference has {count} words", f"{least} to {most} words.", "fault"


def _facts(question: Question) -> Iterator[_Found]:
    if len(question.key_facts) > FACTS:
        yield (
            f"{len(question.key_facts)} key facts",
            f"At most {FACTS}: those a right answer cannot do without.",
            "fault",
        )
    owners: dict[str, int] = {}
    for number, fact in enumerate(question.key_facts):
        for said in (fact.fact, *fact.aliases):
            key = normalised(said)
            if key in owners:
                same = owners[key] == number
                what = f"'{said}' stands twice in one key fact" if same else f"'{said}' is said of two key facts"
                yield what, "Each fact and alias once: an answer that says it would count twice.", "fault"
            owners.setdefault(key, number)
            if not terms(said):
                yield f"'{said}' has no word that means anything by itself", "Say what the fact is about.", "fault"
