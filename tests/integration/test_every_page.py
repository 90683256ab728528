"""What every page must keep, whoever wrote it: a strict policy, nothing inline, nothing of elsewhere, no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from pydantic import SecretStr

from routes import SAFE, filled, page_routes
from tutor.bootstrap import App
from tutor.settings import ServerSettings, Settings
from tutor.web.app import create_app

HTML = {"accept": "text/html"}
KEY = "correct-horse-battery-staple"
POLICY = {
    "default-src": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}
#: Actions of forms that may be sent twice: a box is ticked or not.
SAYS_HOW = re.compile(r"/plan/[\w-]+/tick")
#: Besides the plain address: with what a page shows only then.
MORE = (
    "/?q=Why+not+Kafka%3F",
    "/?q=sourdough+bread",
    "/documents?filter=zzz",
    "/drill?request=kafka",
    "/map?goal=kafka",
    "/nope",
)


@pytest.fixture(scope="module")
def client(curriculum_home: Path) -> Iterator[TestClient]:
    core = App(Settings(home=curriculum_home))
    yield TestClient(create_app(core))
    core.close()


@pytest.fixture(scope="module")
def paths(client: TestClient) -> list[str]:
    """Every page, with what is there in the place of names."""
    drill = client.post("/api/v1/drills", json={"request": "why not kafka"}).json()["session"]
    entry = client.post("/api/v1/study/log", json={"text": "I chose Kafka."}).json()["id"]
    kept = client.post("/api/v1/ask", json={"question": "Why not Kafka?", "conversation": "new"}).json()["kept"]
    plan = client.get("/api/v1/study/plans").json()["plans"][0]["id"]
    started = client.post(f"/api/v1/study/plans/{plan}/start", json={})
    assert started.status_code == 201
    named = {"doc_id": "kafka", "session": drill, "entry": entry, "plan": plan, "step": "1", "number": "1", **kept}
    found = [filled(path, lambda name: named.get(name, "1")) for method, path in page_routes() if method == "GET"]
    return [*found, *MORE]


def policy_of(header: str) -> dict[str, set[str]]:
    """A content security policy: each directive's sources."""
    directives = (part.strip().partition(" ") for part in header.split(";"))
    return {name: set(sources.split()) for name, _, sources in directives}


def test_there_are_pages(paths: list[str]) -> None:
    assert len(paths) > 20
    assert {"/", "/documents", "/drill", "/today", "/log", "/settings", "/map", "/progress", "/plan"} <= set(paths)


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client: TestClient, paths: list[str]) -> None:
    seen = 0
    for path in paths:
        answer = client.get(path, headers=HTML)
        assert answer.status_code < 500, (path, answer.text)
        policy = policy_of(answer.headers["content-security-policy"])
        assert POLICY.items() <= policy.items(), path
        assert not any("unsafe" in source or "*" in source or "http" in source for s in policy.values() for source in s)
        assert policy.keys() - POLICY.keys() <= {"img-src"}, path
        assert "set-cookie" not in answer.headers, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        seen += 1
        page = BeautifulSoup(answer.text, "html.parser")
        for element in page.find_all(True):
            named = [name for name in element.attrs if name.startswith("on") or name in ("style", "srcdoc")]
            assert not named, (path, str(element)[:200])
            for name in ("src", "action", "formaction", "poster", "data", "srcset"):
                assert re.match(r"/(?!/)|\?|#|$", str(element.get(name) or "")), (path, str(element)[:200])
            target = str(element.get("href") or "")
            assert re.match(r"/(?!/)|\?|#|https?://|mailto:|$", target), (path, target)
            if element.name == "link":
                assert target.startswith("/"), (path, target)
        for script in page.find_all("script"):
            data = script.get("type") in ("application/json", "text/plain")
            assert data or (script.get("src") and not script.get_text(strip=True)), (path, str(script)[:200])
        assert not page.find_all(["iframe", "object", "embed", "base"]), path
        if answer.headers.get("content-disposition", "").startswith("attachment"):
            assert not page.find_all(["script", "link"]), path  # a file to pass on: it brings style and policy itself
            assert "default-src 'none'" in str(page.select_one("meta[http-equiv=Content-Security-Policy]")), path
        else:
            assert not page.find_all("style"), path
            assert not page.select("meta[http-equiv]"), path
    assert seen > 20


def test_forms_that_change_something_are_posted_and_harmless_when_replayed(
    client: TestClient, paths: list[str]
) -> None:
    """By a token, or because the form says how something is to be; nothing typed into them goes into an address."""
    posted = 0
    for path in paths:
        answer = client.get(path, headers=HTML)
        for form in BeautifulSoup(answer.text, "html.parser").find_all("form"):
            action = str(form.get("action") or path)
            if str(form.get("method", "get")).lower() != "post":
                assert not form.select("input[type=password]"), (path, action)
                continue
            posted += 1
            token = form.select_one("input[type=hidden][name=once], button[name=once]")  # or by the button that posts
            assert (token and token["value"]) or SAYS_HOW.fullmatch(action), (path, action)
    assert posted > 5


def test_a_key_is_never_in_an_address(curriculum_home: Path) -> None:
    """Nor on a page: it is taken from a header only."""
    core = App(Settings(home=curriculum_home, server=ServerSettings(api_key=SecretStr(KEY))))
    client = TestClient(create_app(core), follow_redirects=False)
    bearer = {"authorization": f"Bearer {KEY}", **HTML}
    try:
        for method, path in page_routes():
            if method not in SAFE:
                continue
            address = filled(path, "kafka")
            for given in ("key", "api_key", "token", "access_token", "authorization"):
                assert client.request(method, address, params={given: KEY}, headers=HTML).status_code == 401, path
            answer = client.request(method, address, headers=bearer)
            assert answer.status_code != 401, path
            assert KEY not in answer.text and KEY not in answer.headers.get("location", ""), path
        described = client.get("/openapi.json", headers=bearer).json()
        for path, methods in described["paths"].items():
            for operation in methods.values():
                names = {p["name"] for p in operation.get("parameters", ()) if p["in"] in ("query", "path")}
                assert not names & {"token", "api_key", "password", "secret", "access_token"}, path
    finally:
        core.close()
