"""Two learners of one home: what one does shows, changes and deletes nothing of the other's."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.evals.candidates import candidates
from tutor.settings import Settings
from tutor.study.tables import Drilled
from tutor.study.whose import own_home
from tutor.studying import open_store

DRILL = "20260503-abcdabcd"
ROW = {
    "session": DRILL, "task": 1, "card": "kafka", "probe": "why-not-task-queue", "kind": "probe", "verdict": "strong",
    "score": 0.9, "points": {}, "missed": [], "rating": 3, "seconds": 60, "at": "2026-05-03T09:30:00+00:00",
    "due": "2026-05-17",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which the default learner has drilled."""
    found = tmp_path / "home"
    (found / "drills").mkdir(parents=True)
    (found / "drills" / "results.jsonl").write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    (found / "drills" / f"{DRILL}.json").write_text("{}\n", encoding="utf-8")
    monkeypatch.setenv("TUTOR_HOME", str(found))
    monkeypatch.setenv("TUTOR_STUDY_LEARNER", "ada")
    return found


def test_another_learners_answers_count_for_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress", "kafka", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "not-started"
    assert main(["export", "-"]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    assert (parts["drills"]["count"], parts["drilled"]["count"]) == (0, 0)


def test_erasing_deletes_nothing_of_another_learners(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["progress", "kafka", "--set", "learning"]) == 0
    assert main(["erase", "--yes"]) == 0
    assert (home / "drills" / f"{DRILL}.json").exists() and (home / "drills" / "results.jsonl").exists()
    monkeypatch.delenv("TUTOR_STUDY_LEARNER")
    assert main(["erase", "--yes"]) == 0, "the default learner's own go"
    assert not (home / "drills" / f"{DRILL}.json").exists()


MINE = "20260504-12345678"


@pytest.fixture
def several(home: Path) -> Path:
    """The home as an early version left it: its own folder holds a drill that both learners' progress counts.

    The default learner has drilled since; that drill counts for them alone.
    """
    drills = home / "drills"
    (drills / f"{DRILL}.pad.json").write_text("{}\n", encoding="utf-8")
    view = {"session": DRILL, "point": "p", "learner": "covered"}
    (drills / "overrides.jsonl").write_text(json.dumps(view) + "\n", encoding="utf-8")
    store = open_store(Settings(home=home, study={"learner": "ada"}))
    store.owner()
    with store.write() as session:
        session.add(
            Drilled(id="d", learner="ada", at=datetime(2026, 5, 3, tzinfo=UTC), session=DRILL, task=1, card="kafka",
                    verdict="strong", score=0.9)
        )  # fmt: skip
    store.close()
    with open(drills / "results.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({**ROW, "session": MINE, "card": "caching"}) + "\n")
    (drills / f"{MINE}.json").write_text("{}\n", encoding="utf-8")
    return home


def erased(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["erase", "--yes", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_who_is_erased_is_told_which_drills_lie_where_others_drilled_too(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = erased(capsys)
    assert (done["several"], done["kept_in"]) == ([DRILL], str(several / "drills"))
    assert (several / "drills" / f"{DRILL}.json").exists()
    assert erased(capsys)["several"] == [], "nothing counts for her any more"


def test_the_default_learners_erasing_puts_aside_what_another_may_have_made(
    several: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TUTOR_STUDY_LEARNER")
    assert main(["progress", "kafka", "--json"]) == 0
    done = erased(capsys)
    aside = Path(str(done["kept_in"]))
    assert done["several"] == [DRILL] and aside.parent == several / "backups"
    assert sorted(path.name for path in aside.iterdir()) == [
        f"{DRILL}.json", f"{DRILL}.pad.json", "overrides.jsonl", "results.jsonl"
    ]  # fmt: skip
    lines = [json.loads(line) for line in (aside / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [ROW]
    assert [path.name for path in (several / "drills").iterdir() if path.name != "lock"] == []
    assert main(["progress", "kafka", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "not-started", "what lies aside counts for nobody"
    again = erased(capsys)
    assert again["several"] == [] and str(aside) in again["left"]


def test_a_drill_that_another_has_a_copy_of_is_deleted(
    several: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TUTOR_STUDY_LEARNER")
    own = several / "learners" / "ada" / "drills"
    own.mkdir(parents=True)
    shutil.copy(several / "drills" / f"{DRILL}.json", own)
    assert erased(capsys)["several"] == []
    assert not (several / "drills" / f"{DRILL}.json").exists() and (own / f"{DRILL}.json").exists()


def test_the_terminal_says_where_they_lie(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "--yes"]) == 0
    said = capsys.readouterr().out
    assert f"  {DRILL}\n" in said and "delete those that are yours" in " ".join(said.split())


def test_each_learner_drills_and_votes_in_a_place_of_their_own(home: Path) -> None:
    app = App(Settings(home=home, study={"learner": "ada"}))
    app.feedback.add("Why?", "Because.", "down", note="no")
    store = app.drills.store if "drills" in app.__dict__ else None
    app.close()
    assert store is None or store.folder == home / "learners" / "ada" / "drills"
    assert (home / "learners" / "ada" / "feedback" / "answers.jsonl").exists() and not (home / "feedback").exists()
    assert len(candidates(own_home(home, "ada"))) == 1 and candidates(home) == []


def test_drills_that_another_learner_brings_in_go_to_their_own_place(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "export.json"
    own = home / "learners" / "ada" / "drills"
    shutil.copytree(home / "drills", own)
    assert main(["export", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["parts"]["drills"]["count"] == 2
    shutil.rmtree(own)
    shutil.rmtree(home / "drills")
    assert main(["import", str(out)]) == 0
    assert (own / f"{DRILL}.json").exists() and not (home / "drills").exists()


@pytest.mark.parametrize(
    ("learner", "place"),
    [
        ("local", ""),
        ("ada", "learners/ada"),
        ("ada@example.com", "learners/ada@example.com"),
        ("Ada", "learners/=41da"),  # a file system may not tell it from "ada"
        ("..", "learners/=2e=2e"),
        (".", "learners/=2e"),
        ("con", "learners/=63on"),
        ("com1.x", "learners/=63om1.x"),
        ("ada.", "learners/ada=2e"),
    ],
)
def test_a_place_lies_in_the_home_and_is_nobody_elses(learner: str, place: str) -> None:
    assert own_home(Path("home"), learner) == Path("home") / place
