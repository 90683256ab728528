"""How clients reach the server: over standard input and output, or over streamable HTTP."""

from __future__ import annotations

import signal
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from pydantic import SecretStr
from starlette.types import ASGIApp

from tutor.web.key import KeyCheck
from tutor.web.security import Guard, allowed_hosts, is_loopback

PATH = "/mcp"


def serve_stdio(server: Server[Any]) -> None:
    """Speak the protocol on standard output until standard input ends; whatever else is printed goes to stderr."""

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    # Ctrl-C ends the process at once: the thread that waits for a line of standard input cannot be woken otherwise, and
    # a kill at any moment loses nothing that was stored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    anyio.run(run)


def http_app(server: Server[Any], *, host: str, key: SecretStr) -> ASGIApp:
    """The server at ``/mcp`` of an ASGI application, which needs its lifespan.

    No session is kept, so that it can be restarted and copied. Other sites' pages, other names for this machine and
    oversized bodies are refused as on the page; on the loopback address the SDK checks host and origin once more.
    """
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        host="127.0.0.1" if is_loopback(host) else host,
    )
    hosts, any_host = allowed_hosts(host)
    return Guard(KeyCheck(app, key=key), hosts=hosts, any_host=any_host, start="tutor mcp --http", path=PATH)
