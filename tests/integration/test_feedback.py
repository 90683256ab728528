"""Votes through the front ends: over HTTP and in the terminal, into the same file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app

GIVEN = {"question": "What is a quorum?", "answer": "A majority. [1]", "citations": ["raft#why"], "vote": "down"}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(create_app(App(Settings(home=tmp_path), encoder=FakeEncoder())))  # no index: none is needed


def lines(home: Path) -> list[dict[str, Any]]:
    path = home / "feedback" / "answers.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def test_a_vote_over_http(client: TestClient, tmp_path: Path) -> None:
    response = client.post("/api/v1/feedback", json=GIVEN | {"note": "says nothing"})
    assert response.status_code == 201
    assert response.json() == GIVEN | {"note": "says nothing", "at": response.json()["at"]}
    assert lines(tmp_path) == [response.json()]


@pytest.mark.parametrize(
    "wrong",
    [
        {"vote": "maybe"},
        {"vote": None},
        {"question": ""},
        {"question": "a" * 4_001},
        {"answer": "a" * 20_001},
        {"note": "a" * 2_001},
        {"citations": "raft#why"},
        {"citations": ["x"] * 51},
        {"citations": ["x" * 301]},
        {"name": "me"},
    ],
)
def test_a_bad_vote_is_422_and_says_why(client: TestClient, tmp_path: Path, wrong: dict[str, Any]) -> None:
    response = client.post("/api/v1/feedback", json=GIVEN | wrong)
    assert response.status_code == 422
    assert response.json()["error"]["what"]
    assert response.json()["error"]["fix"]
    assert lines(tmp_path) == []


def test_the_route_is_described(client: TestClient) -> None:
    assert "/api/v1/feedback" in client.get("/docs").text
    assert client.get("/openapi.json").json()["paths"]["/api/v1/feedback"].keys() == {"post"}


def test_another_site_cannot_vote(client: TestClient, tmp_path: Path) -> None:
    assert client.post("/api/v1/feedback", json=GIVEN, headers={"origin": "http://evil.test"}).status_code == 403
    assert lines(tmp_path) == []


def test_a_vote_in_the_terminal_keeps_the_answer_as_it_is_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, notes = tmp_path / "home", write_notes(tmp_path / "notes")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([notes])
    answer = app.answerer.ask("What is a cache?")
    app.close()
    given = ["--home", str(home), "--no-builtin", "feedback", "down", "What is", "a cache?", "--note", "too short"]
    assert main(given) == 0
    assert "Kept in" in capsys.readouterr().out
    (kept,) = lines(home)
    assert kept["question"] == "What is a cache?"
    assert kept["answer"] == answer.text
    assert kept["citations"] == list(dict.fromkeys(c.chunk_id for c in answer.citations))
    assert (kept["vote"], kept["note"]) == ("down", "too short")


def test_another_word_than_up_or_down_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "feedback", "meh", "What is a cache?"]) == 2
    assert "'meh' is no vote" in capsys.readouterr().err
    assert lines(tmp_path) == []
