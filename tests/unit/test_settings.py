"""Where a setting comes from, and what is said of a wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tutor.errors import SettingsError
from tutor.settings import load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [n for n in os.environ if n.startswith("TUTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / "config.toml").write_text(text, encoding="utf-8")


def test_defaults(home: Path) -> None:
    settings = load_settings()
    assert settings.home == home
    assert settings.index_dir == home / "index"
    assert settings.server.host == "127.0.0.1"
    assert settings.qdrant.url == ""
    assert settings.corpus.builtin


def test_the_variable_beats_the_file_and_the_option_beats_both(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().server.port == 8000
    write(home, 'log = "info"\n[server]\nport = 8001\nhost = "::1"\n')
    assert load_settings().server.port == 8001
    monkeypatch.setenv("TUTOR_SERVER_PORT", "8002")
    assert load_settings().server.port == 8002
    found = load_settings(server={"port": 8003}, log="error", index=None)
    assert found.server.port == 8003
    assert found.server.host == "::1"  # from the file: a section is merged, not replaced
    assert found.log == "error"


def test_the_file_is_the_one_of_the_home_in_force(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(home, "[server]\nport = 8001\n")
    write(other, "[server]\nport = 8002\n")
    assert load_settings().server.port == 8001
    assert load_settings(home=other).server.port == 8002
    assert load_settings(home=other).index_dir == other / "index"


def test_the_index_can_live_elsewhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_INDEX", str(tmp_path / "a"))
    assert load_settings().index_dir == tmp_path / "a"
    assert load_settings(index=tmp_path / "b").index_dir == tmp_path / "b"
    assert load_settings(index=Path("~/c")).index_dir == Path.home() / "c"


@pytest.mark.parametrize(
    ("variable", "value", "section", "key"),
    [
        ("TUTOR_QDRANT_URL", "http://localhost:6333", "qdrant", "url"),
        ("TUTOR_QDRANT_TIMEOUT_S", "2.5", "qdrant", "timeout_s"),
        ("TUTOR_QDRANT_COLLECTION", "mine", "qdrant", "collection"),
        ("TUTOR_ENCODER_THREADS", "3", "encoder", "threads"),
        ("TUTOR_CORPUS_BUILTIN", "False", "corpus", "builtin"),
        ("TUTOR_SEARCH_RERANK", "True", "search", "rerank"),
    ],
)
def test_sections_are_prefixes(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, section: str, key: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert str(getattr(getattr(load_settings(), section), key)) == value


def test_secrets_are_masked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_QDRANT_API_KEY", "hush-hush")
    settings = load_settings()
    assert settings.qdrant.api_key.get_secret_value() == "hush-hush"
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings.model_dump())
    assert "hush" not in settings.model_dump_json()


KEY = "a-key-of-the-tests-0123456789"


def test_the_servers_key_comes_from_the_environment_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_SERVER_API_KEY", KEY)
    settings = load_settings(server={"port": 8001})
    assert settings.server.api_key.get_secret_value() == KEY
    assert settings.server.port == 8001
    assert KEY not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    for text in (f'[server]\napi_key = "{KEY}"\n', '[server]\nport = 1\napi_key = ""\n'):
        write(home, text)
        with pytest.raises(SettingsError, match=r"config\.toml") as caught:
            load_settings()
        assert caught.value.about == "server.api_key"
        assert "TUTOR_SERVER_API_KEY" in caught.value.fix
        assert KEY not in caught.value.message


@pytest.mark.parametrize(
    "key", ["short", "x" * 15, "x" * 257, "sixteen letters and spaces", "schlüssel-schlüssel", "a\nb" * 9]
)
def test_a_key_that_can_be_guessed_or_not_be_sent(home: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TUTOR_SERVER_API_KEY", key)
    with pytest.raises(SettingsError, match=r"server\.api_key") as caught:
        load_settings()
    assert key not in caught.value.message
    assert key not in str(caught.value.__cause__)


@pytest.mark.parametrize("name", ["TUTOR_HOMES", "TUTOR_QDRANT_URLS", "TUTOR_QDRANT_API", "TUTOR_"])
def test_an_unknown_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1\n", "colour"),
        ("[qdrant]\nurls = 1\n", "qdrant.urls"),
        ("[server]\nport = 70000\n", "server.port"),
        ('[server]\nport = "high"\n', "server.port"),
        ('log = "loud"\n', "log"),
        ("qdrant = 3\n", "qdrant"),
        ('[qdrant]\ncollection = "a b"\n', "qdrant.collection"),
        ("[server\n", "config.toml"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name(home: Path, text: str, said: str) -> None:
    write(home, text)
    with pytest.raises(SettingsError, match=said):
        load_settings()


def test_a_file_that_is_not_text_is_refused(home: Path) -> None:
    (home / "config.toml").write_bytes(b"\xff\x00")
    with pytest.raises(SettingsError, match=r"config\.toml"):
        load_settings()


def test_a_secret_is_not_in_the_refusal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_QDRANT_API_KEY", "hush-hush")
    monkeypatch.setenv("TUTOR_QDRANT_SHARDS", "0")
    with pytest.raises(SettingsError, match=r"qdrant\.shards") as caught:
        load_settings()
    assert "hush" not in caught.value.message


def test_a_wrong_variable_is_not_blamed_on_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_QDRANT", "{bad")
    with pytest.raises(SettingsError, match="qdrant") as caught:
        load_settings()
    assert caught.value.about == "environment"
    assert "config.toml" not in caught.value.message


def test_several_faults_are_said_at_once(home: Path) -> None:
    write(home, "[server]\nport = 70000\n[encoder]\nthreads = -1\n")
    with pytest.raises(SettingsError, match=r"(?s)encoder\.threads.*server\.port|server\.port.*encoder\.threads"):
        load_settings()
