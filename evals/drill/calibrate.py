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
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.drill.evidence import FEATURES, Evidence, Gatherer
from tutor.drill.gaming import screen
from tutor.drill.grade import CALIBRATION, VERDICTS, Grade, Grader, Softmax, point_grade, verdict_features
from tutor.drill.judge import GRADER_DIR, STATUSES, Judge, OnnxJudge
from tutor.drill.library import OwnText
from tutor.drill.reading import read
from tutor.drill.rubric import Rubric, of_probe
from tutor.drill.substance import Substance
from tutor.settings import Settings
from tutor.training.measure import kappa

HERE = Path(__file__).parent
OUTCOMES = (*VERDICTS, "ungraded")
PLANTED = ("red-flag", "flag-in-terms")
ATTACKS = frozenset("terms question-back instructions padding pasted negated claims alien".split())
PASSING = 0.5  # a score that an attack must not gain
FALSE_FLAGS = 0.08  # share of the answers without a red flag that may be said to have it


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
    """The labelled answers with their rubrics and, where thresholds are fitted, their evidence."""

    def __init__(self, app: App, judge: Judge | None = None) -> None:
        self._gatherer = Gatherer(app.encoder, judge or app.judge)
        self._substance = Substance(app.corpus)
        self.rows = rows_of(HERE / "answers.jsonl")
        probes = {(c.id, p.id): (c, p) for c in app.corpus.cards.values() for p in c.probes}
        self.rubrics: dict[tuple[str, str], Rubric] = {k: of_probe(*v) for k, v in probes.items()}
        self.own = OwnText(app.corpus)

    @cached_property
    def evidence(self) -> dict[str, list[Evidence]]:
        """Of the answers that are not screened out, by id."""
        found: dict[str, list[Evidence]] = {}
        for row in self.rows:
            rubric = self.rubric(row)
            screened = screen(read(row["answer"]), ask=rubric.ask, card=self.own[rubric.doc_id])
            if not screened.reason:
                claims = rubric.claims[: len(rubric.points) + len(rubric.flags)]
                found[row["id"]] = self._gatherer.gather(screened.reading, claims)
        return found

    def grader(self, calibration: Path = CALIBRATION) -> Grader:
        """The grader as the product builds it, with this calibration."""
        return Grader(self._gatherer, self.own, self._substance, calibration)

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
    of_status, of_flag = Softmax.of(status), Softmax.of(flag)
    chance = np.array([of_flag(row)[1] for row in x])
    # A flag that is wrongly raised spoils a good answer's grade.
    flag_from = float(np.quantile(chance[y == 0], 1 - FALSE_FLAGS))
    features, verdicts = [], []
    for row in data.rows:
        if row["half"] == "fit" and row["id"] in data.evidence and row["verdict"] in VERDICTS:
            rubric, evidence = data.rubric(row), data.evidence[row["id"]]
            points = [
                point_grade(p, one, of_status(one.features), row["answer"])
                for p, one in zip(rubric.points, evidence, strict=False)
            ]
            chances = [of_flag(one.features)[1] for one in evidence[len(rubric.points) :]]
            features.append(verdict_features(points, max(chances), read(row["answer"]).words))
            verdicts.append(VERDICTS.index(row["verdict"]))
    verdict = softmax_fit(np.array(features, dtype=float), np.array(verdicts), 4, ridge=1e-3)
    models = {"status": status, "flag": flag, "flag_from": round(flag_from, 3), "verdict": verdict}
    return {"features": list(FEATURES), **models}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Grades of labelled answers; ``points`` (4, 4) and ``verdicts`` (5, 5) count the true class by row."""

    rows: list[dict[str, Any]]
    grades: dict[str, Grade]
    points: np.ndarray
    verdicts: np.ndarray
    ms: float

    @classmethod
    def of(cls, data: Labelled, grader: Grader, half: str) -> Outcome:
        """Every answer of a half, graded as the product does."""
        rows = [r for r in data.rows if r["half"] == half]
        began = time.perf_counter()
        grades = {r["id"]: grader.grade(data.rubric(r), r["answer"]) for r in rows}
        ms = (time.perf_counter() - began) * 1000 / len(rows)
        points, verdicts = np.zeros((4, 4), dtype=int), np.zeros((5, 5), dtype=int)
        for r in rows:
            for p in grades[r["id"]].points:
                points[STATUSES.index(r["points"][p.point]), STATUSES.index(p.status)] += 1
            verdicts[OUTCOMES.index(r["verdict"]), OUTCOMES.index(grades[r["id"]].verdict)] += 1
        return cls(rows, grades, points, verdicts, ms)

    def _triples(self) -> list[tuple[float, float, float]]:
        """Scores of a probe's strong, weaker and wrong answer."""
        by_probe: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for r in self.rows:
            by_probe[r["card"], r["probe"]][r["kind"]] = self.grades[r["id"]].score
        found = [(s["strong"], s.get("half", s.get("short")), s["wrong"]) for s in by_probe.values()]
        return [(strong, weak, wrong) for strong, weak, wrong in found if weak is not None]

    def _share(self, kinds: Collection[str], hit: Callable[[Grade], bool]) -> float:
        found = [hit(self.grades[r["id"]]) for r in self.rows if r["kind"] in kinds]
        return sum(found) / len(found)

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures, shares in [0, 1]."""
        triples = self._triples()
        clean = [self.grades[r["id"]] for r in self.rows if not r["red_flags"]]
        return {
            "kappa per point": kappa(self.points),
            "verdict right": float(np.trace(self.verdicts) / self.verdicts.sum()),
            "strong above weak above wrong": sum(a > b > c for a, b, c in triples) / len(triples),
            "attacks that do not pass": self._share(ATTACKS, lambda g: g.score < PASSING),
            "planted red flag wrong or capped": self._share(
                PLANTED, lambda g: g.verdict == "wrong" or g.score < PASSING
            ),
            "red flag caught": self._share(PLANTED, lambda g: bool(g.red_flags)),
            "no red flag raised wrongly": sum(not g.red_flags for g in clean) / len(clean),
        }

    def show(self, title: str) -> None:
        """Print tables, figures, and both by kind of answer."""
        probes = len({(r["card"], r["probe"]) for r in self.rows})
        print(f"\n## {title}: {len(self.rows)} answers, {probes} probes, {self.ms:.0f} ms each\n")
        print(f"Points, true class by row: {', '.join(STATUSES)}\n{self.points}")
        print(f"\nVerdicts, true by row: {', '.join(OUTCOMES)}\n{self.verdicts}\n")
        for name, value in self.figures.items():
            print(f"{name}: {value:.3f}")
        by_kind: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for r in self.rows:
            g = self.grades[r["id"]]
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
        data = Labelled(App(Settings(home=Path(home))), OnnxJudge(args.grader))
        if args.write:
            args.out.write_text(json.dumps(fitted(data), indent=1) + "\n", encoding="utf-8")
        grader = data.grader(args.out)
        for half in ("fit", "report") if args.both else ("report",):
            Outcome.of(data, grader, half).show(half)
    return 0


if __name__ == "__main__":
    sys.exit(main())
