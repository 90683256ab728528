"""OpenAI's chat interface where a language model writes: what is sent when, what is kept, what is paid for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from fakes import ScriptedCompletion
from live_server import running
from tutor.bootstrap import App
from tutor.errors import ModelTimeout
from tutor.models.port import Message
from tutor.settings import CorpusSettings, LlmSettings, Settings
from tutor.web.app import create_app
from tutor.web.routes import openai as route

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
ASKED: Any = [{"role": "user", "content": "How does Raft elect a leader?"}]
OPENING = "A follower without heartbeats within a random timeout raises its term and asks for votes. [1]\n\n"
SECOND = (
    "- The Raft leader appends client commands, sends them to followers and advances the commit index "
    "when a majority has stored an entry of the current term. [1]\n"
)
LIE = "- A node votes 17 times per term. [1]\n"
LIES = LIE + "- Redis is faster than Raft in 40 of 41 cases. [1]\n- Raft needs 12 leaders at once. [1]\n"


class Model:
    """Writes ``pieces``; at an event it waits until it is set."""

    name, context_tokens = "scripted/1", 8192

    def __init__(self) -> None:
        self.pieces: Sequence[str | Exception | threading.Event] = ()
        self.most: list[int] = []

    def stream(self, messages: Sequence[Message], *, max_tokens: int, **_: Any) -> ScriptedCompletion:
        self.most.append(max_tokens)
        pieces = self.pieces

        class Waiting(ScriptedCompletion):
            def __iter__(self) -> Iterator[str]:
                for piece in pieces:
                    if isinstance(piece, threading.Event):
                        piece.wait(20)
                    elif isinstance(piece, Exception):
                        raise piece
                    else:
                        self._given += 1
                        yield piece

        return Waiting([])

    def count_tokens(self, text: str) -> int:
        return len(text.split())


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[OpenAI]:
    home = tmp_path_factory.mktemp("openai-written")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False)), model=model)
    app.ingest([CARDS / "consensus.md"])
    with running(create_app(app)) as base, OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0) as made:
        yield made
    app.close()


def streamed(client: OpenAI) -> tuple[str, Any]:
    """The text, and what the last chunk says of it."""
    chunks = list(client.chat.completions.create(model="tutor", messages=ASKED, stream=True))
    return "".join(c.choices[0].delta.content or "" for c in chunks), chunks[-1].tutor  # type: ignore[attr-defined]


def test_sentences_are_sent_as_they_stand(client: OpenAI, model: Model) -> None:
    begin, go_on = threading.Event(), threading.Event()
    model.pieces = [begin, OPENING, SECOND, "- ", go_on, LIE[2:]]
    stream = iter(client.chat.completions.create(model="tutor", messages=ASKED, stream=True))
    assert next(stream).choices[0].delta.role == "assistant"  # the model has not written a word
    begin.set()
    early = ""
    while "commit index" not in early:
        early += next(stream).choices[0].delta.content or ""
    go_on.set()  # all that was sent before it stands
    rest = list(stream)
    text = early + "".join(c.choices[0].delta.content or "" for c in rest)
    about = rest[-1].tutor  # type: ignore[attr-defined]
    assert rest[-1].choices[0].finish_reason == "stop"
    assert (about["generation"]["fallback"], about["generation"]["trouble"]) == (None, None)
    assert (about["generation"]["supported"], about["generation"]["sentences"]) == (2, 3)
    assert "17 times" not in text
    assert text.count("\n- [") == len(about["citations"]) >= 1
    model.pieces = [OPENING, SECOND, LIE]
    whole = client.chat.completions.create(model="tutor", messages=ASKED)
    assert whole.choices[0].message.content == text
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (10, 3)  # as the model counted


@pytest.mark.parametrize(
    ("end", "said"), [((ModelTimeout("the reply was not done"),), "the reply was not done"), ((LIES,), "supported")]
)
def test_what_was_sent_stays_when_the_rest_fails(client: OpenAI, model: Model, end: Any, said: str) -> None:
    model.pieces = [OPENING, SECOND, *end]
    text, about = streamed(client)
    assert text.startswith(OPENING.strip()[:-4])
    assert said in about["generation"]["trouble"]
    assert about["generation"]["fallback"] is None
    assert "it ended early" in about["generation"]["line"]
    assert "17 times" not in text
    assert text.count("\n- [") == len(about["citations"])
    whole: Any = client.chat.completions.create(model="tutor", messages=ASKED)  # nothing was sent before: it is quoted
    assert said in whole.choices[0].message.tutor["generation"]["fallback"]


def test_the_quoted_answer_is_sent_where_nothing_written_stands(client: OpenAI, model: Model) -> None:
    model.pieces = [LIES]
    text, about = streamed(client)
    quoted = client.chat.completions.create(model="tutor-extractive", messages=ASKED).choices[0].message.content
    assert text == quoted
    assert about["generation"]["fallback"]


def test_a_silent_model_is_bridged(client: OpenAI, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "SILENCE_S", 0.05)
    go_on = threading.Event()
    model.pieces = [go_on, OPENING, SECOND]
    body = {"model": "tutor", "messages": ASKED, "stream": True}
    lines = []
    with client._client.stream("POST", f"{client.base_url}chat/completions", json=body) as response:
        for line in response.iter_lines():
            lines.append(line)
            if line.startswith(":"):
                go_on.set()
    assert '"role": "assistant"' in lines[0]
    assert ": still at it" in lines
    assert "data: [DONE]" in lines[-2:]


@pytest.mark.parametrize("stream", [False, True])
def test_a_short_reply_is_not_paid_in_full(client: OpenAI, model: Model, stream: bool) -> None:
    model.most.clear()
    model.pieces = [OPENING, SECOND]
    done: Any = client.chat.completions.create(model="tutor", messages=ASKED, max_tokens=1, stream=stream)
    last = list(done)[-1] if stream else done
    assert last.choices[0].finish_reason == "length"
    assert model.most == []
    model.pieces = [piece for word in (OPENING + SECOND).split(" ") for piece in (word, " ")] + [" "] * 40
    done = client.chat.completions.create(model="tutor", messages=ASKED, max_tokens=70, stream=stream)
    last = list(done)[-1] if stream else done
    assert model.most == [70]
    assert last.choices[0].finish_reason == "length"
