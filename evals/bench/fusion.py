"""How the legs are best fused: nDCG@10 and hit@1 over k and weights of reciprocal rank fusion.

    python evals/bench/fusion.py evals/golden/questions.jsonl evals/calibration/held_out.jsonl [MORE.jsonl …]
        [--encoder FOLDER]

Each leg is asked once; the fusion is then computed here, by Qdrant's weighted form (the sum over legs of
``1 / (rank / weight + k - 1)``), so that a grid takes seconds. Files with ``passages`` are judged by section
(``passages.py``), those with ``covers`` by document (``quality.py``). Without the order within documents and the names
that come first, which the search adds after fusion. Choose by all files together, and look at one that took no part.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import NEUTRAL, measures

from tutor.bootstrap import App
from tutor.evals.metrics import dcg
from tutor.retrieval.encoder import OnnxEncoder
from tutor.retrieval.index import BM25, CANDIDATES, DENSE, NAMES, RRF_K, TOKENS, Passage
from tutor.retrieval.search import RERANKED, Ranking
from tutor.settings import Settings
from tutor.training.data import section_of

LEGS = (DENSE, BM25, NAMES, TOKENS)
ALONE = {
    DENSE: Ranking((DENSE,), {DENSE: 1.0}),
    BM25: Ranking((BM25,), {BM25: 1.0}),
    NAMES: Ranking((NAMES,), {NAMES: 1.0}),
    TOKENS: Ranking((DENSE, BM25, TOKENS), {DENSE: 0.0, BM25: 0.0, TOKENS: 1.0}),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A question's passages with each leg's ranks (passages, legs), from 1, infinite where a leg has not found it."""

    question: dict[str, Any]
    passages: list[Passage]
    ranks: NDArray[np.float64]


def found(app: App, question: dict[str, Any]) -> Found:
    passages: dict[str, Passage] = {}
    ranks: dict[str, dict[str, int]] = {}
    for leg in LEGS:
        hits = app.searcher.search(question["question"], limit=CANDIDATES, ranking=ALONE[leg]).hits
        # The searcher has put what answers best first within a document; by score is the leg's own order.
        ordered = sorted(hits, key=lambda hit: -((hit.late or 0.0) if leg == TOKENS else hit.score))
        ranks[leg] = {hit.passage.chunk_id: rank for rank, hit in enumerate(ordered, 1)}
        passages.update({hit.passage.chunk_id: hit.passage for hit in hits})
    table = [[ranks[leg].get(chunk_id, np.inf) for leg in LEGS] for chunk_id in passages]
    return Found(question, list(passages.values()), np.array(table))


def judged(one: Found, k: int, weights: NDArray[np.float64], available: set[str]) -> tuple[float, float]:
    """hit@1 and nDCG@10 of one question."""
    on = weights > 0
    order = np.argsort(-(1 / (one.ranks[:, on] / weights[on] + k - 1)).sum(1), kind="stable")
    ranked = [one.passages[i] for i in order]
    if wanted := {(p["doc"], p["section"]) for p in one.question.get("passages", ())}:
        right = [(p.doc_id, section_of(p)) in wanted for p in ranked[:10]]
        ideal = dcg([1.0] * min(10, max(sum(right), len(wanted))))
        return float(right[0]), dcg(right) / ideal
    documents = {p.doc_id: p.covers or (p.doc_id,) for p in ranked}
    covers = [c for c in documents.values() if not all(item.startswith(NEUTRAL) for item in c)]
    first, _, _, ndcg = measures(covers, set(one.question["covers"]), available)
    return first, ndcg


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="+", type=Path)
    parser.add_argument("--encoder", type=Path, help="a folder made by tutor.training.export; the packaged one if none")
    parser.add_argument("--k", type=int, nargs="+", default=[2, 3, 4, 10, 60])
    parser.add_argument("--bm25", type=float, nargs="+", default=[1.097, 1.497])
    parser.add_argument("--names", type=float, nargs="+", default=[0.0, 1.543])
    parser.add_argument("--late", type=float, nargs="+", default=[0.0, 1.031, 2.213])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)), encoder=OnnxEncoder(args.encoder) if args.encoder else None)
        app.ingest([])
        available = {c for d in app.reader.documents() for c in d["covers"]}
        sets: dict[str, list[Found]] = {}
        for path in args.questions:
            lines = map(json.loads, filter(None, path.read_text(encoding="utf-8").splitlines()))
            asked = [q for q in lines if (q.get("passages") or q.get("covers")) and not q.get("history")]
            sets[path.stem if path.stem not in sets else str(path)] = [found(app, q) for q in asked]
        app.close()
    print("| k | dense, BM25, names, MaxSim | " + " | ".join(f"{name}: hit@1, nDCG@10" for name in sets) + " |")
    print("|---|---|" + "---|" * len(sets))
    shipped = (RRF_K, *(RERANKED.weights[leg] for leg in LEGS))
    grid = [(k, 1.0, *rest) for k, *rest in itertools.product(args.k, args.bm25, args.names, args.late)]
    for k, *weights in dict.fromkeys([shipped, *grid]):
        rows = [
            np.mean([judged(one, int(k), np.array(weights), available) for one in s], axis=0) for s in sets.values()
        ]
        mark = " (shipped)" if (k, *weights) == shipped else ""
        told = ", ".join(f"{w:g}" for w in weights)
        print(f"| {k:g}{mark} | {told} | " + " | ".join(f"{h:.3f}, {n:.3f}" for h, n in rows) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
