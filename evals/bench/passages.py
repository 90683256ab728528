"""Does the right section come first? On questions that name the sections which answer them, for one or more encoders.

    python evals/bench/passages.py evals/golden/questions.jsonl [--encoder FOLDER …]

Questions are lines with ``question`` and ``passages``: ``doc`` and ``section`` (the heading path below the title), the
best first. Figures: the first passage is of a named section; of a document with one; a named section is among the first
five; nDCG@10 over passages, those of named sections relevant. Further encoders are compared with the first, section@1
and nDCG@10, by paired permutation tests (10,000 sign flips). Questions that lean on an earlier one (``history``) are
left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import RANKINGS, change

from tutor.bootstrap import App
from tutor.evals.metrics import dcg
from tutor.retrieval.encoder import MODEL_DIR, OnnxEncoder
from tutor.retrieval.search import Ranking
from tutor.settings import Settings
from tutor.training.data import section_of

MEASURES = ("section@1", "document@1", "section@5", "nDCG@10")


def rows(app: App, questions: list[dict[str, Any]], ranking: Ranking) -> NDArray[np.float64]:
    """(questions, measures)."""
    found = []
    for question in questions:
        wanted = {(p["doc"], p["section"]) for p in question["passages"]}
        hits = [h.passage for h in app.searcher.search(question["question"], limit=10, ranking=ranking).hits]
        right = [(p.doc_id, section_of(p)) in wanted for p in hits]
        # A section may hold several passages: no more can count than were found or there are sections.
        ideal = dcg([1.0] * min(10, max(sum(right), len(wanted))))
        documents = {doc for doc, _ in wanted}
        found.append(
            (right[:1] == [True], bool(hits) and hits[0].doc_id in documents, any(right[:5]), dcg(right) / ideal)
        )
    return np.array(found, dtype=float)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--encoder", type=Path, action="append", default=[], help="a folder; the packaged one if none")
    args = parser.parse_args()
    lines = args.questions.read_text(encoding="utf-8").splitlines()
    questions = [q for q in map(json.loads, filter(None, lines)) if q.get("passages") and not q.get("history")]
    first: dict[str, NDArray[np.float64]] = {}
    for folder in args.encoder or [MODEL_DIR]:
        with tempfile.TemporaryDirectory() as home:
            app = App(Settings(home=Path(home)), encoder=OnnxEncoder(folder))
            app.ingest([])
            print(f"\n{app.encoder.name}: {len(questions)} questions\n")
            print(f"| ranking | {' | '.join(MEASURES)} | against the first encoder |\n|---|---|---|---|---|---|")
            for name, ranking in RANKINGS.items():
                found = rows(app, questions, ranking)
                told = change(found, first[name]) if name in first else ""
                first.setdefault(name, found)
                print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in found.mean(axis=0)) + f" | {told} |")
            app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
