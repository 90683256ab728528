"""What a page on 127.0.0.1 must refuse: other hosts' names for it, other sites' forms, oversized bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import Response

from tutor.errors import UsageError
from tutor.web.errors import respond

MAX_BODY_BYTES = 64 * 1024
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _host(value: str) -> str:
    return value if value.endswith("]") else value.rsplit(":", 1)[0]


def _same_site(origin: str, request: Request) -> bool:
    return urlsplit(origin).netloc == request.headers.get("host")


def install(app: FastAPI, *, listening_on: str) -> None:
    """Add the checks. A server that listens on every address (in a container) leaves host names to its proxy."""
    anywhere = listening_on in ("0.0.0.0", "::")
    allowed = _LOCAL | {listening_on}

    @app.middleware("http")
    async def guard(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        host = _host(request.headers.get("host", ""))
        origin = request.headers.get("origin")
        length = request.headers.get("content-length", "0")
        refused: tuple[str, int] | None = None
        if not anywhere and host not in allowed:
            refused = (f"the host name '{host}' is not this server's", 421)  # DNS rebinding
        elif (
            request.method not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != request.headers.get("host")
        ):
            refused = ("requests from other sites are refused", 403)
        elif not length.isdecimal() or int(length) > MAX_BODY_BYTES or "transfer-encoding" in request.headers:
            refused = (f"the body must be at most {MAX_BODY_BYTES // 1024} KB, with its length given", 413)
        if refused:
            response = respond(request, UsageError(refused[0], about=request.url.path), refused[1])
        else:
            response = await proceed(request)
        response.headers.update(_HEADERS)
        return response
