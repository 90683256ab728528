"""The JSON API over a real index: every route, every error, the stream."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.errors import (
    IndexBusy,
    IndexDamaged,
    MissingExtra,
    ModelError,
    NotFound,
    SettingsError,
    SourceError,
    TutorError,
)
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app
from tutor.web.errors import status_of

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
ANSWERED = "B-tree or LSM-tree for a write-heavy store?"
NOT_ANSWERED = "How do I bake sourdough bread?"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("api")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag")])
    yield app
    app.close()


@pytest.fixture(scope="module")
def client(core: App) -> TestClient:
    return TestClient(create_app(core))


class Failing(FakeEncoder):
    """Encodes what is ingested, then raises ``error``."""

    error: Exception | None = None

    def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
        if self.error:
            raise self.error
        return super().encode(texts, on_progress=on_progress)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[tuple[TestClient, Failing]]:
    encoder = Failing()
    core = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=encoder)
    core.ingest([write_notes(tmp_path / "notes")])
    yield TestClient(create_app(core)), encoder
    core.close()


def events(body: str) -> list[tuple[str, Any]]:
    """Server-sent events, parsed as the standard says."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_ask(client: TestClient) -> None:
    body = client.post("/api/v1/ask", json={"question": ANSWERED}).json()
    assert list(body) == [
        "answer",
        "citations",
        "abstained",
        "confidence",
        "nearest",
        "intent",
        "corrected",
        "meant",
        "uncovered",
        "further",
        "generation",
        "ms",
        "stages",
        "standalone",
        "kept",
    ]
    assert body["abstained"] is False
    assert body["citations"]
    for citation in body["citations"]:
        text = client.get(f"/api/v1/documents/{citation['doc_id']}").json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert f"[{citation['n']}]" in body["answer"]


def test_ask_abstains(client: TestClient) -> None:
    body = client.post("/api/v1/ask", json={"question": NOT_ANSWERED}).json()
    assert body["abstained"] is True
    assert body["citations"] == []
    assert 1 <= len(body["nearest"]) <= 3
    assert body["nearest"][0].keys() == {"doc_id", "title", "covers"}


def test_ask_with_a_filter(client: TestClient) -> None:
    given = {"question": "How do I stop a cache stampede?", "filters": {"doc_id": ["caching"]}}
    body = client.post("/api/v1/ask", json=given).json()
    assert {c["doc_id"] for c in body["citations"]} <= {"caching"}


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ({"question": ""}, ""),
        ({"question": " \u200b "}, ""),
        ({"question": "a" * 4001}, ""),
        ({}, "question"),
        ({"question": "x", "filters": {"nonsense": ["a"]}}, ""),
        ({"question": "x", "filters": {"phase": 4}}, "filters.phase"),
        ({"question": "x", "filters": {"phase": [10**30]}}, "filters.phase"),
        ({"question": "x", "more": 1}, "more"),
        ({"question": ["x"]}, "question"),
    ],
)
def test_what_cannot_be_asked_is_422_and_says_why(client: TestClient, body: dict[str, Any], about: str) -> None:
    response = client.post("/api/v1/ask", json=body)
    assert response.status_code == 422
    error = response.json()["error"]
    assert error.keys() == {"what", "about", "fix", "transient"}
    assert error["what"]
    assert error["fix"]
    assert error["about"].startswith(about)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"question": NaN}'])
