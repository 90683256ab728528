"""The map: cards by what builds on what, the way to a goal, and threads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tutor.errors import NotFound, TutorError, UsageError
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.map_layout import HEIGHT, WIDTH
from tutor.web.map_view import MARKS, view
from tutor.web.page_words import meant, on_page
from tutor.web.views import page

router = APIRouter(include_in_schema=False)


@router.api_route("/map", methods=["GET", "HEAD"])
def map_(
    request: Request,
    core: Annotated[Core, Depends(core_of)],
    goal: str = "",
    thread: str = "",
    find: str = "",
    whole: bool = False,
) -> Response:
    """All cards; with ``goal`` the way to it, with ``thread`` a thread, with ``whole`` either among all cards.

    A goal or a thread that is none is told of, above the map of everything.
    """
    goal, thread, find = goal.strip(), thread.strip(), " ".join(find[:200].split())
    error, status = None, 200
    try:
        shown = core.study(lambda study: view(study, goal=goal, thread=thread, find=find, whole=whole))
    except (NotFound, UsageError) as fault:
        error, status = fault, status_of(fault)
        failed(fault)
        shown = core.study(lambda study: view(study, find=find))
    titles = {card.id: card.title for card in shown.cards.values()}
    return page(
        request,
        "map/page.html",
        status=status,
        view=shown,
        marks=MARKS,
        find=find,
        error=TutorError(error.what, about=error.about, fix=on_page(error).fix) if error else None,
        near=meant(error, titles, "/map?goal="),
        box_width=WIDTH,
        box_height=HEIGHT,
        asked_goal=goal if error else "",
    )
