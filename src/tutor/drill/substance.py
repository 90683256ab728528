"""Whether an answer says anything technical, whatever it is about: eloquence without a claim is no answer."""

from __future__ import annotations

import math
from collections import Counter
from functools import cached_property
from pathlib import Path

from tutor.curriculum.corpus import Corpus
from tutor.drill.gaming import content

#: Sentences that would fit any question.
PADDING = Path(__file__).with_name("padding.txt")


class Substance:
    """Naive Bayes over words, add-one smoothed: the curriculum's against those of sentences that fit everywhere."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @cached_property
    def _counts(self) -> tuple[Counter[str], Counter[str]]:
        technical = Counter[str]()
        for card in self._corpus.cards.values():
            technical.update(content(self._corpus.bodies[card.id]))
            for probe in card.probes:
                claims = (text for m in probe.must_have for text in (m.point, *m.aliases))
                reasons = (f.why for f in probe.red_flags)
                for text in (probe.ask, probe.twist.expect, *probe.staff_level, *claims, *reasons):
                    technical.update(content(text))
        return technical, Counter(content(PADDING.read_text(encoding="utf-8")))

    def __call__(self, text: str) -> float:
        """Mean log-odds of the words that are not grammar: below 0 they are rather the words of padding."""
        technical, padding = self._counts
        of_technical, of_padding = (c.total() + len(technical) for c in (technical, padding))
        odds = [
            math.log((technical[w] + 1) / of_technical) - math.log((padding[w] + 1) / of_padding) for w in content(text)
        ]
        return sum(odds) / len(odds) if odds else 0.0
