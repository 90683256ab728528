"""The pages: ask, library, a document, the API's documentation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import TutorError
from tutor.retrieval.search import MAX_QUESTION_CHARS
from tutor.telemetry import failed
from tutor.text import clean_question
from tutor.web import library as shelves
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.highlight import render_document
from tutor.web.pieces import pieces
from tutor.web.reference import endpoints
from tutor.web.render import inline
from tutor.web.views import EXAMPLES, page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]


@router.api_route("/", methods=["GET", "HEAD"])
def home(request: Request, core: CoreOf, q: str = "") -> Response:
    """The question box; with ``q``, the whole answer, for browsers without scripts and for links.

    A question that is too long stays in the box, with what is wrong beside it.
    """
    answer, shown, error, status = None, [], None, 200
    question = " ".join(q.split())
    if len(clean_question(q)) > MAX_QUESTION_CHARS:  # back into the box, to be shortened there
        return page(request, "ask.html", status=422, q="", kept=q, examples=EXAMPLES)
    if question:
        try:
            answer = core.ask(question)
            shown = [Markup(piece.html) for piece in pieces(answer)]
        except TutorError as fault:
            error, status = fault, status_of(fault)
            failed(fault)
    context: dict[str, Any] = {"q": question, "answer": answer, "pieces": shown, "error": error, "examples": EXAMPLES}
    return page(request, "ask.html", status=status, **context)


@router.api_route("/documents", methods=["GET", "HEAD"])
def library(request: Request, core: CoreOf, filter: str = "") -> Response:
    """Everything that is indexed, on shelves; ``filter`` keeps what has all its words in title, aliases or tags."""
    documents = core.documents()
    found = shelves.arrange(documents, filter)
    shown = sum(len(shelf.rows) for shelf in found)
    return page(request, "library.html", shelves=found, shown=shown, total=len(documents), filter=filter)


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
        "pane.html" if fragment else "document.html",
        document=found,
        crumbs=shelves.crumbs(found),
        html=Markup(shown.html),
        contents=shown.contents,
        part=part,
        links=shelves.links(found, core.documents()),
        resources=[Markup(inline(r)) for r in _texts(meta.get("resources"))],
    )


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs(request: Request) -> Response:
    """The API, listed from its OpenAPI description."""
    description: dict[str, Any] = request.app.openapi()
    return page(request, "docs.html", about=description["info"], endpoints=endpoints(description))


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
