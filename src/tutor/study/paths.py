"""Ways through the curriculum: what to learn before a card, what it hangs together with, and maps of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tutor.curriculum.outline import CardLine, Outline
from tutor.study.progress import CardProgress, Status

EdgeKind = Literal["before", "related"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A card on the way; ``minutes`` are left, less than ``read_min`` + ``probe_min`` where it is begun."""

    card: str
    title: str
    tier: int
    status: Status
    minutes: int
    why: str


@dataclass(frozen=True, slots=True)
class Path:
    """``stages`` in order, the goal last; ``left_out`` is mastered or said to be known and not gone below."""

    goal: str
    stages: tuple[Stage, ...]
    left_out: tuple[str, ...]

    @property
    def minutes(self) -> int:
        return sum(stage.minutes for stage in self.stages)

    @property
    def hours(self) -> float:
        return round(self.minutes / 60, 1)


@dataclass(frozen=True, slots=True)
class Ties:
    """What a card hangs together with; ids, ``threads`` and ``plans`` too."""

    card: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    related: tuple[str, ...]
    threads: tuple[str, ...]
    plans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A card on a map."""

    id: str
    title: str
    phase: int
    tier: int
    status: Status


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` comes before ``target``, or the two are related."""

    source: str
    target: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Map:
    """Cards and how they hang together; every edge is between two of its nodes."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def path_to(outline: Outline, goal: str, found: Mapping[str, CardProgress], *, have: Collection[str] = ()) -> Path:
    """The fewest cards to learn up to ``goal``, each after what it builds on.

    What is mastered, or in ``have``, is left out with all that only it needs. The goal itself is always there. Among
    cards that could come next, the one on which most of the way depends comes first, then by phase.

    Args:
        outline: the curriculum, free of circles (``tutor corpus check``); a circle is cut where it closes.
        goal: a card's id.
        found: progress of every card.
        have: ids of cards that are known.

    Raises:
        KeyError: there is no such card.
    """
    known = {*have, *(name for name, card in found.items() if card.status == "mastered")} - {goal}
    needed: dict[str, str] = {goal: "your goal"}
    left_out: dict[str, None] = {}
    waiting = [outline.cards[goal]]
    while waiting:
        card = waiting.pop(0)
        for name in card.prerequisites:
            if name in known:
                left_out.setdefault(name)
            elif name in outline.cards and name not in needed:
                needed[name] = f"{card.title} builds on it"
                waiting.append(outline.cards[name])
    stages = [_stage(outline.cards[name], found, needed[name]) for name in _ordered(outline, needed)]
    return Path(goal, tuple(stages), tuple(left_out))


def _ordered(outline: Outline, needed: Mapping[str, str]) -> list[str]:
    """Each after its prerequisites; of several that could come next the one that carries most of the others."""
    below = {name: {p for p in outline.cards[name].prerequisites if p in needed} for name in needed}
    carries = {name: len(_above(name, below)) for name in needed}
    done: list[str] = []
    while len(done) < len(needed):
        rest = [name for name in needed if name not in done]
        ready = [name for name in rest if below[name] <= set(done)] or rest  # or: a circle
        done.append(min(ready, key=lambda n: (-carries[n], outline.cards[n].phase, n)))
    return done


def _above(name: str, below: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        for other, needs in below.items():
            if at in needs and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _stage(card: CardLine, found: Mapping[str, CardProgress], why: str) -> Stage:
    status = found[card.id].status if card.id in found else "not-started"
    minutes = card.probe_min + (card.read_min if status == "not-started" else 0)
    return Stage(card.id, card.title, card.tier, status, minutes, why)


def ties(outline: Outline, name: str) -> Ties:
    """What a card hangs together with.

    Raises:
        KeyError: there is no such card.
    """
    card = outline.cards[name]
    naming = (other.id for other in outline.cards.values() if name in other.related)
    plans = [plan.id for plan in outline.plans.values() if name in named(plan.steps)]
    return Ties(
        name,
        tuple(p for p in card.prerequisites if p in outline.cards),
        tuple(other.id for other in outline.cards.values() if name in other.prerequisites),
        tuple(dict.fromkeys([*(r for r in card.related if r in outline.cards), *naming])),
        tuple(thread.id for thread in outline.threads if name in thread.cards),
        tuple(plans),
    )


def named(steps: Iterable[object]) -> set[str]:
    """The cards that steps of a plan name, and their parts."""
    found: set[str] = set()
    for step in steps:
        found.update(getattr(step, "cards", ()))
        found |= named(getattr(step, "parts", ()))
    return found


def map_of(outline: Outline, found: Mapping[str, CardProgress], cards: Iterable[str] | None = None) -> Map:
    """A map of some cards, or of all; related cards are tied once, in either direction."""
    chosen = list(outline.cards) if cards is None else [name for name in dict.fromkeys(cards) if name in outline.cards]
    inside = set(chosen)
    edges: dict[tuple[str, str], Edge] = {}
    for name in chosen:
        for before in outline.cards[name].prerequisites:
            if before in inside:
                edges[before, name] = Edge(before, name, "before")
    for name in chosen:
        for other in outline.cards[name].related:
            if other in inside and (name, other) not in edges and (other, name) not in edges:
                edges[name, other] = Edge(name, other, "related")
    nodes = (
        Node(c.id, c.title, c.phase, c.tier, found[c.id].status if c.id in found else "not-started")
        for c in (outline.cards[name] for name in chosen)
    )
    return Map(tuple(nodes), tuple(edges.values()))


_COLOURS: Mapping[Status, str] = {"not-started": "#eeeeee", "learning": "#ffe8a3", "mastered": "#b7e4c0"}


def mermaid(drawn: Map) -> str:
    """The map as a Mermaid flowchart; related cards by dotted lines."""
    name = {node.id: f"n{number}" for number, node in enumerate(drawn.nodes)}  # "end" and the like are reserved words
    lines = ["flowchart LR"]
    for node in drawn.nodes:
        title = node.title.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;")
        lines.append(f'  {name[node.id]}["{title}"]:::{_class(node.status)}')
    lines += [f"  {name[e.source]} {'-->' if e.kind == 'before' else '-.-'} {name[e.target]}" for e in drawn.edges]
    lines += [
        f"  classDef {_class(status)} fill:{colour},stroke:#555,color:#111" for status, colour in _COLOURS.items()
    ]
    return "\n".join(lines) + "\n"


def _class(status: Status) -> str:
    return status.replace("-", "")


def dot(drawn: Map) -> str:
    """The map in the language of Graphviz."""
    lines = [
        "digraph curriculum {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica"];',
    ]
    for node in drawn.nodes:
        label = json.dumps(node.title, ensure_ascii=False)
        lines.append(f'  "{node.id}" [label={label}, fillcolor="{_COLOURS[node.status]}"];')
    for edge in drawn.edges:
        how = "" if edge.kind == "before" else " [style=dotted, dir=none]"
        lines.append(f'  "{edge.source}" -> "{edge.target}"{how};')
    return "\n".join([*lines, "}"]) + "\n"
