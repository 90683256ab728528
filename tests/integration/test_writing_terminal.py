"""``tutor ask`` and ``tutor chat`` while a language model writes: what is on the screen, when, and after Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import model_server
from fakes import ScriptedCompletion, ScriptedModel
from tutor.answering.answer import Answer
from tutor.answering.talk import Talk
from tutor.bootstrap import App
from tutor.cli.chat import _interactive, _lines
from tutor.cli.writing import WritingStopped, answerer_of, tell
from tutor.errors import ModelTimeout, UsageError
from tutor.models.port import Message
from tutor.settings import CorpusSettings, LlmSettings, Settings

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
QUESTION = "How does Raft elect a leader?"
LIE = "A node votes 17 times per term."
TRUE = (
    "A follower without heartbeats within a random timeout raises its term and asks for votes.",
    (
        "The Raft leader appends client commands, sends them to followers and advances the commit index "
        "when a majority has stored an entry of the current term."
    ),
)
REPLY = f"{TRUE[0]} [1]\n\n- {TRUE[1]} [1]\n- {LIE} [1]\n"
WRITING = "scripted/1 is writing…"


class Terminal(io.StringIO):
    """What a terminal has been sent."""

    def isatty(self) -> bool:
        return True


class Model(ScriptedModel):
    """Calls ``look`` before its first piece, as a reader looks at the screen while it writes."""

    look: Callable[[], object] = staticmethod(lambda: None)
    pieces: Sequence[str | Exception] = (REPLY,)

    def __init__(self) -> None:
        super().__init__(lambda messages: self.pieces)
        self.last: ScriptedCompletion | None = None

    def stream(self, messages: Sequence[Message], **options: Any) -> ScriptedCompletion:
        self.look()
        self.last = super().stream(messages, **options)
        return self.last


class Interrupted(ScriptedCompletion):
    """Ctrl-C comes in the middle."""

    def __iter__(self) -> Iterator[str]:
        yield "A follower "
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("terminal")
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([CARDS / "consensus.md", CARDS / "caching.md"])
    app.close()
    return home


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def app(home: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("COLUMNS", "80")
    app = App(
        Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False)),
        model=model,
    )
    yield app
    app.close()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


def opening(answer: Answer) -> str:
    """How an answer begins, as it is printed."""
    return " ".join(answer.composed.verdict[0].text.replace("**", "").split())[:40]


def test_the_quoted_answer_is_there_before_the_model_writes(app: App, model: Model) -> None:
    screen = Terminal()
    seen: list[str] = []
    model.look = lambda: seen.append(screen.getvalue())
    answer = tell(answerer_of(app, None), QUESTION, None, screen)
    quoted = app.answerer.ask(QUESTION)
    before, after = plain(seen[0]), plain(screen.getvalue().removeprefix(seen[0]))
    assert opening(quoted) in " ".join(before.split())
    assert "[1] " in before  # its sources too
    assert before.splitlines()[-1].startswith(WRITING)
    assert WRITING not in after and TRUE[0][:60] in after and LIE not in after
    assert answer.generation
    tokens = answer.generation.usage.tokens
    assert f"(written by scripted/1; 2 of 3 sentences supported; 1 dropped; {tokens} tokens)" in " ".join(after.split())
    assert not answer.generation.fallback
    assert all(len(line) <= 80 for line in plain(screen.getvalue()).splitlines())
    assert set(re.findall(r"\x1b\[[^m]*[A-Za-z]", screen.getvalue())) <= {"\x1b[0m", "\x1b[1m", "\x1b[2m"}
    assert "\r" not in screen.getvalue()  # nothing is taken back


def test_a_model_that_fails_is_told_below_the_quoted_answer(app: App, model: Model) -> None:
    model.pieces = ["A follower", ModelTimeout("no piece came within 20 s")]
    screen = Terminal()
    answer = tell(answerer_of(app, None), QUESTION, None, screen)
    shown = plain(screen.getvalue())
    after = " ".join(shown.split(WRITING)[1].split())
    assert after.endswith(
        "(not written by scripted/1: no piece came within 20 s; the sentences above are quoted from the library; "
        "11 tokens)"
    )
    assert shown.count("[1] ") == 1  # the quoted answer is not printed again
    assert answer.generation and answer.generation.fallback


def test_elsewhere_than_on_a_terminal_only_what_stands_is_printed(app: App) -> None:
    out = io.StringIO()
    tell(answerer_of(app, None), QUESTION, None, out)
    assert out.getvalue().startswith(TRUE[0][:60])
    assert WRITING not in out.getvalue() and "\x1b" not in out.getvalue()


def test_nothing_is_written_where_nothing_was_found(app: App, model: Model) -> None:
    screen = Terminal()
    assert tell(answerer_of(app, None), "How do I bake sourdough bread?", None, screen).abstained
    assert WRITING not in screen.getvalue() and not model.asked


def test_ctrl_c_keeps_the_quoted_answer_and_ends_the_request(app: App, model: Model) -> None:
    screen = Terminal()
    reply = Interrupted([])
    model.stream = lambda messages, **_: reply  # type: ignore[method-assign]
    with pytest.raises(WritingStopped) as stopped:
        tell(answerer_of(app, None), QUESTION, None, screen)
    assert reply.closed
    assert stopped.value.answer.citations and stopped.value.answer.generation is None
    shown = " ".join(plain(screen.getvalue()).split())
    assert shown.endswith("(stopped while scripted/1 was writing; the quoted answer above stands)")
    assert shown.index("[1] ") < shown.index(WRITING)


# -- tutor chat


def chat(app: App, monkeypatch: pytest.MonkeyPatch, lines: str, model: bool | None = None) -> str:
    """The screen after a chat that is typed."""
    screen, keys = Terminal(), Terminal(lines)
    monkeypatch.setattr(sys, "stdin", keys)
    monkeypatch.setattr(sys, "stdout", screen)
    talk = Talk(app.answerer) if model is False else app.talk
    _interactive(talk, answerer_of(app, model), {})
    return plain(screen.getvalue())


def test_a_chat_lets_the_model_write(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = chat(app, monkeypatch, f"{QUESTION}\n/memory\n/quit\n")
    assert shown.index("[1] ") < shown.index(WRITING) < shown.index("(written by scripted/1")
    memory = " ".join(shown.split("(written by scripted/1")[1].split())
    assert TRUE[0] in memory  # what was said is what stands
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_chat_without_the_model_never_asks_it(app: App, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = chat(app, monkeypatch, f"{QUESTION}\nand when not?\n/quit\n", model=False)
    assert "(read as: " in shown and WRITING not in shown
    assert model.asked == []


def test_ctrl_c_in_a_chat_stops_the_writing_and_not_the_chat(
    app: App, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.stream = lambda messages, **_: Interrupted([])  # type: ignore[method-assign]
    shown = chat(app, monkeypatch, f"{QUESTION}\n/memory\n/quit\n")
    told = "(stopped while scripted/1 was writing; the quoted answer above stands)"
    memory = " ".join(shown.split(told)[1].split())
    assert QUESTION in memory
    assert opening(app.answerer.ask(QUESTION)) in memory


def test_a_chat_over_json_lines_is_written_too(app: App, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    read, write = os.pipe()
    os.write(write, (json.dumps({"id": "a", "question": QUESTION}) + "\n").encode())
    os.close(write)
    with os.fdopen(read) as lines:
        monkeypatch.setattr(sys, "stdin", lines)
        _lines(app.talk, answerer_of(app, None), {})
    row = json.loads(capsys.readouterr().out)
    assert row["generation"]["model"] == "scripted/1" and row["answer"].startswith(TRUE[0])
    assert row["standalone"] is None and row["by"] == "rules"


def test_a_chat_with_a_model_needs_one(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "--home", str(home), "--no-builtin", "chat", "--model"],
        input="",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and "no language model is set" in done.stderr
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    with pytest.raises(UsageError, match="no language model"):
        answerer_of(app, True)
    app.close()


# -- a real terminal, a real client


class Session:
    """A command on a pseudo-terminal."""

    def __init__(self, home: Path, url: str, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        environment = os.environ | {
            "COLUMNS": "80",
            "TUTOR_LLM_PROVIDER": "compatible",
            "TUTOR_LLM_MODEL": "small",
            "TUTOR_LLM_URL": f"{url}/v1",
            "TUTOR_LLM_CACHE": "false",
        }
        command = [sys.executable, "-m", "tutor", "--home", str(home), "--no-builtin", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.screen = ""

    def until(self, text: str) -> str:
        """The screen once it shows the text."""
        end = time.monotonic() + 60
        while text not in self.screen:
            assert time.monotonic() < end, self.screen
            try:
                self.screen += plain(os.read(self.master, 65536).decode()).replace("\r\n", "\n")
            except OSError:  # the command has ended
                break
        assert text in self.screen, self.screen
        return self.screen

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        return self.process.wait(60)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.mark.heavy
def test_ctrl_c_at_a_real_terminal(home: Path) -> None:
    with model_server.serving() as server, Session(home, server.url, "ask", QUESTION) as session:
        server.replies = [model_server.Reply([*model_server.openai(["A follower "], done=False), 30.0])]
        session.until("is writing…")
        while not server.requests:
            time.sleep(0.02)
        session.interrupt()
        shown = session.until("the quoted answer above stands)")
        assert shown.index("[1] ") < shown.index("compatible/small is writing…")
        assert session.end() == 130
        assert server.gone.wait(20)  # the request has ended
        assert "Traceback" not in shown and "interrupted" not in shown


@pytest.mark.heavy
def test_ctrl_c_in_a_chat_at_a_real_terminal(home: Path) -> None:
    with model_server.serving() as server, Session(home, server.url, "chat") as session:
        server.replies = [
            model_server.Reply([*model_server.openai(["A follower "], done=False), 30.0]),
            model_server.Reply(model_server.openai([REPLY])),
        ]
        session.until("> ")
        session.type(QUESTION)
        session.until("is writing…")
        while not server.requests:
            time.sleep(0.02)
        session.interrupt()
        session.until("the quoted answer above stands)")
        session.type("What does a Raft follower do without heartbeats?")
        session.until("(written by compatible/small")
        session.type("/quit")
        assert session.end() == 0
