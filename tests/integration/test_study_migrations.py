"""Migrations: from every earlier schema with rows in it, all or nothing, with a copy kept; on both databases."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic.command import upgrade as run
from sqlalchemy import JSON, Boolean, Date, DateTime, MetaData, String, Table, func, select, text

from tutor.errors import StudyFault
from tutor.study import schema
from tutor.study.held import Files
from tutor.study.store import StudyStore, _engine, new_id
from tutor.study.tables import Base, Learner, Sitting

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
_VALUES: tuple[tuple[type, Any], ...] = (
    (JSON, ["a"]),
    (Boolean, True),
    (DateTime, NOW),
    (Date, date(2026, 5, 3)),
)


def place(study_url: str, path: Path) -> str:
    return study_url or f"sqlite:///{path}"


def bring_to(url: str, revision: str) -> None:
    engine = _engine(url, Files())
    with engine.execution_options(tutor_writes=True).connect() as connection, connection.begin():
        run(schema._config(connection), revision)
    engine.dispose()


def fill(url: str, rows: int = 3) -> dict[str, int]:
    """Rows in every table as it is in that revision; how many there are of each."""
    engine = _engine(url, Files())
    meta = MetaData()
    with engine.execution_options(tutor_writes=True).connect() as connection, connection.begin():
        meta.reflect(connection)
        tables = [t for t in meta.sorted_tables if t.name != "alembic_version"]
        for table in tables:
            for number in range(1 if table.name == "learners" else rows):
                connection.execute(table.insert().values(**{c.name: value(table, c, number) for c in table.columns}))
        counts = {t.name: connection.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    engine.dispose()
    return counts


def value(table: Table, column: Any, number: int) -> Any:
    if column.name == "learner" or (table.name == "learners" and column.name == "id"):
        return "local"
    if column.name == "id":
        return new_id()
    found = next((v for kind, v in _VALUES if isinstance(column.type, kind)), None)
    if found is NOW and not getattr(column.type, "timezone", False):
        return NOW.replace(tzinfo=None)
    if found is not None:
        return found
    return f"{column.name}-{number}" if isinstance(column.type, String) else number


def counts(store: StudyStore) -> dict[str, int]:
    with store.read() as session:
        return {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in Base.metadata.sorted_tables}


@pytest.mark.parametrize("revision", schema.revisions())
def test_rows_of_every_earlier_schema_are_there_after_it(revision: str, study_url: str, tmp_path: Path) -> None:
    url = place(study_url, tmp_path / "study.db")
    bring_to(url, revision)
    before = fill(url)
    store = StudyStore(tmp_path / "study.db", url=study_url, clock=lambda: NOW)
    assert {name: n for name, n in counts(store).items() if name in before} == before
    assert store.owner().id == "local"
    store.close()


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Adds a revision after the last one, with that body, for the time of a test."""
    scripts = tmp_path / "migrations"
    shutil.copytree(schema._SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    last = schema.HEAD

    def add(body: str) -> None:
        (scripts / "versions" / "9000_next.py").write_text(
            f"import sqlalchemy as sa\nfrom alembic import op\nrevision = '9000'\ndown_revision = '{last}'\n"
            f"branch_labels = depends_on = None\n\ndef upgrade():\n{body}\n",
            encoding="utf-8",
        )
        monkeypatch.setattr(schema, "_SCRIPTS", scripts)
        monkeypatch.setattr(schema, "HEAD", "9000")
        schema.revisions.cache_clear()

    yield add
    schema.revisions.cache_clear()


def made(study_url: str, path: Path) -> StudyStore:
    store = StudyStore(path, url=study_url, clock=lambda: NOW)
    store.owner()
    with store.write() as session:
        session.add_all(
            Sitting(id=new_id(), learner="local", at=NOW, seconds=float(n), kind="read", ref="") for n in range(5)
        )
    store.close()
    return store


def test_a_migration_that_fails_changes_nothing_and_names_the_copy(
    study_url: str, tmp_path: Path, next_revision: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "home" / "study.db"
    made(study_url, path)
    with monkeypatch.context() as later:
        next_revision(
            "    op.add_column('sittings', sa.Column('mood', sa.String(10)))\n"
            "    op.execute('DELETE FROM sittings')\n"
            "    {}['as a migration may']"
        )
        with pytest.raises(StudyFault, match=r"cannot be brought up to date.*nothing in it was changed") as caught:
            StudyStore(path, url=study_url, clock=lambda: NOW)
        later.undo()
    monkeypatch.undo()
    schema.revisions.cache_clear()
    store = StudyStore(path, url=study_url, clock=lambda: NOW)  # the version from before still reads it
    assert counts(store)["sittings"] == 5
    store.close()
    if not study_url:
        (copy,) = (path.parent / "backups").glob("before-*.db")
        assert str(copy) in caught.value.message
        kept = StudyStore(copy, clock=lambda: NOW)
        assert counts(kept)["sittings"] == 5
        kept.close()


def test_a_migration_that_fails_again_and_again_leaves_one_copy_of_the_same(
    tmp_path: Path, next_revision: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ticking = tmp_path / "home" / "study.db", count(1)
    made("", path)

    def attempts(number: int) -> set[str]:
        named = set()
        for _ in range(number):
            with pytest.raises(StudyFault, match="cannot be brought up to date") as caught:
                StudyStore(path, clock=lambda: NOW + timedelta(seconds=next(ticking)))
            named.add(caught.value.message.rsplit(" in ", 1)[1].rstrip("."))
        return named

    with monkeypatch.context() as later:
        next_revision("    op.execute('DELETE FROM sittings')\n    {}['as a migration may']")
        (first,) = attempts(3)
        assert {str(p) for p in (path.parent / "backups").glob("before-*.db")} == {first}
        with closing(sqlite3.connect(path)) as connection:  # as the version from before goes on writing
            connection.execute("DELETE FROM sittings WHERE seconds = 1")
            connection.commit()
        (second,) = attempts(2)
        assert second != first
        assert {str(p) for p in (path.parent / "backups").glob("before-*.db")} == {first, second}
        later.undo()


def test_a_migration_that_copies_a_table_loses_no_rows_that_refer_to_it(
    study_url: str, tmp_path: Path, next_revision: Callable[[str], None]
) -> None:
    """SQLite alters a table by copying it and dropping the old one, which would take all rows of its learners along."""
    path = tmp_path / "home" / "study.db"
    made(study_url, path)
    next_revision(
        "    with op.batch_alter_table('learners', recreate='auto') as batch:\n"
        "        batch.alter_column('name', existing_type=sa.String(200), type_=sa.String(300))"
    )
    store = StudyStore(path, url=study_url, clock=lambda: NOW)
    assert counts(store)["sittings"] == 5
    if study_url:
        assert store.news == []
    else:
        (copy,) = (path.parent / "backups").glob("before-*.db")
        assert len(store.news) == 1 and str(copy) in store.news[0]
    with store.write() as session:  # foreign keys hold again
        session.add(Learner(id="other", name="", created=NOW))
    with pytest.raises(StudyFault, match="refused"), store.write() as session:
        session.execute(text("INSERT INTO sittings SELECT 'x', 'nobody', at, seconds, kind, ref FROM sittings"))
    store.close()


def test_a_migration_that_orphans_rows_is_not_kept(
    tmp_path: Path, next_revision: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "home" / "study.db"
    made("", path)
    next_revision("    op.execute('DELETE FROM learners')")
    with pytest.raises(StudyFault, match="lost what they belong to"):
        StudyStore(path, clock=lambda: NOW)
    monkeypatch.undo()
    schema.revisions.cache_clear()
    store = StudyStore(path, clock=lambda: NOW)
    assert (counts(store)["learners"], counts(store)["sittings"]) == (1, 5)
    store.close()
