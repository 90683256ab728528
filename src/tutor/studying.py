"""Puts studying together by itself: ``tutor today`` does not wait for what encodes, searches and grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tutor.settings import Settings
from tutor.study.desk import Standing, Study

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.plans import Plans
    from tutor.study.today import Next


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

    study = Study(
        store,
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        lambda: read_rows(home / "drills" / RESULTS),
        zone=zone_of(chosen.zone),
        minutes=chosen.minutes,
        retention=chosen.retention,
        clock=clock,
        words=lambda session, task, point: evidence_of(home / "drills", session, task, point),
    )
    study.planned = lambda standing: _planned(study, standing)
    return study


def _planned(study: Study, standing: Standing) -> Sequence[Next]:
    """What plans ask for; who follows none does not wait for them to load."""
    from tutor.study.taken import followed

    with study.store.read() as session:
        if not followed(session, study.store.learner):
            return ()
    return plans_of(study).next(_mastered(standing))


def plans_of(study: Study) -> Plans:
    """The plans of the same learner, store and clock."""
    from tutor.study.plans import Plans

    return Plans(
        lambda: study.store,
        lambda: study.outline,
        zone=study.zone,
        clock=lambda: study.clock(),
        mastered=lambda: _mastered(study.standing()),
    )


def _mastered(standing: Standing) -> list[str]:
    return [name for name, card in standing.cards.items() if card.status == "mastered"]
