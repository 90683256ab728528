"""The first page: a question box, and the answers below it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import TutorError
from tutor.retrieval.search import MAX_QUESTION_CHARS
from tutor.telemetry import failed
from tutor.text import clean_question
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.pieces import pieces
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
        return page(request, "ask/page.html", status=422, q="", kept=q, examples=EXAMPLES)
    if question:
        try:
            answer = core.ask(question)
            shown = [Markup(piece.html) for piece in pieces(answer)]
        except TutorError as fault:
            error, status = fault, status_of(fault)
            failed(fault)
    context: dict[str, Any] = {"q": question, "answer": answer, "pieces": shown, "error": error, "examples": EXAMPLES}
    return page(request, "ask/page.html", status=status, **context)
