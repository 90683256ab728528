"""Where nothing is set, the settings of studying: without pydantic, which takes longer to load than all that follows.

``Studying`` is what studying asks of settings; ``tutor.settings.Settings`` has it too. That the values here are its
defaults is held by a test.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from platformdirs import user_data_path

_PREFIX = "TUTOR_"
_HOME = f"{_PREFIX}HOME"


class StudySection(Protocol):
    """The section ``study``, as far as studying goes by it."""

    @property
    def url(self) -> str: ...
    @property
    def learner(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def minutes(self) -> int: ...
    @property
    def retention(self) -> float: ...
    @property
    def backups(self) -> int: ...


class Studying(Protocol):
    """What studying asks of settings."""

    @property
    def home(self) -> Path: ...
    @property
    def study(self) -> StudySection: ...


@dataclass(frozen=True, slots=True)
class StudyDefaults:
    """The section ``study`` where nothing is set."""

    url: str = ""
    learner: str = "local"
    zone: str = ""
    minutes: int = 45
    retention: float = 0.9
    backups: int = 7


@dataclass(frozen=True, slots=True)
class Plain:
    """Settings in force where nothing but the home is set."""

    home: Path
    study: StudyDefaults = StudyDefaults()


def plain(home: str | None) -> Plain | None:
    """The settings in force; None where something is set, so that it has to be read and checked.

    Args:
        home: as on the command line; None where it is not given there.
    """
    if any(name.upper().startswith(_PREFIX) and name != _HOME for name in os.environ):  # either case counts
        return None
    given = os.environ.get(_HOME) if home is None else home
    if given == "":
        return None
    folder = Path(given) if given else user_data_path("tutor", appauthor=False)
    return None if os.path.lexists(folder.expanduser() / "config.toml") else Plain(folder)
