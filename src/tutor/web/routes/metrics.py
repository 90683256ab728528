"""What the server has counted, for Prometheus."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tutor.errors import TutorError, UsageError
from tutor.settings import ServerSettings
from tutor.telemetry.prometheus import process_meter
from tutor.web.core import Core, core_of
from tutor.web.errors import respond

router = APIRouter(include_in_schema=False)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


@router.get("/metrics")
def metrics(request: Request, core: Annotated[Core, Depends(core_of)]) -> Response:
    """Counted since the process began; waits for no answer under way."""
    if refused := stranger(request, core.server):
        error, status = refused
        response = respond(request, error, status)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    body, kind = process_meter().exposed(request.headers.get("accept", ""), core.figures())
    return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def stranger(request: Request, server: ServerSettings) -> tuple[TutorError, int] | None:
    """What to answer somebody who may not read figures: with a key set all who do not bring it, without one all but
    this machine itself. What came through a proxy is not this machine, whatever address the proxy has."""
    # Looked up by name: a server without keys has none to compare with.
    secret = getattr(server, "api_key", None)
    if secret is not None and (key := secret.get_secret_value()):
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and compare_digest(given.strip().encode(), key.encode()):
            return None
        fix = "Send the header Authorization: Bearer KEY"
        return UsageError("the figures need the server's key", about="/metrics", fix=fix), 401
    host = request.client.host if request.client else ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if local and not any(name in request.headers for name in _FORWARDED):
        return None
    fix = "Ask from that machine itself, or set a key there."
    return UsageError("the figures are for the server's own machine", about="/metrics", fix=fix), 403
