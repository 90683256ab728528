"""What a run is held against: the floors, and an earlier run with the reason why it is the one."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from tutor.curriculum.card import Strict
from tutor.errors import SourceError
from tutor.evals.record import SCHEMA, Kept, Report

Read = TypeVar("Read", bound=BaseModel)
_REWRITE = 'Write one: tutor eval --update-baseline "why"'


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
    return _read(path, Thresholds, "the floors cannot be read", "docs/evals.md says what the file holds.")


def read_baseline(path: Path, suites: Collection[str] = ()) -> Baseline:
    """The baseline: a whole run of this layout, all of whose values are numbers.

    Args:
        suites: those that are to be compared with it.

    Raises:
        SourceError: the file cannot be read, is of another layout, or is no run that others can be held against.
    """
    found = _read(path, Baseline, "no baseline", _REWRITE, layout=True)
    if wrong := _unfit(found.report, suites):
        raise SourceError(f"no baseline ({wrong})", about=str(path), fix=_REWRITE)
    return found


def _read(path: Path, kind: type[Read], what: str, fix: str, *, layout: bool = False) -> Read:
    try:
        text = path.read_text(encoding="utf-8")
        if layout and (told := _layout(text)) != SCHEMA:
            raise SourceError(f"{what} (it is of layout {told}, this version reads {SCHEMA})", about=str(path), fix=fix)
        return kind.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SourceError(f"{what} ({_first(error)})", about=str(path), fix=fix) from error


def _layout(text: str) -> object:
    """What the file says of itself; ``SCHEMA`` where it is no JSON, whose fault is told when it is parsed."""
    try:
        return json.loads(text)["report"].get("layout")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return SCHEMA


def _unfit(report: Report, suites: Collection[str]) -> str:
    """Why a run can be no baseline; empty where it can."""
    if report.sample:
        return f"it is a sample of {report.sample} of each set; a baseline is a whole run"
    there = {suite.name for suite in report.suites if suite.cases}
    if missing := [name for name in suites if name not in there]:
        return f"it has no cases of {', '.join(missing)}"
    for suite in report.suites:
        values = [(f"{suite.name}.{n} of {c.id}", v) for c in suite.cases for n, v in c.values.items()]
        values += [(f"{suite.name}.{n}", v) for n, v in suite.totals.items()]
        if bad := next((name for name, value in values if not math.isfinite(value)), ""):
            return f"{bad} is no number"
        if broken := next((c.id for c in suite.cases if c.error), ""):
            return f"{suite.name} {broken} could not be run"
    return ""


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
