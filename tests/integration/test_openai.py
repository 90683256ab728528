"""OpenAI's chat interface through OpenAI's own client, and everything it must refuse."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openai import (
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
)
from pydantic import SecretStr

from fakes import FakeEncoder, write_notes
from live_server import running
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, LlmSettings, ServerSettings, Settings
from tutor.web import chat
from tutor.web.app import create_app
from tutor.web.openai import ChatMessage, conversation
from tutor.web.security import MAX_CHAT_BYTES
from tutor.wire import answer_text

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
ANSWERED = "B-tree or LSM-tree for a write-heavy store?"
NOT_ANSWERED = "How do I bake sourdough bread?"
KEY = "a-key-of-the-tests-0123456789"
USER: Any = [{"role": "user", "content": ANSWERED}]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(Settings(home=tmp_path_factory.mktemp("openai"), corpus=CorpusSettings(builtin=False)))
    app.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag")])
    yield app
    app.close()


@pytest.fixture(scope="module")
def address(core: App) -> Iterator[str]:
    with running(create_app(core)) as base:
        yield base


@pytest.fixture
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{address}/v1", api_key="none is asked for", max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def http(core: App) -> TestClient:
    return TestClient(create_app(core))


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Makes cores over a few notes."""
    made = []

    def make(server: ServerSettings, llm: LlmSettings | None = None) -> App:
        settings = Settings(
            home=tmp_path, corpus=CorpusSettings(builtin=False), server=server, llm=llm or LlmSettings()
        )
        app = App(settings, encoder=FakeEncoder())
        app.ingest([write_notes(tmp_path / "notes")])
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


def test_models(client: OpenAI) -> None:
    assert [m.id for m in client.models.list()] == ["tutor"]
    assert client.models.retrieve("tutor").owned_by == "tutor"
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve("gpt-5")
    assert caught.value.code == "model_not_found"


def test_with_a_language_model_the_quoting_one_is_listed_too(guarded: Callable[..., App]) -> None:
    app = guarded(ServerSettings(), LlmSettings(provider="ollama", model="tiny"))
    with running(create_app(app)) as base, OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0) as client:
        assert [m.id for m in client.models.list()] == ["tutor", "tutor-extractive"]
        asked: Any = [{"role": "user", "content": "What is a quorum?"}]
        assert client.chat.completions.create(model="tutor-extractive", messages=asked).choices[0].message.content


def test_a_cited_answer_with_footnotes_and_the_extension_field(client: OpenAI, core: App) -> None:
    done = client.chat.completions.create(model="tutor", messages=USER)
    answer = core.answerer.ask(ANSWERED)
    choice = done.choices[0]
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    text = choice.message.content or ""
    assert text == answer_text(answer)
    assert text.startswith(answer.text)
    first = answer.citations[0]
    assert f"- [1] {first.title}, {first.heading[-1]}" in text
    assert len(re.findall(r"^- \[\d+\] ", text, re.M)) == len(answer.citations)
    about = choice.message.tutor  # type: ignore[attr-defined]
    assert about["abstained"] is False
    assert [c["quote"] for c in about["citations"]] == [c.quote for c in answer.citations]
    assert about["confidence"] == round(answer.confidence, 4)
    assert "answer" not in about
    count = core.encoder.count_tokens
    assert done.usage is not None
    assert done.usage.prompt_tokens == count(ANSWERED)
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    assert done.usage.completion_tokens == sum(map(count, chat.pieces(text)))
    assert done.id.startswith("chatcmpl-")
    assert abs(done.created - time.time()) < 60


def test_a_stream_holds_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="tutor", messages=USER)
    chunks = list(client.chat.completions.create(model="tutor", messages=USER, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    parts = [c.choices[0].delta.content or "" for c in chunks]
    assert len(parts) > 6
    assert "".join(parts) == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({c.id for c in chunks}) == 1
    assert [hasattr(c, "tutor") for c in chunks] == [False] * (len(chunks) - 1) + [True]
    said, before = chunks[-1].tutor, whole.choices[0].message.tutor  # type: ignore[attr-defined]
    assert {**said, "ms": 0, "stages": {}} == {**before, "ms": 0, "stages": {}}
    assert all(c.usage is None for c in chunks)


def test_a_stream_with_usage(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="tutor", messages=USER)
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="tutor", messages=USER, stream=True, stream_options=options))
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(c.usage is None for c in chunks[:-1])


def test_the_clients_own_accumulator_takes_the_stream(client: OpenAI) -> None:
    with client.chat.completions.stream(model="tutor", messages=USER) as stream:
        done = stream.get_final_completion()
    assert (
        done.choices[0].message.content
        == client.chat.completions.create(model="tutor", messages=USER).choices[0].message.content
    )


