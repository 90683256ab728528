"""Figures of rankings, decisions and agreement; pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def dcg(gains: Iterable[float]) -> float:
    """Discounted cumulative gain, best first: the sum of gain / log2(rank + 1) (Järvelin & Kekäläinen 2002)."""
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def ranking(found: Sequence[str], answers: Mapping[str, frozenset[str]], wanted: int) -> dict[str, float]:
    """Measures of one ranking, each in [0, 1].

    Args:
        found: ids, best first, each once.
        answers: for each id that answers, the wanted documents that it stands for: itself, or one on whose subject it
            is. A wanted document counts once, at the first that stands for it.
        wanted: how many wanted documents there are, at least 1.

    Returns:
        ``hit@1`` and ``hit@5`` (one that answers is among the first), ``recall@5`` (share of the wanted found among the
        first five, of at most five), ``precision@5`` (share of the first five that answers), ``mrr`` (1 / place of the
        first that answers), ``ndcg@10`` with binary relevance.
    """
    right = [name in answers for name in found[:10]]
    seen: set[str] = set()
    gains = []
    for name in found[:10]:
        new = answers.get(name, frozenset()) - seen
        seen |= new
        gains.append(float(bool(new)))
    of_five = {w for name in found[:5] for w in answers.get(name, ())}
    place = next((n for n, on in enumerate(right, 1) if on), 0)
    return {
        "hit@1": float(any(right[:1])),
        "hit@5": float(any(right[:5])),
        "recall@5": min(1.0, len(of_five) / min(5, wanted)),
        "precision@5": sum(right[:5]) / min(5, len(right)) if right else 0.0,
        "mrr": 1 / place if place else 0.0,
        "ndcg@10": dcg(gains) / dcg([1.0] * min(10, wanted)),
    }


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """The risk–coverage curve (El-Yaniv & Wiener 2010): for each number of the most confident cases that are answered,
    the share answered and the share of wrong ones among them. Cases of equal confidence are answered together.
    """
    order = np.argsort(-np.asarray(confidence, dtype=float), kind="stable")
    ranked = np.asarray(confidence, dtype=float)[order]
    wrong = np.cumsum(~np.asarray(right, dtype=bool)[order])
    ends = [n for n in range(len(order)) if n + 1 == len(order) or ranked[n + 1] != ranked[n]]
    return [((n + 1) / len(order), float(wrong[n]) / (n + 1)) for n in ends]


def wrong(values: Mapping[str, float]) -> bool:
    """Whether answering a question is, or would be, wrong: it should be refused (``answerable`` 0), or the document
    that the search puts first is none that answers it (``right`` 0). This is the risk of the risk–coverage curve.
    """
    return values["answerable"] < 0.5 or values.get("right", 1.0) < 0.5


def area_under(curve: Sequence[tuple[float, float]]) -> float:
    """The mean risk over all coverages: the curve is held from each point back to the one before. Lower is better."""
    area, before = 0.0, 0.0
    for coverage, risk in curve:
        area += (coverage - before) * risk
        before = coverage
    return area


def kappa(table: NDArray[np.int_]) -> float:
    """Cohen's kappa of a confusion table: agreement beyond what the margins give by chance (Cohen 1960)."""
    share = table / table.sum()
    chance = float(share.sum(0) @ share.sum(1))
    return (float(np.trace(share)) - chance) / (1 - chance) if chance < 1 else 1.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share in [0, 1] of the values lies; NaN of none."""
    return float(np.quantile(values, share)) if values else math.nan
