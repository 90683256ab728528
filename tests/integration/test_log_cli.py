"""``tutor log`` as people use it: one line, an editor that behaves or dies, drafts, reports, answers that cite it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tutor.cli.main import main
from tutor.settings import Settings
from tutor.study.schema import HEAD
from tutor.studying import open_study, plans_of

TEXT = "I chose RESP over JSON as the wire protocol of the Redis clone, because a parser has to be small."


class Home:
    """A learner's folder, and the command line over it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.drafts = path / "log-drafts"
        self._capsys = capsys
        self._patch = monkeypatch

    def run(self, *arguments: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(["--home", str(self.path), "log", *arguments])
        self.said = self._capsys.readouterr()
        assert found == code, self.said
        return self.said.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def texts(self) -> list[str]:
        return [entry["text"] for entry in self.json("list")["entries"]]

    def editor(self, script: str) -> None:
        """An editor that is a Python program; ``path`` is the file, ``text`` what stands in it."""
        place = self.path / "editor.py"
        place.write_text(
            "import os, signal, sys, time\npath = sys.argv[1]\ntext = open(path, encoding='utf-8').read()\n"
            "def save(text):\n    open(path, 'w', encoding='utf-8').write(text)\n" + script,
            encoding="utf-8",
        )
        self._patch.setenv("VISUAL", f"{shlex.quote(sys.executable)} {shlex.quote(str(place))}")

    def kept(self) -> list[str]:
        return [path.read_text(encoding="utf-8") for path in sorted(self.drafts.glob("*.md"))]


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path, capsys, monkeypatch)


def test_one_line(home: Home) -> None:
    said = home.run(TEXT, "--tag", "redis", "--tag", "wire", "--date", "2026-05-03", "--item", "M1W1")
    assert re.search(r"Added \w{8}, 2026-05-03: 20 words \(an entry is meant to have about\s150\)", said)
    assert "Cards: Redis" in said and "Belongs to: month/1/week/1" in said
    [row] = home.json("list")["entries"]
    assert (
        row["text"] == TEXT and row["tags"] == ["redis", "wire"] and row["cards"] == [{"id": "redis", "title": "Redis"}]
    )
    assert home.json("show", row["id"][:6]) == row == home.json("show")
    assert home.run("words", "without", "quotes").startswith("Added")
    home.run("--", "list")  # words that are commands too
    assert home.json("show")["text"] == "list"
    assert all(
        len(line) <= 80 for line in (home.run("list") + home.run("search", "resp") + home.run("show")).splitlines()
    )


def test_list_search_edit_delete_restore(home: Home) -> None:
    first = home.json(TEXT, "--tag", "redis", "--date", "2026-05-03")["id"]
    home.run("A saga, not two-phase commit.", "--date", "2026-05-04")
    assert home.json("search", "resp", "wire protocol")["total"] == 1
    assert home.json("search", "protocol wire")["total"] == 0  # the shell keeps two words together: side by side
    assert home.json("list", "--tag", "redis", "--since", "2026-05-01", "--until", "2026-05-03")["total"] == 1
    assert home.json("list", "--card", "redis")["total"] == 1
    assert "… and 1 more: -n 2" in home.run("list", "-n", "1")
    assert "wire protocol" in home.run("search", "resp")
    assert home.run("search", "zebra") == "No entry is like that.\n"
    assert home.json("edit", first, "RESP", "it", "is.", "--tag", "x")["version"] == 2
    assert home.run("edit", first, "RESP it is.") == "Nothing was changed.\n"
    assert home.json("edit", first, "--item", "M1", "--card", "kafka")["cards"][0]["id"] == "kafka"
    assert [v["version"] for v in home.json("show", first, "--versions")["versions"]] == [3, 2, 1]
    assert home.json("show", first, "--version", "1")["text"] == TEXT
    assert "tutor log restore" in home.run("delete", first)
    assert home.json("list")["total"] == 1 and home.json("list", "--deleted")["total"] == 1
    assert home.json("restore", first, "--version", "1")["text"] == TEXT
    assert home.json("list")["total"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show"], 1, "the log is empty"),
        (["show", "beef"], 1, "no entry has this id"),
        (["delete", "last"], 1, "the log is empty"),
        (["x", "--date", "2999-01-01"], 2, "in the future"),
        (["x", "--tag", "a!"], 2, "is no tag"),
        (["x", "--card", "nonsense card"], 1, "no card is called so"),
        (["x", "--item", "M77"], 1, "no item is called so"),
        (["   "], 2, "empty"),
        (["digest", "--week", "W3"], 2, "is no week"),
        (["capstone", "M77"], 1, "no item is called so"),
        (["draft"], 2, ""),
        (["list", "--since", "soon"], 2, "since: 'soon' is no day"),
        (["list", "--until", "2026-02-30"], 2, "until: '2026-02-30' is no day"),
        (["--from", "no-such-file"], 2, "cannot be read"),
        (["text", "--from", "x"], 2, "either a text or --from"),
        ([], 2, "no editor is set"),
    ],
)
def test_errors_say_what_to_do(home: Home, arguments: list[str], code: int, said: str) -> None:
    home.run(*arguments, code=code)
    assert said in home.said.err and "Traceback" not in home.said.err


