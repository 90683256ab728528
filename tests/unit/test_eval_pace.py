"""Latency beside a yardstick: a slow machine passes, a slow product does not."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from report_data import fingerprint
from tutor.evals.baseline import Thresholds, read_thresholds
from tutor.evals.gate import judge
from tutor.evals.pace import EVERY, Pace, Yardstick
from tutor.evals.record import Case, Report, Suite

EVALS = Path(__file__).resolve().parents[2] / "evals"


class Machine:
    """A clock that work moves: a pass of the yardstick takes 5 ms a text, all of it ``busy`` times as long."""

    def __init__(self, busy: float = 1.0) -> None:
        self.now = 0.0
        self.busy = busy

    def work(self, ms: float) -> None:
        self.now += ms * self.busy / 1000

    def encode(self, texts: list[str], **_: Any) -> list[None]:
        self.work(5.0 * len(texts))
        return [None] * len(texts)

    def pace(self, texts: int = 1) -> Pace:
        encoder: Any = self
        return Pace(Yardstick(encoder, clock=lambda: self.now), texts)


def ran(machine: Machine, ms: float, cases: int = 40) -> Pace:
    pace = machine.pace()
    for _ in range(cases):
        pace.of(lambda: machine.work(ms))
    return pace


def test_times_are_multiples_of_the_yardstick() -> None:
    pace = ran(Machine(), 20.0)
    assert (pace.ms(0.95), pace.ratio(0.95)) == pytest.approx((20.0, 4.0))


def test_a_busy_machine_changes_nothing() -> None:
    pace = ran(Machine(busy=7.0), 20.0)
    assert (pace.ms(0.95), pace.ratio(0.95)) == pytest.approx((140.0, 4.0))


def test_a_machine_that_stalls_now_and_then_stretches_both_tails() -> None:
    machine = Machine()
    pace = machine.pace()
    for number in range(200):
        machine.busy = 6.0 if number % 12 == 0 else 1.0
        pace.of(lambda: machine.work(20.0))
    assert pace.ms(0.95) == pytest.approx(120.0)
    assert pace.ratio(0.95) == pytest.approx(4.0)


def test_a_pass_is_made_every_few_cases_and_of_as_many_texts_as_were_asked() -> None:
    machine = Machine()
    pace = machine.pace(texts=3)
    for _ in range(2 * EVERY):
        pace.of(lambda: None)
    # The first pass only loads the model, one text.
    assert machine.now == pytest.approx((5.0 + 2 * 3 * 5.0) / 1000)
    assert pace.ratio(0.5) == 0


def test_what_fails_is_no_time() -> None:
    machine = Machine()
    pace = machine.pace()

    def fail() -> None:
        machine.work(900.0)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        pace.of(fail)
    assert math.isnan(pace.ms(0.95))
    pace.of(lambda: machine.work(10.0))
    assert pace.ratio(0.95) == pytest.approx(2.0)


# The ceilings in force

LATENCIES = {"retrieval": "latency_p95", "answers": "latency_p95", "drill": "latency_p50"}


def run(**totals: float) -> Report:
    suites = tuple(
        Suite(name=name, cases=(Case(id="g-1", question="?", kind="how", values={"x": 1.0}),), totals={metric: value})
        for (name, metric), value in zip(LATENCIES.items(), totals.values(), strict=True)
    )
    return Report(fingerprint=fingerprint(), started="2026-11-22T03:00:00+00:00", seconds=1.0, suites=suites)


def test_every_latency_has_a_ceiling_and_twice_it_fails() -> None:
    ceilings = read_thresholds(EVALS / "thresholds.json").ceilings
    ours = {name: ceilings[f"{name}.{metric}"] for name, metric in LATENCIES.items()}
    bounds = Thresholds(floors={}, ceilings={f"{n}.{m}": ours[n] for n, m in LATENCIES.items()})
    assert not judge(run(**{n: c * 0.5 for n, c in ours.items()}), bounds, None).failed
    slow = judge(run(**{n: c * 2 for n, c in ours.items()}), bounds, None)
    assert [f.level for f in slow.findings] == ["fail"] * 3
    assert all("above its ceiling" in f.why for f in slow.findings)
    unmeasured = judge(run(**dict.fromkeys(ours, math.nan)), bounds, None)
    assert unmeasured.failed


def test_the_command_line_keeps_small_matrices_on_one_thread() -> None:
    """Its variable must be set before numpy is imported, or it is read too late."""
    code = (
        "import os, sys, tutor.cli.main as m; assert 'numpy' not in sys.modules; m.main = lambda: 0\n"
        "try: m.run()\n"
        "except SystemExit: print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    bare = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for given, wanted in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        ran = subprocess.run([sys.executable, "-c", code], env=bare | given, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == wanted
