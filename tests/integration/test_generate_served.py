"""Written answers through a real client of a model's server: what is counted, what stops, what a question may take."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

import model_server
from live_server import running
from model_server import Server, serving
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, LlmSettings, Settings
from tutor.web.app import create_app

pytestmark = pytest.mark.heavy

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
QUESTION = "How does Raft elect a leader?"
NAME = "compatible/a-model-of-tomorrow"
TRUE = (
    "A follower without heartbeats within a random timeout raises its term and asks for votes. [1]\n\n",
    (
        "- The Raft leader appends client commands, sends them to followers and advances the commit index "
        "when a majority has stored an entry of the current term. [1]\n"
    ),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("served")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([CARDS / "consensus.md", CARDS / "caching.md"])
    app.close()
    return home


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def app(home: Path, server: Server) -> Iterator[App]:
    made = App(chosen(home, server))
    yield made
    made.close()


def chosen(home: Path, server: Server, **more: Any) -> Settings:
    llm = LlmSettings(
        provider="compatible", model="a-model-of-tomorrow", url=f"{server.url}/v1", cache=False, retries=0, **more
    )
    return Settings(home=home, corpus=CorpusSettings(builtin=False), llm=llm)


def counted(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def post_and_leave(base: str, path: str, body: dict[str, Any], asked: Callable[[], bool]) -> float:
    """Sends a request, and leaves when ``asked`` says so; when it left, by the monotonic clock."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n"
    with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=30) as client:
        client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + data)
        until = time.monotonic() + 20
        while not asked() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
    return time.monotonic()


MESSAGES = [
    {"role": "user", "content": "How does Raft replicate its log?"},
    {"role": "assistant", "content": "The leader sends entries."},
    {"role": "user", "content": "and how does it elect a leader?"},
]
BEFORE = [{"question": "How does Raft replicate its log?", "answer": "The leader sends entries."}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", {"question": QUESTION}),
        ("/api/v1/ask", {"question": "and why?", "history": BEFORE}),
        ("/api/v1/ask/stream", {"question": QUESTION}),
        ("/api/v1/ask/stream", {"question": "and why?", "history": BEFORE}),
        ("/v1/chat/completions", {"model": "tutor", "messages": MESSAGES[:1]}),
        ("/v1/chat/completions", {"model": "tutor", "messages": MESSAGES}),
        ("/v1/chat/completions", {"model": "tutor", "messages": MESSAGES[:1], "stream": True}),
        ("/v1/chat/completions", {"model": "tutor", "messages": MESSAGES, "stream": True}),
    ],
)
def test_a_client_that_leaves_stops_the_model_at_once(
    app: App, server: Server, path: str, body: dict[str, Any]
) -> None:
    """Also while a follow-up is read, and before the model's first word."""
    server.replies = [model_server.Reply([60.0, *model_server.openai(TRUE)])]
    with running(create_app(app)) as base:
        left = post_and_leave(base, path, body, lambda: len(server.requests) == 1)
        assert server.gone.wait(30)
        assert server.gone_at - left < 10
        time.sleep(0.3)
        assert len(server.requests) == 1  # stopped while it read the question, it is not asked to write


def test_reading_and_writing_are_one_question(home: Path, server: Server) -> None:
    """What the reading took is no longer there for the answer."""

    def replies() -> list[Any]:
        said = [["How does Raft elect a leader?"], TRUE]
        return [model_server.Reply(model_server.openai(pieces)) for pieces in said]

    server.replies = replies()
    body = {"question": "and how does it elect a leader?", "history": BEFORE}
    ample, tight = App(chosen(home, server)), App(chosen(home, server, question_tokens=16_000))
    try:
        done = TestClient(create_app(ample)).post("/api/v1/ask", json=body).json()
        assert done["generation"]["fallback"] is None
        asked = ample.grounded
        assert asked is not None
        words = server.requests[-1]["messages"]
        one = sum(ample.model.count_tokens(m["content"]) + 4 for m in words) + ample.settings.llm.max_tokens
        assert len(server.requests) == 2
        server.replies = replies()
        tight.model.model.model.question_tokens = one + 5  # enough for the answer alone
        done = TestClient(create_app(tight)).post("/api/v1/ask", json=body).json()
        assert "a question may take" in done["generation"]["fallback"]
        assert len(server.requests) == 3
    finally:
        ample.close()
        tight.close()


def test_replies_are_counted_and_their_stages_are_in_the_answer(app: App, server: Server) -> None:
    client = TestClient(create_app(app), client=("127.0.0.1", 50_000))
    server.replies = [
        model_server.Reply([0.05, *model_server.openai(TRUE)]),
        model_server.Reply([b"{}"], status=401, headers={"Content-Type": "application/json"}),
    ]
    before = counted(client)
    written = client.post("/api/v1/ask", json={"question": QUESTION}).json()
    failed = client.post("/api/v1/ask", json={"question": QUESTION}).json()
    assert written["generation"]["fallback"] is None
    assert {"model.first_token", "model.reply", "verify"} <= set(written["stages"])
    assert written["stages"]["model.first_token"] >= 50
    assert sum(written["stages"].values()) <= written["ms"]
    assert failed["generation"]["fallback"]
    assert "model.first_token" in failed["stages"]
    assert "verify" not in failed["stages"]
    after = counted(client)

    def of(name: str, **labels: str) -> float:
        key = name, frozenset(labels.items())
        return after.get(key, 0) - before.get(key, 0)

    assert of("tutor_model_replies_total", model=NAME, outcome="ok") == 1
    assert of("tutor_model_replies_total", model=NAME, outcome="ModelRefused") == 1
    assert of("tutor_model_tokens_total", model=NAME, direction="prompt") >= 11
    assert of("tutor_model_tokens_total", model=NAME, direction="completion") == len(TRUE)
    assert of("tutor_stage_duration_seconds_count", operation="write", stage="model.first_token") == 2
    assert of("tutor_stage_duration_seconds_count", operation="write", stage="model.reply") == 1
    assert of("tutor_stage_duration_seconds_count", operation="write", stage="verify") == 2
    assert of("tutor_operation_duration_seconds_count", operation="write", outcome="ok") == 2
