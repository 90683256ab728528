"""What the map shows: all cards, or the way to a goal, or a thread; which of them stand out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tutor.curriculum.outline import CardLine, Outline, ThreadLine
from tutor.errors import NotFound
from tutor.study import paths
from tutor.study.desk import Standing, Study
from tutor.study.lookup import card_of
from tutor.study.progress import Share, Status
from tutor.web.library import PHASES
from tutor.web.map_layout import Drawing, layout

MARKS: Mapping[Status, str] = {"not-started": "Not started", "learning": "Learning", "mastered": "Mastered"}
_MOST_FOUND = 30


@dataclass(frozen=True, slots=True)
class MapView:
    """The map as asked for.

    ``stands_out`` are the ids that are shown in full, the others are faded; empty: none is. ``counts`` are of all
    cards by mark, ``found`` the cards that match what was looked for.
    """

    drawing: Drawing
    cards: Mapping[str, CardLine]
    status: Mapping[str, Status]
    stands_out: frozenset[str]
    counts: Mapping[Status, int]
    shelves: Sequence[tuple[str, Sequence[CardLine]]]
    threads: Sequence[tuple[ThreadLine, Share]]
    found: Sequence[CardLine] = ()
    goal: CardLine | None = None
    path: paths.Path | None = None
    thread: ThreadLine | None = None
    whole: bool = True


def view(study: Study, *, goal: str = "", thread: str = "", find: str = "", whole: bool = False) -> MapView:
    """The map of all cards, or of a way or a thread alone unless ``whole``.

    Args:
        study: the learner's desk.
        goal: a card by id, title or alias: the shortest way to it.
        thread: a thread's id; ``goal`` comes first where both are given.
        find: words to look for in titles and aliases.
        whole: show all cards, those of the way or thread standing out.

    Raises:
        NotFound: no such card or thread.
        StudyFault: the store cannot be read.
    """
    at, outline = study.standing(), study.outline
    target = card_of(outline, goal) if goal else None
    path = study.path(target.id) if target else None
    followed = _thread(outline, thread) if thread and not target else None
    chosen: Sequence[str] = ()
    if path:
        chosen = [*path.left_out, *(stage.card for stage in path.stages)]
    elif followed:
        chosen = [card for card in followed.cards if card in outline.cards]
    found = _matching(outline, find) if find.strip() else []
    all_of_it = whole or not chosen
    status = {card: at.cards[card].status if card in at.cards else "not-started" for card in outline.cards}
    return MapView(
        drawing=_draw(outline, at, None if all_of_it else chosen, followed),
        cards=outline.cards,
        status=status,
        stands_out=frozenset(chosen if all_of_it and chosen else (card.id for card in found)),
        counts={mark: list(status.values()).count(mark) for mark in MARKS},
        shelves=_shelves(outline.cards.values()),
        threads=list(zip(outline.threads, study.threads(at), strict=True)),
        found=found,
        goal=target,
        path=path,
        thread=followed,
        whole=all_of_it,
    )


def _draw(outline: Outline, at: Standing, chosen: Sequence[str] | None, thread: ThreadLine | None) -> Drawing:
    drawn = paths.map_of(outline, at.cards, chosen)
    titles = {node.id: node.title for node in drawn.nodes}
    if chosen is not None and thread:  # in the thread's own order, whatever builds on what
        return layout({card: titles[card] for card in chosen}, list(pairwise(chosen)))
    before = [(edge.source, edge.target) for edge in drawn.edges if edge.kind == "before"]
    groups = {n.id: phase_name(n.phase) for n in drawn.nodes} if chosen is None else None
    return layout(titles, before, groups)


def phase_name(phase: int) -> str:
    """A phase as a heading."""
    return f"Phase {phase}: {PHASES[phase]}" if phase in PHASES else f"Phase {phase}"


def _thread(outline: Outline, name: str) -> ThreadLine:
    for thread in outline.threads:
        if thread.id == name:
            return thread
    raise NotFound("there is no such thread", about=name[:80], fix="The map lists all threads: /map")


def _matching(outline: Outline, find: str) -> list[CardLine]:
    """Cards with all the words in title or aliases; those with them in the title first."""
    words = find.lower().split()

    def has(text: str) -> bool:
        return all(word in text for word in words)

    inside = [card for card in outline.cards.values() if has(card.title.lower())]
    named = [c for c in outline.cards.values() if c not in inside and has(" ".join([*c.aliases, *c.tags]).lower())]
    return [*inside, *named][:_MOST_FOUND]


def _shelves(cards: Iterable[CardLine]) -> list[tuple[str, list[CardLine]]]:
    found: dict[int, list[CardLine]] = {}
    for card in cards:
        found.setdefault(card.phase, []).append(card)
    return [(phase_name(phase), shelf) for phase, shelf in sorted(found.items())]
