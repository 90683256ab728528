"""A study database that is broken, on a full disk or not to be written: nothing is lost, and what happened is told."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tutor.errors import StudyDamaged, StudyFault, StudyFull
from tutor.study import backups
from tutor.study.salvage import salvage
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Conversation, Memory, Sitting

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: int) -> Callable[[], datetime]:
    return lambda: NOW + days * DAY


def add(store: StudyStore, *seconds: float, ref: str = "") -> None:
    with store.write() as session:
        session.add_all(
            Sitting(id=new_id(), learner="local", at=NOW, seconds=s, kind="read", ref=ref or "r" * 200) for s in seconds
        )


def seconds(store: StudyStore) -> list[float]:
    with store.read() as session:
        return sorted(session.scalars(select(Sitting.seconds).execution_options(populate_existing=True)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with rows 0 to 299 in its backup of the first day, and 300 to 399 since."""
    path = tmp_path / "ho me?#%" / "study.db"
    store = StudyStore(path, clock=at(0))
    store.owner()
    add(store, *map(float, range(300)))
    store.close()
    (path.parent / "backups" / "daily-2026-05-03.db").unlink()  # made when it was opened: empty
    store = StudyStore(path, clock=at(0))
    add(store, *map(float, range(300, 400)))
    store.close()
    return path


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def pages_of(path: Path, table: str) -> list[int]:
    """The leaf pages of a table, with their offsets in bytes."""
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    data = path.read_bytes()
    inner = data[(root - 1) * size : root * size]
    assert inner[0] == 5, "the table must be large enough to have inner pages"
    cells = int.from_bytes(inner[3:5], "big")
    starts = [int.from_bytes(inner[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
    return [(int.from_bytes(inner[start : start + 4], "big") - 1) * size for start in starts]


def broken_header(path: Path) -> None:
    overwrite(path, 0, b"\x00" * 100)


def broken_start(path: Path) -> None:
    overwrite(path, 0, os.urandom(4096))


def broken_settings(path: Path) -> None:
    overwrite(path, 16, b"\xff" * 60)


def broken_page(path: Path) -> None:
    overwrite(path, pages_of(path, "sittings")[-1], b"\xa5" * 4096)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def removed(path: Path) -> None:
    path.unlink()


def made_anew(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


WHOLE = [broken_header, broken_start, broken_settings, emptied, made_anew]


@pytest.mark.parametrize("harm", [*WHOLE, broken_page, cut_short, removed])
@pytest.mark.parametrize("days", [0, 1])
def test_damage_is_found_told_and_mended(harm: Callable[[Path], None], days: int, path: Path) -> None:
    harm(path)
    broken = path.read_bytes() if path.exists() else b""
    store = StudyStore(path, clock=at(days))
    if not store.news:  # a page is damaged that nobody had looked at: it is mended when somebody does
        with pytest.raises(StudyDamaged, match=r"was damaged.*Run it again\."):
            seconds(store)
    found = seconds(store)
    assert set(found) >= set(map(float, range(300)))
    assert set(found) <= set(map(float, range(400)))
    if harm is broken_page:  # what came after the backup and lies on other pages was still read
        assert len(found) >= 360
    (told,) = store.news
    assert "was damaged" in told and "the backup daily-2026-05-03.db" in told
    kept = list(path.parent.glob("study.damaged-*.db"))
    assert [file.read_bytes() for file in kept] == ([broken] if harm is not removed else [])
    assert all(file.name in told for file in kept)
    add(store, 1000.0)
    assert store.check() > 0
    store.close()
    again = StudyStore(path, clock=at(days))
    assert again.news == [] and seconds(again) == [*found, 1000.0]
    again.close()


def test_a_damaged_page_pushes_no_good_copy_out(path: Path) -> None:
    broken_page(path)
    before = {p.name: p.read_bytes() for p in backups.copies(path)}
    with pytest.raises(StudyDamaged):
        backups.make(path, NOW + DAY, name="daily-2026-05-04", keep=1)
    assert {p.name: p.read_bytes() for p in backups.copies(path)} == before
    assert {p.name for p in (path.parent / "backups").iterdir()} == set(before)


def test_a_database_that_lost_rows_pushes_no_good_copy_out(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM sittings")
        connection.commit()
    for day in range(1, 5):
        StudyStore(path, clock=at(day), keep=1).close()
    kept = [p.name for p in backups.copies(path)]
    assert "daily-2026-05-03.db" in kept


def test_so_many_daily_copies_are_kept_and_the_new_one_always(path: Path) -> None:
    StudyStore(path, clock=lambda: datetime(2099, 1, 1, tzinfo=UTC), keep=3).close()  # a clock that was wrong once
    for day in range(1, 6):
        store = StudyStore(path, clock=at(day), keep=3)
        add(store, 1.0)
        store.close()
    kept = {p.name for p in backups.copies(path)}
    assert kept == {"daily-2026-05-06.db", "daily-2026-05-07.db", "daily-2026-05-08.db"}
    assert {p.stat().st_mode & 0o077 for p in (path, *backups.copies(path))} == {0}


def test_without_a_backup_the_file_stays_and_that_is_told(path: Path) -> None:
    shutil.rmtree(path.parent / "backups")
    broken_start(path)
    before = path.read_bytes()
    with pytest.raises(StudyDamaged, match="there is no backup") as caught:
        StudyStore(path, clock=at(0))
    assert "tutor import" in caught.value.fix
    assert path.read_bytes() == before and not list(path.parent.glob("*damaged*"))


@pytest.mark.parametrize("reviewed", ["before", "after"])
@pytest.mark.parametrize("out", [True, False])
def test_what_was_set_aside_or_taken_back_since_is_kept(tmp_path: Path, out: bool, reviewed: str) -> None:
    """The later word on that stands, whichever of the two files has the later review."""
    path, good = tmp_path / "study.db", tmp_path / "copy.db"
    store = StudyStore(path, clock=at(0))
    store.owner()
    with store.write() as session:
        session.add(
            Memory(id="m", learner="local", at=NOW, ref="kafka", state=2, due=NOW + DAY, reps=1,
                   suspended=not out, suspended_at=NOW + timedelta(hours=1))
        )  # fmt: skip
    store.close()
    shutil.copy(path, good)
    later = path if reviewed == "after" else good
    for file, field, value in (
        (path, "suspended", out),
        (path, "suspended_at", "2026-05-03 12:30:00.000000"),
        (later, "reps", 2),
        (later, "at", "2026-05-03 13:30:00.000000"),
    ):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"UPDATE memory SET {field} = ?", (value,))
            connection.commit()
    assert salvage(path, good) == 1
    with closing(sqlite3.connect(good)) as connection:
        rows = connection.execute("SELECT suspended, suspended_at, reps, at FROM memory").fetchall()
    assert rows == [(int(out), "2026-05-03 12:30:00.000000", 2, "2026-05-03 13:30:00.000000")]
    assert salvage(path, good) == 0, "nothing is newer now"
    assert salvage(good, path) == (1 if reviewed == "before" else 0), "the word that is later stays"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT suspended, reps FROM memory").fetchall() == [(int(out), 2)]


def test_a_conversation_that_went_on_since_is_kept(tmp_path: Path) -> None:
    path, good = tmp_path / "study.db", tmp_path / "copy.db"
    store = StudyStore(path, clock=at(0))
    store.owner()
    with store.write() as session:
        session.add(Conversation(id="c", learner="local", at=NOW, conversation="c1", title="Why?", changed=NOW))
    store.close()
    shutil.copy(path, good)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE conversations SET title = 'Why Kafka?', changed = '2026-05-03 12:30:00.000000'")
        connection.commit()
    assert salvage(path, good) == 1 and salvage(path, good) == 0
    with closing(sqlite3.connect(good)) as connection:
        assert connection.execute("SELECT title FROM conversations").fetchall() == [("Why Kafka?",)]


def test_a_damaged_backup_is_passed_over(path: Path) -> None:
    StudyStore(path, clock=at(1)).close()
    broken_page(path.parent / "backups" / "daily-2026-05-04.db")
    broken_start(path)
    store = StudyStore(path, clock=at(1))
    assert "daily-2026-05-03.db" in store.news[0]
    assert set(seconds(store)) >= set(map(float, range(300)))
    store.close()


def test_a_process_that_has_the_damaged_file_open_goes_on_with_the_mended_one(path: Path) -> None:
    server = StudyStore(path, clock=at(0))
    server.owner()
    broken_start(path)
    other = StudyStore(path, clock=at(0))
    assert other.news
    add(server, 2000.0)
    assert 2000.0 in seconds(other)
    server.close()
    other.close()


def test_a_file_that_goes_while_it_is_open_comes_back(path: Path) -> None:
    server = StudyStore(path, clock=at(0))
    server.owner()
    path.unlink()
    with pytest.raises(StudyDamaged, match="it is missing"):
        add(server, 2000.0)
    add(server, 2000.0)
    assert set(seconds(server)) >= {*map(float, range(300)), 2000.0}
    server.close()


def test_the_copy_of_a_day_is_renewed_after_an_hour_of_work(path: Path) -> None:
    copy = path.parent / "backups" / "daily-2026-05-03.db"
    before = copy.read_bytes()
    StudyStore(path, clock=at(0)).close()
    assert copy.read_bytes() == before
    hour = copy.stat().st_mtime - 3700
    os.utime(copy, (hour, hour))
    StudyStore(path, clock=at(0)).close()
    assert backups._rows(copy) == backups._rows(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM sittings")
        connection.commit()
    os.utime(copy, (hour, hour))
    StudyStore(path, clock=at(0)).close()
    assert sorted(backups._rows(p) for p in backups.copies(path)) == [2, 402]  # that of more rows is kept too


def test_a_process_that_runs_for_days_leaves_a_copy_of_each(tmp_path: Path) -> None:
    """A server opens the database once."""
    path, day = tmp_path / "study.db", 0
    server = StudyStore(path, clock=lambda: NOW + day * DAY)
    server.owner()
    for day in range(4):
        add(server, *map(float, range(10)))
        with closing(sqlite3.connect(path.parent / "backups" / f"daily-2026-05-{3 + day:02d}.db")) as copy:
            rows = copy.execute("SELECT count(*) FROM sittings").fetchone()[0]
        assert rows == 10 * day, "as it was before the first write of the day"
    copy = path.parent / "backups" / "daily-2026-05-06.db"
    before = copy.read_bytes()
    add(server, 1.0)
    assert copy.read_bytes() == before, "less than an hour behind"
    hour = copy.stat().st_mtime - 3700
    os.utime(copy, (hour, hour))
    add(server, 2.0)
    assert backups._rows(copy) == backups._rows(path) - 1
    server.close()


def test_threads_that_write_first_on_a_day_make_one_copy(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    days = 0
    server = StudyStore(path, clock=lambda: NOW + days * DAY)
    server.owner()
    add(server, *map(float, range(100)))
    days = 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: add(server, 1000.0 + n), range(16)))
    assert len(seconds(server)) == 116 and server.news == []
    assert not list((path.parent / "backups").glob("*.part*"))
    assert backups._rows(path.parent / "backups" / "daily-2026-05-04.db") >= 100
    server.close()


def test_a_copy_that_cannot_be_made_is_told_once_an_hour_and_costs_no_write(tmp_path: Path) -> None:
    path, hours = tmp_path / "study.db", 0
    server = StudyStore(path, clock=lambda: NOW + DAY + timedelta(hours=hours))
    server.owner()
    shutil.rmtree(path.parent / "backups")
    (path.parent / "backups").write_text("in the way", encoding="utf-8")
    for hours in (0, 0, 2):
        add(server, float(hours))
    assert len(seconds(server)) == 3
    assert len(server.news) == 2 and all(told.startswith("No backup") for told in server.news)
    server.close()


def test_a_lost_wal_costs_no_more_than_what_was_in_it(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[2])\n"
        "from test_study_damage import StudyStore, add, at\n"
        "store = StudyStore(Path(sys.argv[1]), clock=at(0)); store.owner(); add(store, 1.0); store.close()\n"
        "store = StudyStore(Path(sys.argv[1]), clock=at(0)); add(store, 2.0); os._exit(9)"
    )
    path = tmp_path / "study.db"
    tests = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), tests[0]], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == 9
    copy = tmp_path / "copy" / "study.db"
    copy.parent.mkdir()
    for file in tmp_path.glob("study.db*"):
        shutil.copy(file, copy.parent)
    with_it = StudyStore(copy, clock=at(0))
    assert seconds(with_it) == [1.0, 2.0]
    with_it.close()
    Path(f"{path}-wal").unlink()
    without = StudyStore(path, clock=at(0))
    assert seconds(without) == [1.0]
    assert without.check() > 0
    without.close()


def mounted(place: Path, options: str) -> bool:
    return (
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True).returncode
        == 0
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; skipped where none can be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    if not shutil.which("mount") or not mounted(place, "size=1m"):
        pytest.skip("mounting a small file system takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "study.db"
    store = StudyStore(path, clock=at(0))
    store.owner()
    written: list[float] = []

    def fill() -> None:
        for n in range(10_000):
            add(store, float(n), ref="x" * 250)
            written.append(float(n))

    with pytest.raises(StudyFull, match="no room"):
        fill()
    assert len(written) > 20
    assert seconds(store) == written
    with pytest.raises(StudyFull):
        add(store, *map(float, range(5000)))
    assert seconds(store) == written
    store.close()
    (small_disk / "ballast").write_bytes(b"")
    for file in (small_disk / "backups").iterdir():
        file.unlink()
    store = StudyStore(path, clock=at(0))
    assert seconds(store) == written
    add(store, 99_999.0, ref="x")
    assert seconds(store)[-1] == 99_999.0
    assert store.check() > 0
    store.close()


def test_no_room_for_the_daily_backup_is_no_reason_to_stop(small_disk: Path) -> None:
    path = small_disk / "study.db"
    store = StudyStore(path, clock=at(0))
    store.owner()
    add(store, *map(float, range(1200)))
    store.close()
    with open(small_disk / "ballast", "wb") as file:
        file.write(b"x" * (shutil.disk_usage(small_disk).free - 150_000))
    store = StudyStore(path, clock=at(1))
    assert seconds(store) == list(map(float, range(1200)))
    (told,) = store.news
    assert told.startswith("No backup of the study database could be made today")
    store.close()
    assert not list((small_disk / "backups").glob("*.part*"))


def test_what_cannot_be_written_can_still_be_read(path: Path, tmp_path: Path) -> None:
    """As on a read-only file system."""
    place = tmp_path / "fixed"
    place.mkdir()
    if not shutil.which("mount") or not mounted(place, "size=4m"):
        pytest.skip("mounting a file system takes root")
    try:
        shutil.copytree(path.parent, place / "home")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        for day in (0, 1):
            store = StudyStore(place / "home" / "study.db", clock=at(day))
            assert seconds(store) == list(map(float, range(400)))
            with pytest.raises(StudyFault, match=r"cannot be (opened or )?written") as caught:
                add(store, 1.0)
            assert not caught.value.transient
            store.close()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


_OTHER = """
import sqlite3, sys
from contextlib import closing
with closing(sqlite3.connect(sys.argv[1])) as db:
    print(*sorted(row[0] for row in db.execute("SELECT seconds FROM sittings")))
"""


def elsewhere(path: Path) -> list[float]:
    """What another process finds in the file. It is the last to close it, as far as it can see."""
    done = subprocess.run([sys.executable, "-c", _OTHER, str(path)], capture_output=True, text=True, check=True)
    return [float(found) for found in done.stdout.split()]


def test_a_second_opening_in_this_process_takes_no_lock_away(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    first = StudyStore(path)
    first.owner()
    add(first, 1)
    second = StudyStore(path)  # as a server has one for each of its parts
    assert seconds(second) == [1]
    second.close()
    assert elsewhere(path) == [1]
    add(first, 2)
    assert elsewhere(path) == [1, 2]  # without its locks the log would have been removed under it
    add(first, 3)
    first.close()
    assert elsewhere(path) == [1, 2, 3]
    path.write_bytes(b"")  # all are closed: the next opening looks at the file again
    third = StudyStore(path)
    assert third.news
    third.close()
