"""What plans give, as JSON: the same on the terminal and over HTTP."""

from __future__ import annotations

from typing import Any

from tutor.curriculum.outline import Outline, PlanLine
from tutor.study.catchup import Option
from tutor.study.custom import Custom
from tutor.study.timetable import Entry, Placed, Timetable
from tutor.study.wire import plain


def row_json(plan: PlanLine, table: Timetable | None) -> dict[str, Any]:
    """A plan of the curriculum in a list."""
    row = {"id": plan.id, "title": plan.title, "about": plan.about, "unit": plan.unit, "steps": len(plan.steps)}
    return {**row, "under_way": table is not None, "progress": summary_json(table) if table else None}


def summary_json(table: Timetable) -> dict[str, Any]:
    """Where a plan stands, without its items."""
    current = table.current()
    one = table.taken
    return {
        "id": one.plan,
        "title": table.title,
        "unit": table.unit,
        "start": plain(one.began),
        "end": plain(table.end),
        "pace": one.pace,
        "skips": one.skips.words,
        "today": plain(table.today),
        "done": table.done,
        "items": len(table.counted),
        "dropped": len(table.entries) - len(table.counted),
        "percent": table.percent,
        "minutes_left": table.minutes_left,
        "minutes_a_day": table.a_day,
        "over": table.over,
        "late": [entry.item.id for entry in table.late],
        "now": current.stage.id if current else None,
        "steps": [
            {
                "id": placed.stage.id,
                "title": placed.stage.title,
                "first": plain(placed.span.first) if placed.span else None,
                "last": plain(placed.span.last) if placed.span else None,
                "percent": table.step_percent(placed.stage.id),
            }
            for placed in table.steps
        ],
        "not_in_the_plan": list(table.strangers),
    }


def placed_json(placed: Placed) -> dict[str, Any]:
    """A stage with its items."""
    stage = placed.stage
    return {
        "id": stage.id,
        "inside": stage.inside,
        "title": stage.title,
        "goal": stage.goal,
        "cards": list(stage.cards),
        "links": [{"kind": kind, "title": title, "url": url} for kind, title, url in stage.links],
        "first": plain(placed.span.first) if placed.span else None,
        "last": plain(placed.span.last) if placed.span else None,
        "beyond": placed.beyond,
        "items": [entry_json(entry) for entry in placed.entries],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """An item with its date and state."""
    return {**plain(entry.item), "due": plain(entry.due), "done": plain(entry.done), "state": entry.state}


def table_json(table: Timetable, placed: list[Placed] | None = None) -> dict[str, Any]:
    """A plan with its items, or those of some stages."""
    shown = list(table.placed) if placed is None else placed
    spec = table.taken.spec
    own = {name: spec.get(name) for name in ("interview", "track", "hours", "why", "left_out")}
    return {**summary_json(table), "stages": [placed_json(p) for p in shown], **(own if table.taken.custom else {})}


def option_json(option: Option) -> dict[str, Any]:
    """A way to catch up."""
    return {
        "way": option.way,
        "possible": option.taken is not None,
        "why": option.why,
        "end": plain(option.end),
        "minutes_a_day": option.a_day,
        "lost": [entry.item.id for entry in option.lost],
        "lost_cards": [{"card": card, "builds_on_it": list(above)} for card, above in option.cards],
    }


def custom_json(made: Custom, outline: Outline) -> dict[str, Any]:
    """What a plan of one's own would hold."""

    def titled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**row, "title": outline.cards[row["card"]].title, "tier": outline.cards[row["card"]].tier} for row in rows
        ]

    found = plain(made)
    return {
        **found,
        "cards": titled(found["cards"]),
        "left_out": titled(found["left_out"]),
    }
