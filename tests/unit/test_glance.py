"""What is read at a glance is what the store gives; and where there is more to do than read, nothing is."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as chosen
from hypothesis import strategies as st

from tutor.study import backups, records, reviews, taken
from tutor.study.evidence import GradedTask, Noted, Rated
from tutor.study.followed import since_of
from tutor.study.glance import glance
from tutor.study.pacing import skips_of
from tutor.study.standing import Kept
from tutor.study.store import StudyStore

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOW: dict[str, Any] = {"retention": 0.9, "zone": ZoneInfo("Europe/Berlin")}

names = st.sampled_from(["kafka", "raft", "caching", "ä-€ '\"", "x" * 60])
#: With and without a fraction of a second: SQLAlchemy writes both alike.
moments = st.integers(0, 90 * 86_400 * 10).map(lambda tenths: NOW - timedelta(seconds=tenths / 10))
verdicts = st.sampled_from(["strong", "mixed", "weak", "wrong", "ungraded"])
points = st.dictionaries(st.sampled_from(["ack", "delay", "né"]), st.sampled_from(["covered", "missed", "prompted"]))
views = st.dictionaries(st.sampled_from(["ack", "delay"]), st.just({"graded": "missed", "at": NOW.isoformat()}))
tasks = st.builds(
    GradedTask,
    st.text("0123456789abcdef-", min_size=1, max_size=12),
    st.integers(0, 3),
    names,
    st.sampled_from(["", "why-not"]),
    st.sampled_from(["", "probe", "twist"]),
    verdicts,
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])),
    points,
    st.none() | st.integers(1, 5),
    st.none() | st.floats(0, 900),
    moments,
    views,
)
ratings = st.builds(
    Rated,
    names | names.map(lambda name: f"{name}/why-not/ack"),
    st.integers(1, 4),
    moments,
    st.uuids().map(lambda key: f"review:{key}"),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
)
marks = st.builds(
    Noted,
    names,
    st.sampled_from(["not-started", "learning", "mastered"]),
    st.sampled_from(["check", "override", "import"]),
    moments,
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
specs = st.sampled_from(
    [
        {},
        {"since": (NOW - timedelta(days=40)).isoformat()},
        {"began": "2026-01-05", "dropped": ["day-01/notes"]},
        {"interview": "2026-06-01", "track": "backend", "hours": 8, "cards": ["kafka"]},
    ]
)
plans = st.tuples(
    st.sampled_from(["28-days", "12-weeks", "custom", "gone"]),
    st.dates(date(2026, 1, 1), date(2026, 3, 1)),
    st.sampled_from([1.0, 0.5, 2.25]),
    st.sampled_from([[], ["sunday"], ["2026-03-05", "saturday"]]),
    specs,
    st.booleans(),
    moments,
)
ticks = st.tuples(st.sampled_from(["28-days", "12-weeks"]), names, st.booleans(), moments)


@cache
def new_file() -> bytes:
    """A database with two learners and nothing else: migrating it anew for each example would take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.db"
        for learner in ("local", "other"):  # whose rows are nobody else's
            store = StudyStore(path, learner=learner, clock=lambda: NOW)
            store.owner()
            reviews.rate(store, [Rated("raft", 3, NOW, "review:theirs")] if learner == "other" else [], **HOW)
            store.close()
        return path.read_bytes()


def stored(store: StudyStore) -> Kept:
    """What the store gives through SQLAlchemy."""
    with store.read() as session:
        found = records.kept(session, store.learner, reviews.graded(session, store.learner))
        under_way = taken.active(session, store.learner)
        both = {n: (one, taken.ticks(session, store.learner, n, since_of(one))) for n, one in under_way.items()}
    return Kept(found.items, found.tasks, found.marks, found.rated, both)


def seen(path: Path, learner: str = "local", now: datetime = NOW) -> Kept | None:
    return glance(path, learner, now=now, keep=7)


def alike(found: Kept | None, wanted: Kept) -> None:
    """Equal, in the same order, and of the same kinds: a 1 is no True, and a list no tuple."""
    assert repr(found) == repr(wanted)
    assert found == wanted


