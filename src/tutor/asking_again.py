"""Tells drills what the reviews make due, so that there is one truth of it; drills know nothing of studying."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime

from tutor.errors import TutorError
from tutor.study.days import day_of
from tutor.study.desk import Study

_log = logging.getLogger(__name__)


class ByReviews:
    """A schedule of drills (``drill.due.Schedule``) by what FSRS knows of cards and points.

    Where the study store does not answer the drills' own days count; the fault is told by who opens that store next.

    Args:
        study: opens a desk that nobody else uses; closed with ``close``.
        stored: whether there is a study store: asking what is due makes none.
    """

    def __init__(self, study: Callable[[], Study], stored: Callable[[], bool] = lambda: True) -> None:
        self._open = study
        self._stored = stored
        self._study: Study | None = None

    def due(self, now: datetime) -> Mapping[tuple[str, str], date] | None:
        """The day since when each probe is due that is so that day; None where there is no store, or it is silent."""
        if not self._stored():
            return None
        try:
            return self._desk().due_probes(now)
        except TutorError as fault:
            _log.warning("drills go by their own days. %s", fault.message)
            return None

    def again(self, card: str, otherwise: date | None) -> date | None:
        """The day a card is due again, with the drills up to now; None where it is suspended."""
        try:
            study = self._desk()
            study.sync()
            item = study.item(card)
        except TutorError as fault:
            _log.warning("drills go by their own days. %s", fault.message)
            return otherwise
        if item is None:
            return otherwise
        return None if item.suspended else day_of(item.due, study.zone)

    def close(self) -> None:
        """Let go of the store."""
        if self._study is not None:
            self._study.close()
            self._study = None

    def _desk(self) -> Study:
        if self._study is None:
            self._study = self._open()
            for news in self._study.store.news:
                _log.warning("%s", news)
        return self._study
