"""Any server with OpenAI's interface, through LlamaIndex's ``OpenAILike``: llama.cpp, LM Studio, vLLM and others."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from tutor.errors import GenerationError
from tutor.models.failures import from_status, garbled, unreachable
from tutor.models.http import Line
from tutor.models.llama import chat_messages, load, need, pieces
from tutor.models.reading import Asked, Call, Counts, Piece


class CompatibleBackend:
    """A model on an OpenAI-compatible server.

    Args:
        model: the name that the server knows.
        url: its base address, usually ending in /v1.
        key: "" where it needs none.
        context_tokens: the largest prompt and reply together.
        timeout_s: for a whole reply.

    Raises:
        MissingExtra: the extra 'llm' is not installed.
    """

    provider = "compatible"
    #: What the longest reply is called; "max_tokens" is what every server knows.
    longest = "max_tokens"

    def __init__(self, model: str, *, url: str, key: str, context_tokens: int, timeout_s: float) -> None:
        need("llama_index.llms.openai_like", "openai")
        self.name = f"{self.provider}/{model}"
        self.context_tokens = context_tokens
        self._model, self._url, self._key, self._timeout_s = model, url, key, timeout_s
        self._line = Line(self.name, url)
        self._client: Any = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        with self._lock:
            if self._client is not None:
                return
            load("llama_index.llms.openai_like")
            openai = load("openai")
            self._client = openai.OpenAI(
                # Never None: the library would take OPENAI_API_KEY from the environment and send it to any server.
                api_key=self._key or "none",
                base_url=self._url,
                max_retries=0,
                organization="",
                project="",
                http_client=self._line.client(self._timeout_s),
            )

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        openai = load("openai")
        with self._line.during(call, asked.max_tokens):
            try:
                replies = self._llm(asked).stream_chat(chat_messages(asked.messages), **self._told(asked))
                yield from pieces(replies, _ended, about=self.name)
            except GenerationError:
                raise
            except Exception as error:  # noqa: BLE001 - all that the vendor raises is mapped below; the rest is told
                raise self._mapped(error, openai) from (None if self._leaks(error) else error)

    def _llm(self, asked: Asked) -> Any:
        return load("llama_index.llms.openai_like").OpenAILike(
            model=self._model,
            api_key=self._key or "none",
            api_base=self._url,
            is_chat_model=True,
            context_window=self.context_tokens,
            max_retries=0,
            openai_client=self._client,
            temperature=asked.temperature,
        )

    def _told(self, asked: Asked) -> dict[str, Any]:
        """The request's other fields."""
        told: dict[str, Any] = {self.longest: asked.max_tokens, "stream_options": {"include_usage": True}}
        if asked.stop:
            told["stop"] = list(asked.stop)
        return told

    def _leaks(self, error: BaseException) -> bool:
        """Whether a traceback would show the key."""
        return bool(self._key) and self._key in f"{error} {error.args!r}"

    def _mapped(self, error: Exception, openai: Any) -> GenerationError:
        if isinstance(error, openai.APIStatusError):
            body = error.body if isinstance(error.body, dict) else {}
            message = " ".join(str(body.get(key) or "") for key in ("type", "code", "message")).strip()
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return from_status(
                error.status_code, message or error.message, about=self.name, key=self._key, headers=headers
            )
        if isinstance(error, openai.APIConnectionError):  # also its time-out
            return unreachable("no connection to the server", about=self.name, url=self._url)
        if isinstance(error, openai.APIError):  # an error in the middle of the stream
            body = error.body if isinstance(error.body, dict) else {}
            code: Any = body.get("code")
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            return from_status(status, error.message, about=self.name, key=self._key)
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
            return unreachable("the connection broke off in the middle of the reply", about=self.name)
        return garbled(type(error).__name__, about=self.name)


def _ended(reply: Any) -> bool:
    return any(choice.finish_reason for choice in reply.raw.choices)
