"""What a run is held against: the floors, and an earlier run with the reason why it is the one."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError

from tutor.curriculum.card import Strict
from tutor.errors import SourceError
from tutor.evals.record import Kept, Report


class Thresholds(Strict):
    """``evals/thresholds.json``; metrics are ``suite.metric``, slices ``kind:…`` or ``phase:…``."""

    floors: dict[str, float]
    ceilings: dict[str, float] = Field(default_factory=dict)
    slices: dict[str, dict[str, float]] = Field(default_factory=dict)
    watched: tuple[str, ...] = Field((), description="compared with the baseline, case by case")
    cases: dict[str, int] = Field(default_factory=dict, description="the least number of cases by suite")


class Baseline(Kept):
    """A run that later ones must not fall below, and why it was made the one."""

    reason: str = Field(min_length=10)
    written: str
    report: Report


def read_thresholds(path: Path) -> Thresholds:
    """The floors in force.

    Raises:
        SourceError: the file cannot be read or is not of the schema.
    """
    try:
        return Thresholds.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SourceError(f"the floors cannot be read ({_first(error)})", about=str(path)) from error


def read_baseline(path: Path) -> Baseline:
    """The baseline.

    Raises:
        SourceError: the file cannot be read or is none of this version.
    """
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SourceError(
            f"no baseline ({_first(error)})", about=str(path), fix='Write one: tutor eval --update-baseline "why"'
        ) from error


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write it whole or not at all, a case a line, so that a change can be read in a diff."""
    data = json.loads(baseline.model_dump_json())  # model_dump would leave bare NaN, which is no JSON
    suites = data["report"].pop("suites")
    head = json.dumps(data, ensure_ascii=False)[:-2]  # without the brackets that close the report and the baseline
    parts = []
    for suite in suites:
        cases = suite.pop("cases")
        lines = ",\n".join(json.dumps(case, ensure_ascii=False, sort_keys=True) for case in cases)
        parts.append(f'{json.dumps(suite, ensure_ascii=False)[:-1]}, "cases": [\n{lines}\n]}}')
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(head + ', "suites": [\n' + ",\n".join(parts) + "\n]}}\n", encoding="utf-8")
    draft.replace(path)


def _first(error: Exception) -> str:
    """The first thing that is wrong, in a line."""
    if not isinstance(error, ValidationError):
        return str(error)
    told = error.errors()[0]
    where = ".".join(map(str, told["loc"]))
    return f"{where}: {told['msg']}" if where else told["msg"]
