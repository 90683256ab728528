"""Questions wait for their turn in the event loop, in the order in which they came.

Answers are made one at a time (``Core``). Where each of a hundred questions waited for that in a worker thread, all 40
threads were taken and a page behind them waited for the whole queue; a lock serves whom it likes; and the one answering
moved from thread to thread, each with memory of its own (docs/operations.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

T = TypeVar("T")

#: One that is answered and one that stands ready: it begins while the loop still takes the first one's answer.
PLACES = 2

_turn: RunVar[CapacityLimiter] = RunVar("turn")  # of an event loop: a server has one


async def in_turn(work: Callable[[], T]) -> T:
    """What ``work`` gives, in a worker thread, when all that came before is done but for ``PLACES`` - 1.

    Whoever is cancelled gives up the place; work that has begun is left to itself.
    """
    try:
        turn = _turn.get()
    except LookupError:
        turn = CapacityLimiter(PLACES)
        _turn.set(turn)
    return await run_sync(work, abandon_on_cancel=True, limiter=turn)
