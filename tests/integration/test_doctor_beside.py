"""`tutor doctor` on what stands beside the index, the language model and the readings. It asks nobody outside."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEncoder
from gguf_files import KEYS, gguf
from reading_site import WORDS
from tutor import diagnosis
from tutor.bootstrap import App
from tutor.diagnosis import Finding
from tutor.ingest.markdown import read_markdown
from tutor.ingest.readings.shelf import Shelf
from tutor.ingest.readings.sources import Source
from tutor.models import choose, ollama
from tutor.models import gguf as gguf_backend
from tutor.models.keys import Key
from tutor.models.reach import Reached, reach
from tutor.retrieval.edge import EdgeStore
from tutor.settings import load_settings


def about(home: Path, name: str, **llm: Any) -> list[Finding]:
    """What the doctor finds on one matter; the whole visit, with its models loaded, is made once below."""
    app = App(load_settings(home=home, corpus={"builtin": False}, llm=llm))
    try:
        return list(diagnosis._model(app.settings) if name == "model" else diagnosis._readings(app))
    finally:
        app.close()


def the(home: Path, name: str, **llm: Any) -> Finding:
    (found,) = about(home, name, **llm)
    return found


class Models:
    """A server of models: what it lists, by path; ``status`` in place of a list; the keys that were sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lists: dict[str, Any] = {}
        self.status = 200
        self.keys: list[str | None] = []
        self.paths: list[str] = []


@pytest.fixture
def models() -> Iterator[Models]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.keys.append(self.headers.get("Authorization"))
            state.paths.append(self.path)
            self.send_response(state.status if self.path in state.lists else 404)
            self.end_headers()
            self.wfile.write(json.dumps(state.lists.get(self.path)).encode())

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Models(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


# The language model. What is heavy here needs the extras: without them the doctor says so, before all else.


def test_no_model_is_nothing_wrong(tmp_path: Path) -> None:
    found = the(tmp_path, "model")
    assert found.level == "ok" and "none is set" in found.what


@pytest.mark.heavy
def test_a_model_of_ollama_that_is_there(models: Models, tmp_path: Path) -> None:
    models.lists["/api/tags"] = {"models": [{"name": "qwen:0.5b"}, {"name": "tiny:latest"}]}
    url = f"http://127.0.0.1:{models.port}"
    for name in ("qwen:0.5b", "tiny"):
        found = the(tmp_path, "model", provider="ollama", model=name, url=url)
        assert found.level == "ok" and "answers and has it" in found.what
    found = the(tmp_path, "model", provider="ollama", model="other", url=url)
    assert (found.level, found.fix) == ("fail", "Run: ollama pull other")
    assert set(models.paths) == {"/api/tags"}  # the list alone: the model itself is not asked


@pytest.mark.heavy
def test_a_compatible_server(models: Models, tmp_path: Path) -> None:
    models.lists["/v1/models"] = {"data": [{"id": "served"}]}
    given = {"provider": "compatible", "url": f"http://localhost:{models.port}/v1", "api_key": "k" * 20}
    assert the(tmp_path, "model", model="served", **given).level == "ok"
    assert models.keys == ["Bearer " + "k" * 20]
    other = the(tmp_path, "model", model="alias", **given)  # llama.cpp takes any name
    assert other.level == "warn" and "lists served" in other.what and "tutor models --check" in other.fix
    models.lists["/v1/models"] = ["odd"]
    assert "does not say what it has" in the(tmp_path, "model", model="x", **given).what
    models.status = 401
    refused = the(tmp_path, "model", model="served", **given)
    assert refused.level == "fail" and "refuses the key" in refused.what and "k" * 20 not in refused.what


@pytest.mark.heavy
@pytest.mark.parametrize("provider", ["ollama", "compatible"])
def test_a_server_that_is_not_running(tmp_path: Path, free_port: int, provider: str) -> None:
    url = f"http://127.0.0.1:{free_port}"
    found = the(tmp_path, "model", provider=provider, model="m", url=url)
    assert found.level == "fail" and f"nothing answers at {url}" in found.what and "Start it" in found.fix


def test_a_server_that_says_nothing_or_drips_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    for _ in range(1200):
                        connection.sendall(b" ")
                        time.sleep(0.1)
            except OSError:
                pass

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        assert reach("compatible", f"http://127.0.0.1:{listener.getsockname()[1]}/v1") == Reached()
        assert time.monotonic() - began < 30


@pytest.mark.heavy
def test_only_this_machine_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, lambda *_, **__: pytest.fail("the network is asked"))
    found = the(tmp_path, "model", provider="openai", model="gpt", api_key="k" * 20)
    assert found.level == "ok" and "not asked" in found.what and "TUTOR_LLM_API_KEY" in found.what
    assert "k" * 20 not in found.what
    far = the(tmp_path, "model", provider="ollama", model="m", url="http://192.168.1.5:11434")
    assert far.level == "ok" and "not asked" in far.what
    with pytest.raises(ValueError, match="this machine"):
        reach("ollama", "http://192.168.1.5:11434")


