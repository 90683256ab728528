"""Drills: the page that starts one, the room where it goes on, the grade, and the debrief."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from tutor.drill.engine import Drills
from tutor.drill.records import Pad, Session
from tutor.drill.session import answered
from tutor.errors import NotFound, StaleAnswer, TutorError, UsageError
from tutor.quantities.sheet import compute, last_value
from tutor.telemetry import failed
from tutor.web import drilling
from tutor.web.core import Core, core_of
from tutor.web.drillroom import ROUNDS, debrief_context, grade_context, room_context
from tutor.web.errors import status_of
from tutor.web.forms import Form, read_form, submit
from tutor.web.offered import offers_of
from tutor.web.page_words import meant
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_LIMITS = {"notes": 10_000, "sheet": 15_000}
_FORM = ("request", "format", "phase", "tier", "thread", "count")


@router.api_route("/drill", methods=["GET", "HEAD"])
def start_page(
    request: Request, core: CoreOf, wanted: Annotated[str, Query(alias="request")] = "", format: str = ""
) -> Response:
    """What goes on, what is due, and a form that starts a drill; ``request`` fills it in. Nothing starts by GET."""
    return _start(request, core, {"request": wanted[:4_000], "format": format})


def _start(request: Request, core: Core, given: dict[str, str], error: TutorError | None = None) -> Response:
    shown = core.drill(lambda drills: drilling.start_context(drills, given))
    status = status_of(error) if error else 200
    titles = core.drill(lambda drills: {card.id: card.title for card in drills.corpus.cards.values()}) if error else {}
    near = meant(error, titles, "/drill?request=")
    return page(request, "drill/start.html", status=status, error=error, near=near, **shown)


@router.post("/drill")
async def start(request: Request, core: CoreOf) -> Response:
    """Start a drill and go to its room; what cannot be drilled stays in the form."""
    form = await read_form(request)
    try:
        response = await submit(request, form, partial(drilling.begun, core, form))
    except TutorError as fault:
        failed(fault)
        given = {name: form.text(name) for name in _FORM}
        return await run_sync(_start, request, core, given, _of_the_page(fault))
    await _phrase(core, response.headers["location"].rsplit("/", 1)[-1])
    return response


def _of_the_page(fault: TutorError) -> TutorError:
    """The error without commands of the terminal in what to do."""
    if "tutor drill" not in fault.fix:
        return fault
    return type(fault)(fault.what, about=fault.about, fix="Choose something else in the form below.")


async def _phrase(core: Core, session: str) -> None:
    """Let the language model, where there is one, say the pending question in its words; no form waits for it."""
    if core.writes:
        await run_sync(lambda: core.step(core.drill(lambda drills: drills.store.load(session))))


@router.api_route("/drill/{session}", methods=["GET", "HEAD"])
def where(request: Request, session: str, core: CoreOf) -> Response:
    """The room of a drill that goes on; of one that is over its grade, or the debrief of its tasks."""
    return _where(request, core, session)


def _where(request: Request, core: Core, session_id: str, **more: Any) -> Response:
    """The page of a drill as it stands; ``more`` takes the place of what is stored."""

    def look(drills: Drills) -> tuple[str, dict[str, Any]]:
        session = _resumed(drills, session_id)
        if session.pending:
            return "drill/room.html", room_context(
                drills, session, more.pop("pad", None) or drills.store.pad(session_id)
            )
        if len(session.tasks) > 1:
            return "drill/debrief.html", debrief_context(drills, session)
        return "drill/grade.html", grade_context(drills, session, 1)

    template, shown = core.drill(look)
    if template != "drill/room.html":
        tasks = zip(shown["session"].tasks, shown["session"].rounds, strict=False)
        shown["offers"] = offers_of(core, {task.card for task, said in tasks if said.grade})
    error = more.get("error")
    status = status_of(error) if error else 200
    return page(request, template, status=status, **{"rereads": core.writes, **shown, **more})


def _resumed(drills: Drills, session_id: str) -> Session:
    """A drill as it stands.

    Raises:
        NotFound: there is none; the page that lists them is named, not the command.
    """
    try:
        return drills.resume(session_id)
    except NotFound as error:
        raise NotFound(error.what, about=error.about, fix="The drills that are open are listed at /drill") from error


@router.api_route("/drill/{session}/{number:int}", methods=["GET", "HEAD"])
def graded(request: Request, session: str, number: int, core: CoreOf) -> Response:
    """The grade of a task, from 1."""
    return _graded(request, core, session, number)


def _graded(request: Request, core: Core, session_id: str, number: int, **more: Any) -> Response:
    shown = core.drill(lambda drills: grade_context(drills, _resumed(drills, session_id), number))
    shown["offers"] = offers_of(core, {shown["session"].tasks[number - 1].card})
    error = more.get("error")
    status = status_of(error) if error else 200
    return page(request, "drill/grade.html", status=status, rereads=core.writes, **{**shown, **more})


@router.post("/drill/{session}/reply")
async def reply(request: Request, session: str, core: CoreOf) -> Response:
    """Take the learner's words, or what is written beside them, by the button that was pressed.

    What is refused comes back with the words in its form. An answer to a question that is no longer asked is told, and
    shown, unless it is what was answered: the connection may have broken off behind it.
    """
    form = await read_form(request)
    try:
        response = await submit(request, form, partial(_taken, core, session, form))
    except NotFound:
        raise
    except TutorError as fault:
        failed(fault)
        return await run_sync(_refused, request, core, session, form, fault)
    await _phrase(core, session)
    return response


def _taken(core: Core, session_id: str, form: Form) -> str:
    """Carry out the room's form; the path to show then."""
    do, words, question = form.text("do", "send"), form.text("answer"), form.text("question")
    room = f"/drill/{session_id}"
    if do in ("keep", "compute", "insert"):
        pad = _pad(form, draft=words, question=question)
        if do == "insert":
            pad = _with_last_line(pad)
        core.drill(lambda drills: drills.store.keep_pad(session_id, pad, drills.now()))
        return room + {"keep": "#notes", "compute": "#sheet", "insert": "#answer"}[do]
    if do in ("pass", "go", "none"):
        if do == "pass" and words.strip():
            raise UsageError(
                "you have written an answer, and pressed Pass", fix="Send it, or empty the box and pass again."
            )
        said = "" if do == "go" else "skip"
    else:
        said = words
    try:
        after = core.replied(session_id, question, said)
    except StaleAnswer:
        after = core.drill(lambda drills: drills.resume(session_id))
        if answered(after, question) != said.strip():
            raise
    draft = words if do == "go" and after.pending else ""
    pad = _pad(form, draft=draft, question=after.pending.id if after.pending and draft else "")
    if form.text("revision"):
        core.drill(lambda drills: drills.store.keep_pad(session_id, pad, drills.now()))
    return _onwards(after, question)


