"""A chat completion: the question made standalone, the answer, and the answer as text to send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Event
from typing import Literal, TypeVar

from tutor.answering.answer import Answer
from tutor.answering.conversation import MAX_HISTORY, MAX_QUESTION_CHARS
from tutor.answering.talk import Said
from tutor.models.port import Message
from tutor.web.core import Core
from tutor.web.openai import MODEL, ChatIn, Reply, conversation, texts
from tutor.wire import answer_json, answer_text

T = TypeVar("T")
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


def answer_to(core: Core, question: str, history: Sequence[Message], *, model: str, gone: Event) -> Answer:
    """The answer to the last question of a conversation: the only place where one is made for a chat.

    Args:
        model: ``openai.MODEL``, or ``openai.EXTRACTIVE`` for sentences that are cut from the passages.
        gone: set when nobody waits any more.

    Raises:
        UsageError: an empty or over-long question.
        IndexFault: the index cannot answer.
        ClientDisconnect: ``gone`` was set.
    """
    asking = core.asking()
    read = core.read(question, said(history), asking=asking, gone=gone)
    return core.written(read, asking=asking, gone=gone) if model == MODEL else core.ask(read, gone=gone)


def reply_to(core: Core, body: ChatIn, gone: Event) -> Reply:
    """The whole reply to a checked request; at most ``body.most_tokens``, cut between sentences.

    Raises:
        As ``answer_to``.
    """
    question, history = conversation(body.messages)
    answer = answer_to(core, question, history, model=body.model, gone=gone)
    kept: list[str] = []
    tokens, finish = 0, "stop"
    for piece in pieces(answer_text(answer)):
        tokens += (more := core.count_tokens([piece]))
        if body.most_tokens and tokens > body.most_tokens:
            tokens, finish = tokens - more, "length"
            break
        kept.append(piece)
    about = {key: value for key, value in answer_json(answer).items() if key != "answer"}
    ended: Literal["stop", "length"] = "length" if finish == "length" else "stop"
    return Reply(tuple(kept), about, ended, core.count_tokens(texts(body.messages)), tokens)


def pieces(text: str) -> list[str]:
    """The text cut behind sentences and lines; joined it is the text."""
    return _PIECE.findall(text)
