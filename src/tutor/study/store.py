"""The study store: SQLite (WAL) in the learner's folder, or PostgreSQL by URL; brought up to date when it is opened.

Every write is one transaction, and SQLite's is durable before it returns (``synchronous=FULL``). A damaged SQLite file
is put aside, never deleted, and the last good backup takes its place; a migration is preceded by a backup.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tutor.errors import MissingExtra, SettingsError, StudyBusy, StudyDamaged, StudyFault, StudyFull
from tutor.study import backups
from tutor.study.held import OPENING, Files, identity, is_open
from tutor.study.schema import upgrade
from tutor.study.tables import Base, Learner
from tutor.study.whose import LOCAL

_BUSY_S = 10  # how long a writer waits for another one; a write takes milliseconds
_AGAIN = timedelta(hours=1)  # after a backup that could not be made it is tried again
_ROOM = "Free some space; nothing that was stored is lost."
_WRITES = "tutor_writes"
_NO_ROOM = ("53100", "53200")  # PostgreSQL's disk_full and out_of_memory


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
        self._files = Files()
        self._failed: datetime | None = None  # when a backup could not be made
        self._engine = self._opened(url or _file_url(path))

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
            StudyFault: the database does not answer.
            StudyDamaged: it is damaged; where there is a good backup, it stands in its place when the error is raised.
        """
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._told(), Session(engine) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all kept, once the block ends, or none of them.

        A learner has one writer at a time (in SQLite everybody together): the lock is taken at the start, so that what
        is read in it stays true.

        Raises:
            StudyFault: nothing was changed.
        """
        engine = self._engine.execution_options(**{_WRITES: True})
        if self.path is not None and self.path.exists():  # a process that runs for weeks opens it once
            with self._told():
                self._daily(self.path)
        with self._told(), Session(engine, expire_on_commit=False) as session, session.begin():
            if engine.dialect.name == "postgresql":
                session.execute(text(f"SET LOCAL lock_timeout = '{_BUSY_S}s'"))
                session.execute(text("SELECT pg_advisory_xact_lock(7218412, hashtext(:who))"), {"who": self.learner})
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
                found = Learner(id=self.learner, name="", created=self.clock())
                session.add(found)
        return found

    def backup(self, name: str = "") -> Path | None:
        """Copy the SQLite file as it is now; where the copy is, None on a server (its operator has backups).

        Args:
            name: what the copy's name begins with.

        Raises:
            StudyFault: it cannot be written.
        """
        if self.path is None:
            return None
        now = self.clock()
        with self._told():
            return backups.make(self.path, now, name=f"{name}{now:%Y-%m-%d-%H%M%S}", keep=None)

    def check(self) -> int:
        """How many rows of the learner's there are, once all of an SQLite file has been found sound.

        Raises:
            StudyFault: it does not answer.
            StudyDamaged: it is damaged; where there is a good backup, it stands in its place now.
        """
        with self._told():
            if self.path is not None and (why := backups.problem(self.path)):
                raise StudyDamaged(f"the database is damaged ({why})", about=str(self.path))
        with self.read() as session:
            tables = [table for table in Base.metadata.sorted_tables if "learner" in table.columns]
            of = [select(func.count()).where(table.c.learner == self.learner) for table in tables]
            return sum(session.scalar(query) or 0 for query in of)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
        self._files.release()

    def _opened(self, url: str | URL) -> Engine:
        if self.path is None:
            engine = _engine(url, self._files)
            self._brought_up(engine)
            return engine
        with OPENING:
            try:
                return self._opened_file(self.path, url)
            except BaseException:
                self._files.release()
                raise

    def _opened_file(self, path: Path, url: str | URL) -> Engine:
        if not is_open(identity(path)):
            self._ready_file(path)
        engine = _engine(url, self._files)
        try:
            self._brought_up(engine)
        except StudyDamaged:
            engine.dispose()
            engine = _engine(url, self._files)  # the backup, now in its place; where there is none, this fails too
            self._brought_up(engine)
        return engine

    def _brought_up(self, engine: Engine) -> None:
        with self._told():
            try:
                if copy := upgrade(engine, before=self._before_migration):
                    self.news.append(f"The study database was brought up to date; as it was it is kept in {copy}")
                if self.path is not None:
                    self._daily(self.path)
            except BaseException:
                engine.dispose()
                raise

    def _daily(self, path: Path) -> None:
        now = self.clock()
        if self._failed is not None and timedelta(0) <= now - self._failed < _AGAIN:
            return
        try:
            backups.daily(path, now, keep=self.keep)
            self._failed = None
        except (OSError, sqlite3.Error) as error:  # no reason to keep the learner from going on
            self._failed = now
            self.news.append(f"No backup of the study database could be made today ({_said(error)}).")

    def _ready_file(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyFault(
                f"the folder cannot be made ({error.strerror})", about=str(path.parent), fix="Set TUTOR_HOME."
            ) from error
        with self._told():
            if backups.damage(path) and (told := backups.restore(path, self.clock())):
                self.news.append(told)
            with suppress(OSError):  # told when it is opened
                backups.private(path)

    def _before_migration(self, revision: str) -> str:
        if self.path is None:
            return ""
        return str(backups.before(self.path, self.clock(), revision))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of the database as ours; a damaged file is mended before its fault is told."""
        try:
            yield
        except StudyDamaged as found:
            raise self._mended(found) from found
        except PoolTimeout as error:
            raise StudyBusy("too many ask at once", about=self._where(), fix="Try again.") from error
        except DBAPIError as error:
            fault = _fault(error.orig if isinstance(error.orig, Exception) else error, self._where())
            raise self._mended(fault) from error
        except SQLAlchemyError as error:
            raise StudyFault(f"the database failed ({type(error).__name__})", about=self._where()) from error
        except sqlite3.Error as error:
            raise self._mended(_fault(error, self._where())) from error
        except UnicodeEncodeError as error:
            raise StudyFault("half a character cannot be stored", about=self._where(), fix="Type it anew.") from error
        except OSError as error:
            raise _no_room(error, self._where()) from error

    def _mended(self, fault: StudyFault) -> StudyFault:
        """The fault to tell: of damage what was done about it, now, while it is known of."""
        if self.path is None or not isinstance(fault, StudyDamaged):
            return fault
        try:
            told = backups.restore(self.path, self.clock())
        except StudyDamaged as worse:
            return worse
        except (OSError, sqlite3.Error) as error:
            fix = f"It could not be put aside ({_said(error)}). Mend that and run it again."
            return StudyDamaged(fault.what, about=fault.about, fix=fix)
        if not told:
            what = "the database was damaged and has been mended, or a check of all of it finds nothing"
            return StudyDamaged(what, about=fault.about, fix="Run it again.")
        self.news.append(told)
        return StudyDamaged(told.rstrip("."), about=fault.about, fix="Run it again.")

    def _where(self) -> str:
        return str(self.path) if self.path else (self.location if "_engine" in self.__dict__ else "study.url")


