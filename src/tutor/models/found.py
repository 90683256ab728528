"""Which servers of language models answer on this machine; nothing beyond the loopback is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

#: Usual ports: provider, what is likely to answer there, port.
USUAL = (
    ("ollama", "Ollama", 11434),
    ("compatible", "LM Studio", 1234),
    ("compatible", "llama.cpp", 8080),
    ("compatible", "vLLM", 8000),
    ("compatible", "Jan", 1337),
)
_TIMEOUT_S, _WITHIN_S = 0.7, 2.0
_MAX_BYTES = 1_000_000
_MAX_MODELS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A server, or the folder of GGUF files (``url`` is then ""), and the names of its models."""

    provider: str
    label: str
    url: str
    models: tuple[str, ...]


def find(home: Path, usual: Sequence[tuple[str, str, int]] = USUAL) -> list[Found]:
    """What answers at the usual ports, asked all at once, and the GGUF files in ``<home>/models``."""
    answers: dict[int, Found] = {}

    def ask(at: int) -> None:
        if (answer := _ask(*usual[at])) is not None:
            answers[at] = answer

    # Not waited for past the deadline: a server may drip its answer for ever.
    threads = [threading.Thread(target=ask, args=(at,), daemon=True) for at in range(len(usual))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _WITHIN_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    found = [answers[at] for at in sorted(answers.copy())]
    files = tuple(sorted(str(path) for path in (home.expanduser() / "models").glob("*.gguf")))
    return [*found, Found("gguf", "GGUF files", "", files)] if files else found


def _ask(provider: str, label: str, port: int) -> Found | None:
    """The server at a port of 127.0.0.1, or None where none answers as one of models would."""
    listed = _get(port, "/api/tags" if provider == "ollama" else "/v1/models")
    rows = listed.get("models" if provider == "ollama" else "data") if isinstance(listed, dict) else None
    if not isinstance(rows, list):
        return None
    key = "name" if provider == "ollama" else "id"
    named = [row for row in rows if isinstance(row, dict) and isinstance(row.get(key), str)]
    if any(row.get("owned_by") == "tutor" or row[key].split("/")[0] == "tutor" for row in named):
        return None  # that is us
    names = tuple(sorted({row[key] for row in named if row[key].isprintable() and len(row[key]) <= 200}))
    url = f"http://127.0.0.1:{port}" + ("" if provider == "ollama" else "/v1")
    return Found(provider, label, url, names[:_MAX_MODELS])


def _get(port: int, path: str) -> Any:
    """A JSON document of this machine, or None. The library knows no proxies, and follows nowhere."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return json.loads(response.read(_MAX_BYTES)) if response.status == 200 else None
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
