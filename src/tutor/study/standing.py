"""Where a learner stands, made of what the store keeps. Pure: the same from whatever has read the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tutor.curriculum.outline import Outline
from tutor.study.below import Pulled, pulled
from tutor.study.evidence import GradedTask, Noted, answers
from tutor.study.progress import Answered, CardProgress, progress
from tutor.study.schedule import Deck, Item
from tutor.study.words import deck_of

if TYPE_CHECKING:  # what lays plans out is not loaded for who follows none
    from tutor.study.followed import Followed


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store keeps of a learner, read in one moment.

    ``items`` by ref, ``tasks`` by session and task, ``marks`` the oldest first; ``rated`` has by ref the last rating
    and its time. ``followed`` are the plans under way, None where they were not read along.
    """

    items: Sequence[Item]
    tasks: Mapping[tuple[str, int], GradedTask]
    marks: Sequence[Noted]
    rated: Mapping[str, tuple[int, datetime]]
    followed: Followed | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a learner stands at ``now``, read in one moment; ``followed`` and ``rated`` as in ``Kept``."""

    outline: Outline
    now: datetime
    deck: Deck
    marks: Sequence[Noted]
    tasks: Sequence[GradedTask]
    answers: Sequence[Answered]
    cards: Mapping[str, CardProgress]
    followed: Followed | None = None
    rated: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    @property
    def pulled(self) -> list[Pulled]:
        """What is due because of what failed lately."""
        return pulled(self.outline, self.cards, self.deck, self.answers, self.rated, self.now)

    @property
    def coming(self) -> Deck:
        """The deck, with what is due because of what failed lately as due since then: only to be looked at."""
        return self.deck.brought_forward({one.card: one.since for one in self.pulled})


def standing_of(outline: Outline, kept: Kept, *, now: datetime, retention: float, zone: ZoneInfo) -> Standing:
    """Where the learner stands at ``now``.

    Args:
        outline: the curriculum.
        kept: what the store keeps.
        now: the time, with a time zone.
        retention: the probability of recall at which a review is due, in (0, 1).
        zone: the learner's, whose days count.
    """
    deck, tasks = deck_of(kept.items, kept.marks, retention=retention, zone=zone), list(kept.tasks.values())
    answered = answers(tasks)
    found = progress(outline, kept.marks, answered, deck, kept.rated, now=now, zone=zone)
    return Standing(outline, now, deck, kept.marks, tasks, answered, found, kept.followed, kept.rated)
