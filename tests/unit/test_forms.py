"""A form that is sent twice is carried out once; forms that cannot be read are refused with a reason."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from tutor.errors import UsageError
from tutor.web import errors, forms
from tutor.web.forms import Once


def test_a_replay_is_shown_the_same_result() -> None:
    once, done = Once(), []

    def work() -> str:
        done.append(1)
        return f"/made/{len(done)}"

    assert [once.carry_out("a", work) for _ in range(3)] == ["/made/1"] * 3
    assert once.carry_out("b", work) == "/made/2"
    assert once.carry_out("", work) == "/made/3"  # a client without a token means it each time
    assert once.carry_out("", work) == "/made/4"


def test_two_at_the_same_instant_are_carried_out_once() -> None:
    once, done, begun = Once(), [], threading.Event()

    def work() -> str:
        begun.set()
        done.append(1)
        threading.Event().wait(0.05)
        return f"/made/{len(done)}"

    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: once.carry_out("a", work), range(8)))
    assert paths == ["/made/1"] * 8
    assert not once._under_way


def test_what_failed_may_be_sent_again() -> None:
    once = Once()

    def fails() -> str:
        raise UsageError("no such card")

    with pytest.raises(UsageError):
        once.carry_out("a", fails)
    assert once.carry_out("a", lambda: "/made") == "/made"
    assert not once._under_way


def test_a_slow_form_keeps_no_other_waiting() -> None:
    once, go_on = Once(), threading.Event()

    def slow() -> str:
        go_on.wait(60)
        return "/slow"

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(once.carry_out, "a", slow)
        assert once.carry_out("b", lambda: "/fast") == "/fast"
        assert not pending.done()
        go_on.set()
        assert pending.result(60) == "/slow"


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_REMEMBERED", 3)
    once = Once()
    for token in "abcd":
        once.carry_out(token, lambda: "/first")
    assert once.carry_out("d", lambda: "/second") == "/first"
    assert once.carry_out("a", lambda: "/second") == "/second"


@pytest.fixture
def client() -> TestClient:
    web = FastAPI()
    web.state.once = Once()
    web.state.kept = []
    errors.install(web)

    @web.post("/keep")
    async def keep(request: Request) -> object:
        form = await forms.read_form(request)

        def work() -> str:
            web.state.kept.append((form.text("text"), form.whole("number"), form.on("box"), form.texts("many")))
            return f"/kept/{len(web.state.kept)}"

        return await forms.submit(request, form, work)

    return TestClient(web, follow_redirects=False)


def test_a_form_is_read_as_it_was_typed(client: TestClient) -> None:
    sent = {"text": "a\r\nb\x00\ud7ff 漢", "number": " 7 ", "box": "on", "many": ["1", "2"]}
    answer = client.post("/keep", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/kept/1")
    assert client.app.state.kept == [("a\nb\x00\ud7ff 漢", 7, True, ["1", "2"])]  # type: ignore[attr-defined]


def test_a_replayed_form_is_carried_out_once(client: TestClient) -> None:
    for _ in range(3):
        answer = client.post("/keep", data={"text": "a", "once": "token"})
        assert answer.headers["location"] == "/kept/1"
    assert len(client.app.state.kept) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", ["x", "1.5", "1e3", "9" * 5_000, "٣x", "-"])
def test_a_number_that_is_none_is_refused(client: TestClient, number: str) -> None:
    answer = client.post("/keep", data={"number": number})
    assert answer.status_code == 422
    assert answer.json()["error"]["what"] == "number is no whole number"
    assert not client.app.state.kept  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(401)).encode()),
        ("multipart/form-data", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
    ],
    ids=["too many fields", "no boundary", "no end", "no name"],
)
def test_a_form_that_cannot_be_read_is_refused_or_empty(client: TestClient, kind: str, body: bytes) -> None:
    answer = client.post("/keep", content=body, headers={"content-type": kind})
    assert answer.status_code in (303, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["error"]["what"] == "the form cannot be read"
    else:
        assert client.app.state.kept == [("", None, False, [])]  # type: ignore[attr-defined]
