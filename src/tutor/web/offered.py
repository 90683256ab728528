"""What of the learner's plans a drill may have done, for its pages: they show the grade whatever the plans say."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tutor.errors import StudyFault
from tutor.study.offers import Offer, of_cards
from tutor.telemetry import failed
from tutor.web.core import Core


def offers_of(core: Core, cards: Collection[str]) -> Sequence[Offer]:
    """The open items of plans that are about cards; none while the study store does not answer."""
    try:
        return core.plans(lambda plans: of_cards(plans.under_way(), cards)) if any(cards) else ()
    except StudyFault as fault:
        failed(fault)
        return ()
