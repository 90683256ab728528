"""Fit the abstain decision: logistic weights and threshold, with the risk-coverage curve.

    python evals/calibration/fit.py [PATH…] [--write]

Reads ``questions.jsonl`` and ``hard.jsonl`` beside this file (written for this, none from ../shared/dev-set). Signals
are measured twice: on the built-in curriculum with the named paths (the pasted documents), and on the built-in
curriculum alone, where a question about an item that is not yet written is one that must be refused. Weights are
ridge-regularised logistic regression by Newton's method; every figure printed is from 5-fold cross-validation, split by
question. One signal is itself fitted, inside each fold: a linear probe on the dense vector that tells what is addressed
to the assistant from questions about a subject, of which the encoder's training questions are further examples.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.answering import abstain
from tutor.bootstrap import App
from tutor.retrieval.encoder import OnnxEncoder
from tutor.settings import Settings
from tutor.training.data import read_questions

HERE = Path(__file__).resolve().parent
Array = NDArray[np.float64]
RIDGE = 3.0
PROBE_RIDGE = 1.0
FOLDS = 5
ADDRESSED = ("off-injection", "off-personal")
SUBJECTS = 3000  # training questions that the probe learns subjects from
#: Fluent falsehoods about treated subjects look like questions about them to every signal there is; fitted on, they
#: only push other questions out (golden near misses .775 with and without, refused answerable ones .046 against .052).
LEFT_OUT = ("off-false-premise",)
ANSWERED = 0.94  # share of the answerable questions that must be answered, cross-validated


def signals(paths: list[Path], written: list[dict[str, Any]]) -> tuple[Array, Array, Array, list[dict[str, Any]]]:
    """Features (n, signals), labels (n,), dense vectors and the n questions; 1 where a document covers the question."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        app.ingest(paths)
        documents = app.reader.documents()
        available = {c for d in documents for c in d["covers"]}
        questions = [*written, *named(documents)]
        rows = [list(asdict(app.answerer.ask(q["question"]).signals).values()) for q in questions]
        labels = [float(bool(set(q["covers"]) & available)) for q in questions]
        dense = np.stack([e.dense for e in app.encoder.encode([q["question"] for q in questions])])
        app.close()
    return np.array(rows), np.array(labels), dense.astype(float), questions


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


