"""Marks of a pasted study guide: ``[ ]`` not started, ``[~]`` learning, ``[x]`` mastered; what they say of cards.

A mark on a card's own title line says it outright; in a list of titles a remark may follow ("Kafka (done in May)").
Marks on the lines of a guide's card say it together: all done is mastered, some is learning. The legend, and a mark in
the middle of a sentence, say nothing. A marked line that no card is known by is told, never counted for another card.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.curriculum.outline import Outline
from tutor.study.progress import Status
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Mark

_OF: Mapping[str, Status] = {" ": "not-started", "": "not-started", "~": "learning", "x": "mastered"}
_MARK = r"\[([ ~xX]?)\]"
_ANY = re.compile(_MARK)
_LEGEND = re.compile(_MARK + r"\s*(?:not started|learning|mastered)(?=\s*(?:[·|,;/–—-]|$))", re.IGNORECASE)
#: A mark that opens an item: at the start of a line, or after what ends the item or label before it.
_ITEM = re.compile(r"(?:^|(?<=[.:;·•)…!?]))\s*(?:[-*+•]\s*|\d+[.)]\s*)?" + _MARK)
_LEADING = re.compile(r"^\s*(?:#{1,6}\s*)?(?:[-*+•]\s+|\d+[.)]\s+)?" + _MARK + r"\s*")
_BADGES = re.compile(r"\s*(?:HIGH|MEDIUM|LOW)[ \t]*(?:FUNDAMENTAL|INTERMEDIATE|DEEP-DIVE)\s*$")
_REMARK = re.compile(r"\s+(?=[(\[])|\s*[:;,](?=\s)|\s*[–—]|\s+-(?=\s)")  # where a remark after a title may begin
_LONGEST_TITLE = 160
_NEAR = 0.85  # how like a card's name a line of a guide is that is meant as one, by difflib
_MOST_NEAR = 50  # lines for which the nearest name is looked for: it takes a millisecond each


@dataclass(frozen=True, slots=True)
class CardMark:
    """What a guide says of a card; ``line`` is that of its title, from 1."""

    card: str
    status: Status
    line: int


@dataclass(slots=True)
class Marks:
    """What was found; ``unmatched`` are lines with a mark, as ``12: words``, that belong to no card.

    Where a card is called nearly so, its title follows in brackets.
    """

    cards: list[CardMark] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Block:
    card: str
    line: int
    own: Status | None
    inner: int | None = None  # in a list of titles: spaces before a line that is still the card's; None in a guide
    items: list[Status] = field(default_factory=list)

    def status(self) -> Status | None:
        """What its marks say; None where there is none."""
        if self.own is not None or not self.items:
            return self.own
        kinds = set(self.items)
        return self.items[0] if len(kinds) == 1 else "learning"


def has_marks(text: str) -> bool:
    """Whether a text has marks that are no legend."""
    return bool(_ANY.search(_LEGEND.sub("", text)))


def read_marks(text: str, outline: Outline) -> Marks:
    """The marks of a guide, or of a list of cards' titles, by card in the text's order.

    A card that is marked twice goes by what says most: mastered before learning before not started.
    """
    names, found, blocks = _names(outline), Marks(), []
    seen: dict[str, int] = {}

    def astray(number: int, raw: str, title: str) -> None:
        near = get_close_matches(title, names, n=1, cutoff=0.7) if len(found.unmatched) < _MOST_NEAR else []
        meant = f" (did you mean {outline.cards[names[near[0]]].title}?)" if near else ""
        found.unmatched.append(f"{number}: {raw.strip()[:100]}{meant}")

    block: _Block | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = _LEGEND.sub("", raw.strip().strip("\ufeff"))
        title, own, badged = _title(line)
        if badged:
            seen[title] = seen.get(title, 0) + 1
        name = names.get(f"{title}{seen[title]}" if seen.get(title, 1) > 1 else title) or names.get(title)
        indent = len(raw) - len(raw.lstrip())
        inside = block is not None and (block.inner is None or indent >= block.inner)
        if name is None and own is not None and not badged and not inside:
            name = _before_remark(line, names)
        if name and (badged or own is not None):
            block = _Block(name, number, own, None if badged else indent + 1)
            blocks.append(block)
            continue
        if badged:
            block = None  # a card that the curriculum does not have
            if own is not None:
                astray(number, raw, title)
            continue
        items = [_OF[mark.lower()] for mark in _ITEM.findall(line)]
        if not items and own is None:
            continue
        if block is None or not inside or (own is not None and get_close_matches(title, names, n=1, cutoff=_NEAR)):
            astray(number, raw, title)
        else:
            block.items += items
    best: dict[str, CardMark] = {}
    order: Sequence[Status] = ("not-started", "learning", "mastered")
    for one in blocks:
        status = one.status()
        if status is not None:
            before = best.get(one.card)
            if before is None or order.index(status) > order.index(before.status):
                best[one.card] = CardMark(one.card, status, one.line)
    found.cards = sorted(best.values(), key=lambda mark: mark.line)
    return found


def store_marks(store: StudyStore, marks: Sequence[CardMark], *, dry_run: bool = False) -> list[CardMark]:
    """Take marks down; those that say something else than the last import of them (at first: than not started).

    Raises:
        StudyFault: none was taken down.
    """
    with store.read() if dry_run else store.write() as session:
        before = _imported(session, store.learner)
        new = [mark for mark in marks if mark.status != before.get(mark.card, "not-started")]
        now = store.clock()
        session.add_all(
            Mark(
                id=new_id(),
                learner=store.learner,
                at=now,
                card=mark.card,
                status=mark.status,
                why="import",
                note=f"line {mark.line} of a study guide",
            )
            for mark in new
        )
        return new


def _imported(session: Session, learner: str) -> dict[str, str]:
    query = (
        select(Mark.card, Mark.status).where(Mark.learner == learner, Mark.why == "import").order_by(Mark.at, Mark.id)
    )
    return {row.card: row.status for row in session.execute(query)}


def _title(line: str) -> tuple[str, Status | None, bool]:
    """The key of a line's words as a title, its own mark, and whether it has a card's badges."""
    bare, own = line, None
    if leading := _LEADING.match(line):
        bare, own = line[leading.end() :], _OF[leading[1].lower()]
    badges = _BADGES.search(_ANY.sub("", bare))
    if badges or len(bare) <= _LONGEST_TITLE:
        marks = _ANY.findall(bare)
        if own is None and marks and (badges or _ANY.search(bare[-4:])):
            own = _OF[marks[-1].lower()]
        bare = _BADGES.sub("", _ANY.sub("", bare).rstrip())
    return _key(bare), own, bool(badges)


def _before_remark(line: str, names: Mapping[str, str]) -> str | None:
    """The card whose name a marked line begins with, up to a bracket, colon or dash; the longest such name."""
    leading = _LEADING.match(line)
    bare = _ANY.sub("", line[leading.end() :] if leading else line)
    cuts = [found.start() for found in _REMARK.finditer(bare)]
    return next((name for cut in reversed(cuts) if (name := names.get(_key(bare[:cut])))), None)


def _names(outline: Outline) -> dict[str, str]:
    """Cards by the keys of their names; one that several cards go by names none of them."""
    found: dict[str, str] = {}
    for rank in range(4):
        level: dict[str, set[str]] = {}
        for card in outline.cards.values():
            covers = [name.removeprefix("guide/") for name in card.covers if name.startswith("guide/")]
            for name in ([card.title], covers, [card.id], card.aliases)[rank]:
                level.setdefault(_key(name), set()).add(card.id)
        found |= {key: cards.pop() for key, cards in level.items() if len(cards) == 1 and key and key not in found}
    return found


def _key(title: str) -> str:
    """Letters and digits alone, so that "Caching (deep dive)" and ``caching-deep-dive`` are one."""
    return re.sub(r"[^a-z0-9]+", "", unicodedata.normalize("NFKD", title).lower())


def lines(marks: Sequence[CardMark]) -> Iterator[str]:
    """How many cards are marked as what, in words."""
    for status in ("mastered", "learning", "not-started"):
        if number := sum(mark.status == status for mark in marks):
            yield f"{number} {status.replace('-', ' ')}"
