"""``tutor log``: the decision log at the terminal; with a text it writes an entry, without one it opens an editor."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tutor.cli import drafts
from tutor.cli.lines import counted
from tutor.cli.log_writing import by_editor, from_file, stored
from tutor.cli.state import State, echo_wrapped, emit, terminal_width
from tutor.errors import NotFound, UsageError

if TYPE_CHECKING:
    from tutor.study.entries import LogEntry
    from tutor.study.log import LogBook


_LIKE_ID = re.compile(r"last|[0-9a-f-]{4,40}", re.IGNORECASE)


class _TextOrCommand(TyperGroup):
    """What is no command is an entry's text: ``tutor log "RESP, not JSON"`` is ``tutor log add "RESP, not JSON"``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            self._refuse_misspelt(args)
            args = ["add", *args]
        return super().parse_args(ctx, args)

    def _refuse_misspelt(self, args: list[str]) -> None:
        """One word that is nearly a command, alone or before an entry's id, is no entry of a decision log."""
        words = [word for word in args if not word.startswith("-")]
        alone = len(args) == 1 or (len(words) == 2 and args[:2] == words and _LIKE_ID.fullmatch(words[1]))
        near = get_close_matches(words[0], self.commands, n=1, cutoff=0.7) if words[:1] == args[:1] and alone else []
        if near:
            raise UsageError(
                f"'{words[0]}' is no command, and nothing was added",
                about="tutor log",
                fix=f"Did you mean: tutor log {near[0]}? To add it as an entry: tutor log add {shlex.join(args)}",
            )


