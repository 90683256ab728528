"""Written answers on the page, over the API and in the terminal, with a scripted model."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fakes import ScriptedCompletion, ScriptedModel
from tutor.bootstrap import App
from tutor.cli.paint import print_answer
from tutor.cli.writing import answerer_of
from tutor.errors import ModelTimeout, UsageError
from tutor.models.port import Message
from tutor.settings import CorpusSettings, LlmSettings, ServerSettings, Settings
from tutor.web.app import create_app
from tutor.web.views import _templates

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
QUESTION = "How does Raft elect a leader?"
NOT_ANSWERED = "How do I bake sourdough bread?"
LIE = "A node votes 17 times per term."
TRUE = (
    "A follower without heartbeats within a random timeout raises its term and asks for votes.",
    (
        "The Raft leader appends client commands, sends them to followers and advances the commit index "
        "when a majority has stored an entry of the current term."
    ),
)
REPLY = f"{TRUE[0]} [1]\n\n- {TRUE[1]} [1]\n- {LIE} [1] <img src=x> [a](https://evil.test)\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("written")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([CARDS / "consensus.md", CARDS / "caching.md"])
    app.close()
    return home


class Script:
    """What the model writes next."""

    pieces: Sequence[str | Exception] = ()

    def __call__(self, messages: Sequence[Message]) -> Sequence[str | Exception]:
        return self.pieces


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


def chosen(home: Path) -> Settings:
    """Without kept replies: the same question is asked of different scripts."""
    return Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False))


@pytest.fixture(scope="module")
def app(home: Path, script: Script) -> Iterator[App]:
    app = App(
        Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False)),
        model=ScriptedModel(script),
    )
    yield app
    app.close()


@pytest.fixture(scope="module")
def client(app: App) -> TestClient:
    return TestClient(create_app(app))


def events(client: TestClient, question: str) -> list[tuple[str, Any]]:
    body = client.get("/api/v1/ask/stream", params={"q": question}).text
    blocks = [block.split("\n") for block in body.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_the_quoted_answer_comes_first_then_the_draft_then_what_stands(client: TestClient, script: Script) -> None:
    script.pieces = [REPLY[at : at + 10] for at in range(0, len(REPLY), 10)]
    found = events(client, QUESTION)
    names = [name for name, _ in found]
    assert names[:2] == ["status", "verdict"]
    assert names.index("sources") < names.index("writing") < names.index("draft") < names.index("generated")
    assert names[-2:] == ["generated", "done"]
    assert (names.count("sentence"), names.count("dropped")) == (2, 1)
    told = dict(found)
    assert told["writing"]["model"] == "scripted/1"
    quoted = client.post("/api/v1/ask", json={"question": QUESTION, "written": False}).json()
    for one in (quoted, told["writing"]["quoted"]):
        del one["ms"], one["stages"]
    assert told["writing"]["quoted"] == quoted  # what stands if the reader stops it
    assert "".join(data["text"] for name, data in found if name == "draft") == REPLY
    assert told["dropped"]["text"].startswith(LIE)
    assert told["dropped"]["why"]
    for html in (told["generated"]["html"], told["sentence"]["html"]):
        assert "evil" not in html
        assert "<img" not in html
        assert "data-cite" in html
    assert LIE not in told["generated"]["html"]
    assert "Written by scripted/1; 2 of 3 sentences supported; 1 dropped; 43 tokens." in told["generated"]["html"]
    done = told["done"]
    assert done["generation"]["took"] == "43 tokens"
    assert done["generation"]["supported"] == 2
    assert done["generation"]["fallback"] is None
    assert {c["n"] for c in done["citations"]} == {1, 2}


def test_a_failing_model_leaves_the_quoted_answer_and_says_why(client: TestClient, script: Script) -> None:
    script.pieces = ["A follower", ModelTimeout("no piece came within 20 s")]
    told = dict(events(client, QUESTION))
    assert "generated" not in told
    assert "no piece came within 20 s" in told["kept"]["line"]
    assert told["done"]["generation"]["fallback"] == "no piece came within 20 s"
    assert told["done"]["citations"]


def test_nothing_is_written_where_nothing_was_found(client: TestClient, script: Script) -> None:
    script.pieces = ["Mix flour and water."]
    assert [name for name, _ in events(client, NOT_ANSWERED)] == ["status", "abstain", "done"]


def test_the_api_writes_unless_told_not_to(client: TestClient, script: Script) -> None:
    script.pieces = [REPLY]
    written = client.post("/api/v1/ask", json={"question": QUESTION}).json()
    assert written["generation"]["model"] == "scripted/1"
    assert LIE not in written["answer"]
    assert written["answer"].startswith(TRUE[0])
    quoted = client.post("/api/v1/ask", json={"question": QUESTION, "written": False}).json()
    assert quoted["generation"] is None
    assert quoted["answer"] != written["answer"]


@pytest.mark.parametrize(("host", "key", "asked"), [("0.0.0.0", "", 0), ("0.0.0.0", "k" * 20, 1), ("127.0.0.1", "", 1)])
def test_a_server_that_anybody_can_use_asks_no_model(home: Path, host: str, key: str, asked: int) -> None:
    model = ScriptedModel(lambda messages: [REPLY])
    server = ServerSettings(host=host, api_key=SecretStr(key))
    core = App(chosen(home).model_copy(update={"server": server}), model=model)
    client = TestClient(create_app(core), headers={"Authorization": f"Bearer {key}"} if key else {})
    done = client.post("/api/v1/ask", json={"question": QUESTION}).json()
    assert len(model.asked) == asked
    assert done["citations"]
    if not asked:
        assert "has no key" in done["generation"]["fallback"]
        assert "not written by scripted/1" in done["generation"]["line"]
        before = [{"question": "How does Raft replicate its log?", "answer": "The leader sends entries."}]
        client.post("/api/v1/ask", json={"question": "and why?", "history": before})
        told = dict(events(client, QUESTION))
        assert "has no key" in told["kept"]["line"]
        assert "writing" not in told
        assert told["done"]["generation"]["fallback"]
        assert client.post("/api/v1/drills", json={"card": "consensus"}).status_code == 201
        assert client.post("/api/v1/ask", json={"question": NOT_ANSWERED}).json()["generation"] is None
        assert model.asked == []
    core.close()


def test_others_are_answered_while_the_model_writes(home: Path) -> None:
    writing, go_on = threading.Event(), threading.Event()

    class Waiting(ScriptedCompletion):
        def __iter__(self) -> Iterator[str]:
            yield "A follower "
            writing.set()
            assert go_on.wait(20)
            yield "waits."

    class Model(ScriptedModel):
        def stream(self, messages: Sequence[Message], **_: Any) -> Waiting:
            return Waiting([])

    app = App(
        Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False)),
        model=Model(lambda m: []),
    )
    web = create_app(app)
    slow = threading.Thread(target=lambda: TestClient(web).post("/api/v1/ask", json={"question": QUESTION}))
    slow.start()
    assert writing.wait(20)
    other = TestClient(web).post("/api/v1/ask", json={"question": QUESTION, "written": False})
    assert other.status_code == 200
    assert slow.is_alive()
    go_on.set()
    slow.join(20)
    app.close()


def test_the_page_without_scripts_shows_the_quoted_answer(client: TestClient, script: Script) -> None:
    script.pieces = [LIE]
    page = client.get("/", params={"q": QUESTION}).text
    assert "data-draft-template" in page
    assert LIE not in page
    assert 'aria-live="polite"' in page


def test_the_terminal_tells_who_wrote(app: App, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    script.pieces = [REPLY]
    print_answer(answerer_of(app, None).ask(QUESTION), sys.stdout)
    out = " ".join(capsys.readouterr().out.split())
    assert "(written by scripted/1; 2 of 3 sentences supported; 1 dropped; 11 tokens)" in out
    assert "raises its term and asks for votes. [1]" in out
    assert LIE not in out
    assert answerer_of(app, False) is app.answerer


def test_the_details_of_the_page_tell_what_it_took(app: App, script: Script) -> None:
    script.pieces = [REPLY]
    written = answerer_of(app, None).ask(QUESTION)
    shown = _templates.env.get_template("ask/_timings.html")
    assert "<dt>language model</dt><dd>11 tokens</dd>" in shown.render(answer=written)
    assert "language model" not in shown.render(answer=app.answerer.ask(QUESTION))


def test_a_model_that_is_not_set_cannot_be_asked_for(home: Path) -> None:
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    assert answerer_of(app, None) is app.answerer
    with pytest.raises(UsageError, match="no language model"):
        answerer_of(app, True)
    app.close()


def test_comments_keep_a_silent_stream_open(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()

    class Slow(ScriptedCompletion):
        def __iter__(self) -> Iterator[str]:
            silent.wait(0.3)
            yield from super().__iter__()

    class Model(ScriptedModel):
        def stream(self, messages: Sequence[Message], **_: Any) -> Slow:
            return Slow([REPLY])

    monkeypatch.setattr("tutor.web.routes.api.SILENCE_S", 0.05)
    app = App(chosen(home), model=Model(lambda m: []))
    body = TestClient(create_app(app)).post("/api/v1/ask/stream", json={"question": QUESTION}).text
    blocks = body.strip().split("\n\n")
    comments = [at for at, block in enumerate(blocks) if block == ": keep-alive"]
    writing = next(at for at, block in enumerate(blocks) if block.startswith("event: writing"))
    assert len([at for at in comments if at > writing]) >= 3
    assert blocks[-1].startswith("event: done")
    app.close()
