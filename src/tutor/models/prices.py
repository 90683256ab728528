"""What models cost, from a dated table; what is not in it is not known, and never free."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")  # a name's version, which costs the same


@cache
def table() -> dict[str, Any]:
    """The table as it is stored: prices by provider and model, with its date and sources."""
    read: dict[str, Any] = json.loads((files("tutor.models") / "prices.json").read_text(encoding="utf-8"))
    return read


def price(provider: str, model: str) -> tuple[float, float] | None:
    """US dollars for a million prompt and completion tokens; None where it is not known."""
    known = table().get(provider)
    found = known.get(_DATED.sub("", model)) if isinstance(known, dict) else None
    return (float(found[0]), float(found[1])) if found else None


def cost_of(provider: str, model: str, *, free: bool) -> Callable[[int, int], float | None]:
    """What prompt and completion tokens cost in US dollars, without discounts for cached prompts.

    Args:
        provider: as in ``llm.provider``.
        model: as the provider calls it.
        free: whether it runs on this machine.
    """
    found = price(provider, model)

    def cost(prompt: int, completion: int) -> float | None:
        if free:
            return 0.0
        if found is None or prompt > table()["up_to_prompt_tokens"]:  # longer prompts have prices of their own
            return None
        return (prompt * found[0] + completion * found[1]) / 1_000_000

    return cost
