"""``tutor mcp``: the Model Context Protocol over standard input and output, or over HTTP."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tutor.cli.serve import listen
from tutor.cli.state import State, make_ready
from tutor.errors import SettingsError, UsageError

_HOST, _PORT = "127.0.0.1", 8765


def mcp(
    context: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Serve over HTTP, at /mcp, instead of stdio.")] = False,
    host: Annotated[str | None, typer.Option(help="With --http: the address to listen on.", show_default=_HOST)] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="With --http: the port; 0 takes a free one.", show_default=str(_PORT)),
    ] = None,
    allow_drills: Annotated[
        bool, typer.Option("--allow-drills", help="Offer drills, which keep answers and results.")
    ] = False,
) -> None:
    """Serve editors and assistants that speak the Model Context Protocol; read-only unless drills are allowed."""
    from tutor.bootstrap import App
    from tutor.mcp.opening import Opening
    from tutor.mcp.server import build
    from tutor.mcp.transports import PATH, http_app, serve_stdio
    from tutor.telemetry import logs
    from tutor.web.security import is_loopback

    if not http and (host is not None or port is not None):
        raise UsageError("only HTTP has an address", about="--host, --port", fix="Add --http.")
    host, port = host or _HOST, _PORT if port is None else port
    state: State = context.obj
    settings = state.settings()
    key = settings.server.api_key
    if http and not is_loopback(host) and not key.get_secret_value():
        raise SettingsError(
            "others can reach that address and the server has no key",
            about=f"--host {host}",
            fix="Set TUTOR_SERVER_API_KEY, or listen on 127.0.0.1.",
        )
    # To standard error: standard output is the protocol's.
    logs.configure(settings.log, settings.log_format, include_text=settings.telemetry.include_text)
    core = App(settings)
    opening = Opening(core, make_ready)
    server = build(opening, allow_drills=allow_drills)
    opening.begin()
    try:
        if not http:
            with core.watched():
                serve_stdio(server)
            return
        import uvicorn

        listener = listen(host, port, "tutor mcp --http")
        address, actual = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        print(f"tutor: MCP is at http://{shown}:{actual}{PATH}  (Ctrl-C stops it)", file=sys.stderr)
        config = uvicorn.Config(
            http_app(server, host=host, key=key), log_level=settings.log, timeout_graceful_shutdown=3, lifespan="on"
        )
        with core.watched():
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        core.close()
