"""How long the product takes, beside a piece of work that is always the same: a slow machine slows down both."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from tutor.evals.metrics import percentile
from tutor.retrieval.encoder import Encoder, OnnxEncoder

T = TypeVar("T")
#: About 130 tokens, so that a pass takes milliseconds, as what it is held beside does.
TEXT = (
    "A commit needs a quorum of replicas, so a leader that is cut off cannot acknowledge writes, and clients that talk "
    "to it wait until a new leader is elected in the larger part. A queue in front of the service keeps requests while "
    "it is down, and idempotent consumers make it harmless to deliver one twice. Caches, replicas and indexes are "
    "copies: each answers faster than the original and may answer with what was true a moment ago, so say for every "
    "read how old its answer may be, who repairs a copy that has fallen behind, and what the reader sees meanwhile."
)
EVERY = 4  # cases from one pass of the yardstick to the next


class Yardstick:
    """Passes of the packaged encoder over one text.

    Args:
        encoder: the packaged one when left out.
        clock: seconds, monotonic.
    """

    def __init__(self, encoder: Encoder | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._given = encoder
        self.clock = clock

    @cached_property
    def _encoder(self) -> Encoder:
        found = self._given or OnnxEncoder()
        found.encode([TEXT])  # the first pass loads the model
        return found

    def ms(self, texts: int) -> float:
        """Milliseconds of a pass over so many texts side by side, a core each."""
        encoder = self._encoder
        began = self.clock()
        encoder.encode([TEXT] * texts)
        return (self.clock() - began) * 1000


class Pace:
    """Times of one suite's cases, with passes of the yardstick between them.

    Args:
        yardstick: what they are held beside.
        texts: how many texts a pass of it takes: 1 beside work on one core, more beside work on all of them.
    """

    def __init__(self, yardstick: Yardstick, texts: int = 1) -> None:
        self._yardstick = yardstick
        self._texts = texts
        self._took: list[float] = []
        self._passes: list[float] = []

    def of(self, work: Callable[[], T]) -> T:
        """Do a case's work and note what it took; what fails is not noted."""
        if len(self._took) % EVERY == 0:
            self._passes.append(self._yardstick.ms(self._texts))
        began = self._yardstick.clock()
        done = work()
        self._took.append((self._yardstick.clock() - began) * 1000)
        return done

    def ms(self, share: float) -> float:
        """The percentile of the times in ms; NaN of none."""
        return percentile(self._took, share)

    def ratio(self, share: float) -> float:
        """The percentile of the times as a multiple of the same percentile of the yardstick's; NaN of none.

        A busy machine stretches the tails of both, so a tail is held beside a tail.
        """
        return self.ms(share) / percentile(self._passes, share)
