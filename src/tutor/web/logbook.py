"""Entries of the decision log as the pages show and take them: what a form holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from tutor.curriculum.outline import Outline
from tutor.errors import NotFound, StaleAnswer, TutorError, UsageError
from tutor.study.entries import LogEntry, checked_day, excerpt
from tutor.study.links import item_of, items, place_of, steps
from tutor.study.log import NONE, LogBook
from tutor.study.lookup import card_of
from tutor.web.forms import Form
from tutor.web.highlight import render_document

PAGE = 20  # entries on a page of the list
_FIELDS = {name: name for name in ("tags", "title", "cards", "since", "until")}
_FIELDS |= {"date": "day", "which card?": "cards"}
_LABELS = {"since": "From", "until": "To"}
#: What the terminal says → what a page says.
_FIXES = {
    "the entry is empty, nothing was added": "Write what you decided, instead of what, and why.",
    "the entry is deleted": "Restore it first.",
    "which entries?": "Choose some from the log.",
    "the log is empty": "Write the first entry.",
    "no entry has this id": "The log lists all entries: /log",
    "no card is called so": "The library lists them all: /documents",
}


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form; ``version`` is the one that is edited, 0 for a new entry. Nothing is checked."""

    text: str = ""
    title: str = ""
    tags: str = ""
    cards: str = ""
    item: str = ""
    day: str = ""
    version: int = 0
    was_cards: str = ""

    @classmethod
    def sent(cls, form: Form) -> Fields:
        """As a form sent it.

        Raises:
            UsageError: the version is no number.
        """
        return cls(
            text=form.text("text"),
            title=form.text("title"),
            tags=form.text("tags"),
            cards=form.text("cards"),
            item=form.text("item"),
            day=form.text("day"),
            version=form.whole("version", 0) or 0,
            was_cards=form.text("was_cards"),
        )

    @property
    def card_names(self) -> list[str]:
        """Names of cards, one a line or with semicolons between them: titles have commas."""
        return [name.strip() for line in self.cards.split("\n") for name in line.split(";") if name.strip()]

    @property
    def item_name(self) -> str:
        """The item; what is left empty on a page is meant to be none."""
        return self.item.strip() or NONE


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error with the field that it is about; ``field`` is empty where it is about none."""

    error: TutorError
    field: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry in a list or on its page; ``cards`` are ids with titles, ``item`` is its title, ``plan`` where it is."""

    entry: LogEntry
    name: str
    cards: tuple[tuple[str, str], ...]
    item: str
    plan: str
    piece: str

    @property
    def html(self) -> Markup:
        """Its text, rendered and sanitised."""
        return Markup(render_document(self.entry.text, title=self.entry.title).html)


def show(book: LogBook, entry: LogEntry, terms: Sequence[str] = ()) -> Shown:
    """An entry with what it is linked to, and a piece of its text around what was looked for."""
    place = place_of(book.outline, entry.item) if entry.item else None
    cards = tuple(zip(entry.cards, book.titles(entry.cards), strict=True))
    item, plan = (place[1], place[0]) if place else (entry.item, "")
    return Shown(entry, entry.name, cards, item, plan, _beyond(entry.name, excerpt(entry, terms)))


def _beyond(name: str, piece: str) -> str:
    """A piece of a text as it goes on after its name, where the name is how the text begins."""
    begins = name.removesuffix("…").rstrip()
    if not piece.startswith(begins):
        return piece
    rest = piece[len(begins) :].strip()
    return f"… {rest}" if len(rest) > 1 else ""


def blank(book: LogBook, given: Mapping[str, str]) -> Fields:
    """A new entry's form: today, and what a link has put in, a card by its title. It belongs to no step by itself."""
    return Fields(
        title=given.get("title", ""),
        tags=given.get("tags", ""),
        cards=titled(book.outline, given.get("cards", "")),
        item=given.get("item", ""),
        day=book.today.isoformat(),
    )


