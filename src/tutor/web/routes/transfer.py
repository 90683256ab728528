"""Everything that the learner has made over HTTP: the documents of ``tutor export``, and what ``tutor import`` does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut

CoreOf = Annotated[Core, Depends(core_of)]
_TYPES = {"json": ("application/json", "json"), "markdown": ("text/markdown; charset=utf-8", "md")}
_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"model": ErrorOut, "description": "It is no export, or a damaged one; nothing was changed."},
    503: {"model": ErrorOut, "description": "The study store cannot be read or written, or a newer version made it."},
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {"schema": {"type": "object"}}, "text/markdown": {}},
        "description": "A file.",
    }
}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}

router = APIRouter(prefix="/api/v1/study", tags=["study"], responses=_ERRORS)


class PartOut(BaseModel):
    """What became of the rows of one kind."""

    new: int
    kept: int
    replaced: int


class ImportOut(BaseModel):
    """What became of an export that was brought in."""

    of: str = Field(description="Whose it is: the learner's id.")
    made: str
    dry_run: bool
    parts: dict[str, PartOut]
    backup: str = Field(description="What was here before, as a file on the server; empty where nothing changed.")


@router.get("/export", summary="Everything the learner has made", response_class=Response, responses=_FILE)
def export(
    core: CoreOf,
    kind: Annotated[Literal["json", "markdown"], Query(alias="format", description="JSON can be brought in.")] = "json",
) -> Response:
    """As ``tutor export`` writes it, drills with their transcripts included; not kept by browsers and proxies."""
    media, suffix = _TYPES[kind]
    headers = {"Content-Disposition": f'attachment; filename="tutor.{suffix}"', "Cache-Control": "no-store"}
    return Response(core.export(kind), media_type=media, headers=headers)


@router.post("/import", response_model=ImportOut, summary="Bring an export in", openapi_extra=_BODY)
async def bring_in(
    request: Request,
    core: CoreOf,
    dry_run: Annotated[bool, Query(description="Only say what would become of it.")] = False,
) -> dict[str, Any]:
    """What is here stays: rows are added, and of two versions of a row the newer one counts. At most 32 MB."""
    data = await request.body()
    return await run_in_threadpool(core.bring_in, data, dry_run)
