"""Where things lie in the page's charts: figures to coordinates; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.axis import Axis
from tutor.evals import metrics
from tutor.evals.record import Case
from tutor.evals.report.text import line, number
from tutor.evals.report.trend import Point

WIDTH = 340.0  # units of a chart, near a phone's pixels, so that letters keep their size on one
_LEFT, _RIGHT, _TOP = 44.0, 16.0, 14.0


@dataclass(frozen=True)
class Dot:
    """A run in a trend; ``broke``: corpus or sets are not those of the run before."""

    x: float
    y: float
    label: str
    broke: bool


@dataclass(frozen=True)
class Trend:
    """One metric over the runs."""

    metric: str
    dots: tuple[Dot, ...]
    y: Axis
    floor: float | None
    ceiling: bool
    last: str
    first_day: str
    last_day: str

    @property
    def line(self) -> str:
        return " ".join(f"{d.x},{d.y}" for d in self.dots)


def trend(metric: str, history: Sequence[Point], floor: float | None, ceiling: bool) -> Trend | None:
    """A metric over the runs that have it, evenly spaced; None where there are none."""
    runs = [p for p in history if math.isfinite(p.metrics.get(metric, math.nan))]
    if not runs:
        return None
    values = [p.metrics[metric] for p in runs]
    known = [*values, floor] if floor is not None else values
    room = max((max(known) - min(known)) * 0.15, 0.01 * max(1.0, max(map(abs, known))))
    low, high = min(known) - room, max(known) + room
    if min(known) >= 0 and max(known) <= 1:
        low, high = max(low, 0.0), min(high, 1.0)
    y = Axis(low, high, 124.0, _TOP)
    x = Axis(0, max(len(runs) - 1, 1), _LEFT + 6, WIDTH - _RIGHT)
    dots = []
    for i, run in enumerate(runs):
        mark = run.commit[:10] or run.code[:24]
        broke = i > 0 and _ground(runs[i - 1]) != _ground(run)
        label = f"{run.started[:16].replace('T', ' ')}: {number(values[i])} ({mark})"
        dots.append(Dot(x.at(i) if len(runs) > 1 else x.at(0.5), y.at(values[i]), label, broke))
    days = runs[0].started[:10], runs[-1].started[:10]
    return Trend(metric, tuple(dots), y, floor, ceiling, number(values[-1], floor), *days)


def _ground(run: Point) -> tuple[object, ...]:
    return (run.fingerprint.corpus, run.fingerprint.sets) if run.fingerprint else ()


@dataclass(frozen=True)
class Bar:
    """A slice: its mean over ``cases`` as a length, and its own floor where the gate has one.

    ``shown`` is as much of ``label`` as there is room for.
    """

    label: str
    shown: str
    cases: int
    value: float
    length: float
    floor_at: float | None
    failed: bool

    @property
    def text(self) -> str:
        return number(self.value)


BAR_LEFT, BAR_RIGHT = 132.0, 276.0
_LABEL = 15  # letters that fit before a bar, with the number of cases


def bar(label: str, values: Sequence[float], top: float, floor: float | None, failed: bool) -> Bar:
    """A slice's bar on a scale from 0 to ``top``."""
    mean = math.fsum(values) / len(values)
    scale = Axis(0, top, BAR_LEFT, BAR_RIGHT)
    length = scale.at(mean) - BAR_LEFT if math.isfinite(mean) else 0.0
    return Bar(
        label,
        line(label, _LABEL),
        len(values),
        mean,
        round(length, 1),
        None if floor is None else scale.at(floor),
        failed,
    )


@dataclass(frozen=True)
class Risk:
    """The risk–coverage curve; ``area`` under it, and where the product works now."""

    x: Axis
    y: Axis
    path: str
    area: float
    coverage: float
    risk: float
    all_risk: float
    cases: int


def risk_coverage(cases: Sequence[Case]) -> Risk | None:
    """Risk against coverage, were the cases answered in the order of their confidence; None without cases.

    Coverage is the share answered; risk the share of those that are wrong, as ``metrics.wrong`` has it.
    """
    needed = ("confidence", "answerable")
    known = [c.values for c in cases if all(math.isfinite(c.values.get(n, math.nan)) for n in needed)]
    if not known:
        return None
    points = metrics.risk_coverage([v["confidence"] for v in known], [not metrics.wrong(v) for v in known])
    given = [v for v in known if v.get("answered", 0.0) >= 0.5]
    risk = sum(map(metrics.wrong, given)) / len(given) if given else 0.0
    reach = max([r for c, r in points if c >= 0.1] + [risk, 0.05])
    x, y = Axis(0, 1, _LEFT, WIDTH - _RIGHT), Axis(0, min(1.0, reach * 1.15), 196.0, _TOP)
    path = "M" + " L".join(f"{x.at(c)},{y.at(r)}" for c, r in [(0.0, points[0][1]), *points])
    area = metrics.area_under(points)
    return Risk(x, y, path, area, len(given) / len(known), risk, points[-1][1], len(known))
