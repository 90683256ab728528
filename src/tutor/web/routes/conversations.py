"""Conversations over HTTP: what ``POST /api/v1/ask`` keeps where it is told to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from tutor.study.conversations import LONGEST_REASON, LONGEST_TITLE
from tutor.web import threads
from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut, Text
from tutor.web.sharing import as_file, summary_json, thread_json, turn_json

CoreOf = Annotated[Core, Depends(core_of)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "There is no such conversation or turn."},
    422: {"model": ErrorOut, "description": "Something is out of range; nothing was changed."},
    503: {"model": ErrorOut, "description": "The study store does not answer; nothing was changed."},
}

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"], responses=_ERRORS)


class TitleIn(BaseModel):
    """What a conversation is to be called."""

    model_config = ConfigDict(extra="forbid")

    title: Text = Field(min_length=1, max_length=LONGEST_TITLE)


class VoteIn(BaseModel):
    """What is thought of an answer; empty takes a vote back."""

    model_config = ConfigDict(extra="forbid")

    vote: Literal["up", "down", ""]
    reason: Text = Field("", max_length=LONGEST_REASON, description="What is wrong with it.")


class SummaryOut(BaseModel):
    """A conversation without its turns; times are UTC in ISO 8601."""

    id: str
    title: str
    created: str
    changed: str
    questions: int


class ListOut(BaseModel):
    """Conversations, the one that changed last first; ``total`` counts all that fit."""

    total: int
    conversations: list[SummaryOut]


class TurnOut(BaseModel):
    """A question with its answer, as ``POST /api/v1/ask`` gave it."""

    id: str
    at: str
    question: str
    standalone: str | None = Field(description="How a follow-up was read; null where it was read as asked.")
    vote: str = Field(description="up, down or empty.")
    reason: str
    answer: dict[str, Any]


class ConversationOut(SummaryOut):
    """A conversation with its turns, the first question first."""

    turns: list[TurnOut]


@router.get("", response_model=ListOut, summary="List or search conversations")
def list_(
    core: CoreOf,
    q: Annotated[str, Query(max_length=200, description="Words that titles, questions and answers hold.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """Those in which all the words are found, in any case."""
    total, found = core.conversations().find(q, limit=limit, offset=offset)
    return {"total": total, "conversations": [summary_json(about) for about in found]}


@router.get("/{conversation}", response_model=ConversationOut, summary="Read a conversation")
def read(conversation: str, core: CoreOf) -> dict[str, Any]:
    """With all its turns."""
    return thread_json(core.conversations().get(conversation))


@router.patch("/{conversation}", response_model=SummaryOut, summary="Rename a conversation")
def rename(conversation: str, body: TitleIn, core: CoreOf) -> dict[str, Any]:
    """It begins as the beginning of its first question."""
    return summary_json(core.conversations().rename(conversation, body.title))


@router.delete("/{conversation}", status_code=204, summary="Delete a conversation")
def delete(conversation: str, core: CoreOf) -> Response:
    """With all its turns; it cannot be brought back."""
    core.conversations().delete(conversation)
    return Response(status_code=204)


@router.get("/{conversation}/export", summary="A conversation as a file", response_class=Response)
def export(
    conversation: str,
    core: CoreOf,
    kind: Annotated[Literal["markdown", "json"], Query(alias="format")] = "markdown",
) -> Response:
    """Markdown to read, or JSON as reading it gives."""
    text, media, headers = as_file(core.conversations().get(conversation), kind)
    return Response(text, media_type=media, headers=dict(headers))


@router.put("/{conversation}/turns/{turn}/vote", response_model=TurnOut, summary="Vote on an answer")
def vote(conversation: str, turn: str, body: VoteIn, core: CoreOf) -> dict[str, Any]:
    """Kept with the turn and, as ``POST /api/v1/feedback`` does, for people to make test questions of."""
    return turn_json(threads.vote(core, conversation, turn, body.vote, body.reason))
