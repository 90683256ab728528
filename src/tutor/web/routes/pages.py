"""The pages: ask, library, a document, the API's documentation."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import TutorError
from tutor.web import render
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.highlight import highlighted
from tutor.web.routes.api import pieces
from tutor.web.views import EXAMPLES, page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]

PHASES = {
    0: "Architectural thinking",
    1: "Foundations",
    2: "Low-level design",
    3: "Storage and databases",
    4: "Distributed systems",
    5: "Data-intensive systems",
    6: "AI engineering I",
    7: "AI engineering II",
    8: "Operability and judgment",
    9: "Practice and strategy",
}
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.S)
_TAG = re.compile(r"<[^>]+>")


@router.get("/")
def home(request: Request, core: CoreOf, q: str = "") -> Response:
    """The question box; with ``q``, the whole answer, for browsers without scripts and for links."""
    answer, html, error, status = None, [], None, 200
    if q.strip():
        try:
            answer = core.ask(q)
            html = [Markup(part) for part in pieces(answer)]
        except TutorError as fault:
            error, status = fault, status_of(fault)
    return page(request, "ask.html", status=status, q=q, answer=answer, pieces=html, error=error, examples=EXAMPLES)


@router.get("/documents")
def library(request: Request, core: CoreOf) -> Response:
    """Everything that is indexed."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for document in core.documents():
        phase = document["meta"].get("phase")
        name = f"Phase {phase}: {PHASES.get(phase, '')}" if isinstance(phase, int) else document["kind"].capitalize()
        groups.setdefault(name, []).append(document)
    return page(request, "library.html", groups=groups)


@router.get("/documents/{doc_id:path}")
def document(
    request: Request, doc_id: str, core: CoreOf, start: int = -1, end: int = -1, fragment: bool = False
) -> Response:
    """A document, with one span highlighted; ``fragment`` gives only its inside, for the side pane."""
    found = core.document(doc_id)
    html, contents = _with_contents(highlighted(found["text"], start, end))
    known = {d["doc_id"]: d["title"] for d in core.documents()}
    links = {
        name: [(i, known[i]) for i in found["meta"].get(name, ()) if i in known]
        for name in ("prerequisites", "related")
    }
    resources = [Markup(render.inline(r)) for r in found["meta"].get("resources", ())]
    return page(
        request,
        "pane.html" if fragment else "document.html",
        document=found,
        html=Markup(html),
        contents=contents,
        links=links,
        resources=resources,
        phase=PHASES.get(found["meta"].get("phase", -1)),
    )


def _with_contents(html: str) -> tuple[str, list[tuple[str, str]]]:
    contents: list[tuple[str, str]] = []

    def anchor(match: re.Match[str]) -> str:
        name = f"section-{len(contents) + 1}"
        contents.append((name, _TAG.sub("", match.group(1))))
        return f'<h2 id="{name}">{match.group(1)}</h2>'

    return _HEADING.sub(anchor, html), contents


@router.get("/docs")
def docs(request: Request) -> Response:
    """The API, listed from its OpenAPI description."""
    paths = request.app.openapi()["paths"]
    rows = [
        (method.upper(), path, operation.get("description") or operation.get("summary", ""), operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
    return page(request, "docs.html", rows=rows)