def test_a_body_that_is_no_json_object_is_422(client: TestClient, raw: bytes) -> None:
    response = client.post("/api/v1/ask", content=raw, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.json()["error"]["what"]


@pytest.mark.parametrize("question", ["\ud800 what is a cache", "cache\x00 stampede", "¿", "漢字", "a " * 1999, "🙂"])
def test_odd_questions_get_an_answer_or_an_error_never_500(client: TestClient, question: str) -> None:
    response = client.post("/api/v1/ask", content=json.dumps({"question": question}))
    assert response.status_code in (200, 422)
    assert client.get("/healthz").status_code == 200


def test_search(client: TestClient) -> None:
    body = client.get("/api/v1/search", params={"q": "compaction", "k": 3}).json()
    assert len(body["hits"]) == 3
    assert body["hits"][0]["doc_id"] == "storage-engines"
    text = client.get("/api/v1/documents/storage-engines").json()["text"]
    assert text[body["hits"][0]["start"] : body["hits"][0]["end"]] == body["hits"][0]["text"]


def test_search_by_document_and_by_filter(client: TestClient) -> None:
    hits = client.get("/api/v1/search", params={"q": "cache", "by_doc": True}).json()["hits"]
    assert len({h["doc_id"] for h in hits}) == len(hits) > 1
    hits = client.get("/api/v1/search", params={"q": "cache", "phase": [6, 7]}).json()["hits"]
    assert {h["doc_id"] for h in hits} == {"rag"}


@pytest.mark.parametrize(
    "params", [{}, {"q": ""}, {"q": "x", "k": 0}, {"q": "x", "k": 201}, {"q": "x", "phase": "a"}, {"q": "x", "n": "1"}]
)
def test_what_cannot_be_searched_is_422(client: TestClient, params: dict[str, Any]) -> None:
    response = client.get("/api/v1/search", params=params)
    assert response.status_code == 422
    assert response.json()["error"]["what"]


def test_documents(client: TestClient) -> None:
    rows = client.get("/api/v1/documents").json()
    assert {r["doc_id"] for r in rows} == {"storage-engines", "caching", "rag"}
    assert "text" not in rows[0]
    document = client.get("/api/v1/documents/rag").json()
    assert document["text"][document["sections"][0]["start"] :].startswith("\n## ") or document["sections"]
    assert document["passages"]


@pytest.mark.parametrize("doc_id", ["nope", "a/b/c", "../../etc/passwd", "%00", "x" * 500])
def test_a_document_that_is_not_there_is_404(client: TestClient, doc_id: str) -> None:
    response = client.get(f"/api/v1/documents/{doc_id}")
    assert response.status_code == 404
    assert "error" in response.json()


def test_health(client: TestClient, core: App) -> None:
    body = client.get("/healthz").json()
    assert body["status"] == "ok"
    assert body["generation"] == core.reader.manifest.generation
    assert body["passages"] == core.reader.manifest.passages


def test_without_an_index_everything_that_needs_one_is_503(tmp_path: Path) -> None:
    client = TestClient(create_app(App(Settings(home=tmp_path), encoder=FakeEncoder())))
    for path in ("/healthz", "/api/v1/documents", "/api/v1/documents/x", "/api/v1/search?q=x"):
        response = client.get(path)
        assert response.status_code == 503
        assert "tutor ingest" in response.json()["error"]["fix"]
    assert client.get("/").status_code == 200


def test_an_ingest_is_picked_up_without_a_restart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False))
    notes = write_notes(tmp_path / "notes")
    App(settings, encoder=FakeEncoder()).ingest([notes])
    core = App(settings, encoder=FakeEncoder())
    client = TestClient(create_app(core))
    before = client.get("/healthz").json()
    (notes / "gossip.md").write_text("# Gossip\n\nGossip spreads membership in rounds.\n", encoding="utf-8")
    App(settings, encoder=FakeEncoder()).ingest()
    after = client.get("/healthz").json()
    assert after["generation"] != before["generation"]
    assert any("Gossip" in h["text"] for h in client.get("/api/v1/search?q=gossip membership").json()["hits"])
    core.close()


ERRORS: list[tuple[Exception, int]] = [
    (SettingsError("bad"), 422),
    (NotFound("gone", about="it", fix="look"), 404),
    (SourceError("unreadable"), 422),
    (MissingExtra("the model", extra="hf", module="torch"), 501),
    (ModelError("damaged", about="encoder.onnx", fix="Reinstall."), 503),
    (IndexDamaged("damaged"), 503),
    (IndexBusy("busy"), 503),
    (TutorError("something"), 500),
]


@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_each_error_has_its_status_and_keeps_its_parts(
    failing: tuple[TestClient, Failing], error: TutorError, status: int
) -> None:
    client, encoder = failing
    assert status_of(error) == status
    encoder.error = error
    response = client.post("/api/v1/ask", json={"question": "What is a quorum?"})
    assert response.status_code == status
    assert response.json()["error"] == {
        "what": error.what,
        "about": error.about,
        "fix": error.fix,
        "transient": error.transient,
    }
    assert ("retry-after" in response.headers) == error.transient


def test_what_nobody_expected_is_500_logged_and_tells_no_details(
    failing: tuple[TestClient, Failing], caplog: pytest.LogCaptureFixture
) -> None:
    client, encoder = failing
    encoder.error = ZeroDivisionError("secret path /home/someone")
    with caplog.at_level(logging.ERROR, "tutor.web.security"):
        response = client.post("/api/v1/ask", json={"question": "What is a quorum?"})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Content-Security-Policy" in response.headers
    assert any(record.exc_info for record in caplog.records)


