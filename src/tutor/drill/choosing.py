"""A set that is chosen for the learner: as many questions as were asked for, each with the reason why it is there.

What is due comes first, then what went badly, then what the learner's plans come to next, then what was never asked, by
tier; where all of that is too little, what was asked longest ago.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tutor.curriculum.card import Card, Probe
from tutor.curriculum.corpus import Corpus
from tutor.drill import session as machine
from tutor.drill.due import last_rows
from tutor.drill.formats import of_one
from tutor.drill.records import Session
from tutor.errors import NotFound, UsageError

if TYPE_CHECKING:
    from tutor.drill.engine import Drills

MOST = 50
#: What a last result is called, the worst first; a verdict that is not here was no failure.
_BADLY = {"wrong": "went wrong", "weak": "went badly", "ungraded": "left without an answer"}
Key = tuple[str, str]
Row = Mapping[str, Any]


class Choice(NamedTuple):
    """A question and why it was chosen, as "due since 3 November"."""

    card: Card
    probe: Probe
    why: str


def start_chosen(drills: Drills, count: int = 1, *, ahead: Sequence[str] = (), seed: int | None = None) -> Session:
    """A new set of ``count`` questions (1 to 50), stored at its first one; each task says why it was chosen.

    Args:
        drills: what has the curriculum and the results.
        count: how many.
        ahead: the cards that the learner's plans come to next, in their order.
        seed: draws the same again among what was never asked.

    Raises:
        NotFound: the curriculum has no questions.
        UsageError: the count is out of range.
        SourceError: the drill cannot be stored.
    """
    drills.store.repair()
    last = last_rows(drills.store.viewed())
    now = drills.now()
    picked = choices(drills.corpus, drills.due(), last, ahead, count, today=now.date(), seed=seed)
    tasks = [
        of_one(one.card, one.probe, follow_ups=2).model_copy(update={"clarify": False, "why": one.why})
        for one in picked
    ]
    session = machine.start(drills.store.new_id(now), "set", tasks, now)
    drills.store.save(session)
    return session


def choices(
    corpus: Corpus,
    due: Iterable[Row],
    last: Mapping[Key, Row],
    ahead: Sequence[str],
    count: int,
    *,
    today: date,
    seed: int | None = None,
) -> list[Choice]:
    """The best ``count`` questions, no question twice; fewer only where the curriculum has no more.

    Args:
        corpus: the curriculum.
        due: as ``due.due_rows`` gives them, longest due first.
        last: the last result of each question, by card and probe.
        ahead: the cards that plans come to next, in their order.
        count: how many, from 1 to 50.
        today: the day it is.
        seed: draws the same again among what was never asked.

    Raises:
        NotFound: the curriculum has no questions.
        UsageError: the count is out of range.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"a set has 1 to {MOST} questions, not {count}", about="count")
    probes = {(card.id, probe.id): (card, probe) for card in corpus.cards.values() for probe in card.probes}
    if not probes:
        raise NotFound("the curriculum has no questions", fix="Is it complete? See: tutor doctor")
    asked = {key: row for key, row in last.items() if key in probes}
    taken: dict[Key, str] = {}
    for key, why in (
        *_due(due, today),
        *_badly(asked, today),
        *_planned(corpus, asked, ahead),
        *_new(corpus, asked, random.Random(seed)),
        *((key, f"asked longest ago, {_day(row['at'], today)}") for key, row in _oldest(asked)),
    ):
        if key in probes:
            taken.setdefault(key, why)
    return [Choice(*probes[key], taken[key]) for key in list(taken)[:count]]


def _due(rows: Iterable[Row], today: date) -> list[tuple[Key, str]]:
    def why(since: str) -> str:
        return "due today" if since >= today.isoformat() else f"due since {_day(since, today)[3:]}"

    return _spread(((row["card"], row["probe"]), why(row["due"])) for row in rows)


def _badly(asked: Mapping[Key, Row], today: date) -> list[tuple[Key, str]]:
    """What failed last, the worst first; of equals what was asked longest ago."""
    failed = [(key, row) for key, row in _oldest(asked) if row["verdict"] in _BADLY]
    failed.sort(key=lambda pair: list(_BADLY).index(pair[1]["verdict"]))
    return _spread((key, f"{_BADLY[row['verdict']]} {_day(row['at'], today)}") for key, row in failed)


def _planned(corpus: Corpus, asked: Mapping[Key, Row], ahead: Sequence[str]) -> Iterator[tuple[Key, str]]:
    """Of each card the question that was never asked, or was asked longest ago."""
    for name in dict.fromkeys(ahead):
        card = corpus.cards.get(name)
        if card and card.probes:
            probe = min(card.probes, key=lambda p: str(asked.get((name, p.id), {}).get("at", "")))
            yield (name, probe.id), "next in your plan"


def _new(corpus: Corpus, asked: Mapping[Key, Row], draw: random.Random) -> Iterator[tuple[Key, str]]:
    """What was never asked, by tier; within one first of cards whose prerequisites were asked, then by chance."""
    begun = {card for card, _ in asked}
    cards = list(corpus.cards.values())
    draw.shuffle(cards)
    cards.sort(key=lambda card: (card.tier, not begun.issuperset(card.prerequisites)))
    for tier in dict.fromkeys(card.tier for card in cards):
        fresh = (
            ((card.id, probe.id), f"new, tier {tier}")
            for card in cards
            if card.tier == tier
            for probe in card.probes
            if (card.id, probe.id) not in asked
        )
        yield from _spread(fresh)


def _oldest(asked: Mapping[Key, Row]) -> list[tuple[Key, Row]]:
    return sorted(asked.items(), key=lambda pair: str(pair[1]["at"]))


def _spread(found: Iterable[tuple[Key, str]]) -> list[tuple[Key, str]]:
    """In order, but no card a second time before every card had its turn."""
    turns: dict[str, int] = {}
    ranked = []
    for n, (key, why) in enumerate(found):
        ranked.append((turns.get(key[0], 0), n, key, why))
        turns[key[0]] = turns.get(key[0], 0) + 1
    return [(key, why) for _, _, key, why in sorted(ranked)]


def _day(at: str, today: date) -> str:
    """As "on 3 November"; with the year where it is another one."""
    day = datetime.fromisoformat(at).date()
    return f"on {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
