"""The JSON API: the same objects as ``tutor ask --batch`` and ``tutor search --batch`` write."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from threading import Event
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect

from tutor.answering.talk import Said
from tutor.retrieval.search import checked_question
from tutor.web.core import Core, core_of
from tutor.web.flow import kept_alive
from tutor.web.leaving import GONE, unless_gone
from tutor.web.schemas import AnswerOut, DocumentOut, DocumentRow, ErrorOut, Question, SearchIn, SearchOut
from tutor.web.stream import answer_events
from tutor.web.threads import Keeping
from tutor.wire import answer_json, search_json

CoreOf = Annotated[Core, Depends(core_of)]
SILENCE_S = 15.0  # of a stream, after which a comment is sent
_CANNOT = {
    422: {"model": ErrorOut, "description": "What was asked cannot be understood or is out of range."},
    503: {"model": ErrorOut, "description": "The index or the encoder cannot answer."},
}
_NOT_FOUND = {404: {"model": ErrorOut, "description": "No document has this id."}}

router = APIRouter(prefix="/api/v1", tags=["api"], responses={k: dict(v) for k, v in _CANNOT.items()})


@router.post(
    "/ask",
    response_model=AnswerOut,
    summary="Answer a question",
    responses={404: {"model": ErrorOut, "description": "There is no such conversation."}},
)
async def ask(body: Question, core: CoreOf, request: Request) -> Any:
    """Every sentence is cut verbatim from a document and cited; where a language model is set (and ``written`` not
    false), it writes the answer and every sentence is checked against the span that it cites. With a history a
    follow-up is read as the question it stands for, which ``standalone`` tells."""

    def work(gone: Event) -> dict[str, Any]:
        asking = core.asking()
        keeping = Keeping(core, body.conversation, checked_question(body.question))
        read = core.read(body.question, keeping.history(_history(body)), asking=asking, gone=gone)
        if body.written:
            answer = core.written(read, body.filters, asking=asking, gone=gone)
        else:
            answer = core.ask(read, body.filters, gone=gone)
        standalone = read if read != checked_question(body.question) else None
        return answer_json(answer) | {"standalone": standalone, "kept": keeping.keep(read, answer)}

    try:
        return await unless_gone(request, work)
    except ClientDisconnect:
        return Response(status_code=GONE)


@router.get(
    "/ask/stream",
    response_class=StreamingResponse,
    summary="Answer a question, piece by piece",
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
)
async def stream(
    request: Request, core: CoreOf, q: Annotated[str, Query(description="The question, 1 to 4,000 characters.")]
) -> StreamingResponse:
    """Events: status, then verdict, group … and sources (safe HTML) or abstain, maybe further, then done with the JSON
    answer; or error with the same three parts as everywhere. With a language model the quoted answer comes first; then
    writing, draft (unchecked) …, sentence or dropped …, and generated (safe HTML that takes its place) or kept (why
    not). A question that cannot be asked is refused before the stream."""
    return _streamed(answer_events(request, core, checked_question(q)))


@router.post(
    "/ask/stream",
    response_class=StreamingResponse,
    summary="Answer a question in a conversation, piece by piece",
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."},
        404: {"model": ErrorOut, "description": "There is no such conversation."},
    },
)
async def stream_in_conversation(request: Request, core: CoreOf, body: Question) -> StreamingResponse:
    """The events of GET, with ``read`` first where a follow-up was read as another question. With a conversation also
    stored (where it is kept, or why it is not) and below (safe HTML: what to ask next, drill, share and vote on)."""
    question = checked_question(body.question)
    keeping = Keeping(core, body.conversation, question)
    history = await run_sync(keeping.history, _history(body))
    asked = partial(answer_events, request, core, question, history=history, filters=body.filters)
    return _streamed(asked(written=body.written, keeping=keeping))


def _streamed(events: AsyncGenerator[str, None]) -> StreamingResponse:
    return StreamingResponse(
        kept_alive(events, SILENCE_S),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _history(body: Question) -> list[Said]:
    return [Said(one.question, one.answer) for one in body.history]


@router.get("/search", response_model=SearchOut, summary="Find passages")
def search(core: CoreOf, asked: Annotated[SearchIn, Query()]) -> dict[str, Any]:
    """Passages by the hybrid ranking, best first."""
    found = core.search(asked.q, limit=asked.k, by_document=asked.by_doc, filters=asked.filters())
    return search_json(found, text=True)


@router.get("/documents", response_model=list[DocumentRow], summary="List the library")
def documents(core: CoreOf) -> list[dict[str, Any]]:
    """Every indexed document, without its text."""
    return core.documents()


@router.get(
    "/documents/{doc_id:path}",
    response_model=DocumentOut,
    summary="Read a document",
    responses={k: dict(v) for k, v in _NOT_FOUND.items()},
)
def document(doc_id: str, core: CoreOf) -> dict[str, Any]:
    """Its text, its sections (offsets into the text) and what is known about it."""
    return core.document(doc_id)
