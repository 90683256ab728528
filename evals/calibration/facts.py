"""Fit the judge of key facts on one half of the labels, and report on the other.

    python evals/calibration/facts.py            # report on what is packaged
    python evals/calibration/facts.py --write    # fit first, and write src/tutor/evals/facts.json

``evals/golden/fact_labels.jsonl``: 240 answers that the product gave to golden questions, each with one key fact, read
by two independent passes (kappa .983, the two disagreements settled by a third reading).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from fit import newton

from tutor.evals.facts import FACT_FEATURES, MODEL, FactJudge, agreement
from tutor.evals.sets import Fact, FactLabel, Sets

EVALS = Path(__file__).resolve().parents[1]
RIDGE = 0.02


def fit(judge: FactJudge, labels: tuple[FactLabel, ...]) -> dict[str, object]:
    mine = [label for label in labels if label.half == "fit"]
    rows = [judge.features(one.answer, [Fact(fact=one.fact, aliases=one.aliases)])[0] for one in mine]
    x, y = np.array(rows, dtype=float), np.array([one.covered for one in mine], dtype=float)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    *weight, bias = newton(z, y, np.full(len(x), 1 / len(x)), np.diag([RIDGE] * x.shape[1] + [0.0]))
    model = {
        "mean": np.round(mean, 6).tolist(),
        "scale": np.round(scale, 6).tolist(),
        "weight": [[0.0] * len(weight), np.round(weight, 4).tolist()],
        "bias": [0.0, round(float(bias), 4)],
    }
    return {"features": list(FACT_FEATURES), "model": model}


def main() -> int:
    judge, labels = FactJudge(), Sets(EVALS).fact_labels
    if "--write" in sys.argv[1:]:
        MODEL.write_text(json.dumps(fit(judge, labels), indent=1) + "\n", encoding="utf-8")
    accuracy, of_kappa = agreement(judge, labels)
    share = np.mean([label.covered for label in labels])
    print(f"{len(labels)} labels, {share:.3f} covered; on the other half accuracy {accuracy:.3f}, kappa {of_kappa:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
