"""Puts studying together by itself: ``tutor today`` does not wait for what encodes, searches and grades."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tutor.settings import Settings
from tutor.study.desk import Study


def open_study(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Study:
    """Studying over the store, the built-in curriculum and the drills of a home; nothing is opened before it is used.

    Raises:
        SettingsError: the time zone is none.
    """
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.outline import outline
    from tutor.drill.results import RESULTS, evidence_of, read_rows
    from tutor.study.days import zone_of
    from tutor.study.store import StudyStore

    home, chosen = settings.home.expanduser(), settings.study

    def store() -> StudyStore:
        return StudyStore(home / "study.db", url=chosen.url, learner=chosen.learner, clock=clock, keep=chosen.backups)

    return Study(
        store,
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        lambda: read_rows(home / "drills" / RESULTS),
        zone=zone_of(chosen.zone),
        minutes=chosen.minutes,
        retention=chosen.retention,
        clock=clock,
        words=lambda session, task, point: evidence_of(home / "drills", session, task, point),
    )
