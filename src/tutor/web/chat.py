"""A chat completion: the question made standalone, the answer, and the answer as text to send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Literal

from starlette.requests import ClientDisconnect

from tutor.answering.conversation import MAX_HISTORY, MAX_QUESTION_CHARS
from tutor.answering.talk import Said
from tutor.answering.written import Finished, Settled
from tutor.models.port import Message, Usage
from tutor.web.core import Core
from tutor.web.leaving import stopped_when
from tutor.web.openai import MODEL, ChatIn, Reply, conversation, texts
from tutor.wire import answer_json, answer_text

LEAST_WRITTEN = 64  # tokens: two sentences with their marks, below which nothing that a model writes could stand
#: A sentence up to its last mark and the space behind it, or a line.
_PIECE = re.compile(r"[^\n]*?\[\d+\](?:[ \t]*\[\d+\])*(?:[ \t]+|\n+|$)|[^\n]*\n+|[^\n]+")


def said(history: Sequence[Message]) -> list[Said]:
    """The questions of a chat's earlier messages, each with what was answered to it; the last ``MAX_HISTORY``."""
    turns: list[Said] = []
    for message in history:
        if message.role == "user":
            turns.append(Said(message.content[:MAX_QUESTION_CHARS]))
        elif message.role == "assistant" and turns:
            turns[-1] = Said(turns[-1].question, message.content)
    return [turn for turn in turns if turn.question.strip()][-MAX_HISTORY:]


def parts(core: Core, body: ChatIn, gone: Event) -> Iterator[str | Reply]:
    """The reply to a checked request: "" once it is known that there will be one, its text piece by piece, the whole.

    With ``body.stream`` the sentences of a language model come as they stand (``Writing.standing``), else when all are
    there. At most ``body.most_tokens``, cut between sentences; a model may write no more than that, and is not asked
    for less than ``LEAST_WRITTEN``.

    Args:
        gone: set when nobody waits any more; stops the model.

    Raises:
        UsageError: an empty or over-long question.
        IndexFault: the index cannot answer.
        ClientDisconnect: ``gone`` was set.
    """
    question, history = conversation(body.messages)
    asking, most = core.asking(), body.most_tokens
    read = core.read(question, said(history), asking=asking, gone=gone)
    grounds = core.grounds(read, gone=gone)
    wanted = body.model == MODEL and (most is None or most >= LEAST_WRITTEN)
    writing = core.writing(grounds, asking, max_tokens=most) if wanted else None
    yield ""
    answer, sent = grounds.answer, _Sent(core, most)
    if writing is not None:
        try:
            with stopped_when(gone, writing.close):
                for event in writing:
                    if gone.is_set():
                        raise ClientDisconnect
                    if isinstance(event, Finished):
                        answer = event.answer
                    elif body.stream and isinstance(event, Settled):
                        yield from sent.up_to(writing.standing())
        finally:
            writing.close()
    yield from sent.up_to(answer_text(answer))
    about = {key: value for key, value in answer_json(answer).items() if key != "answer"}
    done = answer.generation
    capped = bool(done and not done.fallback and most and done.usage.completion_tokens >= most)
    taken = asking.usage if asking is not None else Usage(0, 0)
    if not taken.tokens:
        taken = Usage(core.count_tokens(texts(body.messages)), sent.tokens)
    ended: Literal["stop", "length"] = "length" if sent.cut or capped else "stop"
    yield Reply(tuple(sent.pieces), about, ended, taken.prompt_tokens, taken.completion_tokens)


def reply_to(core: Core, body: ChatIn, gone: Event) -> Reply:
    """The whole reply to a checked request.

    Raises:
        As ``parts``.
    """
    return next(part for part in parts(core, body, gone) if isinstance(part, Reply))


class _Sent:
    """What was sent of a text that grows; at most ``most`` tokens, by the encoder's tokenizer."""

    def __init__(self, core: Core, most: int | None) -> None:
        self._core, self._most = core, most
        self._text = ""
        self.pieces: list[str] = []
        self.tokens = 0
        self.cut = False

    def up_to(self, text: str) -> Iterator[str]:
        """The pieces that are still to be sent of ``text``, which begins with what was sent."""
        for piece in pieces(text[len(self._text) :]):
            more = self._core.count_tokens([piece])
            self.cut = self.cut or bool(self._most and self.tokens + more > self._most)
            if self.cut:
                return
            self._text += piece
            self.tokens += more
            self.pieces.append(piece)
            yield piece


def pieces(text: str) -> list[str]:
    """The text cut behind sentences and lines; joined it is the text."""
    return _PIECE.findall(text)
