"""A small curriculum in outline, and a learner's answers to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline, PlanLine, PointLine, ProbeLine, StepLine, ThreadLine
from tutor.study.progress import Answered, CardProgress, Marked, progress
from tutor.study.reviews import GradedTask
from tutor.study.schedule import Deck

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


def card(
    name: str, *below: str, tier: int = 1, phase: int = 0, probes: int = 2, related: tuple[str, ...] = ()
) -> CardLine:
    """A card with probes p1, p2 … of points a and b each; reading it takes ten minutes."""
    made = tuple(
        ProbeLine(
            f"p{n}",
            "why-not" if n == 1 else "how",
            f"{name}: question {n}?",
            (
                PointLine("a", f"{name} {n} a", f"And a of {name}?"),
                PointLine("b", f"{name} {n} b", f"And b of {name}?"),
            ),
        )
        for n in range(1, probes + 1)
    )
    return CardLine(
        name, name.title(), phase, f"Section {phase}", tier, "high", "fundamental", (), (f"{name} alias",),
        (f"guide/{name}",), below, related, made, (f"Explain {name}.", f"Draw {name}."), 10,
    )  # fmt: skip


def curriculum(*cards: CardLine) -> Outline:
    """By default: disk, log on disk, queue on log, broker on queue and log, cache alone."""
    chosen = cards or (
        card("disk"),
        card("log", "disk"),
        card("cache", tier=2, phase=1, related=("disk",)),
        card("queue", "log", tier=2, phase=1),
        card("broker", "log", "queue", tier=3, phase=2, related=("cache",)),
    )
    step = StepLine("day-1", "Day 1", "", (), ("disk", "log"), (), (), (), (), (), (), "", (), ())
    plan = PlanLine("plan", "The plan", "About it", "day", False, (step,))
    thread = ThreadLine("thread", "From disk to broker", "Why.", ("disk", "broker"))
    return Outline({c.id: c for c in chosen}, {"plan": plan}, (thread,), {})


def deck(*rated: tuple[str, int, float]) -> Deck:
    """What was rated, each (ref, rating, days before ``NOW``)."""
    made = Deck([], retention=0.9, zone=ZONE)
    for ref, rating, days in sorted(rated, key=lambda r: -r[2]):
        made.rate(ref, rating, NOW - timedelta(days=days))  # type: ignore[arg-type]
    return made


def answered(name: str, verdict: str, days: float, probe: str = "p1", missed: tuple[str, ...] = ()) -> Answered:
    return Answered(name, probe, verdict, 0.5, NOW - timedelta(days=days), missed)


def graded(
    name: str, verdict: str, days: float, probe: str = "p1", *, score: float = 0.5, number: int = 0, **points: str
) -> GradedTask:
    at = NOW - timedelta(days=days)
    session = f"{at:%Y%m%d}-{number or int(at.timestamp()) % 0xFFFFFFF:08x}"
    return GradedTask(session, 1, name, probe, "probe", verdict, score, points, 3, 120.0, at)


def standing(
    outline: Outline,
    *answers: Answered,
    marks: tuple[Marked, ...] = (),
    rated: tuple[tuple[str, int, float], ...] = (),
    now: datetime = NOW,
) -> dict[str, CardProgress]:
    last = {ref: (rating, NOW - timedelta(days=days)) for ref, rating, days in sorted(rated, key=lambda r: -r[2])}
    return progress(outline, marks, answers, deck(*rated), last, now=now, zone=ZONE)
