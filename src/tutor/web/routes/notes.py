"""Notes on cards over HTTP: what a card's page saves while its learner types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from tutor.study import notes
from tutor.study.lookup import card_of
from tutor.web.core import Core, core_of
from tutor.web.render import block
from tutor.web.schemas import ErrorOut, Text

CoreOf = Annotated[Core, Depends(core_of)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No card has this name."},
    422: {"model": ErrorOut, "description": "The note is too long, or the version is none."},
    503: {"model": ErrorOut, "description": "The study store cannot be read or written."},
}
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorOut, "description": "The note was changed elsewhere since; nothing was stored over it."}
}

router = APIRouter(prefix="/api/v1/study/notes", tags=["study"], responses=_ERRORS)


class NoteIn(BaseModel):
    """A text for the note that was read as ``version``."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(description="Markdown, at most 15,000 characters; empty clears the note.")
    version: int = Field(0, ge=0, lt=2**31, description="As it was read; 0 where there was no note.")


class NoteOut(BaseModel):
    """The note as it is stored."""

    card: str
    text: str
    version: int = Field(description="0 where nothing has been written yet.")
    at: datetime | None = Field(description="When it was changed last.")
    html: str = Field(description="The text as safe HTML.")


@router.get("/{card}", response_model=NoteOut, summary="The note on a card")
def read(card: str, core: CoreOf) -> NoteOut:
    """By id, title or alias."""
    return _out(core.study(lambda study: notes.read(study.store, card_of(study.outline, card).id)))


@router.put("/{card}", response_model=NoteOut, summary="Note something on a card", responses=_CONFLICT)
def save(card: str, body: NoteIn, core: CoreOf) -> NoteOut:
    """Takes the place of the note that was read as ``version``; the same text again changes nothing."""
    return _out(
        core.study(lambda study: notes.save(study.store, card_of(study.outline, card).id, body.text, body.version))
    )


def _out(note: notes.Note) -> NoteOut:
    return NoteOut(card=note.card, text=note.text, version=note.version, at=note.at, html=block(note.text))