def test_the_stream_of_an_answer(client: TestClient) -> None:
    response = client.get("/api/v1/ask/stream", params={"q": ANSWERED})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response.text)
    names = [name for name, _ in found]
    assert names[:2] == ["status", "verdict"]
    assert names[-2:] == ["sources", "done"]
    assert set(names[2:-2]) == {"group"}
    answer = found[-1][1]
    asked = client.post("/api/v1/ask", json={"question": ANSWERED}).json()
    assert answer["stages"].keys() == asked["stages"].keys()
    assert {**answer, "ms": 0, "stages": {}} == {**asked, "ms": 0, "stages": {}}
    html = "".join(data.get("html", "") for _, data in found)
    for citation in answer["citations"]:
        link = f"/documents/{citation['doc_id']}?start={citation['start']}&amp;end={citation['end']}#cited"
        assert html.count(link) == 2  # behind its sentence and in the list of sources


def test_the_stream_abstains(client: TestClient) -> None:
    found = events(client.get("/api/v1/ask/stream", params={"q": NOT_ANSWERED}).text)
    assert [name for name, _ in found] == ["status", "abstain", "done"]
    assert 'href="/documents"' in found[1][1]["html"]  # nothing is near to it: the library, no document


def test_the_stream_says_what_went_wrong(failing: tuple[TestClient, Failing]) -> None:
    client, encoder = failing
    encoder.error = ModelError("damaged", about="encoder.onnx", fix="Reinstall.")
    found = events(client.get("/api/v1/ask/stream", params={"q": "What is a quorum?"}).text)
    assert [name for name, _ in found] == ["status", "error"]
    assert found[1][1]["error"]["fix"] == "Reinstall."
    refused = client.get("/api/v1/ask/stream", params={"q": " "})
    assert (refused.status_code, refused.json()["error"]["what"]) == (422, "the question is empty")


def test_a_client_that_has_gone_costs_nothing(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    core = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=encoder)
    core.ingest([write_notes(tmp_path / "notes")])
    web = create_app(core)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(web, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            calls = len(encoder.calls)
            with web.state.core._lock:  # as while somebody else is answered
                with socket.create_connection(listener.getsockname(), timeout=30) as client:
                    client.sendall(b"GET /api/v1/ask/stream?q=What+is+a+quorum HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    _until(lambda: b"event: status" in client.recv(4096))
                time.sleep(0.3)  # the server learns of it
            time.sleep(0.3)
            assert len(encoder.calls) == calls
        finally:
            server.should_exit = True
            thread.join(10)
            core.close()
    assert not thread.is_alive()


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline


def test_the_api_is_described_with_every_route_and_error(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert {path for path in description["paths"] if not path.startswith("/api/v1/study/")} == {  # tested by themselves
        "/healthz",
        "/api/v1/ask",
        "/api/v1/ask/stream",
        "/api/v1/search",
        "/api/v1/documents",
        "/api/v1/documents/{doc_id}",
        "/api/v1/drills",
        "/api/v1/drills/{session}",
        "/api/v1/drills/{session}/replies",
        "/api/v1/drills/{session}/opinions",
        "/api/v1/drills/{session}/overrides",
        "/api/v1/drills/{session}/transcript",
        "/api/v1/grade",
        "/api/v1/sheet",
        "/api/v1/feedback",
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation}",
        "/api/v1/conversations/{conversation}/export",
        "/api/v1/conversations/{conversation}/turns/{turn}/vote",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/chat/completions",
    }
    answer = description["paths"]["/api/v1/ask"]["post"]["responses"]
    assert answer["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/AnswerOut")
    assert answer["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorOut")


def test_an_unknown_parameter_is_told_with_the_known_ones(client: TestClient) -> None:
    error = client.get("/api/v1/search", params={"q": "raft", "fase": 3}).json()["error"]
    assert (error["what"], error["about"]) == ("unknown parameter", "fase")
    assert error["fix"].startswith("Known: q, k, by_doc, phase")
    body = client.post("/api/v1/ask", content=b"{bad", headers={"content-type": "application/json"})
    assert (body.status_code, body.json()["error"]["what"]) == (422, "the body is not valid JSON")
    assert body.json()["error"]["about"] == ""


def test_a_body_that_is_not_utf8_is_told_with_the_mend(client: TestClient) -> None:
    body = client.post("/api/v1/ask", content=b'{"question": "caf\xe9"}', headers={"content-type": "application/json"})
    assert body.status_code == 400
    error = body.json()["error"]
    assert (error["what"], error["about"]) == ("the request cannot be read", "/api/v1/ask")
    assert "UTF-8" in error["fix"]
