"""Whether a text is known already: MinHash over runs of five words (Broder 1997)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Signature = NDArray[np.uint64]
SIZE = 96
#: Share of equal entries from which two texts are one: an estimate of the Jaccard similarity of their runs of words.
#: A page under two addresses has about 1, with another sidebar 0.9; two papers on one subject have under 0.1.
SAME = 0.8
_RUN = 5
_WORD = re.compile(r"\w+")
_PRIME = np.uint64((1 << 31) - 1)
_random = np.random.default_rng(20261122)
_FACTORS = _random.integers(1, int(_PRIME), SIZE, dtype=np.uint64)
_ADDED = _random.integers(0, int(_PRIME), SIZE, dtype=np.uint64)


def signature(text: str) -> Signature:
    """The (96,) MinHash signature of a text; texts of fewer than five words share the one of nothing."""
    words = [word.encode() for word in _WORD.findall(text.lower())]
    runs = {zlib.crc32(b" ".join(words[at : at + _RUN])) for at in range(len(words) - _RUN + 1)}
    if not runs:
        return np.zeros(SIZE, dtype=np.uint64)
    # Both factors are under 2**31, so that the product stays under 2**62.
    hashed = np.fromiter(runs, dtype=np.uint64, count=len(runs)) % _PRIME
    found = [np.min((hashed * a + b) % _PRIME) for a, b in zip(_FACTORS, _ADDED, strict=True)]
    return np.array(found, dtype=np.uint64)


def twin(mine: Signature, others: Mapping[str, Signature]) -> str | None:
    """The name of the most similar other text, where it is as good as the same."""
    if not mine.any() or not others:
        return None
    names = list(others)
    shares = np.mean(np.stack([others[name] for name in names]) == mine, axis=1)
    best = int(np.argmax(shares))
    return names[best] if shares[best] >= SAME else None


def from_list(values: Sequence[int]) -> Signature:
    """A signature that was stored as numbers."""
    return np.array(values, dtype=np.uint64)
