"""What a server on 127.0.0.1 must refuse: other names for it, other sites' requests, oversized bodies.

Written against ASGI itself, so that a stream is neither buffered nor kept from learning that its client has gone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutor.errors import TutorError, UsageError
from tutor.web.errors import TOO_LARGE, respond
from tutor.web.openai import PREFIX

MAX_BODY_BYTES = 64 * 1024
MAX_DRILL_BYTES = 256 * 1024  # an answer, with the notes and the sheet beside it
MAX_IMPORT_BYTES = 32 * 1024 * 1024  # years of study
IMPORTS = frozenset({"/api/v1/study/import", "/settings/import"})
MAX_CHAT_BYTES = 1024 * 1024  # a client sends its whole conversation with every question
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a form's own POST would come with "Origin: null", as a foreign one does.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Pages whose forms take long texts: a pasted study guide, an entry of the log with every letter percent-encoded.
LONG_FORMS = ("/progress/import", "/log")
_LOCAL = frozenset({"localhost", "testserver"})
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_INTERFACES = ("/api/", PREFIX)
_OTHER_SITES = frozenset({"cross-site", "same-site"})  # the second: another port or subdomain of the same name
_log = logging.getLogger(__name__)


class Guard:
    """Refuses what should not reach the application, and puts the security headers on every response.

    Args:
        app: what it guards.
        hosts: names that clients may use for this server, besides localhost and any IP address. An attacker's page
            that points its own name at 127.0.0.1 (DNS rebinding) has neither.
        any_host: accept every name; for a server on all addresses, whose names its reverse proxy knows.
        start: the command that starts this server.
        path: where programs call it; empty for one that has pages.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Collection[str], any_host: bool, start: str = "tutor serve", path: str = ""
    ) -> None:
        self._start, self._path = start, path.removeprefix("/")
        self._app = app
        self._hosts = _LOCAL | set(hosts)
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        request = Request(scope)
        if refused := self._refusal(request):
            error, status = refused
            await respond(request, error, status)(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _limited(receive, _most(request)), send_with_headers)
        except Exception as error:
            _log.exception("a request failed")  # which one: the line has its id, the next one its route
            if started:
                raise
            shown = TutorError(
                f"something went wrong here ({type(error).__name__})",
                fix="The server's log has the details; try again.",
            )
            await respond(request, shown, 500, cause=error)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> tuple[TutorError, int] | None:
        headers = request.headers
        host = _name(headers.get("host", ""))
        if not self._any_host and host not in self._hosts and not _is_address(host):
            fix = f"Use {_address(request.scope)}{self._path}, or start it with: {self._start} --host NAME"
            return UsageError("this server does not go by that name", about=host, fix=fix), 421
        origin = headers.get("origin")
        foreign = origin is not None and _place(origin) != headers.get("host", "").lower()
        site = headers.get("sec-fetch-site", "")
        changes = request.method not in _SAFE_METHODS
        if (changes and (foreign or site in _OTHER_SITES)) or (
            site == "cross-site" and request.url.path.startswith(_INTERFACES)
        ):
            here = f"{_address(request.scope)}{self._path}"
            fix = f"Call {here} from a program, not from a page." if self._path else f"Open {here} itself."
            return UsageError("requests from other sites are refused", about=origin or "another site", fix=fix), 403
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _most(request):
            return _too_large(_most(request)), 413
        return None


def allowed_hosts(listening_on: str) -> tuple[frozenset[str], bool]:
    """The names a server on that address goes by, and whether it takes every name."""
    return frozenset({listening_on.lower()}), listening_on in _EVERY_ADDRESS


def _address(scope: Scope) -> str:
    """Where this request arrived, with the port: what to type into a browser."""
    host, port = scope.get("server") or ("127.0.0.1", None)
    shown = f"[{host}]" if ":" in host else host
    return f"{scope.get('scheme', 'http')}://{shown}{f':{port}' if port else ''}/"


def _place(origin: str) -> str | None:
    """The host and port that an origin names; None where it names none: "null", or what cannot be read."""
    with suppress(ValueError):
        return urlsplit(origin).netloc.lower() or None
    return None


def _name(host: str) -> str:
    with suppress(ValueError):
        return urlsplit(f"//{host}").hostname or ""
    return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _most(request: Request) -> int:
    """The largest body that a path takes, in bytes."""
    if request.url.path in IMPORTS:
        return MAX_IMPORT_BYTES
    if request.url.path.startswith("/drill/"):
        return MAX_DRILL_BYTES
    return MAX_CHAT_BYTES if request.url.path.startswith((PREFIX, "/mcp", *LONG_FORMS)) else MAX_BODY_BYTES


def _too_large(most: int) -> UsageError:
    return UsageError(f"the body is larger than {most // 1024} KB", fix=TOO_LARGE)


def _limited(receive: Receive, most: int) -> Receive:
    """The body, up to the limit: one that is sent in chunks gives no length beforehand."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413)
        return message

    return counted