def test_what_keeps_a_model_from_being_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(choose, "find_key", lambda _: Key("", "none"))
    no_key = the(tmp_path, "model", provider="openai", model="gpt")
    assert no_key.level == "fail" and "no key for openai" in no_key.what and "tutor models key" in no_key.fix
    unnamed = the(tmp_path, "model", provider="ollama")
    assert unnamed.level == "fail" and unnamed.fix == "Run: tutor models"


def test_a_missing_extra_is_told_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_backend, "find_spec", lambda _: None)
    found = the(tmp_path, "model", provider="gguf", model=str(tmp_path / "m.gguf"))
    assert (found.level, found.fix) == ("fail", "Run: pip install 'tutor-study[gguf]'")
    monkeypatch.setattr(ollama, "need", lambda *_: _missing("llm", "ollama"))
    found = the(tmp_path, "model", provider="ollama", model="m")
    assert (found.level, found.fix) == ("fail", "Run: pip install 'tutor-study[llm]'")


def _missing(extra: str, module: str) -> None:
    from tutor.errors import MissingExtra

    raise MissingExtra("a language model", extra=extra, module=module)


@pytest.mark.heavy
def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    for content, level, said in (
        (None, "fail", "there is no file"),
        (b"<html>", "fail", "no GGUF file"),
        (gguf(data=32), "fail", "cut short"),
        (gguf({k: v for k, v in KEYS.items() if "template" not in k}), "fail", "no chat template"),
        (gguf(), "ok", "2,048 tokens of context"),
    ):
        if content is not None:
            path.write_bytes(content)
        found = the(tmp_path / "home", "model", provider="gguf", model=str(path))
        assert found.level == level and said in found.what, found


@pytest.mark.heavy
def test_a_budget_that_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf())
    ledger = tmp_path / "llm" / f"{datetime.now(UTC).date().isoformat()}.json"
    ledger.parent.mkdir()
    for content, levels in (
        ('{"day": "", "requests": 1, "tokens": 499, "usd": 0, "unpriced": 0}', ["ok"]),
        ('{"day": "", "requests": 1, "tokens": 500, "usd": 0, "unpriced": 0}', ["ok", "warn"]),
        ("{", ["ok", "fail"]),
    ):
        ledger.write_text(content, encoding="utf-8")
        found = about(tmp_path, "model", provider="gguf", model=str(path), day_tokens=500)
        assert [finding.level for finding in found] == levels
    assert len(about(tmp_path, "model", provider="gguf", model=str(path))) == 1  # without a limit it matters to nobody


# The linked readings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two readings, indexed twice: the first alone, then both."""
    home = tmp_path_factory.mktemp("readings")
    app = App(load_settings(home=home, corpus={"builtin": False}))
    for name in ("sagas", "quorums"):
        put(home, name)
        assert app.index_readings().problems == []
    app.close()
    return home


