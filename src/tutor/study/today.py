"""What to do today, and why: pure; from what is due, weak, next in a plan or missing below something that failed.

Every line says why it is there and how long it takes. What comes first: what is about to be forgotten, the most
forgetting prevented a minute first; then what a failed answer stands on, then what is next in the plan, then something
new by tier. What is due takes at most ``DUE_SHARE`` of the minutes while something else waits, so that a backlog does
not hold up the plan; what is not used goes back to it. A line that no longer fits makes room for a shorter one, and
what was left out is told. A plan's first item that does not fit is begun, however long it takes; in its plan nothing
overtakes what is late, and no card what it builds on (``_fitted``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.below import Pulled, pulled
from tutor.study.lookup import known
from tutor.study.probes import by_card_of, probe_of
from tutor.study.progress import FAILED, Answered, CardProgress
from tutor.study.schedule import Deck, Item

Kind = Literal["review", "drill", "read", "plan"]
DRILL_MIN = 8  # a probe with follow-ups, rating, grade and what to read
POINT_MIN = 1  # a point recalled and looked up
DUE_SHARE = 0.6  # of the minutes, for what is due, while something else waits
_BEGIN_MIN = 15  # what takes longer than there is time is begun where so much is left; on a short day less does
_LEAST_MIN = 5  # of that
_MOST_NEW = 2  # cards that are new, a day: more are begun than are kept
_MOST_LEECHES = 1


@dataclass(frozen=True, slots=True)
class Line:
    """Something to do. ``refs`` are the cards and points it is about; ``command`` does it in a terminal.

    ``probe`` is the question to ask, by its id; ``plan`` and ``item`` are what can be ticked off, of kind plan, and
    ``tick`` does that in a terminal; without an item it is something to know of the plan. ``aside`` is a card or point
    that was forgotten again and again, and could be set aside instead.
    """

    kind: Kind
    title: str
    why: str
    minutes: int
    refs: tuple[str, ...]
    command: str
    probe: str = ""
    plan: str = ""
    item: str = ""
    aside: str = ""
    tick: str = ""


@dataclass(frozen=True, slots=True)
class Today:
    """``lines`` in order, within ``minutes`` together where one line does not take longer alone.

    ``left_out`` did not fit today, what comes first tomorrow first.
    """

    lines: tuple[Line, ...]
    left_out: tuple[Line, ...]
    minutes: int

    @property
    def total(self) -> int:
        return sum(line.minutes for line in self.lines)

    @property
    def left_out_min(self) -> int:
        return sum(line.minutes for line in self.left_out)


@dataclass(frozen=True, slots=True)
class Next:
    """What an active plan asks for next; ``late_days`` below 0 is before its day.

    ``command`` is what does it in a terminal, empty for a card. Without an item ``note`` says what there is to know.
    """

    plan: str
    title: str
    item: str
    cards: tuple[str, ...]
    minutes: int
    late_days: int = 0
    command: str = ""
    note: str = ""


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
    rated: Mapping[str, tuple[int, datetime]] | None = None,
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
        rated: by card or point the last rating and its time, for what was forgotten lately.
    """
    answers = sorted(answers, key=lambda a: a.at)
    due = _due(outline, deck, answers, until)
    below = pulled(outline, found, deck, answers, rated or {}, now)
    others = [
        *_below(outline, found, below, by_card_of(answers)),
        *_planned(outline, planned, answers),
    ]
    if not any(step.item for step in planned):
        others += _new(outline, found)
    lines = _once([*due, *others])
    late = {(step.plan, step.item) for step in planned if step.late_days > 0}
    return _fitted(
        outline, [line for line in lines if line in due], [one for one in lines if one not in due], late, minutes
    )


