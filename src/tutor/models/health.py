"""One tiny request, to see whether a model answers and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tutor.errors import GenerationError
from tutor.models.port import LanguageModel, Message, Usage

_ASKED = (Message("user", "Count from one to twenty in words."),)
_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Health:
    """How a model answered: seconds to the first piece, pieces' tokens a second after it, and what it took.

    ``fault`` is why it did not; the rest is then what came before.
    """

    first_s: float | None
    tokens_per_s: float | None
    usage: Usage | None
    fault: str = ""


def check(model: LanguageModel, clock: Callable[[], float] = time.monotonic) -> Health:
    """Ask for a few words; counts against the day's budget like any other request."""
    began, first = clock(), None
    pieces = 0
    try:
        reply = model.stream(_ASKED, max_tokens=_TOKENS)
        try:
            for _ in reply:
                first = clock() if first is None else first
                pieces += 1
        finally:
            reply.close()
    except GenerationError as error:
        return Health(None if first is None else first - began, None, None, error.message)
    if first is None:
        return Health(None, None, reply.usage, "the reply was empty")
    took = clock() - first
    tokens = pieces if reply.usage.estimated else reply.usage.completion_tokens
    rate = (tokens - 1) / took if tokens > 1 and took > 0 else None
    return Health(first - began, rate, reply.usage)
