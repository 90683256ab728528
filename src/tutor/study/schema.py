"""The schema's version: Alembic's migrations, run in one transaction when the store is opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from tutor.errors import StudyFault, StudyNewer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from alembic.config import Config  # loaded only where a database has to change

_SCRIPTS = Path(__file__).parent / "migrations"
#: The revision this version reads and writes; held against the scripts by a test, so that opening loads no Alembic.
HEAD = "0001"


def current(connection: Connection) -> str:
    """The revision a database is at; empty for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def upgrade(engine: Engine, *, before: Callable[[str], None]) -> None:
    """Bring a database to ``HEAD``: all of it, or it stays as it was.

    Args:
        engine: of the database.
        before: called with the old revision before one that has rows is changed.

    Raises:
        StudyNewer: a later version wrote it.
        StudyFault: a migration failed; the backup made before is named where it is a file.
    """
    with engine.connect() as connection:
        found = current(connection)
    if found == HEAD:
        return
    if found and found not in revisions():
        raise StudyNewer(
            f"it was written by a newer version of tutor (schema {found}, this one knows {HEAD})",
            about=engine.url.render_as_string(hide_password=True),
            fix="Run: pip install --upgrade tutor-study",
        )
    if found:
        before(found)
    _run(engine)


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


def _run(engine: Engine) -> None:
    from alembic.command import upgrade as run
    from alembic.util import CommandError

    with engine.execution_options(tutor_writes=True).connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7218411)"))  # one process migrates, others wait
        if current(connection) == HEAD:
            return  # another process was quicker
        try:
            run(_config(connection), HEAD)
        except CommandError as error:
            raise StudyFault(f"the database cannot be brought up to date ({error})", about=str(engine.url)) from error