def _engine(url: str | URL, files: Files) -> Engine:
    """An engine whose connections are set up for several processes; ``files`` holds what they connect to.

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
        engine = create_engine(parsed, pool_timeout=_BUSY_S, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "connect", lambda _, record: files.add(record.info["file"]))
        event.listen(engine, "checkout", _same_file)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind != "postgresql":
        raise SettingsError(f"'{kind}' is not supported", about="study.url", fix="Leave it empty, or use PostgreSQL.")
    try:
        return create_engine(
            parsed, pool_pre_ping=True, pool_timeout=_BUSY_S, connect_args={"connect_timeout": _BUSY_S}
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("study.url", extra="postgres", module="psycopg") from error


def _file_url(path: Path) -> URL:
    """Of an SQLite file; one in a folder that cannot be written is read as it lies there.

    SQLite needs to write beside a WAL database even to read it, unless it is told that nobody else can write either.
    """
    fixed = path.exists() and not os.access(path.parent, os.W_OK)
    if not fixed or ((wal := Path(f"{path}-wal")).exists() and wal.stat().st_size):
        return URL.create("sqlite", database=str(path))
    query = {"mode": "ro", "immutable": "1", "uri": "true"}
    return URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query=query)


def _set_up_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # ours to begin: Python's own would begin too late, at the first write
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        until = time.monotonic() + _BUSY_S
        while True:
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself where two processes make the same new file a WAL database.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)
        path = cursor.execute("PRAGMA database_list").fetchone()[2]
        record.info["path"], record.info["file"] = path, identity(path)


def _same_file(connection: Any, record: Any, proxy: Any) -> None:
    """A backup may have taken the file's place, in this process or another: what was opened before is not it."""
    found = identity(record.info["path"])
    if found is None:  # a new connection would make a new, empty one
        raise sqlite3.DatabaseError("file is not a database any more: it is missing")
    if found != record.info["file"]:
        raise DisconnectionError("the file is another one now")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _fault(error: Exception, where: str) -> StudyFault:
    """A driver's error as ours."""
    said, code = _said(error), str(getattr(error, "sqlstate", None) or "")
    if isinstance(error, sqlite3.DatabaseError) and any(word in said for word in backups.DAMAGED):
        return StudyDamaged(f"the database is damaged ({said})", about=where, fix="Run: tutor doctor")
    if code in _NO_ROOM or "is full" in said:
        return StudyFull("there is no room to write", about=where, fix=_ROOM)
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return StudyFault(f"the database cannot be opened or written ({said})", about=where, fix="Check permissions.")
    if "locked" in said or code == "55P03":
        return StudyBusy(f"another process has been writing for {_BUSY_S} seconds", about=where, fix="Try again.")
    if "disk I/O" in said:
        return StudyFault("the disk failed to read or write", about=where, fix="Check the disk, then: tutor doctor")
    if any(kind.__name__ == "OperationalError" for kind in type(error).__mro__):  # of either driver
        return StudyBusy(f"the database does not answer ({said})", about=where, fix="Try again.")
    return StudyFault(f"the database refused ({said})", about=where)


def _said(error: Exception) -> str:
    """The first line of what an error says."""
    words = getattr(error, "strerror", None) or str(error)
    return (str(words).strip().splitlines() or [type(error).__name__])[0]


def _no_room(error: OSError, where: str) -> StudyFault:
    if error.errno == 28:  # ENOSPC
        return StudyFull("there is no room to write", about=where, fix=_ROOM)
    return StudyFault(f"it cannot be written ({error.strerror})", about=where, fix="Check its permissions.")


def learners(session: Session) -> list[str]:
    """The ids of everybody who studies here."""
    return list(session.scalars(select(Learner.id).order_by(Learner.id)))
