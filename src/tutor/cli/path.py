"""``tutor path``: the way to a card, what it hangs together with, the threads, and a map of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit
from tutor.cli.study import counted, line, minutes, note, studying
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.study.desk import Standing, Study
    from tutor.study.paths import Path

_FORMS = ("mermaid", "dot", "json")


def path(
    context: typer.Context,
    card: Annotated[str, typer.Argument(help="The card to get to, by id, title or alias; none for the threads.")] = "",
    have: Annotated[list[str] | None, typer.Option("--from", help="A card that you know; can be repeated.")] = None,
    drawn: Annotated[str, typer.Option("--map", metavar="FORM", help="A map of it: mermaid, dot or json.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the shortest way to a card over what it builds on, without what you have mastered."""
    if drawn and drawn not in _FORMS:
        raise UsageError(f"'{drawn}' is no form of a map", about="--map", fix=f"One of: {', '.join(_FORMS)}.")
    if as_json and drawn not in ("", "json"):
        raise UsageError(f"a map in {drawn} is no JSON", about="--json", fix="As in: --map json")
    with studying(context) as study:
        at = study.standing()
        if drawn:
            _map(study, at, card, have or [], drawn)
        elif card:
            _way(at, study.path(card, have or []), as_json)
        else:
            _threads(study, at, as_json)


def _way(at: Standing, found: Path, as_json: bool) -> None:
    from tutor.study.paths import ties
    from tutor.study.wire import path_json, plain

    tied = ties(at.outline, found.goal)
    if as_json:
        emit({**path_json(found), "ties": plain(tied)})
        return
    typer.echo(f"{counted(len(found.stages), 'card')}, about {minutes(found.minutes)}, to read and to drill once:")
    for number, stage in enumerate(found.stages, 1):
        line(f"{number}. {stage.title} ({stage.card})", minutes(stage.minutes))
        note(f"{stage.status.replace('-', ' ')}; {stage.why}; tier {stage.tier}")

    def titles(names: tuple[str, ...]) -> str:
        return ", ".join(at.outline.cards[name].title for name in names)

    if found.left_out:
        note(f"Left out, since you know it: {titles(found.left_out)}.", "")
    typer.echo("")
    for label, names in (("Builds on", tied.before), ("Leads to", tied.after), ("Related", tied.related)):
        if names:
            note(f"{label}: {titles(names)}.", "")
    threads = {thread.id: thread.title for thread in at.outline.threads}
    if tied.threads:
        note(f"Threads: {', '.join(f'{threads[t]} ({t})' for t in tied.threads)}.", "")


def _threads(study: Study, at: Standing, as_json: bool) -> None:
    from tutor.study.wire import plain, share_json

    for thread, known in zip(at.outline.threads, study.threads(at), strict=True):
        if as_json:
            emit({**plain(thread), "progress": share_json(known)})
            continue
        line(f"{thread.title} ({thread.id})", f"{known.mastered} of {known.cards} mastered")
        note(f"{thread.why} {' > '.join(at.outline.cards[c].title for c in thread.cards if c in at.outline.cards)}")


def _map(study: Study, at: Standing, card: str, have: list[str], form: str) -> None:
    from tutor.study.paths import dot, map_of, mermaid
    from tutor.study.wire import plain

    cards = [stage.card for stage in study.path(card, have).stages] if card else None
    found = map_of(at.outline, at.cards, cards)
    if form == "json":
        emit(plain(found))
    else:
        typer.echo((mermaid if form == "mermaid" else dot)(found), nl=False)
