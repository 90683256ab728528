"""The API's documentation, rendered here: FastAPI's own loads scripts from elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tutor.web.described import EVERYWHERE, OF_BODIES
from tutor.web.reference import endpoints
from tutor.web.views import page

router = APIRouter(include_in_schema=False)


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs(request: Request) -> Response:
    """The API, listed from its OpenAPI description."""
    description: dict[str, Any] = request.app.openapi()
    return page(
        request,
        "docs/page.html",
        about=description["info"],
        endpoints=endpoints(description),
        common=sorted((EVERYWHERE | OF_BODIES).items()),
    )
