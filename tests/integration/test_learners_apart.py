"""Two learners of one home: what one does shows, changes and deletes nothing of the other's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.evals.candidates import candidates
from tutor.settings import Settings
from tutor.study.whose import own_home

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
