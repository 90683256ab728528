"""What a learner's answers and reviews show: weak spots, contradictions, calibration, time, readiness. Pure.

Every figure comes with the counts it rests on; where these are too few it is None, which is told as not enough to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import Outline
from tutor.study.days import day_of
from tutor.study.evidence import GradedTask, Guess, Spent
from tutor.study.lookup import point_of
from tutor.study.progress import CardProgress
from tutor.study.schedule import Item

ENOUGH_ANSWERS = 3  # of a kind of question, before its mean says something
ENOUGH_GUESSES = 10  # before calibration does
ENOUGH_SHARE = 1 / 3  # of a tier's cards that were answered, before its readiness does
LACKING = ("missed", "contradicted")
MADE = ("covered",)  # without help
WEEKS = 8  # of time spent
FORECAST_DAYS = 14
_BINS = 5


@dataclass(frozen=True, slots=True)
class WeakPoint:
    """A point that was lacking in ``lacked`` of ``asked`` answers, in the last one too; ``text`` is what to say."""

    ref: str
    title: str
    text: str
    asked: int
    lacked: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KindScore:
    """Answers to a kind of question; ``score`` is their mean in [0, 1], None where they are too few to say."""

    kind: str
    answers: int
    strong: int
    failed: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A point's status in one answer; ``words`` are the learner's own, empty where they are not kept."""

    session: str
    task: int
    at: datetime
    status: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A point that the learner made in one answer and contradicted in another.

    ``mended``: the later answers made it again.
    """

    ref: str
    title: str
    text: str
    made: Claim
    contradicted: Claim
    mended: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Guesses with a confidence from ``low`` to ``high``; means in [0, 1]."""

    low: float
    high: float
    guesses: int
    confidence: float
    outcome: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """``brier`` is the mean squared error of the guesses in [0, 1], 0 the best; None where they are too few to say.

    ``unskilled`` is the score of who always guesses their own mean outcome; ``bias`` above 0 is overconfident.
    """

    guesses: int
    brier: float | None
    unskilled: float | None
    bias: float | None
    curve: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """``percent`` is how likely a question about the tier is answered well, None where too little was answered to say.

    The mean over all of its cards of the last answers' score by the chance that it is still remembered; a card without
    an answer counts as 0. It rests on ``answered`` of ``cards`` cards and ``answers`` answers.
    """

    tier: int
    percent: int | None
    cards: int
    answered: int
    mastered: int
    answers: int


@dataclass(frozen=True, slots=True)
class Studied:
    """``days`` of this month and ``days_30`` of the last 30 were studied on; seconds by kind and by week (its Monday).

    ``weeks`` are the last eight, those with nothing too; ``phases`` are those of the cards that time was spent on.
    """

    days: int
    days_30: int
    seconds: Mapping[str, float]
    weeks: tuple[tuple[date, float], ...]
    phases: tuple[tuple[int, float], ...] = ()

    @property
    def total_s(self) -> float:
        return sum(self.seconds.values())


def weak_points(outline: Outline, tasks: Sequence[GradedTask], most: int = 10) -> list[WeakPoint]:
    """The points that the last answer lacked, those lacking most often first; of today's curriculum only."""
    seen: dict[str, list[tuple[datetime, str]]] = {}
    for task in tasks:
        for point, status in task.points.items():
            seen.setdefault(f"{task.card}/{task.probe}/{point}", []).append((task.at, status))
    found = []
    for ref, statuses in seen.items():
        at, last = max(statuses)
        if last in LACKING and (place := point_of(outline, ref)):
            lacked = sum(status in LACKING for _, status in statuses)
            found.append(WeakPoint(ref, place[0].title, place[2].text, len(statuses), lacked, at))
    found.sort(key=lambda w: (-w.lacked, -(w.lacked / w.asked), -w.at.timestamp(), w.ref))
    return found[:most]


def by_kind(outline: Outline, tasks: Iterable[GradedTask]) -> list[KindScore]:
    """Answers by kind of question (a probe's kind; a drill's format where there is no probe), the weakest first."""
    kinds = {(card.id, probe.id): probe.kind for card in outline.cards.values() for probe in card.probes}
    found: dict[str, list[GradedTask]] = {}
    for task in tasks:
        if task.verdict != "ungraded":
            found.setdefault(kinds.get((task.card, task.probe), task.kind or "other"), []).append(task)
    rows = []
    for kind, mine in found.items():
        score = sum(t.score for t in mine) / len(mine) if len(mine) >= ENOUGH_ANSWERS else None
        strong, failed = (sum(t.verdict in of for t in mine) for of in (("strong",), ("weak", "wrong")))
        rows.append(KindScore(kind, len(mine), strong, failed, None if score is None else round(score, 3)))
    return sorted(rows, key=lambda r: (r.score is None, r.score or 0.0, r.kind))


