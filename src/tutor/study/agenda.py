"""What a plan asks for, item by item: each has a name that stays, so that a tick still stands after an edit.

A day has its notes, video, readings, exercise, problem and reflection; a week its cards and practice; a month what is
built, read and kept warm, and ends in a written decision, its capstone; a checklist one item a line. Minutes are
estimates: of a card from its length and questions, of the rest by kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tutor.curriculum.outline import CardLine, DayLine, Outline, PlanLine, StepLine

#: Minutes by kind of item: what a video, an article, an hour at the keyboard usually take.
MINUTES = {
    "video": 30,
    "reading": 25,
    "exercise": 60,
    "problem": 30,
    "reflection": 10,
    "practice": 120,
    "build": 240,
    "systems": 120,
    "foundations": 105,  # fifteen minutes a day for a week
    "log": 30,
    "capstone": 90,
    "topic": 60,
}
#: The kinds of which each is an entry of the log.
WRITTEN = ("log", "capstone", "reflection")
_MONTH_OF_WEEKS = 4  # what stands for a whole month takes so many times what stands for a week of it


@dataclass(frozen=True, slots=True)
class Item:
    """Something to do and tick off. ``id`` as "day-03/exercise"; ``kind`` is card, notes or one of ``MINUTES``.

    ``card`` is the card's id for kind card; ``link`` an address, ``doc_id`` a document of the library, each empty
    where there is none.
    """

    id: str
    kind: str
    title: str
    minutes: int
    card: str = ""
    link: str = ""
    doc_id: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a plan, or a part of one. ``cards`` go deeper; where they are what is studied, they are items too.

    ``inside`` names the step that it is a part of, empty for a step; ``links`` are (kind, title, address).
    """

    id: str
    title: str
    goal: str
    items: tuple[Item, ...]
    cards: tuple[str, ...]
    inside: str = ""
    links: tuple[tuple[str, str, str], ...] = ()

    @property
    def minutes(self) -> int:
        return sum(item.minutes for item in self.items)


def minutes_of(card: CardLine) -> int:
    """Reading a card, answering each of its questions once, and reading again what the answers lacked."""
    return 2 * card.read_min + card.probe_min


def card_item(card: CardLine, name: str = "") -> Item:
    """A card as an item, called ``name`` or as the card."""
    return Item(name or card.id, "card", card.title, minutes_of(card), card.id, doc_id=card.id)


def agenda(outline: Outline, plan: PlanLine) -> tuple[Stage, ...]:
    """The plan's steps with their parts behind them, in order. A step that has nothing to do itself stays in it."""
    stages = tuple(stage for step in plan.steps for stage in _stages(outline, plan, step, ""))
    return _with_capstones(stages) if plan.unit == "month" else stages


def _stages(outline: Outline, plan: PlanLine, step: StepLine, inside: str) -> Iterator[Stage]:
    items = _once(_items(outline, plan, step, whole=not inside))
    yield Stage(step.id, step.title, step.goal, tuple(items), step.cards, inside, step.resources)
    for part in step.parts:
        yield from _stages(outline, plan, part, inside or step.id)


def _items(outline: Outline, plan: PlanLine, step: StepLine, *, whole: bool) -> Iterator[Item]:
    at = step.id
    for note in step.notes:
        if note in outline.days:
            yield from _day(at, outline.days[note])
        else:
            yield Item(f"{at}/{note}", "reading", outline.titles.get(note, note), MINUTES["reading"], doc_id=note)
    if plan.unit == "week":
        yield from (card_item(outline.cards[name], f"{at}/{name}") for name in _in_order(outline, step.cards))
        if not whole and not step.cards:  # "Practice in week 3": the part itself is what is to be done
            yield Item(f"{at}/practice", "practice", step.goal or step.title, MINUTES["practice"])
    times = _MONTH_OF_WEEKS if plan.unit == "month" and whole else 1
    for kind, lines in (("build", step.build), ("systems", step.systems), ("foundations", step.foundations)):
        for number, line in enumerate(lines, 1):
            yield Item(f"{at}/{kind}{'' if number == 1 else f'-{number}'}", kind, line, MINUTES[kind] * times)
    yield from (Item(f"{at}/{_slug(line)}", "topic", line, MINUTES["topic"]) for line in step.items)
    for name in step.practice:
        yield Item(f"{at}/{name}", "practice", outline.titles.get(name, name), MINUTES["practice"], doc_id=name)
    if step.log:
        yield Item(f"{at}/log", "log", step.log, MINUTES["log"])


def _in_order(outline: Outline, cards: Sequence[str]) -> list[str]:
    """The cards as they stand, but each behind those of them that it builds on."""
    order: dict[str, None] = {}

    def put(name: str, above: frozenset[str]) -> None:
        for below in outline.cards[name].prerequisites:
            if below in inside and below not in order and below not in above:
                put(below, above | {below})
        order[name] = None

    inside = {name for name in cards if name in outline.cards}
    for name in cards:
        if name in inside and name not in order:
            put(name, frozenset({name}))
    return list(order)


def _day(at: str, day: DayLine) -> Iterator[Item]:
    yield Item(f"{at}/notes", "notes", day.title, day.read_min, doc_id=day.id)
    yield Item(f"{at}/video", "video", day.video[0], MINUTES["video"], link=day.video[1])
    for number, (title, link) in enumerate(day.readings, 1):
        yield Item(f"{at}/reading-{number}", "reading", title, MINUTES["reading"], link=link)
    yield Item(f"{at}/exercise", "exercise", day.exercise, MINUTES["exercise"])
    yield Item(f"{at}/problem", "problem", day.problem[0], MINUTES["problem"], link=day.problem[1])
    yield Item(f"{at}/reflection", "reflection", day.reflection, MINUTES["reflection"])


def _with_capstones(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The last decision of each month is what the month comes to."""
    last = {stage.inside or stage.id: item.id for stage in stages for item in stage.items if item.kind == "log"}
    finals = set(last.values())
    return tuple(
        replace(
            stage,
            items=tuple(
                replace(item, kind="capstone", minutes=MINUTES["capstone"]) if item.id in finals else item
                for item in stage.items
            ),
        )
        for stage in stages
    )


def _once(items: Iterable[Item]) -> list[Item]:
    """Items whose names are their own: a second of a name is numbered."""
    found: dict[str, Item] = {}
    for item in items:
        name, number = item.id, 1
        while name in found:
            number += 1
            name = f"{item.id}-{number}"
        found[name] = replace(item, id=name)
    return list(found.values())


def _slug(line: str) -> str:
    """The first words of a line as a name: it outlives lines that are put in before it or moved."""
    return "-".join(re.findall(r"[a-z0-9]+", line.lower())[:6]) or "item"
