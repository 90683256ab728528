"""What no client of ours sends: other sites' requests, broken bodies, headers and paths, to every route there is.

The routes are walked, so one that comes later is tested too.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from pages import running
from routes import SAFE, api_routes, filled, page_routes, unsafe_routes
from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.web.app import create_app
from tutor.web.openai import PREFIX
from tutor.web.security import IMPORTS

IMPORT = "/api/v1/study/import"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def client(curriculum_home: Path) -> Iterator[TestClient]:
    core = App(Settings(home=curriculum_home))
    yield TestClient(create_app(core), follow_redirects=False)
    core.close()


@pytest.fixture(scope="module")
def address(curriculum_home: Path) -> Iterator[str]:
    with running(App(Settings(home=curriculum_home))) as address:
        yield address


def refused(answer: Response, path: str) -> str:
    """What an error says, in the shape of its interface; a page comes back as a page."""
    if answer.headers["content-type"].startswith("text/html"):
        assert not path.startswith(("/api/", PREFIX)), path
        assert "Traceback" not in answer.text and "<h1" in answer.text, path
        return answer.text
    error = json.loads(answer.text)["error"]
    if path.startswith(PREFIX):
        assert set(error) == {"message", "type", "param", "code"}
        return str(error["message"])
    assert set(error) == {"what", "about", "fix", "transient"}
    return str(error["what"])


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:8001"},
        {"origin": "http://evil.example/testserver"},
        {"origin": "http://testserver@evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    ],
    ids=str,
)
def test_other_sites_change_nothing(client: TestClient, headers: dict[str, str]) -> None:
    routes = unsafe_routes(client.app)  # type: ignore[arg-type]
    assert len(routes) > 20
    for method, path in routes:
        kind = JSON if path.startswith(("/api/", PREFIX)) else FORM
        answer = client.request(method, filled(path, "kafka"), headers={**kind, **headers}, content=b"{}")
        assert answer.status_code == 403, (method, path, answer.text)
        assert "other sites" in refused(answer, path)


def test_other_sites_read_nothing(client: TestClient) -> None:
    for method, path in api_routes(client.app):  # type: ignore[arg-type]
        if method in SAFE and path.startswith(("/api/", PREFIX)):
            answer = client.get(filled(path, "kafka"), headers={"sec-fetch-site": "cross-site"})
            assert answer.status_code == 403, path


BODIES = {
    "nothing": b"",
    "half": b'{"question": "a',
    "list": b"[]",
    "text": b'"kafka"',
    "number": b"1e999",
    "not a number": b'{"question": NaN, "answer": NaN, "hours": NaN, "confidence": NaN}',
    "huge whole number": b'{"count": '
    + b"9" * 5_000
    + b', "rating": 9e300, "seed": 1e300, "version": 99999999999999999}',
    "no utf-8": b'{"question": "\xff\xfe"}',
    "utf-16": '{"question": "kafka"}'.encode("utf-16"),
    "nul": b'{"question": "a\\u0000b", "text": "\\u0000", "card": "\\u0000", "answer": "\\u0000"}',
    "half a character": b'{"question": "\\ud800", "text": "\\udfff", "card": "\\ud800"}',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep inside": b'{"question": "kafka", "filters": {"phase": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    "prototype keys": b'{"__proto__": {"a": 1}, "constructor": {"prototype": {}}, "question": "kafka"}',
    "twice": b'{"question": "kafka", "question": 1, "question": null}',
    "nulls": b'{"question": null, "text": null, "card": null, "answer": null, "items": null, "days": null}',
}


@pytest.mark.parametrize("body", BODIES)
def test_broken_bodies_are_refused_with_reasons(client: TestClient, body: str) -> None:
    for method, path in unsafe_routes(client.app):  # type: ignore[arg-type]
        kind = JSON if path.startswith(("/api/", PREFIX)) else FORM
        answer = client.request(method, filled(path, "kafka"), content=BODIES[body], headers=kind)
        assert answer.status_code < 500, (method, path, kind, answer.text)
        if answer.status_code >= 400:
            assert refused(answer, path)


def test_bodies_of_another_kind_are_refused_with_reasons(client: TestClient) -> None:
    for method, path in unsafe_routes(client.app):  # type: ignore[arg-type]
        for kind in (FORM if path.startswith(("/api/", PREFIX)) else JSON, {}, {"content-type": "text/html"}):
            answer = client.request(method, filled(path, "kafka"), content=BODIES["twice"], headers=kind)
            assert answer.status_code < 500, (method, path, kind, answer.text)
            if answer.status_code >= 400:
                assert refused(answer, path)


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "\xff", "/"],
)
def test_broken_forms_are_refused_with_reasons(client: TestClient, kind: str) -> None:
    for body in (b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n", b"a=1&" * 500):
        for method, path in page_routes():
            if method in SAFE:
                continue
            headers = {b"content-type": kind.encode("latin-1")}
            answer = client.request(method, filled(path, "kafka"), content=body, headers=headers)  # type: ignore[arg-type]
            assert answer.status_code < 500, (method, path, answer.text)
            if answer.status_code >= 400:
                assert refused(answer, path)


def test_a_megabyte_is_too_much_said_or_in_pieces(client: TestClient) -> None:
    whole = json.dumps({"question": "k" * 2**20, "answer": "k" * 2**20}).encode()
    pieces = [whole[n : n + 8_192] for n in range(0, len(whole), 8_192)]
    for method, path in unsafe_routes(client.app):  # type: ignore[arg-type]
        if path in IMPORTS:
            continue
        for content in (whole, iter(pieces)):
            answer = client.request(method, filled(path, "kafka"), content=content, headers=JSON)
            # What needs no body does not read it; what reads it stops at the limit.
            if answer.status_code != 413:
                assert content is not whole, (method, path, answer.status_code)
                assert answer.status_code < 500
            else:
                assert "large" in refused(answer, path)


@pytest.mark.parametrize("content", [b"[" * 2_000_000, b'{"a":' * 500_000, b"\x00" * 1_000, b"9" * 100_000])
def test_an_import_that_is_hard_to_read_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post(IMPORT, content=content, headers=JSON)
    assert answer.status_code == 422
    assert refused(answer, IMPORT)


def test_a_question_as_long_as_an_address_can_be_is_refused(client: TestClient) -> None:
    for path in ("/", "/api/v1/ask/stream", "/api/v1/search"):
        answer = client.get(path, params={"q": "why not kafka? " * 3_000})
        assert answer.status_code == 422, path


NAMES = (
    "..",
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "..\\..\\..\\study.db",
    "study.db",
    "../config.toml",
    "kafka\x00.md",
    "\x00",
    "\r\nX-Injected: 1",
    "kafka\nSet-Cookie: a=b",
    "‮kafka",
    "e\u0301" * 200,
    "k" * 4_000,
    "' OR 1=1; --",
    "%' UNION SELECT * FROM sqlite_master --",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "*",
    "~root",
    "CON",
    "-1",
    "0",
    "99999999999999999999999999",
    "__proto__",
    "constructor",
    "last",
)


def test_names_open_no_other_file_and_break_nothing(client: TestClient, curriculum_home: Path) -> None:
    outside = sorted(curriculum_home.parent.iterdir())
    for method, path in [*page_routes(), *api_routes(client.app)]:  # type: ignore[arg-type]
        if "{" not in path:
            continue
        for name in NAMES:
            for written in {quote(name, safe=""), quote(name, safe="/")}:
                body = {"content": b"{}", "headers": JSON} if method not in SAFE else {}
                answer = client.request(method, filled(path, written), **body)  # type: ignore[arg-type]
                assert answer.status_code < 500, (method, path, name, answer.text)
                assert "root:x:" not in answer.text
                assert "x-injected" not in answer.headers and "set-cookie" not in answer.headers
                location = urlsplit(answer.headers.get("location", ""))
                assert location.netloc in ("", "testserver"), (method, path, name, location)
    assert sorted(curriculum_home.parent.iterdir()) == outside


@pytest.mark.parametrize(
    "raw", ["%ff%fe", "%00", "%c0%ae%c0%ae%2f", "%ed%a0%80", "%", "%zz", "%u0041", "%25%32%65", "%0d%0a"]
)
def test_addresses_that_are_no_utf8_break_nothing(client: TestClient, raw: str) -> None:
    for method, path in [*page_routes(), *api_routes(client.app)]:  # type: ignore[arg-type]
        if method == "GET":
            answer = client.get(f"{filled(path, raw)}?q={raw}&filter={raw}&start={raw}&%ff={raw}")
            assert answer.status_code < 500, (path, answer.text)


HEADERS: tuple[tuple[str, bytes], ...] = (
    ("cookie", b"\xff\xfe; =; ; a=\x01"),
    ("cookie", b"a=" + b"b" * 8_000),
    ("cookie", b'a="unclosed; session=; __Host-x=1'),
    ("authorization", b"Bearer \xff\xff"),
    ("authorization", b"Basic ====="),
    ("authorization", b"Digest"),
    ("accept", b"\xff,,;;q=z"),
    ("accept", b"text/html;q=" + b"9" * 2_000),
    ("accept-language", b"\xff"),
    ("accept-encoding", b"gzip;q=-1, \xff"),
    ("range", b"bytes=99999999999999999999-1"),
    ("if-modified-since", b"yesterday"),
    ("if-none-match", b'"\xff'),
    ("traceparent", b"00-" + b"z" * 500),
    ("x-request-id", b"\xff\x01" * 100),
    ("x-forwarded-for", b"127.0.0.1, \xff"),
    ("referer", b"javascript:alert(1)"),
    ("content-length", b"\xb2"),
)


@pytest.mark.parametrize(("name", "value"), HEADERS, ids=lambda part: str(part)[:30])
def test_broken_headers_break_nothing(client: TestClient, name: str, value: bytes) -> None:
    for path in (
        "/",
        "/documents",
        "/documents/kafka",
        "/static/css/base.css",
        "/healthz",
        "/api/v1/search?q=kafka",
        "/nope",
    ):
        answer = client.get(path, headers={name.encode(): value})  # type: ignore[dict-item]
        assert answer.status_code < 500, (path, answer.text)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nz",
        b"POST /api/v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"GET /?q=" + b"k" * 2**20 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_what_is_no_http_leaves_the_server_answering(address: str, sent: bytes) -> None:
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=30) as line:
        line.settimeout(1)
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            got = line.recv(65_536)
        except OSError:  # it was cut off, before or after its answer
            got = b""
    assert b" 500 " not in got.split(b"\r\n")[0]
    assert b"Traceback" not in got
    with socket.create_connection((where.hostname, where.port), timeout=30) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
