"""When a drill is due again: by the learner's reviews where something schedules them, else by the drills' own days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from tutor.curriculum.corpus import Corpus

Row = dict[str, Any]


class Schedule(Protocol):
    """Decides when the probes of cards are asked again."""

    def due(self, now: datetime) -> Mapping[tuple[str, str], date] | None:
        """The day since when each probe is due that is so that day, by card and probe; None where it is not known."""
        ...

    def again(self, card: str, otherwise: date | None) -> date | None:
        """The day a card is due again, None where it is set aside; ``otherwise`` where it is not scheduled."""
        ...


def due_rows(rows: Iterable[Mapping[str, Any]], corpus: Corpus, schedule: Schedule | None, now: datetime) -> list[Row]:
    """The last result of everything that is due, with the day since when, longest due first.

    A probe that was never asked has no verdict and no score. What is no card's probe goes by the day in its result.

    Args:
        rows: results of graded tasks.
        corpus: the curriculum.
        schedule: of the reviews.
        now: the time.
    """
    last, today = last_rows(rows), now.date().isoformat()
    scheduled = schedule.due(now) if schedule else None
    if scheduled is None:
        found = [dict(row) for row in last.values() if row["due"] <= today]
    else:
        probes = probes_of(corpus)
        found = [dict(row) for key, row in last.items() if key not in probes and row["due"] <= today]
        for key, since in scheduled.items():
            if key in probes:
                nothing = {"card": key[0], "probe": key[1], "verdict": "", "score": None}
                found.append({**nothing, **last.get(key, {}), "due": since.isoformat()})
    return sorted(found, key=lambda row: (row["due"], row["card"], row["probe"]))


def last_rows(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The last result by card and probe: a row may have been noted again later."""
    return {(row["card"], row["probe"]): row for row in sorted(rows, key=lambda row: str(row.get("at", "")))}


def probes_of(corpus: Corpus) -> Collection[tuple[str, str]]:
    """Every card's probes."""
    return {(card.id, probe.id) for card in corpus.cards.values() for probe in card.probes}
