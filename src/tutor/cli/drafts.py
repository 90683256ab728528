"""What is being written outlives whatever happens to it: drafts in ``<home>/log-drafts``, the form, the editor."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tutor.errors import TutorError, UsageError

_KEYS = ("entry", "version", "date", "title", "tags", "cards", "item")
_FIELD = re.compile(r"([a-z]+):[ \t]*(.*)")
_NAME = re.compile(r"\d{8}-\d{6}-(\d+)(?:-\d+)?\.md")
_HINT = "About 150 words below the line: what you decided, instead of what, why, and when it would be wrong."
_RULE = "---"


@dataclass(frozen=True, slots=True)
class Form:
    """What the learner fills in: the fields by name, and the text."""

    fields: Mapping[str, str]
    text: str


def form_text(fields: Mapping[str, str], text: str) -> str:
    """A form to be filled in. What is left empty goes by the rest of it: the item of a plan by the date."""
    lines = [_RULE, f"# {_HINT}", "# Empty cards: they are found from the text; cards: none for no card."]
    if "item" in fields and "entry" not in fields:
        lines.append("# Empty item: the step that your plan has on the date; item: none for no step.")
    lines += [f"{key}: {value}".rstrip() for key, value in fields.items()]
    return "\n".join([*lines, _RULE, "", text, ""])


def read_form(given: str, *, about: str) -> Form:
    """A filled-in form, or a text without one.

    Raises:
        UsageError: the lines above the text are not as they were given.
    """
    text = given.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = text.split("\n")
    if lines[0].strip() != _RULE:
        return Form({}, text.strip())
    fields: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == _RULE:
            return Form(fields, "\n".join(lines[number:]).strip())
        if not line.strip() or line.startswith("#"):
            continue
        match = _FIELD.fullmatch(line.strip())
        if match is None or match.group(1) not in _KEYS:
            raise UsageError(
                f"line {number} is none of {', '.join(_KEYS[2:])}", about=about, fix="Text goes below the second ---."
            )
        fields[match.group(1)] = match.group(2).strip()
    raise UsageError("the second --- is missing", about=about, fix="Text goes below it.")


def keep_draft(folder: Path, text: str, now: datetime) -> Path:
    """A new file with a text; named after the time and the process that writes it.

    Raises:
        TutorError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1000):
            extra = f"-{number}" if number else ""
            path = folder / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}{extra}.md"
            with suppress(FileExistsError), open(path, "x", encoding="utf-8", errors="replace") as file:
                file.write(text)
                return path
    except OSError as error:
        raise TutorError(
            f"the draft cannot be written ({error.strerror})", about=str(folder), fix="Nothing was added."
        ) from error
    raise TutorError("there are too many drafts of this second", about=str(folder))


def left_over(folder: Path) -> list[Path]:
    """Drafts of processes that have ended, the oldest first."""
    with suppress(OSError):
        found = [(path, match) for path in sorted(folder.iterdir()) if (match := _NAME.fullmatch(path.name))]
        return [path for path, match in found if not _alive(int(match.group(1)))]
    return []


def tell_left_over(folder: Path) -> None:
    """Say on standard error which drafts lie about, and how they become entries."""
    if found := left_over(folder):
        more = f" (and {len(found) - 1} more in {folder})" if len(found) > 1 else ""
        print(f"tutor: a draft was never finished. To go on: tutor log --from {found[0]}{more}", file=sys.stderr)


def read_draft(path: Path) -> str:
    """The text of a draft or any other file.

    Raises:
        UsageError: it cannot be read, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"cannot be read ({reason})", about=str(path), fix="Check the path.") from error


def editor(environment: Mapping[str, str]) -> list[str]:
    """The command of the learner's editor: $VISUAL, $EDITOR, or what the machine has.

    Raises:
        UsageError: there is none, or its command cannot be read.
    """
    for name in ("VISUAL", "EDITOR"):
        if given := environment.get(name, "").strip():
            try:
                return shlex.split(given)
            except ValueError as error:
                raise UsageError(f"the command cannot be read ({error})", about=f"${name}") from error
    if sys.stdin is not None and sys.stdin.isatty():
        for command in ("sensible-editor", "nano", "vi", "notepad"):
            if path := shutil.which(command):
                return [path]
    raise UsageError("no editor is set", about="tutor log", fix='Set $EDITOR, or: tutor log "what I decided and why"')


def edited(path: Path, command: list[str]) -> str:
    """What stands in a draft after the editor has been closed.

    Raises:
        UsageError: the editor could not be started, failed or was killed; a changed draft stays and is named.
    """
    before = path.read_text(encoding="utf-8")
    try:
        code = subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(
            f"the editor cannot be started ({error.strerror})", about=command[0], fix="Set $VISUAL or $EDITOR."
        ) from error
    after = read_draft(path)
    if code == 0:
        return after
    if after == before:
        path.unlink(missing_ok=True)
        raise UsageError(f"the editor ended with {code}, nothing was added", about=command[0])
    raise UsageError(
        f"the editor ended with {code}, nothing was added and the draft is kept",
        about=command[0],
        fix=f"To add it: tutor log --from {shlex.quote(str(path))}",
    )


def _alive(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
