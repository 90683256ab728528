"""``tutor models`` as it is called, and what it finds on this machine."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fakes import ScriptedModel
from tutor.cli.main import main
from tutor.errors import ModelUnreachable, SettingsError
from tutor.models import found
from tutor.models.config_file import write_choice
from tutor.models.found import find
from tutor.models.health import check
from tutor.settings import load_settings

TAGS = {"models": [{"name": "qwen3:4b"}, {"name": "llama3.2:3b"}]}
LISTED = {"object": "list", "data": [{"id": "local-model", "owned_by": "me"}]}


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def _nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server of the machine that runs the tests, no keyring, no keys."""
    monkeypatch.setattr(found, "USUAL", (("compatible", "nothing", free_port()),))
    monkeypatch.setattr(find, "__defaults__", (found.USUAL,))
    monkeypatch.setattr("tutor.models.keys._stored", lambda name: "")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_servers_are_found_and_others_are_not(tmp_path: Path) -> None:
    with answering(json.dumps(TAGS).encode()) as one, answering(json.dumps(LISTED).encode()) as two:
        rows = find(
            tmp_path, (("ollama", "Ollama", one), ("compatible", "llama.cpp", two), ("compatible", "x", free_port()))
        )
    assert [(row.provider, row.url, row.models) for row in rows] == [
        ("ollama", f"http://127.0.0.1:{one}", ("llama3.2:3b", "qwen3:4b")),
        ("compatible", f"http://127.0.0.1:{two}/v1", ("local-model",)),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"data": 5}',
        b"\xff",
        b"[" * 100_000,
        b'{"data": [{"id": "tutor", "owned_by": "tutor"}]}',
    ],
)
def test_what_is_no_server_of_models_is_passed_over(tmp_path: Path, body: bytes) -> None:
    with answering(body) as port:
        assert find(tmp_path, (("compatible", "x", port),)) == []


def test_names_that_would_spoil_a_terminal_are_left_out(tmp_path: Path) -> None:
    listed = {"data": [{"id": "good"}, {"id": "\x1b[2Jbad"}, {"id": 7}, "odd"]}
    with answering(json.dumps(listed).encode()) as port:
        assert [row.models for row in find(tmp_path, (("compatible", "x", port),))] == [("good",)]


def test_a_silent_port_does_not_keep_the_others(tmp_path: Path) -> None:
    with socket.socket() as silent, answering(json.dumps(TAGS).encode()) as port:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        rows = find(tmp_path, (("compatible", "silent", silent.getsockname()[1]), ("ollama", "Ollama", port)))
    assert [row.label for row in rows] == ["Ollama"]


def test_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.gguf").write_bytes(b"GGUF")
    assert [row.models for row in find(tmp_path, (("compatible", "x", free_port()),))] == [
        (str(tmp_path / "models" / "a.gguf"),)
    ]


def test_with_nothing_set_it_says_how(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out, err = said(capsys)
    assert "No language model is in force" in out and "tutor models use" in out and err == ""
    assert all(len(line) <= 80 for line in out.splitlines())


def test_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    row = json.loads(said(capsys)[0])
    assert row == {"in_force": {"model": "none", "fault": ""}, "found": [], "health": None}


@pytest.mark.heavy
def test_use_keeps_the_rest_of_the_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = home / "config.toml"
    config.write_text('# mine\nlog = "info"\n\n[server]\nport = 8001  # not 8000\n\n[llm]\ntimeout_s = 90.0 # slow\n')
    assert main(["models", "use", "ollama", "qwen3:4b", "--url", "http://127.0.0.1:11435"]) == 0
    text = config.read_text()
    for kept in ("# mine", "port = 8001  # not 8000", "timeout_s = 90.0 # slow"):
        assert kept in text
    llm = load_settings().llm
    assert (llm.provider, llm.model, llm.url, llm.timeout_s) == ("ollama", "qwen3:4b", "http://127.0.0.1:11435", 90.0)
    assert main(["models", "use", "ollama", "llama3.2"]) == 0
    assert load_settings().llm.url == ""
    assert main(["models", "use", "none"]) == 0
    assert load_settings().llm.provider == "none"
    said(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["use", "gpt", "x"], "llm.provider"),
        (["use", "ollama"], "no model is named"),
        (["use", "compatible", "m"], "no address"),
        (["use", "compatible", "m", "--url", "http://u:p@x"], "carries a user"),
        (["key"], "no provider is set"),
    ],
)
def test_a_wrong_choice_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["models", *arguments]) == 2
    _, err = said(capsys)
    assert words in " ".join(err.split()) and "u:p" not in err
    assert not (home / "config.toml").exists()


def test_a_damaged_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[server\n")
    with pytest.raises(SettingsError, match="not TOML"):
        write_choice(path, {"provider": "none"})
    assert path.read_text() == "[server\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.heavy
def test_the_key_is_asked_for_and_not_shown(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Ring(KeyringBackend):
        priority = 5  # type: ignore[assignment]
        stored: dict[tuple[str, str], str] = {}  # noqa: RUF012 - one for the test

        def get_password(self, service: str, username: str) -> str | None:
            return self.stored.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.stored[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.stored[service, username]

    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    monkeypatch.setattr(keyring, "set_password", lambda *given: ring.set_password(*given))
    monkeypatch.setattr(keyring, "delete_password", lambda *given: ring.delete_password(*given))
    ring = Ring()
    monkeypatch.setenv("TUTOR_LLM_PROVIDER", "anthropic")
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-ant-hush-hush\n"))
    assert main(["models", "key"]) == 0
    out, err = said(capsys)
    assert ring.stored == {("tutor-study", "anthropic"): "sk-ant-hush-hush"}
    assert "hush" not in out + err
    assert main(["models", "key", "--remove"]) == 0
    assert ring.stored == {}


@pytest.mark.heavy
def test_a_key_is_not_in_the_configuration_shown(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_LLM_PROVIDER", "anthropic")
    monkeypatch.setenv("TUTOR_LLM_MODEL", "claude-sonnet-4-5")
    monkeypatch.setenv("TUTOR_LLM_API_KEY", "sk-ant-hush-hush")
    assert main(["config"]) == main(["models"]) == main(["models", "--json"]) == 0
    out, err = said(capsys)
    assert "hush" not in out + err
    assert "$3 and $15 per million tokens" in " ".join(out.split())
    assert "Questions and passages are sent there" in out


def test_health() -> None:
    ticks = iter([0.0, 0.5, 2.5])
    health = check(ScriptedModel(lambda asked: ["one", " two", " three"]), clock=lambda: next(ticks))
    assert (health.first_s, health.tokens_per_s, health.fault) == (0.5, 1.0, "")
    ill = check(ScriptedModel(lambda asked: [ModelUnreachable("down")]))
    assert "down" in ill.fault
    assert check(ScriptedModel(lambda asked: [])).fault == "the reply was empty"


def test_check_without_a_model_fails(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--check"]) == 1
    assert "no model is set" in said(capsys)[0]


@pytest.mark.heavy
def test_check_of_a_server_that_is_not_there(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_LLM_PROVIDER", "compatible")
    monkeypatch.setenv("TUTOR_LLM_MODEL", "m")
    monkeypatch.setenv("TUTOR_LLM_URL", f"http://127.0.0.1:{free_port()}/v1")
    monkeypatch.setenv("TUTOR_LLM_RETRIES", "0")
    assert main(["models", "--check"]) == 1
    out, _ = said(capsys)
    assert "no connection to the server" in " ".join(out.split())
    assert all(len(line) <= 80 for line in out.splitlines())
