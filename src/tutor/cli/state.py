"""What the commands share: settings from the common options, and the core with its index made ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.errors import UsageError

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
        from tutor.cli.progress import bar

        core = App(self.settings(**given))
        with bar("Indexing the curriculum") as advance:
            report = core.ensure_index(on_progress=advance)
        for problem in report.problems if report else ():
            print(f"tutor: {problem.message}", file=sys.stderr)
        warn_about_fallback(core)
        try:
            yield core
        finally:
            core.close()


def warn_about_fallback(core: App) -> None:
    """Say so when an older generation answers because the newest is damaged."""
    fault = getattr(core.reader, "fallback", None)
    if fault is not None:
        print(f"tutor: an older generation answers, the newest is damaged. {fault.message}", file=sys.stderr)


def batch_questions(name: str) -> Iterator[tuple[Any, str]]:
    """``(id, question)`` of every line of a JSONL file, or of standard input for ``-``.

    Raises:
        UsageError: the file cannot be read, or a line (named) is not a JSON object with 'id' and 'question'.
    """
    try:
        handle = sys.stdin if name == "-" else open(name, encoding="utf-8")  # noqa: SIM115  closed by the with below
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", about=name, fix="Check the path.") from error
    with handle:
        try:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    yield row["id"], str(row["question"])
                except (ValueError, KeyError, TypeError) as error:
                    raise UsageError(
                        f"the line is not a JSON object with 'id' and 'question' ({error})",
                        about=f"{name}:{number}",
                        fix='As in: {"id": "q1", "question": "What is quorum?"}',
                    ) from error
        except UnicodeDecodeError as error:
            raise UsageError(f"the file is not UTF-8 ({error.reason})", about=name) from error


def parse_filters(pairs: list[str]) -> dict[str, list[str | int]]:
    """``key=value`` pairs to a filter; values of one key are alternatives; whole numbers are numbers.

    Raises:
        UsageError: a pair without '='.
    """
    filters: dict[str, list[str | int]] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"'{pair}' is not key=value", about="--filter", fix="As in: --filter phase=4")
        filters.setdefault(key, []).append(int(value) if value.isdecimal() else value)
    return filters


def emit(row: dict[str, Any]) -> None:
    """One JSON line on standard output, flushed, so that a reader sees it at once."""
    print(json.dumps(row, ensure_ascii=False), flush=True)
