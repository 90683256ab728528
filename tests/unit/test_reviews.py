"""Reviews in the store: each once, from several processes, and replayed the same."""

from __future__ import annotations

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tutor.study.reviews import GradedTask, Rated, load_deck, rate, take_in
from tutor.study.schedule import Deck, Item
from tutor.study.store import StudyStore

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    found = StudyStore(tmp_path / "study.db", clock=lambda: NOW)
    found.owner()
    return found


def items(store: StudyStore) -> dict[str, Item]:
    with store.read() as session:
        return load_deck(session, store.learner, retention=0.9, zone=ZONE).items


def task(number: int, verdict: str = "mixed", **points: str) -> GradedTask:
    return GradedTask(
        "20260301-abcd1234",
        number,
        "kafka",
        "why-not",
        "probe",
        verdict,
        0.5,
        points,
        4,
        60.0,
        NOW + timedelta(minutes=number),
    )


def test_a_graded_task_rates_its_card_and_points_once(store: StudyStore) -> None:
    tasks = [task(1, ack="covered", delay="missed", scale="prompted")]
    assert take_in(store, tasks, retention=0.9, zone=ZONE) == 1
    found = items(store)
    assert set(found) == {"kafka", "kafka/why-not/ack", "kafka/why-not/delay", "kafka/why-not/scale"}
    assert found["kafka/why-not/ack"].due > found["kafka/why-not/scale"].due >= found["kafka/why-not/delay"].due
    assert found["kafka/why-not/scale"].stability > found["kafka/why-not/delay"].stability
    assert take_in(store, tasks, retention=0.9, zone=ZONE) == 0
    assert items(store) == found
    assert take_in(store, [*tasks, task(2, "strong")], retention=0.9, zone=ZONE) == 1
    assert items(store)["kafka"].reps == 2


def test_what_was_not_graded_rates_nothing(store: StudyStore) -> None:
    assert take_in(store, [task(1, "ungraded", ack="missed")], retention=0.9, zone=ZONE) == 1
    assert items(store) == {}


def test_reviews_stored_one_by_one_are_those_of_one_deck(store: StudyStore) -> None:
    draw, deck, at = random.Random(3), Deck([], retention=0.9, zone=ZONE), NOW
    for n in range(120):
        at += timedelta(hours=draw.randrange(1, 30))
        ref, rating = f"card-{draw.randrange(12)}", draw.choice([1, 2, 3, 3, 4])
        deck.rate(ref, rating, at)  # type: ignore[arg-type]
        rate(store, [Rated(ref, rating, at, f"review:{n}")], retention=0.9, zone=ZONE)  # type: ignore[arg-type]
    assert items(store) == deck.items


def test_a_source_rates_a_ref_once(store: StudyStore) -> None:
    once = Rated("kafka", 3, NOW, "review:1")
    assert len(rate(store, [once, once], retention=0.9, zone=ZONE)) == 1
    assert rate(store, [once], retention=0.9, zone=ZONE) == []


def _take(folder: Path, numbers: range) -> None:
    other = StudyStore(folder / "study.db")
    for number in numbers:
        take_in(other, [task(n) for n in range(number + 1)], retention=0.9, zone=ZONE)


def test_two_processes_take_each_task_in_once(store: StudyStore, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_take, args=(tmp_path, range(12))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert items(store)["kafka"].reps == 12
