"""Cards by what people call them: id, title, alias or item of the curriculum."""

from __future__ import annotations

import re
from difflib import get_close_matches

from tutor.curriculum.outline import CardLine, Outline, PointLine, ProbeLine
from tutor.errors import NotFound, UsageError


def card_of(outline: Outline, name: str) -> CardLine:
    """The card of a name.

    Raises:
        UsageError: the name is empty.
        NotFound: no card is called so; the nearest names are told.
    """
    wanted = _plain(name)
    if not wanted:
        raise UsageError("which card?", fix="As in: kafka")
    if (card := outline.cards.get(name.strip())) is not None:
        return card
    known = _called(outline)
    if wanted in known:
        return outline.cards[known[wanted]]
    near = dict.fromkeys(known[n] for n in get_close_matches(wanted, known, n=5, cutoff=0.6))
    near |= dict.fromkeys(known[n] for n in known if len(wanted) > 2 and wanted in n.split())
    few = list(near)[:3]
    raise NotFound(
        "no card is called so",
        about=" ".join(name.split())[:80],
        fix=f"Did you mean: {', '.join(few)}?" if few else "'tutor progress' lists them all.",
        near=few,
    )


def card_names(outline: Outline) -> list[str]:
    """What each card can be called by people: its title, or its id where the title is another's; by the alphabet."""
    known = _called(outline)
    found = [c.title if known[_plain(c.title)] == c.id and ";" not in c.title else c.id for c in outline.cards.values()]
    return sorted(found, key=str.casefold)


def _called(outline: Outline) -> dict[str, str]:
    """The id of a card by everything that it is called; the first of two that are called the same."""
    known: dict[str, str] = {}
    for card in outline.cards.values():
        for called in (card.id, card.title, *card.covers, *card.aliases):
            known.setdefault(_plain(called), card.id)
    return known


def point_of(outline: Outline, ref: str) -> tuple[CardLine, ProbeLine, PointLine] | None:
    """The card, probe and point of a ref ``card/probe/point``; None where the curriculum has it no more."""
    card_id, _, rest = ref.partition("/")
    probe_id, _, point_id = rest.partition("/")
    card = outline.cards.get(card_id)
    probe = next((p for p in card.probes if p.id == probe_id), None) if card else None
    point = next((p for p in probe.points if p.id == point_id), None) if probe else None
    return (card, probe, point) if card and probe and point else None


def known(outline: Outline, ref: str) -> bool:
    """Whether the curriculum has a card or point of that ref."""
    return ref in outline.cards or point_of(outline, ref) is not None


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()
