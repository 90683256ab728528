"""Figures on a length: where a value lies, and round ticks beside it; for every chart that is drawn here."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of figures along a length, both in any direction; ``ticks`` are (position, label)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The position of a value, kept inside the axis; its start where all values are one."""
        if self.high == self.low:
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        step = _step((self.high - self.low) / 4)
        digits = next(d for d in range(12) if math.isclose(round(step, d), step))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(i * step), f"{i * step:,.{digits}f}") for i in range(first, last + 1)]


def _step(least: float) -> float:
    """The next round figure; none is more than twice the last, so that there are always two ticks."""
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= least * (1 - 1e-9))
