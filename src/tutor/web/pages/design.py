"""The design system's own page: tokens as tokens.css has them, and every component with its markup."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import UsageError
from tutor.web.design import tokens
from tutor.web.views import HERE, fragment, page

router = APIRouter(include_in_schema=False)
#: The components, each a template of its own: it is shown, and its source is beside it.
COMPONENTS = (
    ("buttons", "Buttons", "One main button in a place; a second one beside it; quiet ones in a row of many."),
    (
        "fields",
        "Fields",
        "A label above, a note below. What is wrong is said beside the field, and what was typed stays.",
    ),
    ("badges", "Badges and marks", "A word in a frame. The colour adds to the word and never stands for it."),
    ("panel", "Panel", "What belongs together on a page of several things."),
    ("said", "Said", "What has just happened: once, calmly, where one looks."),
    ("failed", "Failed", "What happened, what it was about, what to do."),
    ("empty", "Empty", "Nothing is here yet; what to do about it."),
    ("list", "List", "One thing in a row, with a line between."),
    ("figures", "Figures", "A few numbers that matter."),
    ("progress", "Progress", "How far; the number stands beside it."),
    ("tabs", "Tabs", "Views of one thing; each has an address of its own."),
    ("table", "Table", "Scrolls inside its own frame where it is narrow."),
    ("quote", "Quoted text", "A chip leads to the source; the marker is for what was quoted."),
    ("dialog", "Dialog", "Opened by a button; Escape and a press beside it close it; focus goes back."),
)


@router.api_route("/design", methods=["GET", "HEAD"])
def design(request: Request) -> Response:
    """Everything the pages are made of."""
    example = UsageError("the file cannot be read", about="notes.pdf", fix="Save it anew, or export it as text.")
    shown = [
        (name, title, about, Markup(fragment(request, f"design/{name}.html", error=example)), _source(name))
        for name, title, about in COMPONENTS
    ]
    found = tokens(HERE / "static" / "css" / "tokens.css")
    return page(request, "design/page.html", tokens=found, components=shown)


def _source(name: str) -> str:
    return (HERE / "templates" / "design" / f"{name}.html").read_text(encoding="utf-8").strip()
