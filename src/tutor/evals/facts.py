"""Does an answer say a fact? The ruler of key-fact coverage, the same for every run, measured against people.

A small logistic model over what words, late interaction and the drills' judge find in the answer; fitted on one half of
``evals/golden/fact_labels.jsonl`` by ``evals/calibration/facts.py``. Every report states how it agrees with people on
the other half (``agreement``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tutor.drill.calibration import Softmax
from tutor.drill.evidence import FEATURES, Gatherer
from tutor.drill.judge import Judge, OnnxJudge
from tutor.drill.reading import read
from tutor.drill.rubric import Claim
from tutor.evals.metrics import kappa
from tutor.evals.sets import Fact, FactLabel
from tutor.quantities.numbers import agrees, quantities
from tutor.retrieval.encoder import Encoder, OnnxEncoder
from tutor.retrieval.lexical import terms

MODEL = Path(__file__).with_name("facts.json")
#: What ``FactJudge.features`` holds, in order.
FACT_FEATURES = (
    "terms of the fact in one sentence",
    "terms of a wording in one sentence, mean over the wordings",
    "late interaction with the nearest window",
    "judge: covered by the whole answer",
    "judge: contradicted in a window",
    "figures that are missing",
)
_MARK = re.compile(r"\s*\[\d+\]|\*\*|^[-#>]+\s+", re.M)
_JUDGED = tuple(
    FEATURES.index(name) for name in ("affinity of the nearest window", "covered, whole", "contradicted, best window")
)


class FactJudge:
    """Judges facts with the packaged encoder and grader, whatever the product under test uses.

    Args:
        encoder: finds the sentences worth judging.
        judge: reads them.
    """

    def __init__(self, encoder: Encoder | None = None, judge: Judge | None = None) -> None:
        self._gatherer = Gatherer(encoder or OnnxEncoder(), judge or OnnxJudge())

    @cached_property
    def _model(self) -> Softmax:
        return Softmax.of(json.loads(MODEL.read_text(encoding="utf-8"))["model"])

    def covered(self, answer: str, facts: Sequence[Fact]) -> list[bool]:
        """Whether the answer says each fact, in order; Markdown and citation marks are looked through."""
        return [bool(self._model(row)[1] >= 0.5) for row in self.features(answer, facts)]

    def features(self, answer: str, facts: Sequence[Fact]) -> NDArray[np.float32]:
        """(facts, len(FACT_FEATURES)); all zero for an answer without a sentence."""
        reading = read(_MARK.sub("", answer))
        if not reading.sentences:
            return np.zeros((len(facts), len(FACT_FEATURES)), dtype=np.float32)
        sentences = [frozenset(terms(s.text)) for s in reading.sentences]
        said = quantities(reading.text)
        found = self._gatherer.gather(reading, [Claim(f.fact, f.fact) for f in facts])
        rows = []
        for fact, evidence in zip(facts, found, strict=True):
            shares = [_share(wording, sentences) for wording in (fact.fact, *fact.aliases)]
            wanted = [q for q in quantities(fact.fact) if not q.trivial]
            missing = sum(not any(agrees(w, s) for s in said) for w in wanted) / max(1, len(wanted))
            rows.append([shares[0], float(np.mean(shares)), *(float(evidence.features[n]) for n in _JUDGED), missing])
        return np.array(rows, dtype=np.float32)


def _share(wording: str, sentences: Sequence[frozenset[str]]) -> float:
    """The highest share of a wording's terms that stand in one sentence."""
    wanted = frozenset(terms(wording))
    return max(len(wanted & sentence) for sentence in sentences) / len(wanted) if wanted else 0.0


def agreement(judge: FactJudge, labels: Sequence[FactLabel]) -> tuple[float, float]:
    """Accuracy and Cohen's kappa against people's labels, those that the judge was not fitted on."""
    table = np.zeros((2, 2), dtype=int)
    for label in labels:
        if label.half == "report":
            (said,) = judge.covered(label.answer, [Fact(fact=label.fact, aliases=label.aliases)])
            table[int(label.covered), int(said)] += 1
    return float(np.trace(table) / table.sum()), kappa(table)
