"""What was asked before: the list of conversations by day, and what can be done with one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tutor.errors import UsageError
from tutor.study.conversations import Summary
from tutor.study.days import day_of
from tutor.study.entries import folded
from tutor.study.places import in_all
from tutor.web import threads
from tutor.web.core import Core, core_of
from tutor.web.forms import read_form, submit
from tutor.web.sharing import shared_page
from tutor.web.views import page as rendered

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_AT_ONCE = 50
_MOST_PAGES = 10_000


@router.api_route("/conversations", methods=["GET", "HEAD"])
def conversations(
    request: Request, core: CoreOf, q: str = "", page: str = "1", open: str = "", deleted: bool = False
) -> Response:
    """The conversations that hold all the words of ``q``, the latest day first; ``open``: one whose menu is open."""
    number = min(int(page), _MOST_PAGES) if page.isdecimal() and page.isascii() and len(page) < 9 else 1
    return _list(
        request, core, q[:200], max(1, number), open=open, told="The conversation is deleted." if deleted else ""
    )


@router.post("/conversations/{conversation}/rename")
async def rename(request: Request, core: CoreOf, conversation: str) -> Response:
    """Give it another title; a wrong one comes back to be mended."""
    form = await read_form(request)
    title = form.text("title")

    def change() -> str:
        core.conversations().rename(conversation, title)
        return f"/conversations#c-{conversation}"

    try:
        return await submit(request, form, change)
    except UsageError as fault:
        wrong = {
            "id": conversation,
            "title": title,
            "what": f"The title {fault.what.removeprefix('the title ')}. {fault.fix}",
        }
        return await run_in_threadpool(_list, request, core, "", 1, open=conversation, wrong=wrong, status=422)


@router.post("/conversations/{conversation}/delete")
async def delete(request: Request, core: CoreOf, conversation: str) -> Response:
    """Delete it with all its turns."""
    form = await read_form(request)

    def work() -> str:
        core.conversations().delete(conversation)
        return "/conversations?deleted=1"

    return await submit(request, form, work)


@router.post("/conversations/{conversation}/turns/{turn}/vote")
async def vote(request: Request, core: CoreOf, conversation: str, turn: str) -> Response:
    """Say whether an answer was good, and why not."""
    form = await read_form(request)

    def take() -> str:
        threads.vote(core, conversation, turn, form.text("vote"), threads.reason_of(form))
        return f"/conversations/{conversation}#turn-{turn}"

    return await submit(request, form, take)


@router.get("/conversations/{conversation}/share.html")
def share(request: Request, core: CoreOf, conversation: str) -> Response:
    """The whole conversation as one file that can be read anywhere."""
    thread = core.conversations().get(conversation)
    return shared_page(request, thread.about.title, thread.turns, core.conversations().zone)


@router.get("/conversations/{conversation}/turns/{turn}/share.html")
def share_turn(request: Request, core: CoreOf, conversation: str, turn: str) -> Response:
    """One question with its answer as such a file."""
    found = core.conversations().turn(conversation, turn)
    return shared_page(request, found.question, [found], core.conversations().zone)


def _list(
    request: Request, core: Core, words: str, number: int, *, told: str = "", status: int = 200, **shown: Any
) -> Response:
    kept = core.conversations()
    total, found = kept.find(words, limit=_AT_ONCE, offset=(number - 1) * _AT_ONCE)
    today = day_of(kept.clock(), kept.zone)

    def day(one: Summary) -> date:
        return day_of(one.changed, kept.zone)

    days = [(_called(on, today), list(those)) for on, those in groupby(found, key=day)]
    needles = folded(words).split()
    context: dict[str, Any] = {
        "titles": {one.id: in_all(one.title, needles) for one in found},
        "places": kept.places(found, words) if needles else {},
        "days": days,
        "total": total,
        "words": words,
        "page": number,
        "told": told,
        "keeps": kept.kept,
    }
    context |= {"later": number > 1, "earlier": number * _AT_ONCE < total}
    return rendered(request, "conversations/list.html", status=status, **context | shown)


def _called(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A} {day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")