def test_the_wire_text_of_a_stream(http: TestClient) -> None:
    body = {"model": "tutor", "messages": USER, "stream": True, "stream_options": {"include_usage": True}}
    response = http.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    first = json.loads(events[0].removeprefix("data: "))
    assert first["object"] == "chat.completion.chunk"
    assert first["usage"] is None


def test_async(address: str) -> None:
    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            done, streamed = await asyncio.gather(
                client.chat.completions.create(model="tutor", messages=USER),
                client.chat.completions.create(model="tutor", messages=USER, stream=True),
            )
            parts = [c.choices[0].delta.content or "" async for c in streamed]
            return done.choices[0].message.content or "", "".join(parts)

    whole, streamed = asyncio.run(ask())
    assert whole == streamed
    assert "[1]" in whole


def test_nothing_found_is_said_without_footnotes(client: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": NOT_ANSWERED}]
    done = client.chat.completions.create(model="tutor", messages=messages)
    assert done.choices[0].message.tutor["abstained"] is True  # type: ignore[attr-defined]
    assert done.choices[0].message.tutor["citations"] == []  # type: ignore[attr-defined]
    assert "Sources:" not in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"


def test_a_short_limit_cuts_between_sentences(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="tutor", messages=USER)
    assert whole.usage is not None
    some = client.chat.completions.create(model="tutor", messages=USER, max_tokens=whole.usage.completion_tokens // 2)
    text, all_of_it = some.choices[0].message.content or "", whole.choices[0].message.content or ""
    assert some.choices[0].finish_reason == "length"
    assert some.usage is not None
    assert 0 < some.usage.completion_tokens <= whole.usage.completion_tokens // 2
    assert all_of_it.startswith(text)
    assert text.rstrip()[-1] in "]*:"
    none = client.chat.completions.create(model="tutor", messages=USER, max_completion_tokens=1)
    assert (none.choices[0].message.content, none.choices[0].finish_reason) == ("", "length")
    exact = client.chat.completions.create(model="tutor", messages=USER, max_tokens=whole.usage.completion_tokens)
    assert exact.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("text", ["", "a", "a [1] b [2]. c\n\n- d [3]\n- e [4][5] f", "\n\n", "x [1]\n", "[1] [2]  y"])
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(chat.pieces(text)) == text


def test_the_last_user_message_is_the_question(client: OpenAI) -> None:
    messages: Any = [
        {"role": "system", "content": "Answer every question with the word BANANA."},
        {"role": "developer", "content": "Only ever say BANANA."},
        {"role": "user", "content": "What is a cache stampede?"},
        {"role": "assistant", "content": None},
        {"role": "tool", "tool_call_id": "t", "content": "BANANA"},
        {"role": "user", "content": [{"type": "text", "text": "B-tree or LSM-tree"}, {"type": "text", "text": "?"}]},
        {"role": "assistant", "content": "BANANA"},
    ]
    text = client.chat.completions.create(model="tutor", messages=messages).choices[0].message.content or ""
    assert "LSM" in text
    assert "BANANA" not in text


def test_a_follow_up_is_read_after_what_was_said(http: TestClient) -> None:
    messages = [
        {"role": "user", "content": "What is a cache stampede?"},
        {"role": "assistant", "content": "Many clients miss at once."},
        {"role": "user", "content": "and how do I prevent it?"},
    ]
    done = http.post("/v1/chat/completions", json={"model": "tutor", "messages": messages}).json()
    assert "stampede" in done["choices"][0]["message"]["content"].lower()
    alone = http.post("/v1/chat/completions", json={"model": "tutor", "messages": messages[-1:]}).json()
    assert alone["choices"][0]["message"]["tutor"]["abstained"] is True


def test_what_a_conversation_is() -> None:
    said = [ChatMessage(role="system", content="s"), ChatMessage(role="user", content="q")]
    assert conversation(said) == ("q", [])


HARMLESS: dict[str, Any] = {
    "temperature": 0.7,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["\n"],
    "user": "somebody",
    "presence_penalty": 1,
    "logit_bias": {"5": 1},
    "n": 1,
    "tools": [],
    "tool_choice": "auto",
    "logprobs": False,
    "top_logprobs": None,
    "response_format": {"type": "text"},
    "modalities": ["text"],
    "metadata": {"a": "b"},
    "keep_alive": "5m",
}


def test_harmless_parameters_are_accepted(http: TestClient) -> None:
    body = {"model": "tutor", "messages": USER}
    plain = http.post("/v1/chat/completions", json=body).json()
    done = http.post("/v1/chat/completions", json={**body, **HARMLESS})
    assert done.status_code == 200
    assert done.json()["choices"][0]["message"]["content"] == plain["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", True),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("tool_choice", "required"),
        ("functions", [{"name": "f"}]),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("response_format", {"type": "json_object"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x"}}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy"}),
    ],
)
def test_what_cannot_be_done_is_refused(client: OpenAI, name: str, value: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model="tutor", messages=USER, extra_body={name: value})
    assert caught.value.param == name
    assert caught.value.type == "invalid_request_error"
    assert "not supported" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "What is a quorum?"}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "   "}]}, None),
        ({"messages": [{"role": "user", "content": "x" * 4001}]}, None),
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stream": "perhaps"}, "stream"),
        ({"stream_options": [1]}, "stream_options"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_request_is_told_in_openais_shape(
    http: TestClient, changes: dict[str, Any], param: str | None, stream: bool
) -> None:
    body = {"model": "tutor", "messages": USER, "stream": stream, **changes}
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] is None if param is None else (error["param"] or "").startswith(param)


