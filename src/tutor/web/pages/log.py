"""The decision log: written, found again, changed and looked back at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from tutor.errors import StaleAnswer, TutorError
from tutor.study.log import LogBook
from tutor.study.lookup import card_names
from tutor.study.records import LONGEST_S
from tutor.web import logbook
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import Form, read_form, submit
from tutor.web.logbook import PAGE, Fields
from tutor.web.pages import log_reports
from tutor.web.progress import counted, day_shown
from tutor.web.views import page

T = TypeVar("T")
router = APIRouter(include_in_schema=False)
router.include_router(log_reports.router)  # first: /log/{entry} takes every name
CoreOf = Annotated[Core, Depends(core_of)]
Short = Annotated[str, Query(max_length=300)]
_LONGEST_S = LONGEST_S["log"]
_WORDS: dict[str, Any] = {"counted": counted, "day": day_shown, "address": logbook.address}


@router.api_route("/log", methods=["GET", "HEAD"])
def entries(
    request: Request,
    core: CoreOf,
    q: Annotated[str, Query(max_length=1_000)] = "",
    tag: Annotated[list[str] | None, Query(max_length=20)] = None,
    card: Short = "",
    item: Short = "",
    since: Short = "",
    until: Short = "",
    deleted: bool = False,
    pick: bool = False,
    at: Annotated[int, Query(ge=1, le=1_000_000, alias="page")] = 1,
) -> Response:
    """Entries, the newest first, a page at a time; what is given narrows them. ``pick`` chooses some for a draft."""
    tags = [one for one in tag or [] if one.strip()]
    wanted = {"q": q.strip(), "tag": tags, "card": card, "item": item, "since": since, "until": until}
    wanted |= {"deleted": "true" if deleted else "", "pick": "true" if pick else ""}

    def find(book: LogBook) -> dict[str, Any]:
        context = {"tags": book.tags(24), "today": book.today, "cards": card_names(book.outline)}
        context["plans"], context["item"] = logbook.places(book.outline, item)
        context["card"] = logbook.titled(book.outline, card)
        try:
            query = book.query(q, tags=tags, cards=[card] if card.strip() else [], item=item, first=since, last=until)
        except TutorError as fault:
            return {**context, "refused": logbook.refused(fault), "rows": [], "total": 0}
        total, found = book.search(query, deleted=deleted, limit=PAGE, start=(at - 1) * PAGE)
        gone = total or deleted or book.search(book.query(""), deleted=True, limit=1)[0]
        meant = [(date.text, date.first, date.last, date.any_year) for date in query.dates]
        return {
            **context,
            "rows": [logbook.show(book, one, query.terms) for one in found],
            "total": total,
            "meant": meant,
            "gone": bool(gone),
            "refused": None,
        }

    context = core.log(find)
    status = status_of(context["refused"].error) if context["refused"] else 200
    narrowed = any(value for name, value in wanted.items() if name not in ("pick", "deleted"))
    return page(
        request, "log/list.html", status=status, wanted=wanted, narrowed=narrowed, at=at, size=PAGE, **_WORDS, **context
    )


@router.api_route("/log/new", methods=["GET", "HEAD"])
def blank(
    request: Request, core: CoreOf, item: Short = "", card: Short = "", tag: Short = "", title: Short = ""
) -> Response:
    """An empty form; what a link gives is put in."""
    given = {"item": item, "cards": card, "tags": tag, "title": title}
    return _form(request, core, core.log(lambda book: logbook.blank(book, given)))


@router.post("/log/new")
async def write(request: Request, core: CoreOf) -> Response:
    """A new entry; the form comes back with everything in it where something is wrong."""
    form = await read_form(request)
    given = Fields.sent(form)

    def add() -> str:
        entry = core.log(lambda book: logbook.add(book, given, seconds=_seconds(form)))
        return f"/log/{entry.id}?saved=new"

    try:
        return await submit(request, form, add)
    except TutorError as fault:
        return await run_in_threadpool(_form, request, core, given, fault)


@router.post("/log/cards")
async def named_cards(request: Request, core: CoreOf) -> Response:
    """The cards that a text names, for the form while it is filled in."""
    form = await read_form(request)
    text = form.text("text")[:20_000]

    def find(book: LogBook) -> list[dict[str, str]]:
        cards = book.names.find(text)
        return [{"id": card, "title": title} for card, title in zip(cards, book.titles(cards), strict=True)]

    return JSONResponse(await run_in_threadpool(core.log, find))


@router.api_route("/log/step", methods=["GET", "HEAD"])
def step(core: CoreOf, day: Short = "") -> Response:
    """The step of the plan on another day than the form was made for; null where it has none."""
    return JSONResponse(core.log(lambda book: logbook.step_on(book, day)))


@router.api_route("/log/{entry}", methods=["GET", "HEAD"])
def read(
    request: Request, entry: str, core: CoreOf, version: int | None = None, saved: str = "", done: str = ""
) -> Response:
    """An entry, or an earlier version of it."""

    def find(book: LogBook) -> dict[str, Any]:
        newest = book.get(entry)
        versions = book.versions(newest.id)
        chosen = next((one for one in versions if one.version == version), newest)
        return {"shown": logbook.show(book, chosen), "newest": newest, "versions": versions, "today": book.today,
                "zone": book.zone, "offers": [] if newest.deleted else book.offers(newest.item)}  # fmt: skip

    return page(request, "log/entry.html", saved=saved[:40], done=done[:20], **_WORDS, **_found(core, find))


@router.api_route("/log/{entry}/edit", methods=["GET", "HEAD"])
def change(request: Request, entry: str, core: CoreOf) -> Response:
    """The form of an entry."""

    def find(book: LogBook) -> tuple[Fields, str]:
        found = book.get(entry)
        return logbook.filled(book, found), found.id

    given, entry_id = _found(core, find)
    return _form(request, core, given, entry=entry_id)


@router.post("/log/{entry}/edit")
async def save(request: Request, entry: str, core: CoreOf) -> Response:
    """A new version. Where somebody else has made one meanwhile, both are shown and nothing is stored yet."""
    form = await read_form(request)
    given = Fields.sent(form)

    def edit() -> str:
        found = core.log(lambda book: logbook.edit(book, entry, given))
        return f"/log/{found.id}?saved={found.id}"

    try:
        return await submit(request, form, edit)
    except TutorError as fault:
        return await run_in_threadpool(_form, request, core, given, fault, entry)


@router.api_route("/log/{entry}/delete", methods=["GET", "HEAD"])
def ask_to_delete(request: Request, entry: str, core: CoreOf) -> Response:
    """Asks whether the entry is to go."""
    shown = _found(core, lambda book: logbook.show(book, book.get(entry)))
    return page(request, "log/delete.html", shown=shown, **_WORDS)


@router.post("/log/{entry}/delete")
async def delete(request: Request, entry: str, core: CoreOf) -> Response:
    """Take an entry out of sight."""
    form = await read_form(request)
    return await submit(request, form, lambda: f"/log/{core.log(lambda book: book.delete(entry)).id}?done=deleted")


@router.post("/log/{entry}/restore")
async def restore(request: Request, entry: str, core: CoreOf) -> Response:
    """Bring an entry back, or an earlier version of it."""
    form = await read_form(request)
    version = form.whole("version")

    def bring_back() -> str:
        return f"/log/{core.log(lambda book: book.restore(entry, version)).id}?done=restored"

    return await submit(request, form, bring_back)


def _found(core: Core, find: Callable[[LogBook], T]) -> T:
    """As ``Core.log``, with errors in a page's words."""
    try:
        return core.log(find)
    except TutorError as fault:
        raise logbook.refused(fault).error from fault


