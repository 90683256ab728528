"""The bearer key: who may use a server that others can reach.

With a key, every request must bring it: programs as ``Authorization: Bearer KEY``, browsers as the password of their
login box (any user name). Only ``/healthz`` is open, which tells no more than that the server runs.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutor.errors import UsageError
from tutor.web.errors import respond
from tutor.web.openai import PREFIX

_OPEN = frozenset({"/healthz"})
_PROGRAMS = ("/api/", PREFIX, "/mcp", "/metrics")
_UNSET = UsageError(
    "this interface is closed: the server can be reached from other machines and has no key",
    fix="Set TUTOR_SERVER_API_KEY where it is started, or listen on 127.0.0.1.",
)
_WRONG = UsageError(
    "the key is missing or wrong", fix="Send the server's key in the header Authorization: Bearer …, as it was set."
)


class KeyCheck:
    """Lets requests through that bring the key.

    Args:
        app: what it guards.
        key: the key; empty lets everyone in, except to what is ``closed``.
        closed: beginnings of paths that nobody may use without a key.
    """

    def __init__(self, app: ASGIApp, *, key: SecretStr, closed: tuple[str, ...] = ()) -> None:
        self._app = app
        self._key = key.get_secret_value().encode()
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            path = request.url.path
            if not self._key and self._closed and path.startswith(self._closed):
                await respond(request, _UNSET, 403)(scope, receive, send)
                return
            if self._key and path not in _OPEN and not self._brings_key(request.headers.get("authorization", "")):
                await respond(request, _WRONG, 401)(scope, receive, _asking(send, path))
                return
        await self._app(scope, receive, send)

    def _brings_key(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        given = given.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._key)


def _asking(send: Send, path: str) -> Send:
    """``send`` with the header that says how to bring the key: browsers open their login box for Basic."""
    how = 'Bearer realm="tutor"' if path.startswith(_PROGRAMS) else 'Basic realm="tutor", charset="UTF-8"'

    async def asking(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["WWW-Authenticate"] = how
        await send(message)

    return asking
