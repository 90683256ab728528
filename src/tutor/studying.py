"""Puts studying together by itself: ``tutor today`` does not wait for what encodes, searches and grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tutor.plain import Studying
from tutor.study.days import day_of
from tutor.study.desk import Standing, Study
from tutor.study.whose import own_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.study.plans import Plans
    from tutor.study.standing import Kept
    from tutor.study.store import StudyStore
    from tutor.study.today import Next
    from tutor.study.transfer import Transfer


def open_study(
    settings: Studying,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    glance: bool = False,
    told: Callable[[str], None] = lambda news: None,
) -> Study:
    """Studying over the store, the built-in curriculum and the drills of a home; nothing is opened before it is used.

    Args:
        settings: what it goes by.
        clock: the time now, with a time zone.
        glance: where rows only have to be read, do not load what writes them: for a process of one command.
        told: called with what a learner has to be told of once the store is opened.

    Raises:
        SettingsError: the time zone is none.
    """
    from tutor.curriculum import builtin_corpus
    from tutor.curriculum.outline import outline
    from tutor.drill.results import evidence_of, viewed_rows
    from tutor.study.days import zone_of

    home, chosen = settings.home.expanduser(), settings.study
    drills = own_home(home, chosen.learner) / "drills"

    def opened() -> StudyStore:
        store = open_store(settings, clock=clock)
        for news in store.news:
            told(news)
        return store

    study = Study(
        opened,
        lambda: outline(builtin_corpus(), home / "cache" / "outline.json"),
        lambda: viewed_rows(drills),
        zone=zone_of(chosen.zone),
        minutes=chosen.minutes,
        retention=chosen.retention,
        clock=clock,
        words=lambda session, task, point: evidence_of(drills, session, task, point),
        glance=lambda: _glance(settings, clock()) if glance else None,
    )
    study.planned = lambda standing: _planned(study, standing)
    return study


def _glance(settings: Studying, now: datetime) -> Kept | None:
    """What the store of a home keeps, read as it lies there; None where that is not enough, as on a server."""
    if settings.study.url:
        return None
    from tutor.study.glance import glance

    return glance(_file(settings), settings.study.learner, now=now, keep=settings.study.backups)


def _file(settings: Studying) -> Path:
    return settings.home.expanduser() / "study.db"


def _planned(study: Study, standing: Standing) -> Sequence[Next]:
    """What plans ask for; who follows none does not wait for them to load."""
    if standing.followed is not None:
        if not standing.followed:
            return ()
        from tutor.study.followed import next_items, tables_of

        today = day_of(standing.now, study.zone)
        known = _mastered(standing)
        return next_items(tables_of(standing.outline, standing.followed, today, known), known)
    from tutor.study.taken import followed

    with study.store.read() as session:
        if not followed(session, study.store.learner):
            return ()
    return plans_of(study, standing).next(_mastered(standing))


def cards_ahead(study: Study) -> list[str]:
    """The cards that the plans under way come to next, what is due first, without those that are mastered.

    Raises:
        StudyFault: the store does not answer.
    """
    from tutor.study.taken import followed

    with study.store.read() as session:
        if not followed(session, study.store.learner):
            return []
    from tutor.study.ahead import ahead

    standing = study.standing()
    mastered = set(_mastered(standing))
    return [card for card in ahead(plans_of(study, standing).under_way()) if card not in mastered]


def plans_of(study: Study, standing: Standing | None = None) -> Plans:
    """The plans of the same learner, store and clock; what is mastered as of ``standing``, or of when it is asked."""
    from tutor.study.plans import Plans

    return Plans(
        lambda: study.store,
        lambda: study.outline,
        zone=study.zone,
        clock=lambda: study.clock(),
        mastered=lambda: _mastered(standing or study.standing()),
    )


def _mastered(standing: Standing) -> list[str]:
    return [name for name, card in standing.cards.items() if card.status == "mastered"]


def open_store(settings: Studying, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> StudyStore:
    """The study store of a home, opened anew; to be closed."""
    from tutor.study.store import StudyStore

    chosen = settings.study
    return StudyStore(_file(settings), url=chosen.url, learner=chosen.learner, clock=clock, keep=chosen.backups)


def open_transfer(settings: Studying, study: Study, store: Callable[[], StudyStore], version: str) -> Transfer:
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
