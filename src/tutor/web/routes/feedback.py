"""Votes on answers over HTTP: the same lines as ``tutor feedback`` keeps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut, FeedbackIn, FeedbackOut

CoreOf = Annotated[Core, Depends(core_of)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"model": ErrorOut, "description": "The vote is neither up nor down, or something is empty or too long."}
}

router = APIRouter(prefix="/api/v1", tags=["feedback"], responses=_ERRORS)


@router.post("/feedback", status_code=201, response_model=FeedbackOut, summary="Vote on an answer")
def feedback(body: FeedbackIn, core: CoreOf) -> dict[str, Any]:
    """Kept on the server's own disk, for people to make test questions of; it changes no answer."""
    return asdict(core.vote(body))
