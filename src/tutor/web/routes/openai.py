"""OpenAI's chat interface, for any client that speaks it: ``/v1/models`` and ``/v1/chat/completions``."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect

from tutor.errors import NotFound
from tutor.web.chat import parts, reply_to
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of, told
from tutor.web.flow import Flow
from tutor.web.leaving import GONE, unless_gone
from tutor.web.openai import (
    EXTRACTIVE,
    MODEL,
    PREFIX,
    ChatIn,
    ChatOut,
    Choice,
    ModelOut,
    ModelsOut,
    OpenAIErrorOut,
    Reply,
    ReplyMessage,
    check,
    chunk,
    error_body,
)

CoreOf = Annotated[Core, Depends(core_of)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": OpenAIErrorOut, "description": "What was asked cannot be understood or is not supported."},
    401: {"model": OpenAIErrorOut, "description": "The server has a key, and it is missing or wrong."},
    404: {"model": OpenAIErrorOut, "description": "There is no such model."},
    503: {"model": OpenAIErrorOut, "description": "The index or the encoder cannot answer."},
}
_OPEN_S = 1.0  # how long a stream waits for what goes wrong at once, which has a status of its own
SILENCE_S = 5.0  # between two signs of life

router = APIRouter(prefix=PREFIX.rstrip("/"), tags=["openai"], responses=_ERRORS)


@router.get("/models", response_model=ModelsOut, summary="List the models")
def models(core: CoreOf) -> ModelsOut:
    """``tutor``; with a language model set up also ``tutor-extractive``, which quotes whatever is set up."""
    return ModelsOut(data=[ModelOut(id=name) for name in _names(core)])


@router.get("/models/{name}", response_model=ModelOut, summary="One model")
def model(name: str, core: CoreOf) -> ModelOut:
    """The model of that name."""
    return ModelOut(id=_known(name, core))


@router.post(
    "/chat/completions",
    response_model=ChatOut,
    summary="Answer the last message of a chat",
    responses={200: {"content": {"text/event-stream": {}}, "description": "The reply, whole or as events."}},
)
async def chat(body: ChatIn, core: CoreOf, request: Request) -> Response | ChatOut:
    """A cited answer; with ``stream`` as server-sent events. Instructions in system messages are not followed."""
    check(body)
    _known(body.model, core)
    name, created = f"chatcmpl-{uuid4().hex}", int(time.time())
    try:
        if body.stream:
            flow = Flow(partial(parts, core, body))
            await flow.begun(request, _OPEN_S)
            counted = bool(body.stream_options and body.stream_options.include_usage)
            return StreamingResponse(
                _events(flow, name, created, body.model, counted=counted),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        reply = await unless_gone(request, partial(reply_to, core, body))
    except ClientDisconnect:
        return Response(status_code=GONE)
    message = ReplyMessage(content="".join(reply.pieces), tutor=dict(reply.about))
    choice = Choice(message=message, finish_reason=reply.finish_reason)
    return ChatOut(id=name, created=created, model=body.model, choices=[choice], usage=reply.usage)


async def _events(flow: Flow[str | Reply], name: str, created: int, model: str, *, counted: bool) -> AsyncIterator[str]:
    """The role, the text piece by piece, the end with the extension field, the usage where it was asked for.

    While a model thinks, comments that clients pass over keep proxies from giving up.
    """
    usage = {"usage": None} if counted else {}

    def event(delta: dict[str, str], finish: str | None = None, **fields: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return chunk(name, created, model, choices=[choice], **usage, **fields)

    yield event({"role": "assistant", "content": ""})
    try:
        async for part in flow.items(SILENCE_S):
            if part is None:
                yield ": still at it\n\n"
            elif isinstance(part, Reply):
                yield event({}, part.finish_reason, tutor=dict(part.about))
                if counted:
                    yield chunk(name, created, model, choices=[], usage=part.usage.model_dump())
            elif part:
                yield event({"content": part})
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  the stream has begun: it ends with an error
        shown = told(error)
        yield f"data: {json.dumps(error_body(shown, status_of(shown), fix=shown.fix))}\n\n"
        return
    finally:
        flow.close()
    yield "data: [DONE]\n\n"


def _names(core: Core) -> tuple[str, ...]:
    return (MODEL, EXTRACTIVE) if core.writes else (MODEL,)


def _known(name: str, core: Core) -> str:
    """The name, if there is such a model.

    Raises:
        NotFound: there is none.
    """
    names = _names(core)
    if name not in names:
        raise NotFound(f"there is no model '{name[:80]}'", about="model", fix=f"Known: {', '.join(names)}.")
    return name
