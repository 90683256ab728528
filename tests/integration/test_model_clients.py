"""The real clients against a server on loopback that replies well or badly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import model_server
from model_server import DROP, Reply, Server, serving
from tutor.errors import (
    Cancelled,
    ContextOverflow,
    GenerationError,
    ModelRefused,
    ModelTimeout,
    ModelUnreachable,
    TutorError,
)
from tutor.models.choose import backend
from tutor.models.port import Message, complete
from tutor.models.reading import TimedModel
from tutor.models.retry import RetryingModel
from tutor.settings import LlmSettings

pytestmark = pytest.mark.heavy

SECRET = "sk-test-0123456789abcdef"
SPEAK: dict[str, Callable[..., list[bytes]]] = {
    "ollama": model_server.ollama,
    "compatible": model_server.openai,
    "openai": model_server.openai,
    "anthropic": model_server.anthropic,
}
PROVIDERS = tuple(SPEAK)
ASKED = (Message("system", "Be brief."), Message("user", "What is a quorum?"))
PIECES = ("A quorum", " is", " a majority.")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def timed(provider: str, server: Server, *, first_s: float = 20.0, whole_s: float = 60.0, **more: Any) -> TimedModel:
    url = server.url + ("/v1" if provider in ("openai", "compatible") else "")
    llm = LlmSettings(
        provider=provider,  # type: ignore[arg-type]
        model="a-model-of-tomorrow",
        url=url,
        api_key=SECRET,  # type: ignore[arg-type]
        timeout_s=whole_s,
        **more,
    )
    made = backend(llm)
    made.prepare()  # imports take seconds, and are not what is timed here
    return TimedModel(made, first_token_s=first_s, timeout_s=whole_s, cost=lambda prompt, completion: None)


def steps(provider: str, pieces: Sequence[str] = PIECES, **more: Any) -> list[bytes]:
    return SPEAK[provider](pieces, **more)


def error_body(provider: str, message: str, kind: str = "invalid_request_error", code: str = "") -> bytes:
    import json

    if provider == "ollama":
        return json.dumps({"error": message}).encode()
    inner = {"message": message, "type": kind} | ({"code": code} if code else {})
    return json.dumps({"type": "error", "error": inner}).encode()


def failing(provider: str, status: int, message: str, **headers: str) -> Reply:
    return Reply([error_body(provider, message)], status, {"Content-Type": "application/json", **headers})


def said(error: BaseException) -> str:
    """All that a traceback would show."""
    import traceback

    return "".join(traceback.format_exception(error))


def test_a_reply_comes_piece_by_piece_and_is_counted(provider: str, server: Server) -> None:
    server.replies = [Reply(steps(provider))]
    reply = timed(provider, server).stream(ASKED, max_tokens=40, stop=["END"])
    assert list(reply) == list(PIECES)
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (11, 3, False)
    (request,) = server.requests
    assert request["model"] == "a-model-of-tomorrow"
    told = str(request)
    assert "Be brief." in told and "What is a quorum?" in told and "END" in told and "40" in told
    sent = server.headers[0]
    assert SECRET in (sent.get("authorization", "") + sent.get("x-api-key", ""))


def test_tokens_are_estimated_where_the_server_does_not_count(server: Server) -> None:
    for provider in ("ollama", "compatible"):
        server.replies = [Reply(steps(provider, counts=False))]
        reply = timed(provider, server).stream(ASKED, max_tokens=40)
        assert "".join(reply) == "".join(PIECES)
        assert reply.usage.estimated
        assert reply.usage.completion_tokens == 6  # 24 characters


def test_a_silent_server_is_given_up_in_time(provider: str, server: Server) -> None:
    server.replies = [Reply([60.0, *steps(provider)])]
    began = time.monotonic()
    with pytest.raises(ModelTimeout, match="no word within") as caught:
        complete(timed(provider, server, first_s=0.4), ASKED, max_tokens=40)
    assert time.monotonic() - began < 15
    assert "llm.first_token_s" in caught.value.fix
    assert server.gone.wait(15), "the request was not ended"


def test_headers_and_then_silence_is_silence(provider: str, server: Server) -> None:
    first = steps(provider, pieces=())[:1] if provider != "ollama" else [b"\n"]
    if provider == "ollama":
        first = [steps(provider, pieces=("",))[0]]
    server.replies = [Reply([*first, 60.0])]
    reply = timed(provider, server, first_s=0.4).stream(ASKED, max_tokens=40)
    with pytest.raises(ModelTimeout, match="no word within"):
        list(reply)
    assert server.gone.wait(15)
    assert reply.usage.prompt_tokens > 0, "the server had the prompt"


def test_a_reply_that_stalls_in_the_middle_ends_at_the_deadline(provider: str, server: Server) -> None:
    begun = steps(provider)
    server.replies = [Reply([*begun[:3], 60.0, *begun[3:]])]
    got: list[str] = []
    began = time.monotonic()
    with pytest.raises(ModelTimeout, match="not done within"):
        iter_into(timed(provider, server, whole_s=2).stream(ASKED, max_tokens=40), got)
    assert got[:1] == [PIECES[0]]
    assert time.monotonic() - began < 15
    assert server.gone.wait(15)


def iter_into(reply: Any, got: list[str]) -> None:
    """Reads into a list, which keeps what came before an error."""
    for piece in reply:
        got += [piece]


def test_a_reply_that_drips_ends_at_the_deadline(provider: str, server: Server) -> None:
    """A byte now and then resets every time-out of a client that counts from the last byte."""
    whole = b"".join(steps(provider, pieces=["word "] * 50))
    drip: list[Any] = []
    for at in range(len(whole)):
        drip += [whole[at : at + 1], 0.05]
    server.replies = [Reply(drip)]
    began = time.monotonic()
    with pytest.raises(ModelTimeout):
        complete(timed(provider, server, first_s=0.7, whole_s=1.0), ASKED, max_tokens=40)
    assert time.monotonic() - began < 15
    assert server.gone.wait(15)


def test_a_slow_reply_that_is_in_time_is_whole(provider: str, server: Server) -> None:
    slow: list[Any] = []
    for step in steps(provider):
        slow += [0.05, step]
    server.replies = [Reply(slow)]
    text, _ = complete(timed(provider, server, first_s=5, whole_s=10), ASKED, max_tokens=40)
    assert text == "".join(PIECES)


def test_a_broken_connection_is_no_end(provider: str, server: Server) -> None:
    server.replies = [Reply([*steps(provider, done=False), DROP])]
    got: list[str] = []
    with pytest.raises(ModelUnreachable, match="broke off") as caught:
        iter_into(timed(provider, server).stream(ASKED, max_tokens=40), got)
    assert "".join(got) == "".join(PIECES)
    assert caught.value.transient


def test_closing_ends_the_request_from_another_thread(provider: str, server: Server) -> None:
    begun = steps(provider)
    server.replies = [Reply([*begun[:3], 60.0, *begun[3:]])]
    reply = timed(provider, server).stream(ASKED, max_tokens=40)
    pieces = iter(reply)
    assert next(pieces) == PIECES[0]
    threading.Timer(0.2, reply.close).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        list(pieces)
    assert time.monotonic() - began < 15
    assert server.gone.wait(15), "the server never saw the client leave"
    reply.close()


def test_closing_before_the_first_byte_ends_the_request(provider: str, server: Server) -> None:
    server.replies = [Reply([60.0, *steps(provider)])]
    reply = timed(provider, server).stream(ASKED, max_tokens=40)
    while not server.requests:
        time.sleep(0.01)
    reply.close()
    assert server.gone.wait(15)
    with pytest.raises(Cancelled):
        list(reply)


@pytest.mark.parametrize(
    ("status", "message", "kind", "what"),
    [
        (401, f"Incorrect API key provided: {SECRET}", ModelRefused, "key was not accepted"),
        (403, "no", ModelRefused, "key was not accepted"),
        (404, "model not found", ModelRefused, "does not know the model"),
        (400, "temperature must be blue", ModelRefused, "temperature must be blue"),
        (400, "This model's maximum context length is 8192 tokens", ContextOverflow, "does not fit"),
        (400, "prompt is too long: 250000 tokens > 200000 maximum", ContextOverflow, "does not fit"),
        (400, "exceed_context_size_error", ContextOverflow, "does not fit"),
        (413, "too large", ContextOverflow, "does not fit"),
        (429, "insufficient_quota", ModelRefused, "account is spent"),
        (429, "slow down", ModelUnreachable, "is busy"),
        (500, "boom", ModelUnreachable, "failed"),
        (529, "overloaded", ModelUnreachable, "is busy"),
    ],
)
def test_statuses_are_told_apart(
    provider: str, server: Server, status: int, message: str, kind: type[GenerationError], what: str
) -> None:
    server.replies = [failing(provider, status, message)]
    reply = timed(provider, server).stream(ASKED, max_tokens=40)
    with pytest.raises(GenerationError, match=what) as caught:
        list(reply)
    assert type(caught.value) is kind
    assert (reply.usage.tokens, reply.usage.cost_usd) == (0, 0.0), "what was not accepted is not paid for"
    assert len(server.requests) == 1, "the library asked again by itself"
    assert SECRET not in said(caught.value)


@pytest.mark.parametrize("provider", ["compatible", "openai", "anthropic"])  # Ollama's client keeps no headers
def test_retry_after_is_told(provider: str, server: Server) -> None:
    server.replies = [failing(provider, 429, "slow down", **{"Retry-After": "7"})]
    with pytest.raises(ModelUnreachable) as caught:
        complete(timed(provider, server), ASKED, max_tokens=40)
    assert caught.value.retry_after_s == 7


def test_a_failure_and_then_a_reply(provider: str, server: Server) -> None:
    server.replies = [failing(provider, 500, "boom"), failing(provider, 503, "boom"), Reply(steps(provider))]
    waited: list[float] = []
    model = RetryingModel(timed(provider, server), retries=2, timeout_s=60, pause=waited.append, draw=lambda: 0.5)
    assert complete(model, ASKED, max_tokens=40)[0] == "".join(PIECES)
    assert waited == [0.25, 0.5]
    assert len(server.requests) == 3


@pytest.mark.parametrize("junk", [b"data: {not json}\n\n", b"{not json}\n", b"data: 5\n\n", b"[]\n", b"\xff\xfe\x00\n"])
def test_junk_is_an_error_and_no_reply(provider: str, server: Server, junk: bytes) -> None:
    server.replies = [Reply([junk * 3])]
    with pytest.raises(GenerationError) as caught:
        complete(timed(provider, server), ASKED, max_tokens=40)
    assert isinstance(caught.value, ModelUnreachable)


def test_a_page_is_no_reply(provider: str, server: Server) -> None:
    server.replies = [Reply([b"<html><body>Welcome</body></html>"], 200, {"Content-Type": "text/html; charset=utf-8"})]
    model = RetryingModel(timed(provider, server), retries=2, timeout_s=60, pause=lambda seconds: None)
    reply = model.stream(ASKED, max_tokens=40)
    with pytest.raises(ModelRefused, match="not a language model's interface") as caught:
        list(reply)
    assert "llm.url" in caught.value.fix
    assert len(server.requests) == 1
    assert reply.usage.tokens == 0


def test_an_empty_reply_is_no_broken_one(provider: str, server: Server) -> None:
    server.replies = [Reply([b"\n"], 200, {"Content-Type": "text/plain"})]
    with pytest.raises(ModelUnreachable, match="reply cannot be read") as caught:
        complete(timed(provider, server), ASKED, max_tokens=40)
    assert "llm.url" in caught.value.fix


def test_an_endless_reply_is_cut(provider: str, server: Server) -> None:
    server.replies = [Reply(steps(provider, pieces=["word " * 10] * 400, done=False))]
    with pytest.raises(GenerationError, match="does not end"):
        complete(timed(provider, server), ASKED, max_tokens=20)


def test_an_endless_line_is_not_kept(provider: str, server: Server) -> None:
    server.replies = [Reply([b"data: " if provider != "ollama" else b'{"message": "', *[b"x" * 1_000_000] * 40])]
    with pytest.raises(GenerationError, match="does not end"):
        complete(timed(provider, server), ASKED, max_tokens=20)


def test_an_error_in_the_middle_of_a_stream(provider: str, server: Server) -> None:
    begun = steps(provider, done=False)
    bad = {
        "ollama": b'{"error": "the model ran out of memory"}\n',
        "anthropic": b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", '
        b'"message": "busy"}}\n\n',
    }.get(provider, b'data: {"error": {"message": "the model ran out of memory", "code": 500}}\n\n')
    server.replies = [Reply([*begun, bad])]
    got: list[str] = []
    with pytest.raises(ModelUnreachable, match=r"memory|busy"):
        iter_into(timed(provider, server).stream(ASKED, max_tokens=40), got)
    assert "".join(got) == "".join(PIECES)


def test_nobody_there(provider: str) -> None:
    with serving() as other:
        gone = timed(provider, other)
    reply = gone.stream(ASKED, max_tokens=40)
    with pytest.raises(ModelUnreachable, match=r"no connection|request failed") as caught:
        list(reply)
    assert (reply.usage.tokens, reply.usage.cost_usd) == (0, 0.0)
    assert "Check that a server answers at" in caught.value.fix


def test_a_redirect_is_not_followed(provider: str, server: Server) -> None:
    server.replies = [Reply([b"moved"], 307, {"Location": f"{server.url}/elsewhere"})]
    with pytest.raises(GenerationError):
        complete(timed(provider, server), ASKED, max_tokens=40)
    assert len(server.requests) == 1


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    provider: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.replies = [Reply(steps(provider))]
    assert complete(timed(provider, server), ASKED, max_tokens=40)[0] == "".join(PIECES)


def test_the_key_is_in_no_log(
    provider: str, server: Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.replies = [Reply(steps(provider))]
    complete(timed(provider, server), ASKED, max_tokens=40)
    server.replies = [failing(provider, 401, f"Incorrect API key provided: {SECRET}")]
    with pytest.raises(ModelRefused):
        complete(timed(provider, server), ASKED, max_tokens=40)
    shown = capfd.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("tutor")]
    assert SECRET not in "".join(ours) + shown.out + shown.err


def test_another_servers_key_is_not_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would take OPENAI_API_KEY for whatever server it is told."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-alone")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    server.replies = [Reply(model_server.openai(PIECES))]
    llm = LlmSettings(provider="compatible", model="m", url=f"{server.url}/v1")
    model = TimedModel(backend(llm), first_token_s=20, timeout_s=60, cost=lambda prompt, completion: None)
    assert complete(model, ASKED, max_tokens=40)[0] == "".join(PIECES)
    assert "sk-for-openai-alone" not in str(server.headers)


def test_a_thought_is_a_sign_of_life_and_no_part_of_the_reply(server: Server) -> None:
    lines = [b'{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}\n', 0.8]
    server.replies = [Reply([*lines, *model_server.ollama(PIECES)])]
    assert complete(timed("ollama", server, first_s=0.5), ASKED, max_tokens=40)[0] == "".join(PIECES)


def test_two_replies_at_once(provider: str, server: Server) -> None:
    server.replies = [Reply([0.2, *steps(provider)])]
    model = timed(provider, server)
    replies = [model.stream(ASKED, max_tokens=40) for _ in range(4)]
    replies[0].close()
    assert ["".join(reply) for reply in replies[1:]] == ["".join(PIECES)] * 3
    with pytest.raises(TutorError):
        list(replies[0])
