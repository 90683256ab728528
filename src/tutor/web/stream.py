"""An answer as server-sent events.

=========  ========================================================  ==============
event      data                                                      how many
=========  ========================================================  ==============
status     ``{"text"}``                                              1
read       ``{"text"}``: the question a follow-up stands for    0 or 1
verdict    ``{"html"}``: the opening paragraph                       1, if answered
group      ``{"html"}``: a labelled list; the learner's own is last  0 or more
sources    ``{"html"}``: where the quotes stand                      1, if answered
abstain    ``{"html"}``: what was not found, what is near            1, if abstained
error      ``{"error": {"what", "about", "fix", "transient"}}``      1, then the end
done       the answer as ``POST /ask`` gives it                      1, the last
=========  ========================================================  ==============
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial
from threading import Event
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.requests import ClientDisconnect

from tutor.answering.talk import Said
from tutor.retrieval.search import Filters
from tutor.web.core import Core
from tutor.web.errors import to_json, told
from tutor.web.pieces import pieces
from tutor.web.views import fragment
from tutor.wire import answer_json


async def answer_events(
    request: Request, core: Core, question: str, *, history: Sequence[Said] = (), filters: Filters | None = None
) -> AsyncIterator[str]:
    """The events of one question, each as its wire text. Nothing is answered for a client that has gone."""
    gone = Event()
    try:
        yield _event("status", {"text": "Searching the library"})
        try:
            work = partial(core.converse, question, history, filters, gone=gone)
            reply = await run_sync(work, abandon_on_cancel=True)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  the stream has begun: it ends with an event
            yield _event("error", to_json(told(error)))
            return
        answer = reply.answer
        if reply.standalone:
            yield _event("read", {"text": reply.standalone})
        if answer.abstained:
            yield _event("abstain", {"html": fragment(request, "_abstain.html", answer=answer)})
        for piece in pieces(answer):
            yield _event(piece.kind, {"html": piece.html})
        yield _event("done", answer_json(answer) | {"standalone": reply.standalone})
    finally:
        gone.set()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
