"""The learner's notes on cards: one Markdown text each, with a version that tells two windows apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.errors import Outdated, UsageError
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import CardNote
from tutor.text import mended

#: In UTF-8 at most 60 KB: what a form of the pages may hold.
MOST_CHARACTERS = 15_000
_BETWEEN = "\n\n---\n\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note on ``card``; ``version`` is 0 and ``at`` None where nothing has been written yet."""

    card: str
    text: str = ""
    version: int = 0
    at: datetime | None = None


def read(store: StudyStore, card: str) -> Note:
    """The note on a card.

    Raises:
        StudyFault: the store does not answer.
    """
    with store.read() as session:
        row = _row(session, store.learner, card)
        return _note(row) if row else Note(card)


def noted(store: StudyStore) -> frozenset[str]:
    """The cards on which something is noted.

    Raises:
        StudyFault: the store does not answer.
    """
    query = select(CardNote.card).where(CardNote.learner == store.learner, CardNote.text != "")
    with store.read() as session:
        return frozenset(session.scalars(query))


def save(store: StudyStore, card: str, text: str, version: int) -> Note:
    """Put a text in the place of the note that was read as ``version``; an empty text clears it.

    Args:
        store: the learner's.
        card: a card's id.
        text: at most 15,000 characters.
        version: of the note that the learner had before them, 0 where there was none.

    Raises:
        UsageError: the text is too long, or the version is none.
        Outdated: the note has another version by now, and another text; nothing was stored.
        StudyFault: nothing was stored.
    """
    text = checked(text)
    if version < 0:
        raise UsageError(f"'{version}' is no version", fix="Give the one that was read; 0 where there was no note.")
    with store.write() as session:
        row = _row(session, store.learner, card)
        found = _note(row) if row else Note(card)
        if text == found.text:
            return found
        if version != found.version:
            raise Outdated(
                "the note was changed in another window or program",
                about=card,
                fix="Nothing was stored over it. Compare both texts, then save the one to keep.",
            )
        now = store.clock()
        if row is None:
            row = CardNote(id=new_id(), learner=store.learner, card=card, version=0, at=now, text="")
            session.add(row)
        row.text, row.version, row.at = text, found.version + 1, now
        return _note(row)


def checked(text: str) -> str:
    """A note as it is stored: line ends as ``\\n``, no space at its ends, no character that cannot be kept.

    Raises:
        UsageError: it is too long.
    """
    text = mended(text).replace("\r\n", "\n").replace("\x00", "").strip()
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"the note has {len(text):,} characters, the limit is {MOST_CHARACTERS:,}",
            fix="Shorten it; what is long and stands for itself belongs into a file of your own: tutor ingest FILE",
        )
    return text


def both(one: str, other: str) -> str:
    """Two texts of one note as one, without what stands in both: bringing the same in again adds nothing."""
    one, other = one.strip(), other.strip()
    if other in one:
        return one
    return other if one in other else f"{one}{_BETWEEN}{other}"


def _row(session: Session, learner: str, card: str) -> CardNote | None:
    return session.scalars(select(CardNote).where(CardNote.learner == learner, CardNote.card == card)).one_or_none()


def _note(row: CardNote) -> Note:
    return Note(row.card, row.text, row.version, row.at)
