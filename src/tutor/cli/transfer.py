"""``tutor export``, ``import`` and ``erase``: everything that a learner has made, taken out, brought in, or deleted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import State, echo_wrapped, emit
from tutor.errors import SourceError, StudyFault, StudyFull, Unreadable, UsageError
from tutor.files import write_whole

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.study.marks import CardMark
    from tutor.study.transfer import Imported

FORMATS = ("json", "markdown", "anki")
WORDS = "delete everything"
_BY_SUFFIX = {".json": "json", ".md": "markdown", ".markdown": "markdown", ".apkg": "anki"}
_NAMES = {
    "learners": "your name",
    "drilled": "graded drill tasks",
    "memory": "review schedules",
    "entries": "versions of log entries",
    "card_notes": "notes on cards",
    "sittings": "sittings",
    "conversations": "conversations",
    "turns": "questions of conversations with their answers",
    "drills": "drill files and their lines",
    "feedback": "votes",
    "log-drafts": "unfinished log entries",
}


def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Where to; - is standard output.")] = "-",
    kind: Annotated[
        str, typer.Option("--format", metavar="json|markdown|anki", help="By FILE's ending, where not given.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as one JSON object.")] = False,
) -> None:
    """Write everything you have made: JSON to keep or move, Markdown to read, an Anki deck of what is weak or due.

    JSON is complete, drills with their transcripts included, and comes back in with: tutor import FILE
    """
    from tutor.bootstrap import App

    suffix = Path(file).suffix.lower()
    if not kind and file != "-" and suffix and suffix not in _BY_SUFFIX:
        raise UsageError(
            f"'{suffix}' names no format", about=file, fix=f"One of {', '.join(_BY_SUFFIX)}, or: --format {FORMATS[0]}"
        )
    kind = kind or _BY_SUFFIX.get(suffix, "json")
    if kind not in FORMATS:
        raise UsageError(f"'{kind}' is no format", about="--format", fix=f"One of: {', '.join(FORMATS)}.")
    if file == "-" and (kind == "anki" or as_json):
        fix = "As in: tutor export weak.apkg" if kind == "anki" else "The export is JSON as it is; leave --json."
        raise UsageError("needs a file", about="tutor export" if kind == "anki" else "--json", fix=fix)
    state: State = context.obj
    core = App(state.settings())
    try:
        written = f"{_anki(core, Path(file))} notes" if kind == "anki" else ""
        if not written:
            text = core.transfer.text(kind)
            written = f"{len(text.encode(errors='replace')):,} bytes"
            if file == "-":
                sys.stdout.write(text)
            else:
                _write(Path(file), text)
        _tell_news(core)
    finally:
        core.close()
    if as_json:
        emit({"file": file, "format": kind, "written": written})
    elif file != "-":
        echo_wrapped(f"Written to {file}: {written}.")
        if written == "0 notes":
            echo_wrapped("Nothing is weak or due: the deck is empty.")


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="An export, or a study guide with marks.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Bring in an export, or the marks [ ] [~] [x] of a pasted study guide.

    What is here stays: rows are added, and of two versions of a row the newer one counts. The same import a second
    time changes nothing. A damaged file, or one of a newer version, changes nothing.
    """
    from tutor.bootstrap import App
    from tutor.study import marks
    from tutor.study.transfer import looks_like_one, read

    state: State = context.obj
    core = App(state.settings())
    try:
        data = _data(file)
        if looks_like_one(data):
            done = core.transfer.bring_in(read(data, file), dry_run=dry_run)
            _tell_news(core)
            _tell_import(done, file, dry_run=dry_run, as_json=as_json)
            return
        text = _guide(data, file)
        found = marks.read_marks(text, core.study.outline)
        if not found.cards:
            raise SourceError(
                "none of its marks belongs to a card of the curriculum",
                about=file,
                fix="Put marks before titles, as in: [x] Caching",
            )
        store = core.study_store()
        try:
            core.transfer.news += store.news
            store.owner()
            new = marks.store_marks(store, found.cards, dry_run=dry_run)
        finally:
            store.close()
        _tell_news(core)
        _tell_marks(found.cards, new, found.unmatched, dry_run=dry_run, as_json=as_json)
    finally:
        core.close()


