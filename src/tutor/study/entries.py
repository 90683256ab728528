"""Entries of the decision log: what one is, what may stand in it, and how one is found. Rules only; nothing is stored.

An entry is meant to be about 150 words; its length is counted and told, never refused below ``MOST_CHARACTERS``.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tutor.curriculum.words import word_count
from tutor.errors import UsageError
from tutor.study.date_words import DateWords
from tutor.text import blank_markup, mended

ABOUT_WORDS = 150
MOST_CHARACTERS = 20_000
_MOST_TAGS, _MOST_CARDS = 20, 30
_LONGEST_TAG, _LONGEST_TITLE = 40, 300
#: C0 and C1 controls but tab and newline: a terminal would obey them. All other characters stay as they were written.
_CONTROLS = dict.fromkeys(c for c in (*range(0x20), *range(0x7F, 0xA0)) if c not in (0x09, 0x0A))
_TAG = re.compile(r"\w[\w.+/-]*")
_BEFORE_SIGN = re.compile(r" ([,.;:!?)])")  # a mark was between them: "**SQS**, not …"
_HEADING = re.compile(r"#\s+(\S.*)")
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_UNSPACED = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_AROUND = 60  # characters of an excerpt on each side of what was found


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One version of an entry; ``id`` names the entry in all its versions.

    ``day`` is the day it is of, ``written`` when this version was. ``cards`` are ids of cards, ``item`` is
    the id of what it belongs to ("month/1/week/2") or empty.
    """

    id: str
    version: int
    day: date
    written: datetime
    title: str
    text: str
    tags: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    item: str = ""
    deleted: bool = False

    @property
    def words(self) -> int:
        return word_count(self.text)

    @property
    def name(self) -> str:
        """The title, or else how the text begins, without Markdown, on one line of at most 60 characters."""
        line = _BEFORE_SIGN.sub(r"\1", " ".join(blank_markup(self.title or self.text).split()))
        return textwrap.shorten(line, 60, placeholder="…") if " " in line[:59] else line[:60]


def length_told(words: int) -> str:
    """How long an entry is, and how that compares."""
    said = f"{words:,} {'word' if words == 1 else 'words'}"
    if words < ABOUT_WORDS * 0.6 or words > ABOUT_WORDS * 1.6:
        said += f" (an entry is meant to have about {ABOUT_WORDS})"
    return said


def cleaned(text: str) -> str:
    """A text as it is stored: NFC, ``\\n`` as line end, no control characters, no blank around it."""
    lines = unicodedata.normalize("NFC", mended(text)).replace("\r\n", "\n").replace("\r", "\n")
    return lines.translate(_CONTROLS).strip()


def checked_text(text: str) -> str:
    """The cleaned text of an entry.

    Raises:
        UsageError: nothing is left of it, or it is longer than ``MOST_CHARACTERS``.
    """
    found = cleaned(text)
    if not found:
        raise UsageError(
            "the entry is empty, nothing was added", fix='As in: tutor log "I chose RESP over JSON because …"'
        )
    if len(found) > MOST_CHARACTERS:
        raise UsageError(
            f"the entry has {len(found):,} characters, the limit is {MOST_CHARACTERS:,}",
            fix="Split it; a longer text can be indexed as a document of yours: tutor ingest FILE",
        )
    return found


def split_title(text: str) -> tuple[str, str]:
    """A title and the rest, where the text begins with a Markdown heading of the first level and goes on below it."""
    head, _, rest = text.partition("\n")
    if (match := _HEADING.fullmatch(head.strip())) and rest.strip():
        return match.group(1).strip(" #"), rest.strip()
    return "", text


def checked_title(title: str) -> str:
    """A title on one line.

    Raises:
        UsageError: it is longer than 300 characters.
    """
    found = " ".join(cleaned(title).split())
    if len(found) > _LONGEST_TITLE:
        raise UsageError(f"the title has {len(found):,} characters", about="title", fix=f"At most {_LONGEST_TITLE}.")
    return found


def checked_tags(given: Iterable[str]) -> tuple[str, ...]:
    """Tags in lower case, each once, without "#"; one string may hold several, with commas or blanks between them.

    Raises:
        UsageError: a tag has signs that would not be found again, is too long, or there are too many.
    """
    tags: dict[str, None] = {}
    for part in (p for text in given for p in re.split(r"[,\s]+", cleaned(text)) if p):
        tag = unicodedata.normalize("NFKC", part).casefold().removeprefix("#")
        if not _TAG.fullmatch(tag) or len(tag) > _LONGEST_TAG:
            raise UsageError(
                f"'{part[:60]}' is no tag", about="tags", fix=f"Letters, digits and . + / -, at most {_LONGEST_TAG}."
            )
        tags[tag] = None
    if len(tags) > _MOST_TAGS:
        raise UsageError(f"{len(tags)} tags", about="tags", fix=f"At most {_MOST_TAGS}.")
    return tuple(tags)


