"""Does an answer say a fact? The ruler of key-fact coverage, the same for every run, measured against people.

A small logistic model over what words, late interaction and the drills' judge find in the answer; fitted on one half of
``evals/golden/fact_labels.jsonl`` by ``evals/calibration/facts.py``. Every report states how it agrees with people on
the other half (``agreement``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tutor.drill.calibration import Softmax
from tutor.drill.evidence import Gatherer, Near
from tutor.drill.judge import CONTRADICTED, COVERED, Judge, OnnxJudge
from tutor.drill.reading import read
from tutor.drill.rubric import Claim
from tutor.evals.metrics import kappa
from tutor.evals.remembering import Remembering
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
#: Where in ``FACT_FEATURES`` the chances of a judge's classes stand.
_COLUMNS = {COVERED: 3, CONTRADICTED: 4}


class FactJudge:
    """Judges facts with the packaged encoder and grader, whatever the product under test uses.

    Args:
        encoder: finds the sentences worth judging.
        judge: reads them.
    """

    def __init__(self, encoder: Encoder | None = None, judge: Judge | None = None) -> None:
        self._judge = judge or OnnxJudge()
        # Answers quote the same sentences again and again.
        self._gatherer = Gatherer(Remembering(encoder or OnnxEncoder()), self._judge)

    @cached_property
    def _model(self) -> Softmax:
        return Softmax.of(json.loads(MODEL.read_text(encoding="utf-8"))["model"])

    def covered(self, answer: str, facts: Sequence[Fact]) -> list[bool]:
        """Whether the answer says each fact, in order; Markdown and citation marks are looked through.

        The judge reads only what the decision hangs on: windows where it could turn it, the whole answer (the longest
        text by far) where the windows leave it open. The decisions are those of ``features``.
        """
        said = self._read(answer, facts)
        if said is None:
            return [self._says(row) for row in np.zeros((len(facts), len(FACT_FEATURES)), dtype=np.float32)]
        rows, near = said
        for wanted, column in ((_windows, CONTRADICTED), (_whole, COVERED)):
            open_ = [n for n, row in enumerate(rows) if self._open(row)]
            pairs = [[(facts[n].fact, text) for text in wanted(near[n])] for n in open_]
            every = list(dict.fromkeys(pair for some in pairs for pair in some))
            scored = dict(zip(every, self._judge.judge(every), strict=True))
            for n, some in zip(open_, pairs, strict=True):
                rows[n, _COLUMNS[column]] = max(scored[pair][column] for pair in some)
        return [self._says(np.nan_to_num(row)) for row in rows]

    def _says(self, row: NDArray[np.float32]) -> bool:
        return bool(self._model(row)[1] >= 0.5)

    def _open(self, row: NDArray[np.float32]) -> bool:
        """Whether chances that are not known yet (NaN), each in [0, 1], could turn the decision."""
        unknown = np.flatnonzero(np.isnan(row))
        ends = [row.copy() for _ in range(2 ** len(unknown))]
        for number, end in enumerate(ends):
            end[unknown] = [(number >> bit) & 1 for bit in range(len(unknown))]
        return len({self._says(end) for end in ends}) > 1

    def features(self, answer: str, facts: Sequence[Fact]) -> NDArray[np.float32]:
        """(facts, len(FACT_FEATURES)); all zero for an answer without a sentence."""
        said = self._read(answer, facts)
        if said is None:
            return np.zeros((len(facts), len(FACT_FEATURES)), dtype=np.float32)
        rows, near = said
        for row, fact, one in zip(rows, facts, near, strict=True):
            scored = self._judge.judge([(fact.fact, text) for text in (*_windows(one), *_whole(one))])
            row[_COLUMNS[CONTRADICTED]] = scored[:-1, CONTRADICTED].max()
            row[_COLUMNS[COVERED]] = scored[-1, COVERED]
        return rows

    def _read(self, answer: str, facts: Sequence[Fact]) -> tuple[NDArray[np.float32], list[Near]] | None:
        """The features with NaN for what the judge has to say, and what it should read; None without a sentence."""
        reading = read(_MARK.sub("", answer))
        if not reading.sentences:
            return None
        sentences = [frozenset(terms(s.text)) for s in reading.sentences]
        said = quantities(reading.text)
        near = self._gatherer.near(reading, [Claim(f.fact, f.fact) for f in facts])
        rows = []
        for fact, one in zip(facts, near, strict=True):
            shares = [_share(wording, sentences) for wording in (fact.fact, *fact.aliases)]
            wanted = [q for q in quantities(fact.fact) if not q.trivial]
            missing = sum(not any(agrees(w, s) for s in said) for w in wanted) / max(1, len(wanted))
            rows.append([shares[0], float(np.mean(shares)), one.affinity[0], math.nan, math.nan, missing])
        return np.array(rows, dtype=np.float32), near


def _windows(near: Near) -> list[str]:
    return [window.text for window in near.windows]


def _whole(near: Near) -> list[str]:
    return [near.whole]


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