def _due(outline: Outline, deck: Deck, answers: Sequence[Answered], until: datetime) -> list[Line]:
    """Cards to drill, and points to recall where the card itself is not due; leeches last, but for the first."""
    due = [item for item in deck.due(until) if known(outline, item.ref)]
    points: dict[str, list[Item]] = {}
    for item in due:
        if item.ref != item.card:
            points.setdefault(item.card, []).append(item)
    by_card = by_card_of(answers)
    lines: list[tuple[float, Line]] = []
    leeches: list[Line] = []
    for item in (item for item in due if item.ref == item.card):
        card = outline.cards[item.card]
        if item.leech:
            lacking = [p.ref for p in points.pop(card.id, [])]  # reading comes first
            why = f"forgotten {item.lapses} times: read it anew, then drill another question, or set it aside"
            line = _read(card, why, probe_of(card, by_card.get(card.id, ()), ()), lacking)
            leeches.append(replace(line, aside=card.id))
            continue
        mine = by_card.get(card.id, ())
        probe = probe_of(card, mine, points.get(card.id, ()))
        also = [p for p in points.get(card.id, ()) if p.probe == probe]
        points[card.id] = [p for p in points.get(card.id, ()) if p not in also]
        recall = deck.recall(item.ref, until)
        why = f"due{_since(item, until)}{_with(len(also))}; recall {recall:.0%}"
        if mine and mine[-1].verdict in FAILED:
            why += f", last answer {mine[-1].verdict}"
        line = _drill(card, why, probe, [p.ref for p in also])
        lost = 1 - recall + sum(1 - deck.recall(p.ref, until) for p in also)
        lines.append((lost / line.minutes, line))
    for card_id, some in points.items():
        if not some:
            continue
        minutes = POINT_MIN * len(some)
        refs = tuple(p.ref for p in some)
        command = f"tutor review --card {card_id}"
        lost = sum(1 - deck.recall(p.ref, until) for p in some)
        title = outline.cards[card_id].title
        stuck = [p.ref for p in some if p.leech]
        aside = stuck[0] if len(stuck) == 1 else ""
        lines.append((lost / minutes, Line("review", title, _points(some), minutes, refs, command, aside=aside)))
    lines.sort(key=lambda pair: -pair[0])  # stable: the likeliest forgotten first among equals
    return [*leeches[:_MOST_LEECHES], *(line for _, line in lines), *leeches[_MOST_LEECHES:]]


def _with(count: int) -> str:
    return f", with {'one' if count == 1 else count} of its points" if count else ""


def _points(mine: Sequence[Item]) -> str:
    leeches = [item for item in mine if item.leech]
    again = f"; {len(leeches)} forgotten again and again: look them up" if leeches else ""
    again += ", or set it aside" if len(leeches) == 1 else ""
    return f"{'a point is' if len(mine) == 1 else f'{len(mine)} points are'} due{again}"


def _since(item: Item, until: datetime) -> str:
    days = (until - item.due) // timedelta(days=1)
    return f" for {days} {'day' if days == 1 else 'days'}" if days else ""


def _below(
    outline: Outline,
    found: Mapping[str, CardProgress],
    due: Sequence[Pulled],
    by_card: Mapping[str, Sequence[Answered]],
) -> list[Line]:
    """What a card builds on that failed, lacked a point or was forgotten lately."""
    lines = []
    for one in due:
        card = outline.cards[one.card]
        probe = probe_of(card, by_card.get(one.card, ()), ())
        begun = found[one.card].status != "not-started"
        lines.append(_drill(card, one.why, probe) if begun else _read(card, one.why, probe))
    return lines


def _planned(outline: Outline, planned: Sequence[Next], answers: Sequence[Answered]) -> list[Line]:
    by_card = by_card_of(answers)
    lines = []
    for step in planned:
        if not step.item:
            lines.append(Line("plan", step.title, step.note, 1, (), f"tutor plan stop {step.plan}", plan=step.plan))
            continue
        late = f", {step.late_days} {'day' if step.late_days == 1 else 'days'} late" if step.late_days > 0 else ""
        why, probe, command = f"next in your plan{late}", "", step.command
        if not command and step.cards and step.cards[0] in outline.cards:
            card = outline.cards[step.cards[0]]
            mine = by_card.get(card.id, ())
            probe = probe_of(card, mine, ())
            command = f"tutor drill --card {card.id} {probe}" if mine and probe else f"tutor card {card.id}"
            if mine and mine[-1].verdict == "strong":
                why += "; your last answer to it was strong: tick it off if you know the rest"
        command = command or f"tutor plan show {step.plan}"
        tick = f"tutor plan done {step.plan} {step.item}"
        lines.append(
            Line("plan", step.title, why, step.minutes, step.cards, command, probe, step.plan, step.item, tick=tick)
        )
    return lines


