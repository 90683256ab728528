"""Templates, and what every page is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from tutor.retrieval.search import MAX_QUESTION_CHARS
from tutor.text import clean_question
from tutor.web.forms import Once
from tutor.web.modules import modules
from tutor.web.pieces import document_url
from tutor.web.render import inline

HERE = Path(__file__).resolve().parent
_templates = Jinja2Templates(directory=HERE / "templates")
#: Characters from which a question is shown in a few lines, with a control that opens it.
LONG_QUESTION = 200
_templates.env.globals |= {
    "document_url": document_url,
    "most_characters": MAX_QUESTION_CHARS,
    "long_question": LONG_QUESTION,
    "modules": modules,
    "once": Once.token,
}
_templates.env.filters["clean"] = clean_question
_templates.env.filters["inline"] = lambda text: Markup(inline(text))
_templates.env.filters["timings"] = lambda answer: [*answer.stages.items(), ("all", answer.ms)]

#: What the pages are: path, name, and the name of the icon. Only what exists is listed.
NAVIGATION: tuple[tuple[str, str, str], ...] = (
    ("/", "Ask", "ask"),
    ("/today", "Today", "today"),
    ("/drill", "Drill", "drill"),
    ("/documents", "Library", "library"),
    ("/plan", "Plan", "plan"),
    ("/progress", "Progress", "progress"),
    ("/map", "Map", "map"),
    ("/log", "Log", "log"),
    ("/settings", "Settings", "settings"),
)

#: The key after "g" that goes to a place.
GO = dict(zip((path for path, _, _ in NAVIGATION), "atdlprmos", strict=True))
_WITHIN = {"/conversations": "/", "/review": "/today"}


def place_of(path: str) -> str:
    """The place of ``NAVIGATION`` that a page belongs to; "" where none."""
    first = f"/{path.split('/')[1]}"
    return first if first in GO else _WITHIN.get(first, "")


EXAMPLES = (
    "B-tree or LSM-tree for a write-heavy store?",
    "Why not Redis as the primary database?",
    "When would you not use RAG?",
    "How does CAP apply to a replicated database?",
    "How do I pick a shard key?",
    "How do you stop a cache stampede?",
    "Why does the KV cache limit how many users one GPU serves?",
    "When is Kafka the wrong choice?",
)


def page(
    request: Request, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response:
    """Render a template; autoescape is on, so only values marked safe are HTML."""
    given = {"navigation": NAVIGATION, "go": GO, "place_of": place_of, **context}
    return _templates.TemplateResponse(request, name, given, status_code=status, headers=headers)


def fragment(request: Request, name: str, **context: Any) -> str:
    """A part of a page, rendered as ``page`` does."""
    return _templates.get_template(name).render(request=request, **context)
