"""The library, a document of it, and what a learner does on a card's page: mark it, check it, note something."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.errors import NotFound, Outdated, TutorError, UsageError
from tutor.study import notes
from tutor.study.desk import Study
from tutor.telemetry import failed
from tutor.web import library, shelves
from tutor.web.card_page import CardPage, card_page, until_today
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import Form, read_form, submit
from tutor.web.highlight import render_document
from tutor.web.pieces import document_url
from tutor.web.render import block, inline
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_PLACES = {"aside": "mark"}  # the section that a form stands in, where that is not its own name
#: What is told of a form that was carried out, with where the learner stands after it.
_SAID = {
    "mark": "Marked: {status}.",
    "check": "The check is saved; the card counts as {status}.",
    "note": "The note is saved.",
    "aside": "The card {aside}.",
}


@router.api_route("/documents", methods=["GET", "HEAD"])
def documents(
    request: Request,
    core: CoreOf,
    filter: str = "",
    phase: str = "",
    tier: str = "",
    depth: str = "",
    mark: str = "",
    kind: str = "",
    by: str = "phase",
) -> Response:
    """Everything that is indexed, on shelves, with what does not fit the filters hidden: scripts need all of it.

    ``filter`` keeps what has all its words in title, aliases, tags or section.
    """
    wanted = shelves.Wanted(filter, phase, tier, depth, mark, kind, by)
    found = core.documents()
    error: TutorError | None = None
    standing: dict[str, Any] = {}
    try:
        standing = core.study(_standing)
    except TutorError as fault:  # the library is there all the same, without where the learner stands
        error = fault
        failed(fault)
    arranged = shelves.arrange(found, wanted, **standing)
    shown, total = shelves.counted(arranged)
    return page(
        request,
        "cards/library.html",
        shelves=arranged,
        shown=shown,
        total=total,
        wanted=wanted,
        choices=shelves.choices(found, marks=not error),
        groupings=shelves.GROUPINGS,
        marks=shelves.MARKS,
        error=error,
    )


def _standing(study: Study) -> dict[str, Any]:
    at = study.standing()
    return {"outline": at.outline, "progress": at.cards, "until": until_today(study, at.now)}


@router.api_route("/documents/{doc_id:path}", methods=["GET", "HEAD"])
def document(
    request: Request,
    doc_id: str,
    core: CoreOf,
    start: int = 0,
    end: int = 0,
    at: int = 0,
    fragment: bool = False,
    said: str = "",
) -> Response:
    """A document with the span from ``start`` to ``end`` highlighted; a card with what the learner made of it.

    Of a very long one, the part around the span, or from the character ``at``. ``fragment`` gives only the document,
    for the side pane.
    """
    shown = _document(core, doc_id, start, end, at)
    if fragment:
        return page(request, "cards/pane.html", **shown, links=library.links(shown["document"], core.documents()))
    return _whole(request, core, shown, said=said)


@router.post("/documents/{doc_id:path}")
async def change(request: Request, doc_id: str, core: CoreOf) -> Response:
    """A form of a card's page, told by its field ``do``: mark, check, note, or aside (out of the reviews).

    What cannot be taken comes back with the page: the learner's words stay in their field.
    """
    form = await read_form(request)
    works: dict[str, Callable[[Study], None]] = {
        "mark": lambda study: _mark(study, doc_id, form),
        "check": lambda study: _check(study, doc_id, form),
        "note": lambda study: _note(study, doc_id, form),
        "aside": lambda study: _aside(study, doc_id, form),
    }
    do = form.text("do")

    def work() -> str:
        if do not in works:
            raise UsageError("the form does not say what to do", about=do[:40], fix="Send it from the card's page.")
        core.study(works[do])
        return f"{document_url(doc_id)}?said={do}#{_PLACES.get(do, do)}"

    try:
        return await submit(request, form, work)
    except (UsageError, Outdated) as fault:
        failed(fault)
        return await run_sync(partial(_again, request, core, doc_id, form, fault))


def _again(request: Request, core: Core, doc_id: str, form: Form, fault: TutorError) -> Response:
    """The page with what was typed, and what is wrong beside it."""
    return _whole(request, core, _document(core, doc_id), form=form, error=fault, status=status_of(fault))


def _document(core: Core, doc_id: str, start: int = 0, end: int = 0, at: int = 0) -> dict[str, Any]:
    """What every page of a document shows."""
    found = core.document(doc_id)
    part = library.window(found["text"], start if start < end else at, centred=start < end)
    rendered = render_document(
        found["text"][part.start : part.end], start - part.start, end - part.start, title=found["title"]
    )
    return {
        "document": found,
        "crumbs": library.crumbs(found),
        "html": Markup(rendered.html),
        "contents": rendered.contents,
        "part": part,
        "resources": [Markup(inline(r)) for r in _texts(found["meta"].get("resources"))],
    }


def _whole(
    request: Request,
    core: Core,
    shown: dict[str, Any],
    *,
    said: str = "",
    form: Form | None = None,
    error: TutorError | None = None,
    status: int = 200,
) -> Response:
    document = shown["document"]
    card = card_page(core, document["doc_id"]) if document["kind"] == "card" else None
    if isinstance(card, CardPage):
        words = _SAID.get(said, "").format(
            status=card.progress.status.replace("-", " "),
            aside="is set aside: it does not come up for review"
            if card.progress.suspended
            else "comes up for review again",
        )
        told = {"said": words, "did": said if words else ""}
        context = {**shown, **told, "card": card, "error": error, "do": form.text("do") if form else ""}
        return page(request, "cards/card.html", status=status, **context, **_fields(card, form, error))
    if error:
        raise error  # nothing on a plain page has a form
    links = library.links(document, core.documents())
    return page(request, "cards/document.html", **shown, links=links, study_error=card)


def _fields(card: CardPage, form: Form | None, error: TutorError | None) -> dict[str, Any]:
    """What stands in the forms: what was sent, where it came back, else what is stored."""
    sent = form.text("do") if form else ""
    fields: dict[str, Any] = {
        "status": card.progress.status,
        "reason": "",
        "ticked": [],
        "text": card.note.text,
        "other": "",
        "html": Markup(block(card.note.text)) if card.note.text else "",
        "most": notes.MOST_CHARACTERS,
    }
    if form and sent == "mark":
        fields |= {"status": form.text("status"), "reason": form.text("reason")}
    if form and sent == "check":
        fields["ticked"] = form.texts("item")
    if form and sent == "note":
        fields |= {"text": form.text("text"), "other": card.note.text if isinstance(error, Outdated) else ""}
    return {"fields": fields}


def _card(study: Study, doc_id: str) -> str:
    if doc_id not in study.outline.cards:
        raise NotFound("the curriculum has no such card", about=doc_id[:80], fix="The library lists all: /documents")
    return doc_id


def _mark(study: Study, doc_id: str, form: Form) -> None:
    study.mark(_card(study, doc_id), form.text("status"), form.text("reason").strip())


def _check(study: Study, doc_id: str, form: Form) -> None:
    items = study.outline.cards[_card(study, doc_id)].check
    if form.whole("items") != len(items):
        raise UsageError("the check has changed since", about=doc_id, fix="Look at its items again and tick them.")
    ticked = set(form.texts("item"))
    study.check(doc_id, [str(number) in ticked for number in range(len(items))])


def _aside(study: Study, doc_id: str, form: Form) -> None:
    study.suspend(_card(study, doc_id), form.on("out"))


def _note(study: Study, doc_id: str, form: Form) -> None:
    text, version = form.text("text"), form.whole("version", 0) or 0
    if form.on("both"):
        text = notes.both(notes.read(study.store, _card(study, doc_id)).text, notes.checked(text))
    notes.save(study.store, _card(study, doc_id), text, version)


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
