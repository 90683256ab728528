"""A GGUF file, run in this process by llama.cpp through ``xllamacpp``.

The library always listens for HTTP as well. Nothing here uses that: requests go through its calls. It is given a Unix
socket in a folder that only this user may enter, and the socket's name is removed once it listens, so that nobody can
connect; where there are no such sockets, a random port of 127.0.0.1 with a random key. Web page, CORS and the
endpoints that show what others asked are off.
"""

from __future__ import annotations

import os
import queue
import secrets
import socket
import tempfile
import threading
from collections.abc import Generator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tutor.errors import ContextOverflow, GenerationError, MissingExtra, ModelRefused
from tutor.models.failures import from_status
from tutor.models.gguf_file import Head, read_head
from tutor.models.reading import Asked, Call, Counts, Piece

#: What is opened of a longer context when nothing is set: memory grows with it.
_CONTEXT = 8192
#: Below the first two lines a Unix socket's name may have about a hundred bytes.
_MAX_SOCKET = 100


class GgufBackend:
    """A model in a file.

    Args:
        path: the file.
        context_tokens: prompt and reply together; 0: what the model was trained for, at most 8,192.

    Raises:
        MissingExtra: the extra 'gguf' is not installed.
    """

    def __init__(self, path: Path, *, context_tokens: int = 0) -> None:
        if find_spec("xllamacpp") is None:
            raise MissingExtra("a model in a GGUF file", extra="gguf", module="xllamacpp")
        self.path = path.expanduser()
        self.name = f"gguf/{self.path.name}"
        self._asked_context = context_tokens
        self._head: Head | None = None
        self._server: Any = None
        self._lock = threading.Lock()

    @property
    def context_tokens(self) -> int:
        """
        Raises:
            ModelRefused: the file is no model.
        """
        trained = self._checked().context_tokens
        if self._asked_context:
            return min(self._asked_context, trained or self._asked_context)
        return min(trained or _CONTEXT, _CONTEXT)

    def _checked(self) -> Head:
        """
        Raises:
            ModelRefused: the file is no model, is damaged, or has no chat template.
        """
        if self._head is None:
            head = read_head(self.path, about=self.name)
            if not head.template:
                raise ModelRefused(
                    "the file has no chat template, so the model cannot be told who speaks",
                    about=self.name,
                    fix="Take an 'instruct' or 'chat' version of the model.",
                )
            self._head = head
        return self._head

    def prepare(self) -> None:
        with self._lock:
            if self._server is not None:
                return
            context = self.context_tokens
            library = import_module("xllamacpp")
            with tempfile.TemporaryDirectory(prefix="tutor-") as folder:
                parameters = _parameters(library, self.path, context, _listen_at(folder))
                try:
                    self._server = library.Server(parameters)
                except (RuntimeError, MemoryError) as error:
                    raise ModelRefused(
                        "llama.cpp cannot load the file",
                        about=self.name,
                        fix="It may be damaged, of a kind that this version does not know, or larger than the memory; "
                        "less llm.context_tokens takes less.",
                    ) from error

    @property
    def listening_address(self) -> str:
        """Where the library listens, once loaded; for tests."""
        return str(self._server.listening_address)

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in asked.messages],
            "max_tokens": asked.max_tokens,
            "temperature": asked.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if asked.stop:
            body["stop"] = list(asked.stop)
        # The library's call returns when the reply is done and hands each piece to a function before: turned around
        # here with a second thread.
        chunks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        left = threading.Event()

        def take(chunk: Any) -> bool:
            chunks.put(chunk)
            return call.closed or left.is_set()  # true stops it

        def run() -> None:
            try:
                self._server.handle_chat_completions(body, take)
            except Exception as error:  # noqa: BLE001 - raised where the reply is read
                chunks.put(error)
            finally:
                chunks.put(None)

        call.taken_up = True
        thread = threading.Thread(target=run, name="llama.cpp", daemon=True)
        thread.start()
        try:
            while (chunk := chunks.get()) is not None:
                if isinstance(chunk, dict) and chunk.get("error"):
                    call.taken_up = False
                yield from self._pieces(chunk)
        finally:
            left.set()
            thread.join()

    def _pieces(self, chunk: Any) -> Generator[Piece | Counts]:
        """
        Raises:
            GenerationError: the chunk tells of one.
        """
        if isinstance(chunk, Exception):
            raise GenerationError(f"llama.cpp failed ({type(chunk).__name__})", about=self.name) from chunk
        if error := chunk.get("error"):
            raise self._mapped(error)
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if thought := delta.get("reasoning_content"):
                yield Piece(thought, thinking=True)
            if text := delta.get("content"):
                yield Piece(text)
        if usage := chunk.get("usage"):
            yield Counts(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))

    def _mapped(self, error: dict[str, Any]) -> GenerationError:
        if error.get("type") == "exceed_context_size_error":
            return ContextOverflow(
                f"the prompt has {error.get('n_prompt_tokens', 0):,} tokens; there is room for {self.context_tokens:,}",
                about=self.name,
                fix="Ask for less, or raise llm.context_tokens if the model takes more.",
            )
        code = error.get("code")
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        mapped = from_status(status, str(error.get("message", "")), about=self.name)
        return mapped if status < 500 else GenerationError(mapped.what, about=self.name)  # nobody else is at it


def _listen_at(folder: str) -> str:
    """A socket in the folder, or this machine's loopback where there are none (the port is then a random one)."""
    path = os.path.join(folder, "s.sock")
    return path if os.name == "posix" and hasattr(socket, "AF_UNIX") and len(path) < _MAX_SOCKET else "127.0.0.1"


def _parameters(library: Any, path: Path, context: int, host: str) -> Any:
    parameters = library.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.cache_ram_mib = 0  # prompts of earlier questions; gigabytes by default
    parameters.verbosity = -1
    parameters.hostnames = [host]
    parameters.port = 0  # a free one
    parameters.api_keys = [secrets.token_urlsafe(32)]
    parameters.ui = parameters.ui_mcp_proxy = False
    parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = False
    parameters.cors_origins = parameters.cors_methods = parameters.cors_headers = ""
    parameters.cors_credentials = False
    return parameters
