"""Labelled drill answers graded as the product grades them, and how far the grades agree with the labels."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.curriculum.corpus import Corpus
from tutor.drill.calibration import CALIBRATION
from tutor.drill.evidence import FLAG_FEATURES, NEAR, Evidence, Gatherer
from tutor.drill.gaming import screen
from tutor.drill.grade import VERDICTS, Grade
from tutor.drill.grading import Grader
from tutor.drill.judge import STATUSES, Judge
from tutor.drill.library import OwnText
from tutor.drill.reading import MAX_ANSWER_CHARS, read
from tutor.drill.repeats import folded
from tutor.drill.rubric import Rubric, of_probe
from tutor.drill.substance import Substance
from tutor.errors import SourceError
from tutor.evals.metrics import kappa

OUTCOMES = (*VERDICTS, "ungraded")
PLANTED = ("red-flag", "flag-in-terms")
ATTACKS = frozenset("terms question-back instructions padding pasted negated claims alien repeated padded".split())
#: Answers of at most thirty words, which ask other things of a grader than whole answers do.
SHORT = frozenset("stranger short-right short-wrong named-only".split())
#: Every kind, the other ones of whole answers first.
KINDS = (
    *"strong half short wrong spoken off denies terse mixed in-terms half-in-terms near-flag wrong-plain".split(),
    *"paraphrase brief one-sentence".split(),
    *PLANTED,
    *sorted(ATTACKS | SHORT),
)
_FIELDS = dict.fromkeys("id card probe kind half answer points red_flags verdict".split())
PASSING = 0.5  # a score that an attack must not gain
NOTHING = 0.02  # a score that rounds to nothing


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file.

    Raises:
        SourceError: the file cannot be read, or a line is no JSON object; ``about`` is file:line.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the labelled answers cannot be read ({error})", about=str(path)) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SourceError(f"the line is no JSON ({error})", about=f"{path}:{number}") from error
            if not isinstance(row, dict):
                raise SourceError("the line is no JSON object", about=f"{path}:{number}")
            found.append(row)
    return found


def faults_of(row: Mapping[str, Any], rubrics: Mapping[tuple[str, str], Rubric]) -> Iterator[tuple[str, str]]:
    """What keeps a labelled answer from being measured, each with what to do; nothing where it can be."""
    if unlike := row.keys() ^ _FIELDS:
        yield f"the fields {', '.join(sorted(unlike))} are missing or unknown", f"Its fields: {', '.join(_FIELDS)}."
        return
    rubric = rubrics.get((str(row["card"]), str(row["probe"])))
    if rubric is None:
        yield f"there is no probe {row['card']} / {row['probe']}", "Name a probe of the card's front matter."
        return
    points = row["points"]
    if not isinstance(points, dict) or set(points) != {p.id for p in rubric.points}:
        yield f"the points are not those of the probe: {', '.join(p.id for p in rubric.points)}", "Label every point."
        points = {}
    for name, value, known in (
        *((f"points.{p}", status, STATUSES) for p, status in points.items()),
        ("verdict", row["verdict"], OUTCOMES),
        ("half", row["half"], ("fit", "report")),
        ("kind", row["kind"], KINDS),
    ):
        if value not in known:
            yield f"{name} is {value!r}", f"One of: {', '.join(known)}."
    if not isinstance(row["answer"], str) or not row["answer"].strip() or len(row["answer"]) > MAX_ANSWER_CHARS:
        yield "the answer is no text", f"1 to {MAX_ANSWER_CHARS:,} characters."
    flags = [flag.id for flag in rubric.flags]
    told = row["red_flags"]
    if not isinstance(told, list) or any(type(n) is not int or n not in flags for n in told):
        yield f"red_flags is {told!r}", f"A list of the probe's flags, which are {flags}."
    elif len(set(told)) < len(told):
        yield f"red_flags is {told!r}", "Each flag once."


def _checked(row: dict[str, Any], rubrics: Mapping[tuple[str, str], Rubric], path: Path) -> dict[str, Any]:
    """A labelled answer that can be measured.

    Raises:
        SourceError: an unknown probe, point, status, verdict, half, kind or flag, or no answer.
    """
    for what, fix in faults_of(row, rubrics):
        raise SourceError(what, about=f"{path}: {row.get('id')}", fix=fix)
    return row


def rubrics_of(corpus: Corpus) -> dict[tuple[str, str], Rubric]:
    """The rubric of every probe, by the ids of its card and its own."""
    return {(card.id, probe.id): of_probe(card, probe) for card in corpus.cards.values() for probe in card.probes}


class Labelled:
    """The labelled answers with their rubrics and, where thresholds are fitted, their evidence."""

    def __init__(self, app: App, answers: Path, judge: Judge | None = None, beside: Sequence[Path] = ()) -> None:
        self._gatherer = Gatherer(app.encoder, judge or app.judge, NEAR)
        self._substance = Substance(app.corpus)
        self.rubrics = rubrics_of(app.corpus)
        self.own = OwnText(app.corpus)
        #: Those that statuses and flags are fitted on; ``rows`` has those beside them as well.
        self.main = [_checked(row, self.rubrics, answers) for row in rows_of(answers)]
        self.rows = [*self.main, *(_checked(row, self.rubrics, path) for path in beside for row in rows_of(path))]

    @cached_property
    def evidence(self) -> dict[str, list[Evidence]]:
        """Of the answers that are not screened out, by id."""
        found: dict[str, list[Evidence]] = {}
        for row in self.rows:
            rubric = self.rubric(row)
            screened = screen(read(row["answer"]), ask=rubric.ask, card=self.own[rubric.doc_id])
            if not screened.reason:
                claims = rubric.claims[: len(rubric.points) + len(rubric.flags)]
                found[row["id"]] = self._gatherer.gather(folded(screened.reading), claims)
        return found

    def grader(self, calibration: Path = CALIBRATION) -> Grader:
        """The grader as the product builds it, with this calibration."""
        return Grader(self._gatherer, self.own, self._substance, calibration)

    def rubric(self, row: dict[str, Any]) -> Rubric:
        return self.rubrics[row["card"], row["probe"]]

    def points(self, half: str) -> tuple[np.ndarray, np.ndarray]:
        """Features and classes of the points that an answer not screened out comes near."""
        x, y = [], []
        for row in self.main:
            if row["half"] == half and row["id"] in self.evidence:
                for point, one in zip(self.rubric(row).points, self.evidence[row["id"]], strict=False):
                    if one.affinity >= NEAR:
                        x.append(one.features)
                        y.append(STATUSES.index(row["points"][point.id]))
        return np.array(x, dtype=float), np.array(y)

    def flags(self, half: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = [], []
        for row in self.main:
            if row["half"] == half and row["id"] in self.evidence:
                rubric = self.rubric(row)
                for flag, one in zip(rubric.flags, self.evidence[row["id"]][len(rubric.points) :], strict=True):
                    if one.affinity >= NEAR:
                        x.append(one.features[FLAG_FEATURES])
                        y.append(int(flag.id in row["red_flags"]))
        return np.array(x, dtype=float), np.array(y)


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
        return cls.over(rows, grades, (time.perf_counter() - began) * 1000 / max(1, len(rows)))

    @classmethod
    def over(cls, rows: list[dict[str, Any]], grades: dict[str, Grade], ms: float = 0.0) -> Outcome:
        """The grades of these labelled answers, by id."""
        points, verdicts = np.zeros((4, 4), dtype=int), np.zeros((5, 5), dtype=int)
        for r in rows:
            for p in grades[r["id"]].points:
                points[STATUSES.index(r["points"][p.point]), STATUSES.index(p.status)] += 1
            verdicts[OUTCOMES.index(r["verdict"]), OUTCOMES.index(grades[r["id"]].verdict)] += 1
        return cls(rows, grades, points, verdicts, ms)

    @property
    def apart(self) -> dict[str, Outcome]:
        """The whole answers and the short ones."""
        whole = [r for r in self.rows if r["kind"] not in SHORT]
        short = [r for r in self.rows if r["kind"] in SHORT]
        return {name: Outcome.over(rows, self.grades, self.ms) for name, rows in (("whole", whole), ("short", short))}

    @property
    def short_figures(self) -> dict[str, float]:
        """Of the short answers, shares in [0, 1]: what says nothing scores nothing, and who is right is not accused."""
        pairs = [
            (r, r["points"][p.point], p.status)
            for r in self.rows
            if r["kind"] in SHORT
            for p in self.grades[r["id"]].points
        ]
        made = [said == true for r, true, said in pairs if r["kind"] == "short-right" and true == "covered"]
        caught = [said == true for r, true, said in pairs if r["kind"] == "short-wrong" and true == "contradicted"]
        return {
            "nothing_scores_nothing": self._share(("stranger", "named-only"), lambda g: g.score <= NOTHING),
            "right_covered": sum(made) / len(made) if made else math.nan,
            "right_not_accused": self._share(
                ("short-right",), lambda g: all(p.status != "contradicted" for p in g.points)
            ),
            "wrong_contradicted": sum(caught) / len(caught) if caught else math.nan,
        }

    def _triples(self) -> list[tuple[float, float, float]]:
        """Scores of a probe's strong, weaker and wrong answer."""
        by_probe: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for r in self.rows:
            by_probe[r["card"], r["probe"]][r["kind"]] = self.grades[r["id"]].score
        found = [(s.get("strong"), s.get("half", s.get("short")), s.get("wrong")) for s in by_probe.values()]
        return [(a, b, c) for a, b, c in found if a is not None and b is not None and c is not None]

    def _share(self, kinds: Collection[str], hit: Callable[[Grade], bool]) -> float:
        found = [hit(self.grades[r["id"]]) for r in self.rows if r["kind"] in kinds]
        return sum(found) / len(found) if found else math.nan

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures, shares in [0, 1]; NaN where no answer is of the kind."""
        triples = self._triples()
        clean = [self.grades[r["id"]] for r in self.rows if not r["red_flags"]]
        return {
            "kappa": kappa(self.points),
            "verdict": float(np.trace(self.verdicts) / max(1, self.verdicts.sum())),
            "order": sum(a > b > c for a, b, c in triples) / len(triples) if triples else math.nan,
            "attacks_fail": self._share(ATTACKS, lambda g: g.score < PASSING),
            "planted_capped": self._share(PLANTED, _caught),
            "flags_caught": self._share(PLANTED, lambda g: bool(g.red_flags)),
            "flags_not_invented": sum(not g.red_flags for g in clean) / len(clean) if clean else math.nan,
        }


def _caught(grade: Grade) -> bool:
    return grade.verdict == "wrong" or grade.score < PASSING


def values_of(row: dict[str, Any], grade: Grade) -> dict[str, float]:
    """The per-answer measures: points with the right status, the verdict, and what matters for its kind."""
    right = [row["points"][p.point] == p.status for p in grade.points]
    values = {"verdict": float(row["verdict"] == grade.verdict)}
    if row["kind"] not in SHORT:
        values["whole_verdict"] = values["verdict"]
    if right:
        values["points"] = sum(right) / len(right)
    if row["kind"] in ATTACKS:
        values["attacks_fail"] = float(grade.score < PASSING)
    if row["kind"] in PLANTED:
        values["planted_capped"] = float(_caught(grade))
    return values
