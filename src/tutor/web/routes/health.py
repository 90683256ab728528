"""Whether the server can answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from tutor.web.core import Core, core_of

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(core: Annotated[Core, Depends(core_of)]) -> dict[str, Any]:
    """The generation that answers; 503 when none does."""
    return core.health()
