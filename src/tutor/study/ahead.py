"""Which cards plans come to next: pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tutor.study.timetable import Timetable


def ahead(tables: Iterable[Timetable]) -> list[str]:
    """The cards of what is still to do, each once: what is due soonest first, then what has no date, in its order.

    An item that is no card, as a day's exercise, stands for the cards that its step goes deeper into.
    """
    found: list[tuple[bool, date, str]] = []
    for table in tables:
        cards = {placed.stage.id: placed.stage.cards for placed in table.placed}
        for entry in table.open:
            names = (entry.item.card,) if entry.item.card else cards[entry.stage]
            found += [(entry.due is None, entry.due or date.max, name) for name in names]
    found.sort(key=lambda one: one[:2])  # stable: of one day in the plans' order
    return list(dict.fromkeys(name for _, _, name in found))
