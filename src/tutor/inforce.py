"""What is in force, for people to read: every setting with its variable, secrets and passwords masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tutor.settings import PREFIX, Settings

_PASSWORD = re.compile(r"//[^/@\s]*@")  # in a URL


@dataclass(frozen=True, slots=True)
class Line:
    """A setting: its name as in config.toml, its value as text, its environment variable."""

    name: str
    value: str
    variable: str


def lines(settings: Settings) -> Iterator[Line]:
    """Every setting, in the order of the sections."""
    for name, value in settings.model_dump().items():
        for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
            variable = PREFIX + "_".join(filter(None, (name, key))).upper()
            shown = str(settings.index_dir) if name == "index" else masked(str(inner))
            yield Line(".".join(filter(None, (name, key))), shown, variable)


def masked(text: str) -> str:
    """Text without the names and passwords of the URLs in it."""
    return _PASSWORD.sub("//***@", text)
