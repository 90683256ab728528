"""Written answers through a real client of a model's server: what is counted, what stops, what a question may take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

import model_server
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
    "- The Raft leader appends client commands, sends them to followers and advances the commit index. [1]\n",
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
