"""What the page on progress shows: charts of a look back, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from markupsafe import Markup

from tutor.curriculum.outline import Outline
from tutor.study.insights import ENOUGH_ANSWERS, ENOUGH_GUESSES, Calibration
from tutor.study.lookback import ENOUGH_REVIEWS, LookBack, Recalled
from tutor.study.progress import Share
from tutor.web import charts
from tutor.web.charts import Bar, Guessed, Point, Stack
from tutor.web.figures import Table, Text, too_little
from tutor.web.library import PHASES

GROUPS = {"phase": "phases", "tier": "tiers", "section": "sections", "plan": "plans"}
PERIODS = {30: "30 days", 90: "90 days", 365: "a year", 0: "all"}
_KINDS = {
    "why-not": "Why not …?",
    "failure": "What fails, and how",
    "compare": "Comparisons",
    "estimate": "Estimates",
    "design": "Designs",
    "how": "How it works",
    "trade-off": "Trade-offs",
    "scale": "At scale",
    "hld": "High-level designs",
    "lld": "Low-level designs",
    "ml": "ML system designs",
    "genai": "GenAI system designs",
}
_SPENT = {"drill": "drills", "review": "reviews", "check": "mastery checks", "log": "the log"}
_STATUSES = (("done", "mastered"), ("going", "learning"), ("open", "not started"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """The page's charts; None where a chart has nothing to show, and nothing to wait for."""

    readiness: Markup
    cards: Markup
    kinds: Markup
    recalled: Markup
    fading: Markup | None
    due: Markup | None
    calibration: Markup
    days: Markup
    weeks: Markup | None


def counted(number: int, word: str, plural: str = "") -> str:
    """A number with its word: "1 day", "1,200 days"."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def lasting(seconds: float) -> str:
    """A length of time, in minutes below two hours: "45 min", "3 h 20 min"."""
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60:,} h"


def day_shown(day: date, today: date | None = None) -> str:
    """A day in words, without its year where that is today's: "19 November 2026"."""
    return f"{day.day} {day:%B}" + ("" if today and day.year == today.year else f" {day.year}")


def kind_shown(kind: str) -> str:
    """The name of a kind of question."""
    return _KINDS.get(kind, kind.replace("-", " ").capitalize())


def draw(found: LookBack, shares: Sequence[Share], by: str, *, aim: float) -> Drawn:
    """Every chart of the page.

    Args:
        found: what is looked back at.
        shares: progress by ``by``.
        by: a key of ``GROUPS``.
        aim: the share of recall at which reviews are due, in [0, 1].
    """
    return Drawn(
        readiness=_readiness(found),
        cards=_cards(found.standing.outline, shares, by),
        kinds=_kinds(found),
        recalled=_recalled(found, aim),
        fading=_fading(found),
        due=_due(found),
        calibration=_calibration(found.calibration),
        days=_days(found),
        weeks=_weeks(found),
    )


def _readiness(found: LookBack) -> Markup:
    rows = [
        Bar(
            f"Tier {r.tier}",
            r.percent,
            "not enough to say" if r.percent is None else f"{r.percent}%",
            f"{counted(r.answers, 'answer')} to {r.answered} of {counted(r.cards, 'card')}, {r.mastered} mastered",
            _list(tier=r.tier),
        )
        for r in found.readiness
    ]
    known = [f"tier {r.tier} {r.percent}%" for r in found.readiness if r.percent is not None]
    says = f"Ready: {', '.join(known)}." if known else "No tier has answers to a third of its cards yet."
    text = Text("readiness", "Ready for a question, by tier", says)
    return charts.bars(text, rows, heads=("Tier", "ready", "rests on"), most=100, opened=True)


def _cards(outline: Outline, shares: Sequence[Share], by: str) -> Markup:
    rows = [
        Stack(
            group_shown(outline, by, one.name),
            (one.mastered, one.learning, one.cards - one.mastered - one.learning),
            f"{one.percent}%",
            _list(**{by: one.name}),
        )
        for one in shares
    ]
    mastered, cards = sum(one.mastered for one in shares), sum(one.cards for one in shares)
    says = f"Mastered cards count whole, those being learnt half. {mastered} of {cards} are mastered."
    return charts.stacks(
        Text("cards", f"Cards by {by}", says), _STATUSES, rows, head=by.capitalize(), opened=True
    )  # fmt: skip


def group_shown(outline: Outline, by: str, name: str) -> str:
    """How a phase, tier, section or plan is called."""
    if by == "phase":
        return f"{name}: {PHASES[int(name)]}" if int(name) in PHASES else f"Phase {name}"
    if by == "plan" and name in outline.plans:
        return outline.plans[name].title
    return f"Tier {name}" if by == "tier" else name


def _kinds(found: LookBack) -> Markup:
    if not any(kind.score is not None for kind in found.kinds):
        says = f"From {ENOUGH_ANSWERS} graded answers to one kind of question on, this shows where you are weakest."
        return too_little(Text("kinds", "Kinds of question", says))
    rows = [
        Bar(
            kind_shown(k.kind),
            k.score,
            "not enough to say" if k.score is None else f"{k.score:.0%}",
            f"{counted(k.answers, 'answer')}, {k.strong} strong, {k.failed} failed",
        )
        for k in found.kinds
    ]
    weakest = rows[0]
    text = Text(
        "kinds", "Kinds of question, the weakest first", f"Weakest: {weakest.label}, {weakest.shown} on average."
    )
    return charts.bars(text, rows, heads=("Kind", "mean score", "rests on"), most=1)


