"""An answer as server-sent events.

=========  ========================================================  ==============
event      data                                                      how many
=========  ========================================================  ==============
status     ``{"text"}``                                              1
read       ``{"text"}``: the question a follow-up stands for    0 or 1
verdict    ``{"html"}``: the opening paragraph                       1, if answered
group      ``{"html"}``: a labelled list; the learner's own is last  0 or more
sources    ``{"html"}``: where the quotes stand                      1, if answered
stored     ``{"conversation", "turn", "title"}``, or ``{"line"}``:   0 or 1
           why the answer was not kept
below      ``{"html"}``: what to ask next, to drill, to vote on      1, in a conversation
writing    ``{"model", "quoted"}``: a language model begins; the     1, if there is one
           answer before it, as ``done`` would give it
draft      ``{"text"}``: as it writes; unchecked, plain text         0 or more
sentence   ``{"html"}``: a sentence that was checked, with sources   0 or more
dropped    ``{"text", "why"}``: one that was not supported           0 or more
generated  ``{"html", "line"}``: takes the place of all before       1, if it stands
kept       ``{"line"}``: why the quoted answer stands instead        1, if it does
abstain    ``{"html"}``: what was not found, what is near            1, if abstained
further    ``{"html"}``: linked readings, which are none of it       0 or 1
error      ``{"error": {"what", "about", "fix", "transient"}}``      1, then the end
done       the answer as ``POST /ask`` gives it                      1, the last
=========  ========================================================  ==============
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import partial
from threading import Event
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.requests import ClientDisconnect

from tutor.answering.answer import Answer
from tutor.answering.generate import Writing
from tutor.answering.talk import Said
from tutor.answering.written import Draft, Dropped, Finished, Settled
from tutor.answering.written import Event as Written
from tutor.retrieval.search import Filters
from tutor.web.core import Core
from tutor.web.errors import to_json, told
from tutor.web.pieces import pieces, sentence_html
from tutor.web.threads import Keeping, TurnView
from tutor.web.turns import in_turn
from tutor.web.views import fragment
from tutor.wire import answer_json

_log = logging.getLogger(__name__)


async def answer_events(
    request: Request,
    core: Core,
    question: str,
    *,
    history: Sequence[Said] = (),
    filters: Filters | None = None,
    written: bool = True,
    keeping: Keeping | None = None,
) -> AsyncGenerator[str, None]:
    """The events of one question, each as its wire text; ``written``: a language model may write the answer.

    Nothing is answered for a client that has gone. Where it is kept (``keeping``), the quoted answer is, and then the
    written one in its place: a reader who leaves while a model writes finds the quoted one again.
    """
    gone = Event()
    asking = await run_sync(core.asking)
    try:
        yield _event("status", {"text": "Searching the library"})
        try:
            read = question
            if history:
                read = await run_sync(partial(core.read, question, history, asking=asking), abandon_on_cancel=True)
            grounds = await in_turn(partial(core.grounds, read, filters, gone=gone))
            answer = quoted = core.unwritten(grounds) if written else grounds.answer
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  the stream has begun: it ends with an event
            yield _event("error", to_json(told(error)))
            return
        ready = [_event("read", {"text": read})] if read != question else []
        if answer.abstained:
            html = fragment(request, "ask/_abstain.html", answer=answer, turn=TurnView(question, answer))
            ready.append(_event("abstain", {"html": html}))
        ready += [_event(piece.kind, {"html": piece.html}) for piece in pieces(answer)]
        yield "".join(ready)  # at once: each by itself costs a task and a way through all layers of the server
        if keeping is not None and keeping.wanted:
            if stored := await run_sync(keeping.keep, read, answer):
                yield _event("stored", stored)
            view = await run_sync(keeping.view, answer)
            yield _event("below", {"html": fragment(request, "ask/_below.html", turn=view)})
        writing = await run_sync(core.writing, grounds, asking) if written and asking is not None else None
        if writing is not None:
            yield _event("writing", {"model": core.model, "quoted": _whole(answer, question, read)})
            try:
                async for event in _written(writing):
                    if isinstance(event, Finished):
                        answer = event.answer
                    else:
                        yield _told(event)
            except Exception as error:  # noqa: BLE001  the quoted answer has been shown and stands
                _log.exception("the written answer failed")
                yield _event("kept", {"line": told(error).what})
        if keeping is not None and answer is not quoted and (stored := await run_sync(keeping.keep, read, answer)):
            yield _event("stored", stored)
        if written:
            if answer.generation and not answer.generation.fallback:
                html = "".join(piece.html for piece in pieces(answer))
                yield _event("generated", {"html": html, "line": answer.generation.line()})
            elif answer.generation:
                yield _event("kept", {"line": answer.generation.line()})
        yield _event("done", _whole(answer, question, read))
    finally:
        gone.set()
        if asking is not None:
            asking.close()


def _whole(answer: Answer, question: str, read: str) -> dict[str, Any]:
    """An answer as ``POST /ask`` gives it."""
    return answer_json(answer) | {"standalone": read if read != question else None, "kept": None}


async def _written(writing: Writing) -> AsyncIterator[Written]:
    """The events of a written answer, each taken in a worker thread; the model stops when nobody waits any more."""
    events = iter(writing)
    try:
        while (event := await run_sync(next, events, None, abandon_on_cancel=True)) is not None:
            yield event
    finally:
        writing.close()


def _told(event: Draft | Settled | Dropped) -> str:
    if isinstance(event, Draft):
        return _event("draft", {"text": event.text})
    if isinstance(event, Dropped):
        return _event("dropped", {"text": event.text, "why": event.why})
    return _event("sentence", {"html": sentence_html(event.sentence, event.citations)})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
