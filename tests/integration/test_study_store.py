"""The study store on SQLite and PostgreSQL: what is written stays written, whoever writes and whatever breaks off."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from tutor.errors import MissingExtra, SettingsError, StudyBusy, StudyFault, StudyNewer
from tutor.study import schema
from tutor.study import store as store_module
from tutor.study.store import StudyStore, learners, new_id
from tutor.study.tables import Base, Entry, Mark, Sitting

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
Open = Callable[..., StudyStore]


@pytest.fixture
def opened(study_url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the same database every time, of each kind in turn; closes it afterwards."""
    stores: list[StudyStore] = []

    def again(learner: str = "local", clock: Callable[[], datetime] = lambda: NOW) -> StudyStore:
        stores.append(StudyStore(tmp_path / "study.db", url=study_url, learner=learner, clock=clock))
        stores[-1].owner()
        return stores[-1]

    yield again
    for one in stores:
        one.close()


def sitting(store: StudyStore, seconds: float) -> Sitting:
    return Sitting(id=new_id(), learner=store.learner, at=NOW, seconds=seconds, kind="read", ref="")


def seconds(store: StudyStore) -> list[float]:
    with store.read() as session:
        return sorted(session.scalars(select(Sitting.seconds).where(Sitting.learner == store.learner)))


def test_what_is_written_is_there_again(opened: Open) -> None:
    store = opened()
    berlin = timezone(timedelta(hours=2))
    with store.write() as session:
        session.add(
            Entry(
                id=new_id(), learner="local", at=datetime(2026, 5, 3, 23, tzinfo=berlin), entry="e1", version=1,
                written=NOW, title="Sagas", text="a\u2028b ü 🐘", tags=["x"], cards=["kafka"], item="", deleted=False,
            )
        )  # fmt: skip
    store.close()
    with opened().read() as session:
        row = session.scalars(select(Entry)).one()
        assert (row.text, row.tags, row.at) == ("a\u2028b ü 🐘", ["x"], datetime(2026, 5, 3, 21, tzinfo=UTC))
        assert row.at.utcoffset() == timedelta(0)


def test_a_write_that_fails_keeps_nothing(opened: Open) -> None:
    store = opened()

    def broken() -> None:
        with store.write() as session:
            session.add(sitting(store, 1.0))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with store.read() as session:
        session.add(sitting(store, 2.0))
        session.flush()
    assert seconds(store) == []


def test_a_reader_sees_one_state(opened: Open) -> None:
    store = opened()
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Sitting)) == 0
        with store.write() as other:
            other.add(sitting(store, 1.0))
        assert session.scalar(select(func.count()).select_from(Sitting)) == 0
    assert seconds(store) == [1.0]


def test_what_the_database_refuses_is_told_and_changes_nothing(opened: Open) -> None:
    store = opened()
    with pytest.raises(StudyFault, match="refused"), store.write() as session:
        session.add(Sitting(id=new_id(), learner="nobody", at=NOW, seconds=1.0, kind="read", ref=""))
    with pytest.raises(StudyFault, match="half a character"), store.write() as session:
        session.add(Mark(id=new_id(), learner="local", at=NOW, card="x", status="learning", why="check", note="\ud800"))
    with store.write() as session:
        session.add(sitting(store, 1.0))
    assert seconds(store) == [1.0]


def test_learners_have_their_own_rows(opened: Open) -> None:
    ada, bob = opened("ada"), opened("bob")
    with ada.write() as session:
        session.add(sitting(ada, 1.0))
    assert (seconds(ada), seconds(bob)) == ([1.0], [])
    with ada.read() as session:
        assert learners(session) == ["ada", "bob"]


