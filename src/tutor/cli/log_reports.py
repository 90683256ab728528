"""``tutor log digest``, ``draft`` and ``capstone``: what entries come to, as Markdown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.log import Json, entry_json, log_book
from tutor.cli.log import app as app  # with these commands in it
from tutor.cli.state import emit
from tutor.errors import TutorError, UsageError

Out = Annotated[Path | None, typer.Option(help="Write it to a new file.")]


@app.command("digest")
def digest(
    context: typer.Context,
    week: Annotated[str, typer.Option(help="As in 2026-W47; by default this week.")] = "",
    as_json: Json = False,
) -> None:
    """A week in the log: what was decided, cards touched, open questions."""
    from tutor.study import digest as rules
    from tutor.study.entries import Query

    with log_book(context) as book:
        first, last = rules.days_of(week or rules.week_of(book.today))
        found = rules.digest(book.entries(Query(first=first, last=last)), book.outline, first, last)
        if as_json:
            emit(rules.digest_row(found))
        else:
            typer.echo(rules.digest_markdown(found), nl=False)


@app.command("draft")
def draft(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="The entries, in the order of the post.")],
    title: Annotated[str, typer.Option(help="The post's title.")] = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Entries as a blog post's draft: front matter, text, further reading."""
    from tutor.logkeeping import resources_of
    from tutor.study import digest as rules

    with log_book(context) as book:
        entries = [book.get(name) for name in names]
        text = rules.draft(entries, book.outline, resources_of, today=book.today, title=title)
        if as_json:
            emit({"markdown": text, "entries": [entry_json(book, entry) for entry in entries]})
        else:
            _write(text, out)


@app.command("capstone")
def capstone(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="As in M1, or a step of any plan.")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Everything that was written for a month, to write its capstone from."""
    from tutor.study import digest as rules
    from tutor.study.entries import Query
    from tutor.study.links import item_of

    with log_book(context) as book:
        wanted = item_of(book.outline, item)
        found = book.entries(Query(item=wanted))
        text = rules.capstone(found, book.outline, wanted)
        if as_json:
            mine = [entry_json(book, entry) for entry in reversed(found)]
            emit({"item": wanted, "markdown": text, "entries": mine})
        else:
            _write(text, out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with open(out, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError("the file is there already", about=str(out), fix="Choose another name.") from error
    except OSError as error:
        raise TutorError(f"cannot be written ({error.strerror})", about=str(out)) from error
    typer.echo(f"Written to {os.fspath(out)}")
