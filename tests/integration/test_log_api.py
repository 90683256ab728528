"""The decision log over HTTP: the same entries and errors as in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import TOPICS, FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app

LOG = "/api/v1/study/log"
TEXT = "I chose RESP over JSON as the wire protocol of the Redis clone."


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    vocabulary = [*TOPICS, "resp", "json", "what", "is"]
    app = App(Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder(vocabulary=vocabulary))
    app.ingest([write_notes(tmp_path / "notes")])
    with TestClient(create_app(app), base_url="http://127.0.0.1:8000") as found:
        yield found
    app.close()


def write(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post(LOG, json={"text": TEXT, **body})
    assert response.status_code == 201, response.json()
    found: dict[str, Any] = response.json()
    return found


def test_an_entry_through_its_life(client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = write(client, tags=["redis"], day="2026-05-03", item="W1")
    place = f"{LOG}/{entry['id']}"
    assert client.get(place).json() == client.get(f"{LOG}/last").json() == entry
    assert main(["--home", str(tmp_path), "log", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == entry
    assert client.patch(place, json={"text": "RESP it is.", "cards": []}).json()["cards"] == []
    assert client.patch(place, json={}).json()["version"] == 2
    assert client.delete(place).json()["deleted"]
    assert client.get(LOG).json() == {"total": 0, "entries": []}
    assert client.get(LOG, params={"deleted": True}).json()["total"] == 1
    assert client.patch(place, json={"text": "x"}).status_code == 422
    assert client.post(f"{place}/restore", json={"version": 1}).json()["text"] == TEXT
    assert [v["version"] for v in client.get(f"{place}/versions").json()] == [4, 3, 2, 1]


def test_searching(client: TestClient) -> None:
    write(client, tags=["redis"], day="2026-05-03")
    write(client, text="A saga, no commit.", day="2026-05-04", item="M1W2")
    for params, total in (
        ({"q": "wire proto"}, 1),
        ({"q": '"protocol wire"'}, 0),
        ({"tag": "redis"}, 1),
        ({"card": "redis"}, 1),
        ({"item": "M1"}, 1),
        ({"since": "2026-05-04"}, 1),
        ({"until": "2026-05-04"}, 2),
        ({"k": 1}, 2),
    ):
        found = client.get(LOG, params=params).json()
        assert found["total"] == total, params
        assert len(found["entries"]) == min(total, params.get("k", 50))


def test_reports(client: TestClient) -> None:
    entry = write(client, day="2026-05-03", item="W1")
    digest = client.get(f"{LOG}/digest", params={"week": "2026-W18"}).json()
    assert digest["decided"] == [{"entry": entry["id"], "day": "2026-05-03", "text": TEXT}]
    assert "Redis (1)" in digest["markdown"]
    draft = client.get(f"{LOG}/draft", params={"id": ["last"], "title": "T"}).json()
    assert 'title: "T"' in draft["markdown"] and draft["entries"] == [entry]
    capstone = client.get(f"{LOG}/capstone", params={"item": "M1"}).json()
    assert TEXT in capstone["markdown"] and capstone["entries"] == [entry]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/beef", None, 404),
        ("GET", "/..%2f..%2fetc", None, 404),
        ("DELETE", "/beef", None, 404),
        ("POST", "/beef/restore", {}, 404),
        ("GET", "?card=nonsense+card", None, 404),
        ("GET", "?item=M99", None, 404),
        ("GET", "?since=yesteryear", None, 422),
        ("GET", "?k=0", None, 422),
        ("GET", "/digest?week=7", None, 422),
        ("GET", "/draft", None, 422),
        ("POST", "", {"text": ""}, 422),
        ("POST", "", {"text": "x", "wibble": 1}, 422),
        ("POST", "", {"text": "a" * 1_000_000}, 413),
        ("POST", "", {"text": "a" * 20_001}, 422),
        ("POST", "", {"text": "x", "tags": ["a!"]}, 422),
        ("POST", "", {"text": "x", "day": "2999-01-01"}, 422),
        ("POST", "", {"text": "x", "cards": ["nonsense card"]}, 404),
        ("PATCH", "/beef", {"text": "x"}, 404),
    ],
)
def test_what_cannot_be_done_says_why(client: TestClient, method: str, path: str, body: Any, status: int) -> None:
    response = client.request(method, LOG + path, json=body)
    assert response.status_code == status, response.text[:300]
    assert response.json()["error"]["what"]
    assert client.get(LOG).json()["total"] == 0


def test_many_at_once(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write(client, text=f"Entry {n}"), range(40)))
    assert client.get(LOG).json()["total"] == 40


def test_asking_gives_it_back_as_the_learners_own(client: TestClient) -> None:
    entry = write(client, day="2026-05-03")
    answer = client.post("/api/v1/ask", json={"question": "What did I decide on RESP?"}).json()
    [cited] = answer["citations"]
    assert (cited["kind"], cited["doc_id"], cited["quote"]) == ("entry", f"log/{entry['id']}", TEXT)
    assert answer["intent"] == "own" and "From your log" in answer["answer"]
    answer = client.post("/api/v1/ask", json={"question": "What is RESP?"}).json()
    assert answer["abstained"] and [c["kind"] for c in answer["citations"]] == ["entry"]
    events = client.get("/api/v1/ask/stream", params={"q": "What is RESP?"}).text
    assert events.index("event: abstain") < events.index("event: group") < events.index("event: done")
    for question in ("What is RESP?", "What did I decide on RESP?"):
        page = client.get("/", params={"q": question}).text
        assert "From your log" in page and "Your entry of 3 May 2026" in page
    client.patch(f"{LOG}/last", json={"text": "I decided <script>alert(1)</script> RESP [9] over all."})
    page = client.get("/", params={"q": "What did I decide on RESP?"}).text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    client.delete(f"{LOG}/last")
    answer = client.post("/api/v1/ask", json={"question": "What is RESP?"}).json()
    assert answer["abstained"] and answer["citations"] == []


def test_it_is_described(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    mine = {path.removeprefix(LOG): sorted(methods) for path, methods in paths.items() if path.startswith(LOG)}
    assert mine == {
        "": ["get", "post"],
        "/digest": ["get"],
        "/draft": ["get"],
        "/capstone": ["get"],
        "/{entry}": ["delete", "get", "patch"],
        "/{entry}/versions": ["get"],
        "/{entry}/restore": ["post"],
    }
