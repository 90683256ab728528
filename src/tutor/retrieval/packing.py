"""Token vectors in one byte an entry, for an engine whose bytes have no sign.

Qdrant's 8-bit vectors, stored ones and a query's, have entries of 0 to 255, and its dot product knows of no offset. A
signed entry y is stored as y + 128, a question's x asked as x + 128, and the engine adds up::

    (x + 128) · (y + 128)  =  x · y  +  128 Σx  +  128 Σ(y + 128)

The second term is the question's own. The third is made the same for every stored vector, so that the order is that of
x · y: a rotation into one dimension more, where the entries of every vector sum to 0, and one last entry for what
rounding leaves over. The rotation also spreads an entry over all others, so that no encoder's large ones are cut. A
stored vector has ``packed_dims``, two entries more than were encoded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tutor.retrieval.index import Vector

Packed = NDArray[np.uint8]

_MIDDLE, _MOST = 128, 127
#: Standard deviations of a unit vector's entry (1 / √dims) that the bytes reach; what is beyond is cut. Of 6,484 tokens
#: of the curriculum the largest entry is 4.1 of them.
_REACH = 5.0


def packed_dims(dims: int) -> int:
    """Entries of a stored vector for one of ``dims`` dimensions."""
    return dims + 2


def pack(vectors: Vector) -> Packed:
    """Unit vectors (n, dims) as they are stored, (n, packed_dims)."""
    dims = vectors.shape[1]
    entries = np.rint(vectors @ _rotation(dims) * _scale(dims)).clip(-_MOST, _MOST)
    rest = -entries.sum(axis=1, keepdims=True).clip(-_MOST, _MOST)
    return (np.hstack([entries, rest]) + _MIDDLE).astype(np.uint8)


def unpack(stored: Vector) -> Vector:
    """Stored vectors (n, packed_dims) as (n, dims), each entry right to half a step; ``pack`` gives the same bytes."""
    dims = stored.shape[1] - 2
    return np.asarray((stored[:, :-1] - _MIDDLE) @ _rotation(dims).T / _scale(dims), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class PackedQuery:
    """A question's token vectors (n, packed_dims) for the engine, and what its scores mean."""

    vectors: Packed
    scale: float
    constant: float

    def max_sim(self, score: float) -> float:
        """The MaxSim that the engine's ``score`` stands for: the sum over the question's tokens of the best cosine."""
        return (score - self.constant) / self.scale


def pack_query(tokens: Vector) -> PackedQuery:
    """A question's token vectors (n, dims); the largest entry takes the whole of the byte."""
    count, dims = tokens.shape
    entries = tokens @ _rotation(dims)
    scale = _MOST / max(float(np.abs(entries).max(initial=0.0)), 1e-6)
    entries = np.rint(entries * scale)
    last = np.zeros((count, 1))  # x = 0 against what rounding left over: it counts for the sum only
    vectors = (np.hstack([entries, last]) + _MIDDLE).astype(np.uint8)
    constant = _MIDDLE * float(entries.sum()) + count * _MIDDLE * _MIDDLE * packed_dims(dims)
    return PackedQuery(vectors, scale * _scale(dims), constant)


def _scale(dims: int) -> float:
    """Steps of a byte in 1; no entry of a unit vector is beyond 1."""
    return _MOST / min(1.0, _REACH / math.sqrt(dims))


@lru_cache(maxsize=4)
def _rotation(dims: int) -> Vector:
    """Orthonormal rows (dims, dims + 1) that each sum to 0: the discrete cosine transform (Ahmed, Natarajan & Rao 1974)
    without its first row, the constant one. Signs without a pattern keep equal entries from gathering in one."""
    more = dims + 1
    row = np.arange(1, more)[:, np.newaxis]
    waves = np.cos(math.pi / more * row * (np.arange(more) + 0.5))
    return np.asarray(math.sqrt(2.0 / more) * np.sign(np.sin(row * row)) * waves, dtype=np.float32)
