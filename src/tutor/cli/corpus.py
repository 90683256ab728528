"""``tutor corpus``: the curriculum's own files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tutor.errors import CardError

app = typer.Typer(help="Check the curriculum's files.", no_args_is_help=True)


@app.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder with cards/ (default: the built-in curriculum).")
    ] = None,
) -> None:
    """Validate every card: front matter, sections, references between cards."""
    from tutor.bootstrap import builtin_corpus
    from tutor.curriculum.check import check_cards

    root = folder or builtin_corpus()
    cards = root / "cards" if (root / "cards").is_dir() else root
    result = check_cards(cards)
    for problem in result.problems:
        print(f"tutor: {problem.message}", file=sys.stderr)
    typer.echo(
        f"{len(result.cards)} cards, {result.probes} probes, {result.items} items covered: "
        + (f"{len(result.problems)} files with errors." if result.problems else "all valid.")
    )
    if result.problems:
        raise typer.Exit(CardError.exit_code)


@app.command("schema")
def schema() -> None:
    """Print the card front matter's JSON Schema."""
    from tutor.curriculum.card import Card

    typer.echo(json.dumps(Card.model_json_schema(), indent=2))
