"""An encoder that knows what it encoded before: a text's vectors depend on nothing but the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tutor.retrieval.encoder import Encoded, Encoder


class Remembering:
    """Encodes each text once, for as long as it lives; for the rulers of a run, not for the product under test.

    Args:
        encoder: gives every text its vectors, whatever texts stand beside it.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Encoded] = {}

    def encode(self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None) -> list[Encoded]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if on_progress:
            on_progress(len(texts))
        return [self._known[text] for text in texts]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)
