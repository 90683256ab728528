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

from tutor.evals.facts import FACT_FEATURES, MODEL, FactJudge, agreement
from tutor.evals.sets import Fact, FactLabel, Sets

EVALS = Path(__file__).resolve().parents[1]
RIDGE = 0.02


def logistic(x: np.ndarray, y: np.ndarray, ridge: float = RIDGE, steps: int = 50) -> tuple[np.ndarray, float]:
    """Weights and bias of a logistic regression with an L2 penalty on the weights, by Newton's method."""
    design = np.hstack([x, np.ones((len(x), 1))])
    theta = np.zeros(design.shape[1])
    penalty = np.diag([ridge] * x.shape[1] + [0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-design @ theta))
        gradient = design.T @ (p - y) / len(x) + penalty @ theta
        hessian = (design.T * (p * (1 - p))) @ design / len(x) + penalty + 1e-9 * np.eye(len(theta))
        theta -= np.linalg.solve(hessian, gradient)
    return theta[:-1], float(theta[-1])


def fit(judge: FactJudge, labels: tuple[FactLabel, ...]) -> dict[str, object]:
    mine = [label for label in labels if label.half == "fit"]
    rows = [judge.features(one.answer, [Fact(fact=one.fact, aliases=one.aliases)])[0] for one in mine]
    x, y = np.array(rows, dtype=float), np.array([one.covered for one in mine], dtype=float)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    weight, bias = logistic((x - mean) / scale, y)
    model = {
        "mean": np.round(mean, 6).tolist(),
        "scale": np.round(scale, 6).tolist(),
        "weight": [[0.0] * len(weight), np.round(weight, 4).tolist()],
        "bias": [0.0, round(bias, 4)],
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