def _recalled(found: LookBack, aim: float) -> Markup:
    if found.repeated < ENOUGH_REVIEWS:
        says = (
            f"From {ENOUGH_REVIEWS} reviews on that came a day or more after the one before, this shows how much you "
            f"recall after how long. There {'is' if found.repeated == 1 else 'are'} {found.repeated} so far."
        )
        return too_little(Text("recalled", "What you recalled", says))
    points = [
        Point(float(at), row.share, _gap(row), row.low, row.high) for at, row in enumerate(found.recalled)
    ]  # fmt: skip
    rows = [
        [f"{_gap(r)} days", f"{r.share:.0%}", f"{r.low:.0%} to {r.high:.0%}", str(r.reviews)] for r in found.recalled
    ]
    total = sum(r.share * r.reviews for r in found.recalled) / found.repeated
    says = (
        f"Of {counted(found.repeated, 'review')}, {total:.0%} were recalled. "
        f"The area is where the true share lies, with 95% certainty."
    )
    table = Table(("Since the last review", "recalled", "95% interval", "reviews"), rows)
    text = Text("recalled", "What you recalled, by the time since the last review", says)
    return charts.line(text, points, table, x_name="days since the last review", y_name="recalled", aim=aim)


def _gap(row: Recalled) -> str:
    if row.last is None:
        return f"{row.first}+"
    return str(row.first) if row.first == row.last else f"{row.first}–{row.last}"


def _fading(found: LookBack) -> Markup | None:
    if not found.fading:
        return None
    points = [Point(float(days), share, "now" if days == 0 else str(days)) for days, share in found.fading]
    rows = [["now" if days == 0 else counted(days, "day"), f"{share:.0%}"] for days, share in found.fading]
    (_, first), (days, last) = found.fading[0], found.fading[-1]
    says = (
        f"You would recall about {first:.0%} of your {counted(found.reviewed_cards, 'reviewed card')} now, and "
        f"{last:.0%} in {days} days without a review."
    )
    text = Text("fading", "What would fade without reviews", says)
    return charts.line(text, points, Table(("In", "expected recall"), rows), x_name="days from now", y_name="recalled")


def _due(found: LookBack) -> Markup | None:
    if not any(number for _, number in found.forecast):
        return None
    rows = [
        Bar(str(day.day), number, str(number), f"{day:%a} {day.day} {day:%b}") for day, number in found.forecast
    ]  # fmt: skip
    total, now = sum(number for _, number in found.forecast), found.forecast[0][1]
    says = (
        f"{counted(total, 'card or point', 'cards and points')} in {len(rows)} days, {now} of them by the end of today."
    )
    text = Text("due", "Due for review", says)
    return charts.columns(text, rows, heads=("Day", "due"), x_name="day of the month", y_name="cards and points due")


def _calibration(found: Calibration) -> Markup:
    if found.brier is None:
        says = (
            f"From {ENOUGH_GUESSES} guesses on, this shows whether you are right as often as you are sure. "
            f"There {'is' if found.guesses == 1 else 'are'} {found.guesses} so far; reviews and drills ask for them."
        )
        return too_little(Text("calibration", "How sure you were", says))
    points = [Guessed(b.confidence, b.outcome, b.guesses, f"{b.low:.0%} to {b.high:.0%}") for b in found.curve]
    says = (
        f"{counted(found.guesses, 'guess', 'guesses')}, {bias_shown(found)}. "
        "Dots on the diagonal are right as often as you were sure; a dot's figure is its number of guesses."
    )
    return charts.calibration(Text("calibration", "How sure you were, and how often that came true", says), points)


def bias_shown(found: Calibration) -> str:
    """Whether confidence runs ahead of what comes of it, in words; empty where too little is known."""
    if found.bias is None:
        return ""
    points = round(100 * abs(found.bias))
    if points <= 5:
        return "on average about as sure as right"
    return f"on average {counted(points, 'point')} {'surer than right' if found.bias > 0 else 'less sure than right'}"


def brier_shown(found: Calibration) -> str:
    """What the Brier score says, in a sentence or two; empty where too little is known."""
    if found.brier is None or found.unskilled is None:
        return ""
    more = "more" if found.brier < found.unskilled - 0.005 else "no more"
    return (
        f"Your Brier score is {found.brier:.2f}: the mean squared distance between how sure you were and what came of "
        f"it. 0 is perfect, and always saying 50% gives at most 0.25. Always saying your own average would give "
        f"{found.unskilled:.2f}, so your confidence tells {more} than your average does."
    )


def _days(found: LookBack) -> Markup:
    if not found.days.done:
        says = "Days on which you answer, review or write something show here."
        return too_little(Text("days", "Days studied", says))
    says = f"Something was done on {counted(len(found.days.done), 'day')} since {day_shown(found.first, found.last)}."
    text = Text("days", "Days studied", says)
    return charts.calendar(text, found.days.done, found.first, found.last, unit="done")


def _weeks(found: LookBack) -> Markup | None:
    if not any(seconds for _, seconds in found.weeks):
        return None
    rows = [
        Bar(f"{day.day} {day:%b}", seconds / 60, lasting(seconds), f"week of {day_shown(day, found.last)}")
        for day, seconds in found.weeks
    ]
    says = f"{lasting(sum(seconds for _, seconds in found.weeks))} in {counted(len(rows), 'week')}."
    text = Text("weeks", "Time by week", says)
    return charts.columns(text, rows, heads=("Week", "time"), x_name="week from Monday", y_name="minutes")


def spent_shown(found: LookBack) -> list[tuple[str, str]]:
    """What the time went to, the most first."""
    rows = sorted(found.seconds.items(), key=lambda pair: -pair[1])
    return [(_SPENT.get(kind, kind), lasting(seconds)) for kind, seconds in rows]


def _list(**wanted: object) -> str:
    return f"/progress/cards?{urlencode(wanted)}"
