"""Fit the check of generated sentences, and report on the half that the fit has not seen.

    python evals/generation/fit.py [--write]
    python evals/generation/fit.py --held-out evals/generation/claims-held-out-2.jsonl

Reads ``claims.jsonl`` beside this file: sentences against the passage that they cite, faithful or false in one of the
ways that models lie in. The spans of the corpus are halved, so no span is in both halves. Weights are a logistic
regression with ridge on the fit half, without the sentences that words alone refuse (``tutor.answering.claims``); the
threshold lets at most ``LET_THROUGH`` of the fit half's false sentences through and is as high as costs ``LOST``
of its literal ones. ``adversarial.jsonl`` is a third part that nothing is fitted to: false sentences, most by
a reviewer, written against the passages that answer some questions; each is checked against all of them.

``--held-out`` fits nothing: it measures a set of the same form with the weights that ship, kind by kind.
``claims-held-out-2.jsonl`` was written by somebody who had read neither the check nor these sets, from spans that they
do not use. A set counts as held out until somebody has looked at what it shows and changed the check.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.answering.claims import weigher
from tutor.answering.order import Words, plain
from tutor.answering.prompt import MOST_PASSAGES
from tutor.answering.verify import FEATURES, WEIGHTS, Source, Verifier, Window, source, windows
from tutor.bootstrap import App
from tutor.retrieval.index import Hit, Passage, point_id
from tutor.settings import Settings

HERE = Path(__file__).resolve().parent
Array = NDArray[np.float64]
LET_THROUGH = 0.01
LOST = 0.02  # of the literal sentences that words let pass
RIDGE = 1.0
UNJUDGED = 6


class Case:
    """A labelled sentence with its windows: those that words refuse, and the features of the others."""

    def __init__(self, row: dict[str, Any], verifier: Verifier, app: App, found: Sequence[Source]) -> None:
        self.kind: str = row.get("kind", "adversarial")
        self.supported: bool = row["supported"]
        self.part: str = row.get("half", "adversarial")
        self.fit = self.part == "fit"
        self.text: str = row["claim"]
        claim = Words(plain(self.text))
        tokens = app.encoder.encode([claim.text])[0].tokens
        near = sorted(
            (w for s in found for w in windows(s, tokens)), key=lambda w: -(w.likeness - 0.03 * (w.size - 1))
        )[:3]
        self.why = [verifier.objection(claim, w) for w in near]
        sound: list[Window] = [w for w, why in zip(near, self.why, strict=True) if not why]
        self.windows = sound
        self.rows: Array = verifier.features(claim, sound) if sound else np.zeros((0, len(FEATURES)))
        self.nearest: Array = self.rows[0] if sound else verifier.features(claim, near[:1])[0]


def read_cases(app: App, path: Path) -> list[Case]:
    """Every labelled sentence, measured on the index."""
    frequency = app.searcher.expander.frequency
    verifier = Verifier(app.encoder, app.judge, weigher(frequency, app.reader.manifest.passages))
    cases = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            cases.append(Case(row, verifier, app, [source_of(app, row["chunk_id"])]))
    return cases


def adversarial_cases(app: App, path: Path) -> list[Case]:
    """The reviewer's sentences, each with the passages that a model is given for its question."""
    frequency = app.searcher.expander.frequency
    verifier = Verifier(app.encoder, app.judge, weigher(frequency, app.reader.manifest.passages))
    given: dict[str, list[Source]] = {}
    cases = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            question = row["question"]
            if question not in given:
                hits = app.answerer.grounds(question).hits[:MOST_PASSAGES]
                given[question] = [source(hit, app.encoder) for hit in hits]
            cases.append(Case(row, verifier, app, given[question]))
    return cases


def source_of(app: App, chunk_id: str) -> Source:
    """A passage of the index by its id, ready to be cited."""
    payload = app.reader.payload("passage", chunk_id)
    assert payload is not None, chunk_id
    dense, tokens = app.reader.vectors(point_id("passage", chunk_id))
    return source(Hit(Passage.from_payload(payload), 1.0, dense, tokens), app.encoder)