def _onwards(session: Session, question: str) -> str:
    """Where to go after a reply: to the grade of a task that has ended, except in a mock, which goes on."""
    room = f"/drill/{session.id}"
    fresh = session.pending is not None and len(session.round.turns) == 1 and session.at > 0
    return f"{room}/{session.at}" if fresh and session.kind not in ROUNDS else room


def _pad(form: Form, *, draft: str, question: str) -> Pad:
    """What the form holds beside the answer.

    Raises:
        UsageError: it is too long.
    """
    for name, most in (*_LIMITS.items(), ("draft", 20_000)):
        text = draft if name == "draft" else form.text(name)
        if len(text) > most:
            raise UsageError(f"the {name} has {len(text):,} characters", fix=f"It takes {most:,}: shorten it.")
    kept = {name: form.text(name) for name in _LIMITS}
    return Pad(**kept, draft=draft, question=question, revision=form.whole("revision", 0) or 0)


def _with_last_line(pad: Pad) -> Pad:
    """The pad with the last computed line of its sheet at the end of the draft.

    Raises:
        UsageError: no line has a value.
    """
    line = last_value(compute(pad.sheet))
    if line is None:
        raise UsageError("no line of the sheet has a value", fix="Mend the sheet first: it says what is wrong.")
    said = f"{line.name} = {line.shown}" if line.name else f"{line.text.strip()} = {line.shown}"
    return pad.model_copy(update={"draft": f"{pad.draft.rstrip()}\n{said}".lstrip("\n")[:20_000]})


def _refused(request: Request, core: Core, session_id: str, form: Form, fault: TutorError) -> Response:
    """The drill's page with what is wrong and all that was typed."""
    session, stored = core.drill(lambda drills: (drills.resume(session_id), drills.store.pad(session_id)))
    words, question = form.text("answer"), form.text("question")
    asked = session.pending is not None and session.pending.id == question
    heard = answered(session, question) == words.strip()  # the words counted: it was something beside them
    overtaken = isinstance(fault, StaleAnswer) and not asked and not heard
    if overtaken:
        fix = "Your words are below; take over what you need." if words.strip() else "Go on from here."
        fault = StaleAnswer("this question has been answered already, perhaps in another window", fix=fix)
    pad = Pad.model_construct(
        notes=form.text("notes", stored.notes),
        sheet=form.text("sheet", stored.sheet),
        draft=words if asked else stored.draft,
        question=question if asked else stored.question,
        revision=stored.revision,  # whoever saves again has seen what is told
    )
    other = stored.notes if isinstance(fault, StaleAnswer) and pad.notes != stored.notes else ""
    left = words if words.strip() and not asked and not heard else ""
    return _where(request, core, session_id, error=fault, pad=pad, left=left, other_notes=other)


@router.post("/drill/{session}/{number:int}/view")
async def view(request: Request, session: str, number: int, core: CoreOf) -> Response:
    """Keep the learner's own view of a point or red flag."""
    form = await read_form(request)
    point, status, reason = form.text("point"), form.text("status"), form.text("reason")

    def keep() -> str:
        def override(drills: Drills) -> str:
            drills.override(session, number, point, status, reason)
            _, _, grade = drills.graded(drills.store.load(session), number)
            flags = [f.key for f in grade.red_flags]
            return (
                f"f{flags.index(point) + 1}"
                if point in flags
                else str([p.point for p in grade.points].index(point) + 1)
            )

        path = f"/drill/{session}/{number}#p{core.drill(override)}"
        with suppress(TutorError):  # it is kept: whatever studies next takes it in
            core.study(lambda study: study.sync())
        return path

    try:
        return await submit(request, form, keep)
    except UsageError as fault:
        failed(fault)
        kept = {"point": point, "status": status, "reason": reason}
        return await run_sync(partial(_graded, request, core, session, number, error=fault, kept=kept))


@router.post("/drill/{session}/{number:int}/opinions")
async def opinions(request: Request, session: str, number: int, core: CoreOf) -> Response:
    """Let the language model read a graded task a second time."""
    form = await read_form(request)

    def reread() -> str:
        core.reread(session, number)
        return f"/drill/{session}/{number}#points"

    return await submit(request, form, reread)