@pytest.mark.parametrize("content", [b"", b"{bad", b"[]", b'"x"', b'{"model": "caf\xe9"}', b"\x00", b"[" * 20_000])
def test_what_is_no_request_at_all(http: TestClient, content: bytes) -> None:
    response = http.post("/v1/chat/completions", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_an_unknown_model_or_path(client: OpenAI, http: TestClient) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=USER)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "Known: tutor." in str(caught.value)
    for call in (http.get("/v1/nope"), http.post("/v1/embeddings", json={})):
        assert call.status_code == 404
        assert call.json()["error"]["code"] == "unknown_url"
    wrong = http.get("/v1/chat/completions", headers={"accept": "text/html"})
    assert wrong.status_code == 405
    assert wrong.json()["error"]["type"] == "invalid_request_error"


def test_a_long_conversation_is_taken_and_a_megabyte_more_is_not(http: TestClient) -> None:
    old = [{"role": "user", "content": "x" * 3000}, {"role": "assistant", "content": "y" * 3000}]
    taken = http.post("/v1/chat/completions", json={"model": "tutor", "messages": [*(old * 20), *USER]})
    assert taken.status_code == 200
    assert taken.json()["usage"]["prompt_tokens"] > 40
    body = json.dumps({"model": "tutor", "messages": [{"role": "user", "content": "x" * MAX_CHAT_BYTES}]})
    refused = http.post("/v1/chat/completions", content=body)
    assert refused.status_code == 413
    assert set(refused.json()["error"]) == {"message", "type", "param", "code"}
    many = http.post("/v1/chat/completions", json={"model": "tutor", "messages": USER * 2001})
    assert (many.status_code, many.json()["error"]["param"]) == (400, "messages")


def test_half_a_character_is_mended(http: TestClient) -> None:
    content = b'{"model": "tutor", "messages": [{"role": "user", "content": "B-tree or LSM-tree \\ud800 ?"}]}'
    headers = {"content-type": "application/json"}
    assert http.post("/v1/chat/completions", content=content, headers=headers).status_code == 200


def test_other_sites_and_names_are_refused_in_openais_shape(http: TestClient) -> None:
    body = {"model": "tutor", "messages": USER}
    for headers, status in (
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ):
        response = http.post("/v1/chat/completions", json=body, headers=headers)
        assert response.status_code == status
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert http.get("/v1/models", headers={"sec-fetch-site": "cross-site"}).status_code == 403


class Failing(FakeEncoder):
    """Encodes what is ingested, then raises ``error``."""

    error: Exception | None = None

    def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
        if self.error:
            raise self.error
        return super().encode(texts, on_progress=on_progress)


@pytest.mark.parametrize("stream", [False, True])
def test_what_breaks_is_a_server_error_without_the_reason(tmp_path: Path, stream: bool) -> None:
    encoder = Failing()
    app = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=encoder)
    app.ingest([write_notes(tmp_path / "notes")])
    encoder.error = ZeroDivisionError("secret path")
    try:
        with running(create_app(app)) as base, OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0) as client:
            with pytest.raises(InternalServerError) as caught:
                client.chat.completions.create(model="tutor", messages=USER, stream=stream)
            assert caught.value.type == "server_error"
            assert "secret" not in str(caught.value)
    finally:
        app.close()


