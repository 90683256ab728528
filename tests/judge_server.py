"""An OpenAI-compatible server on loopback that answers what Ragas asks a judge model, well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: The forms that Ragas asks for, told apart by the names of their fields in the schema that instructor sends.
FORMS = {
    "StatementGeneratorOutput": lambda yes: {"statements": ["one", "two"]},
    "ClaimDecompositionOutput": lambda yes: {"claims": ["one", "two"]},
    "NLIStatementOutput": lambda yes: {
        "statements": [{"statement": claim, "reason": "because", "verdict": yes} for claim in ("one", "two")]
    },
    "AnswerRelevanceOutput": lambda yes: {"question": "What is asked?", "noncommittal": 1 - yes},
    "ContextPrecisionOutput": lambda yes: {"reason": "because", "verdict": yes},
    "ContextRecallOutput": lambda yes: {
        "classifications": [{"statement": "one", "reason": "because", "attributed": yes}]
    },
}
Reply = tuple[int, dict[str, str], bytes]


class FakeModel:
    """Replies in JSON; ``change`` may replace a reply, ``verdict`` decides on the prompt."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.verdict: Callable[[str], bool] = lambda prompt: True
        self.change: Callable[[int, str, dict[str, Any]], Reply | dict[str, Any] | None] = lambda n, form, reply: None
        self.release = threading.Event()  # stalled requests end when it is set
        self.trickle_s = 0.0  # between two bytes of a reply
        self.lock = threading.Lock()
        self.busy = self.most = 0
        self.url = ""

    def reply(self, request: dict[str, Any], n: int) -> Reply:
        told = "\n".join(m["content"] for m in request["messages"] if m["role"] == "system")
        (form,) = [name for name in FORMS if f'"title": "{name}"' in told]
        content: dict[str, Any] = FORMS[form](int(self.verdict(request["messages"][-1]["content"])))
        changed = self.change(n, form, content)
        if isinstance(changed, tuple):
            return changed
        return 200, {}, completion(json.dumps(content if changed is None else changed))


def completion(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    ).encode()


@contextmanager
def serving() -> Iterator[FakeModel]:
    """A server on a free port until the block ends."""
    model = FakeModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with model.lock:
                model.requests.append(body)
                model.headers.append({name.lower(): value for name, value in self.headers.items()})
                model.paths.append(self.path)
                n = len(model.requests)
                model.busy += 1
                model.most = max(model.most, model.busy)
            try:
                status, headers, reply = model.reply(body, n)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                for piece in [reply[n : n + 1] for n in range(len(reply))] if model.trickle_s else [reply]:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if model.trickle_s and model.release.wait(model.trickle_s):
                        break
            except OSError:  # the client has gone
                self.close_connection = True
            finally:
                with model.lock:
                    model.busy -= 1

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield model
    finally:
        model.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
