"""Days that are written or counted are the learner's own, wherever on Earth that is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tutor.cli.main import main
from tutor.settings import Settings
from tutor.study.anki import due_today, notes
from tutor.study.readable import markdown
from tutor.study.rows import TABLES
from tutor.studying import open_study

AUCKLAND = ZoneInfo("Pacific/Auckland")
ROW = {
    "session": "20261120-abcdabcd", "task": 1, "card": "kafka", "probe": "why-not-task-queue", "kind": "probe",
    "verdict": "strong", "score": 0.9, "points": {}, "missed": [], "rating": 3, "seconds": 60, "due": "2026-12-04",
}  # fmt: skip
EVENING = "2026-11-20T20:00:00+00:00"  # 21 November there, in the morning


def test_a_cards_history_is_told_in_days_of_the_learner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "results.jsonl").write_text(json.dumps(ROW | {"at": EVENING}) + "\n", encoding="utf-8")
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    monkeypatch.setenv("TUTOR_STUDY_ZONE", "Pacific/Auckland")
    assert main(["progress", "kafka"]) == 0
    said = capsys.readouterr().out
    assert "2026-11-21  why-not-task-queue: strong" in said and "2026-11-20" not in said


def test_the_readable_export_is_written_in_days_of_the_learner() -> None:
    rows = {name: {"rows": []} for name in TABLES} | {"learners": {"rows": [{"id": "local", "name": ""}]}}
    entry = {"entry": "e", "version": 1, "deleted": False, "at": "2026-11-20T12:00:00+00:00", "title": "T", "text": "x"}
    parts = rows | {
        "entries": {"rows": [entry | {"tags": [], "cards": [], "item": ""}]},
        "marks": {"rows": [{"card": "kafka", "status": "learning", "at": EVENING, "why": "override", "note": ""}]},
        "reviews": {"rows": [{"at": EVENING}]},
        "memory": {"rows": [{"ref": "kafka", "due": EVENING, "reps": 1, "lapses": 0, "suspended": False}]},
        "drills": {"files": {}}, "feedback": {"files": {}},
    }  # fmt: skip
    text = markdown({"parts": parts, "made": EVENING}, {}, AUCKLAND)
    assert "As of 2026-11-21." in text and text.count("2026-11-21") == 3
    assert "### 2026-11-20 T" in text, "an entry of the log is of a day, not of a time"


def test_the_deck_holds_what_today_calls_due(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 20, tzinfo=UTC)
    study = open_study(Settings(home=tmp_path, study={"zone": "Pacific/Auckland"}), clock=lambda: now)
    try:
        study.review("kafka", 1)
        due = study.standing().deck.items["kafka"].due
        now = due - timedelta(hours=5)  # later on the same day there
        assert any(line.refs[:1] == ("kafka",) for line in study.today(600).lines)
        at = study.standing()
        empty = {"parts": {"memory": {"rows": []}, "drilled": {"rows": []}}}
        found = notes(empty, at.outline, due_today(at, study.zone))
        assert {note.ref.split("/")[0] for note in found} == {"kafka"}
    finally:
        study.close()
