"""``tutor today`` loads little, by the short way and the usual one, and both say the same of every state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from studied import study as study_for_months
from tutor.bootstrap import App
from tutor.cli import shortcut
from tutor.cli.main import main
from tutor.plain import Plain, StudyDefaults, plain
from tutor.settings import Settings, load_settings
from tutor.study.reviews import Rated
from tutor.studying import open_study

#: What the short way must not load, each slower than the list is made, or of no use to it.
NEVER = (
    "typer", "click", "rich", "pydantic", "pydantic_core", "pydantic_settings", "dotenv", "sqlalchemy", "alembic",
    "yaml", "numpy", "onnxruntime", "tokenizers", "qdrant_edge", "qdrant_client", "httpx", "httpcore", "fastapi",
    "starlette", "jinja2", "torch", "asyncio", "ssl", "importlib.metadata", "tutor.bootstrap", "tutor.settings",
    "tutor.study.store", "tutor.study.tables", "tutor.study.records", "tutor.study.reviews", "tutor.curriculum.corpus",
    "tutor.drill.engine", "tutor.drill.grade", "tutor.study.insights",
)  # fmt: skip
#: What the usual way must not load either: only what reads options and settings comes with it.
SELDOM = tuple(set(NEVER) - {
    "typer", "click", "pydantic", "pydantic_core", "pydantic_settings", "dotenv", "asyncio", "ssl",
    "importlib.metadata", "tutor.settings",
})  # fmt: skip


def loaded(home: Path, *arguments: str, names: tuple[str, ...] = NEVER) -> list[str]:
    """Which of ``names`` a process has loaded once a command is done, with exit code 0 and nothing said of a fault."""
    program = (
        "import json, sys; from tutor.cli.main import main\n"
        f"code = main({list(arguments)!r}); print(json.dumps([code, sorted(set({names!r}) & set(sys.modules))]))"
    )
    environment = os.environ | {"TUTOR_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    code, found = json.loads(done.stdout.splitlines()[-1])
    assert (code, done.stderr) == (0, "")
    return list(found)


def new(home: Path) -> None:
    """Nothing is there but what the first command makes."""


def planned(home: Path) -> None:
    """A plan is followed, one is stopped, an item is ticked off; sixty reviews, one of them of a card set aside."""
    core = App(Settings(home=home))
    try:
        cards = [card for card in core.study.outline.cards.values() if card.probes][:30]
        now = datetime.now(UTC)
        core.study.rate([
            Rated(card.id, (1, 3, 2)[n % 3], now - timedelta(days=20 - n / 6), f"review:{card.id}/{n}")  # type: ignore[arg-type]
            for n, card in enumerate(cards * 2)
        ])  # fmt: skip
        core.study.suspend(cards[0].id)
        assert all(main(["--home", str(home), "plan", *words.split()]) == 0 for words in (
            "start 28-days", "start 12-weeks", "stop 12-weeks", "done 28-days day-01/notes", "skip sunday",
        ))  # fmt: skip
    finally:
        core.close()


def marked(home: Path) -> None:
    """Months of drills and reviews, with cards called mastered and not begun outright, and one that will not stick."""
    study_for_months(home)
    core = App(Settings(home=home))
    try:
        core.study.mark("kafka", "mastered", "from work")
        core.study.mark("replication", "not-started")
        now = datetime.now(UTC)
        again = [Rated("caching", 1 if n % 2 else 3, now - timedelta(days=60 - 3 * n), f"again:{n}") for n in range(18)]  # type: ignore[arg-type]
        core.study.rate(again)
    finally:
        core.close()


def drilled(home: Path) -> None:
    """A drill has left results behind that nobody has taken in yet."""
    planned(home)
    at = datetime.now(UTC) - timedelta(hours=1)
    row = {
        "session": "20260301-0000000a", "task": 1, "card": "kafka", "probe": "why-not-task-queue", "kind": "probe",
        "score": 0.1, "verdict": "wrong", "points": {}, "rating": 3, "seconds": 60.0, "at": at.isoformat(),
    }  # fmt: skip
    (home / "drills").mkdir(exist_ok=True)
    (home / "drills" / "results.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


STATES = {state.__name__: state for state in (new, planned, marked, drilled)}
Homes = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """A home in one of ``STATES``, made once; to be copied, not written to."""

    @cache
    def home(state: str) -> Path:
        folder = tmp_path_factory.mktemp(state) / "home"
        STATES[state](folder)
        folder.mkdir(exist_ok=True)
        return folder

    return home


@pytest.fixture
def home_in(made: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homes:
    """A new copy of a home in one of ``STATES``."""
    monkeypatch.delenv("TUTOR_HOME")

    def home(state: str) -> Path:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        return Path(shutil.copytree(made(state), tmp_path / "home"))

    return home


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["--home", str(home), *words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("state", STATES)
def test_both_ways_say_the_same(
    state: str, home_in: Homes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["today"], ["today", "--json"], ["today", "-m", "120"], ["today", "--json", "--minutes", "15"]):
        short = said(home_in(state), capsys, *words)
        assert short[0] == 0 and short[1] and not short[2]
        with monkeypatch.context() as usual:
            usual.setattr(shortcut, "taken", lambda argv: False)
            assert said(home_in(state), capsys, *words) == short
            usual.setattr("tutor.studying._glance", lambda settings, now: None)  # through SQLAlchemy
            assert said(home_in(state), capsys, *words) == short


def test_a_server_says_the_same_as_a_file(tmp_path: Path, study_url: str) -> None:
    """The same studying, kept in either database, gives the same list; only a file is read at a glance."""
    now = datetime.now(UTC)
    found = []
    for place in ("file", "either"):
        url = study_url if place == "either" else ""
        chosen = Settings(home=tmp_path / place, study={"url": url, "zone": "Europe/Berlin"})  # type: ignore[arg-type]
        study = open_study(chosen, clock=lambda: now)
        cards = [card for card in study.outline.cards.values() if card.probes][:20]
        study.rate([Rated(c.id, 3, now - timedelta(days=9), f"review:{n}") for n, c in enumerate(cards)])
        study.mark(cards[3].id, "mastered")
        study.close()
        quick = open_study(chosen, clock=lambda: now, glance=True)
        found.append(quick.today(60))
        assert ("store" in quick.__dict__) is bool(url)
        quick.close()
    assert found[0] == found[1]


@pytest.mark.parametrize("state", ["planned", "marked"])
def test_the_short_way_loads_nothing_that_it_does_not_need(state: str, home_in: Homes) -> None:
    home = home_in(state)
    assert loaded(home, "today") == []
    assert loaded(home, "today", "--json", "-m", "30") == []


def test_the_usual_way_loads_no_database_library(home_in: Homes) -> None:
    home = home_in("planned")
    (home / "config.toml").write_text("[study]\nminutes = 90\n", encoding="utf-8")
    assert loaded(home, "today", names=SELDOM) == []
    assert loaded(home, "path", "kafka", names=SELDOM) == []
    assert loaded(home, "progress", names=SELDOM) == []


def test_help_of_one_command_loads_no_other(tmp_path: Path) -> None:
    others = ("tutor.cli.ask", "tutor.cli.eval", "tutor.cli.log", "tutor.cli.transfer", "tutor.cli.models")
    assert loaded(tmp_path, "stats", "--help", names=others) == []


def test_the_values_where_nothing_is_set_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (str(tmp_path), "~/tutor", "relative", None):
        full = load_settings(home=None if given is None else Path(given))
        found = plain(given)
        assert found is not None and found.home == full.home
        for name in StudyDefaults.__slots__:
            assert getattr(found.study, name) == getattr(full.study, name)
    monkeypatch.delenv("TUTOR_HOME")
    assert plain(None) == Plain(load_settings().home)


@pytest.mark.parametrize(
    ("name", "value"), [("TUTOR_STUDY_MINUTES", "90"), ("tutor_study_zone", "UTC"), ("TUTOR_HOME", ""), ("TUTOR_X", "")]
)
def test_a_setting_in_the_environment_goes_the_usual_way(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plain(None) is not None
    monkeypatch.setenv(name, value)
    assert plain(None) is None


def test_a_file_of_settings_goes_the_usual_way(tmp_path: Path) -> None:
    assert plain(str(tmp_path)) is not None
    (tmp_path / "config.toml").symlink_to("nowhere")
    assert plain(str(tmp_path)) is None


@pytest.mark.parametrize(
    "words",
    ["today -x", "today --minutes", "today -m five", "today -m 0", "today -m=3", "today --minutes=30", "today --help",
     "today extra", "todays", "--version", "--index x today", "--no-builtin today", "", "plan", "today -m 99999"],
)  # fmt: skip
def test_all_but_plain_words_go_the_usual_way(words: str) -> None:
    assert shortcut.taken(words.split()) is False


@pytest.mark.parametrize(
    ("words", "code", "said_of_it"),
    [
        ("today -x", 2, "No such option: -x"),
        ("today -m 0", 2, "0 minutes are out of range"),
        ("today -m 9999", 2, "9999 minutes are out of range"),
        ("todey", 2, "No such command 'todey'"),
        ("today extra", 2, "extra"),
    ],
)
def test_what_is_wrong_is_told(
    words: str, code: int, said_of_it: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = said(tmp_path, capsys, *words.split())
    assert (found, out) == (code, "") and said_of_it in err and "Traceback" not in err


def test_a_damaged_store_is_mended_and_told(home_in: Homes, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_in("planned")
    assert said(home, capsys, "today")[0] == 0  # the day's backup
    (home / "study.db").write_bytes(b"broken" * 2000)
    code, out, err = said(home, capsys, "today")
    assert code == 0 and out.startswith("Today, ")
    assert "The study database was damaged" in err and "daily-" in err
