"""The JSON API: the same objects as ``tutor ask --batch`` and ``tutor search --batch`` write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from tutor.answering.answer import Answer
from tutor.errors import TutorError
from tutor.web import render
from tutor.web.core import Core, core_of
from tutor.web.errors import to_json as error_json
from tutor.wire import answer_json, search_json

router = APIRouter(prefix="/api/v1", tags=["api"])
CoreOf = Annotated[Core, Depends(core_of)]


class Question(BaseModel):
    """What to ask."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(examples=["Why not Kafka for a simple task queue?"])
    filters: dict[str, list[str | int]] = Field(default_factory=dict, examples=[{"phase": [4]}])


class CitationOut(BaseModel):
    """A cited span: ``quote`` is the document's text from ``start`` to ``end``."""

    n: int
    doc_id: str
    chunk_id: str
    title: str
    heading: list[str]
    start: int
    end: int
    quote: str
    covers: list[str]
    page: int | None


class NearestOut(BaseModel):
    """A document close to the question."""

    doc_id: str
    title: str
    covers: list[str]


class AnswerOut(BaseModel):
    """A cited answer; when ``abstained``, one sentence that says so."""

    answer: str
    citations: list[CitationOut]
    abstained: bool
    confidence: float
    nearest: list[NearestOut]
    intent: str
    corrected: list[list[str]]
    ms: float


class HitOut(BaseModel):
    """A ranked passage."""

    doc_id: str
    chunk_id: str
    covers: list[str]
    score: float
    title: str
    heading: list[str]
    start: int
    end: int
    page: int | None
    source: str
    text: str


class SearchOut(BaseModel):
    """Ranked passages, best first."""

    hits: list[HitOut]
    ms: float


@router.post("/ask", response_model=AnswerOut)
def ask(body: Question, core: CoreOf) -> dict[str, Any]:
    """Answer a question, every sentence cited."""
    return answer_json(core.ask(body.question, body.filters))


@router.get("/search", response_model=SearchOut)
def search(
    core: CoreOf,
    q: Annotated[str, Query(description="What to look for.")],
    k: Annotated[int, Query(ge=1, le=200)] = 10,
    by_doc: Annotated[bool, Query(description="One hit per document.")] = False,
    phase: Annotated[list[int] | None, Query()] = None,
    kind: Annotated[list[str] | None, Query()] = None,
) -> dict[str, Any]:
    """Find passages."""
    filters = {name: list(values) for name, values in (("phase", phase), ("kind", kind)) if values}
    return search_json(core.search(q, limit=k, by_document=by_doc, filters=filters), text=True)


@router.get("/documents")
def documents(core: CoreOf) -> list[dict[str, Any]]:
    """Every indexed document, without its text."""
    return core.documents()


@router.get("/documents/{doc_id:path}")
def document(doc_id: str, core: CoreOf) -> dict[str, Any]:
    """One document: text, sections (character offsets into it), metadata."""
    return core.document(doc_id)


@router.get("/ask/stream", response_class=StreamingResponse)
async def stream(request: Request, core: CoreOf, q: str) -> StreamingResponse:
    """The answer as server-sent events: ``piece`` (safe HTML), then ``done`` (the JSON answer) or ``error``."""

    async def events() -> AsyncIterator[str]:
        yield _event("status", {"text": "Searching"})
        try:
            answer = await run_in_threadpool(core.ask, q)
        except TutorError as error:
            yield _event("error", error_json(error))
            return
        for html in pieces(answer):
            if await request.is_disconnected():
                return
            yield _event("piece", {"html": html})
        yield _event("done", answer_json(answer))

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def pieces(answer: Answer) -> list[str]:
    """The answer's parts as safe HTML, in order; none when it abstained."""
    cited = {c.n: c for c in answer.citations}
    if answer.abstained:
        return []
    return [render.verdict(answer.composed.verdict, cited), *(render.group(g, cited) for g in answer.composed.groups)]


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
