"""Setting aside: cards and points that do not come up in reviews, until they are taken back."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tutor.errors import NotFound, UsageError
from tutor.study.desk import Study, never_reviewed
from tutor.study.lookup import card_of, point_of
from tutor.study.schedule import Item
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import read_form, submit
from tutor.web.page_words import day_words, on_page
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_LONGEST_REF = 255


@router.api_route("/review/aside", methods=["GET", "HEAD"])
def aside(request: Request, core: CoreOf, ref: str = "") -> Response:
    """What is set aside; with ``ref`` also whether to set that aside."""
    return _page(request, core, ref[:_LONGEST_REF])


@router.post("/review/aside")
async def set_aside(request: Request, core: CoreOf) -> Response:
    """Set a card or point aside, or take it back."""
    form = await read_form(request)
    ref, out = form.text("ref")[:_LONGEST_REF], form.on("out")

    def change() -> str:
        core.study(lambda study: study.suspend(ref, out))
        return "/review/aside"

    try:
        return await submit(request, form, change)
    except (NotFound, UsageError) as fault:
        failed(fault)
        error = fault
    return await run_sync(_page, request, core, "", error)


def _page(request: Request, core: Core, ref: str, error: NotFound | UsageError | None = None) -> Response:
    def look(study: Study) -> tuple[list[dict[str, str]], dict[str, str] | None]:
        rows = [_row(study, item) for item in study.suspended()]
        meant = None
        if ref and not any(row["ref"] == ref for row in rows):
            card = card_of(study.outline, ref.split("/", 1)[0])
            point = point_of(study.outline, ref)
            meant = {"ref": ref if point else card.id, "card": card.id, "title": card.title}
            meant["text"] = point[2].text if point else ""
            if study.item(meant["ref"]) is None:
                raise never_reviewed(meant["ref"])
        return rows, meant

    try:
        rows, meant = core.study(look)
    except (NotFound, UsageError) as fault:
        failed(fault)
        error = fault
        rows, meant = core.study(lambda study: [_row(study, item) for item in study.suspended()]), None
    return page(
        request,
        "review/aside.html",
        status=status_of(error) if error else 200,
        rows=rows,
        meant=meant,
        error=on_page(error) if error else None,
    )


def _row(study: Study, item: Item) -> dict[str, str]:
    point = point_of(study.outline, item.ref)
    due = item.due.astimezone(study.zone).date()
    return {
        "ref": item.ref,
        "card": item.card,
        "title": study.outline.cards[item.card].title,
        "text": point[2].text if point else "",
        "due": day_words(due, study.clock().astimezone(study.zone).date()),
        "lapses": str(item.lapses) if item.lapses else "",
    }
