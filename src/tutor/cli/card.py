"""``tutor card``: a card of the curriculum to read, by a pager where it is longer than the terminal."""

from __future__ import annotations

import io
import os
import pydoc
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import emit, terminal_width
from tutor.errors import CardError, TutorError

if TYPE_CHECKING:
    from tutor.curriculum.card import Card
    from tutor.study.desk import Study


def card(
    context: typer.Context,
    name: Annotated[list[str], typer.Argument(help="A card by id, title or alias, as in: kafka.")],
    pager: Annotated[bool, typer.Option("--pager/--no-pager", help="Page what is longer than the terminal.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with the text as Markdown.")] = False,
) -> None:
    """Print a card: what it says, what it builds on, what to read on, and the question to drill it with."""
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.corpus import read_whole
    from tutor.study.lookup import card_of
    from tutor.studying import open_study

    study = open_study(context.obj.settings())
    try:
        found = card_of(study.outline, " ".join(name))
        whole = read_whole(builtin_corpus(), found.id)
        if whole is None:  # removed since the outline was kept
            raise CardError("the card's file is not there", about=found.id, fix="Reinstall tutor-study.")
        drill = _drill(study, found.id)
    finally:
        study.close()
    if as_json:
        emit(_as_json(*whole, drill))
        return
    colour = sys.stdout.isatty()
    text = _rendered(_as_markdown(*whole), colour) + _below(whole[0], drill)
    if pager and colour and text.count("\n") >= shutil.get_terminal_size((80, 24)).lines:
        os.environ.setdefault("LESS", "-R")  # colours, not their codes
        pydoc.pager(text)
    else:
        print(text, end="")


def _drill(study: Study, card_id: str) -> str:
    """The command that drills the card with the question that is best asked next; without questions, its check."""
    from tutor.study.probes import by_card_of, probe_of

    answers = []
    try:
        answers = by_card_of(study.standing().answers).get(card_id, [])
    except TutorError as fault:  # what the card says needs nothing of the learner's
        print(f"tutor: what you answered so far cannot be read. {fault.message}", file=sys.stderr)
    probe = probe_of(study.outline.cards[card_id], answers, ())
    return f"tutor drill --card {card_id} {probe}" if probe else f"tutor progress --check {card_id}"


def _as_json(card: Card, text: str, drill: str) -> dict[str, Any]:
    fields = {"id", "title", "phase", "section", "tier", "covers", "aliases", "prerequisites", "related", "resources"}
    return {**card.model_dump(mode="json", include=fields), "text": text, "drill": drill}


def _as_markdown(card: Card, text: str) -> str:
    """The card with its title, and below it what it hangs together with."""
    parts = [f"# {card.title}", f"Phase {card.phase}, {card.section}, tier {card.tier} ({card.id})", text.strip()]
    for label, names in (("Builds on", card.prerequisites), ("Related", card.related)):
        if names:
            parts.append(f"**{label}:** {', '.join(names)}")
    return "\n\n".join(parts) + "\n"


def _below(card: Card, drill: str) -> str:
    """What to read on, and what to type next: addresses and commands are not cut, so that they can be copied."""
    lines = ["", "Read on:"] if card.resources else []
    for one in card.resources:
        lines += [textwrap.fill(f"- {one.kind}: {one.title}", terminal_width(), subsequent_indent="  "), f"  {one.url}"]
    lines += ["", f"Then: {drill}"]
    return "".join(f"{line}\n" for line in lines)


def _rendered(text: str, colour: bool) -> str:
    """Markdown as a terminal shows it, within its width: tables drawn, code kept as it is."""
    from rich.console import Console
    from rich.markdown import Markdown

    out = io.StringIO()
    console = Console(
        file=out,
        width=terminal_width(),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
    )
    console.print(Markdown(text, hyperlinks=False, code_theme="ansi_dark"))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
