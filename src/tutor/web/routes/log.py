"""The decision log over HTTP: the same entries as ``tutor log --json`` writes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Query as Given
from pydantic import BaseModel, ConfigDict, Field

from tutor.study import digest as rules
from tutor.study.entries import MOST_CHARACTERS, LogEntry, Query, entry_row
from tutor.study.links import item_of
from tutor.study.log import LogBook
from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut, Text, Words

CoreOf = Annotated[Core, Depends(core_of)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No entry, card or item has this name."},
    422: {"model": ErrorOut, "description": "Something is out of range; nothing was written."},
    503: {"model": ErrorOut, "description": "The store does not answer; nothing was written."},
}
_Texts = Annotated[list[Text], Field(max_length=100)]


class EntryIn(BaseModel):
    """An entry to write; cards that are left out are found from the text, an item from the plan that is followed."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(description=f"1 to {MOST_CHARACTERS:,} characters, meant to be about 150 words.")
    title: Text = ""
    tags: _Texts = Field(default_factory=list)
    cards: _Texts | None = Field(None, description="By any of their names; an empty list for no card.")
    item: Text = Field("", description="As in month/1/week/2 or M1W2; none for no item.")
    day: Text = Field("", description="As in 2026-05-03; today where it is left out.")


class EditIn(BaseModel):
    """What to change of an entry; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    text: Text | None = None
    title: Text | None = None
    tags: _Texts | None = None
    cards: _Texts | None = Field(None, description="By any of their names; an empty list for no card.")
    item: Text | None = None
    day: Text | None = None


class RestoreIn(BaseModel):
    """Which version to go back to; the newest, undeleted, where it is left out."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, lt=2**31)


class CardOut(BaseModel):
    """A card that an entry is linked to."""

    id: str
    title: str


class EntryOut(BaseModel):
    """A version of an entry."""

    id: str
    version: int
    day: str = Field(description="The day it is of, ISO 8601.")
    written: str = Field(description="When this version was written, UTC.")
    title: str
    text: str
    words: int
    tags: Words
    cards: list[CardOut]
    item: str
    deleted: bool


class EntriesOut(BaseModel):
    """Entries, newest first; ``total`` counts those beyond the limit too."""

    total: int
    entries: list[EntryOut]


class LineOut(BaseModel):
    """A sentence of an entry."""

    entry: str
    day: str
    text: str


class CardCount(CardOut):
    """A card, and how many entries are linked to it."""

    entries: int


class TagCount(BaseModel):
    """A tag, and how many entries have it."""

    tag: str
    entries: int


class DigestOut(BaseModel):
    """A week of the log, cut from its entries."""

    week: str = Field(description="ISO 8601, as in 2026-W47.")
    first: str
    last: str
    entries: Words = Field(description="Their ids.")
    days: int
    words: int
    decided: list[LineOut]
    questions: list[LineOut]
    cards: list[CardCount]
    tags: list[TagCount]
    markdown: str


class MarkdownOut(BaseModel):
    """A text made of entries, and the entries."""

    markdown: str
    entries: list[EntryOut]


router = APIRouter(prefix="/api/v1/study/log", tags=["study"], responses=_ERRORS)


@router.get("", response_model=EntriesOut, summary="List or search the decision log")
def entries(
    core: CoreOf,
    q: Annotated[str, Given(max_length=1_000, description='Words that are all in it; "in quotes": side by side.')] = "",
    tag: Annotated[list[str] | None, Given()] = None,
    card: Annotated[list[str] | None, Given()] = None,
    item: str = "",
    since: str = "",
    until: str = "",
    deleted: bool = False,
    k: Annotated[int, Given(ge=1, le=1_000, description="How many at most.")] = 50,
) -> dict[str, Any]:
    """Newest first."""

    def find(book: LogBook) -> dict[str, Any]:
        query = book.query(q, tags=tag or [], cards=card or [], item=item, first=since, last=until)
        total, found = book.search(query, deleted=deleted, limit=k)
        return {"total": total, "entries": [_row(book, one) for one in found]}

    return core.log(find)


