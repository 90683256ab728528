"""Is a sentence that a model wrote said by the passage it cites, and where exactly?

Words first (``claims``): a wrong figure, name, side, degree or negation ends it. What is left is read: late interaction
finds the spans nearest to the sentence, a judge model (optional) reads sentence and span together, and a logistic model
over all of it gives the probability that the span says the sentence. Its weights are fitted by
``evals/generation/fit.py`` on labelled sentences, and kept beside this file with the probability that is enough.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor.answering.claims import coverage, objection
from tutor.answering.order import Words, aligned, plain
from tutor.answering.orders import gives_orders
from tutor.answering.small import differs
from tutor.answering.units import spans, token_starts
from tutor.errors import ModelError
from tutor.retrieval.encoder import Encoder, Vectors
from tutor.retrieval.index import ASIDE, Hit, Passage
from tutor.text import blocks

WEIGHTS = Path(__file__).with_name("verify.json")
MISSED, PARTLY, COVERED, CONTRADICTED = range(4)  # the columns of a judge
MIN_TERMS, MAX_WORDS = 3, 60  # shorter says nothing that can be checked; longer hides what cannot
_NEAREST = 3  # windows read for each sentence
_LONGEST = 2  # neighbouring spans in a window
_EXTRA = 0.03  # what each further span of a window must add to likeness
_ALIKE = 0.35  # MaxSim below which a window is not about the sentence at all
_WHY = re.compile(r"\*\*Why:?\*\*:?\s*")
FEATURES = (
    "share of the sentence's terms that the window holds, by rarity",
    "weight of the heaviest missing term",
    "share of the worst clause that stands in one clause of the window, in order",
    "late interaction, mean",
    "late interaction, mean of the three worst tokens",
    "spans in the window",
    "judge: covered (log-odds)",
    "judge: contradicted (log-odds)",
    "judge: missed (log-odds)",
    "judge, the other way round: covered (log-odds)",
)
_UNJUDGED = 6  # how many of them need no judge


class Judge(Protocol):
    """Reads (claim, text) pairs: does the text miss, half make, make or contradict the claim?"""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Probabilities (pairs, 4), in that order."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """``text`` is ``passage.text[start:end]``; ``tokens`` (n, token_dims); ``block`` numbers its block of text."""

    start: int
    end: int
    text: str
    tokens: Vectors
    block: int


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as it may be cited: its spans in order, without those that give orders to an assistant."""

    passage: Passage
    spans: tuple[Span, ...]

    @property
    def above(self) -> str:
        """Title and headings: what the passage is about."""
        parts = dict.fromkeys((self.passage.title, *self.passage.heading))
        return " > ".join(part for part in parts if not gives_orders(part))


def source(hit: Hit, encoder: Encoder) -> Source:
    """A passage ready to be cited; ``hit`` must carry its token vectors."""
    passage = hit.passage
    if hit.tokens is None or passage.role in ASIDE:
        return Source(passage, ())
    starts = token_starts(hit, encoder)
    begins = [block.start for block in blocks(passage.text)]
    found = []
    for start, end in spans(passage.text):
        if passage.role == "red-flags":  # what is wrong to say is no evidence; why it is wrong is
            why = _WHY.search(passage.text, start, end)
            start = why.end() if why else end
        text = passage.text[start:end]
        if text.strip() and not gives_orders(text):
            tokens = hit.tokens[(starts >= start) & (starts < end)]
            found.append(Span(start, end, text, tokens, bisect_right(begins, start)))
    return Source(passage, tuple(found))


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring spans of one passage: ``passage.text[start:end]``, and how alike they are to the sentence."""

    source: Source
    start: int
    end: int
    size: int
    likeness: float
    worst: float

    @property
    def text(self) -> str:
        return self.source.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a sentence is supported, by which text, how surely (in [0, 1]), and why not ("" where it is)."""

    supported: bool
    window: Window | None
    probability: float
    why: str


