"""What of the plans under way a drill or an entry of the log may have done: offered to be ticked off, never ticked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tutor.curriculum.outline import Outline
from tutor.study.agenda import WRITTEN
from tutor.study.links import place_of
from tutor.study.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Offer:
    """An item of a plan that is open, with what ticks it off in a terminal."""

    plan: str
    item: str
    title: str

    @property
    def command(self) -> str:
        return f"tutor plan done {self.plan} {self.item}"


def of_cards(tables: Sequence[Timetable], cards: Collection[str]) -> list[Offer]:
    """The open items that are about cards, as after a drill of them."""
    return [
        Offer(table.taken.plan, entry.item.id, entry.item.title)
        for table in tables
        for entry in table.open
        if entry.item.card in cards
    ]


def of_entry(outline: Outline, tables: Sequence[Timetable], item: str) -> list[Offer]:
    """The open items that ask for an entry such as one that belongs to ``item``; none where that is empty or gone."""
    found = step_of(outline, item)
    return [
        Offer(table.taken.plan, entry.item.id, entry.item.title)
        for table in tables
        for entry in table.open
        if entry.item.kind in WRITTEN and (table.taken.plan, entry.stage) == found
    ]


def step_of(outline: Outline, item: str) -> tuple[str, str] | None:
    """The plan and the step that an entry's item is of."""
    place = place_of(outline, item) if item else None
    if place is None:
        return None
    for step in outline.plans[place[0]].steps:
        for one in (step, *step.parts):
            if item in one.covers or item == f"{place[0]}/{one.id}":
                return place[0], one.id
    return None