def test_the_editor(home: Home) -> None:
    home.editor(
        "save(text.replace('title:', 'title: The wire').replace('tags:', 'tags: a, b') + '\\nI chose RESP.\\n')"
    )
    said = home.run()
    assert said.startswith("Added")
    entry = home.json("show")
    assert (entry["title"], entry["tags"], entry["text"]) == ("The wire", ["a", "b"], "I chose RESP.")
    assert home.kept() == []
    home.editor("save(text.replace('I chose RESP.', 'I chose JSON.').replace('tags: a, b', 'tags: c'))")
    assert home.run("edit", "last").startswith("Version 2")
    entry = home.json("show")
    assert (entry["title"], entry["tags"], entry["text"]) == ("The wire", ["c"], "I chose JSON.")
    home.editor("pass")
    assert home.run("edit", "last") == "Nothing was changed.\n"
    assert home.kept() == []


def test_the_plans_step_goes_with_the_date_in_the_editor(home: Home) -> None:
    study = open_study(Settings(home=home.path), clock=lambda: datetime.now(UTC) - timedelta(days=3))
    plans_of(study).start("28-days")
    study.close()
    today = datetime.now(UTC).date()
    home.editor("save(text + 'I chose RESP.')")
    home.run()
    assert home.json("show")["item"] == "28-days/day-04"
    home.editor(f"save(text.replace('date: {today}', 'date: {today - timedelta(days=1)}') + 'I chose JSON.')")
    home.run()
    assert home.json("show")["item"] == "28-days/day-03"
    home.editor("save(text.replace('item:\\n', 'item: none\\n') + 'I chose neither.')")
    home.run()
    assert home.json("show")["item"] == ""
    home.run("--item", "M1W1", "--date", "yesterday")
    assert home.json("show")["item"] == "month/1/week/1"


def test_an_empty_text_adds_nothing(home: Home) -> None:
    for script in ("pass", "save('')", "save('  \\n')"):
        home.editor(script)
        home.run(code=2)
        assert "nothing was added" in home.said.err
    home.editor("save(text.replace('title:', 'title: half a thought'))")
    home.run(code=2)
    assert home.texts() == []
    assert any("half a thought" in kept for kept in home.kept())  # what was written in it is not thrown away


@pytest.mark.parametrize(
    "end", ["sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)"]
)
def test_an_editor_that_dies_loses_nothing(home: Home, end: str) -> None:
    home.editor(end)
    home.run(code=2)
    assert home.kept() == [] and "nothing was added" in home.said.err
    home.editor(f"save(text + '\\n{TEXT}\\n')\n{end}")
    home.run(code=2)
    [kept] = home.drafts.glob("*.md")
    assert TEXT in kept.read_text(encoding="utf-8") and f"tutor log --from {kept}" in home.said.err
    assert home.texts() == []
    home.run("--from", str(kept))
    assert home.texts() == [TEXT] and home.kept() == []