class Verifier:
    """Checks sentences against passages. Safe to use from several threads.

    Args:
        encoder: the one whose token vectors the passages carry.
        judge: reads sentence and text together; without it a stricter probability is asked for.
        weight: a term's rarity, in (0, 1].
    """

    def __init__(self, encoder: Encoder, judge: Judge | None, weight: Callable[[str], float]) -> None:
        self._encoder = encoder
        self._judge = judge
        self._weight = weight

    def check(self, sentence: str, cited: Sequence[Source], others: Sequence[Source] = ()) -> Finding:
        """Look for the sentence in the passages it cites, then in the other ones it could have cited.

        Args:
            sentence: without citation marks; Markdown is ignored.
            cited: the passages it cites.
            others: further passages that the writer was given; one that says the sentence becomes its citation.
        """
        text = plain(sentence)
        claim = Words(text)
        if len(claim.held) < MIN_TERMS:
            return Finding(False, None, 0.0, "it says nothing that can be checked")
        if len(text.split()) > MAX_WORDS:
            return Finding(False, None, 0.0, "it is too long to be checked")
        tokens = self._encoder.encode([text])[0].tokens
        first = self._among(claim, tokens, cited)
        if first.supported or not others:
            return first if cited else self._among(claim, tokens, others)
        second = self._among(claim, tokens, others)
        if second.supported or not cited:
            return second
        return first

    def _among(self, claim: Words, tokens: Vectors, sources: Sequence[Source]) -> Finding:
        near = sorted((w for s in sources for w in windows(s, tokens)), key=lambda w: -_rank(w))[:_NEAREST]
        if not near or near[0].likeness < _ALIKE:
            return Finding(False, None, 0.0, "no cited text is about it" if sources else "it cites nothing")
        objections = [self.objection(claim, w) for w in near]
        sound = [w for w, what in zip(near, objections, strict=True) if not what]
        if not sound:
            return Finding(False, near[0], 0.0, objections[0])
        model = weights()["judged" if self._judge else "unjudged"]
        chances = [model.probability(row) for row in self.features(claim, sound)]
        best = int(np.argmax(chances))
        supported = chances[best] >= model.threshold
        return Finding(supported, sound[best], chances[best], "" if supported else "the cited text does not say it")

    def objection(self, claim: Words, window: Window) -> str:
        """What the words of a window say against the claim, or ""."""
        evidence, context = Words(plain(window.text)), Words(window.source.above)
        if what := objection(claim, evidence, context):
            return what
        word = differs(claim, evidence, context)
        return f"the cited text does not have “{word}” in this place" if word else ""

    def features(self, claim: Words, found: Sequence[Window]) -> NDArray[np.float64]:
        """What speaks for each window saying the claim: (windows, len(FEATURES)), zeros where there is no judge."""
        rows = np.zeros((len(found), len(FEATURES)))
        texts = [plain(w.text) for w in found]
        for n, (window, text) in enumerate(zip(found, texts, strict=True)):
            evidence = Words(text)
            context = Words(window.source.above)
            share, heaviest = coverage(claim, evidence.held | context.held, self._weight)
            rows[n, :_UNJUDGED] = (
                share,
                heaviest,
                aligned(claim, evidence, context)[0],
                window.likeness,
                window.worst,
                window.size,
            )
        if self._judge:
            pairs = [(claim.text, text) for text in texts] + [(text, claim.text) for text in texts]
            read = np.clip(self._judge.judge(pairs), 1e-3, 1 - 1e-3)
            odds = np.log(read / (1 - read))
            ahead, back = odds[: len(found)], odds[len(found) :]
            rows[:, _UNJUDGED:] = np.column_stack(
                (ahead[:, COVERED], ahead[:, CONTRADICTED], ahead[:, MISSED], back[:, COVERED])
            )
        return rows


def windows(found: Source, tokens: Vectors) -> Iterator[Window]:
    """Every run of neighbouring spans, with its late interaction with the sentence's tokens (n, token_dims)."""
    if not len(tokens):
        return
    best = [(tokens @ s.tokens.T).max(axis=1) if len(s.tokens) else np.full(len(tokens), -1.0) for s in found.spans]
    for size in range(1, _LONGEST + 1):
        for at in range(len(found.spans) - size + 1):
            run = found.spans[at : at + size]
            if run[0].block != run[-1].block:
                continue  # each bullet says its own thing: half of one and half of the next is said by neither
            scores = np.max(np.stack(best[at : at + size]), axis=0)
            worst = float(np.sort(scores)[:3].mean())
            yield Window(found, run[0].start, run[-1].end, size, float(scores.mean()), worst)


def _rank(window: Window) -> float:
    return window.likeness - _EXTRA * (window.size - 1)


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model over standardised features, with the probability from which it says yes."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: float
    threshold: float

    def probability(self, features: NDArray[np.float64]) -> float:
        """In [0, 1], of one row of FEATURES (those past the model's own are left out)."""
        used = features[: len(self.weight)]
        return float(1.0 / (1.0 + np.exp(-(self.weight @ ((used - self.mean) / self.scale) + self.bias))))


@lru_cache(maxsize=2)
def weights(path: Path = WEIGHTS) -> dict[str, Logistic]:
    """The fitted models: "judged" and "unjudged".

    Raises:
        ModelError: the file is missing or not what was fitted.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Logistic(
                mean=np.array(data[name]["mean"], dtype=float),
                scale=np.array(data[name]["scale"], dtype=float),
                weight=np.array(data[name]["weight"], dtype=float),
                bias=float(data[name]["bias"]),
                threshold=float(data[name]["threshold"]),
            )
            for name in ("judged", "unjudged")
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the check of sentences cannot be read ({error})", about=str(path), fix="Reinstall tutor-study."
        ) from error
