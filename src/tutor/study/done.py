"""What was done on a day: what a learner sees beside what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.study import log_rows
from tutor.study.days import day_of, end_of, start_of
from tutor.study.desk import Study
from tutor.study.entries import LogEntry, Query
from tutor.study.rounds import CARD_S, POINT_S
from tutor.study.tables import Drilled, Mark, Review, TakenPlan
from tutor.study.timetable import Entry, Timetable
from tutor.study.today import DRILL_MIN


@dataclass(frozen=True, slots=True)
class DrilledSession:
    """A drill with graded tasks of the day: what the first is on, ``others`` as many subjects more, ``tasks`` in all.

    ``verdict`` is that of its only task, empty where there are several.
    """

    session: str
    title: str
    others: int
    tasks: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """An item of a plan that was ticked off on the day."""

    plan: str
    title: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Done:
    """A day's work. ``recalled`` counts the learner's own ratings, ``forgotten`` those of them that were 1.

    ``minutes`` are measured where they were, else estimates.
    """

    day: date
    drills: tuple[DrilledSession, ...]
    recalled: int
    forgotten: int
    checked: tuple[tuple[str, str], ...]
    ticked: tuple[Ticked, ...]
    entries: tuple[LogEntry, ...]
    minutes: int

    @property
    def anything(self) -> bool:
        return bool(self.drills or self.recalled or self.checked or self.ticked or self.entries)


def done_today(study: Study, tables: Sequence[Timetable]) -> Done:
    """What was done since midnight in the learner's zone.

    Args:
        study: the desk.
        tables: the plans that are under way.
    """
    day = day_of(study.clock(), study.zone)
    first, last = start_of(day, study.zone), end_of(day, study.zone)
    cards, learner = study.outline.cards, study.store.learner

    def titled(card: str) -> str:
        if card in cards:
            return cards[card].title
        return study.outline.titles.get(card) or card.capitalize()  # an exercise; one that is gone keeps its id

    with study.store.read() as session:
        drilled = session.execute(
            select(Drilled.session, Drilled.card, Drilled.verdict, Drilled.seconds)
            .where(Drilled.learner == learner, Drilled.at >= first, Drilled.at < last)
            .order_by(Drilled.at)
        ).all()
        rated = session.execute(
            select(Review.ref, Review.rating, Review.seconds).where(
                Review.learner == learner,
                Review.at >= first,
                Review.at < last,
                Review.source.like("review:%"),
            )
        ).all()
        marked = session.execute(
            select(Mark.card, Mark.status)
            .where(Mark.learner == learner, Mark.at >= first, Mark.at < last, Mark.why.in_(("check", "override")))
            .order_by(Mark.at)
        ).all()
        written = _written(session, learner, day)
    ticked = tuple(
        Ticked(table.taken.plan, entry.item.title, entry)
        for table in tables
        for entry in sorted((e for e in table.entries if e.done and first <= e.done < last), key=lambda e: str(e.done))
    )
    spent_s = sum(row[3] or DRILL_MIN * 60 for row in drilled)
    spent_s += sum(row[2] or (POINT_S if "/" in row[0] else CARD_S) for row in rated)
    return Done(
        day,
        _by_session([(row[0], titled(row[1]), row[2]) for row in drilled]),
        len(rated),
        sum(row[1] == 1 for row in rated),
        tuple(dict.fromkeys((row[0], titled(row[0])) for row in marked)),
        ticked,
        written,
        round(spent_s / 60) + sum(one.entry.item.minutes for one in ticked),
    )


def _by_session(tasks: Iterable[tuple[str, str, str]]) -> tuple[DrilledSession, ...]:
    """Session, title and verdict of each graded task, as one row for each drill."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for session, title, verdict in tasks:
        groups.setdefault(session, []).append((title, verdict))
    found = []
    for session, mine in groups.items():
        titles = list(dict.fromkeys(title for title, _ in mine))
        verdict = mine[0][1] if len(mine) == 1 else ""
        found.append(DrilledSession(session, titles[0], len(titles) - 1, len(mine), verdict))
    return tuple(found)


def untouched(study: Study) -> bool:
    """Whether nothing was ever done: no drill, no review, no mark, no plan."""
    learner = study.store.learner
    with study.store.read() as session:
        return not any(
            session.scalar(select(table.id).where(table.learner == learner).limit(1))
            for table in (Drilled, Review, Mark, TakenPlan)
        )


def _written(session: Session, learner: str, day: date) -> tuple[LogEntry, ...]:
    """The entries of the log that are of that day, the earliest first."""
    ids = log_rows.find(session, learner, Query(first=day, last=day), deleted=False)
    return tuple(reversed(log_rows.whole(session, learner, ids)))
