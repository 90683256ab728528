"""Checks a folder of cards: each file alone, then what they say of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tutor.curriculum.card import Card
from tutor.curriculum.parse import parse_card
from tutor.errors import CardError


@dataclass(slots=True)
class CheckResult:
    """``cards`` are those that parse; ``problems`` one error a file."""

    cards: dict[str, Card] = field(default_factory=dict)
    problems: list[CardError] = field(default_factory=list)

    @property
    def probes(self) -> int:
        """How many probes the cards have together."""
        return sum(len(card.probes) for card in self.cards.values())

    @property
    def items(self) -> int:
        """How many different curriculum items the cards cover."""
        return len({item for card in self.cards.values() for item in card.covers})


def check_cards(folder: Path) -> CheckResult:
    """Parse every ``*.md`` below ``folder`` and check that references name cards that exist.

    Raises:
        CardError: there is no card in the folder.
    """
    result = CheckResult()
    files = sorted(folder.rglob("*.md"))
    if not files:
        raise CardError("there are no cards here", about=str(folder), fix="Name a folder with *.md cards.")
    for path in files:
        try:
            card, _ = parse_card(path.read_text(encoding="utf-8"), about=str(path), stem=path.stem)
        except CardError as error:
            result.problems.append(error)
        except (OSError, UnicodeDecodeError) as error:
            result.problems.append(CardError(f"cannot be read ({error})", about=str(path)))
        else:
            result.cards[card.id] = card
    for card in result.cards.values():
        for name in ("prerequisites", "related"):
            missing = [c for c in getattr(card, name) if c not in result.cards]
            if missing:
                result.problems.append(
                    CardError(f"no card has the id {', '.join(missing)}", about=f"{folder / card.id}.md: {name}")
                )
    if cycle := _cycle(result.cards):
        result.problems.append(CardError(f"prerequisites form a circle: {' > '.join(cycle)}", about=str(folder)))
    return result


def _cycle(cards: dict[str, Card]) -> list[str]:
    """One circle of prerequisites, first card repeated at the end; empty when there is none."""
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
