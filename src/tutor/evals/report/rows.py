"""What all reports tell, worked out once: a row for each metric, findings and changes in order, the worst questions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from tutor.evals.record import Case, Report, Suite
from tutor.evals.report.text import duration
from tutor.evals.sets import Kind
from tutor.evals.stats import interval
from tutor.evals.verdict import Change, Finding, Level, Verdict

REFUSALS = "refusals"
#: Values of the cases there that only the curve and the totals are worked out from: their means say nothing, for they
#: are over questions to be answered and questions to be refused alike.
BOOKKEEPING = frozenset({"confidence", "answerable", "answered", "right"})
_ORDER: dict[Level, int] = {"fail": 0, "note": 1, "pass": 2}
_LOWER = re.compile(r"false|wrong|risk|error|latency|seconds|_m?s$|^p\d\d")
_NO_SHARE = re.compile(r"latency|seconds|words|length|_m?s$")  # quantities, of which a low one is not a bad one


@dataclass(frozen=True)
class Row:
    """One metric of a suite; ``low`` and ``high`` bound 95 % where it is a mean, ``floor`` is a most if ``ceiling``."""

    suite: str
    name: str
    value: float
    low: float | None
    high: float | None
    before: float | None
    floor: float | None
    ceiling: bool
    level: Level | None
    failed_slices: tuple[str, ...]
    cases: int

    @property
    def metric(self) -> str:
        return f"{self.suite}.{self.name}"

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.value - self.before

    @property
    def failed(self) -> bool:
        return self.level == "fail" or bool(self.failed_slices)

    @property
    def word(self) -> str:
        """The verdict in a word; empty where the gate did not look."""
        if self.level != "fail" and self.failed_slices:
            return "SLICE"
        return {"fail": "FAIL", "pass": "ok", "note": "note", None: ""}[self.level]


def rows(report: Report, verdict: Verdict) -> dict[str, list[Row]]:
    """Rows by suite, in the order of the report; without what is bookkeeping and no gate looks at."""
    return {suite.name: list(_rows(suite, verdict)) for suite in report.suites}


def _rows(suite: Suite, verdict: Verdict) -> Iterator[Row]:
    for name, value in suite.metrics.items():
        found = [f for f in verdict.findings if f.metric == f"{suite.name}.{name}"]
        if suite.name == REFUSALS and name in BOOKKEEPING and not found:
            continue
        whole = sorted((f for f in found if not f.slice), key=lambda f: _ORDER[f.level])
        values = [] if name in suite.totals else [c.values[name] for c in suite.cases if name in c.values]
        bounds = interval(values) if values and all(map(math.isfinite, values)) else (None, None)
        limit = next((f for f in whole if f.floor is not None), None)
        yield Row(
            suite=suite.name,
            name=name,
            value=value,
            low=bounds[0],
            high=bounds[1],
            before=next((f.before for f in whole if f.before is not None), None),
            floor=limit.floor if limit else None,
            ceiling=bool(limit and limit.ceiling),
            level=whole[0].level if whole else None,
            failed_slices=tuple(f.slice for f in found if f.slice and f.level == "fail"),
            cases=len(values),
        )


def findings(verdict: Verdict) -> list[Finding]:
    """Findings with the failing ones first, then notes; those that passed are left out."""
    return sorted((f for f in verdict.findings if f.level != "pass"), key=lambda f: _ORDER[f.level])


def named(finding: Finding) -> str:
    """What a finding is about: ``suite.metric``, with the slice where it is of one."""
    return f"{finding.metric} [{finding.slice}]" if finding.slice else finding.metric


def headline(verdict: Verdict) -> str:
    """The verdict in a few words: pass or fail, and of how many checks; of a sample that there is none."""
    if verdict.sampled:
        return "sampled: not judged (the floors are for whole sets)"
    checks = [f for f in verdict.findings if f.level != "note"]
    failed = sum(f.level == "fail" for f in checks)
    if failed:
        return f"fail ({failed} of {len(checks)} checks)"
    return f"pass ({_count(len(checks), 'check')})" if checks else "measured, not judged (no gate was run)"


def context(report: Report, verdict: Verdict) -> list[str]:
    """When, how long, of how much, and compared with what: a phrase for each."""
    found = [report.started, duration(report.seconds), _count(sum(len(s.cases) for s in report.suites), "case")]
    if report.sample:
        found.append(f"a sample of {report.sample} of each set")
    if verdict.baseline:
        found.append(f"baseline: {verdict.baseline}")
    return found


def unlike(verdict: Verdict) -> str:
    """A sentence on what the two runs do not share; empty where they are alike."""
    if not verdict.unlike:
        return ""
    return f"Not alike: this run and the baseline differ in {', '.join(verdict.unlike)}."


def changes(verdict: Verdict, *, better: bool) -> list[Change]:
    """Cases that got better (or worse), those that moved most first."""
    return sorted((c for c in verdict.changes if c.better == better), key=lambda c: (-_size(c), c.suite, c.after.id))


def _size(change: Change) -> float:
    if change.after.error:
        return math.inf
    moves = (abs(b - a) for name, (a, b) in change.moved.items() if not _NO_SHARE.search(name))
    return math.fsum(min(m, 1.0) for m in moves if math.isfinite(m))


@dataclass(frozen=True)
class Bad:
    """A question that went badly: its cases by suite, and the mean of their values; None where one did not run."""

    score: float | None
    cases: tuple[tuple[str, Case], ...]


def worst(report: Report, most: int = 20) -> list[Bad]:
    """Golden questions by the mean of their values over suites, lowest first; those that failed to run lead.

    Only shares count (all values of the metric in [0, 1]), those where less is better as one minus the value; the
    refusals are no part of it. A question without fault is left out.
    """
    kinds = set(get_args(Kind))
    together: dict[str, list[tuple[str, Case]]] = {}
    scores: dict[str, list[float]] = {}
    for suite in report.suites:
        if suite.name == REFUSALS or not suite.cases or any(c.kind not in kinds for c in suite.cases):
            continue
        shares = _shares(suite)
        for case in suite.cases:
            together.setdefault(case.id, []).append((suite.name, case))
            found = [1 - v if _LOWER.search(n) else v for n, v in case.values.items() if n in shares]
            scores.setdefault(case.id, []).extend(found)
    bad: list[tuple[float, str]] = []
    for name, cases in together.items():
        if any(c.error for _, c in cases):
            bad.append((-1.0, name))
        elif scores[name] and (score := math.fsum(scores[name]) / len(scores[name])) < 1:
            bad.append((score, name))
    return [Bad(None if score < 0 else score, tuple(together[name])) for score, name in sorted(bad)[:most]]


def _shares(suite: Suite) -> set[str]:
    found: dict[str, bool] = {}
    for case in suite.cases:
        for name, value in case.values.items():
            found[name] = found.get(name, True) and 0 <= value <= 1  # NaN is no share
    return {name for name, fits in found.items() if fits and not _NO_SHARE.search(name)}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
