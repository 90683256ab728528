"""One evaluation: the product is built on an index of its own, the suites are run, and the report is made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from tutor.bootstrap import App
from tutor.evals import SUITES
from tutor.evals.fingerprint import fingerprint
from tutor.evals.record import Report
from tutor.evals.sets import Sets
from tutor.evals.suites import Runner, Tick


def evaluate(
    app: App, sets: Sets, suites: Sequence[str] = SUITES, *, sample: int = 0, tick: Tick | None = None
) -> Report:
    """Run suites over a product whose index is made.

    Args:
        app: the product under test.
        sets: the golden sets.
        suites: names out of ``SUITES``.
        sample: about how many cases of each set; 0 for all.
        tick: told of progress.

    Raises:
        SourceError: a set cannot be read.
        TutorError: the index cannot answer at all.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    print_of = fingerprint(app, sets)
    found = tuple(Runner(app, sets, sample=sample, tick=tick).run(suites))
    return Report(
        fingerprint=print_of,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - began, 1),
        suites=found,
        sample=sample,
    )