def contradictions(outline: Outline, tasks: Sequence[GradedTask]) -> list[Contradiction]:
    """Points made in one answer and contradicted in another, the latest first; one for each point."""
    seen: dict[str, list[Claim]] = {}
    for task in sorted(tasks, key=lambda t: (t.at, t.session, t.task)):
        for point, status in task.points.items():
            if status in ("covered", "prompted", "contradicted"):
                claim = Claim(task.session, task.task, task.at, status)
                seen.setdefault(f"{task.card}/{task.probe}/{point}", []).append(claim)
    found = []
    for ref, claims in seen.items():
        wrong = [n for n, claim in enumerate(claims) if claim.status == "contradicted"]
        right = [n for n, claim in enumerate(claims) if claim.status in MADE]
        place = point_of(outline, ref)
        if not wrong or not right or place is None:
            continue
        at = wrong[-1]
        nearest = max((n for n in right if n < at), default=right[0])
        mended = claims[-1].status != "contradicted"
        found.append(Contradiction(ref, place[0].title, place[2].text, claims[nearest], claims[at], mended))
    return sorted(found, key=lambda c: (c.mended, -max(c.made.at, c.contradicted.at).timestamp(), c.ref))


def calibration(guesses: Sequence[Guess]) -> Calibration:
    """How far confidence and outcome agree (Brier 1950), with the curve over fifths of the confidence."""
    bins = []
    for number in range(_BINS):
        low, high = number / _BINS, (number + 1) / _BINS
        mine = [g for g in guesses if min(_BINS - 1, int(g.confidence * _BINS + 1e-9)) == number]
        if mine:
            sure, came = (_mean([getattr(g, name) for g in mine]) for name in ("confidence", "outcome"))
            bins.append(Bin(low, high, len(mine), round(sure, 3), round(came, 3)))
    if len(guesses) < ENOUGH_GUESSES:
        return Calibration(len(guesses), None, None, None, tuple(bins))
    outcome = _mean([g.outcome for g in guesses])
    return Calibration(
        len(guesses),
        round(_mean([(g.confidence - g.outcome) ** 2 for g in guesses]), 4),
        round(_mean([(outcome - g.outcome) ** 2 for g in guesses]), 4),
        round(_mean([g.confidence - g.outcome for g in guesses]), 4),
        tuple(bins),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def readiness(outline: Outline, found: Mapping[str, CardProgress], tasks: Iterable[GradedTask]) -> list[Readiness]:
    """How ready the learner is, tier by tier, and what that rests on."""
    last: dict[str, dict[str, float]] = {}
    count: Counter[str] = Counter()
    for task in sorted(tasks, key=lambda t: t.at):
        if task.verdict != "ungraded" and task.card in outline.cards:
            last.setdefault(task.card, {})[task.probe] = task.score
            count[task.card] += 1
    rows = []
    for tier in sorted({card.tier for card in outline.cards.values()}):
        cards = [card.id for card in outline.cards.values() if card.tier == tier]
        answered = [name for name in cards if name in last]
        likely = sum(_mean(list(last[name].values())) * (found[name].recall or 0.0) for name in answered)
        enough = len(answered) >= ENOUGH_SHARE * len(cards)
        mastered = sum(found[name].status == "mastered" for name in cards)
        percent = round(100 * likely / len(cards)) if enough else None
        rows.append(Readiness(tier, percent, len(cards), len(answered), mastered, sum(count[name] for name in cards)))
    return rows


def forecast(items: Iterable[Item], now: datetime, zone: ZoneInfo) -> tuple[tuple[date, int], ...]:
    """How much is due on each of the next days; what is overdue counts for today."""
    today = day_of(now, zone)
    days = {today + timedelta(days=n): 0 for n in range(FORECAST_DAYS)}
    for item in items:
        day = max(today, day_of(item.due, zone))
        if day in days and not item.suspended:
            days[day] += 1
    return tuple(days.items())


def studied(
    moments: Iterable[datetime],
    spent: Iterable[Spent],
    now: datetime,
    zone: ZoneInfo,
    phase_of: Mapping[str, int] = MappingProxyType({}),
) -> Studied:
    """Days on which something was answered, reviewed or written (``moments``), and the time that was measured.

    Args:
        moments: when something was done.
        spent: time that was measured; it counts on the day on which it was taken down.
        now: the time.
        zone: the learner's, whose days count.
        phase_of: the phase of each card; time spent on what is no card counts for none.
    """
    spent = list(spent)
    today = day_of(now, zone)
    days = {day_of(at, zone) for at in [*moments, *(s.at for s in spent)]}
    seconds: dict[str, float] = {}
    monday = today - timedelta(days=today.weekday())
    weeks = {monday - timedelta(weeks=n): 0.0 for n in reversed(range(WEEKS))}
    phases: dict[int, float] = {}
    for one in spent:
        phase = phase_of.get(one.ref.split("/", 1)[0])
        if phase is not None:
            phases[phase] = phases.get(phase, 0.0) + one.seconds
        seconds[one.kind] = seconds.get(one.kind, 0.0) + one.seconds
        day = day_of(one.at, zone)
        week = day - timedelta(days=day.weekday())
        if week in weeks:
            weeks[week] += one.seconds
    return Studied(
        sum((d.year, d.month) == (today.year, today.month) and d <= today for d in days),
        sum(timedelta(0) <= today - d < timedelta(days=30) for d in days),
        dict(sorted(seconds.items())),
        tuple(weeks.items()),
        tuple(sorted(phases.items())),
    )
