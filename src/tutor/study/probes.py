"""Which question of a card is asked next, and which questions are due: pure; from answers and what is reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import CardLine, Outline, ProbeLine
from tutor.study.below import Pulled
from tutor.study.days import day_of
from tutor.study.lookup import known
from tutor.study.progress import FAILED, Answered
from tutor.study.schedule import Deck, Item


def probe_of(card: CardLine, answers: Sequence[Answered], points: Sequence[Item]) -> str:
    """The probe to ask, by the answers to the card: most points due, failed last, never asked, asked longest ago."""
    last = {a.probe: (number, a.verdict) for number, a in enumerate(answers)}

    def rank(probe: ProbeLine) -> tuple[int, bool, int]:
        number, verdict = last.get(probe.id, (-1, ""))
        return -sum(p.probe == probe.id for p in points), verdict not in FAILED, number

    return min(card.probes, key=rank).id if card.probes else ""


def by_card_of(answers: Iterable[Answered]) -> dict[str, list[Answered]]:
    """Answers by card, in their order."""
    found: dict[str, list[Answered]] = {}
    for answer in answers:
        found.setdefault(answer.card, []).append(answer)
    return found


def due_probes(
    outline: Outline,
    deck: Deck,
    answers: Sequence[Answered],
    *,
    until: datetime,
    zone: ZoneInfo,
    below: Sequence[Pulled] = (),
) -> dict[tuple[str, str], date]:
    """The questions to drill by what is due, by card and probe, with the day since when; the likeliest forgotten first.

    Of a card that is due it is the one that ``probe_of`` chooses; of a point that is due it is the point's own.

    Args:
        outline: the curriculum; what it has no more is passed over.
        deck: what is reviewed.
        answers: graded answers, the oldest first.
        until: the end of the learner's day.
        zone: the learner's.
        below: what is due because of what failed lately; it comes last.
    """
    due = [item for item in deck.due(until) if known(outline, item.ref)]
    by_card = by_card_of(answers)
    points: dict[str, list[Item]] = {}
    for item in due:
        if item.ref != item.card:
            points.setdefault(item.card, []).append(item)
    found: dict[tuple[str, str], date] = {}
    for item in due:
        mine = points.get(item.card, ())
        of_card = item.ref == item.card
        probe = probe_of(outline.cards[item.card], by_card.get(item.card, ()), mine) if of_card else item.probe
        if probe:
            key, since = (item.card, probe), day_of(item.due, zone)
            found[key] = min(since, found.get(key, since))
    for one in below:
        if probe := probe_of(outline.cards[one.card], by_card.get(one.card, ()), points.get(one.card, ())):
            found.setdefault((one.card, probe), day_of(one.since, zone))
    return found
