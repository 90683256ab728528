"""``tutor export`` and ``tutor import`` as they are typed: what they say, their exit codes, and the files they make."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import FakeEncoder
from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.diagnosis import diagnose
from tutor.settings import Settings
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Drilled, Entry, Mark, Memory, Sitting, TakenPlan, Tick
from tutor.web.app import create_app

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
Run = Callable[..., tuple[int, str, str]]
DRILL = {
    "id": "20260503-abcdabcd",
    "kind": "card",
    "started": NOW.isoformat(),
    "tasks": [{"card": "kafka"}],
    "rounds": [
        {
            "turns": [
                {"who": "interviewer", "text": "Why not a queue?", "at": NOW.isoformat()},
                {"who": "learner", "text": "Because\n# replay", "at": NOW.isoformat()},
            ],
            "grade": {"verdict": "mixed", "score": 0.5},
        }
    ],
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    store = StudyStore(home / "study.db")
    store.owner()
    own: dict[str, Any] = {"learner": "local", "at": NOW}
    points = {"per-message-ack": "missed", "delay-priority": "covered", "nothing-known": "missed"}
    with store.write() as session:
        session.add_all(
            [
                Mark(id=new_id(), **own, card="kafka", status="learning", why="override", note="a|b\nc"),
                Drilled(
                    id=new_id(), **own, session="20260503-abcdabcd", task=1, card="kafka", probe="why-not-task-queue",
                    kind="card", verdict="weak", score=0.2, points=points, rating=None, seconds=None,
                ),
                Memory(
                    id=new_id(), **own, ref="consensus", state=2, step=None, stability=1.0, difficulty=5.0,
                    due=NOW + timedelta(days=2), reps=1, lapses=0, suspended=False,
                ),
                TakenPlan(
                    id=new_id(), **own, plan="28-day", start=NOW.date(), pace=1.0, skips=[], spec={}, active=True,
                ),
                Tick(id=new_id(), **own, plan="28-day", item="day-01/video", done=True),
                Entry(
                    id=new_id(), **own, entry="e", version=1, written=NOW, title="Queue or log",
                    text="# Why\n\nBecause.", tags=["kafka"], cards=["kafka"], item="W3", deleted=False,
                ),
                Entry(
                    id=new_id(), **own, entry="gone", version=1, written=NOW, title="Gone", text="x",
                    tags=[], cards=[], item="", deleted=True,
                ),
                Sitting(id=new_id(), **own, seconds=5400.0, kind="read", ref=""),
            ]
        )  # fmt: skip
    store.close()
    (home / "drills").mkdir()
    (home / "drills" / "20260503-abcdabcd.json").write_text(json.dumps(DRILL))
    (home / "feedback").mkdir()
    vote = {"question": "What is a log?", "vote": "down", "note": "too long", "at": NOW.isoformat()}
    (home / "feedback" / "answers.jsonl").write_text(json.dumps(vote) + "\n")
    return home


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "80")

    def one(*arguments: str, at: Path = home) -> tuple[int, str, str]:
        code = main(["--home", str(at), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return one


def test_out_and_in_again_elsewhere(run: Run, tmp_path: Path) -> None:
    file, other = tmp_path / "mine.json", tmp_path / "other"
    code, out, err = run("export", str(file))
    assert (code, err) == (0, "") and out.startswith("Written to") and file.stat().st_mode & 0o077 == 0
    code, out, _ = run("import", str(file), "--dry-run", "--json", at=other)
    tried = json.loads(out)
    assert code == 0 and tried["dry_run"] and tried["parts"]["entries"] == {"new": 2, "kept": 0, "replaced": 0}
    code, out, _ = run("import", str(file), at=other)
    assert code == 0 and "versions of log entries: 2 new, 0 kept, 0 replaced by newer" in out
    assert all(len(line) <= 80 or "/" in line for line in out.splitlines())
    code, out, _ = run("import", str(file), at=other)
    assert code == 0 and "nothing was changed" in out
    run("export", str(tmp_path / "theirs.json"), at=other)
    mine, theirs = (json.loads((tmp_path / name).read_text())["parts"] for name in ("mine.json", "theirs.json"))
    assert {k: v for k, v in mine.items() if k != "learners"} == {k: v for k, v in theirs.items() if k != "learners"}
    assert json.loads((other / "drills" / "20260503-abcdabcd.json").read_text()) == DRILL


def test_standard_output_and_input(run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("export")
    assert code == 0 and json.loads(out)["format"] == "tutor-export"
    file = tmp_path / "pipe"
    file.write_text(out)
    with open(file) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert run("import", "-", at=tmp_path / "new")[0] == 0


def test_markdown_is_for_people(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    assert run("export", str(file))[0] == 0
    text = file.read_text()
    for line in (
        "### 2026-05-03 Queue or log",
        "*#kafka; Apache Kafka; W3*",
        "#### Why",
        "| Apache Kafka | learning | 2026-05-03 | override | a\\|b c |",
        "From 2026-05-03, at a pace of 1.",
        "- [x] day-01/video (2026-05-03)",
        "#### 1. Apache Kafka",
        "> # replay",
        "Graded mixed, 50%.",
        "- read: 1.5 hours",
        "- 2026-05-03 What is a log? (bad: too long)",
    ):
        assert f"\n{line}\n" in text, line
    assert "Gone" not in text


def notes_of(file: Path, tmp_path: Path) -> dict[str, str]:
    """Guids and fields, as Anki reads them."""
    with zipfile.ZipFile(file) as archive:
        archive.extract("collection.anki2", tmp_path)
    with closing(sqlite3.connect(tmp_path / "collection.anki2")) as connection:
        return dict(connection.execute("SELECT guid, flds FROM notes"))


def test_an_anki_deck_of_what_is_weak_or_due(run: Run, home: Path, tmp_path: Path) -> None:
    pytest.importorskip("genanki")
    file = tmp_path / "weak.apkg"
    code, out, _ = run("export", str(file), "--json")
    assert code == 0
    first = notes_of(file, tmp_path)
    assert json.loads(out)["written"] == f"{len(first)} notes" and len(first) >= 2
    where = [fields.split("\x1f")[2] for fields in first.values()]
    assert "Apache Kafka (kafka/why-not-task-queue)" in where  # answered weakly
    assert "Apache Kafka (kafka/why-not-task-queue/per-message-ack)" in where and not any(
        "delay-priority" in name for name in where
    )
    assert sum("(consensus/" in name for name in where) >= 2  # due since; none of its questions was drilled
    run("export", str(file))
    assert notes_of(file, tmp_path) == first  # the same guids: Anki updates its notes


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("export", "--format", "pdf"), 2, "'pdf' is no format"),
        (("export", "--format", "anki"), 2, "needs a file"),
        (("export", "/no/such/place/x.json"), 1, "cannot be written"),
        (("import", "/no/such/file"), 2, "no such file"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, arguments: tuple[str, ...], code: int, says: str) -> None:
    got, _, err = run(*arguments)
    assert got == code and says in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no export"),
        (b"\xff\xfe\x00", "no export and no text"),
        (b"just words", "has no marks"),
        (b"[x] Astrology", "none of its marks"),
        (b'{"format": "tutor-export", "version": 99}', "newer version"),
        (b'{"format": "tutor-export", "version": 1, "sch', "damaged or cut short"),
        (b'{"format": "tutor-export", "version": ' + b"[" * 100_000, "damaged or cut short"),
    ],
)
def test_what_is_no_export_changes_nothing(run: Run, home: Path, tmp_path: Path, data: bytes, says: str) -> None:
    file = tmp_path / "bad"
    file.write_bytes(data)
    before = run("export")[1].split('"parts"')[1]
    code, out, err = run("import", str(file))
    assert code == 1 and says in err and out == ""
    assert run("export")[1].split('"parts"')[1] == before


def test_marks_of_a_guide(run: Run, tmp_path: Path) -> None:
    guide = tmp_path / "guide.txt"
    guide.write_text("[x] Caching (deep dive) HIGHDEEP-DIVE\n[~] CDN\n[x] Astrology HIGHDEEP-DIVE\n")
    code, out, _ = run("import", str(guide), "--json")
    found = json.loads(out)
    assert code == 0 and found["unmatched"] == ["3: [x] Astrology HIGHDEEP-DIVE"]
    assert [(m["card"], m["status"], m["new"]) for m in found["marks"]] == [
        ("caching", "mastered", True), ("cdn", "learning", True),
    ]  # fmt: skip
    assert "Nothing new." in run("import", str(guide))[1]


def test_the_same_over_http(home: Path, tmp_path: Path) -> None:
    client, other = (
        TestClient(create_app(App(Settings(home=place), encoder=FakeEncoder()))) for place in (home, tmp_path / "other")
    )
    got = client.get("/api/v1/study/export")
    assert got.status_code == 200 and got.headers["cache-control"] == "no-store"
    assert got.headers["content-disposition"] == 'attachment; filename="tutor.json"'
    tried = other.post("/api/v1/study/import?dry_run=true", content=got.content).json()
    done = other.post("/api/v1/study/import", content=got.content)
    assert done.status_code == 200 and done.json()["parts"]["entries"] == {"new": 2, "kept": 0, "replaced": 0}
    assert tried["parts"] == done.json()["parts"] and tried["dry_run"]
    again = other.post("/api/v1/study/import", content=got.content).json()
    assert all(part["new"] == part["replaced"] == 0 for part in again["parts"].values())
    assert "### 2026-05-03 Queue or log" in client.get("/api/v1/study/export?format=markdown").text
    assert client.get("/api/v1/study/export?format=pdf").status_code == 422
    assert other.post("/api/v1/study/import", content=got.content[:-100]).status_code == 422
    newer = b'{"format": "tutor-export", "version": 99}'
    assert other.post("/api/v1/study/import", content=newer).status_code == 503
    evil = {"origin": "http://evil.test"}
    assert other.post("/api/v1/study/import", content=got.content, headers=evil).status_code == 403
    assert client.post("/api/v1/study/import", content=b"x" * (33 * 2**20)).status_code == 413


def study(home: Path) -> list[tuple[str, str]]:
    return [(f.level, f.what) for f in diagnose(lambda: Settings(home=home)) if f.about == "study"]


def test_doctor_looks_at_the_study_store(home: Path, tmp_path: Path) -> None:
    ((level, what),) = study(tmp_path / "none")
    assert level == "ok" and "nothing has been stored yet" in what
    assert not (tmp_path / "none" / "study.db").exists()
    ((level, what),) = study(home)
    assert level == "ok" and "8 rows of learner local, sound; last backup daily-" in what
    with open(home / "study.db", "r+b") as file:
        file.write(b"\x00" * 100)
    (level, what), (second, told) = study(home)
    assert (level, second) == ("ok", "warn") and "kept aside: study.damaged-" in what and "was damaged" in told
    assert [level for level, _ in study(home)] == ["ok"]


def test_everything_is_deleted_only_by_who_says_so(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("erase")
    assert code == 2 and "nothing was deleted" in err and "--yes" in err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda text: "yes")
    assert run("erase")[0] == 2
    _, before, _ = run("export", "-")
    monkeypatch.setattr("typer.prompt", lambda text: " Delete  everything ")
    code, out, _ = run("erase")
    assert code == 0 and "A copy is kept in" in out
    assert " ".join(out.split()).count(f"{home / 'backups' / 'daily-'}") == 1, "the older copies are named"
    (copy,) = (home / "backups").glob("before-erase-*.json")
    parts = json.loads(run("export", "-")[1])["parts"]
    assert {name for name, part in parts.items() if part["count"]} == {"learners"}
    code, out, _ = run("import", str(copy))
    assert code == 0
    again = json.loads(run("export", "-")[1])["parts"]
    assert {n: p["count"] for n, p in again.items()} == {n: p["count"] for n, p in json.loads(before)["parts"].items()}


def test_erase_as_json(run: Run) -> None:
    assert run("erase", "--json")[0] == 2
    code, out, _ = run("erase", "--yes", "--json")
    told = json.loads(out)
    assert code == 0 and told["rows"] > 0 and Path(told["backup"]).exists()
