"""A server on loopback that speaks the streaming interfaces of Ollama, OpenAI and Anthropic, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What a reply is made of: bytes to send, seconds to wait, or DROP to break the connection off.
DROP = object()
Step = bytes | float | object


@dataclass
class Reply:
    """What the server does with one request."""

    steps: Sequence[Step]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def ollama(pieces: Sequence[str], *, done: bool = True, counts: bool = True) -> list[bytes]:
    lines = [{"model": "m", "message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]
    if done:
        last: dict[str, Any] = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}
        lines.append(last | ({"prompt_eval_count": 11, "eval_count": len(pieces)} if counts else {}))
    return [json.dumps(line).encode() + b"\n" for line in lines]


def openai(pieces: Sequence[str], *, done: bool = True, counts: bool = True) -> list[bytes]:
    def chunk(delta: dict[str, Any] | None, finish: str | None, usage: dict[str, int] | None = None) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        row = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
        return b"data: " + json.dumps(row | ({"usage": usage} if usage else {})).encode() + b"\n\n"

    sent = [chunk({"role": "assistant", "content": ""}, None), *[chunk({"content": p}, None) for p in pieces]]
    if done:
        sent.append(chunk({}, "stop"))
        if counts:
            n = len(pieces)
            sent.append(chunk(None, None, {"prompt_tokens": 11, "completion_tokens": n, "total_tokens": 11 + n}))
        sent.append(b"data: [DONE]\n\n")
    return sent


def anthropic(pieces: Sequence[str], *, done: bool = True, counts: bool = True) -> list[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    }
    sent = [
        event("message_start", message=message),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *[event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}) for piece in pieces],
    ]
    if done:
        stop = {"stop_reason": "end_turn", "stop_sequence": None}
        sent += [
            event("content_block_stop", index=0),
            event("message_delta", delta=stop, usage={"output_tokens": len(pieces)}),
            event("message_stop"),
        ]
    return sent


class Server:
    """``replies`` are used up one a request, the last one for ever; what was asked and said is kept."""

    def __init__(self) -> None:
        self.replies: list[Reply | Callable[[dict[str, Any]], Reply]] = []
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.gone = threading.Event()  # a client left before its reply was done
        self.gone_at = 0.0
        self.release = threading.Event()
        self.port = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port until the block ends."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.requests.append(body)
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
                state.paths.append(self.path)
                made = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            reply = made(body) if callable(made) else made
            self.close_connection = True
            try:
                self._send(reply)
            except OSError:
                state.gone_at = time.monotonic()
                state.gone.set()

        def _send(self, reply: Reply) -> None:
            begun = False
            for step in reply.steps:
                if isinstance(step, float):
                    self._wait(step)
                    continue
                if not begun:
                    begun = True
                    self.send_response(reply.status)
                    for name, value in {"Content-Type": "text/event-stream", **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                if step is DROP:
                    return
                assert isinstance(step, bytes)
                self.wfile.write(step)
                self.wfile.flush()

        def _wait(self, seconds: float) -> None:
            """Waits, and sees at once when the client leaves."""
            end = time.monotonic() + seconds
            self.connection.settimeout(0.02)
            while time.monotonic() < end and not state.release.is_set():
                try:
                    if self.connection.recv(1) == b"":
                        raise ConnectionResetError
                except TimeoutError:
                    continue
            self.connection.settimeout(None)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
