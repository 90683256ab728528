"""What an evaluation run leaves: a result for each case, figures for each suite, and what they were measured on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field

from tutor.curriculum.card import Strict

SCHEMA = 1


class Kept(Strict):
    """What is written to a file: a value that is no number stays one, and fails the gate after it was read again."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class Fingerprint(Kept):
    """Everything that figures depend on; two runs with different ones are not alike."""

    corpus: str = Field(description="sha256 of the indexed documents")
    encoder: str
    grader: str = Field(description="sha256 of the grader's weights and calibration")
    settings: dict[str, Any]
    code: str = Field(description="the package's version and sha256 of its modules")
    sets: dict[str, str] = Field(description="sha256 by file of the sets that were used")
    ragas: str = Field("", description="its version; empty where it is not installed")

    def unlike(self, other: Fingerprint) -> list[str]:
        """The parts in which the two differ."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]


class Case(Kept):
    """One question's result.

    ``values`` are its metrics, each a mean's part; a metric that has no meaning for this case is absent. ``seen`` is
    what a person wants to look at: hits, the answer, facts that are missing. ``error`` is set when the case could not
    be run; it then has no values.
    """

    id: str
    question: str
    kind: str
    phase: int | None = None
    values: dict[str, float] = Field(default_factory=dict)
    seen: dict[str, Any] = Field(default_factory=dict)
    error: str = ""


class Suite(Kept):
    """Results of one set: ``cases``, and ``totals`` that are no means over cases (kappa, areas, percentiles)."""

    name: str
    cases: tuple[Case, ...]
    totals: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = Field((), description="what was not measured, and why")
    seconds: float = 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """Means over cases by metric, and the totals; NaN where any part is."""
        found: dict[str, list[float]] = {}
        for case in self.cases:
            for name, value in case.values.items():
                found.setdefault(name, []).append(value)
        return {name: math.fsum(values) / len(values) for name, values in found.items()} | self.totals

    def slices(self) -> Iterator[tuple[str, tuple[Case, ...]]]:
        """Cases by ``kind:…`` and ``phase:…``, sorted."""
        groups: dict[str, list[Case]] = {}
        for case in self.cases:
            groups.setdefault(f"kind:{case.kind}", []).append(case)
            if case.phase is not None:
                groups.setdefault(f"phase:{case.phase}", []).append(case)
        for name in sorted(groups):
            yield name, tuple(groups[name])


class Report(Kept):
    """A whole run. Metrics are named ``suite.metric``."""

    layout: int = SCHEMA
    fingerprint: Fingerprint
    started: str = Field(description="UTC, ISO 8601")
    seconds: float
    suites: tuple[Suite, ...]
    sample: int = Field(0, description="cases of each set that were run; 0: all")

    @property
    def metrics(self) -> dict[str, float]:
        return {f"{s.name}.{name}": value for s in self.suites for name, value in s.metrics.items()}

    def suite(self, name: str) -> Suite | None:
        return next((s for s in self.suites if s.name == name), None)
