"""Errors to HTTP: the one place where a status code is chosen."""

from __future__ import annotations

import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from tutor.errors import (
    GenerationError,
    IndexFault,
    MissingExtra,
    ModelError,
    NotFound,
    Outdated,
    ReadingError,
    SourceError,
    StaleAnswer,
    StudyFault,
    TutorError,
    UsageError,
)
from tutor.telemetry import failed
from tutor.text import mended
from tutor.web.openai import PREFIX
from tutor.web.openai import respond as openai_error
from tutor.web.page_words import on_page
from tutor.web.views import page

_log = logging.getLogger(__name__)
_STATUS: tuple[tuple[type[TutorError], int], ...] = (
    (UsageError, 422),
    (NotFound, 404),
    (StaleAnswer, 409),
    (Outdated, 409),
    (SourceError, 422),
    (MissingExtra, 501),
    (GenerationError, 502),
    (ReadingError, 502),
    (ModelError, 503),
    (IndexFault, 503),
    (StudyFault, 503),
    (TutorError, 500),
)
TOO_LARGE = "A question has at most 4,000 characters, an answer to a drill 20,000."
_API = "The API is described at /docs."
_DRILL = "POST /api/v1/drills"
_PLANS = "/api/v1/study/plans"
#: Commands that errors of the drills name → the request that does the same.
_COMMANDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"'tutor progress' lists", "GET /api/v1/study/progress lists"),
        (r"See: tutor review --json", "See: GET /api/v1/study/review"),
        (r"'?tutor drill --list --all'? shows those there are", "GET /api/v1/drills?all=true lists those there are"),
        (r"tutor drill --format (\w+) --seed (\d+)", rf'{_DRILL} {{"format": "\1", "seed": \2}}'),
        (r"tutor drill --format (\w+) ([\w-]+)", rf'{_DRILL} {{"format": "\1", "request": "\2"}}'),
        (r"tutor drill --phase (\d)", rf'{_DRILL} {{"phases": [\1]}}'),
        (r'tutor drill "([^"]+)"', rf'{_DRILL} {{"request": "\1"}}'),
        (r"tutor drill\b", _DRILL),
        (r"tutor plan start ([\w-]+) --until (\S+)", rf'POST {_PLANS}/\1/start {{"until": "\2"}}'),
        (r"tutor plan custom [^.]*", rf"POST {_PLANS}/custom"),
        (r"tutor plan show ([\w-]+)", rf"GET {_PLANS}/\1"),
        (r"tutor plan (start|stop|catch-up) ([\w-]+)(?: --\w+)?", rf"POST {_PLANS}/\2/\1"),
        (r"tutor plan done\b", f"POST {_PLANS}/ID/ticks"),
        (r"--what-fits\b", '"what_fits": true'),
    )
)
#: Options of commands whose field in the API is not called the same.
_FIELDS = {"--from": "start", "--skip": "skips", "--set": "status", "--interview": "interview"}
_HTTP = {
    400: UsageError("the request cannot be read", fix="A body is JSON in UTF-8, as described at /docs."),
    404: NotFound("there is no such page", fix="Start at the first page: /"),
    405: UsageError("this method is not allowed here", fix=_API),
    413: UsageError("the body is too large", fix=TOO_LARGE),
}


def status_of(error: TutorError) -> int:
    """The HTTP status of an error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def over_http(fix: str) -> str:
    """What to do, in the API's words where it was said in the command line's."""
    for pattern, words in _COMMANDS:
        fix = pattern.sub(words, fix)
    return fix


def _field(about: str) -> str:
    """What an error is about, as the API's field where it was said as the command line's option."""
    if not re.fullmatch(r"--[a-z-]+", about):
        return about
    return _FIELDS.get(about, about[2:].replace("-", "_"))


def told(error: Exception) -> TutorError:
    """What a client is told, and counted: our own errors as they are, the log has the details of any other."""
    failed(error)
    if isinstance(error, TutorError):
        return error
    _log.error("unexpected", exc_info=error)
    what = f"something went wrong here ({type(error).__name__})"
    return TutorError(what, fix="The server's log has the details; try again.")


def to_json(error: TutorError) -> dict[str, Any]:
    """The error's body: the same three parts as on the terminal."""
    parts = {"what": error.what, "about": _field(error.about), "fix": over_http(error.fix)}
    return {"error": {**{name: mended(text) for name, text in parts.items()}, "transient": error.transient}}


def respond(request: Request, error: TutorError, status: int, *, cause: Exception | None = None) -> Response:
    """A page for a browser that asks for one, on OpenAI's paths its error body, JSON for everything else.

    Counts ``cause``, or the error itself.
    """
    failed(cause or error)
    headers = {"Retry-After": "2"} if status == 503 and error.transient else None
    if request.url.path.startswith(PREFIX):
        return openai_error(error, status, fix=over_http(error.fix), headers=headers)
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(to_json(error), status, headers)
    return page(request, "error.html", status=status, headers=headers, error=on_page(error), missing=status == 404)


def _known(request: Request) -> str:
    """The parameters of the route that was asked for."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return ""
    models = [p.field_info.annotation for p in (*route.dependant.query_params, *route.dependant.body_params)]
    return ", ".join(name for model in models for name in getattr(model, "model_fields", ()))


def install(app: FastAPI) -> None:
    """Register the handlers. What nobody expected is answered by ``security.Guard``."""

    @app.exception_handler(TutorError)
    async def ours(request: Request, error: TutorError) -> Response:
        return respond(request, error, status_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
        fix = _API
        if first["type"] == "json_invalid":
            return respond(request, UsageError("the body is not valid JSON", fix=fix), 422)
        if first["type"] == "extra_forbidden" and (known := _known(request)):
            return respond(request, UsageError("unknown parameter", about=where, fix=f"Known: {known}."), 422)
        return respond(request, UsageError(str(first["msg"]), about=where, fix=fix), 422)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        known = _HTTP.get(error.status_code, UsageError(str(error.detail), fix=_API))
        shown = type(known)(known.what, about=request.url.path, fix=known.fix)
        response = respond(request, shown, error.status_code)
        response.headers.update(error.headers or {})
        return response
