"""Log lines: their shape, and that they carry nobody's words."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from tutor.errors import IndexDamaged, UsageError
from tutor.telemetry import logs

SECRET = "sourdough-4711"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], logging.getLogger("tutor").level
    yield
    root.handlers[:] = before
    logging.getLogger("tutor").setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    seen = capsys.readouterr()
    assert seen.out == ""
    return seen.err.splitlines()


def test_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    token = logs.request_id.set("abc")
    logging.getLogger("tutor.web").info("two\nlines %s", "ü", extra={"fields": {"route": "/ask", "ms": 1.5}})
    logs.request_id.reset(token)
    logging.getLogger("tutor.web").debug("not shown")
    (line,) = lines(capsys)
    row = json.loads(line)
    assert row.pop("at").endswith("Z")
    assert row == {
        "level": "info",
        "logger": "tutor.web",
        "event": "two\nlines ü",
        "request_id": "abc",
        "route": "/ask",
        "ms": 1.5,
    }


def test_text_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logging.getLogger("tutor").info("a\nb\x1b[31m", extra={"fields": {"route": "/x y", "status": 200}})
    (line,) = lines(capsys)
    assert line.endswith('INFO tutor: a\\x0ab\\x1b[31m route="/x y" status=200')


@pytest.mark.parametrize("style", ["text", "json"])
def test_an_exception_is_told_without_what_it_may_quote(capsys: pytest.CaptureFixture[str], style: logs.Style) -> None:
    logs.configure("debug", style)
    for error in (KeyError(SECRET), UsageError("unknown card", about=SECRET), UnicodeError(SECRET)):
        try:
            try:
                raise error
            except Exception as inner:
                raise ZeroDivisionError(SECRET) from inner
        except ZeroDivisionError:
            logging.getLogger("tutor").exception("a request failed")
    shown = "\n".join(lines(capsys))
    assert SECRET not in shown
    for part in ("KeyError", "UsageError", "UnicodeError", "ZeroDivisionError", "test_logs.py"):
        assert part in shown


def test_what_cannot_quote_anybody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "json")
    for error in (OSError(28, "No space left on device", SECRET), IndexDamaged("does not match", about="page_0.dat")):
        try:
            raise error
        except Exception:
            logging.getLogger("tutor").exception("failed")
    rows = [json.loads(line)["error"][0] for line in lines(capsys)]
    assert [row["what"] for row in rows] == ["No space left on device", "page_0.dat: does not match"]
    assert "test_what_cannot_quote_anybody_is_told" in rows[0]["frames"][-1]


def test_text_is_told_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", include_text=True)
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("tutor").exception("failed")
    assert SECRET in lines(capsys)[0]


def test_libraries_are_heard_from_warning_up_and_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "json")
    client = logging.getLogger("some.http.client")
    client.debug("request body %s", SECRET)
    client.info("request body %s", SECRET)
    client.warning("task failed\nfuture: exception=%s", SECRET)
    assert [json.loads(line)["event"] for line in lines(capsys)] == ["task failed"]


def test_configured_again_it_replaces_itself(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logs.configure("warning", "text")
    logging.getLogger("tutor").info("no")
    logging.getLogger("tutor").warning("yes")
    assert len(lines(capsys)) == 1


def test_a_standard_error_that_is_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure("info")

    class Full:
        def write(self, text: str) -> None:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    for broken in (None, Full()):
        monkeypatch.setattr(sys, "stderr", broken)
        logging.getLogger("tutor").warning("nobody reads this")
