"""What studying gives, as JSON: the same on the terminal and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from tutor.study.desk import Standing, Study
from tutor.study.paths import Path
from tutor.study.progress import CardProgress, Share
from tutor.study.schedule import Item
from tutor.study.today import Line, Today


def plain(value: object) -> Any:
    """Dataclasses as objects, times as ISO text, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def today_json(found: Today) -> dict[str, Any]:
    """The day's list with its sums."""
    return {
        "lines": [_line_json(line) for line in found.lines],
        "left_out": [_line_json(line) for line in found.left_out],
        "minutes": found.minutes,
        "total": found.total,
        "left_out_min": found.left_out_min,
    }


def _line_json(line: Line) -> dict[str, Any]:
    """A line; its plan and item, and what could be set aside, only where there is one; its probe is in its command."""
    row: dict[str, Any] = {**plain(line)}
    del row["probe"]
    return {name: value for name, value in row.items() if value or name not in ("plan", "item", "aside", "tick")}


def item_json(item: Item) -> dict[str, Any]:
    """What is known of a card or point that is reviewed."""
    return {**plain(item), "card": item.card, "leech": item.leech}


def share_json(one: Share) -> dict[str, Any]:
    """A share with its percentage."""
    return {**plain(one), "percent": one.percent}


def path_json(found: Path) -> dict[str, Any]:
    """A way with its hours."""
    return {**plain(found), "hours": found.hours}


def progress_json(study: Study, at: Standing) -> dict[str, Any]:
    """Every share and every card."""
    shares = {kind: [share_json(s) for s in found] for kind, found in study.shares(at).items()}
    return {**shares, "cards": [plain(card) for card in at.cards.values()]}


def card_json(at: Standing, found: CardProgress) -> dict[str, Any]:
    """A card's progress with its history, the oldest first, and its mastery check."""
    history: list[dict[str, Any]] = [
        {"at": m.at, "what": "mark", "status": m.status, "why": m.why, "note": m.note}
        for m in at.marks
        if m.card == found.card
    ]
    history += [
        {
            "at": t.at,
            "what": "drill",
            "probe": t.probe,
            "verdict": t.verdict,
            "score": t.score,
            "session": t.session,
            "task": t.task,
        }
        for t in at.tasks
        if t.card == found.card
    ]
    history += [
        {
            "at": view["at"],
            "what": "view",
            "probe": t.probe,
            "point": point,
            "status": view.get("learner") or t.points[point],
            "graded": view["graded"],
            "session": t.session,
            "task": t.task,
        }
        for t in at.tasks
        if t.card == found.card
        for point, view in t.views.items()
    ]
    history.sort(key=lambda row: str(plain(row["at"])))
    card = at.outline.cards[found.card]
    return {**plain(found), "title": card.title, "check": list(card.check), "history": plain(history)}
