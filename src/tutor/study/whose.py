"""Where a learner's own files lie: drills, votes, drafts of the log. The database tells learners apart by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

LOCAL = "local"  # the learner of an installation with one
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")  # names of devices, on Windows


def own_home(home: Path, learner: str) -> Path:
    """The folder that holds a learner's own folders: the home itself for the default learner, as ever.

    Others have ``learners/NAME`` in it. What a file system may not keep apart or take as a name is written as ``=`` and
    two hexadecimal digits: capitals, a dot at either end, a device's first letter.
    """
    if learner == LOCAL:
        return home
    name = re.sub(r"[A-Z]|^\.|\.$", _escaped, learner)
    return home / "learners" / (_escaped(name[0]) + name[1:] if _RESERVED.match(name) else name)


class _Section(Protocol):
    @property
    def learner(self) -> str: ...


class _Settings(Protocol):
    @property
    def home(self) -> Path: ...
    @property
    def study(self) -> _Section: ...


def own_folder(settings: _Settings) -> Path:
    """As ``own_home``, of the home and learner in the settings in force."""
    return own_home(settings.home.expanduser(), settings.study.learner)


def _escaped(found: re.Match[str] | str) -> str:
    text = found if isinstance(found, str) else found[0]
    return "".join(f"={ord(letter):02x}" for letter in text)
