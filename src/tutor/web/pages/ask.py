"""The first page: a question box, and the answers below it; and a conversation, which looks the same and goes on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tutor.errors import NotFound, TutorError
from tutor.feedback import VOTES
from tutor.retrieval.search import MAX_QUESTION_CHARS
from tutor.study.conversations import Thread
from tutor.telemetry import failed
from tutor.text import clean_question
from tutor.web import threads
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import Form, read_form, submit
from tutor.web.schemas import FeedbackIn
from tutor.web.views import EXAMPLES, page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_NOT_KEPT = "This answer could not be kept: the study store does not answer. tutor doctor says why."


@router.api_route("/", methods=["GET", "HEAD"])
def home(request: Request, core: CoreOf, q: str = "", unkept: bool = False, voted: str = "") -> Response:
    """The question box; with ``q``, the whole answer, which is not kept: for links.

    A question that is too long stays in the box, with what is wrong beside it.
    """
    question = " ".join(q.split())
    if len(clean_question(q)) > MAX_QUESTION_CHARS:  # back into the box, to be shortened there
        return asking(request, core, kept=q, too_long=True, status=422)
    if not question:
        return asking(request, core)
    told = _NOT_KEPT if unkept else "Your vote is kept." if voted in VOTES else ""
    try:
        turn = threads.fresh(core, question, core.ask(question))
    except TutorError as fault:
        failed(fault)
        turn = threads.TurnView(question, error=fault)
        return asking(request, core, turns=[turn], told=told, status=status_of(fault))
    return asking(request, core, turns=[turn], told=told)


@router.api_route("/conversations/{conversation}", methods=["GET", "HEAD"])
def conversation(request: Request, core: CoreOf, conversation: str) -> Response:
    """A whole conversation, which goes on below."""
    return asking(request, core, core.conversations().get(conversation))


@router.post("/conversations")
async def ask(request: Request, core: CoreOf) -> Response:
    """Answer a question in a conversation, or in a new one, without scripts.

    What was typed comes back with whatever is wrong. A question whose answer cannot be kept is answered all the same.
    """
    form = await read_form(request)
    question, name = form.text("q"), form.text("conversation")
    clean = clean_question(question)
    if len(clean) > MAX_QUESTION_CHARS:
        return await run_in_threadpool(_again, request, core, form, None)

    def answer() -> str:
        if not clean:
            return f"/conversations/{name}" if name else "/"
        keeping = threads.Keeping(core, name or threads.NEW, clean)
        read = core.read(clean, keeping.history(()))
        stored = keeping.keep(read, core.ask(read)) or {}
        if "turn" in stored:
            return f"/conversations/{stored['conversation']}#turn-{stored['turn']}"
        return threads.unkept_path(read, told="line" in stored)

    try:
        return await submit(request, form, answer)
    except NotFound:
        raise
    except TutorError as fault:
        return await run_in_threadpool(_again, request, core, form, fault)


@router.post("/vote")
async def vote(request: Request, core: CoreOf) -> Response:
    """A vote on an answer that is in no conversation."""
    form = await read_form(request)

    def take() -> str:
        given = FeedbackIn(
            question=form.text("question"),
            answer=form.text("answer"),
            citations=form.texts("citation")[:50],
            vote=form.text("vote"),
            note=threads.reason_of(form),
        )
        core.vote(given)
        return f"{threads.unkept_path(given.question)}&voted={given.vote}"

    return await submit(request, form, take)


def asking(request: Request, core: Core, thread: Thread | None = None, *, status: int = 200, **shown: Any) -> Response:
    """The page with a conversation or without one.

    Args:
        shown: ``turns``, ``kept`` (the text in the box), ``too_long``, ``told``, ``error``.
    """
    context: dict[str, Any] = {"turns": threads.shown(core, thread) if thread else [], "kept": "", "told": ""}
    context |= {"too_long": False, "error": None, "thread": thread.about if thread else None}
    context |= {"keeps": core.conversations().kept, "recent": threads.recent(core), "examples": EXAMPLES}
    return page(request, "ask/page.html", status=status, **context | shown)


def _again(request: Request, core: Core, form: Form, fault: TutorError | None) -> Response:
    """The page that a form came from, with the question still in its box."""
    thread = None
    if name := form.text("conversation"):
        try:
            thread = core.conversations().get(name)
        except TutorError as error:  # the question comes first: it is shown without the conversation
            failed(error)
    if fault is not None:
        failed(fault)
    status = 422 if fault is None else status_of(fault)
    return asking(request, core, thread, kept=form.text("q"), too_long=fault is None, error=fault, status=status)