def test_a_form_that_cannot_be_read_is_kept(home: Home) -> None:
    for broken, said in (
        ("text.replace('date: ', 'date: tomorrow-')", "is no day"),
        ("text.replace('tags:', 'wibble: x')", "is none of"),
        ("text.replace('cards:', 'cards: nonsense card')", "no card is called so"),
    ):
        home.editor(f"save({broken} + '\\n{TEXT}\\n')")
        home.run(code=2 if "card is" not in said else 1)
        assert said in home.said.err and "the draft is kept" in home.said.err
    assert home.texts() == [] and len(home.kept()) == 3


def test_an_editor_that_is_not_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, said in (("/no/such/editor", "cannot be started"), ("vi 'unclosed", "cannot be read")):
        monkeypatch.setenv("VISUAL", value)
        home.run(code=2)
        assert said in home.said.err and home.kept() == []


def test_a_text_that_is_too_long_is_kept_in_a_file(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    megabyte = "words and more " * 70_000
    given = tmp_path / "mine.md"
    given.write_text(megabyte, encoding="utf-8")
    home.run("--from", str(given), code=2)
    assert "limit is 20,000" in home.said.err and given.read_text(encoding="utf-8") == megabyte
    home.run(megabyte, code=2)
    assert "the text is kept" in home.said.err
    [kept] = home.kept()
    assert megabyte.strip() in kept
    home.editor("save(text + 'words and more ' * 70_000)")
    home.run(code=2)
    assert len(home.kept()) == 2 and home.texts() == []


def test_a_crash_leaves_the_draft_and_the_next_time_says_so(home: Home) -> None:
    home.editor(f"save(text + '\\n{TEXT}\\n')\nopen(path + '.ready', 'w').close()\ntime.sleep(60)")
    environment = os.environ | {"TUTOR_HOME": str(home.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tutor", "log"], env=environment, start_new_session=True, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not list(home.drafts.glob("*.ready")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    next(home.drafts.glob("*.ready")).unlink()
    assert home.texts() == []
    home.editor("save(text + '\\nAnother one.\\n')")
    home.run()
    [kept] = home.drafts.glob("*.md")
    assert f"tutor log --from {kept}" in home.said.err
    home.run("--from", str(kept))
    assert sorted(home.texts()) == ["Another one.", TEXT]


def test_an_entry_that_was_changed_meanwhile(home: Home) -> None:
    entry = home.json(TEXT)["id"]
    other = (
        f"[sys.executable, '-m', 'tutor', '--home', {str(home.path)!r}, 'log', 'edit', {entry!r}, 'From elsewhere.']"
    )
    home.editor(f"import subprocess\nsubprocess.run({other}, check=True)\nsave(text.replace('small', 'tiny'))")
    home.run("edit", entry)
    assert "kept as version 2" in home.said.err
    found = home.json("show", entry, "--versions")["versions"]
    assert [v["text"] for v in found] == [TEXT.replace("small", "tiny"), "From elsewhere.", TEXT]


def test_standard_input(home: Home) -> None:
    command = [sys.executable, "-m", "tutor", "--home", str(home.path), "log", "--from", "-", "--json"]
    done = subprocess.run(command, input="# A title\n\nA text.\n", capture_output=True, text=True, check=True)
    assert (json.loads(done.stdout)["title"], json.loads(done.stdout)["text"]) == ("A title", "A text.")


def test_a_store_that_cannot_take_it_keeps_the_text(home: Home) -> None:
    home.run(TEXT)
    with closing(sqlite3.connect(home.path / "study.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    home.run("Not to be lost.", "--tag", "a", code=1)
    assert "newer version" in home.said.err and "the text is kept" in home.said.err
    [kept] = home.kept()
    assert "Not to be lost." in kept and "tags: a" in kept
    with closing(sqlite3.connect(home.path / "study.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
    home.run("--from", str(next(home.drafts.glob("*.md"))))
    assert set(home.texts()) == {"Not to be lost.", TEXT}


def test_reports(home: Home, tmp_path: Path) -> None:
    home.run(TEXT + " What does it cost?", "--date", "2026-05-03", "--item", "M1W1", "--tag", "redis")
    found = home.json("digest", "--week", "2026-W18")
    assert found["decided"][0]["text"] == TEXT and found["questions"][0]["text"] == "What does it cost?"
    assert "## Decided" in home.run("digest", "--week", "2026-W18")
    assert "Nothing was written this week." in home.run("digest", "--week", "2026-W19")
    draft = home.run("draft", "last", "--title", "On wires")
    assert 'title: "On wires"' in draft and "https://redis.io" in draft and "## Further reading" in draft
    out = tmp_path / "capstone.md"
    home.run("capstone", "M1", "--out", str(out))
    assert TEXT in out.read_text(encoding="utf-8")
    home.run("capstone", "M1", "--out", str(out), code=2)
    assert "the file is there already" in home.said.err
    assert home.json("capstone", "M1")["entries"][0]["text"].startswith(TEXT)


def test_ask_cites_an_entry_as_the_learners_own(
    curriculum_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(curriculum_home, capsys, monkeypatch)

    def ask(question: str) -> Any:
        capsys.readouterr()
        assert main(["--home", str(curriculum_home), "ask", question, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    before = ask("Why is Redis fast?")
    entry = home.json(TEXT, "--date", "2026-05-03")["id"]
    after = ask("Why is Redis fast?")
    assert {k: v for k, v in before.items() if k not in ("ms", "stages")} == {
        k: v for k, v in after.items() if k not in ("ms", "stages")
    }
    found = ask("What did I decide on RESP?")
    assert found["citations"][0]["doc_id"] == f"log/{entry}" and found["citations"][0]["kind"] == "entry"
    main(["--home", str(curriculum_home), "ask", "What did I decide on RESP?"])
    shown = capsys.readouterr().out
    assert "your own words, not the curriculum's" in shown and "Your entry of 3 May 2026" in shown
    home.run("delete", entry)
    assert ask("What did I decide on RESP?")["intent"] != "own"


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        (["--date", "2999-01-01"], "its date"),
        (["--card", "nonsense card"], "its cards"),
        (["--item", "M77", "--date", "soon"], "its date and its item"),
        (["--tag", "a!"], "its tags"),
    ],
)
def test_a_text_that_was_refused_is_added_by_the_command_that_is_named(
    home: Home, options: list[str], lost: str
) -> None:
    home.run("RESP it is.", "--title", "The wire", *options, code=1 if options[0] in ("--card",) else 2)
    said = " ".join(home.said.err.split())
    assert f"the text is kept, without {lost}" in said
    command = re.search(r"tutor log --from (\S+)", said)
    assert command
    home.run("--from", command[1])
    assert home.json("show")["text"] == "RESP it is." and home.json("show")["title"] == "The wire"
    assert home.kept() == []


def test_the_option_that_mends_an_editors_draft_is_named(home: Home) -> None:
    home.editor("save(text.replace('cards:', 'cards: nonsense card') + '\\nRESP it is.\\n')")
    home.run(code=1)
    command = re.search(r"tutor log --from (\S+) --card CARD", " ".join(home.said.err.split()))
    assert command
    home.run("--from", command[1], "--card", "kafka")
    assert [card["id"] for card in home.json("show")["cards"]] == ["kafka"] and home.kept() == []


@pytest.mark.parametrize("words", [["deleet"], ["serach"], ["lsit"], ["delet", "12ab34"], ["restor", "last"]])
def test_a_misspelt_command_is_no_entry(home: Home, words: list[str]) -> None:
    home.run(*words, code=2)
    assert "is no command, and nothing was added" in home.said.err and "Did you mean: tutor log" in home.said.err
    assert home.json("list")["total"] == 0
    home.run("add", *words)
    assert home.texts() == [" ".join(words)]


def test_restoring_what_is_not_deleted_says_so(home: Home) -> None:
    kept = home.json("one")["id"]
    gone = home.json("two")["id"]
    home.run("delete", gone)
    assert home.run("restore", kept) == "Nothing was changed: the entry is not deleted.\n"
    assert home.run("restore", "last").startswith(f"Brought back {gone[:8]}")
    home.run("restore", "last", code=1)
    assert "no entry is deleted" in home.said.err