def put(home: Path, name: str) -> None:
    url = f"https://reading.example/{name}"
    source = Source(url=url, title=name, kind="article", cards=(name,), fetch=True)
    shelf = Shelf(home / "readings")
    with shelf.locked():
        shelf.put(source, read_markdown(f"# {name}\n\n{WORDS}", doc_id="reading", source=url))


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    # The shelf's path is in its index, as a learner's is: it is copied away, harmed in place, and put back.
    kept = tmp_path / "kept"
    shutil.copytree(made / "readings", kept)
    yield made
    shutil.rmtree(made / "readings")
    shutil.copytree(kept, made / "readings")


@pytest.mark.heavy
def test_the_command_tells_both_and_fails_for_a_model_that_cannot_be_asked(home: Path, free_port: int) -> None:
    command = [sys.executable, "-m", "tutor", "--no-builtin", "--home", str(home), "doctor"]
    llm = {"PROVIDER": "compatible", "MODEL": "m", "URL": f"http://127.0.0.1:{free_port}/v1"}
    given = os.environ | {f"TUTOR_LLM_{name}": value for name, value in llm.items()}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=given)
    told = " ".join(done.stdout.split())  # wrapped for people
    assert (done.returncode, done.stderr) == (1, "")
    assert f"fail model: compatible/m: nothing answers at {llm['URL']}" in told
    assert "ok readings: 2 documents, 2 passages" in told
    plain = {name: value for name, value in given.items() if not name.startswith("TUTOR_LLM_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=plain)
    assert done.returncode == 0 and "model: none is set" in " ".join(done.stdout.split())


def test_readings_in_order(home: Path) -> None:
    found = the(home, "readings")
    assert found.level == "ok" and "2 documents, 2 passages" in found.what and "files intact" in found.what


def test_none_were_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = the(tmp_path, "readings")
    assert found.level == "ok" and found.what == "none were fetched (tutor ingest --readings)"
    monkeypatch.setattr(diagnosis, "find_spec", lambda _: None)
    assert "pip install 'tutor-study[readings]'" in the(tmp_path, "readings").what


def test_fetched_and_not_indexed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home, "raft")
    found = about(home, "readings")
    assert [f.level for f in found] == ["ok", "warn"] and "1 new or changed" in found[1].what
    shutil.rmtree(home / "readings" / "index")
    found = about(home, "readings")
    assert [f.level for f in found] == ["warn"] and "3 are fetched and none is indexed" in found[0].what
    assert found[0].fix == "Run: tutor ingest --readings"
    monkeypatch.setattr(diagnosis, "find_spec", lambda _: None)
    assert "pip install 'tutor-study[readings]'" in the(home, "readings").fix


def test_damage_of_the_newest_and_of_all(home: Path) -> None:
    store = EdgeStore(home / "readings" / "index")
    names = store.generations.candidates()
    assert len(names) == 2
    overwrite(store, names[0])
    found = about(home, "readings")
    assert found[0].level == "fail" and "answers because a newer one is damaged" in found[0].what
    assert {f.fix for f in found if f.level != "ok"} == {"Run: tutor ingest --readings"}  # not the library's
    overwrite(store, names[1])
    found = about(home, "readings")
    assert [f.level for f in found] == ["fail"] and found[0].fix == "Run: tutor ingest --readings"
    app = App(load_settings(home=home, corpus={"builtin": False}))
    app.index_readings()  # what that command does at its end
    app.close()
    assert the(home, "readings").level == "ok"


def overwrite(store: EdgeStore, name: str) -> None:
    largest = max((p for p in store.generations.path(name).rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[: min(len(data), 4096)] = b"\xa5" * min(len(data), 4096)
    largest.write_bytes(data)


def test_readings_of_another_encoder(tmp_path: Path) -> None:
    put(tmp_path, "sagas")
    app = App(load_settings(home=tmp_path, corpus={"builtin": False}), encoder=FakeEncoder())
    app.index_readings()
    app.close()
    found = the(tmp_path, "readings")
    assert found.level == "fail" and "encoder" in found.what and found.fix == "Run: tutor ingest --readings"


def test_a_stored_text_that_cannot_be_read(home: Path) -> None:
    next((home / "readings" / "text").glob("*.json")).write_text("{", encoding="utf-8")
    assert [f.level for f in about(home, "readings")] == ["ok", "warn"]
