"""Models that Ollama runs, through LlamaIndex's ``Ollama``."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from typing import Any

from tutor.errors import GenerationError
from tutor.models.failures import from_status, garbled, unreachable
from tutor.models.http import Line
from tutor.models.llama import chat_messages, load, need, pieces
from tutor.models.reading import Asked, Call, Counts, Piece


class OllamaBackend:
    """A model of Ollama.

    Args:
        model: as in ``ollama list``.
        url: its base address.
        key: sent as a bearer where there is one (a proxy in front of it); usually "".
        context_tokens: the window that it is told to open. Left to itself it cuts a longer prompt silently.
        timeout_s: for a whole reply.

    Raises:
        MissingExtra: the extra 'llm' is not installed.
    """

    def __init__(self, model: str, *, url: str, key: str, context_tokens: int, timeout_s: float) -> None:
        need("llama_index.llms.ollama", "ollama")
        self.name = f"ollama/{model}"
        self.context_tokens = context_tokens
        self._model, self._url, self._key, self._timeout_s = model, url, key, timeout_s
        self._line = Line(self.name, url)
        self._client: Any = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        with self._lock:
            if self._client is None:
                load("llama_index.llms.ollama")
                headers = {"headers": {"Authorization": f"Bearer {self._key}"}} if self._key else {}
                options = self._line.options(self._timeout_s)
                self._client = load("ollama").Client(host=self._url, **options, **headers)

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        ollama = load("ollama")
        with self._line.during(call, asked.max_tokens):
            try:
                replies = self._llm(asked).stream_chat(chat_messages(asked.messages))
                yield from pieces(replies, lambda reply: bool(reply.raw.get("done")), about=self.name)
            except GenerationError:
                raise
            except Exception as error:  # noqa: BLE001 - all that the vendor raises is mapped below; the rest is told
                raise self._mapped(error, ollama) from (None if self._leaks(error) else error)

    def _llm(self, asked: Asked) -> Any:
        """A fresh one for each request: what the request is told can only be set here."""
        options: dict[str, Any] = {"num_predict": asked.max_tokens}
        if asked.stop:
            options["stop"] = list(asked.stop)
        return load("llama_index.llms.ollama").Ollama(
            model=self._model,
            base_url=self._url,
            client=self._client,
            context_window=self.context_tokens,
            temperature=asked.temperature,
            additional_kwargs=options,
        )

    def _leaks(self, error: BaseException) -> bool:
        return bool(self._key) and self._key in f"{error} {error.args!r}"

    def _mapped(self, error: Exception, ollama: Any) -> GenerationError:
        if isinstance(error, ollama.ResponseError):
            # In the middle of a stream there is no status (-1).
            status = error.status_code if 400 <= error.status_code < 600 else 500
            if status == 500 and "not found" in error.error:
                status = 404
            return from_status(status, error.error, about=self.name, key=self._key)
        module = type(error).__module__.partition(".")[0]
        if module in ("httpx", "httpcore"):
            kind = type(error).__name__
            if kind in ("ConnectError", "ConnectTimeout"):
                return unreachable("no connection to the server", about=self.name, url=self._url)
            return unreachable("the connection broke off in the middle of the reply", about=self.name)
        if isinstance(error, (json.JSONDecodeError, KeyError, TypeError, ValueError)):
            return garbled(type(error).__name__, about=self.name)
        return unreachable(f"the request failed ({type(error).__name__})", about=self.name, url=self._url)
