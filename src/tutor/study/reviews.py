"""Reviews in the store: ratings taken down with what they make of a card's or point's schedule, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.study.schedule import OF_STATUS, OF_VERDICT, Deck, Grade, Item
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Drilled, Memory, Review


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating (1 again to 4 easy) of ``ref``; ``source`` names what it came of, once for each ref.

    ``confidence`` is what the learner gave beforehand, ``outcome`` what came of it, in [0, 1]; ``seconds`` it took.
    """

    ref: str
    rating: Grade
    at: datetime
    source: str
    confidence: float | None = None
    outcome: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GradedTask:
    """A graded task of a drill, as the drills hand it over.

    ``points`` maps the ids of rubric points to covered, prompted, partly, missed or contradicted.
    """

    session: str
    task: int
    card: str
    probe: str
    kind: str
    verdict: str
    score: float
    points: Mapping[str, str] = field(default_factory=dict)
    rating: int | None = None
    seconds: float | None = None
    at: datetime = datetime.min

    @property
    def source(self) -> str:
        return f"drill:{self.session}/{self.task}"

    def ratings(self) -> list[Rated]:
        """What it is worth: one rating for the card, one for each point; none of an answer that was not graded."""
        if not self.card or self.verdict not in OF_VERDICT:
            return []
        confidence = None if self.rating is None else (self.rating - 1) / 4
        found = [Rated(self.card, OF_VERDICT[self.verdict], self.at, self.source, confidence, self.score, self.seconds)]
        if self.probe:
            found += [
                Rated(f"{self.card}/{self.probe}/{point}", OF_STATUS[status], self.at, self.source)
                for point, status in self.points.items()
            ]
        return found


def load_deck(session: Session, learner: str, *, retention: float, zone: ZoneInfo) -> Deck:
    """Everything the learner reviews."""
    rows = session.scalars(select(Memory).where(Memory.learner == learner).order_by(Memory.ref))
    return Deck(map(_item, rows), retention=retention, zone=zone)


def rate(store: StudyStore, rated: Sequence[Rated], *, retention: float, zone: ZoneInfo) -> list[Item]:
    """Take ratings down, in the order of their times; one whose source has rated its ref before is passed over.

    Returns:
        The items as they are now, of those that were new.

    Raises:
        StudyFault: nothing was taken down.
    """
    with store.write() as session:
        return _rate(session, store.learner, rated, retention=retention, zone=zone)


def take_in(store: StudyStore, tasks: Iterable[GradedTask], *, retention: float, zone: ZoneInfo) -> int:
    """Take graded tasks of drills into progress and schedule; how many were new. Those known already are passed over.

    Raises:
        StudyFault: nothing was taken in.
    """
    given = {(task.session, task.task): task for task in tasks}
    if not given:
        return 0
    with store.read() as session:
        known = _known(session, store.learner)
    if given.keys() <= known:
        return 0  # nothing to write, so nobody is kept waiting
    with store.write() as session:
        new = [task for key, task in given.items() if key not in _known(session, store.learner)]
        new.sort(key=lambda task: (task.at, task.session, task.task))
        for task in new:
            session.add(_drilled(store.learner, task))
        rated = [rating for task in new for rating in task.ratings()]
        _rate(session, store.learner, rated, retention=retention, zone=zone)
        return len(new)


def _known(session: Session, learner: str) -> set[tuple[str, int]]:
    rows = session.execute(select(Drilled.session, Drilled.task).where(Drilled.learner == learner))
    return {(row[0], row[1]) for row in rows}


def _rate(session: Session, learner: str, rated: Sequence[Rated], *, retention: float, zone: ZoneInfo) -> list[Item]:
    deck = load_deck(session, learner, retention=retention, zone=zone)
    sources = {rating.source for rating in rated}
    query = select(Review.ref, Review.source).where(Review.learner == learner, Review.source.in_(sources))
    done = {(row[0], row[1]) for row in session.execute(query)}
    changed: dict[str, Item] = {}
    for rating in sorted(rated, key=lambda r: r.at):
        if (rating.ref, rating.source) in done:
            continue
        done.add((rating.ref, rating.source))
        changed[rating.ref] = deck.rate(rating.ref, rating.rating, rating.at)
        session.add(
            Review(
                id=new_id(),
                learner=learner,
                at=rating.at,
                ref=rating.ref,
                rating=rating.rating,
                source=rating.source,
                confidence=rating.confidence,
                outcome=rating.outcome,
                seconds=rating.seconds,
            )
        )
    save_items(session, learner, changed.values())
    return list(changed.values())


def save_items(session: Session, learner: str, items: Iterable[Item]) -> None:
    """Store items as they are now."""
    now = {item.ref: item for item in items}
    query = select(Memory).where(Memory.learner == learner, Memory.ref.in_(list(now)))
    rows = {row.ref: row for row in session.scalars(query)}
    for ref, item in now.items():
        row = rows.get(ref)
        if row is None:
            row = Memory(id=new_id(), learner=learner, ref=ref)
            session.add(row)
        row.at, row.due = item.last, item.due
        row.state, row.step, row.stability, row.difficulty = item.state, item.step, item.stability, item.difficulty
        row.reps, row.lapses, row.suspended = item.reps, item.lapses, item.suspended


def _item(row: Memory) -> Item:
    return Item(
        row.ref,
        row.state,
        row.step,
        row.stability,
        row.difficulty,
        row.due,
        row.at,
        row.reps,
        row.lapses,
        row.suspended,
    )


def _drilled(learner: str, task: GradedTask) -> Drilled:
    return Drilled(
        id=new_id(),
        learner=learner,
        at=task.at,
        session=task.session,
        task=task.task,
        card=task.card,
        probe=task.probe,
        kind=task.kind,
        verdict=task.verdict,
        score=task.score,
        points=dict(task.points),
        rating=task.rating,
        seconds=task.seconds,
    )
