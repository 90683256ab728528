"""``tutor review``: a flash round over what is due; every rating is stored at once."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit
from tutor.cli.study import counted, line, note, studying
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.study.desk import Study
    from tutor.study.rounds import Round


def review(
    context: typer.Context,
    minutes: Annotated[int | None, typer.Option("--minutes", "-m", help="How many there are.")] = None,
    card: Annotated[list[str] | None, typer.Option(help="Only this card and its points; can be repeated.")] = None,
    sure: Annotated[bool, typer.Option("--confidence/--no-confidence", help="Ask how sure you are.")] = True,
    suspend: Annotated[
        str, typer.Option(metavar="CARD", help="Set a card with its points aside, or a point (card/probe/point).")
    ] = "",
    resume: Annotated[str, typer.Option(metavar="CARD", help="Let it come up again.")] = "",
    suspended: Annotated[bool, typer.Option("--suspended", help="List what is set aside.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='JSON lines out; in: {"rating": 1-4, "confidence": 0-100} or a number.')
    ] = False,
) -> None:
    """Recall what is due: a question, what you say by heart, the answer with its source, and how it went (1 to 4).

    Broken off, it goes on with the rest the next time: each rating is stored when it is given.
    """
    if bool(suspend) + bool(resume) + suspended + bool(card or minutes is not None) > 1:
        fix = "As in: tutor review --suspend kafka"
        raise UsageError("--suspend, --resume and --suspended stand alone", about="review", fix=fix)
    with studying(context) as study:
        if suspend or resume:
            _set_aside(study, suspend or resume, bool(suspend), as_json)
            return
        if suspended:
            _list_aside(study, as_json)
            return
        found = study.round(minutes, card or ())
        if as_json:
            _scripted(study, found)
        else:
            _asked(study, found, sure)


def _asked(study: Study, found: Round, sure: bool) -> None:
    from tutor.study.schedule import LEECH_FROM

    if not found.flashes:
        typer.echo("Nothing is due. What to do today: tutor today")
        return
    typer.echo(f"{counted(len(found.flashes), 'thing')} to recall. Enter shows the answer, q ends the round.")
    done = 0
    for number, flash in enumerate(found.flashes, 1):
        typer.echo(f"\n[{number}/{len(found.flashes)}] {flash.title}")
        note(flash.ask, "")
        began = time.monotonic()
        confidence = None
        if sure:
            answer = _number("How sure are you, 0 to 100? (Enter: rather not say) > ", 0, 100, empty=True)
            if answer == _QUIT:
                break
            confidence = answer
        if _line("Say it by heart, then Enter > ") in (None, "q"):
            break
        for text in flash.answer:
            note(f"- {text}", "  ")
        note(f"Source: the card {flash.title} ({flash.doc_id})", "  ")
        if flash.lapses:
            aside = f" Set it aside: tutor review --suspend {flash.ref}" if flash.lapses >= LEECH_FROM else ""
            note(f"Forgotten {counted(flash.lapses, 'time')} before.{aside}", "  ")
        rating = _number("1 forgotten, 2 hard, 3 good, 4 easy > ", 1, 4)
        if rating in (_QUIT, None):
            break
        seconds = time.monotonic() - began
        item = study.review(flash.ref, int(rating or 0), confidence=confidence, seconds=seconds)
        due = item.due.astimezone(study.zone)
        typer.echo(f"  Again on {due.day} {due:%B %Y}.")
        done += 1
    left = len(found.flashes) - done + found.more
    typer.echo(f"\n{counted(done, 'rating')} stored{f', {left} still due' if left else ''}.")


def _set_aside(study: Study, name: str, out: bool, as_json: bool) -> None:
    from tutor.study.wire import item_json

    meant = study.suspend(name, out)
    if as_json:
        emit({"items": [item_json(item) for item in meant]})
        return
    first, points = meant[0], sum(item.ref != item.card for item in meant)
    which = study.outline.cards[first.card].title
    if first.ref != first.card:
        which, points = f"A point of {which}" if points == 1 else f"{points} points of {which}", points
    elif points:
        which += f", with {counted(points, 'point')},"
    be = "are" if first.ref != first.card and points > 1 else "is"
    if out:
        note(f"{which} {be} set aside and will not come up in reviews. Back: tutor review --resume {name}", "")
        return
    due = min(item.due for item in meant).astimezone(study.zone)
    note(f"{which} {be} back among the reviews, due from {due.day} {due:%B %Y}.", "")


def _list_aside(study: Study, as_json: bool) -> None:
    from tutor.study.wire import item_json

    found = study.suspended()
    if as_json:
        for item in found:
            emit(item_json(item))
        return
    for item in found:
        lapses = f"forgotten {counted(item.lapses, 'time')}" if item.lapses else ""
        line(f"{study.outline.cards[item.card].title} ({item.ref})", lapses)
    back = f"{counted(len(found), 'thing')} set aside. Back: tutor review --resume CARD"
    typer.echo(back if found else "Nothing is set aside.")


_QUIT = -1


def _number(prompt: str, low: int, high: int, *, empty: bool = False) -> int | None:
    """A number; None for an empty line where that is allowed, ``_QUIT`` to end the round."""
    while True:
        said = _line(prompt)
        if said is None or said == "q":
            return _QUIT
        if not said and empty:
            return None
        if said.isdecimal() and len(said) < 4 and low <= int(said) <= high:
            return int(said)
        print(f"tutor: type a number from {low} to {high}, or q", file=sys.stderr)


def _line(prompt: str) -> str | None:
    print(prompt, end="", flush=True)
    said = sys.stdin.readline()
    return said.strip().casefold() if said else None


def _scripted(study: Study, found: Round) -> None:
    """For each thing a line out, a line in, and a line out with the answer and the next date."""
    from tutor.study.wire import plain

    for flash in found.flashes:
        emit({"ref": flash.ref, "title": flash.title, "ask": flash.ask, "recall": round(flash.recall, 4)})
        while True:
            said = sys.stdin.readline()
            if not said:
                return
            try:
                item = study.review(flash.ref, **_reply(said))  # type: ignore[arg-type]
            except UsageError as error:
                emit({"ref": flash.ref, "error": error.message})
            else:
                break
        emit({**plain(flash), "due": item.due.isoformat(), "stability_days": round(item.stability or 0.0, 2)})
    emit({"done": len(found.flashes), "more": found.more})


def _reply(said: str) -> dict[str, object]:
    """The rating of a line.

    Raises:
        UsageError: it is neither a number nor an object with one.
    """
    example = 'As in: {"rating": 3, "confidence": 70}'
    try:
        row = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise UsageError("the line is no JSON", fix=example) from error
    row = row if isinstance(row, dict) else {"rating": row}
    rating, confidence, seconds = row.get("rating"), row.get("confidence"), row.get("seconds")
    if isinstance(rating, bool) or not isinstance(rating, int):
        raise UsageError("the line has no rating", fix=example)
    for name, value in (("confidence", confidence), ("seconds", seconds)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UsageError(f"'{name}' is no number", fix=example)
    return {"rating": rating, "confidence": confidence, "seconds": seconds, "key": str(row.get("key") or "")}
