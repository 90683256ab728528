"""The desk: what a front end asks of studying, over one store, one curriculum and what drills leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline
from tutor.errors import NotFound, UsageError
from tutor.study.days import day_of, end_of
from tutor.study.evidence import LONGEST_S, GradedTask, Noted, Rated, Spent, changed
from tutor.study.lookup import card_of, known, point_of
from tutor.study.probes import due_probes
from tutor.study.progress import STATUSES, CardProgress, Share, share
from tutor.study.schedule import GOOD, Deck, Grade, Item
from tutor.study.standing import Kept, standing_of
from tutor.study.standing import Standing as Standing
from tutor.study.sync import tasks_of
from tutor.study.today import Next, Today, today

TYPE_CHECKING = False
if TYPE_CHECKING:  # loaded by what uses them: ``tutor today`` waits for none of them, nor for SQLAlchemy
    from tutor.study import insights, paths
    from tutor.study.rounds import Round
    from tutor.study.store import StudyStore

MOST_MINUTES = 720
_LONGEST_NOTE = 2_000
Rows = Callable[[], Iterable[Mapping[str, Any]]]
Words = Callable[[str, int, str], str]


@dataclass(frozen=True, slots=True)
class Insights:
    """Everything of ``tutor stats``."""

    readiness: Sequence[insights.Readiness]
    weak_points: Sequence[insights.WeakPoint]
    kinds: Sequence[insights.KindScore]
    contradictions: Sequence[insights.Contradiction]
    calibration: insights.Calibration
    studied: insights.Studied
    forecast: Sequence[tuple[date, int]]


class Study:
    """What front ends use; each call opens what it needs.

    Args:
        store: makes the store when it is first needed.
        outline: the curriculum.
        rows: what drills have left behind, as ``sync.tasks_of`` takes it.
        words: the learner's words that a point's status rests on, by session, task and point; empty where not kept.
        glance: what the store keeps, read without opening it; None where it has to be opened.
        zone: the learner's.
        minutes: of a day.
        retention: the probability of recall at which a review is due.
        clock: the time now, with a time zone.
    """

    def __init__(
        self,
        store: Callable[[], StudyStore],
        outline: Callable[[], Outline],
        rows: Rows,
        *,
        zone: ZoneInfo,
        minutes: int,
        retention: float,
        clock: Callable[[], datetime],
        words: Words = lambda session, task, point: "",
        glance: Callable[[], Kept | None] = lambda: None,
    ) -> None:
        self._make_store = store
        self._make_outline = outline
        self._rows = rows
        self._words = words
        self._glance = glance
        self.zone = zone
        self.minutes = minutes
        self.retention = retention
        self.clock = clock
        #: What active plans ask for next, the most pressing first.
        self.planned: Callable[[Standing], Sequence[Next]] = lambda standing: ()

    @cached_property
    def store(self) -> StudyStore:
        """The store, with the learner's row in it."""
        store = self._make_store()
        store.owner()
        return store

    @cached_property
    def outline(self) -> Outline:
        return self._make_outline()

    def sync(self) -> int:
        """Take in what drills have left behind since; how many tasks were new or changed."""
        from tutor.study import reviews

        tasks = tasks_of(self._rows())
        return reviews.take_in(self.store, tasks, retention=self.retention, zone=self.zone) if tasks else 0

    def standing(self) -> Standing:
        """Where the learner stands now, with the drills up to this moment."""
        tasks = tasks_of(self._rows())
        kept = None if "store" in self.__dict__ else self._glance()
        if kept is None or changed(kept.tasks, tasks):
            kept = self._kept(tasks)
        return standing_of(self.outline, kept, now=self.clock(), retention=self.retention, zone=self.zone)

    def _kept(self, tasks: Sequence[GradedTask]) -> Kept:
        """What the store keeps, once what is new among ``tasks`` is taken in."""
        from tutor.study import records, reviews

        learner = self.store.learner
        with self.store.read() as session:  # once, where there is nothing new: that is most often
            known = reviews.graded(session, learner)
        if changed(known, tasks):
            reviews.take_in(self.store, tasks, retention=self.retention, zone=self.zone)
            known = {}
        with self.store.read() as session:
            return records.kept(session, learner, known or reviews.graded(session, learner))

    def today(self, minutes: int | None = None) -> Today:
        """What to do today.

        Raises:
            UsageError: minutes out of range.
        """
        at = self.standing()
        return today(
            at.outline,
            at.cards,
            at.deck,
            at.answers,
            self.planned(at),
            now=at.now,
            until=end_of(day_of(at.now, self.zone), self.zone),
            minutes=checked_minutes(self.minutes if minutes is None else minutes),
            rated=at.rated,
        )

    def due_probes(self, now: datetime | None = None) -> dict[tuple[str, str], date]:
        """The questions to drill by what is due on the day of ``now`` (today), as ``probes.due_probes`` gives them."""
        at = self.standing()
        until = end_of(day_of(now or at.now, self.zone), self.zone)
        return due_probes(at.outline, at.deck, at.answers, until=until, zone=self.zone, below=at.pulled)

    def item(self, ref: str) -> Item | None:
        """What is known of a card or point; None where it was never reviewed, nor vouched for."""
        from tutor.study import reviews

        with self.store.read() as session:
            deck = reviews.load_deck(session, self.store.learner, retention=self.retention, zone=self.zone)
        return deck.items.get(ref)

    def shares(self, at: Standing) -> dict[str, list[Share]]:
        """Progress by phase, section, tier and plan, and of the whole, in the curriculum's order."""
        from tutor.study import paths

        cards = list(at.outline.cards.values())

        def grouped(key: Callable[[CardLine], object]) -> list[Share]:
            names = dict.fromkeys(key(card) for card in cards)
            return [share(str(n), [c.id for c in cards if key(c) == n], at.cards) for n in names]

        plans = [share(plan.id, sorted(paths.named(plan.steps)), at.cards) for plan in at.outline.plans.values()]
        return {
            "all": [share("all", at.outline.cards, at.cards)],
            "phases": sorted(grouped(lambda c: c.phase), key=lambda s: int(s.name)),
            "sections": grouped(lambda c: c.section),
            "tiers": sorted(grouped(lambda c: c.tier), key=lambda s: int(s.name)),
            "plans": plans,
        }

    def threads(self, at: Standing) -> list[Share]:
        """How far one is with each thread."""
        return [share(thread.id, thread.cards, at.cards) for thread in at.outline.threads]

    def mark(self, name: str, status: str, note: str = "") -> CardProgress:
        """Say where one stands with a card, whatever the drills say; the card's progress then.

        Raises:
            NotFound: no such card.
            UsageError: no such status, or the note is too long.
        """
        from tutor.study import records

        if status not in STATUSES:
            raise UsageError(f"'{status}' is no status", about="--set", fix=f"One of: {', '.join(STATUSES)}.")
        if len(note) > _LONGEST_NOTE:
            raise UsageError(f"the note has {len(note):,} characters", about="--note", fix="At most 2,000.")
        card = card_of(self.outline, name)
        with self.store.write() as session:
            records.add_mark(session, self.store.learner, Noted(card.id, status, "override", self.clock(), note))
        return self.standing().cards[card.id]

    def check(self, name: str, done: Sequence[bool], *, seconds: float | None = None) -> CardProgress:
        """Take down a mastery check: mastered where all of it is, learning where not; the card's progress then.

        A check that is passed is a review of the card too.

        Args:
            name: of the card.
            done: for each of its items whether one can do it.
            seconds: that it took, where they were measured; more than ten minutes count as ten.

        Raises:
            NotFound: no such card.
            UsageError: the card has no check, or another number of items.
        """
        from tutor.study import records
        from tutor.study.store import new_id

        card = card_of(self.outline, name)
        if not card.check:
            raise UsageError(
                "the card has no mastery check", about=card.id, fix=f"Drill it: tutor drill --card {card.id}"
            )
        if len(done) != len(card.check):
            raise UsageError(f"the check has {len(card.check)} items, answered were {len(done)}", about=card.id)
        now, source = self.clock(), f"check:{new_id()}"
        lacking = [item for item, yes in zip(card.check, done, strict=True) if not yes]
        note = "not yet: " + "; ".join(lacking) if lacking else ""
        if not lacking:  # first, so that a fault in between leaves a review and no mastery, never the reverse
            self.rate([Rated(card.id, GOOD, now, source)])
        mark = Noted(card.id, "learning" if lacking else "mastered", "check", now, note[:_LONGEST_NOTE])
        with self.store.write() as session:
            records.add_mark(session, self.store.learner, mark)
            if seconds:
                records.add_sitting(session, self.store.learner, Spent(now, seconds, "check", card.id))
        return self.standing().cards[card.id]

    def round(self, minutes: int | None = None, cards: Sequence[str] = ()) -> Round:
        """What to recall now.

        Raises:
            NotFound: no such card.
            UsageError: minutes out of range.
        """
        from tutor.study.rounds import flash_round

        ids = [card_of(self.outline, name).id for name in cards]
        given = checked_minutes(self.minutes if minutes is None else minutes)
        at = self.standing()
        until = end_of(day_of(at.now, self.zone), self.zone)
        return flash_round(self.outline, at.deck, until, minutes=given, cards=ids)

    def review(
        self,
        ref: str,
        rating: int,
        *,
        confidence: float | None = None,
        seconds: float | None = None,
        key: str = "",
    ) -> Item:
        """Take a learner's own rating down; the item with its next date.

        Args:
            ref: a card's id or ``card/probe/point``.
            rating: 1 forgotten, 2 hard, 3 good, 4 easy.
            confidence: in [0, 100], as given before the answer was shown.
            seconds: that it took; more than ten minutes count as ten, the rest was a pause.
            key: names the rating: the same one sent twice counts once.

        Raises:
            NotFound: the curriculum has no such card or point.
            UsageError: something is out of range.
        """
        from tutor.study.store import new_id

        if not known(self.outline, ref):
            raise NotFound("nothing in the curriculum has this name", about=ref[:200], fix="See: tutor review --json")
        if rating not in (1, 2, 3, 4):
            raise UsageError(f"'{rating}' is no rating", fix="1 forgotten, 2 hard, 3 good, 4 easy.")
        if confidence is not None and not 0 <= confidence <= 100:
            raise UsageError(f"'{confidence:g}' is no confidence", fix="From 0 (no idea) to 100 (certain).")
        if seconds is not None and not 0 <= seconds <= 86_400:
            raise UsageError("the seconds are out of range", fix="From 0 to 86,400.")
        if len(key) > 100:
            raise UsageError("the key is too long", fix="At most 100 characters.")
        sure = None if confidence is None else confidence / 100
        outcome = None if confidence is None else float(rating > 1)
        source = f"review:{key or new_id()}"
        took = None if seconds is None else min(seconds, LONGEST_S["review"])
        self.rate([Rated(ref, cast(Grade, rating), self.clock(), source, sure, outcome, took)])
        return self._deck().items[ref]

    def suspend(self, name: str, out: bool = True) -> list[Item]:
        """Take a card with its points, or a point, out of the reviews, or (``out`` false) back in; the items meant.

        Args:
            name: of a card, or ``card/probe/point``.
            out: whether it is out of the reviews from now on.

        Raises:
            NotFound: the curriculum has no such card or point.
            UsageError: it was never reviewed, so that there is nothing to take out.
        """
        from tutor.study import reviews

        ref = name.strip() if point_of(self.outline, name.strip()) else card_of(self.outline, name).id
        self.sync()
        meant, _ = reviews.suspend(self.store, ref, out=out, retention=self.retention, zone=self.zone)
        if not meant:
            raise never_reviewed(ref)
        return meant

    def suspended(self) -> list[Item]:
        """What is out of the reviews: cards, and points whose card is not; by name."""
        deck = self._deck()
        cards = {item.ref for item in deck.items.values() if item.suspended and item.ref == item.card}
        found = [i for i in deck.items.values() if i.suspended and (i.ref in cards or i.card not in cards)]
        return sorted((i for i in found if known(self.outline, i.ref)), key=lambda i: i.ref)

    def _deck(self) -> Deck:
        from tutor.study import reviews

        with self.store.read() as session:
            return reviews.load_deck(session, self.store.learner, retention=self.retention, zone=self.zone)

    def rate(self, rated: Sequence[Rated]) -> None:
        """Take ratings down."""
        from tutor.study import reviews

        reviews.rate(self.store, rated, retention=self.retention, zone=self.zone)

    def path(self, goal: str, have: Sequence[str] = ()) -> paths.Path:
        """The way to a card.

        Raises:
            NotFound: no such card.
        """
        from tutor.study import paths

        card = card_of(self.outline, goal)
        names = [card_of(self.outline, name).id for name in have]
        return paths.path_to(self.outline, card.id, self.standing().cards, have=names)

    def stats(self) -> Insights:
        """Everything that the answers and reviews show."""
        from tutor.study import insights, records

        at = self.standing()
        with self.store.read() as session:
            guesses = records.guesses(session, self.store.learner)
            spent = records.spent(session, self.store.learner, at.tasks)
            moments = records.moments(session, self.store.learner)
        found = [self.with_words(one) for one in insights.contradictions(at.outline, at.tasks)]
        return Insights(
            insights.readiness(at.outline, at.cards, at.tasks),
            insights.weak_points(at.outline, at.tasks),
            insights.by_kind(at.outline, at.tasks),
            found,
            insights.calibration(guesses),
            insights.studied(moments, spent, at.now, self.zone, {c.id: c.phase for c in at.outline.cards.values()}),
            insights.forecast(
                (i for i in at.coming.items.values() if known(at.outline, i.ref) and not at.deck.out(i)),
                at.now,
                self.zone,
            ),
        )

    def with_words(self, found: insights.Contradiction) -> insights.Contradiction:
        """A contradiction with the learner's words from both answers, where they are kept."""
        point = found.ref.rsplit("/", 1)[1]

        def said(claim: insights.Claim) -> insights.Claim:
            return replace(claim, words=self._words(claim.session, claim.task, point))

        return replace(found, made=said(found.made), contradicted=said(found.contradicted))

    def close(self) -> None:
        """Let go of the store."""
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()


def checked_minutes(given: int) -> int:
    """Minutes of a day or a round.

    Raises:
        UsageError: they are out of range.
    """
    if not 1 <= given <= MOST_MINUTES:
        raise UsageError(f"{given} minutes are out of range", about="--minutes", fix=f"From 1 to {MOST_MINUTES}.")
    return given


def never_reviewed(ref: str) -> UsageError:
    """What is said of a card or point that cannot be set aside, since it does not come up anyway."""
    return UsageError("it was never reviewed, so it does not come up", about=ref, fix="See: tutor review --json")