def _seconds(form: Form) -> float:
    """How long it took to write, as the page has measured it; 0 where it has not."""
    try:
        return min(_LONGEST_S, max(0.0, float(form.text("seconds") or 0)))
    except ValueError:
        return 0.0


def _form(request: Request, core: Core, given: Fields, fault: TutorError | None = None, entry: str = "") -> Response:
    """The form of a new entry or of one that is edited, with what is wrong beside the field it is about."""

    def gather(book: LogBook) -> dict[str, Any]:
        theirs = None
        if isinstance(fault, StaleAnswer):
            with suppress(TutorError):
                theirs = logbook.show(book, book.get(entry))
        plans, chosen = logbook.places(book.outline, given.item)
        return {
            "plans": plans,
            "now": logbook.step_on(book, given.day),
            "chosen": chosen,
            "card_titles": [card.title for card in book.outline.cards.values()],
            "tags": book.tags(50),
            "today": book.today,
            "theirs": theirs,
        }

    plans = [("", [(given.item, given.item)])] if given.item else []
    context: dict[str, Any] = {
        "plans": plans,
        "now": None,
        "chosen": given.item,
        "card_titles": [],
        "tags": [],
        "today": None,
        "theirs": None,
    }
    with suppress(TutorError):  # a store that does not answer is why the form comes back: the text must, too
        context = core.log(gather)
    refused = logbook.refused(fault) if fault else None
    status = 200 if refused is None else 422 if refused.field else status_of(refused.error)
    return page(request, "log/form.html", status=status, given=given, refused=refused, entry=entry, **_WORDS, **context)
