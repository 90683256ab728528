"""Looking back over a stretch of days: what was recalled after how long, which days were studied on, what it came to.

The figures that tell of answers and reviews are of the stretch; where one stands (cards, readiness, what is due) is
always now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import sqrt
from zoneinfo import ZoneInfo

from tutor.errors import UsageError
from tutor.study import insights, records
from tutor.study.days import day_of, start_of
from tutor.study.desk import Study
from tutor.study.evidence import Spent
from tutor.study.lookup import known
from tutor.study.schedule import AGAIN, Deck
from tutor.study.standing import Standing

STRETCHES = (30, 90, 365)  # days that can be looked back over; 0 is all
ENOUGH_REVIEWS = 5  # that came after a day or more, before recall says something
WEAK_POINTS = 10
FADING_DAYS = (0, 1, 2, 4, 7, 14, 30)
#: Days since the last review that are told together; ``None`` is open. FSRS' intervals about double.
_SPANS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 3), (4, 7), (8, 14), (15, 30), (31, None))
_Z = 1.96  # of the normal distribution, for 95%


@dataclass(frozen=True, slots=True)
class Recalled:
    """Of ``reviews`` that came ``first`` to ``last`` days after the one before, the share recalled, with its interval.

    Shares in [0, 1]; the interval is Wilson's of 95%. ``last`` is None where it is open.
    """

    first: int
    last: int | None
    reviews: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Days:
    """How much was done on each day that was studied on: answers, reviews by themselves, entries, sittings.

    ``run`` are the days in a row up to today or yesterday, ``longest`` the most in a row; ``latest`` the last such day.
    """

    done: Mapping[date, int]
    run: int
    longest: int
    latest: date | None


@dataclass(frozen=True, slots=True)
class LookBack:
    """Everything of the page on progress; ``first`` is the first day of the stretch, ``last`` today."""

    first: date
    last: date
    standing: Standing
    readiness: Sequence[insights.Readiness]
    kinds: Sequence[insights.KindScore]
    weak_points: Sequence[insights.WeakPoint]
    contradictions: Sequence[insights.Contradiction]
    calibration: insights.Calibration
    recalled: Sequence[Recalled]
    repeated: int
    fading: Sequence[tuple[int, float]]
    reviewed_cards: int
    forecast: Sequence[tuple[date, int]]
    days: Days
    seconds: Mapping[str, float]
    weeks: Sequence[tuple[date, float]]


def look_back(study: Study, days: int = 0) -> LookBack:
    """What the last ``days`` days show, today among them; 0 for all of them.

    Raises:
        UsageError: it is none of ``STRETCHES``.
        StudyFault: the store cannot be read.
    """
    if days not in (0, *STRETCHES):
        raise UsageError(
            f"{days} days cannot be looked back over", about="days", fix=f"One of: {', '.join(map(str, STRETCHES))}, 0."
        )
    at = study.standing()
    learner, zone = study.store.learner, study.zone
    with study.store.read() as session:
        guesses = records.guesses(session, learner)
        spent = records.spent(session, learner, at.tasks)
        moments = records.moments(session, learner)
        rated = records.ratings(session, learner)
    # A drill's card and points are rated at the moment of its answer: together they are one thing that was done.
    moments = sorted({*moments, *(one.at for one in spent)})
    today = day_of(at.now, zone)
    first = today - timedelta(days=days - 1) if days else day_of(min([at.now, *moments[:1]]), zone)
    begin = start_of(first, zone)
    tasks = [task for task in at.tasks if task.at >= begin]
    spent = [one for one in spent if one.at >= begin]
    said = [c for c in insights.contradictions(at.outline, at.tasks) if max(c.made.at, c.contradicted.at) >= begin]
    recalled, repeated = recall_by_gap(rated, begin, zone)
    cards = [ref for ref in at.deck.items if ref in at.outline.cards]
    times = insights.studied((), spent, at.now, zone)
    return LookBack(
        first,
        today,
        at,
        insights.readiness(at.outline, at.cards, at.tasks),
        insights.by_kind(at.outline, tasks),
        insights.weak_points(at.outline, tasks, WEAK_POINTS),
        [study.with_words(one) for one in said],
        insights.calibration([guess for guess in guesses if guess.at >= begin]),
        recalled,
        repeated,
        fading(at.deck, cards, at.now),
        len(cards),
        insights.forecast((i for i in at.coming.items.values() if known(at.outline, i.ref)), at.now, zone),
        days_of([moment for moment in moments if moment >= begin], today, zone),
        times.seconds,
        weeks_of(spent, first, today, zone),
    )


def recall_by_gap(
    rated: Sequence[tuple[str, int, datetime]], begin: datetime, zone: ZoneInfo
) -> tuple[list[Recalled], int]:
    """The share recalled by the days since the review before, and of how many reviews in all.

    A second review on one day says nothing of remembering and is left out, as is each ref's first.

    Args:
        rated: ref, rating and time, each ref's together and the oldest first.
        begin: reviews before it are left out; the gap to one before it counts.
        zone: the learner's, whose days count.
    """
    found: dict[tuple[int, int | None], list[bool]] = {}
    for (before_ref, _, before_at), (ref, rating, at) in pairwise(rated):
        gap = (day_of(at, zone) - day_of(before_at, zone)).days
        if ref != before_ref or gap < 1 or at < begin:
            continue
        span = next(s for s in _SPANS if s[1] is None or gap <= s[1])
        found.setdefault(span, []).append(rating > AGAIN)
    rows = []
    for span in _SPANS:
        if mine := found.get(span):
            low, high = wilson(sum(mine), len(mine))
            rows.append(Recalled(*span, len(mine), sum(mine) / len(mine), low, high))
    return rows, sum(map(len, found.values()))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The interval of 95% of a share (Wilson 1927, "Probable Inference", JASA 22), in [0, 1]; (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share, spread = successes / trials, _Z * _Z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def fading(deck: Deck, refs: Sequence[str], now: datetime) -> list[tuple[int, float]]:
    """The mean probability of recall after so many days without a review; nothing where nothing was reviewed."""
    if not refs:
        return []
    return [
        (days, sum(deck.recall(ref, now + timedelta(days=days)) for ref in refs) / len(refs)) for days in FADING_DAYS
    ]


def days_of(moments: Iterable[datetime], today: date, zone: ZoneInfo) -> Days:
    """How much was done on which days."""
    done: dict[date, int] = {}
    for moment in moments:
        day = day_of(moment, zone)
        done[day] = done.get(day, 0) + 1
    longest, run, before = 0, 0, None
    for day in sorted(done):
        run = run + 1 if before is not None and (day - before).days == 1 else 1
        longest, before = max(longest, run), day
    lasting = before is not None and (today - before).days <= 1
    return Days(dict(sorted(done.items())), run if lasting else 0, longest, before)


def weeks_of(
    spent: Iterable[Spent], first: date, last: date, zone: ZoneInfo, most: int = 26
) -> tuple[tuple[date, float], ...]:
    """Seconds by week (its Monday), those with nothing too; the last ``most`` weeks of the stretch."""
    monday = last - timedelta(days=last.weekday())
    count = min(most, (monday - (first - timedelta(days=first.weekday()))).days // 7 + 1)
    weeks = {monday - timedelta(weeks=n): 0.0 for n in reversed(range(max(1, count)))}
    for one in spent:
        day = day_of(one.at, zone)
        week = day - timedelta(days=day.weekday())
        if week in weeks:
            weeks[week] += one.seconds
    return tuple(weeks.items())
