"""Is a change more than chance? Paired, over the same cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SEED = 20261122
_FLIPS = 20_000
_EXACT = 14  # changed cases up to which all flips are counted


def worse_p(before: Sequence[float], after: Sequence[float]) -> float:
    """One-sided p of a paired permutation test that ``after`` is lower by chance alone.

    Signs of the differences are flipped: all ways where few cases changed, at random otherwise (seeded, so that the
    same run always has the same p). Source: Fisher, The Design of Experiments (1935), section 21.

    Args:
        before, after: values of the same cases in the same order.

    Returns:
        In (0, 1]; 1.0 where nothing changed.
    """
    moved = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    moved = moved[moved != 0]
    if not len(moved):
        return 1.0
    if len(moved) <= _EXACT:
        signs = 1 - 2 * ((np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1)
        sums = (signs * np.abs(moved)).sum(axis=1)
        return float((sums <= moved.sum() + 1e-12).mean())
    random = np.random.default_rng(_SEED)
    signs = random.choice([-1.0, 1.0], size=(_FLIPS, len(moved)))
    sums = (signs * np.abs(moved)).sum(axis=1)
    return float(((sums <= moved.sum() + 1e-12).sum() + 1) / (_FLIPS + 1))


def interval(values: Sequence[float], share: float = 0.95, draws: int = 1_000) -> tuple[float, float]:
    """The bootstrap percentile interval of a mean (Efron and Tibshirani 1993, chapter 13); seeded.

    Returns:
        ``(low, high)``; both the value itself where there is one case.
    """
    found = np.asarray(values, dtype=float)
    random = np.random.default_rng(_SEED)
    means = found[random.integers(0, len(found), size=(draws, len(found)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
