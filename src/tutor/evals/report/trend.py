"""Runs over time: a small summary of each in ``evals/history/``, its metrics and what they were measured on."""

from __future__ import annotations

import hashlib
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from tutor.curriculum.card import Strict
from tutor.errors import TutorError
from tutor.evals.record import Fingerprint, Report


class Point(Strict):
    """One run: ``metrics`` by ``suite.metric``, all finite; ``sample`` as in the report (0: all cases)."""

    started: str
    code: str
    commit: str = ""
    sample: int = 0
    metrics: dict[str, float]
    fingerprint: Fingerprint | None = None

    @property
    def when(self) -> datetime:
        """The start, UTC. A start that is no ISO 8601 is the earliest there is."""
        return _when(self.started)


class History(NamedTuple):
    """Points, earliest first, and a note for each file that was passed over."""

    points: list[Point]
    notes: list[str]


def point(report: Report, commit: str = "") -> Point:
    """The summary of a run; a metric that is not finite is left out, for a trend has no place for it."""
    return Point(
        started=report.started,
        code=report.fingerprint.code,
        commit=commit,
        sample=report.sample,
        metrics={name: round(v, 6) for name, v in report.metrics.items() if math.isfinite(v)},
        fingerprint=report.fingerprint,
    )


def append(folder: Path, report: Report, commit: str = "") -> Path:
    """Writes a run's summary, named by its time and code; the same run again replaces its file.

    Args:
        folder: made where it is not there.
        commit: what was checked out, where it is known.

    Raises:
        TutorError: the folder cannot be written to.
    """
    found = point(report, commit)
    code = hashlib.sha256(found.code.encode()).hexdigest()[:8]
    path = folder / f"{found.when:%Y%m%dT%H%M%SZ}-{code}.json"
    part = path.with_suffix(f".{os.getpid()}.part")  # a reader never sees half a file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise TutorError(
            f"the history cannot be written ({error.strerror})", about=str(path), fix="Name another folder."
        ) from error
    return path


def read(folder: Path) -> History:
    """All runs of a folder, earliest first; a file that is no summary is passed over with a note."""
    points: list[Point] = []
    notes: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            points.append(Point.model_validate_json(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            notes.append(f"{path.name} was passed over: {error.errors()[0]['msg']}")
        except (OSError, UnicodeDecodeError) as error:
            notes.append(f"{path.name} was passed over: {error}")
    return History(sorted(points, key=lambda p: (p.when, p.code)), notes)


def _when(started: str) -> datetime:
    try:
        found = datetime.fromisoformat(started)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
