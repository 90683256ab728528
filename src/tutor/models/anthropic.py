"""Anthropic's models, through LlamaIndex's ``Anthropic``."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from tutor.errors import GenerationError
from tutor.models.failures import from_status, garbled, unreachable
from tutor.models.http import Line
from tutor.models.llama import chat_messages, load, need, pieces
from tutor.models.reading import Asked, Call, Counts, Piece


class AnthropicBackend:
    """A model of Anthropic.

    Args:
        model: its name.
        url: the base address, without /v1.
        key: the API key.
        context_tokens: the largest prompt and reply together.
        timeout_s: for a whole reply.

    Raises:
        MissingExtra: the extra 'llm' is not installed.
    """

    def __init__(self, model: str, *, url: str, key: str, context_tokens: int, timeout_s: float) -> None:
        need("llama_index.llms.anthropic", "anthropic")
        self.name = f"anthropic/{model}"
        self.context_tokens = context_tokens
        self._model, self._url, self._key, self._timeout_s = model, url, key, timeout_s
        self._line = Line(self.name, url)
        self._llm: Any = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        with self._lock:
            if self._llm is not None:
                return
            anthropic = load("anthropic")
            llm = _any_model(self.context_tokens)(
                model=self._model, api_key=self._key or "none", base_url=self._url, max_retries=0
            )
            # The class takes no HTTP client, so its own is put aside for one whose requests can be ended.
            llm._client = anthropic.Anthropic(
                api_key=self._key or "none",
                base_url=self._url,
                max_retries=0,
                http_client=self._line.client(self._timeout_s),
            )
            self._llm = llm

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        anthropic = load("anthropic")
        with self._line.during(call, asked.max_tokens):
            try:
                replies = self._llm.stream_chat(chat_messages(asked.messages), **self._told(asked))
                yield from pieces(replies, _ended, about=self.name)
            except GenerationError:
                raise
            except Exception as error:  # noqa: BLE001 - all that the vendor raises is mapped below; the rest is told
                raise self._mapped(error, anthropic) from (None if self._leaks(error) else error)

    def _told(self, asked: Asked) -> dict[str, Any]:
        told: dict[str, Any] = {"max_tokens": asked.max_tokens}
        fixed = load("llama_index.llms.anthropic.utils").ANTHROPIC_NO_TEMP_MODELS
        if not any(name in self._model for name in fixed):  # those refuse a temperature
            told["temperature"] = min(asked.temperature, 1.0)
        if asked.stop:
            told["stop_sequences"] = list(asked.stop)
        return told

    def _leaks(self, error: BaseException) -> bool:
        return bool(self._key) and self._key in f"{error} {error.args!r}"

    def _mapped(self, error: Exception, anthropic: Any) -> GenerationError:
        if isinstance(error, anthropic.APIStatusError):
            body = error.body if isinstance(error.body, dict) else {}
            inner: Any = body.get("error")
            inner = inner if isinstance(inner, dict) else {}
            message = " ".join(str(inner.get(key) or "") for key in ("type", "message")).strip()
            status = error.status_code
            if status < 400:  # an error in the middle of a stream that began well
                status = 529 if inner.get("type") == "overloaded_error" else 500
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return from_status(status, message or error.message, about=self.name, key=self._key, headers=headers)
        if isinstance(error, anthropic.APIConnectionError):  # also its time-out
            return unreachable("no connection to the server", about=self.name, url=self._url)
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
            return unreachable("the connection broke off in the middle of the reply", about=self.name)
        return garbled(type(error).__name__, about=self.name)


def _any_model(context_tokens: int) -> Any:
    """LlamaIndex's class, which refuses each model that is newer than itself, told the context instead."""
    base: Any = load("llama_index.llms.anthropic").Anthropic
    described = load("llama_index.core.base.llms.types").LLMMetadata

    class AnyModel(base):  # type: ignore[misc]
        @property
        def metadata(self) -> Any:
            return described(context_window=context_tokens, is_chat_model=True, model_name=self.model)

    return AnyModel


def _ended(reply: Any) -> bool:
    return bool(reply.message.additional_kwargs.get("stop_reason"))
