"""Puts studying together by itself: ``tutor today`` does not wait for what encodes, searches and grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tutor.settings import Settings
from tutor.study.desk import Standing, Study

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.plans import Plans
    from tutor.study.store import StudyStore
    from tutor.study.today import Next
    from tutor.study.transfer import Transfer


def open_study(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Study:
    """Studying over the store, the built-in curriculum and the drills of a home; nothing is opened before it is used.

    Raises:
        SettingsError: the time zone is none.
    """
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.outline import outline
    from tutor.drill.results import evidence_of, viewed_rows
    from tutor.study.days import zone_of

    home, chosen = settings.home.expanduser(), settings.study
    drills = settings.own_home / "drills"
    study = Study(
        lambda: open_store(settings, clock=clock),
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        lambda: viewed_rows(drills),
        zone=zone_of(chosen.zone),
        minutes=chosen.minutes,
        retention=chosen.retention,
        clock=clock,
        words=lambda session, task, point: evidence_of(drills, session, task, point),
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
