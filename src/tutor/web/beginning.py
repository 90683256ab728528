"""How a drill that is asked for over HTTP or MCP begins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tutor.drill.choosing import start_chosen
from tutor.drill.engine import Drills
from tutor.drill.formats import Selection
from tutor.drill.records import Session
from tutor.errors import TutorError, UsageError
from tutor.studying import cards_ahead
from tutor.web.schemas import DrillIn

if TYPE_CHECKING:
    from tutor.web.core import Core

_log = logging.getLogger(__name__)


def beginning(asked: DrillIn, ahead: Sequence[str] = ()) -> Callable[[Drills], Session]:
    """What starts the drill that is asked for; ``ahead`` are the cards that plans come to next.

    The function raises:
        NotFound: no such card, probe or exercise, or nothing is due.
        UsageError: the parts do not fit together.
    """

    def begin(drills: Drills) -> Session:
        if asked.choose:
            narrowed = asked.model_fields_set - {"choose", "count", "seed"}
            if any(getattr(asked, name) for name in narrowed):
                raise UsageError(
                    "what is chosen for you goes with a count and a seed only",
                    about=", ".join(sorted(name for name in narrowed if getattr(asked, name))),
                    fix="Leave it out, or choose yourself.",
                )
            count = 1 if asked.count is None else asked.count
            return start_chosen(drills, count, ahead=ahead, seed=asked.seed)
        only = drills.due_or_weak(due=asked.due, weak=asked.weak) if asked.due or asked.weak else None
        cards = drills.thread(asked.thread) if asked.thread else ()
        chosen = Selection(
            cards=cards, phases=asked.phases, tiers=asked.tiers, only=only, count=asked.count, seed=asked.seed
        )
        return drills.start(asked.request, kind=asked.format, card=asked.card, chosen=chosen)

    return begin


def ahead_of(core: Core) -> Sequence[str]:
    """The cards that the learner's plans come to next; none where the store does not answer, which the log says."""
    try:
        return core.study(cards_ahead)
    except TutorError as fault:  # the drills have their own results: a set can be chosen without plans
        _log.warning("nothing is chosen by your plans. %s", fault.message)
        return ()
