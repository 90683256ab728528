"""Studying over HTTP: the same objects as the terminal, refused where the input is wrong; no index is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tutor.bootstrap import App
from tutor.settings import Settings, StudySettings
from tutor.web.app import create_app

API = "/api/v1/study"
POINT = "kafka/why-not-task-queue/per-message-ack"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "drills"
    folder.mkdir(parents=True)
    row = {
        "session": "20261101-00000001",
        "task": 1,
        "card": "kafka",
        "probe": "why-not-task-queue",
        "kind": "probe",
        "score": 0.1,
        "verdict": "wrong",
        "points": {"per-message-ack": "missed"},
        "rating": 4,
        "seconds": 200.0,
        "at": (datetime.now(UTC) - timedelta(days=2)).isoformat(),
    }
    (folder / "results.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return tmp_path / "home"


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    core = App(Settings(home=home, study=StudySettings(zone="Europe/Berlin")))
    with TestClient(create_app(core), base_url="http://127.0.0.1") as found:
        yield found
    core.close()


def test_today(client: TestClient) -> None:
    found = client.get(f"{API}/today", params={"minutes": 90}).json()
    assert found["lines"][0]["refs"][0] == "kafka" and found["total"] <= 90
    assert {"kind", "title", "why", "minutes", "refs", "command"} == set(found["lines"][0])


def test_progress_mark_and_check(client: TestClient) -> None:
    assert client.get(f"{API}/progress").json()["all"][0]["learning"] == 1
    card = client.get(f"{API}/progress/Apache Kafka").json()
    assert (card["status"], card["history"][0]["verdict"]) == ("learning", "wrong")
    marked = client.post(f"{API}/progress/kafka", json={"status": "mastered", "note": "at work"})
    assert marked.status_code == 201 and marked.json()["status"] == "mastered"
    done = [True] * len(card["check"])
    assert client.post(f"{API}/progress/redis/check", json={"done": [False]}).status_code == 422
    assert client.post(f"{API}/progress/kafka/check", json={"done": done}).json()["why"] == "the mastery check"
    assert client.post(f"{API}/progress/kafka/check", json={"done": [False, *done[1:]]}).json()["status"] == "learning"


def test_review_counts_a_key_once(client: TestClient) -> None:
    due = client.get(f"{API}/review").json()
    assert POINT in [flash["ref"] for flash in due["flashes"]]
    body = {"ref": POINT, "rating": 4, "confidence": 70, "seconds": 12.5, "key": "r1"}
    first, again = client.post(f"{API}/review", json=body), client.post(f"{API}/review", json=body)
    assert first.status_code == 201 and first.json() == again.json() and first.json()["reps"] == 2
    assert POINT not in [flash["ref"] for flash in client.get(f"{API}/review").json()["flashes"]]
    assert client.get(f"{API}/stats").json()["calibration"]["guesses"] == 2  # of the drill too


def test_paths_threads_map_and_stats(client: TestClient) -> None:
    found = client.get(f"{API}/path/kafka", params={"have": ["sharding"]}).json()
    assert [s["card"] for s in found["stages"]] == ["replication", "kafka"] and found["left_out"] == ["sharding"]
    assert len(client.get(f"{API}/threads").json()) == 9
    assert len(client.get(f"{API}/map").json()["nodes"]) == 130
    drawn = client.get(f"{API}/map", params={"card": "kafka", "form": "mermaid"})
    assert drawn.headers["content-type"].startswith("text/plain") and drawn.text.startswith("flowchart LR")
    assert client.get(f"{API}/stats").json()["readiness"][0]["percent"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/today?minutes=0", None, 422),
        ("GET", "/progress/nonsense", None, 404),
        ("POST", "/progress/kafka", {"status": "done"}, 422),
        ("POST", "/progress/kafka", {"status": "mastered", "extra": 1}, 422),
        ("POST", "/progress/kafka", {"status": "mastered", "note": "x" * 2001}, 422),
        ("POST", "/review", {"ref": "kafka/x/y", "rating": 3}, 404),
        ("POST", "/review", {"ref": "kafka", "rating": 5}, 422),
        ("POST", "/review", {"ref": "kafka", "rating": 3, "confidence": 101}, 422),
        ("GET", "/review?card=nonsense", None, 404),
        ("GET", "/path/nonsense", None, 404),
        ("GET", "/map?form=png", None, 422),
    ],
)
def test_bad_input_is_refused(client: TestClient, method: str, path: str, body: object, status: int) -> None:
    answer = client.request(method, API + path, json=body)
    assert answer.status_code == status and answer.json()["error"]["what"]


def test_half_a_character_in_a_note_is_stored_whole(client: TestClient) -> None:
    raw = b'{"status": "learning", "note": "a\\ud83d b"}'
    answer = client.post(f"{API}/progress/kafka", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 201


def test_many_at_once_lose_nothing(client: TestClient) -> None:
    def rate(number: int) -> int:
        return client.post(f"{API}/review", json={"ref": POINT, "rating": 3, "key": f"k{number}"}).status_code

    client.get(f"{API}/today")  # takes the drill in
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(rate, range(24))) == {201}
    body = {"ref": POINT, "rating": 3, "key": "last"}
    assert client.post(f"{API}/review", json=body).json()["reps"] == 26


def test_a_damaged_store_is_told_with_what_to_do(home: Path) -> None:
    (home / "study.db").write_bytes(b"no database at all" * 100)
    core = App(Settings(home=home))
    with TestClient(create_app(core), base_url="http://127.0.0.1") as client:
        answer = client.get(f"{API}/today")
    assert answer.status_code == 503 and "damaged" in answer.json()["error"]["what"]


def test_the_interface_is_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    assert {f"{API}/{name}" for name in ("today", "progress", "review", "path/{card}", "map", "stats")} <= set(
        described
    )


def test_errors_name_fields_of_the_api_not_options_of_commands(client: TestClient) -> None:
    start = client.post("/api/v1/study/plans/28-days/start", json={"start": "2020-01-01"})
    assert start.status_code == 422 and start.json()["error"]["about"] == "start"
    custom = {"interview": "2020-01-01", "track": "backend", "hours": 8}
    assert client.post("/api/v1/study/plans/custom", json=custom).json()["error"]["about"] == "interview"
