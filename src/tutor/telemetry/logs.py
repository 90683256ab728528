"""Log lines on standard error: text, or one JSON object a line, with the request's id and without anybody's words.

What a line may carry are our own fixed messages and fields. Of an exception it carries the class and where it was
raised; its message only where it cannot quote a user (``safe_message``), or where ``telemetry.include_text`` is set.
Libraries are heard from "warning" up and only with their first line: at "debug" some of them log whole requests.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from tutor.errors import (
    GenerationError,
    NotFound,
    SourceError,
    StaleAnswer,
    TutorError,
    UsageError,
)

Style = Literal["text", "json"]
_MAY_QUOTE = (UsageError, NotFound, SourceError, StaleAnswer, GenerationError)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_MOST_FRAMES = 30
_FOREIGN_CHARS = 500

#: The id of the request that is being answered, "" outside of one.
request_id: ContextVar[str] = ContextVar("tutor_request_id", default="")


def configure(level: str, style: Style = "text", *, include_text: bool = False) -> None:
    """Write our log lines from ``level`` up to standard error, those of libraries from "warning" up.

    Called again it replaces what it set before.

    Args:
        level: debug, info, warning or error.
        style: what a line looks like.
        include_text: messages of exceptions are kept whatever they quote.
    """
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler()
    handler.setFormatter((_Json if style == "json" else _Text)(include_text))
    root.addHandler(handler)
    logging.getLogger("tutor").setLevel(level.upper())


class _Handler(logging.StreamHandler[TextIO]):
    """To whatever ``sys.stderr`` is at the time; a standard error that is closed or full stops nobody."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # looked up anew for each line
        return sys.stderr

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:  # type: ignore[override]
        return sys.stderr is not None and super().handle(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """There is nowhere to tell of it."""


class _Formatter(logging.Formatter):
    def __init__(self, include_text: bool) -> None:
        super().__init__()
        self._include_text = include_text

    def parts(self, record: logging.LogRecord) -> dict[str, Any]:
        """What a line has, in order."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said = record.getMessage()
        if not record.name.startswith("tutor"):
            said = said.strip().split("\n", 1)[0][:_FOREIGN_CHARS]
        found: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name, "event": said}
        if current := request_id.get():
            found["request_id"] = current
        found |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            found["error"] = list(_chain(record.exc_info[1], self._include_text))
        return found


class _Json(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.parts(record), ensure_ascii=True, default=str)


class _Text(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        parts = self.parts(record)
        errors = parts.pop("error", [])
        head = f"{parts.pop('at')} {parts.pop('level').upper()} {parts.pop('logger')}: {parts.pop('event')}"
        fields = "".join(f" {name}={_flat(value)}" for name, value in parts.items())
        lines = [head + fields]
        for error in errors:
            lines.append(f"  {error['kind']}: {_flat(error['what'])}" if error["what"] else f"  {error['kind']}")
            lines += [f"    at {frame}" for frame in error["frames"]]
        return "\n".join(_CONTROL.sub(lambda c: f"\\x{ord(c[0]):02x}", line) for line in lines)


def _flat(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) or " " in value else value


def _chain(error: BaseException | None, include_text: bool) -> Iterator[dict[str, Any]]:
    """An exception and those behind it, the last raised first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        what = str(error) if include_text else safe_message(error)
        yield {"kind": type(error).__name__, "what": what, "frames": frames[-_MOST_FRAMES:]}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def safe_message(error: BaseException) -> str:
    """The message of an error where it cannot quote a user: the system's own, and ours of index and model files."""
    if isinstance(error, TutorError):
        return "" if isinstance(error, _MAY_QUOTE) else error.message
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""
