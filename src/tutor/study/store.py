"""The study store: SQLite (WAL) in the learner's folder, or PostgreSQL by URL; brought up to date when it is opened.

Every write is one transaction, and SQLite's is durable before it returns (``synchronous=FULL``). A damaged SQLite file
is put aside, never deleted, and the last good backup takes its place; a migration is preceded by a backup.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from tutor.errors import MissingExtra, SettingsError, StudyBusy, StudyDamaged, StudyFault, StudyFull
from tutor.study import backups
from tutor.study.schema import upgrade
from tutor.study.tables import LOCAL, Learner

_BUSY_S = 10  # how long a writer waits for another one; a write takes milliseconds
_ROOM = "Free some space; nothing that was stored is lost."
_WRITES = "tutor_writes"
_DAMAGED = ("malformed", "not a database", "disk image", "file is encrypted")


def new_id() -> str:
    """An id for a row: 128 random bits, the same in every database it is imported into."""
    return secrets.token_hex(16)


class StudyStore:
    """Sessions on the database.

    Args:
        url: of SQLAlchemy; empty for SQLite at ``path``.
        path: the SQLite file; its backups lie beside it in ``backups/``.
        learner: whose rows are meant.
        clock: the time now, with a time zone.
        keep: how many daily backups are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        url: str = "",
        learner: str = LOCAL,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: int = 7,
    ) -> None:
        self.path = None if url else path
        self.learner = learner
        self.clock = clock
        self.keep = keep
        #: What a learner has to be told of: a backup that took a damaged file's place.
        self.news: list[str] = []
        self._engine = self._opened(url or f"sqlite:///{path}")

    @property
    def location(self) -> str:
        """Where it is, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database; what it changes is not kept.

        Raises:
            StudyFault: the database does not answer or is damaged.
        """
        with self._told(), Session(self._engine) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all kept, once the block ends, or none of them.

        SQLite has one writer at a time: the lock is taken at the start, so that what is read in it stays true.

        Raises:
            StudyFault: nothing was changed.
        """
        engine = self._engine.execution_options(**{_WRITES: True})
        with self._told(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def owner(self) -> Learner:
        """The learner's own row, made when it is first asked for."""
        with self.read() as session:
            found = session.get(Learner, self.learner)
            if found is not None:
                session.expunge(found)
                return found
        with self.write() as session:
            found = session.get(Learner, self.learner)  # another process may have been quicker
            if found is None:
                found = Learner(id=self.learner, name="", zone="", minutes=45, retention=0.9, created=self.clock())
                session.add(found)
        return found

    def backup(self) -> Path | None:
        """Copy the SQLite file as it is now; where the copy is, None on a server (its operator has backups).

        Raises:
            StudyFault: it cannot be written.
        """
        if self.path is None:
            return None
        with self._told():
            return backups.make(self.path, self.clock(), keep=self.keep)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _opened(self, url: str) -> Engine:
        if self.path is not None:
            self._ready_file(self.path)
        engine = _engine(url)
        try:
            with self._told():
                upgrade(engine, before=self._before_migration)
                if self.path is not None:
                    backups.daily(self.path, self.clock(), keep=self.keep)
        except StudyDamaged:
            engine.dispose()
            if self.path is None:
                raise
            self.news.append(backups.restore(self.path, self.clock()))
            engine = _engine(url)
            with self._told():
                upgrade(engine, before=self._before_migration)
        return engine

    def _ready_file(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyFault(
                f"the folder cannot be made ({error.strerror})", about=str(path.parent), fix="Set TUTOR_HOME."
            ) from error
        if problem := backups.damage(path):
            self.news.append(backups.restore(path, self.clock(), why=problem))

    def _before_migration(self, revision: str) -> None:
        if self.path is not None:
            copy = backups.make(self.path, self.clock(), name=f"before-{revision}", keep=None)
            self.news.append(f"The study database was brought up to date; as it was before it is kept in {copy}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of the database as ours."""
        try:
            yield
        except OperationalError as error:
            raise _fault(error, self._where()) from error
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.DatabaseError) and any(w in str(error.orig) for w in _DAMAGED):
                raise _fault(error, self._where()) from error
            raise StudyFault(f"the database refused ({error.orig})", about=self._where()) from error
        except SQLAlchemyError as error:
            raise StudyFault(f"the database failed ({type(error).__name__})", about=self._where()) from error
        except OSError as error:
            raise _no_room(error, self._where()) from error

    def _where(self) -> str:
        return str(self.path) if self.path else (self.location if "_engine" in self.__dict__ else "study.url")


def _engine(url: str) -> Engine:
    """An engine whose connections are set up for several processes.

    Raises:
        SettingsError: the URL cannot be understood, or is of another kind of database.
        MissingExtra: PostgreSQL's driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "the URL cannot be read", about="study.url", fix="As in: postgresql+psycopg://user@host/tutor"
        ) from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind != "postgresql":
        raise SettingsError(f"'{kind}' is not supported", about="study.url", fix="Leave it empty, or use PostgreSQL.")
    try:
        return create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": _BUSY_S})
    except ModuleNotFoundError as error:
        raise MissingExtra("study.url", extra="postgres", module="psycopg") from error


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # ours to begin: Python's own would begin too late, at the first write
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _fault(error: DBAPIError, where: str) -> StudyFault:
    said = str(error.orig)
    if "full" in said:
        return StudyFull("there is no room to write", about=where, fix=_ROOM)
    if any(word in said for word in _DAMAGED):
        return StudyDamaged(f"the database is damaged ({said})", about=where, fix="Run: tutor doctor")
    if "readonly" in said or "unable to open" in said:
        return StudyFault(f"the database cannot be opened ({said})", about=where, fix="Check its permissions.")
    if "locked" in said:
        return StudyBusy("another process has been writing for ten seconds", about=where, fix="Try again.")
    return StudyBusy(f"the database does not answer ({said.splitlines()[0]})", about=where, fix="Try again.")


def _no_room(error: OSError, where: str) -> StudyFault:
    if error.errno == 28:  # ENOSPC
        return StudyFull("there is no room to write", about=where, fix=_ROOM)
    return StudyFault(f"it cannot be written ({error.strerror})", about=where, fix="Check its permissions.")


def learners(session: Session) -> list[str]:
    """The ids of everybody who studies here."""
    return list(session.scalars(select(Learner.id).order_by(Learner.id)))
