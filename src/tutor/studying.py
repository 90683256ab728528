"""Puts studying together by itself: ``tutor today`` does not wait for what encodes, searches and grades."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tutor.settings import Settings
from tutor.study.desk import Study

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.store import StudyStore
    from tutor.study.transfer import Transfer


def open_study(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Study:
    """Studying over the store, the built-in curriculum and the drills of a home; nothing is opened before it is used.

    Raises:
        SettingsError: the time zone is none.
    """
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.outline import outline
    from tutor.drill.results import RESULTS, evidence_of, read_rows
    from tutor.study.days import zone_of

    home, chosen = settings.home.expanduser(), settings.study

    return Study(
        lambda: open_store(settings, clock=clock),
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        lambda: read_rows(home / "drills" / RESULTS),
        zone=zone_of(chosen.zone),
        minutes=chosen.minutes,
        retention=chosen.retention,
        clock=clock,
        words=lambda session, task, point: evidence_of(home / "drills", session, task, point),
    )


def open_store(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> StudyStore:
    """The study store of a home, opened anew; to be closed."""
    from tutor.study.store import StudyStore

    home, chosen = settings.home.expanduser(), settings.study
    return StudyStore(home / "study.db", url=chosen.url, learner=chosen.learner, clock=clock, keep=chosen.backups)


def open_transfer(settings: Settings, study: Study, store: Callable[[], StudyStore], version: str) -> Transfer:
    """What takes out and brings in all that the learner has made."""
    from tutor.study.transfer import Transfer

    return Transfer(
        store,
        settings.home.expanduser(),
        clock=study.clock,
        retention=settings.study.retention,
        zone=study.zone,
        version=version,
        sync=study.sync,
        outline=lambda: study.outline,
    )
