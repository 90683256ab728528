"""Is each sentence of an answer supported by what it cites?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tutor.answering.answer import Answer
from tutor.answering.cite import Citation, resolves
from tutor.quantities.numbers import agrees, quantities
from tutor.retrieval.lexical import terms
from tutor.tables import rows

_FROM = 0.8  # share of a sentence's terms that its citation must hold; the rest may be its label


def supported(answer: Answer, texts: Mapping[str, str]) -> float:
    """The share of sentences whose citation resolves, holds their terms and all their figures.

    Args:
        answer: one that was not refused.
        texts: doc_id to the document's text.

    Returns:
        In [0, 1]; NaN for an answer without a sentence.
    """
    cited = {c.n: c for c in answer.citations if resolves(c, texts)}
    found = []
    for sentence in (*answer.composed.verdict, *(s for g in answer.composed.groups for s in g.sentences)):
        citation = cited.get(sentence.n)
        if citation is None:
            found.append(False)
            continue
        place = " ".join((citation.title, *citation.heading, _read(citation, texts[citation.doc_id])))
        words, held = frozenset(terms(sentence.text)), frozenset(terms(place))
        figures = quantities(place)
        found.append(
            len(words & held) >= _FROM * len(words)
            and all(any(agrees(q, f) for f in figures) for q in quantities(sentence.text) if not q.trivial)
        )
    return sum(found) / len(found) if found else math.nan


def _read(citation: Citation, text: str) -> str:
    """What a citation says: its quote, and of a row of a table its cells behind the heads of their columns."""
    if "|" not in citation.quote:
        return citation.quote
    at = (citation.start, citation.end)
    return next((row.said for row in rows(text) if (row.start, row.end) == at), citation.quote)
