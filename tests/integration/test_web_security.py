"""What the server refuses, and the headers on everything it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, ServerSettings, Settings
from tutor.web.app import create_app
from tutor.web.security import MAX_BODY_BYTES

ASK = {"question": "What is a quorum?"}


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Callable[[str], TestClient]]:
    """A client of a server that listens on the host given."""
    cores = []

    def make(host: str) -> TestClient:
        settings = Settings(home=tmp_path, corpus=CorpusSettings(builtin=False), server=ServerSettings(host=host))
        core = App(settings, encoder=FakeEncoder())
        cores.append(core)
        core.ingest([write_notes(tmp_path / "notes")])
        return TestClient(create_app(core))

    yield make
    for core in cores:
        core.close()


@pytest.fixture
def client(listening: Callable[[str], TestClient]) -> TestClient:
    return listening("127.0.0.1")


PAGES = ("/", "/?q=quorum", "/documents", "/documents/nope", "/docs", "/openapi.json", "/healthz", "/nope")
FILES = ("/static/css/base.css", "/static/js/main.js", "/static/nope.js")
CALLS = ("/api/v1/ask/stream?q=quorum", "/api/v1/search")


@pytest.mark.parametrize("path", [*PAGES, *FILES, *CALLS])
def test_every_response_has_the_security_headers(client: TestClient, path: str) -> None:
    for accept in ("text/html", "*/*"):
        headers = client.get(path, headers={"accept": accept}).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "192.168.0.7"]
)
def test_its_own_names_and_addresses(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "", "a@b"]
)
def test_other_names_are_refused(client: TestClient, host: str) -> None:
    response = client.get("/healthz", headers={"host": host})
    assert response.status_code == 421
    assert response.json()["error"]["fix"].startswith("Use http://testserver:80/, or ")
    assert client.post("/api/v1/ask", json=ASK, headers={"host": host}).status_code == 421


def test_the_name_it_listens_on(listening: Callable[[str], TestClient]) -> None:
    client = listening("study.lan")
    assert client.get("/healthz", headers={"host": "study.lan:8000"}).status_code == 200
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 421


def test_on_all_addresses_names_are_left_to_the_proxy(listening: Callable[[str], TestClient]) -> None:
    assert listening("0.0.0.0").get("/healthz", headers={"host": "tutor.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver:81", "http://testserver.evil.example"]
)
def test_posts_from_other_origins_are_refused(client: TestClient, origin: str) -> None:
    assert client.post("/api/v1/ask", json=ASK, headers={"origin": origin}).status_code == 403


def test_posts_from_its_own_origin_or_from_no_browser(client: TestClient) -> None:
    assert client.post("/api/v1/ask", json=ASK, headers={"origin": "http://testserver"}).status_code == 200
    assert client.post("/api/v1/ask", json=ASK).status_code == 200


def test_other_sites_pages_cannot_use_the_api(client: TestClient) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    assert client.get("/api/v1/ask/stream?q=quorum", headers=cross).status_code == 403
    assert client.get("/api/v1/search?q=quorum", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert client.get("/?q=quorum", headers=cross).status_code == 200  # a link from another page


def test_no_other_origin_may_read(client: TestClient) -> None:
    response = client.options(
        "/api/v1/ask", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
    )
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_large_bodies_are_refused(client: TestClient) -> None:
    body = json.dumps({"question": "a" * MAX_BODY_BYTES})
    assert client.post("/api/v1/ask", content=body).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(70):
            yield b" " * 1024
        yield json.dumps(ASK).encode()

    response = client.post("/api/v1/ask", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert response.json()["error"]["fix"]


def test_small_bodies_in_chunks_are_taken(client: TestClient) -> None:
    content = iter([json.dumps(ASK).encode()])
    headers = {"content-type": "application/json"}
    assert client.post("/api/v1/ask", content=content, headers=headers).status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "99999999999"])
def test_a_length_that_is_no_length(client: TestClient, length: str) -> None:
    assert client.post("/api/v1/ask", content=b"{}", headers={"content-length": length}).status_code == 413


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_static_files_stay_in_their_folder(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/documents", "/api/v1/search?q=x", "/healthz"])
def test_only_the_methods_there_are(client: TestClient, path: str) -> None:
    response = client.delete(path)
    assert response.status_code == 405
    assert response.json()["error"]["what"]
    assert "GET" in response.headers["allow"]
