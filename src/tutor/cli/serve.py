"""``tutor serve``: the page and the API."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Annotated

import typer

from tutor.cli.state import State
from tutor.errors import UsageError

_NO_KEY = (
    "others can reach this server and it has no key: /v1 is closed, no language model is asked, and whoever reaches "
    "the page can use it. Set TUTOR_SERVER_API_KEY, or put a proxy with a login in front."
)
_JOIN_S = 5


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (default 8000; 0 takes a free one).")] = None,
) -> None:
    """Serve the page and the JSON API."""
    import uvicorn

    from tutor.cli.allocator import few_arenas
    from tutor.web.app import create_app
    from tutor.web.security import is_loopback

    few_arenas()
    state: State = context.obj
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    with state.core(server=given or None) as core:
        server = core.settings.server
        if not is_loopback(server.host) and not server.api_key.get_secret_value():
            print(f"tutor: {_NO_KEY}", file=sys.stderr)
        listener = listen(server.host, server.port)
        address, actual = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        typer.echo(f"tutor is at http://{shown}:{actual}/  (Ctrl-C stops it)")
        # Our log has the requests, by route and without what was asked; debug is for ours, not for uvicorn's own lines.
        level = "info" if core.settings.log == "debug" else core.settings.log
        web = create_app(core)
        config = uvicorn.Config(
            web,
            log_config=None,
            log_level=level,
            access_log=False,
            timeout_keep_alive=server.keep_alive_s,
            timeout_graceful_shutdown=3,
        )
        running = uvicorn.Server(config)
        thread = web.state.core.drills_ahead.begin(lambda: running.started)
        try:
            running.run(sockets=[listener])
        finally:
            web.state.core.drills_ahead.end()
            thread.join(_JOIN_S)  # before what it reads is closed


def listen(host: str, port: int, command: str = "tutor serve") -> socket.socket:
    """A bound socket, so that a taken port is known before anything is promised.

    Raises:
        UsageError: the port is taken or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)  # from here on a browser that is told the address waits instead of being refused
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise UsageError(
            "the port is taken by another program" if taken else f"cannot listen there ({error.strerror or error})",
            about=f"{host}:{port}",
            fix=f"Choose another: {command} --port {port + 1 if port else 8001}",
        ) from error
    return listener
