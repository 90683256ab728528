"""Whether the server can answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut, HealthOut

router = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    response_model=HealthOut,
    summary="Health",
    responses={503: {"model": ErrorOut, "description": "No generation answers."}},
)
def healthz(core: Annotated[Core, Depends(core_of)]) -> dict[str, Any]:
    """The generation that answers, and what is in it."""
    return core.health()
