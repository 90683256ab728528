"""Generated answers on disk: one SQLite file that may be deleted at any time, and never stops an answer."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from tutor.answering.cache import Scope

DISK_BYTES = 64 * 1024 * 1024
_BUSY_S = 1.0  # another process writes: an answer is not worth a longer wait
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, scope TEXT NOT NULL, generation TEXT NOT NULL, question TEXT NOT NULL, body TEXT NOT NULL,
    size INTEGER NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_scope ON answers (scope);
CREATE INDEX IF NOT EXISTS by_use ON answers (used);
"""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class SqliteShelf:
    """Answers in ``path``, at most ``limit`` bytes of them; only the owner may read the file.

    A damaged file is thrown away. Any other failure makes this process go on without it, after one warning.
    """

    def __init__(self, path: Path, *, limit: int = DISK_BYTES) -> None:
        self._path = path
        self._limit = limit
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._given_up = False

    def get(self, key: str) -> tuple[str, dict[str, Any]] | None:
        """The question and the answer under a key."""

        def read(db: sqlite3.Connection) -> tuple[str, dict[str, Any]] | None:
            row = db.execute("SELECT question, body FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            db.execute("UPDATE answers SET used = (SELECT MAX(used) + 1 FROM answers) WHERE key = ?", (key,))
            payload = json.loads(row[1])
            return (str(row[0]), payload) if isinstance(payload, dict) else None

        return self._do(read, None)

    def put(self, key: str, scope: Scope, question: str, payload: Mapping[str, Any]) -> None:
        """Keep an answer; those of other generations go, then the least recently used."""
        body = json.dumps(payload, ensure_ascii=False)
        size = len(body.encode("utf-8", "surrogatepass"))

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM answers WHERE generation <> ?", (scope.generation,))
            db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, (SELECT COALESCE(MAX(used), 0) + 1 FROM "
                "answers))",
                (key, scope.digest, scope.generation, question, body, size),
            )
            over = db.execute("SELECT COALESCE(SUM(size), 0) FROM answers").fetchone()[0] - self._limit
            for old, bytes_ in db.execute("SELECT key, size FROM answers ORDER BY used").fetchall() if over > 0 else ():
                if over <= 0:
                    break
                db.execute("DELETE FROM answers WHERE key = ?", (old,))
                over -= bytes_

        if size <= self._limit:
            self._do(write, None)

    def questions(self, scope: Scope) -> Sequence[tuple[str, str]]:
        """Keys and questions of a scope, the least recently used first."""
        query = "SELECT key, question FROM answers WHERE scope = ? ORDER BY used"
        return self._do(lambda db: [(k, q) for k, q in db.execute(query, (scope.digest,)).fetchall()], [])

    def clear(self) -> None:
        """Forget everything."""
        self._do(lambda db: db.execute("DELETE FROM answers"), None)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _do(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        with self._lock:
            for again in (True, False):
                if self._given_up:
                    return otherwise
                try:
                    db = self._open()
                    with db:
                        return work(db)
                except (sqlite3.DatabaseError, ValueError, OSError, UnicodeError) as error:
                    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                        return otherwise
                    self._drop(throw_away=not isinstance(error, OSError | sqlite3.OperationalError))
                    if not again:
                        self._given_up = True
                        _log.warning("answers are not kept on disk: %s (%s)", error, self._path)
        return otherwise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made here, so that it never exists with wider rights: what learners ask is theirs.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False)
            try:
                # What a crash of the machine takes is asked again: waiting 20 ms for the disk at each answer is worse.
                connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_SCHEMA}")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _drop(self, *, throw_away: bool) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if throw_away:
            with suppress(OSError):
                self._path.unlink()
