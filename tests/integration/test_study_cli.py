"""Studying on the terminal: each command, its JSON, what a drill leaves behind, and bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

POINT = "per-message-ack"


def tutor(
    home: Path, *arguments: str, said: str = "", code: int = 0, columns: int = 80
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TUTOR_HOME": str(home), "TUTOR_STUDY_ZONE": "Europe/Berlin", "COLUMNS": str(columns)}
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        input=said,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def rows(home: Path, *arguments: str, said: str = "", code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tutor(home, *arguments, "--json", said=said, code=code).stdout.splitlines()]


def drilled(home: Path, number: int, verdict: str, days: float, card: str = "kafka", **changes: Any) -> None:
    """A row as ``tutor drill`` leaves it behind."""
    folder = home / "drills"
    folder.mkdir(parents=True, exist_ok=True)
    row = {
        "session": f"20261101-{number:08x}",
        "task": 1,
        "card": card,
        "probe": "why-not-task-queue",
        "kind": "probe",
        "score": 0.5,
        "verdict": verdict,
        "points": {POINT: "missed" if verdict in ("weak", "wrong") else "covered"},
        "rating": 3,
        "seconds": 200.0,
        "at": (datetime.now(UTC) - timedelta(days=days)).isoformat(),
        **changes,
    }
    with open(folder / "results.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_first_day_begins_with_something_new(home: Path) -> None:
    found = rows(home, "today")[0]
    assert [line["kind"] for line in found["lines"]] == ["read", "read"]
    assert found["total"] <= found["minutes"] == 45
    assert all(line["why"].startswith("new, tier 1") for line in found["lines"])
    assert tutor(home, "today").stdout.startswith("Today, ")
    assert (home / "study.db").is_file() and (home / "cache" / "outline.json").is_file()


def test_a_failed_drill_is_due_and_pulls_up_what_it_builds_on(home: Path) -> None:
    drilled(home, 1, "wrong", 1.5)
    lines = rows(home, "today", "--minutes", "90")[0]["lines"]
    assert lines[0]["command"] == "tutor drill --card kafka why-not-task-queue"
    assert "last answer wrong" in lines[0]["why"]
    assert {line["refs"][0] for line in lines if "builds on it" in line["why"]} == {"replication", "sharding"}


def test_progress_of_a_card_with_its_history(home: Path) -> None:
    drilled(home, 1, "strong", 5)
    drilled(home, 2, "strong", 3, probe="how-order-guaranteed", points={})
    found = rows(home, "progress", "Apache Kafka")[0]
    assert (found["status"], found["why"], found["drilled"]) == ("mastered", "strong in drills on 2 days", 2)
    drilled(home, 3, "weak", 1)
    found = rows(home, "progress", "kafka")[0]
    assert (found["status"], found["why"]) == ("learning", "was mastered; a later drill was weak")
    assert found["missed"] == [f"why-not-task-queue/{POINT}"]
    rows(home, "progress", "kafka", "--set", "mastered", "--note", "explained it at work")
    shown = tutor(home, "progress", "kafka").stdout
    assert shown.startswith("[x] Apache Kafka (kafka)") and "By your own word." in shown
    assert "explained it at work" in shown and shown.count("why-not-task-queue: ") == 2
    history = rows(home, "progress", "kafka")[0]["history"]
    assert [row["what"] for row in history] == ["drill", "drill", "drill", "mark"]


def test_progress_of_all_by_phase_tier_section_and_plan(home: Path) -> None:
    rows(home, "progress", "kafka", "--set", "mastered")
    rows(home, "progress", "redis", "--set", "learning")
    found = rows(home, "progress")[0]
    assert (found["all"][0]["mastered"], found["all"][0]["learning"], found["all"][0]["cards"]) == (1, 1, 130)
    assert sum(s["cards"] for s in found["phases"]) == sum(s["cards"] for s in found["tiers"]) == 130
    assert sum(s["cards"] for s in found["sections"]) == 130 and len(found["cards"]) == 130
    assert {s["name"] for s in found["plans"]} == {"12-weeks", "28-days", "judgment-roadmap", "technical-excellence"}
    listed = rows(home, "progress", "--phase", "4")
    assert len(listed) == next(s["cards"] for s in found["phases"] if s["name"] == "4")
    assert all(len(line) <= 80 for line in tutor(home, "progress", "--tier", "2").stdout.splitlines())
    assert all(len(line) <= 80 for line in tutor(home, "progress").stdout.splitlines())
    assert len(rows(home, "progress", "--plan", "28-days", "--tier", "1")) < len(
        rows(home, "progress", "--plan", "28-days")
    )


def test_the_mastery_check(home: Path) -> None:
    items = rows(home, "progress", "kafka")[0]["check"]
    assert items
    out = rows(home, "progress", "--check", "kafka", said="y\n" * len(items))
    assert [row["ask"] for row in out[:-1]] == items
    assert (out[-1]["status"], out[-1]["why"]) == ("mastered", "the mastery check")
    assert out[-1]["due"] is not None  # it was a review too
    out = rows(home, "progress", "--check", "kafka", said="n\n" + "y\n" * (len(items) - 1))
    assert out[-1]["status"] == "learning" and out[-1]["history"][-1]["note"] == f"not yet: {items[0]}"
    broken = tutor(home, "progress", "--check", "redis", said="y\n", code=2)
    assert "nothing was taken down" in broken.stderr
    assert rows(home, "progress", "redis")[0]["status"] == "not-started"
    shown = tutor(home, "progress", "--check", "kafka", said="maybe\n" + "yes\n" * len(items))
    assert "type y or n" in shown.stderr and "[x] Apache Kafka" in shown.stdout


def test_a_review_is_stored_at_each_rating(home: Path) -> None:
    drilled(home, 1, "weak", 3, points={POINT: "missed", "partition-ceiling": "missed"})
    out = rows(home, "review", said='{"rating": 3, "confidence": 80}\n')  # then the input ends
    assert [sorted(row) for row in out[::2]] == [["ask", "recall", "ref", "title"]] * 2
    rated = out[1]
    assert rated["answer"] and rated["doc_id"] == "kafka" and rated["due"] > datetime.now(UTC).isoformat()
    again = rows(home, "review", said="oops\n9\n[1]\n2\n")
    assert rated["ref"] not in [row.get("ref") for row in again]  # it goes on with the rest
    assert [("error" in row) for row in again[:5]] == [False, True, True, True, False]
    assert rows(home, "review", "--card", "redis") == [{"done": 0, "more": 0}]


def test_a_review_typed_by_a_person(home: Path) -> None:
    drilled(home, 1, "weak", 3)
    shown = tutor(home, "review", said="130\n70\nwell\n5\n4\nq\n").stdout
    assert "How sure are you" in shown and "Source: the card Apache Kafka (kafka)" in shown
    assert "Again on " in shown and "1 rating stored, 1 still due." in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if " > " not in line)  # nobody's Enter ends a prompt here
    assert "Nothing is due" in tutor(home, "review", "--card", "redis").stdout
    assert "0 ratings stored" in tutor(home, "review", "--no-confidence", said="").stdout


@pytest.mark.parametrize("ref", ["kafka", f"kafka/why-not-task-queue/{POINT}"])
def test_what_is_forgotten_in_a_flash_round_makes_what_it_builds_on_due(home: Path, ref: str) -> None:
    """As a point that a drill misses does: Kafka builds on replication and on sharding."""
    drilled(home, 1, "strong", 60)

    def below() -> set[str]:
        lines = rows(home, "today", "--minutes", "120")[0]["lines"]
        return {line["title"] for line in lines if "and builds on it" in line["why"]}

    assert below() == set()
    asked = [row["ref"] for row in rows(home, "review", "--card", "kafka")[:1]]
    while asked[-1] != ref:  # what comes before it is recalled
        asked.append(rows(home, "review", "--card", "kafka", said="3\n")[-1]["ref"])
    rows(home, "review", "--card", "kafka", said="1\n")
    assert below() == {"Replication", "Partitioning and sharding, with consistent hashing"}


def test_paths_threads_and_maps(home: Path) -> None:
    found = rows(home, "path", "kafka")[0]
    assert [s["card"] for s in found["stages"]] == ["replication", "sharding", "kafka"] and found["hours"] > 1
    assert found["ties"]["before"] == ["replication", "sharding"] and "messaging" in found["ties"]["threads"]
    less = rows(home, "path", "kafka", "--from", "Replication", "--from", "sharding")[0]
    assert [s["card"] for s in less["stages"]] == ["kafka"] and set(less["left_out"]) == {"replication", "sharding"}
    assert len(rows(home, "path")) == 9
    assert tutor(home, "path", "kafka", "--map", "mermaid").stdout.startswith("flowchart LR\n")
    assert tutor(home, "path", "--map", "dot").stdout.startswith("digraph curriculum {\n")
    assert len(json.loads(tutor(home, "path", "--map", "json").stdout)["nodes"]) == 130
    way = tutor(home, "path", "kafka").stdout
    assert "2. Partitioning and sharding, with consistent hashing (sharding) " in way, "no title is cut for a status"
    assert "    not started; Apache Kafka builds on it; tier 1\n" in way
    for arguments in (["path", "kafka"], ["path"]):
        assert all(len(line) <= 80 for line in tutor(home, *arguments).stdout.splitlines())


def test_stats_with_what_they_rest_on(home: Path) -> None:
    empty = rows(home, "stats")[0]
    assert [r["percent"] for r in empty["readiness"]] == [None, None, None]
    assert empty["calibration"]["brier"] is None and empty["weak_points"] == []
    assert "not enough to say" in tutor(home, "stats").stdout
    for n in range(12):
        drilled(home, n, ["strong", "wrong", "mixed"][n % 3], 20 - n, score=[0.9, 0.0, 0.5][n % 3], rating=5,
                points={POINT: ["covered", "contradicted", "partly"][n % 3]})  # fmt: skip
    found = rows(home, "stats")[0]
    assert found["calibration"]["guesses"] == 12 and found["calibration"]["bias"] > 0.4
    assert found["contradictions"][0]["ref"] == f"kafka/why-not-task-queue/{POINT}"
    assert found["kinds"][0]["kind"] == "why-not" and found["kinds"][0]["answers"] == 12
    assert found["studied"]["days_30"] == 12 and found["studied"]["seconds"] == {"drill": 2400.0}
    shown = tutor(home, "stats").stdout
    assert "overconfident" in shown and "You have said both" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["progress", "kafak"], 1, "Did you mean: kafka"),
        (["progress", "kafka", "--set", "done"], 2, "One of: not-started, learning, mastered"),
        (["progress", "--set", "mastered"], 2, "--set: which card? As in: tutor progress kafka"),
        (["progress", "--check", "kafka", "--set", "mastered"], 2, "--set stands with a card alone"),
        (["path", "kafka", "--map", "dot", "--json"], 2, "--json: a map in dot is no JSON. As in: --map json"),
        (["export", "-", "--json"], 2, "--json: needs a file. The export is JSON as it is; leave --json."),
        (["export", "-", "--format", "anki"], 2, "needs a file. As in: tutor export weak.apkg"),
        (["progress", "kafka", "--note", "x"], 2, "goes with --set"),
        (["progress", "kafka", "--set", "learning", "--note", "x" * 2001], 2, "At most 2,000"),
        (["progress", "kafka", "--phase", "4"], 2, "do not go together"),
        (["progress", "--phase", "11"], 2, "From 0 to 9"),
        (["progress", "--tier", "0"], 2, "From 1 to 3"),
        (["progress", "--plan", "x"], 2, "Known: "),
        (["progress", "--section", "nonsense"], 2, "Known: "),
        (["progress", "--check", "nonsense"], 1, "no card is called so"),
        (["review", "--card", "nonsense"], 1, "no card is called so"),
        (["review", "--minutes", "0"], 2, "From 1 to 720"),
        (["today", "--minutes", "-5"], 2, "From 1 to 720"),
        (["today", "--minutes", "721"], 2, "From 1 to 720"),
        (["today", "--minutes", "many"], 2, "valid integer"),
        (["path", "nonsense"], 1, "no card is called so"),
        (["path", "kafka", "--from", "nonsense"], 1, "no card is called so"),
        (["path", "--map", "png"], 2, "One of: mermaid, dot, json"),
    ],
)
def test_bad_input_is_told(home: Path, arguments: list[str], code: int, said: str) -> None:
    assert said in tutor(home, *arguments, code=code).stderr


@pytest.mark.parametrize("line", ["", "{", "[]", "null", '{"session": 3}', '{"a": 1' * 2000, "\x00", "9" * 5000])
def test_any_rubbish_among_the_results_is_passed_over(home: Path, line: str) -> None:
    drilled(home, 1, "mixed", 2)
    with open(home / "drills" / "results.jsonl", "a", encoding="utf-8") as file:
        file.write(line + "\n")
    drilled(home, 2, "mixed", 1)
    assert rows(home, "progress", "kafka")[0]["drilled"] == 2


def test_a_real_drill_shows_up_in_progress(curriculum_home: Path) -> None:
    said = "go ahead\nKafka keeps a log; it commits offsets per partition, so a stuck job blocks those behind it.\n"
    out = rows(
        curriculum_home, "drill", "--card", "kafka", "why-not-task-queue", "--no-model", said=said + "skip\n" * 9
    )
    assert out[-1]["state"] == "done"
    found = rows(curriculum_home, "progress", "kafka")[0]
    assert found["status"] == "learning" and found["drilled"] == 1
    session = json.loads((curriculum_home / "drills" / "results.jsonl").read_text("utf-8").splitlines()[-1])
    assert session["points"] and set(session["points"].values()) <= {
        "covered",
        "prompted",
        "partly",
        "missed",
        "contradicted",
    }
    assert session["kind"] == "probe" and session["seconds"] >= 0


def test_a_drill_is_kept_where_progress_cannot_be_written(
    curriculum_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(curriculum_home, "progress", "kafka")[0]["drilled"]
    monkeypatch.setenv("TUTOR_STUDY_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    done = tutor(
        curriculum_home, "drill", "--card", "kafka", "why-not-task-queue", "--no-model", "--json", said="skip\n" * 12
    )
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "done"
    assert "your progress is not up to date, the drill is kept" in done.stderr
    monkeypatch.delenv("TUTOR_STUDY_URL")
    assert rows(curriculum_home, "progress", "kafka")[0]["history"][before:] != []


def test_reviews_of_two_terminals_at_once_are_all_kept(home: Path) -> None:
    drilled(home, 1, "weak", 9, points={POINT: "missed"})
    rows(home, "today")
    environment = os.environ | {"TUTOR_HOME": str(home)}
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tutor", "review", "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    first = [one.stdout.readline() for one in both if one.stdout]  # both have seen what is due
    assert first[0] == first[1] != ""
    for one in both:
        out, _ = one.communicate("3\n" * 9, timeout=120)
        assert one.returncode == 0 and json.loads(out.splitlines()[-1])["done"] == 2
    assert rows(home, "progress", "kafka")[0]["due"] > datetime.now(UTC).isoformat()
    assert rows(home, "stats")[0]["studied"]["days_30"] == 2