app = typer.Typer(
    cls=_TextOrCommand,
    help="The decision log: about 150 words on what you decided, instead of what, and why.",
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given several times.")]
Cards = Annotated[list[str] | None, typer.Option("--card", help="A card by any name, instead of those found; 'none'.")]
Item = Annotated[str, typer.Option(help="What it belongs to, as M1W2; by default where the plan is; 'none'.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="An entry's id, how it begins, or 'last'.")]
Since = Annotated[str, typer.Option("--since", metavar="DAY", help="From this day on.")]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help="Up to this day.")]
Limit = Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many.")]


@contextmanager
def log_book(context: typer.Context) -> Iterator[LogBook]:
    """The learner's log; what the store has to tell goes to standard error."""
    from tutor.logkeeping import open_log

    state: State = context.obj
    book = open_log(state.settings())
    try:
        yield book  # the store is opened inside: a text that it cannot take is kept
    finally:
        for line in book.news:
            print(f"tutor: {line}", file=sys.stderr)
        book.close()


@app.command("add")
def add(
    context: typer.Context,
    text: Annotated[
        list[str] | None, typer.Argument(help="The entry; without it $VISUAL or $EDITOR is opened.")
    ] = None,
    title: Annotated[str, typer.Option(help="A title, where it has one.")] = "",
    tag: Tags = None,
    card: Cards = None,
    item: Item = "",
    date: Annotated[str, typer.Option(metavar="DAY", help="The day it is of: 2026-05-03, yesterday.")] = "",
    source: Annotated[
        str, typer.Option("--from", metavar="FILE", help="The entry, or a kept draft, from a file; - for stdin.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Write an entry."""
    if text and source:
        raise UsageError("give either a text or --from FILE")
    given = {"title": title, "tags": ", ".join(tag or []), "cards": ", ".join(card or []), "item": item, "date": date}
    folder = _folder(context)
    with log_book(context) as book:
        if source:
            entry = from_file(book, source, given, folder)
        elif text:
            entry = stored(book, drafts.Form(given, " ".join(text)), folder)
        else:
            drafts.tell_left_over(folder)
            fields = {**given, "date": date or str(book.today)}
            entry = by_editor(book, {k: fields[k] for k in ("date", "title", "tags", "cards", "item")}, "", folder)
        if as_json:
            emit(entry_json(book, entry))
        else:
            _tell(book, entry, "Added" if entry.version == 1 else f"Version {entry.version} of")


def _folder(context: typer.Context) -> Path:
    from tutor.study.whose import own_folder

    state: State = context.obj
    return own_folder(state.settings()) / "log-drafts"


@app.command("list")
def list_entries(
    context: typer.Context,
    tag: Tags = None,
    card: Cards = None,
    item: Annotated[str, typer.Option(help="Only of this item and what lies below it.")] = "",
    since: Since = "",
    until: Until = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that are deleted.")] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List entries, newest first."""
    _list(context, "", tag, card, item, since, until, deleted, limit, as_json)


@app.command("search")
def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help='All of them are in the entry; "in quotes": side by side.')],
    tag: Tags = None,
    card: Cards = None,
    item: Annotated[str, typer.Option(help="Only of this item and what lies below it.")] = "",
    since: Since = "",
    until: Until = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Among those that are deleted.")] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Find entries by words, tags, cards and days, newest first."""
    # The shell has eaten the quotes of "two words".
    text = " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)
    _list(context, text, tag, card, item, since, until, deleted, limit, as_json)


def _list(
    context: typer.Context,
    words: str,
    tags: list[str] | None,
    cards: list[str] | None,
    item: str,
    since: str,
    until: str,
    deleted: bool,
    limit: int,
    as_json: bool,
) -> None:
    from tutor.study.entries import excerpt

    with log_book(context) as book:
        query = book.query(words, tags=tags or [], cards=cards or [], item=item, first=since, last=until)
        total, found = book.search(query, deleted=deleted, limit=limit)
        if as_json:
            emit({"total": total, "entries": [entry_json(book, entry) for entry in found]})
            return
        for entry in found:
            typer.echo(f"{entry.id[:8]}  {entry.day}  {entry.name}")
            about = [
                counted(entry.words, "word"),
                *(f"#{tag}" for tag in entry.tags),
                *([entry.item] if entry.item else []),
            ]
            echo_wrapped(", ".join(about), lead=" " * 10, hang=10)
            if words:
                echo_wrapped(excerpt(entry, query.terms), lead=" " * 10, hang=10)
        if not found:
            typer.echo("No entry is like that." if words or tags or cards or item else "The log is empty.")
        elif total > limit:
            typer.echo(f"… and {total - limit:,} more: -n {total}")


@app.command("show")
def show(
    context: typer.Context,
    name: Id = "last",
    version: Annotated[int | None, typer.Option(help="An earlier version.")] = None,
    versions: Annotated[bool, typer.Option("--versions", help="All versions, the newest first.")] = False,
    as_json: Json = False,
) -> None:
    """Show an entry."""
    with log_book(context) as book:
        found = book.versions(name) if versions or version is not None else [book.get(name)]
        if version is not None:
            found = [one for one in found if one.version == version]
            if not found:
                raise NotFound(f"it has no version {version}", about=name, fix="See: tutor log show ID --versions")
        if as_json:
            rows = [entry_json(book, one) for one in found]
            emit({"versions": rows} if versions else rows[0])
            return
        for number, one in enumerate(found):
            if number:
                typer.echo("")
            _print(book, one)


@app.command("edit")
def edit(
    context: typer.Context,
    name: Id,
    text: Annotated[
        list[str] | None, typer.Argument(help="The new text; without it $VISUAL or $EDITOR is opened.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    tag: Tags = None,
    card: Cards = None,
    item: Annotated[str | None, typer.Option(help="Another item, or 'none'.")] = None,
    date: Annotated[str | None, typer.Option(metavar="DAY", help="Another day.")] = None,
    as_json: Json = False,
) -> None:
    """Change an entry; the version before it stays."""
    folder = _folder(context)
    with log_book(context) as book:
        old = book.get(name)
        options = (title, tag, card, item, date)
        if text or any(option is not None for option in options):
            fields = {"entry": old.id, "title": title, "item": item, "date": date}
            fields |= {"tags": ", ".join(tag) if tag else None, "cards": ", ".join(card) if card else None}
            kept = {key: value for key, value in fields.items() if value is not None}
            new = stored(book, drafts.Form(kept, " ".join(text) if text else old.text), folder)
        else:
            if old.deleted:
                raise UsageError("the entry is deleted", about=old.id[:8], fix=f"First: tutor log restore {old.id[:8]}")
            shown = {
                "entry": old.id,
                "version": str(old.version),
                "date": str(old.day),
                "title": old.title,
                "tags": ", ".join(old.tags),
                "cards": ", ".join(old.cards) or "none",
                "item": old.item or "none",
            }
            new = by_editor(book, shown, old.text, folder)
        if as_json:
            emit(entry_json(book, new))
        elif new.version == old.version:
            typer.echo("Nothing was changed.")
        else:
            _tell(book, new, f"Version {new.version} of")


@app.command("delete")
def delete(context: typer.Context, name: Id, as_json: Json = False) -> None:
    """Delete an entry; it can be brought back."""
    with log_book(context) as book:
        entry = book.delete(name)
        if as_json:
            emit(entry_json(book, entry))
        else:
            echo_wrapped(f"Deleted {entry.id[:8]}. To bring it back: tutor log restore {entry.id[:8]}")


@app.command("restore")
def restore(
    context: typer.Context,
    name: Id,
    version: Annotated[int | None, typer.Option(help="Go back to this version.")] = None,
    as_json: Json = False,
) -> None:
    """Bring back a deleted entry, or an earlier version."""
    with log_book(context) as book:
        before = None if name.strip().lower() == "last" and version is None else book.get(name)
        entry = book.restore(name, version)
        if as_json:
            emit(entry_json(book, entry))
        elif before and before.version == entry.version:
            typer.echo("Nothing was changed: the entry is not deleted.")
        else:
            _tell(book, entry, "Brought back")


def entry_json(book: LogBook, entry: LogEntry) -> dict[str, Any]:
    """An entry as JSON, as the API gives it."""
    from tutor.study.entries import entry_row

    return entry_row(entry, book.titles(entry.cards))


def _tell(book: LogBook, entry: LogEntry, what: str) -> None:
    from tutor.study.entries import length_told

    echo_wrapped(f"{what} {entry.id[:8]}, {entry.day}: {length_told(entry.words)}.")
    if entry.cards:
        echo_wrapped(f"Cards: {', '.join(book.titles(entry.cards))}", hang=7)
    if entry.item:
        echo_wrapped(f"Belongs to: {entry.item}")
        for offer in book.offers(entry.item):
            echo_wrapped(f"In your plan, tick it off: {offer.command}")


def _print(book: LogBook, entry: LogEntry) -> None:
    state = ", deleted" if entry.deleted else ""
    typer.echo(f"{entry.id[:8]}  {entry.day}  version {entry.version}{state}, {counted(entry.words, 'word')}")
    for label, value in (
        ("Title", entry.title),
        ("Tags", ", ".join(entry.tags)),
        ("Cards", ", ".join(book.titles(entry.cards))),
        ("Item", entry.item),
    ):
        if value:
            echo_wrapped(f"{label}: {value}", hang=len(label) + 2)
    typer.echo("")
    for line in entry.text.split("\n"):
        if len(line) > terminal_width() and not line.startswith(("    ", "|", "```")):
            echo_wrapped(line)
        else:
            typer.echo(line)
