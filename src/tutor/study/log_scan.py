"""Many short texts looked through as one long one: ten thousand of them in a few milliseconds for each thing wanted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from itertools import accumulate


class Scan:
    """Texts by name, in their order of preference."""

    def __init__(self, texts: Iterable[tuple[str, str]] = ()) -> None:
        pairs = list(texts)
        self._names = [name for name, _ in pairs]
        self._text = "\n".join(text for _, text in pairs)
        self._starts = list(accumulate((len(text) + 1 for _, text in pairs), initial=0))[:-1]

    def best(self, parts: Mapping[str, float], limit: int) -> list[str]:
        """Names of the texts with the highest sum of the weights of the ``parts`` in them, none of those without."""
        scores: dict[int, float] = {}
        for part, weight in parts.items():
            at = self._text.find(part) if part else -1
            while at >= 0:
                place = bisect_right(self._starts, at) - 1
                scores[place] = scores.get(place, 0.0) + weight
                following = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._text)
                at = self._text.find(part, following)  # once in a text is enough
        return [self._names[place] for _, place in nsmallest(limit, ((-score, p) for p, score in scores.items()))]
