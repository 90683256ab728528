"""What the commands of studying share: the desk, opened and closed, and lines of a table that fit the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from tutor.cli.desk import opened
from tutor.cli.lines import bar as bar
from tutor.cli.lines import counted as counted
from tutor.cli.lines import line as line
from tutor.cli.lines import minutes as minutes
from tutor.cli.lines import note as note
from tutor.cli.state import State
from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.study.desk import Study


@contextmanager
def studying(context: typer.Context) -> Iterator[Study]:
    """The desk of the common options; tells once what its store has to tell."""
    state: State = context.obj
    with opened(state.settings()) as study:
        yield study


def after_drill(core: App, session_id: str) -> None:
    """Take a drill's grades into progress. A fault is told and no more: the drill keeps its results for next time."""
    try:
        session = core.drills.store.load(session_id)
        if cards := {task.card for task, done in zip(session.tasks, session.rounds, strict=False) if done.grade}:
            core.study.sync()
            _offer(core.study, cards - {""})
    except TutorError as fault:
        print(f"tutor: your progress is not up to date, the drill is kept. {fault.message}", file=sys.stderr)


def _offer(study: Study, cards: set[str]) -> None:
    """Say on standard error which open items of plans are about cards that were drilled."""
    from tutor.study.offers import of_cards
    from tutor.study.taken import followed
    from tutor.studying import plans_of

    with study.store.read() as session:
        if not followed(session, study.store.learner):
            return
    for offer in of_cards(plans_of(study).under_way(), cards):
        print(f"tutor: it is in your plan. Tick it off when you know the rest: {offer.command}", file=sys.stderr)
