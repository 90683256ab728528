"""Rows of the study store as JSON and back: every column of every table, each value held against what the column takes.

What is checked here is what SQLite would take and PostgreSQL would not (texts that are too long, whole numbers that are
too large), and what neither should (times without a zone, NaN).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, String, Table

from tutor.errors import SourceError
from tutor.study.tables import Base, Instant

#: Tables of a learner's rows, in the order in which they are written.
TABLES: Mapping[str, Table] = {t.name: t for t in Base.metadata.sorted_tables if "learner" in t.columns}
LEARNERS: Table = Base.metadata.tables["learners"]
Row = dict[str, Any]
#: Fields that earlier versions wrote and nothing reads: passed over in what they exported.
GONE: Mapping[str, frozenset[str]] = {"learners": frozenset({"zone", "minutes", "retention"})}


def written(row: Mapping[str, Any]) -> Row:
    """A row of the database as JSON takes it, without whose it is: times and dates in ISO 8601."""
    return {name: _written(value) for name, value in row.items() if name != "learner"}


def read(table: Table, given: object, about: str) -> Row:
    """A row for the database of one that was written, but for its learner; what it lacks and may lack is filled in.

    Raises:
        SourceError: it is none of the table's; ``about`` says where it stands.
    """
    if not isinstance(given, dict):
        raise SourceError("the row is no object", about=about)
    columns = {column.name: column for column in table.columns if column.name != "learner"}
    if unknown := sorted(set(given) - set(columns) - GONE.get(table.name, frozenset())):
        raise SourceError(f"the row has an unknown field '{unknown[0]}'", about=about)
    row: Row = {}
    for name, column in columns.items():
        if name in given:
            row[name] = _read(column, given[name], f"{about}: {name}")
        elif column.default is not None:
            row[name] = _default(column)
        elif column.nullable:
            row[name] = None
        else:
            raise SourceError(f"the row lacks '{name}'", about=about)
    return row


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _read(column: Column[Any], value: Any, about: str) -> Any:
    if value is None:
        if column.nullable:
            return None
        raise SourceError("there is no value", about=about)
    kind = column.type
    if isinstance(kind, Instant):
        return _instant(value, about)
    if isinstance(kind, Date):
        return _date(value, about)
    if isinstance(kind, Boolean):
        return _of(value, bool, "true or false", about)
    if isinstance(kind, JSON):
        return _of(value, type(_default(column)), "an object or list, as it should be", about)
    if isinstance(kind, String):
        return _text(value, kind.length, about)
    if isinstance(kind, Integer):
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
            raise SourceError("the value is no whole number of that size", about=about)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SourceError("the value is no number", about=about)
    return float(value)


def _default(column: Column[Any]) -> Any:
    """What a column holds where nothing is given: every column of JSON has such a value, which says what it holds."""
    value = column.default.arg  # type: ignore[union-attr]  # a plain value or a function
    return value(None) if callable(value) else value


def _of(value: Any, kind: type, name: str, about: str) -> Any:
    if not isinstance(value, kind):
        raise SourceError(f"the value is not {name}", about=about)
    return value


def _text(value: Any, length: int | None, about: str) -> str:
    if not isinstance(value, str):
        raise SourceError("the value is no text", about=about)
    if length is not None and len(value) > length:
        raise SourceError(f"the text has {len(value):,} characters, at most {length} are kept", about=about)
    if "\x00" in value or not _sendable(value):
        raise SourceError("the text holds a character that cannot be stored", about=about)
    return value


def _sendable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def _instant(value: Any, about: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise SourceError("the value is no time with a zone", about=about)


def _date(value: Any, about: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise SourceError("the value is no date", about=about) from error
