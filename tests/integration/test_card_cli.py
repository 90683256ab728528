"""``tutor card`` prints a card within the terminal's width, and says what comes next."""

from __future__ import annotations

import json
import pydoc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tutor.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_a_card_is_printed_within_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "Apache", "Kafka"]) == 0
    said = capsys.readouterr().out
    assert "\033" not in said and "**" not in said and "##" not in said
    lines = said.splitlines()
    assert not [line for line in lines if len(line) > 80 and "://" not in line]
    assert "Phase 4, Asynchronous communication, tier 1 (kafka)" in lines
    for part in ("Why it exists", "Trade-offs", "When NOT to use", "Production failures", "Mastery check"):
        assert part in map(str.strip, lines)
    assert "Builds on: replication, sharding" in lines and "Read on:" in lines
    assert "  https://kafka.apache.org/quickstart" in lines, "an address is not cut"
    assert lines[-1] == "Then: tutor drill --card kafka why-not-task-queue"


def test_the_question_at_its_end_is_the_one_to_ask_next(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"session": "20261101-00000001", "task": 1, "card": "kafka", "probe": "why-not-task-queue", "score": 0.9}
    row |= {"verdict": "strong", "points": {"per-message-ack": "covered"}, "at": datetime.now(UTC).isoformat()}
    (home / "drills").mkdir()
    (home / "drills" / "results.jsonl").write_text(json.dumps(row) + "\n")
    assert main(["card", "kafka", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["id"], found["title"], found["prerequisites"]) == (
        "kafka",
        "Apache Kafka",
        ["replication", "sharding"],
    )
    assert found["text"].lstrip().startswith("## Why it exists") and found["resources"][0]["url"].startswith("https://")
    assert found["drill"].startswith("tutor drill --card kafka ") and "why-not-task-queue" not in found["drill"]


def test_an_unknown_card_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "kafak"]) == 1
    error = capsys.readouterr().err
    assert "no card is called so" in error and "kafka" in error


def test_a_damaged_store_does_not_hide_the_card(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "study.db").mkdir()  # no store can be opened there
    assert main(["card", "kafka"]) == 0
    said = capsys.readouterr()
    assert "Why it exists" in said.out and "cannot be read" in said.err and "Traceback" not in said.err


def test_on_a_terminal_what_is_longer_than_it_is_paged_in_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paged: list[str] = []
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(pydoc, "pager", paged.append)
    assert main(["card", "kafka"]) == 0
    assert len(paged) == 1 and "\033[1m" in paged[0] and not capsys.readouterr().out
    assert main(["card", "kafka", "--no-pager"]) == 0
    assert len(paged) == 1 and "Why it exists" in capsys.readouterr().out
