"""What to do today, and why; and what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tutor.errors import UsageError
from tutor.study.custom import in_hours
from tutor.study.desk import MOST_MINUTES
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.page_words import day_words, on_page
from tutor.web.today_views import day_of_study
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]


@router.api_route("/today", methods=["GET", "HEAD"])
def today(request: Request, core: CoreOf, minutes: str = "") -> Response:
    """The list for the day's minutes; ``minutes`` asks for another number of them."""
    error, given = None, minutes.strip()
    try:
        day = core.study(lambda study: day_of_study(study, _whole(given)))
    except UsageError as fault:
        failed(fault)
        error = on_page(fault)
        day = core.study(lambda study: day_of_study(study, None))
    return page(
        request,
        "today/page.html",
        status=422 if error else 200,
        day=day,
        asked=given if given and not error else "",
        given=given or str(day.found.minutes),
        error=error,
        hours=in_hours,
        day_words=day_words,
    )


def _whole(text: str) -> int | None:
    """Minutes as they were typed; None for none.

    Raises:
        UsageError: it is no whole number.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        what = f"'{text[:40]}' is no number of minutes"
        raise UsageError(what, about="--minutes", fix=f"From 1 to {MOST_MINUTES}.")
    return int(text)
