"""Plans as a learner follows them: taking one up, ticking off, skipping days, catching up, stopping."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import Outline, PlanLine
from tutor.errors import NotFound, UsageError
from tutor.study import custom, taken
from tutor.study.custom import Custom
from tutor.study.days import day_of
from tutor.study.fitting import dated, impossible
from tutor.study.followed import Followed, next_items, since_of, table_of, tables_of
from tutor.study.lookup import card_of
from tutor.study.pacing import Skips, skips_of
from tutor.study.store import StudyStore
from tutor.study.timetable import CUSTOM, Entry, Taken, Timetable
from tutor.study.windows import entries_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tutor.study.catchup import Option, Way
    from tutor.study.today import Next


class Plans:
    """What front ends use.

    Args:
        store: the study store, made when it is first needed.
        outline: the curriculum.
        zone: the learner's.
        clock: the time now, with a time zone.
        mastered: cards that count as done, and that a plan of one's own need not hold.
    """

    def __init__(
        self,
        store: Callable[[], StudyStore],
        outline: Callable[[], Outline],
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        mastered: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._store = store
        self._outline = outline
        self._zone = zone
        self._clock = clock
        self._mastered = mastered

    @property
    def today(self) -> date:
        """The learner's day."""
        return day_of(self._clock(), self._zone)

    def all(self) -> list[tuple[PlanLine, Timetable | None]]:
        """The curriculum's plans, each with its timetable where it is under way."""
        tables = {table.taken.plan: table for table in self.under_way()}
        return [(plan, tables.get(plan.id)) for plan in self._outline().plans.values()]

    def under_way(self) -> list[Timetable]:
        """The plans that are followed, the earliest begun first."""
        with self._store().read() as session:
            found = self._followed(session)
        return self._tables(found, self._known(found))

    def of(self, name: str) -> Timetable:
        """A plan that is under way.

        Raises:
            NotFound: no such plan, or it is not under way.
        """
        return self._one(self.under_way(), name)

    def named(self, name: str) -> str:
        """The id of a plan by its id or the beginning of it.

        Raises:
            NotFound: no plan, or more than one, is meant.
        """
        wanted = name.strip().lower()
        known = [*self._outline().plans, CUSTOM]
        if wanted in known:
            return wanted
        near = [plan for plan in known if wanted and plan.startswith(wanted)]
        if len(near) == 1:
            return near[0]
        raise NotFound("no plan has this id", about=name.strip()[:80], fix=f"Known: {', '.join(known)}.")

    def preview(
        self,
        name: str,
        *,
        start: date | None = None,
        pace: float | None = None,
        until: date | None = None,
        hours: float | None = None,
        skips: Iterable[str] = (),
    ) -> Timetable:
        """A plan of the curriculum as ``start`` would take it up; nothing is taken up.

        Raises:
            NotFound: no such plan.
            UsageError: as of ``start``.
        """
        plan = self._line(self.named(name))
        without = skips_of(skips)
        begin, chosen = self._paced(plan, start, without, pace=pace, until=until, hours=hours)
        one = Taken("", plan.id, self._clock(), begin, chosen, without, {}, False)
        return self._table(one, {}, self._known([plan.id]))

    def ticked(self, name: str) -> int:
        """How many items of a plan are ticked off, under way or not.

        Raises:
            NotFound: no such plan.
        """
        store, plan = self._store(), self.named(name)
        with store.read() as session:
            return len(taken.ticks(session, store.learner, plan))

    def start(
        self,
        name: str,
        *,
        start: date | None = None,
        pace: float | None = None,
        until: date | None = None,
        hours: float | None = None,
        skips: Iterable[str] = (),
        afresh: bool = False,
    ) -> Timetable:
        """Take a plan up.

        Args:
            name: of a plan of the curriculum.
            start: its first day; today where it is None.
            pace: how many of the plan's units a step takes; 1 where it is None.
            until: the day by which it is to end, in place of a pace.
            hours: a week, in place of a pace.
            skips: weekdays, dates and runs of dates without study.
            afresh: what was ticked before does not count.

        Raises:
            NotFound: no such plan.
            UsageError: it is under way, the start is in the past, or pace, end and skips leave no way to hold it.
        """
        plan = self._line(self.named(name))
        without = skips_of(skips)
        begin, chosen = self._paced(plan, start, without, pace=pace, until=until, hours=hours)
        spec = {"since": self._clock().isoformat()} if afresh else {}
        with self._store().write() as session:
            if plan.id in taken.active(session, self._store().learner):
                raise UsageError(
                    "it is under way",
                    about=plan.id,
                    fix=f"tutor plan catch-up {plan.id} lays it out anew; tutor plan stop {plan.id} ends it.",
                )
            self._put(session, Taken("", plan.id, self._clock(), begin, chosen, without, spec))
        return self.of(plan.id)

    def choose(
        self,
        *,
        interview: date,
        track: str,
        hours: float,
        start: date | None = None,
        skips: Iterable[str] = (),
        known: Iterable[str] = (),
    ) -> Custom:
        """What a plan of one's own would hold; nothing is taken up.

        Raises:
            NotFound: a card of ``known`` is none.
            UsageError: the interview is not after the start, or the track, hours or skips are wrong.
        """
        begin = self._not_past(start or self.today, "--from", "Begin today.")
        if interview < self.today:
            raise UsageError(
                f"the interview ({interview}) is in the past", about="--interview", fix=f"Today is {self.today}."
            )
        outline = self._outline()
        knows = {card_of(outline, name).id for name in known} | set(self._mastered())
        return custom.choose(
            outline,
            start=begin,
            interview=interview,
            track=custom.track_of(track),
            hours=hours,
            skips=skips_of(skips),
            known=knows,
        )

    def take_up(
        self, made: Custom, *, start: date | None = None, skips: Iterable[str] = (), what_fits: bool = False
    ) -> Timetable:
        """Follow a plan that was chosen; one of one's own that is under way is replaced, and its ticks stay.

        Raises:
            UsageError: it does not hold tier 1, or nothing at all; says what would fit.
        """
        if not made.cards or not what_fits:
            self.refused(made, skips)
        spec = {
            "interview": made.interview.isoformat(),
            "track": made.track,
            "hours": made.hours,
            "cards": [one.card for one in made.cards],
            "why": {one.card: one.why for one in made.cards},
            "left_out": {one.card: one.why for one in made.left_out},
        }
        begin, now = start or self.today, self._clock()
        with self._store().write() as session:
            self._put(session, Taken("", CUSTOM, now, begin, 1.0, skips_of(skips), spec))
        return self.of(CUSTOM)

    def refused(self, made: Custom, skips: Iterable[str] = ()) -> None:
        """Refuse a plan that was chosen and does not hold tier 1.

        Raises:
            UsageError: says what would fit.
        """
        if not made.cards or not made.holds_tier_1:
            raise impossible(self._outline(), made, skips_of(skips))

    def done(self, name: str, items: Sequence[str], *, undo: bool = False) -> list[Entry]:
        """Tick items off, or take ticks back; those that changed by it. A step's id stands for all of it.

        Raises:
            NotFound: no such plan or item, or it is not under way.
            UsageError: no item is given, or one is the name of several.
        """
        if not items:
            raise UsageError("which item?", about=name, fix=f"tutor plan show {name} names them.")
        table = self.of(name)
        named = [entry for text in items for entry in entries_of(table, text)]
        changed = list({e.item.id: e for e in named if bool(e.done) is undo}.values())
        if changed:
            store = self._store()
            with store.write() as session:
                ids = [entry.item.id for entry in changed]
                taken.add_ticks(session, store.learner, table.taken.plan, ids, done=not undo, at=self._clock())
        return changed

    def skip(self, words: Iterable[str], name: str = "", *, undo: bool = False) -> list[tuple[Timetable, Timetable]]:
        """Leave days out of a plan, or of all that are under way; each before and after.

        Args:
            words: weekdays, dates and runs of dates.
            name: of a plan; all that are under way where it is empty.
            undo: study on these days after all.

        Raises:
            NotFound: no such plan, or none is under way.
            UsageError: a day is in the past, or no day would be left.
        """
        more = skips_of(words)
        if not more.words:
            raise UsageError("which day?", fix="As in: tutor plan skip 2026-12-24")
        if more.dates and min(more.dates) < self.today:
            fix = "For days that have gone by: tutor plan catch-up ID --shift"
            raise UsageError(f"{min(more.dates)} is in the past", about="skip", fix=fix)
        with self._changing() as (session, tables):
            if name:
                tables = [self._one(tables, name)]
            if not tables:
                raise NotFound("no plan is under way", fix="Begin one: tutor plan")
            changed = []
            for table in tables:
                had = table.taken.skips
                both = Skips(had.dates | more.dates, had.weekdays | more.weekdays)
                if undo:
                    both = Skips(had.dates - more.dates, had.weekdays - more.weekdays)
                after = replace(table.taken, skips=skips_of(both.words))
                changed.append((table, self._table(after, table.ticks, table.mastered)))
            for _, then in changed:  # once all of them are known to be possible
                self._put(session, then.taken)
        return changed

    def ways(self, name: str) -> list[Option]:
        """How a plan that is behind could be caught up with.

        Raises:
            NotFound: no such plan, or it is not under way.
            UsageError: nothing is late.
        """
        return self._ways(self.of(name))

    def catch_up(self, name: str, way: Way) -> tuple[Option, Timetable]:
        """Go a way; it and the plan then.

        Raises:
            NotFound: no such plan, or it is not under way.
            UsageError: nothing is late, or the way leads nowhere.
        """
        with self._changing() as (session, tables):
            ways = self._ways(self._one(tables, name))
            chosen = next(option for option in ways if option.way == way)
            if chosen.taken is None:
                others = ", ".join(f"--{option.way}" for option in ways if option.taken)
                raise UsageError(chosen.why, about=f"--{way}", fix=f"What would do: {others}." if others else "")
            self._put(session, chosen.taken)
        return chosen, self.of(chosen.taken.plan)

    def stop(self, name: str) -> Timetable:
        """Follow a plan no longer; what was ticked stays. The plan as it was left.

        Raises:
            NotFound: no such plan, or it is not under way.
        """
        with self._changing() as (session, tables):
            table = self._one(tables, name)
            self._put(session, replace(table.taken, active=False))
        return table

    def next(self, mastered: Collection[str] = ()) -> list[Next]:
        """What the plans ask for today, the latest first: what is due, then what comes within the next week.

        Cards that are mastered are not asked for, ticked off or not.
        """
        return next_items(self.under_way(), mastered)

    def _table(self, one: Taken, ticked: Mapping[str, datetime], known: Collection[str]) -> Timetable:
        return table_of(self._outline(), one, ticked, self.today, known)

    def _line(self, plan: str) -> PlanLine:
        if plan == CUSTOM:
            fix = "tutor plan custom --interview DATE --track backend --hours 8"
            raise NotFound("a plan of your own is made first", about=plan, fix=fix)
        return self._outline().plans[plan]

    def _followed(self, session: Session) -> Followed:
        learner = self._store().learner
        found = taken.active(session, learner)
        return {name: (one, taken.ticks(session, learner, name, since_of(one))) for name, one in found.items()}

    def _tables(self, found: Followed, known: Collection[str]) -> list[Timetable]:
        return tables_of(self._outline(), found, self.today, known)

    def _known(self, plans: Iterable[str]) -> Collection[str]:
        """The cards that are mastered, where one of the plans asks for cards."""
        lines = self._outline().plans
        return self._mastered() if any(p == CUSTOM or (p in lines and lines[p].unit == "week") for p in plans) else ()

    def _one(self, tables: Iterable[Timetable], name: str) -> Timetable:
        plan = self.named(name)
        for table in tables:
            if table.taken.plan == plan:
                return table
        how = "tutor plan custom --interview DATE --track backend --hours 8" if plan == CUSTOM else ""
        raise NotFound("it is not under way", about=plan, fix=f"Begin: {how or f'tutor plan start {plan}'}")

    def _ways(self, table: Timetable) -> list[Option]:
        from tutor.study import catchup

        plan = None if table.taken.custom else self._line(table.taken.plan)
        return catchup.options(self._outline(), plan, table)

    @contextmanager
    def _changing(self) -> Iterator[tuple[Session, list[Timetable]]]:
        """The plans under way while nobody else changes them: a row is written whole, so what it is made from has to
        stay as it was read."""
        known = self._mastered()  # before: it reads and writes by itself
        with self._store().write() as session:
            yield session, self._tables(self._followed(session), known)

    def _put(self, session: Session, one: Taken) -> None:
        taken.add_plan(
            session,
            self._store().learner,
            one.plan,
            start=one.start,
            pace=one.pace,
            skips=one.skips,
            spec=one.spec,
            at=self._clock(),
            active=one.active,
        )

    def _paced(self, plan: PlanLine, start: date | None, skips: Skips, **how: Any) -> tuple[date, float]:
        fix = "Begin today, and tick off what is done: tutor plan done"
        begin = self._not_past(start or self.today, "--from", fix)
        return dated(self._outline(), plan, begin, skips=skips, **how)

    def _not_past(self, day: date, about: str, fix: str) -> date:
        if day < self.today:
            raise UsageError(f"{day} is in the past", about=about, fix=fix)
        return day
