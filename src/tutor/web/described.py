"""The statuses that the layers around the routes answer with, in the description of every route.

Routes name what they refuse themselves. What ``security.Guard``, ``key.KeyCheck`` and the reading of a body refuse is
put in here, so that /openapi.json tells every status that a client may see.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from tutor.web.openai import PREFIX, OpenAIErrorOut
from tutor.web.schemas import ErrorOut

#: Status → what it means, of any path; those of a body only where one is taken.
EVERYWHERE = {
    "401": "The server has a key, and it is missing or wrong.",
    "403": "The request comes from another site, or the interface is closed.",
    "405": "The path has no such method.",
    "421": "The server does not go by the name that the request gives.",
    "500": "Something failed that nobody expected; the server's log has the details.",
}
OF_BODIES = {"400": "The body is not text in UTF-8.", "413": "The body is too large."}
_SCHEMAS = "#/components/schemas/"


def describe(web: FastAPI) -> None:
    """Let ``web.openapi`` tell those statuses too. To be called once, when all routes are in."""
    plain = web.openapi

    def whole() -> dict[str, Any]:
        if web.openapi_schema is None:
            _complete(plain())
        return web.openapi_schema or {}

    web.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _complete(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        model = OpenAIErrorOut if path.startswith(PREFIX) else ErrorOut
        content = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{model.__name__}"}}}
        for operation in methods.values():
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]  # OpenAI's 400 is in its place
            told = EVERYWHERE | (OF_BODIES if "requestBody" in operation else {})
            for status, meaning in told.items():
                answers.setdefault(status, {"description": meaning, "content": content})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which no route of ours answers with
        schemas.pop(name, None)