def filled(book: LogBook, entry: LogEntry) -> Fields:
    """The form of an entry that is edited."""
    cards = "\n".join(_name(book.outline, card) for card in entry.cards)
    if not cards and book.names.find(f"{entry.title}\n{entry.text}"):
        cards = NONE  # its text names some, and it is linked to none
    tags, day = ", ".join(entry.tags), entry.day.isoformat()
    return Fields(entry.text, entry.title, tags, cards, entry.item, day, entry.version, cards)


def titled(outline: Outline, given: str) -> str:
    """What names a card by the card's title; as it was given where it names none."""
    card = given.strip()
    with suppress(NotFound):
        return card and _name(outline, card_of(outline, card).id)
    return card


def _name(outline: Outline, card: str) -> str:
    """A card's title where that leads back to it, else its id."""
    if card not in outline.cards:
        return card
    title = outline.cards[card].title
    return title if ";" not in title and card_of(outline, title).id == card else card


def add(book: LogBook, given: Fields, *, seconds: float) -> LogEntry:
    """A new entry from its form.

    Raises:
        As ``LogBook.add``.
    """
    return book.add(
        given.text,
        title=given.title,
        tags=[given.tags],
        cards=given.card_names or None,
        item=given.item_name,
        day=given.day,
        seconds=seconds,
    )


def edit(book: LogBook, entry: str, given: Fields) -> LogEntry:
    """A new version from its form. Cards that were not touched are found anew where they were found before.

    Raises:
        As ``LogBook.edit``.
    """
    touched = given.cards.strip() != given.was_cards.strip()
    return book.edit(
        entry,
        text=given.text,
        title=given.title,
        tags=[given.tags],
        cards=given.card_names if touched else None,
        item=given.item_name,
        day=given.day,
        version=given.version or None,
    )


def refused(error: TutorError) -> Refusal:
    """An error in a page's words, with the form's field that it is about."""
    about = _LABELS.get(error.about, error.about)
    shown = type(error)(error.what, about=about, fix=_FIXES.get(error.what, error.fix))
    if isinstance(error, StaleAnswer):
        return Refusal(shown, "")
    if isinstance(error, NotFound):
        return Refusal(shown, "cards" if "card" in error.what else "item" if "item" in error.what else "")
    if isinstance(error, UsageError):
        return Refusal(shown, _FIELDS.get(error.about or error.what) or _FIELDS.get(error.what, "text"))
    return Refusal(shown, "")


def choices(outline: Outline) -> list[tuple[str, str]]:
    """What an entry can belong to: ids of items with their titles, those of the roadmap first."""
    found = sorted(items(outline).items(), key=lambda pair: (not pair[0].startswith("month/"), pair[0]))
    return [(name, title) for name, title in found]


def step_on(book: LogBook, day: str) -> dict[str, str] | None:
    """The step that the plan has on an entry's day, first to choose from; None where it has none, or that is no day."""
    try:
        item = book.current(day)
        over = bool(day.strip()) and checked_day(day, book.today) != book.today
    except UsageError:
        return None
    place = place_of(book.outline, item) if item else None
    label = "Where the plan was that day" if over else "Where the plan is"
    return {"label": label, "item": item, "title": place[1]} if place else None


def places(outline: Outline, given: str) -> tuple[list[tuple[str, list[tuple[str, str]]]], str]:
    """Plans with the steps that an entry can belong to, and the one that ``given`` names.

    What names none, or one that stands under another id, comes first, under no plan: nothing that was given is lost.
    """
    found, chosen = steps(outline), "" if given.strip().lower() == NONE else given.strip()
    with suppress(NotFound):
        chosen = chosen and item_of(outline, chosen)
    if chosen and not any(chosen == item for _, rows in found for item, _ in rows):
        place = place_of(outline, chosen)
        found.insert(0, ("", [(chosen, place[1] if place else chosen)]))
    return found, chosen


def address(path: str, **given: object) -> str:
    """A path with a query of what is not empty; a list gives a name several times."""
    return f"{path}?{query}" if (query := urlencode({k: v for k, v in given.items() if v}, doseq=True)) else path
