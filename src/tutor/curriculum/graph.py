"""How cards hang together: what comes before what, and the way to a card."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tutor.curriculum.card import Card


def path_to(cards: Mapping[str, Card], goal: str, *, known: Collection[str] = ()) -> list[str]:
    """Ids of the cards to learn before ``goal`` and ``goal`` itself, each after its prerequisites.

    Args:
        cards: id → card; prerequisites must be free of circles (``tutor corpus check``).
        goal: the id of a card.
        known: ids that need not be learnt, nor what only they need.

    Raises:
        KeyError: there is no such card.
    """
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in known or name in ordered:
            return
        for before in cards[name].prerequisites:
            visit(before)
        ordered.append(name)

    visit(goal)
    return ordered


def circle(cards: Mapping[str, Card]) -> list[str]:
    """One circle of prerequisites, its first card repeated at the end; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done or name not in cards:
            return []
        for before in cards[name].prerequisites:
            if found := visit(before, [*path, name]):
                return found
        done.add(name)
        return []

    for name in cards:
        if found := visit(name, []):
            return found
    return []
