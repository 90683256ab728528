"""The payloads of ``payloads/html.jsonl``: texts that try to run a script, leave the page or change how it looks.

Each tries to set ``window.__pwned``, to open a dialog or to load something of ``evil.example``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "payloads" / "html.jsonl"
_MOST_BYTES = 180  # of a file's name; file systems take 255


@dataclass(frozen=True)
class Payload:
    """A text, and the kind of attack that it is."""

    id: str
    kind: str
    text: str

    @property
    def line(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())

    @property
    def file_name(self) -> str:
        """As a file can be called: without the characters that no name may have, and not too long."""
        name = self.line.replace("/", "∕").replace("\0", "")
        return name.encode("utf-8", "ignore")[:_MOST_BYTES].decode("utf-8", "ignore").strip(" .") or self.id


@cache
def payloads() -> tuple[Payload, ...]:
    """All of them, in the file's order."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return tuple(Payload(**json.loads(line)) for line in lines)


def together(found: Iterable[Payload], most: int = 3_500) -> list[str]:
    """The texts one after another, in as few as have at most ``most`` characters each."""
    parts: list[str] = []
    for payload in found:
        if parts and len(parts[-1]) + len(payload.text) + 2 <= most:
            parts[-1] += f"\n\n{payload.text}"
        else:
            parts.append(payload.text)
    return parts
