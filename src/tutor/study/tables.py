"""The tables of the study store. Rows are added, hardly ever changed: what a learner entered stays to be looked at.

=============  =============================================================  =======================
table          a row is                                                       the newest one counts
=============  =============================================================  =======================
learners       somebody who studies                                           one each
marks          a card was marked as not started, learning or mastered         by learner and card
drilled        a graded task of a drill                                       one for session and task
memory         what FSRS knows of a card or rubric point                      one each
reviews        one rating of a card or point                                  all count
plans          a plan that was taken up, with its start and pace              the active one of its kind
ticks          an item of a plan was ticked off, or the tick taken back       by plan and item
entries        a version of an entry of the decision log                      by entry
sittings       time spent on what is no drill and no review                   all count
conversations  a conversation on the pages, with its title                    one each
turns          a question of a conversation and its answer                    all count
card_notes     what the learner notes about a card                            one each
=============  =============================================================  =======================

Every row belongs to a learner. Times are UTC instants; dates are the learner's own days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

#: Names of constraints, so that a migration can speak of them on every database.
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite, which knows no zones, gives it back as UTC too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name != "sqlite" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {datetime: Instant, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012  as SQLAlchemy wants


class Learner(Base):
    """Somebody who studies; zone, minutes and retention are settings (section ``study``)."""

    __tablename__ = "learners"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[datetime]


class _Owned(Base):
    """A row that belongs to a learner, under an id that is the same wherever it is imported."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(40), primary_key=True, sort_order=-3)
    learner: Mapped[str] = mapped_column(ForeignKey("learners.id", ondelete="CASCADE"), sort_order=-2)
    at: Mapped[datetime] = mapped_column(sort_order=-1)


class Mark(_Owned):
    """``status`` is not-started, learning or mastered; ``why`` is check, drill, override, decay or import."""

    __tablename__ = "marks"
    __table_args__ = (Index(None, "learner", "card", "at"),)

    card: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")


class Drilled(_Owned):
    """A graded task of a drill; ``points`` maps rubric points to statuses; ``rating`` is the learner's own, 1 to 5.

    ``views`` has, by point whose status is the learner's own, what was ``graded`` and ``at`` when they differed;
    of a red flag that they dispute, under "!" and its number, also ``learner``.
    """

    __tablename__ = "drilled"
    __table_args__ = (UniqueConstraint("learner", "session", "task"), Index(None, "learner", "card"))

    session: Mapped[str] = mapped_column(String(40))
    task: Mapped[int]
    card: Mapped[str] = mapped_column(String(120))
    probe: Mapped[str] = mapped_column(String(120), default="")
    kind: Mapped[str] = mapped_column(String(32), default="")
    verdict: Mapped[str] = mapped_column(String(16))
    score: Mapped[float]
    points: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rating: Mapped[int | None]
    seconds: Mapped[float | None]
    views: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Memory(_Owned):
    """What FSRS knows of ``ref``: a card's id, or ``card/probe/point``. ``at`` is its last review.

    ``state`` is 1 learning, 2 review, 3 relearning; ``step`` is None in review; ``stability`` in days. ``suspended_at``
    is when it was last set aside or taken back, None where it never was.
    """

    __tablename__ = "memory"
    __table_args__ = (UniqueConstraint("learner", "ref"), Index(None, "learner", "due"))

    ref: Mapped[str] = mapped_column(String(255))
    state: Mapped[int]
    step: Mapped[int | None]
    stability: Mapped[float | None]
    difficulty: Mapped[float | None]
    due: Mapped[datetime]
    reps: Mapped[int] = mapped_column(default=0)
    lapses: Mapped[int] = mapped_column(default=0)
    suspended: Mapped[bool] = mapped_column(default=False)
    suspended_at: Mapped[datetime | None]


class Review(_Owned):
    """One rating (1 again, 2 hard, 3 good, 4 easy) of ``ref``; ``source`` says whence, as "drill:20261122-ab/1".

    ``confidence`` is what the learner gave beforehand, ``outcome`` what came of it, both in [0, 1].
    """

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("learner", "ref", "source"), Index(None, "learner", "at"))

    ref: Mapped[str] = mapped_column(String(255))
    rating: Mapped[int]
    source: Mapped[str] = mapped_column(String(120))
    confidence: Mapped[float | None]
    outcome: Mapped[float | None]
    seconds: Mapped[float | None]


class TakenPlan(_Owned):
    """A plan from ``start`` on: a step takes ``pace`` of its own unit; ``skips`` are dates and weekday names.

    ``spec`` is that of a custom plan, empty for one of the curriculum's; ``at`` is when it was taken up.
    """

    __tablename__ = "plans"
    __table_args__ = (Index(None, "learner", "plan"),)

    plan: Mapped[str] = mapped_column(String(120))
    start: Mapped[date]
    pace: Mapped[float] = mapped_column(default=1.0)
    skips: Mapped[list[str]] = mapped_column(default=list)
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)


class Tick(_Owned):
    """``item`` of a plan, as "day-03/exercise", was done (or, ``done`` false, was not after all)."""

    __tablename__ = "ticks"
    __table_args__ = (Index(None, "learner", "plan", "item"),)

    plan: Mapped[str] = mapped_column(String(120))
    item: Mapped[str] = mapped_column(String(255))
    done: Mapped[bool]


class Entry(_Owned):
    """A version of an entry of the decision log; ``at`` is the day it is of, ``written`` when this version was.

    ``tags`` and ``cards`` are lists; ``item`` the W or M item it belongs to. A deleted entry is a version too.
    """

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("learner", "entry", "version"), Index(None, "learner", "at"))

    entry: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    written: Mapped[datetime]
    title: Mapped[str] = mapped_column(String(300), default="")
    text: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(default=list)
    cards: Mapped[list[str]] = mapped_column(default=list)
    item: Mapped[str] = mapped_column(String(120), default="")
    deleted: Mapped[bool] = mapped_column(default=False)


class Sitting(_Owned):
    """Time spent on what keeps no time itself, as drills and reviews do; ``kind`` is check or log, ``ref`` what on."""

    __tablename__ = "sittings"
    __table_args__ = (Index(None, "learner", "at"),)

    seconds: Mapped[float]
    kind: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str] = mapped_column(String(255), default="")


class Conversation(_Owned):
    """A conversation, which goes by ``conversation``; ``changed`` is when a turn was added or the title changed."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("learner", "conversation"), Index(None, "learner", "changed"))

    conversation: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    changed: Mapped[datetime]


class Turn(_Owned):
    """A question of a conversation. ``standalone`` is how it was read, empty where as asked; ``text`` the answer as
    Markdown, ``answer`` all else of it. ``vote`` is up, down or empty, ``reason`` why; ``changed`` is when any did."""

    __tablename__ = "turns"
    __table_args__ = (Index(None, "learner", "conversation", "at"),)

    conversation: Mapped[str] = mapped_column(String(40))
    question: Mapped[str] = mapped_column(Text)
    standalone: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    vote: Mapped[str] = mapped_column(String(8), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    changed: Mapped[datetime]


class CardNote(_Owned):
    """The learner's note on a card, in Markdown; ``version`` counts its changes, ``at`` is the last one's time."""

    __tablename__ = "card_notes"
    __table_args__ = (UniqueConstraint("learner", "card"),)

    card: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