@chosen(max_examples=30)
@given(
    st.lists(ratings, max_size=25),
    st.lists(tasks, max_size=8),
    st.lists(marks, max_size=6),
    st.lists(plans, max_size=4),
    st.lists(ticks, max_size=8),
    st.sets(names, max_size=2),
)
def test_the_glance_is_what_the_store_gives(
    rated: list[Rated],
    graded: list[GradedTask],
    marked: list[Noted],
    followed: list[Any],
    ticked: list[Any],
    aside: set[str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.db"
        path.write_bytes(new_file())
        store = StudyStore(path, clock=lambda: NOW)
        reviews.rate(store, rated, **HOW)
        reviews.take_in(store, graded, **HOW)
        for name in aside:
            reviews.suspend(store, name, out=True, **HOW)
        with store.write() as session:
            for mark in marked:
                records.add_mark(session, "local", mark)
            for plan, start, pace, skips, spec, on, at in followed:
                taken.add_plan(
                    session, "local", plan, start=start, pace=pace, skips=skips_of(skips), spec=spec, at=at, active=on
                )
            for plan, item, done, at in ticked:
                taken.add_ticks(session, "local", plan, [item], done=done, at=at)
        wanted = stored(store)
        store.close()
        alike(seen(path), wanted)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with three reviews in it, closed."""
    file = tmp_path / "study.db"
    store = StudyStore(file, clock=lambda: NOW)
    store.owner()
    reviews.rate(store, [Rated(f"card-{n}", 3, NOW - timedelta(days=n), f"review:{n}") for n in range(3)], **HOW)
    store.close()
    return file


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_big_store_is_read_alike(path: Path) -> None:
    store = StudyStore(path, clock=lambda: NOW)
    many = [Rated(f"card-{n % 200}/p/{n % 7}", 1 + n % 4, NOW - timedelta(hours=n), f"many:{n}") for n in range(800)]  # type: ignore[arg-type]
    reviews.rate(store, many, **HOW)
    wanted = stored(store)
    store.close()
    assert len(wanted.items) > 500
    alike(seen(path), wanted)


def test_the_day_s_backup_is_made(path: Path) -> None:
    found = seen(path, now=NOW + timedelta(days=1))
    assert found is not None and len(found.items) == 3
    assert backups.folder(path).joinpath("daily-2026-03-02.db").is_file()


def test_a_read_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    assert seen(path) is not None
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["backups", "study.db"]


def test_what_another_process_has_just_written_is_seen(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE memory SET lapses = 4 WHERE ref = 'card-1'")  # in the write-ahead log only
        assert Path(f"{path}-wal").stat().st_size > 0
        found = seen(path)
        assert found is not None and {item.ref: item.lapses for item in found.items}["card-1"] == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version SET version_num = '0003'",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "DROP TABLE marks",
        "UPDATE memory SET due = 'soon'",
        "UPDATE memory SET at = 17",
        "UPDATE memory SET due = x'ff'",
        "INSERT INTO drilled VALUES ('1', 'local', '2026-03-01 09:00:00.000000', 's', 1, 'c', 'p', '', 'mixed', 0.5, "
        "'{', NULL, NULL, '{}')",
        "INSERT INTO plans VALUES ('1', 'local', '2026-03-01 09:00:00.000000', '28-days', 'today', 1.0, '[]', '{}', 1)",
    ],
    ids=lambda statement: " ".join(statement.split()[:4]),
)
def test_what_makes_no_sense_is_left_to_the_store(path: Path, statement: str) -> None:
    assert seen(path) is not None
    change(path, statement)
    assert seen(path) is None


def test_somebody_new_is_left_to_the_store(path: Path) -> None:
    assert seen(path, "somebody") is None


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert seen(tmp_path / "study.db") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"no database at all, but some text that stands in its place"])
def test_a_damaged_file_is_left_to_the_store_as_it_is(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    assert seen(path) is None
    assert path.read_bytes() == damage


def test_a_torn_page_is_left_to_the_store(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    assert seen(path) is None


def test_a_file_that_the_process_has_open_is_left_to_the_store(path: Path) -> None:
    store = StudyStore(path, clock=lambda: NOW)
    try:
        assert seen(path) is None
    finally:
        store.close()
    assert seen(path) is not None


def test_a_backup_that_cannot_be_made_is_left_to_the_store(path: Path) -> None:
    folder = backups.folder(path)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("a file where the folder should be", encoding="utf-8")
    assert seen(path) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_left_to_the_store(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        assert seen(path) is None
    finally:
        path.parent.chmod(0o700)
