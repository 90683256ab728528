"""The report as one HTML file: nothing is fetched, nothing runs; charts are drawn where they stand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from tutor.evals.record import Fingerprint, Report, Suite
from tutor.evals.report import charts
from tutor.evals.report.rows import REFUSALS, Row, changes, context, findings, headline, named, rows, unlike, worst
from tutor.evals.report.seen import look
from tutor.evals.report.text import clean, difference, duration, line, number, signed
from tutor.evals.report.trend import Point, point
from tutor.evals.verdict import Verdict

_TRENDS, _SLICED, _SLICED_OF_A_SUITE, _CHANGES, _SETTING = 12, 6, 2, 60, 400
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")  # a sha256: twelve letters tell two apart


@dataclass(frozen=True)
class Slices:
    """A metric by kind or by phase."""

    metric: str
    by: str
    bars: tuple[charts.Bar, ...]
    whole: str


def html(report: Report, verdict: Verdict, history: Sequence[Point] = ()) -> str:
    """A page that stands alone: no network, no script; light and dark, narrow and wide, and on paper.

    Args:
        history: runs before, earliest first; those of another sample size are left out, this one is added where it
            is not among them.
    """
    found = rows(report, verdict)
    every = [row for some in found.values() for row in some]
    runs = _runs(report, history)
    refusals = report.suite(REFUSALS)
    page: str = _template().render(
        report=report,
        verdict=verdict,
        headline=headline(verdict),
        context=context(report, verdict),
        unlike=unlike(verdict),
        findings=findings(verdict),
        rows=found,
        trends=[t for row in _watched(every) if (t := charts.trend(row.metric, runs, row.floor, row.ceiling))],
        runs=len(runs),
        slices=list(_slices(report, verdict, every)),
        risk=charts.risk_coverage(refusals.cases) if refusals else None,
        worst=worst(report),
        changes=[(word, changes(verdict, better=word == "better")) for word in ("worse", "better")],
        most_changes=_CHANGES,
        broken=[(s.name, c) for s in report.suites for c in s.cases if c.error],
        notes=[(s.name, note) for s in report.suites for note in s.notes],
        marks=list(_marks(report.fingerprint, verdict)),
    )
    return page


def _template() -> Any:
    folder = files("tutor.evals.report")
    load: Callable[[str], str] = lambda name: folder.joinpath(name).read_text(encoding="utf-8")  # noqa: E731
    # finalize: nothing from a set or an answer gets past it with a control character
    engine = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    engine.filters |= {"number": number, "signed": signed, "duration": duration, "line": line}
    engine.globals |= {"look": look, "difference": difference, "named": named, "chart": charts}
    return engine.get_template("page.html.j2")


def _runs(report: Report, history: Sequence[Point]) -> list[Point]:
    now = point(report)
    alike = [p for p in history if p.sample == report.sample]
    return alike if any((p.started, p.code) == (now.started, now.code) for p in alike) else [*alike, now]


def _watched(every: Sequence[Row]) -> list[Row]:
    """The metrics that the gate has a limit for, without any all of them: from each suite in turn, so that none is left
    out, those first that are compared with the baseline."""
    bounded = [row for row in every if row.floor is not None] or list(every)
    bounded.sort(key=lambda row: row.before is None)
    place: dict[str, int] = {}
    turns = []
    for row in bounded:
        place[row.suite] = place.get(row.suite, -1) + 1
        turns.append((place[row.suite], row))
    chosen = [row for _, row in sorted(turns, key=lambda turn: turn[0])[:_TRENDS]]
    return sorted(chosen, key=every.index)


def _slices(report: Report, verdict: Verdict, every: Sequence[Row]) -> Iterator[Slices]:
    """Means by kind and by phase: metrics that the gate looks at by slice first, then those with a floor.

    One that is the same for every case has nothing to show by slice.
    """
    sliced = {f.metric for f in verdict.findings if f.slice}
    means = [r for r in every if r.cases and math.isfinite(r.value) and r.low != r.high]
    means.sort(key=lambda row: (row.metric not in sliced, row.floor is None))
    taken: dict[str, int] = {}
    for row in means:
        suite = report.suite(row.suite)
        if suite is None or taken.get(row.suite, 0) == _SLICED_OF_A_SUITE or sum(taken.values()) == _SLICED:
            continue
        taken[row.suite] = taken.get(row.suite, 0) + 1
        for by in ("kind", "phase"):
            bars = tuple(_bars(suite, row, by, verdict))
            if len(bars) > 1:
                yield Slices(row.metric, by, bars, number(row.value))


def _bars(suite: Suite, row: Row, by: str, verdict: Verdict) -> Iterator[charts.Bar]:
    values = {
        name: [c.values[row.name] for c in cases if row.name in c.values]
        for name, cases in suite.slices()
        if name.startswith(f"{by}:")
    }
    means = [math.fsum(v) / len(v) for v in values.values() if v]
    top = max([1.0, *filter(math.isfinite, means)])
    for name in sorted(filter(values.get, values), key=_natural):
        found = [f for f in verdict.findings if f.metric == row.metric and f.slice == name]
        floor = next((f.floor for f in found if f.floor is not None), None)
        label = f"phase {name[6:]}" if by == "phase" else name[5:].removeprefix("answerable:")
        yield charts.bar(label, values[name], top, floor, any(f.level == "fail" for f in found))


def _natural(name: str) -> list[tuple[int, str]]:
    """Order in which phase 10 comes after phase 9."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _marks(mark: Fingerprint, verdict: Verdict) -> Iterator[tuple[str, str, bool]]:
    """Every part of the fingerprint as (name, value, differs from the baseline)."""
    for name, value in mark:
        other = name in verdict.unlike
        if isinstance(value, dict):
            for key, inner in _flat(value):
                yield f"{name}: {key}", line(_DIGEST.sub(r"\1…", inner), _SETTING) or "–", other
        elif value:
            yield name, line(_DIGEST.sub(r"\1…", str(value)), _SETTING), other


def _flat(found: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key in sorted(found):
        if isinstance(found[key], dict) and found[key]:
            yield from _flat(found[key], f"{above}{key}.")
        else:
            value = found[key]
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            yield f"{above}{key}", shown
