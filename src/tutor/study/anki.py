"""An Anki deck of what is weak or due: rubric points as cards, and the questions that they belong to.

``genanki`` writes it. A note's guid comes from what it is of, so that bringing a later deck in updates the notes and
keeps Anki's own schedule.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline
from tutor.errors import MissingExtra, StudyFault
from tutor.study.days import day_of, end_of
from tutor.study.standing import Standing

WEAK_POINTS = ("missed", "contradicted", "partly")
WEAK_VERDICTS = ("weak", "wrong")
# Chosen once, at random, as Anki wants it: another id would be another deck and another kind of note.
_DECK = 1_803_557_211
_MODEL = 1_607_392_846
_CSS = ".card{font:20px sans-serif;text-align:left;max-width:40em;margin:auto}.where{color:gray;font-size:14px}"


@dataclass(frozen=True, slots=True)
class Note:
    """``ref`` is ``card/probe`` or ``card/probe/point``; the texts are plain, ``back`` has a line for each point."""

    ref: str
    front: str
    back: tuple[str, ...]
    where: str
    tags: tuple[str, ...]


def due_today(at: Standing, zone: ZoneInfo) -> set[str]:
    """The cards and points that ``tutor today`` calls due: until the end of the learner's day."""
    return {item.ref for item in at.coming.due(end_of(day_of(at.now, zone), zone))}


def notes(document: Mapping[str, Any], outline: Outline, due: Collection[str]) -> list[Note]:
    """What is weak (at its last drill) or due, in the curriculum's order; what has left the curriculum is left out.

    Args:
        document: an export, of ``Transfer.export``.
        outline: the curriculum.
        due: the cards and points that are, as ``due_today`` gives them.
    """
    drilled = document["parts"]["drilled"]["rows"]
    last: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in sorted(drilled, key=lambda row: str(row["at"])):
        last[row["card"], row["probe"]] = row
    found = []
    for card in outline.cards.values():
        seen = {probe for name, probe in last if name == card.id}
        for probe in card.probes:
            row = last.get((card.id, probe.id), {})
            weak = row.get("verdict") in WEAK_VERDICTS
            if weak or (card.id in due and (probe.id in seen or not seen)):
                points = tuple(point.text for point in probe.points)
                found.append(_note(card, f"{card.id}/{probe.id}", probe.ask, points, probe.kind))
            statuses = row.get("points", {})
            for point in probe.points:
                ref = f"{card.id}/{probe.id}/{point.id}"
                if ref in due or statuses.get(point.id) in WEAK_POINTS:
                    found.append(_note(card, ref, f"{point.follow_up}\n({probe.ask})", (point.text,), probe.kind))
    return found


def _note(card: CardLine, ref: str, front: str, back: tuple[str, ...], kind: str) -> Note:
    return Note(ref, front, back, f"{card.title} ({ref})", ("tutor", card.id, kind, f"phase-{card.phase}"))


def write(path: Path, chosen: Iterable[Note], now: datetime) -> None:
    """Write a deck; a file that is there is replaced, whole or not at all.

    Raises:
        MissingExtra: genanki is not installed.
        StudyFault: the file cannot be written.
    """
    try:
        import genanki
    except ModuleNotFoundError as error:
        raise MissingExtra("tutor export --format anki", extra="anki", module="genanki") from error
    model = genanki.Model(
        _MODEL,
        "tutor",
        fields=[{"name": "Front"}, {"name": "Back"}, {"name": "Where"}],
        templates=[
            {
                "name": "Recall",
                "qfmt": "{{Front}}",
                "afmt": '{{FrontSide}}<hr id="answer">{{Back}}<p class="where">{{Where}}</p>',
            }
        ],
        css=_CSS,
    )
    deck = genanki.Deck(_DECK, "tutor")
    for note in chosen:
        back = "".join(f"<li>{_html(point)}</li>" for point in note.back)
        fields = [_html(note.front), f"<ul>{back}</ul>", _html(note.where)]
        deck.add_note(
            genanki.Note(model=model, fields=fields, tags=list(note.tags), guid=genanki.guid_for("tutor", note.ref))
        )
    scratch = ""
    try:
        handle, scratch = tempfile.mkstemp(dir=path.absolute().parent, prefix="tmp", suffix=".apkg")
        os.close(handle)
        genanki.Package(deck).write_to_file(scratch, timestamp=now.timestamp())
        os.replace(scratch, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(scratch)
        raise StudyFault(
            f"it cannot be written ({error.strerror})", about=str(path), fix="Choose another place."
        ) from error


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")
