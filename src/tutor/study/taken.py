"""Plans and ticks in the store: rows are only added, the newest of a plan and of an item counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tutor.study.followed import PlanRow, active_of, ticked_of
from tutor.study.pacing import Skips, skips_of
from tutor.study.store import new_id
from tutor.study.tables import TakenPlan, Tick
from tutor.study.timetable import Taken

_INSTANT = timedelta(microseconds=1)


def followed(session: Session, learner: str) -> bool:
    """Whether a plan was ever taken up."""
    return session.scalar(select(TakenPlan.id).where(TakenPlan.learner == learner).limit(1)) is not None


def active(session: Session, learner: str) -> dict[str, Taken]:
    """The plans under way by their ids, the earliest taken up first."""
    columns = (
        TakenPlan.id,
        TakenPlan.plan,
        TakenPlan.at,
        TakenPlan.start,
        TakenPlan.pace,
        TakenPlan.skips,
        TakenPlan.spec,
        TakenPlan.active,
    )
    query = select(*columns).where(TakenPlan.learner == learner).order_by(TakenPlan.at, TakenPlan.id)
    return active_of(PlanRow(*row) for row in session.execute(query))


def add_plan(
    session: Session,
    learner: str,
    plan: str,
    *,
    start: date,
    pace: float,
    skips: Skips,
    spec: Mapping[str, Any],
    at: datetime,
    active: bool = True,
) -> Taken:
    """A plan as it is from now on."""
    query = select(func.max(TakenPlan.at)).where(TakenPlan.learner == learner, TakenPlan.plan == plan)
    row = TakenPlan(
        id=new_id(),
        learner=learner,
        at=_after(session.scalar(query), at),
        plan=plan,
        start=start,
        pace=pace,
        skips=skips.words,
        spec=dict(spec),
        active=active,
    )
    session.add(row)
    return Taken(row.id, plan, row.at, start, pace, skips_of(row.skips), row.spec, active)


def ticks(session: Session, learner: str, plan: str, since: datetime | None = None) -> dict[str, datetime]:
    """When each item of a plan was ticked off, without those taken back, and those before ``since``."""
    query = select(Tick.item, Tick.at, Tick.done).where(Tick.learner == learner, Tick.plan == plan)
    rows = session.execute(query.order_by(Tick.at, Tick.id))
    return ticked_of(((row[0], row[1], row[2]) for row in rows), since)


def add_ticks(session: Session, learner: str, plan: str, items: Sequence[str], *, done: bool, at: datetime) -> None:
    """Tick items off, or take their ticks back."""
    query = select(Tick.item, func.max(Tick.at)).where(Tick.learner == learner, Tick.plan == plan).group_by(Tick.item)
    last: dict[str, datetime] = {row[0]: row[1] for row in session.execute(query)}
    for item in items:
        session.add(Tick(id=new_id(), learner=learner, at=_after(last.get(item), at), plan=plan, item=item, done=done))


def _after(last: datetime | None, at: datetime) -> datetime:
    """A time for a row that has to be the newest, also where a clock was set back."""
    return at if last is None or at > last else last + _INSTANT
