"""Fit the grader's thresholds on one half of the labelled answers and report on the other half.

    python evals/drill/calibrate.py              # report on what is packaged
    python evals/drill/calibrate.py --write      # fit first, and write src/tutor/drill/calibration.json
    python evals/drill/calibrate.py --grader FOLDER --write --out FILE       # another grader

``answers.jsonl`` says which half a probe is in; no probe is in both. The report is of the half that took no part in the
fit.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.drill.calibration import CALIBRATION, Models, Softmax
from tutor.drill.evidence import FEATURES
from tutor.drill.grade import VERDICTS, verdict_features
from tutor.drill.grading import settled
from tutor.drill.judge import GRADER_DIR, STATUSES, OnnxJudge
from tutor.drill.reading import read
from tutor.drill.repeats import folded
from tutor.evals.drills import OUTCOMES, Labelled, Outcome, rows_of
from tutor.evals.metrics import kappa
from tutor.settings import Settings

HERE = Path(__file__).parent
FALSE_FLAGS = 0.078  # share of the answers without a red flag that may be said to have it


def softmax_fit(features: np.ndarray, labels: np.ndarray, classes: int, *, ridge: float) -> dict[str, list[Any]]:
    """A multinomial logistic regression with an L2 penalty on standardised features (extra 'train')."""
    import torch

    mean, scale = features.mean(0), features.std(0) + 1e-6
    x = torch.from_numpy((features - mean) / scale).double()
    y = torch.from_numpy(labels).long()
    weight = torch.zeros((classes, x.shape[1]), dtype=torch.double, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ weight.T + bias, y) + ridge * (weight**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return {
        "mean": np.round(mean, 6).tolist(),
        "scale": np.round(scale, 6).tolist(),
        "weight": np.round(weight.detach().numpy(), 4).tolist(),
        "bias": np.round(bias.detach().numpy(), 4).tolist(),
    }


def fitted(data: Labelled) -> dict[str, Any]:
    """The calibration, from the half that is for fitting; of the answers beside them only the verdict learns."""
    status = softmax_fit(*data.points("fit"), len(STATUSES), ridge=1e-3)
    x, y = data.flags("fit")
    flag = softmax_fit(x, y, 2, ridge=1e-3)
    chance = np.array([Softmax.of(flag)(row)[1] for row in x])
    # A flag that is wrongly raised spoils a good answer's grade.
    flag_from = float(np.quantile(chance[y == 0], 1 - FALSE_FLAGS))
    models = Models(Softmax.of(status), Softmax.of(flag), flag_from)
    features, verdicts = [], []
    for row in data.rows:
        if row["half"] == "fit" and row["id"] in data.evidence and row["verdict"] in VERDICTS:
            words = folded(read(row["answer"])).words
            points, _, highest = settled(data.rubric(row), data.evidence[row["id"]], row["answer"], words, models)
            features.append(verdict_features(points, highest, words))
            verdicts.append(VERDICTS.index(row["verdict"]))
    verdict = softmax_fit(np.array(features, dtype=float), np.array(verdicts), 4, ridge=1e-3)
    fit = {"status": status, "flag": flag, "flag_from": round(flag_from, 3), "verdict": verdict}
    return {"features": list(FEATURES), **fit}


def show(outcome: Outcome, title: str) -> None:
    """Print tables, figures, and both by kind of answer."""
    probes = len({(r["card"], r["probe"]) for r in outcome.rows})
    print(f"\n## {title}: {len(outcome.rows)} answers, {probes} probes, {outcome.ms:.0f} ms each\n")
    print(f"Points, true class by row: {', '.join(STATUSES)}\n{outcome.points}")
    print(f"\nVerdicts, true by row: {', '.join(OUTCOMES)}\n{outcome.verdicts}\n")
    for name, value in outcome.figures.items():
        print(f"{name}: {value:.3f}")
    by_kind: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for r in outcome.rows:
        g = outcome.grades[r["id"]]
        right = sum(r["points"][p.point] == p.status for p in g.points) / len(g.points)
        by_kind[r["kind"]].append((right, r["verdict"] == g.verdict, g.score))
    print("\n| kind | answers | points right | verdict right | mean score |\n|---|---|---|---|---|")
    for kind, found in sorted(by_kind.items()):
        means = " | ".join(f"{sum(column) / len(found):.2f}" for column in zip(*found, strict=True))
        print(f"| {kind} | {len(found)} | {means} |")


def agreement() -> None:
    """How far the independent labelling passes agree."""
    passes = rows_of(HERE / "passes.jsonl")
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        table = np.zeros((4, 4), dtype=int)
        verdicts = Counter()
        for row in passes:
            if one in row and other in row:
                for point, status in row[one]["points"].items():
                    table[STATUSES.index(status), STATUSES.index(row[other]["points"][point])] += 1
                verdicts[row[one]["verdict"] == row[other]["verdict"]] += 1
        alike = f"{verdicts[True]} of {verdicts.total()}"
        print(f"pass {one} and {other}: {table.sum()} points, kappa {kappa(table):.3f}; verdicts alike {alike}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grader", type=Path, default=GRADER_DIR)
    parser.add_argument("--write", action="store_true", help="fit and write the calibration first")
    parser.add_argument("--out", type=Path, default=CALIBRATION)
    parser.add_argument("--both", action="store_true", help="also report on the half it was fitted on")
    args = parser.parse_args()
    agreement()
    with tempfile.TemporaryDirectory() as home:
        beside = [HERE / "band.jsonl", HERE / "band-derived.jsonl"]
        data = Labelled(App(Settings(home=Path(home))), HERE / "answers.jsonl", OnnxJudge(args.grader), beside)
        if args.write:
            args.out.write_text(json.dumps(fitted(data), indent=1) + "\n", encoding="utf-8")
        grader = data.grader(args.out)
        for half in ("fit", "report") if args.both else ("report",):
            outcome = Outcome.of(data, grader, half)
            main = {row["id"] for row in data.main}
            own = Outcome.over([r for r in outcome.rows if r["id"] in main], outcome.grades, outcome.ms)
            for name, part in own.apart.items():
                show(part, f"{half}, {name} answers")
            for name, value in own.short_figures.items():
                print(f"{name}: {value:.3f}")
            band = Outcome.over([r for r in outcome.rows if r["id"] not in main], outcome.grades, outcome.ms)
            show(band, f"{half}, answers of 31 to 95 words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
