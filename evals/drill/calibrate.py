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
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.drill.evidence import FEATURES, Evidence, Gatherer
from tutor.drill.gaming import screen
from tutor.drill.grade import CALIBRATION, STATUSES, Grade, Grader
from tutor.drill.judge import GRADER_DIR, OnnxJudge
from tutor.drill.library import OwnText
from tutor.drill.reading import read
from tutor.drill.rubric import Rubric, of_probe
from tutor.settings import Settings
from tutor.training.measure import kappa

HERE = Path(__file__).parent
VERDICTS = ("strong", "mixed", "weak", "wrong", "ungraded")
ATTACKS = frozenset("terms question-back instructions padding pasted negated claims alien".split())
PASSING = 0.5  # a score that an attack must not gain
FALSE_FLAGS = 0.03  # share of the answers without a red flag that may be said to have it


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


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


class Labelled:
    """The labelled answers with their rubrics and evidence."""

    def __init__(self, app: App, gatherer: Gatherer) -> None:
        self.rows = rows_of(HERE / "answers.jsonl")
        probes = {(c.id, p.id): (c, p) for c in app.corpus.cards.values() for p in c.probes}
        self.rubrics: dict[tuple[str, str], Rubric] = {k: of_probe(*v) for k, v in probes.items()}
        self.own = OwnText(app.corpus)
        self.evidence: dict[str, list[Evidence]] = {}
        for row in self.rows:
            rubric = self.rubric(row)
            screened = screen(read(row["answer"]), ask=rubric.ask, card=self.own[rubric.doc_id])
            if not screened.reason:
                claims = rubric.claims[: len(rubric.points) + len(rubric.flags)]
                self.evidence[row["id"]] = gatherer.gather(screened.reading, claims)

    def rubric(self, row: dict[str, Any]) -> Rubric:
        return self.rubrics[row["card"], row["probe"]]

    def points(self, half: str) -> tuple[np.ndarray, np.ndarray]:
        """Features and classes of every point of the answers that were not screened out."""
        x, y = [], []
        for row in self.rows:
            if row["half"] == half and row["id"] in self.evidence:
                for point, one in zip(self.rubric(row).points, self.evidence[row["id"]], strict=False):
                    x.append(one.features)
                    y.append(STATUSES.index(row["points"][point.id]))
        return np.array(x, dtype=float), np.array(y)

    def flags(self, half: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = [], []
        for row in self.rows:
            if row["half"] == half and row["id"] in self.evidence:
                rubric = self.rubric(row)
                for flag, one in zip(rubric.flags, self.evidence[row["id"]][len(rubric.points) :], strict=True):
                    x.append(one.features)
                    y.append(int(flag.id in row["red_flags"]))
        return np.array(x, dtype=float), np.array(y)


def fitted(data: Labelled) -> dict[str, Any]:
    """The calibration, from the half that is for fitting."""
    status = softmax_fit(*data.points("fit"), len(STATUSES), ridge=1e-3)
    x, y = data.flags("fit")
    flag = softmax_fit(x, y, 2, ridge=1e-3)
    z = (x - np.array(flag["mean"])) / np.array(flag["scale"])
    logits = z @ np.array(flag["weight"]).T + np.array(flag["bias"])
    chance = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    # A flag that is wrongly raised spoils a good answer's grade: at most three in a hundred answers without it.
    flag_from = float(np.quantile(chance[y == 0], 1 - FALSE_FLAGS))
    return {"features": list(FEATURES), "status": status, "flag": flag, "flag_from": round(flag_from, 3)}


def report(data: Labelled, grader: Grader, half: str) -> dict[str, float]:
    """Print the report on a half; returns its headline figures."""
    rows = [r for r in data.rows if r["half"] == half]
    began = time.perf_counter()
    grades: dict[str, Grade] = {r["id"]: grader.grade(data.rubric(r), r["answer"]) for r in rows}
    ms = (time.perf_counter() - began) * 1000 / len(rows)
    table = np.zeros((4, 4), dtype=int)
    verdicts = np.zeros((5, 5), dtype=int)
    by_kind: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for r in rows:
        g = grades[r["id"]]
        for p in g.points:
            table[STATUSES.index(r["points"][p.point]), STATUSES.index(p.status)] += 1
        verdicts[VERDICTS.index(r["verdict"]), VERDICTS.index(g.verdict)] += 1
        by_kind[r["kind"]].append((r["verdict"] == g.verdict, g.score))
    print(
        f"\n## {half}: {len(rows)} answers, {len({(r['card'], r['probe']) for r in rows})} probes, {ms:.0f} ms each\n"
    )
    print(
        "Points, true class by row: "
        + ", ".join(STATUSES)
        + f"\n{table}\nkappa {kappa(table):.3f}, agreement {np.trace(table) / table.sum():.3f}"
    )
    print("\nVerdicts, true by row: " + ", ".join(VERDICTS) + f"\n{verdicts}")
    right = float(np.trace(verdicts) / verdicts.sum())
    honest = verdicts[:4].sum()
    print(f"verdict right {right:.3f}; of honest answers {np.trace(verdicts[:4, :4]) / honest:.3f}")
    triples = hits = ties = 0
    by_kind_probe: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for r in rows:
        by_kind_probe[r["card"], r["probe"]][r["kind"]] = grades[r["id"]].score
    for scores in by_kind_probe.values():
        weak = scores.get("half", scores.get("short"))
        if weak is None:
            continue
        triples += 1
        hits += scores["strong"] > weak > scores["wrong"]
        ties += scores["strong"] >= weak >= scores["wrong"]
    attacks = [grades[r["id"]].score for r in rows if r["kind"] in ATTACKS]
    flagged = [r for r in rows if r["kind"] == "red-flag"]
    caught = sum(bool(grades[r["id"]].red_flags) for r in flagged)
    capped = sum(grades[r["id"]].score <= PASSING or grades[r["id"]].verdict == "wrong" for r in flagged)
    false = [r for r in rows if not r["red_flags"] and grades[r["id"]].red_flags]
    clean = sum(not r["red_flags"] for r in rows)
    print(f"order strong > weak > wrong: {hits} of {triples} ({hits / triples:.3f}); with ties {ties / triples:.3f}")
    passed = sum(s >= PASSING for s in attacks)
    print(f"attacks that pass ({PASSING}): {passed} of {len(attacks)} ({passed / len(attacks):.3f})")
    share = capped / len(flagged)
    print(f"red flag planted: caught {caught} of {len(flagged)}, wrong or capped {capped} ({share:.3f})")
    print(f"red flag wrongly raised: {len(false)} of {clean}")
    print("\n| kind | answers | verdict right | mean score |\n|---|---|---|---|")
    for kind, found in sorted(by_kind.items()):
        hit, mean = (sum(column) / len(found) for column in zip(*found, strict=True))
        print(f"| {kind} | {len(found)} | {hit:.2f} | {mean:.2f} |")
    return {
        "kappa": kappa(table), "verdict": right, "order": hits / triples,
        "attacks": passed / len(attacks), "capped": capped / len(flagged), "ms": ms,
    }  # fmt: skip


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
        app = App(Settings(home=Path(home)))
        gatherer = Gatherer(app.encoder, OnnxJudge(args.grader))
        data = Labelled(app, gatherer)
        if args.write:
            args.out.write_text(json.dumps(fitted(data), indent=1) + "\n", encoding="utf-8")
        grader = Grader(gatherer, data.own, args.out)
        if args.both:
            report(data, grader, "fit")
        report(data, grader, "report")
    return 0


if __name__ == "__main__":
    sys.exit(main())