def fitted(cases: Sequence[Case], columns: int) -> dict[str, Any]:
    """Mean, scale, weight, bias and threshold from the fit half."""
    from sklearn.linear_model import LogisticRegression

    ours = [c for c in cases if c.fit and (len(c.rows) or c.kind == "borrowed")]
    x = np.array([c.nearest[:columns] for c in ours])
    y = np.array([c.supported for c in ours])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    model = LogisticRegression(C=1 / RIDGE, max_iter=2000).fit((x - mean) / scale, y)
    weight, bias = model.coef_[0], float(model.intercept_[0])
    chances = [chance(c, mean, scale, weight, bias) for c in cases if c.fit and not c.supported]
    allowed = int(LET_THROUGH * len(chances))
    literal = [chance(c, mean, scale, weight, bias) for c in cases if c.fit and c.kind in ("verbatim", "near")]
    # Words alone refuse nearly all of these lies, and other lies will come: as strict as literal sentences can bear.
    bearable = float(np.quantile([p for p in literal if p > 0], LOST))
    threshold = max(sorted(chances, reverse=True)[allowed] + 1e-4, bearable)
    return {
        "mean": mean.round(5).tolist(),
        "scale": scale.round(5).tolist(),
        "weight": weight.round(5).tolist(),
        "bias": round(bias, 5),
        "threshold": round(float(threshold), 5),
    }


def chance(case: Case, mean: Array, scale: Array, weight: Array, bias: float) -> float:
    """The best probability among the windows that words do not refuse; 0 where they refuse all."""
    if not len(case.rows):
        return 0.0
    logits = (case.rows[:, : len(weight)] - mean) / scale @ weight + bias
    return float(1 / (1 + np.exp(-logits.max())))


def report(cases: Sequence[Case], model: dict[str, Any], name: str, *, verbose: bool) -> None:
    """What gets through, by kind, for each part; supported kinds first."""
    parts = (np.array(model["mean"]), np.array(model["scale"]), np.array(model["weight"]), model["bias"])
    print(f"\n{name}: threshold {model['threshold']:.3f}")
    for part in dict.fromkeys(case.part for case in cases):
        seen: Counter[tuple[bool, str]] = Counter()
        through: Counter[tuple[bool, str]] = Counter()
        for case in cases:
            if case.part == part:
                seen[case.supported, case.kind] += 1
                p = chance(case, *parts)
                passed = p >= model["threshold"]
                through[case.supported, case.kind] += passed
                if verbose and passed != case.supported:
                    what = "LET THROUGH" if passed else "refused"
                    print(f"   {what:11} {p:.2f} {case.kind:11} {case.text}  {case.why[:1]}")
        print(f" {part}")
        for label in sorted(seen, key=lambda label: (not label[0], label[1])):
            print(f"   {label[1]:12} {through[label]:3} of {seen[label]:3} let through")
        for supported, what in ((True, "supported kept"), (False, "unsupported let through")):
            count, of = (sum(n for label, n in c.items() if label[0] == supported) for c in (through, seen))
            if of:
                print(f"   {what} {count}/{of} = {count / of:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Write the weights into the package.")
    parser.add_argument("--verbose", action="store_true", help="Every sentence that is judged wrongly.")
    parser.add_argument("--held-out", type=Path, metavar="FILE", help="Fit nothing; measure this set.")
    given = parser.parse_args()
    if given.held_out and given.write:
        parser.error("--held-out measures the weights that ship: nothing to --write")
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        app.ingest()
        cases = read_cases(app, given.held_out or HERE / "claims.jsonl")
        if not given.held_out:
            cases += adversarial_cases(app, HERE / "adversarial.jsonl")
        app.close()
    if given.held_out:
        shipped = json.loads(WEIGHTS.read_text(encoding="utf-8"))
        for name in ("judged", "unjudged"):
            report(cases, shipped[name], name, verbose=given.verbose)
        return
    models = {"judged": fitted(cases, len(FEATURES)), "unjudged": fitted(cases, UNJUDGED)}
    for name, model in models.items():
        report(cases, model, name, verbose=given.verbose)
        for feature, weight in zip(FEATURES, model["weight"], strict=False):
            print(f"     {weight:+.2f} {feature}")
    if given.write:
        WEIGHTS.write_text(json.dumps({"features": FEATURES, **models}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
