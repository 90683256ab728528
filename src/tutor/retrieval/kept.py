"""Vectors of passages that were read before, as they are stored: the engine hands them out as lists, number by number.

Half of an answer's time went into those lists: 16 ms of 30 for 22 passages, against 1 ms for the query without them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutor.retrieval.index import DENSE, TOKENS, Vector
from tutor.retrieval.packing import Packed

#: Of passages; one has 9 KB with 75 tokens of 96 dimensions, so 27 MB at most. The curriculum has 2,810.
MOST = 3_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A passage's vectors: ``dense`` (dense_dims,), ``tokens`` (n, packed_dims), None where it has none."""

    dense: Vector | None
    tokens: Packed | None


class Kept:
    """The vectors of one generation's passages; it forgets those that were not asked for the longest.

    Args:
        most: how many passages.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Any, Stored] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, ids: Sequence[Any], read: Callable[[list[Any]], Sequence[Any]]) -> dict[Any, Stored]:
        """The vectors of points, by id.

        Args:
            ids: of the points.
            read: gives the engine's records of those that are not here, with their vectors.

        Raises:
            ValueError: a vector holds NaN or infinity, which no encoder writes.
        """
        found = {id: self._kept[id] for id in ids if id in self._kept}
        if missing := [id for id in ids if id not in found]:
            found |= {record.id: _stored(record.vector or {}) for record in read(missing)}
        for id in ids:
            self._kept[id] = found[id]
            self._kept.move_to_end(id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found


def finite(values: Any) -> Vector:
    """A stored vector, or one for each token, as an array.

    Raises:
        ValueError: it holds NaN or infinity, which no encoder writes.
    """
    vector = np.asarray(values, dtype=np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("a vector is not finite")
    return vector


def _stored(vectors: dict[str, Any]) -> Stored:
    dense, tokens = vectors.get(DENSE), vectors.get(TOKENS)
    return Stored(None if dense is None else finite(dense), None if tokens is None else finite(tokens).astype(np.uint8))
