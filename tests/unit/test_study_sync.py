"""Drills taken in: each once, a changed one in place of the old, a late one in its place in time; from any rows."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from tutor.study.records import last_ratings
from tutor.study.reviews import GradedTask, Rated, graded, load_deck, rate, replay, take_in
from tutor.study.schedule import AGAIN, Deck, Item
from tutor.study.store import StudyStore
from tutor.study.sync import tasks_of
from tutor.study.tables import Drilled, Review

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    found = StudyStore(tmp_path / "study.db", clock=lambda: NOW)
    found.owner()
    yield found
    found.close()


def row(number: int = 1, **changes: object) -> dict[str, Any]:
    return {
        "session": f"20260301-{number:08x}",
        "task": 1,
        "card": "kafka",
        "probe": "why-not",
        "kind": "probe",
        "score": 0.5,
        "verdict": "mixed",
        "points": {"ack": "covered", "delay": "missed", "scale": "prompted"},
        "rating": 4,
        "seconds": 90.0,
        "at": (NOW + timedelta(hours=number)).isoformat(),
        **changes,
    }


def take(store: StudyStore, *rows: dict[str, Any]) -> int:
    return take_in(store, tasks_of(rows), retention=0.9, zone=ZONE)


def items(store: StudyStore) -> dict[str, Item]:
    with store.read() as session:
        return load_deck(session, store.learner, retention=0.9, zone=ZONE).items


def count(store: StudyStore, table: type[Drilled] | type[Review]) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_row_is_a_task() -> None:
    assert tasks_of([row()]) == [
        GradedTask(
            "20260301-00000001", 1, "kafka", "why-not", "probe", "mixed", 0.5,
            {"ack": "covered", "delay": "missed", "scale": "prompted"}, 4, 90.0, NOW + timedelta(hours=1),
        )
    ]  # fmt: skip


def test_of_rows_of_one_task_the_last_counts() -> None:
    assert [t.verdict for t in tasks_of([row(), row(2), row(verdict="strong")])] == ["strong", "mixed"]


def test_rows_of_an_early_version_are_numbered() -> None:
    old = {k: v for k, v in row().items() if k not in ("task", "points", "kind", "seconds")}
    assert [(t.task, t.points) for t in tasks_of([old, {**old, "probe": "how"}])] == [(1, {}), (2, {})]


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": None},
        {"session": ""},
        {"session": "x" * 41},
        {"task": "1"},
        {"task": -1},
        {"task": True},
        {"task": 2**40},
        {"card": None},
        {"card": "x" * 121},
        {"verdict": "fine"},
        {"verdict": None},
        {"verdict": ["mixed"]},
        {"score": None},
        {"score": float("nan")},
        {"score": "0.5"},
        {"at": None},
        {"at": "yesterday"},
        {"at": "9999-99-99T00:00:00"},
    ],
)
def test_a_row_that_makes_no_sense_is_passed_over_and_the_others_are_not(wrong: dict[str, object]) -> None:
    assert [t.session for t in tasks_of([row(1, **wrong), row(2)])] == ["20260301-00000002"]


def test_parts_that_make_no_sense_are_left_out() -> None:
    odd = row(points={"ack": "covered", "x": "fine", "": "missed", "y": 3}, rating=9, seconds=-1, score=7)
    task = tasks_of([odd])[0]
    assert (task.points, task.rating, task.seconds, task.score) == ({"ack": "covered"}, None, None, 1.0)
    assert tasks_of([row(points=["ack"], at="2026-03-01T10:00:00")])[0].at == NOW + timedelta(hours=1)


@given(st.lists(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=5))))
def test_no_row_breaks_the_others(rows: list[dict[str, Any]]) -> None:
    assert tasks_of([*rows, row()]) == tasks_of([row()])


def test_taking_in_again_changes_nothing(store: StudyStore) -> None:
    assert take(store, row(), row(2)) == 2
    before = items(store), count(store, Review)
    assert take(store, row(), row(2)) == 0
    assert take(store, row(2)) == 0
    assert (items(store), count(store, Review)) == before
    assert items(store)["kafka"].reps == 2


def test_what_is_stored_reads_as_it_was_given(store: StudyStore) -> None:
    odd = row(3, rating=None, seconds=None, points={}, at=(NOW + timedelta(microseconds=123457)).isoformat())
    take(store, odd, row())
    with store.read() as session:
        assert list(graded(session, store.learner).values()) == tasks_of([odd, row()])


def test_a_changed_row_takes_the_place_of_the_old(store: StudyStore, tmp_path: Path) -> None:
    take(store, row(), row(2))
    changed = row(verdict="strong", score=0.9, points={"ack": "covered", "other": "partly"})
    assert take(store, changed, row(2)) == 1
    fresh = StudyStore(tmp_path / "fresh.db")
    fresh.owner()
    take(fresh, changed, row(2))
    assert items(store) == items(fresh)  # as if it had been so from the beginning
    assert (count(store, Drilled), count(store, Review)) == (count(fresh, Drilled), count(fresh, Review)) == (2, 7)


def test_a_row_that_is_ungraded_after_all_takes_its_ratings_back(store: StudyStore) -> None:
    take(store, row())
    assert take(store, row(verdict="ungraded", points={})) == 1
    assert items(store) == {} and count(store, Review) == 0


def test_a_drill_that_comes_in_late_counts_in_its_place(store: StudyStore, tmp_path: Path) -> None:
    early, late = row(1, verdict="weak"), row(80, verdict="strong")
    take(store, late)
    take(store, early)
    other = StudyStore(tmp_path / "other.db")
    other.owner()
    take(other, early, late)
    assert items(store) == items(other)
    with store.read() as session:
        assert last_ratings(session, store.learner)["kafka"] == (3, NOW + timedelta(hours=80))


def test_a_replay_of_everything_is_what_was_there(store: StudyStore) -> None:
    draw, at, deck = random.Random(5), NOW, Deck([], retention=0.9, zone=ZONE)
    rated = []
    for n in range(300):
        at += timedelta(hours=draw.randrange(1, 12))
        rated.append(Rated(f"c{draw.randrange(9)}", draw.choice([1, 2, 3, 4]), at, f"review:{n}"))  # type: ignore[arg-type]
        deck.rate(rated[-1].ref, rated[-1].rating, at)
    rate(store, rated, retention=0.9, zone=ZONE)
    assert items(store) == deck.items
    with store.write() as session:
        replay(session, store.learner, deck.items, retention=0.9, zone=ZONE)
    for ref, item in items(store).items():
        known = deck.items[ref]
        assert (item.stability, item.difficulty, item.state, item.reps, item.lapses, item.last) == (
            known.stability, known.difficulty, known.state, known.reps, known.lapses, known.last,
        )  # fmt: skip


def test_the_last_rating_is_the_newest(store: StudyStore) -> None:
    rated = [Rated("c", g, NOW + timedelta(days=d), f"review:{d}") for g, d in ((3, 0), (1, 5), (2, 3))]  # type: ignore[arg-type]
    rate(store, rated, retention=0.9, zone=ZONE)
    with store.read() as session:
        assert last_ratings(session, store.learner) == {"c": (AGAIN, NOW + timedelta(days=5))}


def test_thousands_of_tasks_are_taken_in_at_once(store: StudyStore) -> None:
    rows = [row(n, card=f"c{n % 40}", points={f"p{n % 7}": "missed"}) for n in range(1, 1501)]
    assert take(store, *rows) == 1500
    assert len(items(store)) == 40 + 280 and count(store, Review) == 3000


def test_two_learners_are_apart(store: StudyStore, tmp_path: Path) -> None:
    take(store, row())
    other = StudyStore(tmp_path / "study.db", learner="ann")
    other.owner()
    assert take(other, row(), row(2)) == 2
    assert items(store)["kafka"].reps == 1 and items(other)["kafka"].reps == 2


def _worker(path: Path, seed: int) -> None:
    other = StudyStore(path)
    draw = random.Random(seed)
    for _ in range(8):
        some = [row(n, verdict=draw.choice(["strong", "mixed"])) for n in draw.sample(range(1, 9), 5)]
        take(other, *some)
    take(other, *(row(n, verdict="strong") for n in range(1, 9)))


def test_processes_that_take_in_and_change_the_same_rows_end_alike(store: StudyStore, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_worker, args=(tmp_path / "study.db", seed)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(180)
        assert worker.exitcode == 0
    take(store, *(row(n, verdict="strong") for n in range(1, 9)))
    assert count(store, Drilled) == 8 and count(store, Review) == 32
    assert items(store)["kafka"].reps == 8
