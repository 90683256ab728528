"""Errors to HTTP: the one place where a status code is chosen."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from tutor.errors import IndexFault, MissingExtra, ModelError, NotFound, SourceError, TutorError, UsageError

_STATUS: tuple[tuple[type[TutorError], int], ...] = (
    (UsageError, 422),
    (NotFound, 404),
    (SourceError, 422),
    (MissingExtra, 501),
    (ModelError, 503),
    (IndexFault, 503),
    (TutorError, 500),
)


def status_of(error: TutorError) -> int:
    """The HTTP status of an error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def to_json(error: TutorError) -> dict[str, Any]:
    """The error's body: the same three parts as on the terminal."""
    return {
        "error": {"what": error.what, "about": error.about, "fix": error.fix, "transient": error.transient},
    }


def respond(request: Request, error: TutorError, status: int) -> Response:
    """JSON for the API, a page for a browser."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(to_json(error), status)
    from tutor.web.views import page

    return page(request, "error.html", status=status, error=error)


def install(app: FastAPI) -> None:
    """Register the handlers."""

    @app.exception_handler(TutorError)
    async def ours(request: Request, error: TutorError) -> Response:
        return respond(request, error, status_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
        return respond(request, UsageError(str(first["msg"]), about=where, fix="See /docs."), 422)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            found = NotFound("there is no such page", about=request.url.path, fix="Start at the first page: /")
            return respond(request, found, 404)
        return respond(request, UsageError(str(error.detail), about=request.url.path), error.status_code)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        kind = type(error).__name__
        shown = TutorError(f"something went wrong here ({kind})", fix="The server's log has the details; try again.")
        return respond(request, shown, 500)
