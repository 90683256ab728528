"""``tutor review``: a flash round over what is due; every rating is stored at once."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit
from tutor.cli.study import counted, note, studying
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.study.desk import Study
    from tutor.study.rounds import Round

_LONGEST_S = 600.0  # more than that was a pause


def review(
    context: typer.Context,
    minutes: Annotated[int | None, typer.Option("--minutes", "-m", help="How many there are.")] = None,
    card: Annotated[list[str] | None, typer.Option(help="Only this card and its points; can be repeated.")] = None,
    sure: Annotated[bool, typer.Option("--confidence/--no-confidence", help="Ask how sure you are.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help='JSON lines out; in: {"rating": 1-4, "confidence": 0-100} or a number.')
    ] = False,
) -> None:
    """Recall what is due: a question, what you say by heart, the answer with its source, and how it went (1 to 4).

    Broken off, it goes on with the rest the next time: each rating is stored when it is given.
    """
    with studying(context) as study:
        found = study.round(minutes, card or ())
        if as_json:
            _scripted(study, found)
        else:
            _asked(study, found, sure)


def _asked(study: Study, found: Round, sure: bool) -> None:
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
            note(f"Forgotten {counted(flash.lapses, 'time')} before.", "  ")
        rating = _number("1 forgotten, 2 hard, 3 good, 4 easy > ", 1, 4)
        if rating in (_QUIT, None):
            break
        seconds = min(_LONGEST_S, time.monotonic() - began)
        item = study.review(flash.ref, int(rating or 0), confidence=confidence, seconds=seconds)
        due = item.due.astimezone(study.zone)
        typer.echo(f"  Again on {due.day} {due:%B %Y}.")
        done += 1
    left = len(found.flashes) - done + found.more
    typer.echo(f"\n{counted(done, 'rating')} stored{f', {left} still due' if left else ''}.")


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