@router.post("", response_model=EntryOut, status_code=201, summary="Write an entry")
def write(body: EntryIn, core: CoreOf) -> dict[str, Any]:
    """It answers from the next question on, marked as the learner's own."""
    cards = body.cards if body.cards is None or body.cards else ["none"]
    return core.log(
        lambda book: _row(
            book,
            book.add(body.text, title=body.title, tags=body.tags, cards=cards, item=body.item, day=body.day),
        )
    )


@router.get("/digest", response_model=DigestOut, summary="A week in the log")
def digest(core: CoreOf, week: str = "") -> dict[str, Any]:
    """What was decided, cards touched and open questions of an ISO week (2026-W47), cut from the entries."""

    def tell(book: LogBook) -> dict[str, Any]:
        first, last = rules.days_of(week or rules.week_of(book.today))
        found = rules.digest(book.entries(Query(first=first, last=last)), book.outline, first, last)
        return rules.digest_row(found) | {"markdown": rules.digest_markdown(found)}

    return core.log(tell)


@router.get("/draft", response_model=MarkdownOut, summary="Entries as a blog post's draft")
def draft(core: CoreOf, id: Annotated[list[str], Given(max_length=100)], title: str = "") -> dict[str, Any]:
    """Front matter, the entries' texts, further reading from their cards."""

    def make(book: LogBook) -> dict[str, Any]:
        from tutor.logkeeping import resources_of

        found = [book.get(name) for name in id]
        text = rules.draft(found, book.outline, resources_of, today=book.today, title=title)
        return {"markdown": text, "entries": [_row(book, one) for one in found]}

    return core.log(make)


@router.get("/capstone", response_model=MarkdownOut, summary="Everything written for a month")
def capstone(core: CoreOf, item: str) -> dict[str, Any]:
    """The entries of a month or another step, oldest first, as Markdown to write its capstone from."""

    def gather(book: LogBook) -> dict[str, Any]:
        wanted = item_of(book.outline, item)
        mine = book.entries(Query(item=wanted))[::-1]
        return {
            "markdown": rules.capstone(mine, book.outline, wanted),
            "entries": [_row(book, one) for one in mine],
        }

    return core.log(gather)


@router.get("/{entry}", response_model=EntryOut, summary="Read an entry")
def read(entry: str, core: CoreOf) -> dict[str, Any]:
    """By its id, how that begins, or "last"; a deleted one too."""
    return core.log(lambda book: _row(book, book.get(entry)))


@router.get("/{entry}/versions", response_model=list[EntryOut], summary="Every version of an entry")
def versions(entry: str, core: CoreOf) -> list[dict[str, Any]]:
    """The newest first."""
    return core.log(lambda book: [_row(book, one) for one in book.versions(entry)])


@router.patch("/{entry}", response_model=EntryOut, summary="Change an entry")
def edit(entry: str, body: EditIn, core: CoreOf) -> dict[str, Any]:
    """A new version; the one before it stays."""
    given = body.model_dump(exclude_none=True)
    if given.get("cards") == []:
        given["cards"] = ["none"]
    return core.log(lambda book: _row(book, book.edit(entry, **given)))


@router.delete("/{entry}", response_model=EntryOut, summary="Delete an entry")
def delete(entry: str, core: CoreOf) -> dict[str, Any]:
    """It can be brought back."""
    return core.log(lambda book: _row(book, book.delete(entry)))


@router.post("/{entry}/restore", response_model=EntryOut, summary="Bring an entry back")
def restore(entry: str, body: RestoreIn, core: CoreOf) -> dict[str, Any]:
    """The newest version undeleted, or an earlier version as a new one."""
    return core.log(lambda book: _row(book, book.restore(entry, body.version)))


def _row(book: LogBook, entry: LogEntry) -> dict[str, Any]:
    return entry_row(entry, book.titles(entry.cards))
