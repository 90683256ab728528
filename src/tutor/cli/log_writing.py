"""How a text becomes an entry of the log: from the command line, a file or an editor; what is refused is kept."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli import drafts
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.study.entries import LogEntry
    from tutor.study.log import LogBook

#: Options of ``tutor log`` by the field of a draft that each overrides, with what stands for its value.
_OPTIONS = {
    "date": "--date DAY",
    "title": "--title TITLE",
    "tags": "--tag TAG",
    "cards": "--card CARD",
    "item": "--item ITEM",
}


def from_file(book: LogBook, source: str, given: dict[str, str], folder: Path) -> LogEntry:
    """The entry that a file, a kept draft or standard input becomes; a draft is removed then.

    Args:
        book: the log.
        source: a path, or - for standard input.
        given: fields of a form that take the place of the file's, where they are not empty.
        folder: where drafts are kept.

    Raises:
        UsageError: it cannot be read, or is refused.
        NotFound: no such card or item.
    """
    if source == "-":
        try:
            raw = sys.stdin.read()
        except (AttributeError, OSError, ValueError) as error:
            raise UsageError("standard input cannot be read", about="--from -") from error
    else:
        raw = drafts.read_draft(Path(source))
    form = drafts.read_form(raw, about=source)
    form = drafts.Form({**form.fields, **{k: v for k, v in given.items() if v}}, form.text)
    entry = stored(book, form, folder if source == "-" else None)
    path = Path(source)
    if source != "-" and path.resolve().parent == folder.resolve():
        path.unlink(missing_ok=True)  # a draft that has become an entry
    return entry


def by_editor(book: LogBook, fields: dict[str, str], text: str, folder: Path) -> LogEntry:
    """What comes out of the editor, stored; the draft stays until it is."""
    command = drafts.editor(os.environ)
    before = drafts.form_text(fields, text)
    path = drafts.keep_draft(folder, before, datetime.now())
    began = time.monotonic()
    raw = drafts.edited(path, command)
    form = None
    try:
        form = drafts.read_form(raw, about=str(path))
        if not form.text:
            if raw == before:
                path.unlink(missing_ok=True)
            raise UsageError("the entry is empty, nothing was added")
        entry = stored(book, form, None, seconds=time.monotonic() - began)
    except TutorError as error:
        if path.exists():
            options = [_OPTIONS[name] for name in _refused(book, form.fields)] if form else []
            raise type(error)(
                f"{error.what}; the draft is kept",
                about=error.about,
                fix=_how_to_go_on(path, error.fix, options),
            ) from error
        raise
    path.unlink(missing_ok=True)
    return entry


def _how_to_go_on(path: Path, fix: str, options: Sequence[str] = ()) -> str:
    return " ".join([fix, "To add it: tutor log --from", shlex.quote(str(path)), *options]).strip()


def _refused(book: LogBook, fields: Mapping[str, str]) -> list[str]:
    """The fields of a form that no entry takes; none where that cannot be told, as without the store."""
    try:
        return [name for name in _OPTIONS if not book.takes(name, fields.get(name, ""))]
    except TutorError:
        return []


def stored(book: LogBook, form: drafts.Form, folder: Path | None, *, seconds: float = 0.0) -> LogEntry:
    """A form as an entry, or a new version of the one it names; with a folder, what cannot be stored is kept there."""
    fields = form.fields
    cards = [part.strip() for part in fields.get("cards", "").split(",") if part.strip()]
    title, tags, day, item = (fields.get(key, "") for key in ("title", "tags", "date", "item"))
    try:
        if fields.get("entry"):
            head: dict[str, Any] = {key: fields[key] for key in ("title", "item") if key in fields}
            entry = book.edit(
                fields["entry"],
                text=form.text,
                tags=[tags] if "tags" in fields else None,
                cards=cards if "cards" in fields else None,
                day=day or None,
                **head,
            )
            if fields.get("version", "").isdecimal() and entry.version > int(fields["version"]) + 1:
                print(
                    f"tutor: the entry was changed meanwhile; that is kept as version {entry.version - 1}",
                    file=sys.stderr,
                )
            return entry
        return book.add(form.text, title=title, tags=[tags], cards=cards or None, item=item, day=day, seconds=seconds)
    except TutorError as error:
        if folder is None or not form.text.strip():
            raise
        wrong = _refused(book, fields)
        shown = {key: fields[key] for key in ("entry", *_OPTIONS) if fields.get(key) and key not in wrong}
        path = drafts.keep_draft(folder, drafts.form_text(shown, form.text), datetime.now())
        raise type(error)(
            f"{error.what}; the text is kept{f', without {_listed(wrong)}' if wrong else ''}",
            about=error.about,
            fix=_how_to_go_on(path, error.fix),
        ) from error


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"its {name}" for name in names)
