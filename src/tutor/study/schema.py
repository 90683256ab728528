"""The schema's version: Alembic's migrations, run in one transaction when the store is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from tutor.errors import StudyFault, StudyNewer
from tutor.study.revision import HEAD as HEAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from alembic.config import Config  # loaded only where a database has to change

_SCRIPTS = Path(__file__).parent / "migrations"


def current(connection: Connection) -> str:
    """The revision a database is at; empty for a new one."""
    if connection.dialect.name == "sqlite":  # its own catalogue: an inspector takes 5 ms
        listed = text("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
        known = bool(connection.execute(listed).scalar())
    else:
        known = inspect(connection).has_table("alembic_version")
    if not known:
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def upgrade(engine: Engine, *, before: Callable[[str], str]) -> str:
    """Bring a database to ``HEAD``: all of it, or it stays as it was.

    Args:
        engine: of the database.
        before: called with the old revision, while nobody else can write, before one that has rows is changed; gives
            where it put a copy, empty where it made none.

    Returns:
        Where the copy is that was made before; empty where there was nothing to change or to copy.

    Raises:
        StudyNewer: a later version wrote it.
        StudyFault: a migration failed; the copy made before is named.
    """
    with engine.connect() as connection:
        found = current(connection)
    if found == HEAD:
        return ""
    if found and found not in revisions():
        raise StudyNewer(
            f"it was written by a newer version of tutor (schema {found}, this one knows {HEAD})",
            about=engine.url.render_as_string(hide_password=True),
            fix="Run: pip install --upgrade tutor-study",
        )
    return _run(engine, before)


@lru_cache(maxsize=1)
def revisions() -> tuple[str, ...]:
    """Every revision, the oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(engine: Engine, before: Callable[[str], str]) -> str:
    from alembic.command import upgrade as run

    where = engine.url.render_as_string(hide_password=True)
    copy = ""
    with _unguarded(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7218411)"))  # one process migrates, others wait
        found = current(connection)
        if found == HEAD:
            return ""  # another process was quicker
        if found:
            copy = before(found)
        try:
            run(_config(connection), HEAD)
            if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StudyFault("rows would have lost what they belong to", about=where)
        except Exception as error:  # a migration may fail in any way: none of it is kept
            kept = f" As it was it is also kept in {copy}." if copy else ""
            raise StudyFault(
                f"the database cannot be brought up to date from schema {found or 'none'} ({_said(error)}); nothing in "
                f"it was changed",
                about=where,
                fix=f"Go on with the version of tutor that you had, and report this.{kept}",
            ) from error
    return copy


@contextmanager
def _unguarded(engine: Engine) -> Iterator[Connection]:
    """A connection that writes, on which SQLite does not follow foreign keys.

    A table that is altered by copying is dropped under its old name: with them on, every row that refers to one of its
    rows would go with it. They cannot be turned off inside a transaction.
    """
    with engine.execution_options(tutor_writes=True).connect() as connection:
        if engine.dialect.name != "sqlite":
            yield connection
            return
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _said(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
