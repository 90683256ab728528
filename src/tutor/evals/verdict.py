"""What the gate says of a run: one finding for each thing that it looked at, and the cases that changed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tutor.evals.record import Case, Kept

Level = Literal["pass", "fail", "note"]


class Finding(Kept):
    """``fail`` fails the gate, ``note`` is told and does not; the figures are in the metric's own unit."""

    level: Level
    metric: str = Field(description="suite.metric")
    why: str
    slice: str = Field("", description="kind:… or phase:…; empty for the whole set")
    value: float | None = None
    floor: float | None = None
    ceiling: bool = Field(False, description="``floor`` is the most that is allowed")
    before: float | None = None
    p: float | None = Field(None, description="one-sided, that chance alone makes it as much worse")
    cases: int = 0


class Change(Kept):
    """A case whose values changed since the baseline: ``moved`` is metric → (before, after)."""

    suite: str
    before: Case
    after: Case
    moved: dict[str, tuple[float, float]]
    better: bool


class Verdict(Kept):
    """The gate's verdict; ``unlike`` names the parts of the fingerprints that differ from the baseline's."""

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()
    unlike: tuple[str, ...] = ()
    baseline: str = Field("", description="the baseline's file, or why there is none")
    sampled: bool = Field(False, description="the run is a sample of each set, of which there is no verdict")

    @property
    def failed(self) -> bool:
        return any(f.level == "fail" for f in self.findings)