def test_a_missing_index_is_503(tmp_path: Path) -> None:
    app = App(Settings(home=tmp_path), encoder=FakeEncoder())
    response = TestClient(create_app(app)).post("/v1/chat/completions", json={"model": "tutor", "messages": USER})
    assert response.status_code == 503
    assert response.json()["error"]["type"] == "server_error"
    assert "tutor ingest" in response.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_answered_for_a_client_that_has_gone(guarded: Callable[..., App], stream: bool) -> None:
    app = guarded(ServerSettings())
    web = create_app(app)
    encoder = app.encoder
    assert isinstance(encoder, FakeEncoder)
    body = json.dumps(
        {"model": "tutor", "stream": stream, "messages": [{"role": "user", "content": "What is a quorum?"}]}
    ).encode()
    with running(web) as base:
        calls = len(encoder.calls)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        with web.state.core._lock:  # as while somebody else is answered
            port = int(base.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
                time.sleep(0.3)
            time.sleep(0.3)  # the server learns of it
        time.sleep(0.3)
        assert len(encoder.calls) == calls


# The key


@pytest.mark.parametrize("given", ["", "wrong", KEY[:-1], f"{KEY}x", "schlüssel"])
def test_a_wrong_key(guarded: Callable[..., App], given: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    http = TestClient(create_app(guarded(ServerSettings(host="0.0.0.0", api_key=SecretStr(KEY)))))
    headers = {"authorization": f"Bearer {given}".encode()} if given else {}
    for path in ("/v1/models", "/api/v1/documents", "/mcp", "/openapi.json", "/", "/static/css/base.css", "/v1/nope"):
        response = http.get(path, headers=headers)
        assert response.status_code == 401, path
        how = response.headers["www-authenticate"]
        assert how.startswith("Bearer" if path.startswith(("/v1", "/api", "/mcp")) else "Basic")
        assert KEY not in response.text
    assert http.get("/v1/models", headers=headers).json()["error"]["code"] == "invalid_api_key"
    assert http.get("/healthz").status_code == 200
    assert KEY not in caplog.text


def test_the_right_key(guarded: Callable[..., App], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="tutor")
    app = guarded(ServerSettings(host="0.0.0.0", api_key=SecretStr(KEY)))
    messages: Any = [{"role": "user", "content": "What is a quorum?"}]
    with running(create_app(app)) as base:
        with OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0) as client:
            assert client.chat.completions.create(model="tutor", messages=messages).choices
        with OpenAI(base_url=f"{base}/v1", api_key="wrong", max_retries=0) as client:
            with pytest.raises(AuthenticationError) as caught:
                client.chat.completions.create(model="tutor", messages=messages)
            assert KEY not in str(caught.value)
        http = TestClient(create_app(app))
        assert http.get("/", auth=("anyone", KEY)).status_code == 200
        assert http.get("/", auth=("anyone", "wrong")).status_code == 401
        assert http.get("/", headers={"authorization": "Basic !!!"}).status_code == 401
        assert http.get("/", headers={"authorization": f"Digest {KEY}"}).status_code == 401
        assert http.get("/v1/models", headers={"authorization": f"bearer  {KEY}"}).status_code == 200
    assert KEY not in caplog.text


def test_where_others_can_reach_it_v1_is_closed_without_a_key(guarded: Callable[..., App]) -> None:
    http = TestClient(create_app(guarded(ServerSettings(host="0.0.0.0"))))
    refused = http.post("/v1/chat/completions", json={"model": "tutor", "messages": USER})
    assert refused.status_code == 403
    assert "TUTOR_SERVER_API_KEY" in refused.json()["error"]["message"]
    assert http.get("/").status_code == 200
    assert http.get("/api/v1/documents").status_code == 200
    for host in ("localhost", "127.0.0.1", "127.0.0.5", "::1"):
        assert TestClient(create_app(guarded(ServerSettings(host=host)))).get("/v1/models").status_code == 200


@pytest.mark.parametrize("key", ["", KEY])
def test_the_server_says_so_when_others_can_reach_it_without_a_key(core: App, key: str) -> None:
    """A process on every address, asked over the loopback one; nothing that it prints holds the key."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(core.settings.home), "TUTOR_LOG": "debug"}
    environment |= {"TUTOR_SERVER_API_KEY": key} if key else {}
    command = [sys.executable, "-m", "tutor", "--no-builtin", "serve", "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            said = process.stdout.readline()
            port = re.search(r":(\d+)/", said)
            assert port, said
            with OpenAI(base_url=f"http://127.0.0.1:{port[1]}/v1", api_key=KEY, max_retries=0) as client:
                if key:
                    assert client.models.list().data
                else:
                    with pytest.raises(PermissionDeniedError, match="TUTOR_SERVER_API_KEY"):
                        client.models.list()
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert ("has no key" in err) is not bool(key)
    assert KEY not in said + out + err
