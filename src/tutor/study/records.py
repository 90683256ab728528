"""What is read from and written to the store beside reviews: marks, last ratings, guesses, time spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from tutor.study.evidence import LONGEST_S as LONGEST_S
from tutor.study.evidence import GradedTask, Guess, Noted, Spent
from tutor.study.progress import Status
from tutor.study.reviews import load_items
from tutor.study.standing import Kept
from tutor.study.store import new_id
from tutor.study.tables import Drilled, Entry, Mark, Memory, Review, Sitting, Tick


def kept(session: Session, learner: str, tasks: Mapping[tuple[str, int], GradedTask]) -> Kept:
    """What the store keeps of a learner, with the graded ``tasks`` as ``reviews.graded`` gives them; no plans."""
    return Kept(load_items(session, learner), tasks, marks(session, learner), last_ratings(session, learner))


def marks(session: Session, learner: str) -> list[Noted]:
    """Every mark, the oldest first."""
    query = select(Mark.card, Mark.status, Mark.why, Mark.at, Mark.note).where(Mark.learner == learner)
    rows = session.execute(query.order_by(Mark.at, Mark.id))
    return [Noted(row[0], cast(Status, row[1]), row[2], row[3], row[4]) for row in rows]


def add_mark(session: Session, learner: str, mark: Noted) -> None:
    """Mark a card."""
    session.add(
        Mark(
            id=new_id(),
            learner=learner,
            at=mark.at,
            card=mark.card,
            status=mark.status,
            why=mark.why,
            note=mark.note,
        )
    )


def last_ratings(session: Session, learner: str) -> dict[str, tuple[int, datetime]]:
    """By card or point the last rating and its time."""
    latest = and_(Review.learner == Memory.learner, Review.ref == Memory.ref, Review.at == Memory.at)
    query = select(Review.ref, Review.rating, Review.at).join(Memory, latest).where(Memory.learner == learner)
    return {row[0]: (row[1], row[2]) for row in session.execute(query.order_by(Review.id))}


def ratings(session: Session, learner: str) -> list[tuple[str, int, datetime]]:
    """Every rating of a card or point with its time, each ref's together and the oldest first."""
    query = select(Review.ref, Review.rating, Review.at).where(Review.learner == learner)
    return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Review.ref, Review.at, Review.id))]


def guesses(session: Session, learner: str) -> list[Guess]:
    """Every confidence that was given before the outcome was known, the oldest first."""
    query = select(Review.ref, Review.confidence, Review.outcome, Review.at, Review.source).where(
        Review.learner == learner, Review.confidence.is_not(None), Review.outcome.is_not(None)
    )
    rows = session.execute(query.order_by(Review.at, Review.id))
    return [Guess(row[0], row[1] or 0.0, row[2] or 0.0, row[3], row[4]) for row in rows]


def add_sitting(session: Session, learner: str, spent: Spent) -> None:
    """Time spent on what keeps no time itself (drills and reviews do); of each kind at most ``LONGEST_S`` counts."""
    seconds = min(spent.seconds, LONGEST_S[spent.kind])
    session.add(Sitting(id=new_id(), learner=learner, at=spent.at, seconds=seconds, kind=spent.kind, ref=spent.ref))


def spent(session: Session, learner: str, tasks: Iterable[GradedTask]) -> list[Spent]:
    """Time spent: in drills, in reviews by themselves, and whatever else was measured; the oldest first."""
    found = [Spent(task.at, task.seconds, "drill", task.card) for task in tasks if task.seconds]
    alone = select(Review.at, Review.seconds, Review.ref).where(
        Review.learner == learner, Review.seconds.is_not(None), Review.source.not_like("drill:%")
    )
    found += [Spent(row[0], row[1] or 0.0, "review", row[2]) for row in session.execute(alone)]
    sat = select(Sitting.at, Sitting.seconds, Sitting.kind, Sitting.ref).where(Sitting.learner == learner)
    found += [Spent(*row) for row in session.execute(sat)]
    return sorted(found, key=lambda s: (s.at, s.kind, s.ref))


def moments(session: Session, learner: str) -> list[datetime]:
    """When something was reviewed, drilled, written or ticked off in a plan: what makes a day one studied on."""
    drilled = select(Drilled.at).where(Drilled.learner == learner)
    reviewed = select(Review.at).where(Review.learner == learner)
    written = select(Entry.written).where(Entry.learner == learner)
    ticked = select(Tick.at).where(Tick.learner == learner, Tick.done.is_(True))
    return [at for query in (drilled, reviewed, written, ticked) for at in session.scalars(query)]
