"""OpenAI's chat interface as data: what a request may hold, and the shapes of replies, chunks and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tutor.errors import NotFound, TutorError, UsageError
from tutor.models.port import Message
from tutor.text import mended

PREFIX = "/v1/"
#: The model that answers as the server is set up, and the one that quotes whatever is set up.
MODEL, EXTRACTIVE = "tutor", "tutor-extractive"
_CREATED = 1_767_225_600  # 1 January 2026: models need a date, and these have none

#: What would change the reply and cannot be done → the values that ask for nothing.
_REFUSED: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
}

Text = Annotated[str, BeforeValidator(lambda value: mended(value) if isinstance(value, str) else value)]


class ChatMessage(BaseModel):
    """A message; ``content`` is text, or a list of parts of the type text."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """What a stream holds besides the text."""

    include_usage: bool | None = None


class ChatIn(BaseModel):
    """A chat completion request. Parameters that are not listed here are accepted and change nothing."""

    model_config = ConfigDict(extra="allow")

    model: Text = Field(max_length=200, examples=[MODEL])
    messages: list[ChatMessage] = Field(min_length=1, max_length=2_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)

    @property
    def most_tokens(self) -> int | None:
        """The longest reply that is wanted, in tokens."""
        return self.max_completion_tokens or self.max_tokens


class ModelOut(BaseModel):
    """A model that can be named in a request."""

    id: str
    object: Literal["model"] = "model"
    created: int = _CREATED
    owned_by: str = "tutor"


class ModelsOut(BaseModel):
    """The models there are."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class UsageOut(BaseModel):
    """Tokens, counted by the encoder's tokenizer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ReplyMessage(BaseModel):
    """The reply: Markdown with ``[n]`` behind every sentence and the sources below."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    tutor: dict[str, Any] = Field(description="Citations, abstained, confidence and the rest of POST /api/v1/ask.")


class Choice(BaseModel):
    """The only choice."""

    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class ChatOut(BaseModel):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: UsageOut


class OpenAIError(BaseModel):
    """What went wrong, in OpenAI's words."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorOut(BaseModel):
    """The body of every response below /v1 that is not a success."""

    error: OpenAIError


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as text to send: ``pieces`` in order, which joined are the whole; ``about`` is the extension field."""

    pieces: tuple[str, ...]
    about: Mapping[str, Any]
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int

    @property
    def usage(self) -> UsageOut:
        """What it took."""
        total = self.prompt_tokens + self.completion_tokens
        return UsageOut(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens, total_tokens=total)


def check(body: ChatIn) -> None:
    """Refuse what was asked for and cannot be done.

    Raises:
        UsageError: names the parameter.
    """
    for name, value in (body.model_extra or {}).items():
        if name in _REFUSED and value is not None and not any(_same(value, ok) for ok in _REFUSED[name]):
            raise UsageError("this parameter is not supported", about=name, fix="Leave it out.")


def conversation(messages: Sequence[ChatMessage]) -> tuple[str, list[Message]]:
    """The last user message, which is the question, and what was said before it.

    Instructions (system, developer) and what tools said are passed over: answers are quoted, not steered.

    Raises:
        UsageError: there is no user message, or a part that is not text.
    """
    said = []
    for at, message in enumerate(messages):
        text = _text(message, at)
        if message.role == "user" or message.role == "assistant":
            said.append(Message(message.role, text))
    while said and said[-1].role != "user":
        said.pop()
    if not said:
        raise UsageError("there is no message of the role user", about="messages", fix="The last one is the question.")
    return said[-1].content, said[:-1]


def texts(messages: Sequence[ChatMessage]) -> list[str]:
    """Every message's text: what is counted."""
    return [_text(message, at) for at, message in enumerate(messages)]


def _text(message: ChatMessage, at: int) -> str:
    if isinstance(message.content, str) or message.content is None:
        return message.content or ""
    found = []
    for n, part in enumerate(message.content):
        where = f"messages[{at}].content[{n}]"
        if part.get("type") != "text":
            raise UsageError("only parts of the type text can be read", about=where, fix="Send the question as text.")
        if not isinstance(part.get("text"), str):
            raise UsageError("the part has no text", about=where)
        found.append(mended(part["text"]))
    return "\n".join(found)


def _same(value: object, other: object) -> bool:
    """Equal and of one type: ``True`` is not 1 here."""
    return type(value) is type(other) and value == other


def chunk(name: str, created: int, model: str, **fields: Any) -> str:
    """One server-sent event of a stream."""
    body = {"id": name, "object": "chat.completion.chunk", "created": created, "model": model, **fields}
    return f"data: {json.dumps(body)}\n\n"


def respond(error: TutorError, status: int, *, fix: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error in OpenAI's shape; what cannot be understood is 400 there."""
    status = 400 if status == 422 else status
    return JSONResponse(error_body(error, status, fix=fix), status, dict(headers or {}))


def error_body(error: TutorError, status: int, *, fix: str) -> dict[str, Any]:
    """The body of an error: its three parts as one message; ``param`` is what it was about."""
    code = {401: "invalid_api_key", 404: "unknown_url"}.get(status)
    if isinstance(error, NotFound) and error.about == "model":
        code = "model_not_found"
    return {
        "error": {
            "message": mended(TutorError(error.what, about=error.about, fix=fix).message),
            "type": "invalid_request_error" if status < 500 else "server_error",
            "param": error.about if error.about and status in (400, 404) and code != "unknown_url" else None,
            "code": code,
        }
    }
