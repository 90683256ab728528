"""Reviews in the store: each once, from several processes, and replayed the same."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count, cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from tutor.study.reviews import GradedTask, Rated, load_deck, rate, replay, take_in
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


Given = list[tuple[int, int, int]]  # ref, rating, minutes since the one before
GIVEN = st.tuples(st.integers(0, 4), st.sampled_from([1, 2, 3, 4]), st.integers(0, 60 * 24 * 40))


def history(given: Given) -> list[Rated]:
    ends = accumulate(minutes for _, _, minutes in given)
    return [
        Rated(f"card-{ref}", rating, NOW + timedelta(minutes=after), f"review:{n}")  # type: ignore[arg-type]
        for n, ((ref, rating, _), after) in enumerate(zip(given, ends, strict=True))
    ]


def in_memory(rated: Sequence[Rated]) -> dict[str, Item]:
    deck = Deck([], retention=0.9, zone=ZONE)
    for one in rated:
        deck.rate(one.ref, one.rating, one.at)
    return deck.items


def learners(study_url: str, tmp_path: Path) -> Generator[StudyStore, None, None]:
    """A database, as learners who have nothing yet."""
    for number in count():
        found = StudyStore(tmp_path / "study.db", url=study_url, learner=f"learner-{number}", clock=lambda: NOW)
        found.owner()
        try:
            yield found
        finally:
            found.close()


def replayed(store: StudyStore, refs: Iterable[str]) -> dict[str, Item]:
    """What is stored once the schedule was made again from all reviews."""
    with store.write() as session:
        replay(session, store.learner, refs, retention=0.9, zone=ZONE)
    return items(store)


def test_any_history_is_stored_as_it_is_in_memory_and_replayed_to_the_same(study_url: str, tmp_path: Path) -> None:
    fresh = learners(study_url, tmp_path)

    @hypothesis.settings(max_examples=12)
    @hypothesis.given(st.lists(GIVEN, min_size=1, max_size=12), st.lists(st.integers(1, 6), min_size=1, max_size=6))
    def holds(given: Given, sizes: list[int]) -> None:
        rated, store = history(given), next(fresh)
        expected, left = in_memory(rated), iter(rated)
        for size in cycle(sizes):  # one by one, and several at once
            if not (some := list(islice(left, size))):
                break
            rate(store, some, retention=0.9, zone=ZONE)
        assert items(store) == expected
        assert replayed(store, expected) == expected

    holds()
    fresh.close()


@hypothesis.settings(max_examples=12)
@hypothesis.given(st.lists(GIVEN, min_size=2, max_size=12), st.permutations(range(12)))
def test_reviews_that_come_in_late_count_in_their_place_in_time(given: Given, order: Sequence[int]) -> None:
    """As after an import, or from a clock that was set back. What FSRS knows is the same; the days may be others."""
    rated = history(given)
    # Of two at the same instant either may be the first, so those histories say nothing.
    hypothesis.assume(len({(one.ref, one.at) for one in rated}) == len(rated))
    came = [rated[n] for n in order if n < len(rated)]
    with TemporaryDirectory() as folder:
        store = StudyStore(Path(folder) / "study.db", clock=lambda: NOW)
        store.owner()
        for one in came:
            rate(store, [one], retention=0.9, zone=ZONE)
        found, expected = items(store), in_memory(rated)
        store.close()
    assert found.keys() == expected.keys()
    for ref, item in expected.items():
        assert replace(found[ref], due=item.due) == item, ref


def test_5000_reviews_are_stored_as_they_are_in_memory_and_replayed_to_the_same(study_url: str, tmp_path: Path) -> None:
    draw = random.Random(11)
    given = [(draw.randrange(300), draw.choice([1, 2, 3, 3, 3, 4]), draw.randrange(1, 240)) for _ in range(5_000)]
    rated, fresh = history(given), learners(study_url, tmp_path)
    store, expected, left = next(fresh), in_memory(rated), iter(rated)
    while some := list(islice(left, draw.randrange(1, 500))):
        rate(store, some, retention=0.9, zone=ZONE)
    assert items(store) == expected and len(expected) == 300
    assert replayed(store, expected) == expected
    fresh.close()


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