def erase(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object; needs --yes.")] = False,
) -> None:
    """Delete everything you have made: progress, reviews, plans, log with its drafts, conversations, drills, votes.

    An export is written to HOME/backups first; it comes back in with: tutor import FILE. The library stays.
    """
    from tutor.bootstrap import App

    state: State = context.obj
    settings = state.settings()
    if not yes:
        if as_json or sys.stdin is None or not sys.stdin.isatty():
            raise UsageError("nobody can be asked here, so nothing was deleted", about="tutor erase", fix="Add --yes.")
        echo_wrapped(f"All that learner {settings.study.learner} has made in {settings.home} will be deleted.")
        if " ".join(typer.prompt(f"To confirm, type: {WORDS}\n").lower().split()) != WORDS:
            raise UsageError("these are not the words, so nothing was deleted", about="tutor erase")
    core = App(settings)
    try:
        done = core.erase()
        _tell_news(core)
    finally:
        core.close()
    if as_json:
        kept = {"several": list(done.several), "kept_in": done.kept_in}
        emit({"rows": done.rows, "files": done.files, "backup": done.backup, "left": list(done.left), **kept})
        return
    echo_wrapped(f"Deleted: {done.rows} rows and {done.files} files. A copy is kept in {done.backup}")
    echo_wrapped(f"To be rid of all of it, delete that file{' and these older copies:' if done.left else '.'}")
    for path in done.left:
        typer.echo(f"  {path}")
    if done.several:
        echo_wrapped(
            f"Not deleted, in {done.kept_in}: drills of an earlier version, which kept those of all learners of a home "
            "in one folder. Another may have made them; delete those that are yours:"
        )
        for drill in done.several:
            typer.echo(f"  {drill}")


def _anki(core: App, path: Path) -> int:
    from tutor.study.anki import due_today, notes, write

    at = core.study.standing()
    chosen = notes(core.transfer.export(), at.outline, due_today(at, core.study.zone))
    write(path, chosen, at.now)
    return len(chosen)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read: whole, or what was there stays."""
    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        kind = StudyFull if error.errno == 28 else StudyFault
        raise kind(f"it cannot be written ({error.strerror})", about=str(path), fix="Choose another place.") from error


def _data(file: str) -> bytes:
    from tutor.study.transfer import MOST_BYTES

    try:
        if file == "-":
            return sys.stdin.buffer.read()
        if os.path.getsize(file) > MOST_BYTES:
            raise SourceError(f"the file is larger than {MOST_BYTES >> 20} MB", about=file)
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise UsageError("there is no such file", about=file, fix="Check the path.") from error
    except OSError as error:
        raise Unreadable("file", file, error) from error


def _guide(data: bytes, file: str) -> str:
    from tutor.study.marks import has_marks

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            "it is no export and no text", about=file, fix="'tutor export FILE' makes an export."
        ) from error
    if not has_marks(text):
        raise SourceError(
            "it is no export, and has no marks [ ] [~] [x]", about=file, fix="'tutor export FILE' makes an export."
        )
    return text


def _tell_news(core: App) -> None:
    for line in core.transfer.news:
        print(f"tutor: {line}", file=sys.stderr)


def _tell_import(done: Imported, file: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        emit(done.as_json())
        return
    would = " (nothing is changed by --dry-run)" if dry_run else ""
    echo_wrapped(f"{file}, of learner {done.of}, made {done.made}{would}:")
    for name, counts in done.parts.items():
        if counts.new + counts.kept + counts.replaced:
            echo_wrapped(
                f"{_NAMES.get(name, name)}: {counts.new} new, {counts.kept} kept, {counts.replaced} replaced by newer",
                lead="  ",
                hang=4,
            )
    if not done.changes:
        echo_wrapped("All of it was here already; nothing was changed.")
    if done.backup:
        echo_wrapped(f"The database as it was before: {done.backup}")


def _tell_marks(
    found: list[CardMark], new: list[CardMark], unmatched: list[str], *, dry_run: bool, as_json: bool
) -> None:
    from tutor.cli.study import counted
    from tutor.study.marks import lines

    if as_json:
        rows = [{"card": mark.card, "status": mark.status, "line": mark.line, "new": mark in new} for mark in found]
        emit({"dry_run": dry_run, "marks": rows, "unmatched": unmatched})
        return
    echo_wrapped(f"{counted(len(found), 'card is', 'cards are')} marked: {', '.join(lines(found))}.")
    verb = "would be" if dry_run else "were"
    others = "; the others say what is known" if len(new) < len(found) else ""
    echo_wrapped(f"{len(new)} {verb} taken down{others}." if new else "Nothing new.")
    if unmatched:
        echo_wrapped(f"{counted(len(unmatched), 'line with marks belongs', 'lines with marks belong')} to no card:")
        for line in unmatched:
            echo_wrapped(line, lead="  ", hang=4)
