"""Drills over HTTP: the same steps and grades as ``tutor drill --json`` and ``tutor grade --batch`` write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from tutor.drill.engine import Drills
from tutor.drill.results import FLAG
from tutor.drill.transcript import as_markdown, grade_json, row_json, session_json, step_json
from tutor.errors import UsageError
from tutor.quantities.sheet import compute
from tutor.web.core import Core, core_of
from tutor.web.drill_schemas import DrillRow, GradeOut, OpinionOut, OverrideOut, SessionOut, StepOut
from tutor.web.errors import to_json, told
from tutor.web.schemas import DrillIn, ErrorOut, GradeIn, LineOut, OpinionsIn, OverrideIn, ReplyIn, SheetIn

CoreOf = Annotated[Core, Depends(core_of)]
_Statuses = dict[int | str, dict[str, Any]]
_ERRORS: _Statuses = {
    404: {"model": ErrorOut, "description": "No drill, card or point has this name."},
    409: {"model": ErrorOut, "description": "Another question is asked now, or the drill is over."},
    422: {"model": ErrorOut, "description": "The words do not fit the question."},
    503: {"model": ErrorOut, "description": "The index or the encoder cannot answer."},
}
_STREAM: _Statuses = {200: {"content": {"text/event-stream": {}}, "description": "A step, or server-sent events."}}
_MODEL_FAILED: _Statuses = {502: {"model": ErrorOut, "description": "The language model failed."}}
_MARKDOWN: _Statuses = {200: {"content": {"text/markdown": {}}, "description": "Markdown."}}

router = APIRouter(tags=["drills"], responses=_ERRORS)


@router.post("/drills", response_model=StepOut, status_code=201, summary="Start a drill")
def start(body: DrillIn, core: CoreOf) -> dict[str, Any]:
    """Free text ("why not kafka"), a card, a format, or a set by phase, tier, due or weak; gives the first question."""
    return core.start_drill(body)


@router.get("/drills", response_model=list[DrillRow], summary="List the drills that are open")
def opened(core: CoreOf, all: bool = False) -> list[dict[str, Any]]:
    """The newest first; with ``all`` also those that are over."""
    return core.drill(lambda drills: [row_json(s) for s in (drills.store.all() if all else drills.store.open())])


@router.get("/drills/{session}", response_model=StepOut | SessionOut, summary="Where a drill stands")
def where(session: str, core: CoreOf, whole: bool = False) -> dict[str, Any]:
    """The pending question; with ``whole`` everything that was said and graded."""

    def show(drills: Drills) -> dict[str, Any]:
        found = drills.resume(session)
        return session_json(drills, found) if whole else step_json(drills, found)

    return core.drill(show)


@router.post(
    "/drills/{session}/replies", response_model=StepOut, summary="Answer the pending question", responses=_STREAM
)
async def reply(session: str, body: ReplyIn, core: CoreOf, request: Request) -> Any:
    """The next question, and the grade of a task that ended. With ``Accept: text/event-stream`` as events: status, then
    step or error."""
    work = partial(core.reply, session, body.question, body.answer)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return await run_sync(work)
    # What can be refused is refused with its status, before a stream begins.
    await run_sync(partial(core.drill, lambda drills: drills.expect(session, body.question)))
    return StreamingResponse(_events(work), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(work: Any) -> AsyncIterator[str]:
    yield f"event: status\ndata: {json.dumps({'text': 'Grading'})}\n\n"
    try:
        event, found = "step", await run_sync(work)
    except Exception as error:  # noqa: BLE001  a stream that has begun has no status left: it ends with an event
        event, found = "error", to_json(told(error))
    yield f"event: {event}\ndata: {json.dumps(found)}\n\n"


@router.get(
    "/drills/{session}/transcript",
    response_class=Response,
    summary="The transcript as Markdown",
    responses=_MARKDOWN,
)
def transcript(session: str, core: CoreOf) -> Response:
    """What was asked, said and graded."""
    return Response(core.drill(lambda drills: as_markdown(drills, drills.resume(session))), media_type="text/markdown")


@router.post(
    "/drills/{session}/overrides",
    response_model=OverrideOut,
    status_code=201,
    summary="Disagree with a point's status, or with a red flag",
)
def override(session: str, body: OverrideIn, core: CoreOf) -> dict[str, Any]:
    """The learner's own judgement; kept as labelled data."""
    if (body.flag is None) == (not body.point):
        raise UsageError("one is meant: a point or a red flag", about="point, flag", fix="Name the one, not the other.")
    point = body.point if body.flag is None else f"{FLAG}{body.flag}"
    return core.drill(lambda drills: drills.override(session, body.task, point, body.status, body.reason))


@router.post(
    "/drills/{session}/opinions",
    response_model=list[OpinionOut],
    summary="Let the language model read a graded task",
    responses=_MODEL_FAILED,
)
def opinions(session: str, body: OpinionsIn, core: CoreOf) -> list[dict[str, Any]]:
    """Of each point whether it is made, with the words that make it; the grade stays as it is."""
    return core.reread(session, body.task)


@router.post("/sheet", summary="Compute a sheet of figures", responses={422: _ERRORS[422]})
def sheet(body: SheetIn) -> list[LineOut]:
    """Each line's value with its unit, or what is wrong with it; at most 60 lines, nothing is kept."""
    return [
        LineOut(
            number=line.number,
            name=line.name,
            value=line.value.amount if line.value else None,
            shown=line.shown,
            error=line.error,
        )
        for line in compute(body.text)
    ]


@router.post("/grade", response_model=GradeOut, summary="Grade one answer")
def grade(body: GradeIn, core: CoreOf) -> dict[str, Any]:
    """An answer to a card's probe, or to a question of one's own about the card."""
    return core.drill(lambda drills: grade_json(drills.grade(body.card, body.probe, body.answer)))
