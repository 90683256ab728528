"""What to do today, and why: pure; from what is due, weak, next in a plan or missing below something that failed.

Every line says why it is there and how long it takes. What comes first: what is about to be forgotten, then what a
failed answer stands on, then what is next in the plan, then something new by tier. The lines are fitted into the
minutes there are, in that order, a shorter one before a longer one that no longer fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.progress import FAILED, Answered, CardProgress
from tutor.study.schedule import Deck, Item

Kind = Literal["review", "drill", "read", "plan"]
DRILL_MIN = 8  # a probe with follow-ups, rating, grade and what to read
POINT_MIN = 1  # a point recalled and looked up
_RECENT = timedelta(days=7)  # how long what failed pulls its prerequisites up
_MOST_NEW = 2  # cards that are new, a day: more are begun than are kept
_MOST_LEECHES = 1


@dataclass(frozen=True, slots=True)
class Line:
    """Something to do. ``refs`` are the cards and points it is about; ``command`` does it in a terminal."""

    kind: Kind
    title: str
    why: str
    minutes: int
    refs: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Today:
    """``lines`` in order, within ``minutes`` together where one line does not take longer alone; what did not fit."""

    lines: tuple[Line, ...]
    left_out: tuple[Line, ...]
    minutes: int

    @property
    def total(self) -> int:
        return sum(line.minutes for line in self.lines)


@dataclass(frozen=True, slots=True)
class Next:
    """What an active plan asks for next; ``late_days`` below 0 is before its day."""

    plan: str
    title: str
    item: str
    cards: tuple[str, ...]
    minutes: int
    late_days: int = 0


def today(
    outline: Outline,
    found: Mapping[str, CardProgress],
    deck: Deck,
    answers: Iterable[Answered],
    planned: Sequence[Next],
    *,
    now: datetime,
    until: datetime,
    minutes: int,
) -> Today:
    """The day's list.

    Args:
        outline: the curriculum.
        found: progress of every card.
        deck: what is reviewed.
        answers: graded answers, for what failed lately.
        planned: what active plans ask for, the most pressing first.
        now: the time.
        until: the end of the learner's day: what is due before it is due today.
        minutes: how many there are, from 1.
    """
    lines = [
        *_due(outline, deck, until),
        *_below(outline, found, deck, answers, now),
        *_planned(planned),
    ]
    if not planned:
        lines += _new(outline, found)
    return _fitted(_once(lines), minutes)


def _due(outline: Outline, deck: Deck, until: datetime) -> list[Line]:
    """Cards to drill, and points to recall, the likeliest forgotten first; points of a card that is drilled with it."""
    due = [item for item in deck.due(until) if item.card in outline.cards]
    drilled = {item.card for item in due if item.ref == item.card}
    points: dict[str, list[Item]] = {}
    for item in due:
        if item.ref != item.card:
            points.setdefault(item.card, []).append(item)
    lines, leeches = [], 0
    for item in due:
        card = outline.cards[item.card]
        if item.ref == item.card:
            if item.leech:
                leeches += 1
                if leeches <= _MOST_LEECHES:
                    lines.append(
                        _read(card, f"forgotten {item.lapses} times: read it anew, then drill another question")
                    )
                continue
            also = len(points.get(item.card, ()))
            more = f", with {also} of its points" if also else ""
            lines.append(
                Line(
                    "drill",
                    card.title,
                    f"due{_since(item, until)}{more}; recall {deck.recall(item.ref, until):.0%}",
                    DRILL_MIN,
                    (card.id, *(p.ref for p in points.get(card.id, ()))),
                    f"tutor drill --card {card.id}",
                )
            )
        elif item.card not in drilled and item is points[item.card][0]:
            mine = points[item.card]
            lines.append(
                Line(
                    "review",
                    card.title,
                    _points(len(mine)),
                    POINT_MIN * len(mine),
                    tuple(p.ref for p in mine),
                    f"tutor review --card {card.id}",
                )
            )
    return lines


def _points(count: int) -> str:
    return "a point that you missed is due" if count == 1 else f"{count} points that you missed are due"


def _since(item: Item, until: datetime) -> str:
    days = (until - item.due) // timedelta(days=1)
    return f" for {days} {'day' if days == 1 else 'days'}" if days else ""


def _below(
    outline: Outline,
    found: Mapping[str, CardProgress],
    deck: Deck,
    answers: Iterable[Answered],
    now: datetime,
) -> list[Line]:
    """What a card that failed lately builds on, where that is not mastered: the nearest prerequisites first."""
    last = {a.card: a for a in sorted(answers, key=lambda a: a.at)}
    failed = [a for a in last.values() if a.verdict in FAILED and now - a.at <= _RECENT and a.card in outline.cards]
    lines = []
    for answer in sorted(failed, key=lambda a: a.at, reverse=True):
        above = outline.cards[answer.card]
        for name in above.prerequisites:
            below = found.get(name)
            if below is None or below.status == "mastered" or (name in deck.items and (below.recall or 0) >= 0.9):
                continue
            why = f"{above.title} went {'wrong' if answer.verdict == 'wrong' else 'badly'} and builds on it"
            card = outline.cards[name]
            lines.append(_read(card, why) if below.status == "not-started" else _drill(card, why))
    return lines


def _planned(planned: Sequence[Next]) -> list[Line]:
    lines = []
    for step in planned:
        late = f", {step.late_days} {'day' if step.late_days == 1 else 'days'} late" if step.late_days > 0 else ""
        command = f"tutor plan show {step.plan}"
        lines.append(Line("plan", step.title, f"next in your plan{late}", step.minutes, step.cards, command))
    return lines


def _new(outline: Outline, found: Mapping[str, CardProgress]) -> list[Line]:
    """Cards not begun whose prerequisites are, by tier: for who follows no plan."""

    def ready(card: CardLine) -> bool:
        return all(found[name].status != "not-started" for name in card.prerequisites if name in found)

    order = sorted(outline.cards.values(), key=lambda c: (c.tier, c.phase))
    begin = [card for card in order if found[card.id].status == "not-started" and ready(card)]
    return [_read(card, f"new, tier {card.tier}; what it builds on is begun") for card in begin[:_MOST_NEW]]


def _read(card: CardLine, why: str) -> Line:
    minutes = card.read_min + (DRILL_MIN if card.probes else 0)
    return Line("read", card.title, why, minutes, (card.id,), f"tutor drill --card {card.id}")


def _drill(card: CardLine, why: str) -> Line:
    return Line("drill", card.title, why, DRILL_MIN, (card.id,), f"tutor drill --card {card.id}")


def _once(lines: Iterable[Line]) -> list[Line]:
    """The first line about a card stands for later ones of one card."""
    taken: set[str] = set()
    kept = []
    for line in lines:
        cards = {ref.split("/", 1)[0] for ref in line.refs}
        if line.kind != "plan" and cards & taken:
            continue
        taken |= cards
        kept.append(line)
    return kept


def _fitted(lines: Sequence[Line], minutes: int) -> Today:
    """The lines that fit, in order; the first one always, since a day with too little time has a first thing too."""
    taken: list[Line] = []
    left = minutes
    out = []
    for line in lines:
        if line.minutes <= left or not taken:
            taken.append(line)
            left -= line.minutes
        else:
            out.append(line)
    return Today(tuple(taken), tuple(out), minutes)
