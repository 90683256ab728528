"""Whether a model's server on this machine answers, without asking the model; nothing beyond the loopback is asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from tutor.models.address import on_this_machine

_TIMEOUT_S, _WITHIN_S = 0.7, 2.0
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Reached:
    """What a server said: HTTP ``status``, 0 where nothing answers, and the ``models`` that it lists, if it does."""

    status: int = 0
    models: tuple[str, ...] = ()


def reach(provider: str, url: str, key: str = "") -> Reached:
    """Ask a server for the list of its models.

    Args:
        provider: "ollama", or another for OpenAI's interface.
        url: its base address; one of the loopback.
        key: sent as a bearer where there is one.

    Raises:
        ValueError: the address is not of this machine.
    """
    if not on_this_machine(url):
        raise ValueError("only this machine is asked")
    path = "/api/tags" if provider == "ollama" else "/models"
    said: list[Reached] = []
    thread = threading.Thread(target=lambda: said.append(_ask(url, path, key)), daemon=True)
    thread.start()
    thread.join(_WITHIN_S)  # not longer: a server may drip its answer for ever
    return said[0] if said else Reached()


def _ask(url: str, path: str, key: str) -> Reached:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith(".localhost"):  # this machine by its meaning (RFC 6761); a resolver might ask others
        host = "localhost"
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(host, parts.port, timeout=_TIMEOUT_S)
    headers = {"Connection": "close", "Host": parts.netloc}
    try:
        connection.request(
            "GET", parts.path.rstrip("/") + path, headers=headers | ({"Authorization": f"Bearer {key}"} if key else {})
        )
        response = connection.getresponse()
        body = response.read(_MAX_BYTES)
    except (OSError, HTTPException):
        return Reached()
    finally:
        connection.close()
    return Reached(response.status, _names(body) if response.status == 200 else ())


def _names(body: bytes) -> tuple[str, ...]:
    try:
        listed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    rows = (listed.get("models") or listed.get("data")) if isinstance(listed, dict) else None
    named = (
        [row.get("name") or row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    )
    return tuple(sorted({n for n in named if isinstance(n, str) and n.isprintable() and len(n) <= 200}))
