"""The untrained encoder's dense vectors: what the anchor holds on to, and the guide to likely false negatives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import MultiVectorEncoder

from tutor.ingest.records import content_hash
from tutor.training.model import encode


class Upstream:
    """Dense vectors of an encoder as it is now, kept in ``cache`` (.npz) from run to run, bf16's and fp32's apart."""

    def __init__(self, model: MultiVectorEncoder, cache: Path, *, bf16: bool) -> None:
        self._model, self._bf16 = model, bf16
        self._cache = cache.with_stem(f"{cache.stem}-{'bf16' if bf16 else 'fp32'}")
        self._known: dict[str, NDArray[np.float32]] = {}
        if self._cache.is_file():
            with np.load(self._cache) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors (n, hidden) of ``texts``."""
        keys = [content_hash(text) for text in texts]
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}:
            self._known.update(zip(new, encode(self._model, list(new.values()), bf16=self._bf16), strict=True))
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._cache, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        return np.stack([self._known[key] for key in keys])
