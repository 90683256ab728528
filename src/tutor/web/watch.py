"""Every request seen from outside: its id, its span, its figures and its line in the log.

A line names the route, not the path, and nothing of the query: what somebody asked is in neither. Written against ASGI
itself, as a stream must not be buffered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutor.telemetry import entry
from tutor.telemetry.logs import request_id
from tutor.telemetry.measures import IN_FLIGHT, REQUEST, record

HEADER = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Asked every few seconds by machines: logged at debug.
_OFTEN = frozenset({"/healthz", "/metrics"})
_log = logging.getLogger(__name__)


class Watch:
    """Around everything else, so that refusals are seen too.

    Args:
        app: what it watches.
        new_id: makes the id of a request that brings none of its own, or one that is not sane (1 to 64 letters, digits,
            ".", "_", "-").
    """

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        given = headers.get(HEADER, "")
        mine = given if _SANE.fullmatch(given) else self._new_id()
        status = 500  # what a client sees when nothing was sent

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = mine
            await send(message)

        token = request_id.set(mine)
        record(IN_FLIGHT, 1)
        began = perf_counter()
        base = scope.get("root_path", "")
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        try:
            with entry(method, {k: v for k, v in headers.items() if k in ("traceparent", "tracestate")}) as span:
                try:
                    await self._app(scope, receive, send_with_id)
                finally:
                    route = route_of(scope, base)
                    notes: dict[str, Any] = {"http.route": route, "http.response.status_code": status}
                    span.note(**notes, **{"http.request.method": method, "tutor.request_id": mine})
        finally:
            seconds = perf_counter() - began
            record(IN_FLIGHT, -1)
            record(REQUEST, seconds, method, route, str(status))
            fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            level = logging.WARNING if status >= 500 else logging.DEBUG if route in _OFTEN else logging.INFO
            _log.log(level, "request", extra={"fields": fields})
            request_id.reset(token)


def route_of(scope: Scope, base: str = "") -> str:
    """The route that took a request as it was declared ("/documents/{doc_id:path}"), a mount with "/*" behind it
    ("/static/*"), "unmatched" where none did; ``base`` is the root path that the request came with."""
    mounted = str(scope.get("root_path", "")).removeprefix(base)
    if mounted:
        return f"{mounted}/*"
    route = scope.get("route")
    path = str(getattr(route, "path", ""))
    # A route of a router does not know the prefix that the router was included with: what stands before its own part.
    own = str(getattr(route, "path_format", ""))
    for name, value in scope.get("path_params", {}).items():
        own = own.replace(f"{{{name}}}", str(value))
    asked = str(scope["path"]).removeprefix(base)
    return (asked.removesuffix(own) if own and asked.endswith(own) else "") + path or "unmatched"
