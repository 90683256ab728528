"""Reviews in the store: ratings taken down with what they make of a card's or point's schedule, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tutor.study.evidence import GradedTask, Rated, changed
from tutor.study.progress import Marked, Status
from tutor.study.schedule import Deck, Grade, Item
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Drilled, Mark, Memory, Review
from tutor.study.words import deck_of, vouched

_ITEM = (
    Memory.ref,
    Memory.state,
    Memory.step,
    Memory.stability,
    Memory.difficulty,
    Memory.due,
    Memory.at,
    Memory.reps,
    Memory.lapses,
    Memory.suspended,
)


def load_deck(session: Session, learner: str, *, retention: float, zone: ZoneInfo) -> Deck:
    """Everything the learner reviews, with the cards that they say they have mastered."""
    return deck_of(load_items(session, learner), _marks(session, learner), retention=retention, zone=zone)


def load_items(session: Session, learner: str) -> list[Item]:
    """What is known of every card and point that was reviewed, by ref."""
    rows = session.execute(select(*_ITEM).where(Memory.learner == learner).order_by(Memory.ref))
    return [Item(*tuple(row)) for row in rows]


def _marks(session: Session, learner: str) -> list[Marked]:
    query = select(Mark.card, Mark.status, Mark.why, Mark.at).where(Mark.learner == learner)
    rows = session.execute(query.order_by(Mark.at, Mark.id))
    return [Marked(row[0], cast(Status, row[1]), row[2], row[3]) for row in rows]


def rate(store: StudyStore, rated: Sequence[Rated], *, retention: float, zone: ZoneInfo) -> list[Item]:
    """Take ratings down, in the order of their times; one whose source has rated its ref before is passed over.

    Returns:
        The items as they are now, of those that were new.

    Raises:
        StudyFault: nothing was taken down.
    """
    with store.write() as session:
        return _rate(session, store.learner, rated, retention=retention, zone=zone)


def suspend(
    store: StudyStore, ref: str, *, out: bool, retention: float, zone: ZoneInfo
) -> tuple[list[Item], list[Item]]:
    """Take a point, or a card with its points, out of the reviews or back in; nothing of what is known is lost.

    Returns:
        What it is about, and what of that has changed; both as they are now.

    Raises:
        StudyFault: nothing was changed.
    """
    with store.write() as session:
        deck = load_deck(session, store.learner, retention=retention, zone=zone)
        meant = [name for name in sorted(deck.items) if name == ref or name.startswith(f"{ref}/")]
        changed = [deck.suspend(name, out) for name in meant if deck.items[name].suspended is not out]
        save_items(session, store.learner, changed)
        session.flush()
        for some in _parts(item.ref for item in changed):
            now_aside = update(Memory).where(Memory.learner == store.learner, Memory.ref.in_(some))
            session.execute(now_aside.values(suspended_at=store.clock()))
        return [deck.items[name] for name in meant], changed


def take_in(store: StudyStore, tasks: Iterable[GradedTask], *, retention: float, zone: ZoneInfo) -> int:
    """Take graded tasks of drills into progress and schedule; how many were new or have changed.

    One that is known as it is is passed over. One that was graded anew (by its session and task) takes the place of
    what was known of it, and the schedule of what it rated is made again from all reviews.

    Raises:
        StudyFault: nothing was taken in.
    """
    given = {(task.session, task.task): task for task in tasks}
    if not given:
        return 0
    with store.read() as session:
        known = graded(session, store.learner)
    if not changed(known, given.values()):
        return 0  # nothing to write, so nobody is kept waiting
    with store.write() as session:
        known = graded(session, store.learner)
        new = sorted(
            (task for key, task in given.items() if known.get(key) != task),
            key=lambda task: (task.at, task.session, task.task),
        )
        again = [task for task in new if (task.session, task.task) in known]
        undone = _undo(session, store.learner, again)
        for task in new:
            session.add(_drilled(store.learner, task))
        rated = [rating for task in new for rating in task.ratings()]
        _rate(session, store.learner, rated, retention=retention, zone=zone, anew=undone)
        return len(new)


def graded(session: Session, learner: str) -> dict[tuple[str, int], GradedTask]:
    """Every graded task that was taken in, by session and task, the oldest first."""
    columns = (
        Drilled.session,
        Drilled.task,
        Drilled.card,
        Drilled.probe,
        Drilled.kind,
        Drilled.verdict,
        Drilled.score,
        Drilled.points,
        Drilled.rating,
        Drilled.seconds,
        Drilled.at,
        Drilled.views,
    )
    query = select(*columns).where(Drilled.learner == learner).order_by(Drilled.at, Drilled.session, Drilled.task)
    return {(row[0], row[1]): GradedTask(*row) for row in session.execute(query)}


def _undo(session: Session, learner: str, tasks: Iterable[GradedTask]) -> set[str]:
    """Remove what is stored of tasks, and the ratings that came of them; the refs these were of."""
    undone: set[str] = set()
    for task in tasks:
        session.execute(
            delete(Drilled).where(
                Drilled.learner == learner, Drilled.session == task.session, Drilled.task == task.task
            )
        )
        mine = (Review.learner == learner, Review.source == task.source)
        undone.update(session.scalars(select(Review.ref).where(*mine)))
        session.execute(delete(Review).where(*mine))
    return undone


def _rate(
    session: Session,
    learner: str,
    rated: Sequence[Rated],
    *,
    retention: float,
    zone: ZoneInfo,
    anew: AbstractSet[str] = frozenset(),
) -> list[Item]:
    """Add ratings. What has a rating that is older than its last review is scheduled from all its reviews ``anew``."""
    deck = load_deck(session, learner, retention=retention, zone=zone)
    done = _done(session, learner, {rating.source for rating in rated})
    changed: dict[str, Item] = {}
    late = set(anew)
    for rating in sorted(rated, key=lambda r: r.at):
        if (rating.ref, rating.source) in done:
            continue
        done.add((rating.ref, rating.source))
        before = deck.items.get(rating.ref)
        if before and rating.at < before.last:
            late.add(rating.ref)
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
    changed |= _replayed(session, learner, late, deck)
    save_items(session, learner, changed.values())
    return list(changed.values())


def replay(session: Session, learner: str, refs: Iterable[str], *, retention: float, zone: ZoneInfo) -> None:
    """Make the schedule of cards and points again from all their reviews, as after an import of older ones."""
    deck = load_deck(session, learner, retention=retention, zone=zone)
    save_items(session, learner, _replayed(session, learner, set(refs), deck).values())


def _replayed(session: Session, learner: str, refs: AbstractSet[str], deck: Deck) -> dict[str, Item]:
    """The items as their reviews make them in the order of their times; one without reviews is removed."""
    if not refs:
        return {}
    said = vouched(_marks(session, learner))
    aside = {ref for ref in refs if (item := deck.items.get(ref)) and item.suspended}
    for ref in refs:
        deck.forget(ref)
    found: dict[str, Item] = {}
    for some in _parts(refs):
        query = select(Review.ref, Review.rating, Review.at).where(Review.learner == learner, Review.ref.in_(some))
        for ref, rating, at in session.execute(query.order_by(Review.at, Review.id)):
            if ref in said and ref not in found and said[ref] <= at:
                deck.believe(ref, said[ref])
            found[ref] = deck.rate(ref, cast(Grade, rating), at)
        gone = [ref for ref in some if ref not in found]
        session.execute(delete(Memory).where(Memory.learner == learner, Memory.ref.in_(gone)))
    return {ref: deck.suspend(ref, True) if ref in aside else item for ref, item in found.items()}


def _done(session: Session, learner: str, sources: AbstractSet[str]) -> set[tuple[str, str]]:
    """The ref and source of every rating that is stored of some sources."""
    found: set[tuple[str, str]] = set()
    for some in _parts(sources):
        query = select(Review.ref, Review.source).where(Review.learner == learner, Review.source.in_(some))
        found.update((row[0], row[1]) for row in session.execute(query))
    return found


def _parts(names: Iterable[str], most: int = 500) -> Iterator[list[str]]:
    """Names in lists that fit into a query of any database."""
    every = sorted(names)
    for start in range(0, len(every), most):
        yield every[start : start + most]


def save_items(session: Session, learner: str, items: Iterable[Item]) -> None:
    """Store items as they are now."""
    now = {item.ref: item for item in items}
    rows: dict[str, Memory] = {}
    for some in _parts(now):
        query = select(Memory).where(Memory.learner == learner, Memory.ref.in_(some))
        rows |= {row.ref: row for row in session.scalars(query)}
    for ref, item in now.items():
        row = rows.get(ref)
        if row is None:
            row = Memory(id=new_id(), learner=learner, ref=ref)
            session.add(row)
        row.at, row.due = item.last, item.due
        row.state, row.step, row.stability, row.difficulty = item.state, item.step, item.stability, item.difficulty
        row.reps, row.lapses, row.suspended = item.reps, item.lapses, item.suspended


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
        views={point: dict(view) for point, view in task.views.items()},
    )
