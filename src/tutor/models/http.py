"""What the HTTP clients of the vendors have in common: requests that can be ended, and replies of bounded size."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tutor.errors import GenerationError, ModelRefused
from tutor.models.address import on_this_machine
from tutor.models.llama import load
from tutor.models.reading import Call

#: A reply's bytes: what stands around one token in the wordiest of the interfaces, many times over.
_BYTES_PER_TOKEN, _BYTES_BASE = 4096, 1_000_000
_LATER_S, _CONNECT_S = 5.0, 10.0
_PAGES = ("text/html", "application/xhtml")


class Line:
    """The requests of one model; each thread makes one at a time, under ``during``."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url
        self._local = threading.local()

    @contextmanager
    def during(self, call: Call, max_tokens: int) -> Iterator[None]:
        """What this thread requests belongs to the call, and its reply may have so many tokens."""
        local = self._local
        local.call, local.room, local.responses = call, _BYTES_BASE + max_tokens * _BYTES_PER_TOKEN, []
        try:
            yield
        finally:
            local.call = None
            for response in local.responses:  # not all of the libraries do so when reading fails
                with suppress(OSError, RuntimeError):
                    response.close()

    def client(self, timeout_s: float) -> Any:
        """An ``httpx.Client``; not the vendors' own ones, of which some read proxies from the environment."""
        return load("httpx").Client(**self.options(timeout_s))

    def options(self, timeout_s: float) -> dict[str, Any]:
        """Arguments for an ``httpx.Client``."""
        return {
            # Later than our own deadline, which knows what to say. Only a connection that is being made cannot be
            # ended from outside.
            "timeout": load("httpx").Timeout(timeout_s + _LATER_S, connect=min(timeout_s, _CONNECT_S)),
            "event_hooks": {"request": [self._request], "response": [self._response]},
            # A redirect could carry the prompt, and a key in a header of its own, to another host.
            "follow_redirects": False,
            # A proxy of the environment has no business between us and this machine.
            "trust_env": not on_this_machine(self._url),
        }

    def _request(self, request: Any) -> None:
        call: Call | None = getattr(self._local, "call", None)
        # One connection a request: closing it ends that request and no other. Nothing compressed: a few bytes that
        # swell to gigabytes would pass the limit below.
        request.headers["Connection"] = "close"
        request.headers["Accept-Encoding"] = "identity"
        if call is not None:
            request.extensions = {**request.extensions, "trace": _tracer(call)}

    def _response(self, response: Any) -> None:
        call: Call | None = getattr(self._local, "call", None)
        if call is not None:
            page = response.headers.get("content-type", "").lower().startswith(_PAGES)
            if page or not response.is_success:
                call.taken_up = False
            self._local.responses.append(response)
            stream = _bounded(response.stream, self._local.room, self._name)
            response.stream = _no_reply(stream, self._name) if page and response.is_success else stream


def _tracer(call: Call) -> Callable[[str, dict[str, Any]], None]:
    """What is told of each step of a connection; keeps its socket, so that closing the call wakes who waits for it.

    A request that is on its way may be paid for; one for which there was no connection is not.
    """

    def step(event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            call.taken_up = True
        elif event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                call.when_closed(lambda: _shut(found))

    return step


def _shut(connection: socket.socket) -> None:
    """Closing alone would leave a thread waiting in ``recv``."""
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def _no_reply(stream: Any, name: str) -> Any:
    """What raises as soon as it is read: libraries take a page for a stream without events."""
    base: Any = load("httpx").SyncByteStream

    class NoReply(base):  # type: ignore[misc]
        """A web page's stream."""

        def __iter__(self) -> Iterator[bytes]:
            raise ModelRefused(
                "the server answers with a web page: that is not a language model's interface",
                about=name,
                fix="Check llm.url; for most servers it ends in /v1.",
            )

        def close(self) -> None:
            stream.close()

    return NoReply()


def _bounded(stream: Any, room: int, name: str) -> Any:
    base: Any = load("httpx").SyncByteStream

    class Bounded(base):  # type: ignore[misc]
        """The stream, until it is too long to be a reply."""

        def __iter__(self) -> Iterator[bytes]:
            left = room
            for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    raise GenerationError(
                        f"the reply does not end (over {room // 1_000_000} MB of it)",
                        about=name,
                        fix="Check llm.url: is it a language model's server?",
                    )
                yield chunk

        def close(self) -> None:
            stream.close()

    return Bounded()
