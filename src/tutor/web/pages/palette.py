"""What the command palette finds besides places and actions: the library by name, in one small answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from tutor.version import tutor_version
from tutor.web.core import Core, core_of
from tutor.web.library import PHASES

#: A library of one's own may have 100,000 documents: the library's page searches those.
MOST = 1_500

router = APIRouter(include_in_schema=False)


@router.get("/palette")
def palette(request: Request, core: Annotated[Core, Depends(core_of)]) -> Response:
    """Every card, then other documents, at most 1,500: id, title, where it stands, other names.

    Its tag is the generation of the index: a browser that has this one's is answered 304 without a look at it.
    """
    tag = f'"{tutor_version()}-{core.health()["generation"]}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse({"documents": list(named(core.documents()))}, headers={"ETag": tag})


def named(documents: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str, list[str], bool]]:
    """(doc_id, title, where it stands, other names, whether it is a card) of the first ``MOST`` documents."""
    for _, document in zip(range(MOST), documents, strict=False):
        meta = document["meta"]
        place = PHASES.get(meta.get("phase", -1)) or str(document["kind"]).capitalize()
        card = document["kind"] == "card"
        yield document["doc_id"], document["title"], place, list(document["aliases"]), card