def _new(outline: Outline, found: Mapping[str, CardProgress]) -> list[Line]:
    """Cards not begun whose prerequisites are, by tier: for who follows no plan."""

    def ready(card: CardLine) -> bool:
        return all(found[name].status != "not-started" for name in card.prerequisites if name in found)

    order = sorted(outline.cards.values(), key=lambda c: (c.tier, c.phase))
    begin = [card for card in order if found[card.id].status == "not-started" and ready(card)]

    def why(card: CardLine) -> str:
        return (
            f"new, tier {card.tier}; {'what it builds on is begun' if card.prerequisites else 'it builds on nothing'}"
        )

    return [_read(card, why(card), probe_of(card, (), ())) for card in begin[:_MOST_NEW]]


def _read(card: CardLine, why: str, probe: str, points: Sequence[str] = ()) -> Line:
    minutes = card.read_min + (DRILL_MIN if probe else 0)
    # What opens it to read; the card's end names the question to drill it with.
    return Line("read", card.title, why, minutes, (card.id, *points), f"tutor card {card.id}", probe)


def _drill(card: CardLine, why: str, probe: str, points: Sequence[str] = ()) -> Line:
    if not probe:
        return _read(card, why, probe, points)
    command = f"tutor drill --card {card.id} {probe}"
    return Line("drill", card.title, why, DRILL_MIN, (card.id, *points), command, probe)


def _once(lines: Iterable[Line]) -> list[Line]:
    """The first line about a card stands for later ones of one card."""
    taken: set[str] = set()
    kept: list[Line] = []
    for line in lines:
        cards = {ref.split("/", 1)[0] for ref in line.refs} if line.kind != "review" else set()  # points beside it
        if (line.kind in ("read", "drill") and cards & taken) or line in kept:
            continue
        taken |= cards
        kept.append(line)
    return kept


def _fitted(
    outline: Outline, due: Sequence[Line], others: Sequence[Line], late: Collection[tuple[str, str]], minutes: int
) -> Today:
    """The lines that fit, in order; the first one always, since a day with too little time has a first thing too."""
    order = [*due, *others]
    for_due = int(minutes * DUE_SHARE) if others else minutes
    if due and due[0].minutes <= minutes:  # what is most pressing comes, however short the day
        for_due = max(for_due, due[0].minutes)
    taken: list[Line] = []
    left = minutes

    def take(lines: Iterable[Line], most: int) -> None:
        nonlocal left
        for line in lines:
            if line not in taken and line.minutes <= min(left, most):
                taken.append(line)
                left -= line.minutes
                most -= line.minutes

    take(due, for_due)
    enough = min(_BEGIN_MIN, max(_LEAST_MIN, int(minutes * (1 - DUE_SHARE))))
    waiting: set[str] = set()  # cards of plans that were passed over: what builds on one waits too
    held: set[str] = set()  # plans of which something late was passed over: the rest of them waits
    for number, line in enumerate(others, len(due)):
        if not line.item:
            take([line], left)
            continue
        if line.plan not in held and not _stands_on(outline, line.refs, waiting):
            if line.minutes > left >= enough:
                part = f"about {line.minutes} min in all: begin it or go on with it, the rest comes tomorrow"
                order[number] = line = replace(line, minutes=left, why=f"{line.why}; {part}")
            take([line], left)
        if line not in taken:
            waiting.update(line.refs)
            if (line.plan, line.item) in late:
                held.add(line.plan)
    take(due, left)
    if not taken:
        taken = order[:1]
    return Today(
        tuple(line for line in order if line in taken), tuple(line for line in order if line not in taken), minutes
    )


def _stands_on(outline: Outline, cards: Iterable[str], below: Collection[str]) -> bool:
    """Whether a card builds on one of those ``below``, at whatever depth."""
    seen: set[str] = set()
    queue = list(cards) if below else []
    while queue:
        card = outline.cards.get(queue.pop())
        for name in card.prerequisites if card else ():
            if name in below:
                return True
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return False