def subject_questions() -> list[str]:
    """Questions about subjects, every n-th of those that the encoder was trained on."""
    found = [q.text for q in read_questions(HERE.parents[1] / "ingest" / "training" / "questions")]
    return found[:: max(1, len(found) // SUBJECTS)][:SUBJECTS]


def named(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One question for every tenth alias and acronym of the corpus: they must be answered however short they are."""
    names = {n: d["covers"] for d in documents for n in (*d["aliases"], *d["acronyms"])}
    return [{"question": f"What is {n}?", "kind": "name", "covers": names[n]} for n in sorted(names)[::10]]


def newton(z: Array, y: Array, w: Array, penalty: Array) -> Array:
    """The weights of a logistic regression on the columns of ``z``, by Newton's method.

    Args:
        z: (n, d), with a column of ones for the intercept.
        y: (n,), 0 or 1.
        w: (n,), how much each row weighs.
        penalty: (d, d), the ridge; 0 for the intercept.
    """
    beta = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (w * (y - p)) - penalty @ beta
        hessian = (z * (w * p * (1 - p))[:, None]).T @ z + penalty
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def fit(x: Array, y: Array, w: Array) -> Array:
    """Weights (d + 1,), intercept first; ``w`` weighs each row. Features are standardised inside."""
    mean, std = x.mean(0), x.std(0) + 1e-9
    z = np.column_stack([np.ones(len(x)), (x - mean) / std])
    beta = newton(z, y, w, np.diag([0.0] + [RIDGE] * x.shape[1]))
    weights = beta[1:] / std
    return np.concatenate([[beta[0] - weights @ mean], weights])


def fit_probe(dense: Array, addressed: Array, subjects: Array) -> tuple[Array, float]:
    """Weights and bias of the probe; both classes weigh the same."""
    x = np.vstack([dense, subjects])
    y = np.concatenate([addressed, np.zeros(len(subjects))])
    w = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    z = np.column_stack([x, np.ones(len(x))])
    beta = newton(z, y, w, np.diag([PROBE_RIDGE] * x.shape[1] + [0.0]))
    return beta[:-1], float(beta[-1])


def probed(dense: Array, probe: tuple[Array, float]) -> Array:
    """What ``abstain.addressed`` gives for each vector."""
    return np.clip(dense @ probe[0] + probe[1], 0.0, 3.0)


def predict(beta: Array, x: Array) -> Array:
    """Probabilities (n,)."""
    return np.asarray(1 / (1 + np.exp(-(beta[0] + x @ beta[1:]))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="write abstain.json and risk_coverage.json")
    args = parser.parse_args()
    written = [json.loads(line) for name in ("questions", "hard") for line in lines(HERE / f"{name}.jsonl")]
    written = [q for q in written if not (q.get("hard") and q["kind"] in LEFT_OUT)]
    sets = [signals([], written)] + ([signals(args.paths, written)] if args.paths else [])
    questions = [q for s in sets for q in s[3]]
    x, y = np.vstack([s[0] for s in sets]), np.concatenate([s[1] for s in sets])
    dense = np.vstack([s[2] for s in sets])
    spoken = np.array([float(q["kind"] in ADDRESSED) for q in questions])
    encoder = OnnxEncoder()
    subjects = np.stack([e.dense for e in encoder.encode(subject_questions())]).astype(float)
    probe_at = list(asdict(abstain.NOTHING)).index("addressed")
    _, group = np.unique([q["question"] for q in questions], return_inverse=True)
    balance = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    fold = np.random.default_rng(7).permutation(int(group.max()) + 1)[group] % FOLDS
    for k in range(FOLDS):  # the probe's own questions would look too clear to it
        probe = fit_probe(dense[fold != k], spoken[fold != k], subjects)
        x[fold == k, probe_at] = probed(dense[fold == k], probe)
    held_out = np.empty(len(y))
    for k in range(FOLDS):
        held_out[fold == k] = predict(fit(x[fold != k], y[fold != k], balance[fold != k]), x[fold == k])
    # Refusing an answerable question drives a learner away; how often that may happen is chosen, the rest follows. (The
    # threshold with the least summed error swung between 0.33 and 0.53 from one corpus to the next: the sum is flat.)
    # Names do not count here: nearly all are answered, so they would let more of the others be refused.
    whole = np.array([q["kind"] != "name" for q in questions])
    threshold = float(np.floor(np.quantile(held_out[(y == 1) & whole], 1 - ANSWERED) * 100) / 100)
    answered = held_out >= threshold
    print(f"{int(group.max()) + 1} questions, {len(sets)} indexes, {int(y.sum())} answerable rows of {len(y)}")
    print(f"threshold {threshold}: answered {answered[(y == 1) & whole].mean():.3f} of the answerable,")
    print(f"  {answered[(y == 1) & ~whole].mean():.3f} of the names,")
    print(f"  abstained on {1 - answered[y == 0].mean():.3f} of the rest; AUC {auc(held_out, y):.3f}")
    for kind in sorted({q["kind"] for q in questions if not q["covers"] and q["kind"] != "name"}):
        chosen = np.array([q["kind"] == kind for q in questions])
        print(f"  {kind}: abstained on {1 - answered[chosen].mean():.3f} of {int(chosen.sum())}")
    curve = risk_coverage(held_out, y)
    area = float(np.trapezoid([r for _, r in curve], [c for c, _ in curve]))
    print(f"area under the risk-coverage curve {area:.4f}")
    beta = fit(x, y, balance)
    names = list(asdict(abstain.NOTHING))
    model = {
        "intercept": round(float(beta[0]), 4),
        "weights": {name: round(float(b), 4) for name, b in zip(names, beta[1:], strict=True)},
        "threshold": threshold,
    }
    print(json.dumps(model, indent=2))
    weights, bias = fit_probe(dense, spoken, subjects)
    model["probe"] = {"weights": np.round(weights, 3).tolist(), "bias": round(bias, 3)}
    if args.write:
        Path(abstain.__file__).with_name("abstain.json").write_text(json.dumps(model) + "\n")
        report = {"area": round(area, 4), "points": [[round(c, 4), round(r, 4)] for c, r in curve]}
        (HERE / "risk_coverage.json").write_text(json.dumps(report) + "\n")


def auc(scores: Array, y: Array) -> float:
    """The probability that an answerable row scores above one that is not."""
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    positives = y.sum()
    return float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(y) - positives)))


def risk_coverage(scores: Array, y: Array) -> list[tuple[float, float]]:
    """(coverage, risk) at every 5 % of rows answered, most confident first; risk is the share that cannot be."""
    order = np.argsort(-scores)
    wrong = np.cumsum(1 - y[order])
    counts = [max(1, round(len(y) * share / 20)) for share in range(1, 21)]
    return [(n / len(y), float(wrong[n - 1] / n)) for n in counts]


if __name__ == "__main__":
    main()
