"""What an entry of the log is linked to: cards that its text names, and the item of a plan that it belongs to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from tutor.curriculum.outline import Outline, StepLine
from tutor.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.timetable import Timetable

_WORD = re.compile(r"[^\W_]+(?:\+\+|#)?")
_MOST_WORDS = 7
_MOST_CARDS = 12
#: Names of cards that are also plain words: they are meant where they are written as names are.
_PLAIN = frozenset({"acid", "agents", "base", "cap", "react", "rest", "sampling", "solid", "threats", "executor"})
_SHORT = re.compile(r"(?:M(?:ONTH)?[ -]?(\d+))?[ /-]*(?:W(?:EEK)?[ -]?(\d+))?", re.I)
ROADMAP = "judgment-roadmap"  # asks for an entry each week or month, so that one belongs to it first


class CardNames:
    """Finds the cards that a text names by id, title or alias; longer names win over shorter ones inside them."""

    def __init__(self, outline: Outline) -> None:
        self._cards: dict[tuple[str, ...], str] = {}
        self._titles = {card.id: card.title for card in outline.cards.values()}
        for card in outline.cards.values():
            for name in (card.id, card.title, re.split(r"[:(]", card.title)[0], *card.aliases):
                if key := _key(name):
                    self._cards.setdefault(key, card.id)
        self._longest = min(_MOST_WORDS, max(map(len, self._cards), default=0))

    def find(self, text: str) -> tuple[str, ...]:
        """Ids of the cards that are named, in the order in which they first are; at most twelve."""
        words = _WORD.findall(unicodedata.normalize("NFKC", text))
        keys = [_singular(word.casefold()) for word in words]
        found: dict[str, None] = {}
        at = 0
        while at < len(keys) and len(found) < _MOST_CARDS:
            for size in range(min(self._longest, len(keys) - at), 0, -1):
                card = self._cards.get(tuple(keys[at : at + size]))
                if card and not (size == 1 and words[at].casefold() in _PLAIN and not _capitals(words[at])):
                    found[card] = None
                    at += size
                    break
            else:
                at += 1
        return tuple(found)

    def titles(self, cards: Iterable[str]) -> Iterator[str]:
        """The titles of cards; an id that the curriculum has no more stands for itself."""
        return (self._titles.get(card, card) for card in cards)


def _key(name: str) -> tuple[str, ...]:
    return tuple(_singular(w.casefold()) for w in _WORD.findall(unicodedata.normalize("NFKC", name)))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _capitals(word: str) -> bool:
    return sum(map(str.isupper, word)) > 1


def items(outline: Outline) -> dict[str, str]:
    """What an entry can belong to: items of the curriculum and steps of plans, each id with its title."""
    found: dict[str, str] = {}
    for plan in outline.plans.values():
        for step in _walk(plan.steps):
            for item in (*step.covers, f"{plan.id}/{step.id}"):
                found.setdefault(item, step.title)
    return found


def steps(outline: Outline) -> list[tuple[str, list[tuple[str, str]]]]:
    """The plans' titles, each with its steps in order: the item that an entry belongs to, and the step's title."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    seen: set[str] = set()
    for plan in outline.plans.values():
        rows = [(step.covers[0] if step.covers else f"{plan.id}/{step.id}", step.title) for step in _walk(plan.steps)]
        found.append((plan.title, [row for row in rows if row[0] not in seen]))
        seen |= {row[0] for row in rows}
    return [(title, rows) for title, rows in found if rows]


def place_of(outline: Outline, item: str) -> tuple[str, str] | None:
    """The plan that has an item, and the title of the item's step there; None where the curriculum has it no more."""
    for plan in outline.plans.values():
        for step in _walk(plan.steps):
            if item in step.covers or item == f"{plan.id}/{step.id}":
                return plan.id, step.title
    return None


def item_of(outline: Outline, name: str) -> str:
    """The id of an item: itself, "M1", "W2" or "M1W2" for those of the months and weeks, or a step's id.

    A step that stands for an item of the curriculum is that item: "judgment-roadmap/m1-w2" is "month/1/week/2".

    Raises:
        NotFound: nothing is called so; the nearest ids are told.
    """
    known = items(outline)
    wanted = " ".join(name.split())
    if wanted.lower() in known:
        return _item_of_step(outline, wanted.lower())
    match = _SHORT.fullmatch(wanted)
    if match and any(match.groups()):
        month, week = match.group(1) or "1", match.group(2)  # the roadmap has weeks in its first month only
        item = f"month/{int(month)}" + (f"/week/{int(week)}" if week else "")
        if item in known:
            return item
    ends = [item for item in known if item.rpartition("/")[2] == wanted.lower()]
    if len(ends) == 1:
        return _item_of_step(outline, ends[0])
    near = ends[:3] or get_close_matches(wanted.lower(), known, n=3, cutoff=0.6)
    raise NotFound(
        "no item is called so",
        about=wanted[:80],
        fix=f"Did you mean: {', '.join(near)}?" if near else "As in: M1, M1W2, month/1/week/2, 28-days/day-03.",
    )


def _item_of_step(outline: Outline, item: str) -> str:
    for plan in outline.plans.values():
        for step in _walk(plan.steps):
            if item == f"{plan.id}/{step.id}" and step.covers:
                return step.covers[0]
    return item


def current_item(outline: Outline, tables: Sequence[Timetable], day: date) -> str:
    """The item that a learner's plans have on a day: of the roadmap where that is followed, else of the newest plan.

    Empty where no plan of the curriculum with dates is followed, none has begun by then, or all are over.

    Args:
        outline: the curriculum.
        tables: the plans that are under way.
        day: the learner's.
    """
    tables = [replace(table, today=day) for table in tables]
    order = sorted(tables, key=lambda t: (t.taken.plan == ROADMAP, t.taken.began, t.taken.at), reverse=True)
    for table in order:
        plan, now = outline.plans.get(table.taken.plan), table.current()
        if plan is None or now is None or table.end is None or not table.taken.began <= table.today <= table.end:
            continue
        step = next((step for step in _walk(plan.steps) if step.id == now.stage.id), None)
        if step is not None:
            return step.covers[0] if step.covers else f"{plan.id}/{step.id}"
    return ""


def _walk(steps: Iterable[StepLine]) -> Iterator[StepLine]:
    for step in steps:
        yield step
        yield from _walk(step.parts)
