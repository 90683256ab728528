"""What the commands share: settings from the common options, and the core with its index made ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli.lines import echo_wrapped as echo_wrapped
from tutor.cli.lines import emit as emit
from tutor.cli.lines import terminal_width as terminal_width
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The common options, before they are settings."""

    home: Path | None
    index: Path | None
    builtin: bool | None
    debug: bool

    def settings(self, **given: Any) -> Settings:
        """Settings in force.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        from tutor.settings import load_settings

        corpus = None if self.builtin is None else {"builtin": self.builtin}
        return load_settings(home=self.home, index=self.index, corpus=corpus, **given)

    @contextmanager
    def core(self, **given: Any) -> Iterator[App]:
        """The core with an index to ask; builds or refreshes the built-in curriculum's index when needed."""
        from tutor.bootstrap import App
        from tutor.telemetry import logs

        settings = self.settings(**given)
        logs.configure(settings.log, settings.log_format, include_text=settings.telemetry.include_text)
        core = App(settings)
        told = make_ready(core)
        try:
            with core.watched():
                yield core
        finally:
            warn_about_fallback(core, told)  # damage may show only when something is read
            core.close()


def make_ready(core: App) -> TutorError | None:
    """Build or refresh the index where that is needed, and say on standard error what is to be known of it.

    Returns:
        The fault because of which an older generation answers, if any.
    """
    from tutor.cli.progress import bar

    with bar("Indexing the curriculum, once") as advance:
        report = core.ensure_index(on_progress=advance)
    for problem in report.news if report else ():
        print(f"tutor: {problem.message}", file=sys.stderr)
    told = warn_about_fallback(core)
    warn_about_changes(core)
    return told


def warn_about_fallback(core: App, told: TutorError | None = None) -> TutorError | None:
    """Say so when an older generation answers because the newest is damaged; the fault, if any."""
    if (fault := core.reader.fallback) is not None and fault is not told:
        print(f"tutor: an older generation answers, the newest is damaged. {fault.message}", file=sys.stderr)
    return fault


def warn_about_changes(core: App) -> None:
    """Say so when answers may quote files that have since changed or gone."""
    from tutor.ingest.collect import moved_on

    if core.settings.qdrant.url:
        return  # a shared index: its files are somebody else's
    changed, gone = moved_on(core.reader.manifest.sources)
    parts = [f"{len(changed)} changed" if changed else "", f"{len(gone)} gone" if gone else ""]
    if what := " and ".join(filter(None, parts)):
        print(f"tutor: {what} since the last ingest among the indexed files. Run: tutor ingest", file=sys.stderr)


def batch_questions(name: str) -> Iterator[tuple[Any, str]]:
    """``(id, question)`` of every line of a JSONL file, as ``batch_rows`` reads it."""
    for row in batch_rows(name, text=("question",)):
        yield row["id"], row["question"]


_LINES = {
    ("question",): '{"id": "q1", "question": "What is a quorum?"}',
    ("card", "probe", "answer"): '{"id": "a1", "card": "kafka", "probe": "why-not-task-queue", "answer": "…"}',
}


def batch_rows(
    name: str, *, text: tuple[str, ...], on_bad: Callable[[dict[str, Any], str], None] | None = None
) -> Iterator[dict[str, Any]]:
    """Every line of a JSONL file (UTF-8), or of standard input for ``-``: objects with ``id`` and the ``text`` fields.

    A bad line is reported on standard error and the others are still done. ``on_bad`` gets its id (None where it has
    none) and number, and what is wrong, so that there can be a line out for every line in.

    Raises:
        UsageError: the file cannot be read, or, after the last line, some lines were bad.
    """
    try:
        source = sys.stdin.fileno() if name == "-" else name
        handle = open(source, "rb", closefd=name != "-")  # noqa: SIM115  closed by the with below
    except (OSError, AttributeError) as error:  # AttributeError: standard input is closed, Python has None for it
        reason = getattr(error, "strerror", "") or "it is closed"
        raise UsageError(f"cannot be read ({reason})", about=name, fix="Check the path.") from error
    bad = 0
    with handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                row = _row(line, text)
            except UsageError as error:
                bad += 1
                print(f"tutor: {name}:{number}: {error.message}", file=sys.stderr)
                if on_bad:
                    on_bad({"id": _id_of(line), "line": number}, error.message)
            else:
                yield row
    if bad:
        raise UsageError(
            f"{bad} {'line was' if bad == 1 else 'lines were'} left out",
            about=name,
            fix=f"Lines are as in: {_LINES[text]}",
        )


def _row(line: bytes, text: tuple[str, ...]) -> dict[str, Any]:
    """The object of a line.

    Raises:
        UsageError: it has none; says what the line is instead.
    """
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"the line is not UTF-8 (at byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"the line is not JSON (at character {error.pos + 1})") from error
    except RecursionError as error:
        raise UsageError("the line is nested too deeply") from error
    except ValueError as error:  # more digits than Python reads
        raise UsageError("the line has a number that is too long") from error
    keys = ("id", *text)
    if not isinstance(row, dict):
        raise UsageError(f"the line is {_kind(row)}, not an object with {' and '.join(repr(k) for k in keys)}")
    if missing := [f"'{key}'" for key in keys if key not in row]:
        raise UsageError(f"the line has no {' and no '.join(missing)}")
    for key in text:
        if not isinstance(row[key], str):
            raise UsageError(f"'{key}' is {_kind(row[key])}, not text")
    return row


def _id_of(line: bytes) -> object:
    """The id of a line that is an object with one, whatever else is wrong with it."""
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return row.get("id") if isinstance(row, dict) else None


def _kind(value: object) -> str:
    """What JSON calls a value."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (dict, "an object"),
        (list, "a list"),
        (str, "text"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null" if value is None else "a number")


def parse_filters(pairs: list[str]) -> dict[str, list[str | int]]:
    """``key=value`` pairs to a filter; values of one key are alternatives.

    Raises:
        UsageError: a pair without '=', an unknown key, or words where the key has numbers.
    """
    filters: dict[str, list[str | int]] = {}
    for pair in pairs:
        from tutor.retrieval.index import FILTER_KEYS, INTEGER_FIELDS

        key, separator, value = pair.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"'{pair}' is not key=value", about="--filter", fix="As in: --filter phase=4")
        if key not in FILTER_KEYS:
            raise UsageError(f"unknown key '{key}'", about="--filter", fix=f"Known: {', '.join(sorted(FILTER_KEYS))}.")
        number = f"meta.{key}" in INTEGER_FIELDS
        if number and not (value.isdecimal() and len(value) < 10):
            raise UsageError(f"'{value}' is not a whole number", about=f"--filter {key}", fix="As in: --filter phase=4")
        filters.setdefault(key, []).append(int(value) if number else value)
    return filters
