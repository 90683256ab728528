"""The library, and a document of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.web import library as shelves
from tutor.web.core import Core, core_of
from tutor.web.highlight import render_document
from tutor.web.render import inline
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]


@router.api_route("/documents", methods=["GET", "HEAD"])
def library(request: Request, core: CoreOf, filter: str = "") -> Response:
    """Everything that is indexed, on shelves; ``filter`` keeps what has all its words in title, aliases or tags."""
    documents = core.documents()
    found = shelves.arrange(documents, filter)
    shown = sum(len(shelf.rows) for shelf in found)
    return page(request, "cards/library.html", shelves=found, shown=shown, total=len(documents), filter=filter)


@router.api_route("/documents/{doc_id:path}", methods=["GET", "HEAD"])
def document(
    request: Request,
    doc_id: str,
    core: CoreOf,
    start: int = 0,
    end: int = 0,
    at: int = 0,
    fragment: bool = False,
) -> Response:
    """A document with the span from ``start`` to ``end`` highlighted.

    Of a very long one, the part around the span, or from the character ``at``. ``fragment`` gives only the inside, for
    the side pane.
    """
    found = core.document(doc_id)
    part = shelves.window(found["text"], start if start < end else at, centred=start < end)
    shown = render_document(
        found["text"][part.start : part.end], start - part.start, end - part.start, title=found["title"]
    )
    meta = found["meta"]
    return page(
        request,
        "cards/pane.html" if fragment else "cards/document.html",
        document=found,
        crumbs=shelves.crumbs(found),
        html=Markup(shown.html),
        contents=shown.contents,
        part=part,
        links=shelves.links(found, core.documents()),
        resources=[Markup(inline(r)) for r in _texts(meta.get("resources"))],
    )


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
