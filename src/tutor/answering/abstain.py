"""Whether the curriculum answers a question: a calibrated probability from several signals.

A logistic model over signals that each miss something the others see: a far question has low vector similarity, a near
one (the right field, a technology that is not covered) has rare words that no passage holds. Its weights are fitted by
``evals/calibration/fit.py`` on questions written for that, and kept with the risk-coverage curve beside them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tutor.answering.asked import Asked
from tutor.answering.screen import wants_manual
from tutor.errors import ModelError
from tutor.retrieval.encoder import Vectors
from tutor.retrieval.index import Hit
from tutor.retrieval.lexical import terms

_MODEL = Path(__file__).with_name("abstain.json")


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known before answering. Similarities are cosines; shares are in [0, 1].

    ``dense_top`` and ``dense_third``: the best and third-best passage by dense similarity. ``maxsim_top`` and
    ``maxsim_min``: mean and weakest best-match of the question's content tokens in the best passage by that mean.
    ``coverage``: rarity-weighted share of the question's terms in the best covering of the first three passages.
    ``unknown``: rarity-weighted share of its terms that no passage holds. ``agreement``: overlap of the five best by
    dense similarity and the five best by term coverage. ``focus``: share of the first five hits on one subject.
    ``missing``: rarity-weighted share of the question's terms that none of the hits holds.
    ``length``: content words of the question, at most 12, as a share of 12 (a long question is less alike to anything).
    ``named``: 1 where it speaks of nothing but what the documents found go by, else 0. ``manual``: 1 where it asks for
    what stands in manuals and price lists, a command, a flag, a version, else 0. ``addressed``: how much it speaks to
    the assistant or of the asker instead of a subject, log-odds from 0 (not at all) to 3, by a linear probe on the
    dense vector.
    """

    dense_top: float
    dense_third: float
    maxsim_top: float
    maxsim_min: float
    coverage: float
    unknown: float
    agreement: float
    focus: float
    missing: float
    length: float
    named: float
    manual: float
    addressed: float


NOTHING = Signals(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
_LONG = 12


def measure(hits: Sequence[Hit], dense: Vectors, query_tokens: Vectors, about: Asked, question: str) -> Signals:
    """The signals of a question and its ranking; ``hits`` must carry their vectors."""
    if not hits:
        return NOTHING
    similarities = np.array([float(dense @ hit.dense) if hit.dense is not None else 0.0 for hit in hits])
    best = np.sort(similarities)[::-1]
    top, weakest = 0.0, 0.0
    for hit in hits[:10]:
        if hit.tokens is not None and len(hit.tokens) and len(query_tokens):
            matches = np.max(query_tokens @ hit.tokens.T, axis=1)
            if float(matches.mean()) > top:
                top, weakest = float(matches.mean()), float(matches.min())
    covered, held = [], frozenset[str]()
    for hit in hits:
        passage = hit.passage
        there = about.held(_spoken_of(passage.prefix, passage.names, passage.text))
        held |= there
        covered.append(about.share(there))
    by_dense = set(np.argsort(-similarities, kind="stable")[:5].tolist())
    by_terms = set(np.argsort(-np.array(covered), kind="stable")[:5].tolist())
    subjects = [hit.passage.covers or (hit.passage.doc_id,) for hit in hits[:5]]
    focus = max(sum(subject in other for other in subjects) for found in subjects for subject in found) / len(subjects)
    return Signals(
        float(best[0]),
        float(best[min(2, len(best) - 1)]),
        top,
        weakest,
        max(covered[:3]),
        about.share(about.unknown),
        len(by_dense & by_terms) / max(1, len(by_dense)),
        focus,
        about.share(frozenset(about.rarity) - held),
        min(len(about.rarity), _LONG) / _LONG,
        float(bool(about.named)),
        float(wants_manual(question)),
        addressed(dense),
    )


@lru_cache(maxsize=3_000)
def _spoken_of(prefix: str, names: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The terms of a passage, each once. The same passages are found again and again; one takes 1 KB."""
    return tuple(dict.fromkeys(terms(" ".join([prefix, *names, text]))))


def addressed(dense: Vectors) -> float:
    """Log-odds in [0, 3] that a question with this dense vector is addressed to the assistant; 0 for other encoders."""
    weights, bias = _probe()
    return max(0.0, min(3.0, float(dense @ weights) + bias)) if len(dense) == len(weights) else 0.0


@lru_cache(maxsize=1)
def _probe() -> tuple[Vectors, float]:
    probe = _model()["probe"]
    return np.array(probe["weights"], dtype=np.float32), float(probe["bias"])


@lru_cache(maxsize=1)
def _model() -> dict[str, Any]:
    try:
        model: dict[str, Any] = json.loads(_MODEL.read_text(encoding="utf-8"))
        return model
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the abstain model cannot be read ({error})", about=str(_MODEL), fix="Reinstall tutor-study."
        ) from error


def confidence(signals: Signals) -> float:
    """The probability in [0, 1] that the passages answer the question."""
    model = _model()
    z = model["intercept"] + sum(model["weights"][name] * value for name, value in asdict(signals).items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def threshold() -> float:
    """The confidence under which the answer is "not in the curriculum"."""
    return float(_model()["threshold"])
