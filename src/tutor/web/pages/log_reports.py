"""The log looked back at: a week's digest, a month's capstone, drafts of blog posts; to read and to take along."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import TutorError, UsageError
from tutor.study import digest as rules
from tutor.study.entries import Query as Wanted
from tutor.study.links import item_of, items
from tutor.study.log import LogBook
from tutor.web import logbook
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.highlight import render_document
from tutor.web.progress import counted, day_shown
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
Short = Annotated[str, Query(max_length=300)]
Form = Annotated[Literal["page", "md"], Query(alias="format")]
_MOST_ENTRIES = 50  # of a draft
_WORDS: dict[str, Any] = {"counted": counted, "day": day_shown, "address": logbook.address}


@router.api_route("/log/digest", methods=["GET", "HEAD"])
def digest(request: Request, core: CoreOf, week: Short = "", form: Form = "page") -> Response:
    """What was decided, touched and left open in a week (2026-W47); this week where none is given."""

    def gather(book: LogBook) -> dict[str, Any]:
        this = rules.week_of(book.today)
        try:
            first, last = rules.days_of(week or this)
        except UsageError as fault:
            return {"fault": UsageError(fault.what, about="week", fix=fault.fix), "week": week, "this": this}
        found = rules.digest(book.entries(Wanted(first=first, last=last)), book.outline, first, last)
        before, after = (rules.week_of(first + timedelta(weeks=n)) if 1 < first.year < 9999 else "" for n in (-1, 1))
        return {"found": found, "week": found.week, "this": this, "before": before, "after": after,
                "today": book.today, "fault": None}  # fmt: skip

    context = core.log(gather)
    if form == "md" and not context["fault"]:
        return _file(rules.digest_markdown(context["found"]), f"log-{context['week']}.md")
    return page(
        request,
        "log/digest.html",
        status=status_of(context["fault"]) if context["fault"] else 200,
        **_WORDS,
        **context,
    )


@router.api_route("/log/capstone", methods=["GET", "HEAD"])
def capstone(request: Request, core: CoreOf, item: Short = "", form: Form = "page") -> Response:
    """Everything written for a month or another step, to write its capstone from."""

    def gather(book: LogBook) -> dict[str, Any]:
        known = items(book.outline)
        context: dict[str, Any] = {"choices": logbook.choices(book.outline), "fault": None, "text": ""}
        current = book.current()
        chosen = item.strip() or "/".join(current.split("/")[:2]) or next(iter(known), "")
        try:
            wanted = item_of(book.outline, chosen)
            mine = book.entries(Wanted(item=wanted))[::-1]
            context |= {"item": wanted, "title": known[wanted], "total": len(mine),
                        "text": rules.capstone(mine, book.outline, wanted)}  # fmt: skip
        except TutorError as fault:
            context |= {"item": chosen, "title": "", "total": 0, "fault": fault}
        return context

    context = core.log(gather)
    if form == "md" and not context["fault"]:
        return _file(context["text"], f"capstone-{context['item'].replace('/', '-')}.md")
    status = status_of(context["fault"]) if context["fault"] else 200
    html = Markup(render_document(context["text"]).html)
    return page(request, "log/capstone.html", status=status, html=html, **_WORDS, **context)


@router.api_route("/log/draft", methods=["GET", "HEAD"])
def draft(
    request: Request,
    core: CoreOf,
    id: Annotated[list[str] | None, Query(max_length=_MOST_ENTRIES)] = None,
    title: Short = "",
    form: Form = "page",
) -> Response:
    """A blog post's draft of entries, the oldest first."""
    from tutor.logkeeping import resources_of

    def gather(book: LogBook) -> dict[str, Any]:
        found = [book.get(name) for name in dict.fromkeys(id or [])]
        found.sort(key=lambda one: (one.day, one.written))
        text = rules.draft(found, book.outline, resources_of, today=book.today, title=title.strip())
        return {"text": text, "rows": [logbook.show(book, one) for one in found], "today": book.today}

    try:
        context = core.log(gather)
    except TutorError as fault:
        raise logbook.refused(fault).error from fault
    if form == "md":
        return _file(context["text"], f"draft-{context['today']}.md")
    return page(request, "log/draft.html", title=title.strip(), **_WORDS, **context)


def _file(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)
