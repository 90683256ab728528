"""How well an encoder finds the right section of the right document among all passages of the curriculum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tutor.evals.metrics import dcg
from tutor.ingest.chunk import Chunk
from tutor.retrieval.encoder import Encoder
from tutor.retrieval.index import CANDIDATES, RRF_K
from tutor.training.data import Item, section_of


def measure(encoder: Encoder, items: Sequence[Item], pieces: Sequence[Chunk]) -> dict[str, dict[str, float]]:
    """Figures of dense alone, late interaction over its first candidates, and the sum of both ranks.

    ``section@1``: the first passage is of the question's section. ``document@1``: of its document. ``ndcg@10``: of the
    passages, those of the section relevant. All in [0, 1], over the questions of ``items``; empty for no items.
    """
    if not items:
        return {}
    sections = np.array([f"{p.doc_id}#{section_of(p)}" for p in pieces])
    documents = np.array([p.doc_id for p in pieces])
    told = encoder.encode([p.encoded_text for p in pieces])
    dense = np.stack([t.dense for t in told])
    asked = [(q, item) for item in items for q in item.questions]
    rows: dict[str, list[tuple[float, float, float]]] = {"dense": [], "late": [], "both": []}
    for (_, item), question in zip(asked, encoder.encode([q for q, _ in asked]), strict=True):
        scores = dense @ question.dense
        first = np.argsort(-scores, kind="stable")[:CANDIDATES]
        late = np.array([max_sim(question.tokens, told[n].tokens) for n in first])
        by_late = np.argsort(-late, kind="stable")
        fused = 1 / (RRF_K + np.arange(len(first))) + 1 / (RRF_K + np.argsort(by_late, kind="stable"))
        for name, order in (("dense", first), ("late", first[by_late]), ("both", first[np.argsort(-fused)])):
            right = sections[order[:10]] == item.section
            ideal = dcg([1.0] * min(10, int((sections == item.section).sum())))
            rows[name].append((float(right[0]), float(documents[order[0]] == item.group), dcg(right) / ideal))
    names = ("section@1", "document@1", "ndcg@10")
    return {
        ranking: {name: round(float(value), 4) for name, value in zip(names, np.mean(found, axis=0), strict=True)}
        for ranking, found in rows.items()
    }


def max_sim(question: NDArray[np.float32], passage: NDArray[np.float32]) -> float:
    """The sum over the question's token vectors of the highest dot product with one of the passage's."""
    return float((question @ passage.T).max(axis=1).sum()) if len(question) and len(passage) else 0.0