def test_a_writer_waits_for_another_and_says_so_when_it_takes_too_long(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_BUSY_S", 1)
    store = opened()
    holds, release = threading.Event(), threading.Event()

    def hold() -> None:
        with store.write() as session:
            session.add(sitting(store, 1.0))
            session.flush()
            holds.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(60)
    try:
        with pytest.raises(StudyBusy, match="another process has been writing"), store.write() as session:
            session.add(sitting(store, 2.0))
    finally:
        release.set()
        thread.join()
    assert seconds(store) == [1.0]


def _writes(path: str, url: str, start: int, number: int) -> None:
    store = StudyStore(Path(path), url=url, clock=lambda: NOW)
    store.owner()
    for n in range(number):
        with store.write() as session:
            session.add(sitting(store, float(start + n)))
    store.close()


def test_processes_that_open_and_write_at_once_lose_nothing(study_url: str, tmp_path: Path) -> None:
    """The database is new: they also make it at once."""
    context = multiprocessing.get_context("spawn")
    path = str(tmp_path / "study.db")
    processes = [context.Process(target=_writes, args=(path, study_url, 1000 * n, 50)) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0, 0]
    store = StudyStore(Path(path), url=study_url, clock=lambda: NOW)
    assert seconds(store) == [float(n) for n in (*range(50), *range(1000, 1050))]
    store.close()


_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Sitting
now = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
store = StudyStore(Path(sys.argv[1]), url=sys.argv[2], clock=lambda: now)
store.owner()
for n in range(100):
    with store.write() as session:
        session.add(Sitting(id=new_id(), learner="local", at=now, seconds=float(n), kind="read", ref="x" * 200))
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 40, 97])
def test_every_write_that_was_acknowledged_outlives_a_kill(after: int, study_url: str, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path), study_url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = -1
    for line in writer.stdout:
        told = int(line)
        if told >= after:
            os.kill(writer.pid, signal.SIGKILL)
            break
    told = max([told, *(int(line) for line in writer.stdout)])  # what it had said before the signal came
    writer.stdout.close()
    assert writer.wait(60) == -signal.SIGKILL
    store = StudyStore(path, url=study_url, clock=lambda: NOW)
    found = seconds(store)
    assert found[: told + 1] == [float(n) for n in range(told + 1)]
    assert len(found) - (told + 1) in (0, 1)  # one may have been kept and not yet told
    assert store.check() > 0
    store.close()


def test_the_migrated_schema_is_that_of_the_models(opened: Open) -> None:
    store = opened()
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_head_is_the_last_revision() -> None:
    assert schema.revisions()[-1] == schema.HEAD


def test_a_database_of_a_newer_version_is_left_alone(opened: Open) -> None:
    store = opened()
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StudyNewer, match="newer version of tutor"):
        opened()


def test_a_connection_that_the_server_dropped_is_made_anew(postgres: Callable[[], str], tmp_path: Path) -> None:
    url = postgres()
    store, other = (StudyStore(tmp_path / "x.db", url=url, clock=lambda: NOW) for _ in range(2))
    store.owner()
    theirs = "pid <> pg_backend_pid() AND datname = current_database()"
    drop = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {theirs}")

    def dropped_while_writing() -> None:
        with store.write() as session:
            session.add(sitting(store, 1.0))
            session.flush()
            with other.read() as second:
                second.execute(drop)

    with pytest.raises(StudyBusy) as caught:
        dropped_while_writing()
    assert caught.value.transient and "\n" not in caught.value.message
    with store.write() as session:
        session.add(sitting(store, 2.0))
    assert seconds(store) == [2.0]
    with other.read() as session:
        session.execute(drop)
    assert seconds(store) == [2.0]  # one that was idle is noticed before it is used
    store.close()
    other.close()


def test_too_many_at_once_are_told_to_come_again(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_BUSY_S", 1)
    store = opened()
    with ExitStack() as many:
        for _ in range(15):
            many.enter_context(store.read()).execute(text("SELECT 1"))
        with pytest.raises(StudyBusy, match="too many ask at once"), store.read() as session:
            session.execute(text("SELECT 1"))


def test_a_url_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    for url in ("nonsense", "mysql://user:secret@host/db"):
        with pytest.raises((SettingsError, MissingExtra)) as caught:
            StudyStore(tmp_path / "study.db", url=url)
        assert "secret" not in caught.value.message


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StudyBusy) as caught:
        StudyStore(tmp_path / "x.db", url=f"postgresql+psycopg://me:secret@/study?host={tmp_path}")
    assert "does not answer" in caught.value.message and "secret" not in caught.value.message
    assert not list(tmp_path.iterdir())