def checked_cards(given: Sequence[str]) -> tuple[str, ...]:
    """Ids of cards, each once.

    Raises:
        UsageError: there are too many.
    """
    cards = tuple(dict.fromkeys(given))
    if len(cards) > _MOST_CARDS:
        raise UsageError(f"{len(cards)} cards", about="cards", fix=f"At most {_MOST_CARDS}.")
    return cards


def checked_day(given: str, today: date, *, future: bool = False, about: str = "date") -> date:
    """A day: "2026-05-03", "today" or "yesterday"; today for an empty one.

    Raises:
        UsageError: it is none, or in the future where that is not allowed.
    """
    text = given.strip().casefold()
    if text in ("", "today"):
        return today
    if text == "yesterday":
        return date.fromordinal(today.toordinal() - 1)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"'{given.strip()[:40]}' is no day", about=about, fix="As in: 2026-05-03, yesterday."
        ) from None
    if day > today and not future:
        raise UsageError(f"{day} is in the future", about=about, fix="An entry is of today or of a day before.")
    return day


def folded(text: str) -> str:
    """A text as it is searched: the same for all spellings of a word in capitals, full width or composed letters."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: all of ``terms`` (each begins a word of the entry; a quoted one may be several words), one of
    ``cards``, all of ``tags``, of an item or what lies below it, from ``first`` to ``last``; of each of ``dates``,
    or with its words in the entry."""

    terms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    item: str = ""
    first: date | None = None
    last: date | None = None
    dates: tuple[DateWords, ...] = ()


def search_terms(words: str) -> tuple[str, ...]:
    """The terms of what was typed; "in quotes" is one term."""
    found = (" ".join(folded(m.group(1) or m.group(2)).split()) for m in _TERM.finditer(mended(words)))
    return tuple(dict.fromkeys(term.strip('"') for term in found if term.strip('"')))


def finder(term: str) -> Callable[[str], bool]:
    """Whether a folded text has a word that begins with a term; in scripts without spaces, the term anywhere."""
    if _UNSPACED.search(term) or not term[0].isalnum():
        return lambda text: term in text
    if " " in term:  # line ends may stand between its words
        phrase = re.compile(r"\b" + r"\s+".join(map(re.escape, term.split())))
        return lambda text: phrase.search(text) is not None

    def begins(text: str) -> bool:
        at = text.find(term)
        while at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_"):
            at = text.find(term, at + 1)
        return at >= 0

    return begins


def of_date(wanted: DateWords) -> Callable[[str, date], bool]:
    """Whether an entry, by its folded text and its day, is of a date or speaks of it in those words."""
    words = finder(" ".join(folded(wanted.text).split()))
    return lambda text, day: wanted.holds(day) or words(text)


def excerpt(entry: LogEntry, terms: Sequence[str]) -> str:
    """A piece of the text around the first term that is in it, on one line; how it begins where none is."""
    text = " ".join(entry.text.split())
    places = (re.search(re.escape(term), text, re.I) for term in terms)
    at = next((match.start() for match in places if match), 0)
    start, end = max(0, at - _AROUND), min(len(text), at + 2 * _AROUND)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = text.find(" ", end) if 0 < text.find(" ", end) <= end + 20 else end
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def newest_first(entries: Iterable[LogEntry]) -> list[LogEntry]:
    """By day, then by when they were written, the latest first."""
    return sorted(entries, key=lambda e: (e.day, e.written, e.id), reverse=True)


def tag_counts(entries: Iterable[LogEntry]) -> Iterator[tuple[str, int]]:
    """Tags with how many entries have each, the commonest first."""
    counts: dict[str, int] = {}
    for entry in entries:
        for tag in entry.tags:
            counts[tag] = counts.get(tag, 0) + 1
    yield from sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def entry_row(entry: LogEntry, titles: Sequence[str]) -> dict[str, Any]:
    """An entry as JSON; ``titles`` are those of its cards."""
    return {
        "id": entry.id,
        "version": entry.version,
        "day": entry.day.isoformat(),
        "written": entry.written.isoformat(),
        "title": entry.title,
        "text": entry.text,
        "words": entry.words,
        "tags": list(entry.tags),
        "cards": [{"id": card, "title": title} for card, title in zip(entry.cards, titles, strict=True)],
        "item": entry.item,
        "deleted": entry.deleted,
    }
