"""A plan of one's own: from the date of an interview, a track and hours a week to the cards that fit in, in order.

Tier 1 comes first, then tier 2 and tier 3 of the track; within a tier in the track's order. A card brings what it
builds on with it, and stands behind it. A fifth of the time is kept for recalling what was learnt before. What does
not fit is told, and where tier 1 does not, what would.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import ceil
from pathlib import Path

from tutor.curriculum.outline import Outline
from tutor.errors import UsageError
from tutor.study.agenda import minutes_of
from tutor.study.pacing import MOST_A_DAY, Skips, study_days

REVIEW_SHARE = 0.2  # of the hours: what is learnt has to be recalled until the day
MOST_HOURS = 60.0  # a week
LONGEST_DAYS = 730
_HAIR = 1e-6  # what fractions of hours are off by: 384 minutes are held by 383.9999999


@dataclass(frozen=True, slots=True)
class Group:
    """Cards of a track that belong together, and why it asks for them."""

    why: str
    cards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """Cards by what an interview of its kind asks for, the most asked first."""

    id: str
    title: str
    groups: tuple[Group, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A card of the plan; ``why`` it is in: its tier and the track's reason, or the card that it comes before."""

    card: str
    minutes: int
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A card that the track asks for and the time does not hold, with the minutes that it would take."""

    card: str
    minutes: int
    why: str


@dataclass(frozen=True, slots=True)
class Custom:
    """``cards`` in the order of study; minutes are those for new cards, without the share for reviews.

    ``needed_hours`` a week would hold all of tier 1, ``all_hours`` everything that the track asks for; ``by`` is the
    first date on which an interview would leave time for tier 1 at the hours given, None where that is years away.
    """

    track: str
    interview: date
    hours: float
    cards: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]
    minutes: int
    budget: int
    days: int
    needed_hours: float
    all_hours: float
    by: date | None
    holds_tier_1: bool


@cache
def tracks() -> dict[str, Track]:
    """The tracks by id, with what every one asks for before their own."""
    data = json.loads(Path(__file__).with_name("tracks.json").read_text("utf-8"))

    def groups(rows: list[dict[str, list[str]]]) -> tuple[Group, ...]:
        return tuple(Group(str(row["why"]), tuple(row["cards"])) for row in rows)

    shared = groups(data["everyone"])
    return {
        name: Track(name, row["title"], shared + groups(row["groups"]), tuple(row["also"]))
        for name, row in data["tracks"].items()
    }


def track_of(name: str) -> Track:
    """The track of a name, as "backend" or "ML/AI".

    Raises:
        UsageError: there is none.
    """
    wanted = name.strip().lower()
    for track in tracks().values():
        if wanted in (track.id, track.title.lower(), *track.also):
            return track
    raise UsageError(f"'{name.strip()[:40]}' is no track", about="--track", fix=f"One of: {', '.join(tracks())}.")


def a_day(hours: float, skips: Skips) -> float:
    """Minutes for new cards on a study day."""
    return hours * 60 * (1 - REVIEW_SHARE) / (7 - len(skips.weekdays))


def most_hours(skips: Skips) -> float:
    """The most hours a week that are planned for: ten on a study day, and not more than ``MOST_HOURS``."""
    return min(MOST_HOURS, (7 - len(skips.weekdays)) * MOST_A_DAY / 60)


def budget_of(start: date, interview: date, hours: float, skips: Skips) -> int:
    """Minutes for new cards from ``start`` until the day before the interview."""
    return int(a_day(hours, skips) * study_days(start, interview - timedelta(days=1), skips) + _HAIR)


def choose(
    outline: Outline,
    *,
    start: date,
    interview: date,
    track: Track,
    hours: float,
    skips: Skips,
    known: Collection[str] = (),
) -> Custom:
    """What fits in before an interview, in order.

    Args:
        outline: the curriculum.
        start: the first day of study.
        interview: its day, which is not studied on.
        track: whose cards are asked for.
        hours: a week, of study in all.
        skips: days without study.
        known: cards that need no time any more, as those mastered.

    Raises:
        UsageError: the interview is not after the start or years away, the hours are out of range, or no day is left.
    """
    check(start, interview, hours, skips)
    days = study_days(start, interview - timedelta(days=1), skips)
    budget = budget_of(start, interview, hours, skips)
    chosen: dict[str, Chosen] = {}
    left: list[LeftOut] = []
    spent = must = everything = 0
    needed: set[str] = set()
    asked = dict(_asked(outline, track))
    for card in asked:
        if card in known:
            continue
        whole = [name for name in _before(outline, card, known) if name not in needed]
        needed.update(whole)
        cost = sum(minutes_of(outline.cards[name]) for name in whole)
        everything += cost
        if outline.cards[card].tier == 1:
            must += cost
        if card in chosen:
            continue
        new = [name for name in _before(outline, card, known) if name not in chosen]
        cost = sum(minutes_of(outline.cards[name]) for name in new)
        if spent + cost > budget:
            others = len(new) - 1
            too = f" with {others} that it builds on" if others else ""
            left.append(LeftOut(card, cost, f"takes {in_hours(cost)}{too}; {in_hours(budget - spent)} are left"))
            continue
        spent += cost
        for name in new:
            reason = asked.get(name) or f"comes before {outline.cards[card].title}"
            chosen[name] = Chosen(name, minutes_of(outline.cards[name]), reason)
    left = [out for out in left if out.card not in chosen]
    return Custom(
        track.id,
        interview,
        hours,
        tuple(chosen.values()),
        tuple(left),
        spent,
        budget,
        days,
        hours_for(must, days, skips),
        hours_for(everything, days, skips),
        _by(must, start, hours, skips),
        must <= budget,
    )


def check(start: date, interview: date, hours: float, skips: Skips) -> None:
    """Refuse what no plan can be made from.

    Raises:
        UsageError: says what is wrong with it.
    """
    if not 0 < hours <= MOST_HOURS:
        raise UsageError(
            f"{hours:g} hours a week are out of range", about="--hours", fix=f"Above 0, at most {MOST_HOURS:g}."
        )
    if hours > most_hours(skips):
        raise UsageError(
            f"{hours:g} hours a week are {hours / (7 - len(skips.weekdays)):.1f} on each day that is not skipped",
            about="--hours",
            fix=f"At most {most_hours(skips):g} with these days, or skip fewer.",
        )
    if interview <= start:
        when = "is in the past" if interview < start else "is the day the plan begins"
        raise UsageError(
            f"the interview ({interview}) {when}",
            about="--interview",
            fix=f"A date after {start}. For an evening's revision: tutor today, or tutor drill --tier 1",
        )
    if (interview - start).days > LONGEST_DAYS:
        raise UsageError(
            f"the interview ({interview}) is more than two years away",
            about="--interview",
            fix="The twelve-week plan holds everything: tutor plan start 12-weeks",
        )
    if not study_days(start, interview - timedelta(days=1), skips):
        raise UsageError(
            f"every day from {start} until the interview ({interview}) is skipped",
            about="--skip",
            fix="Leave a day to study on.",
        )


def hours_for(minutes: int, days: int, skips: Skips) -> float:
    """The fewest hours a week, in halves, that hold so many minutes of new cards on so many study days."""
    weekly = minutes * (7 - len(skips.weekdays)) / max(days, 1) / (1 - REVIEW_SHARE) / 60
    return ceil(weekly * 2 - _HAIR) / 2


def in_hours(minutes: float) -> str:
    """As people say it: "45 min", "3.5 h"."""
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def _by(minutes: int, start: date, hours: float, skips: Skips) -> date | None:
    """The first date before which so many minutes fit in."""
    daily, done, day = a_day(hours, skips), 0.0, start
    for _ in range(LONGEST_DAYS):
        done += daily if skips.open(day) else 0
        day += timedelta(days=1)
        if int(done + _HAIR) >= minutes:
            return day
    return None


def _asked(outline: Outline, track: Track) -> Iterator[tuple[str, str]]:
    """What a track asks for, and why: all of tier 1, then tiers 2 and 3 of the track, each in its order."""
    reasons = {card: group.why for group in track.groups for card in group.cards if card in outline.cards}
    for tier in (1, 2, 3):
        for card, why in reasons.items():
            if outline.cards[card].tier == tier:
                yield card, f"tier {tier}: {why}"
        if tier == 1:
            for line in outline.cards.values():
                if line.tier == 1 and line.id not in reasons:
                    yield line.id, "tier 1: every track must master it."


def _before(outline: Outline, card: str, known: Collection[str]) -> list[str]:
    """A card with what it builds on before it, the deepest first; without what is known and what lies below that."""
    order: dict[str, None] = {}
    path: set[str] = set()

    def visit(name: str) -> None:
        if name in order or name in known or name in path or name not in outline.cards:
            return
        path.add(name)
        for below in outline.cards[name].prerequisites:
            visit(below)
        order[name] = None

    visit(card)
    return list(order)
