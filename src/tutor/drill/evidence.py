"""What an answer offers for a claim, as numbers: the judge on the nearest windows, and the figures in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tutor.drill.gaming import content
from tutor.drill.judge import CONTRADICTED, COVERED, MISSED, PARTLY, Judge, Probabilities
from tutor.drill.reading import Reading, Window
from tutor.drill.rubric import Claim
from tutor.quantities.numbers import agrees, quantities
from tutor.retrieval.encoder import Encoder
from tutor.telemetry import stage

NEAREST = 3  # windows that the judge reads for each claim, besides the answer as a whole
_WHOLE_WORDS = 170
_CARRIES = 0.9  # of a window's nearness, from which one of its sentences is what the claim rests on
#: Nearest meaning from which an answer is about a claim at all. On the fit half 99 of 100 sentences that make a claim
#: have .36 and more, and 99 of 100 everyday sentences at most .25.
NEAR = 0.3

#: What ``Evidence.features`` holds, in order.
FEATURES = (
    "covered, best window",
    "partly, best window",
    "contradicted, best window",
    "covered, whole",
    "partly, whole",
    "contradicted, whole",
    "missed, whole",
    "covered minus contradicted in the window nearest in meaning",
    "affinity of the nearest window",
    "figures agree",
    "figures differ",
    "covered, best window (log-odds)",
    "contradicted, best window (log-odds)",
    "covered, whole (log-odds)",
    "contradicted, whole (log-odds)",
    "missed, whole (log-odds)",
    "words of the answer (log, within what was fitted)",
    "brevity",
    "brevity × covered, whole (log-odds)",
    "brevity × contradicted, whole (log-odds)",
    "brevity × missed, whole (log-odds)",
    "brevity × affinity",
)
#: Words within which length tells anything: beyond them a linear model knows nothing and must not make it up.
_FEW_WORDS, _MANY_WORDS = 25, 300
#: Those that speak for a red flag: too few short answers raise one to fit more.
FLAG_FEATURES = [n for n, name in enumerate(FEATURES) if "odds" not in name and "brevity" not in name]
#: In an answer of fewer words a denial is believed from the second chance where the judge reads it in a window, else
#: from the first.
BRIEF, _READ_AS_DENIED, _SURELY, _LIKELY = 40, 0.5, 0.6, 0.55
_TELLING = 2  # words that are not grammar, below which a sentence ("Never.") is evidence of nothing by itself
_BRIEF_WORDS, _PLAIN_WORDS = 20, 80  # up to the first an answer is brief; from the second on it is not at all


@dataclass(frozen=True, slots=True)
class Evidence:
    """``features`` (len(FEATURES),); ``best`` is the window that makes the claim best, ``against`` denies it most.

    ``affinity`` in [-1, 1] is how near the nearest window is in meaning. ``deniable``: the judge reads the claim as
    rather denied than made in a window or the whole. ``denial`` in [0, 1] is what a denial must reach to be believed.
    ``made`` are the windows read, each with the judge's probability in [0, 1] that it covers the claim.
    """

    features: NDArray[np.float32]
    best: Window
    against: Window
    affinity: float = 1.0
    deniable: bool = True
    denial: float = 0.0
    made: tuple[tuple[Window, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """What a judge should read for a claim: the nearest ``windows``, their ``affinity``, and the answer as a whole.

    ``narrow`` is each window, or the one sentence of it that carries what is near: what is shown as evidence.
    """

    windows: list[Window]
    affinity: list[float]
    whole: str
    narrow: list[Window]


_MISSED_ROW: Probabilities = np.eye(4, dtype=np.float32)[MISSED]


class Gatherer:
    """Evidence for claims, with an encoder that finds the windows worth judging and a judge that reads them.

    A claim whose nearest window has less affinity than ``near`` is not judged but taken for missed.
    """

    def __init__(self, encoder: Encoder, judge: Judge, near: float = -1.0) -> None:
        self._encoder = encoder
        self._judge = judge
        self._near = near
        # A drill grades against the same few claims again and again.
        self._claim = lru_cache(maxsize=512)(self._encode)

    def _encode(self, text: str) -> NDArray[np.float32]:
        return self._encoder.encode([text])[0].tokens

    def gather(self, reading: Reading, claims: Sequence[Claim]) -> list[Evidence]:
        """Evidence for each claim, in order; none for an answer without sentences."""
        found = self.near(reading, claims)
        wanted = [
            [(claim.asked, text) for text in (*(w.text for w in near.windows), near.whole)]
            for claim, near in zip(claims, found, strict=False)
        ]
        # A short answer's windows and its whole are the same text: each pair is judged once.
        near_enough = [near.affinity[0] >= self._near for near in found]
        pairs = list(dict.fromkeys(p for ps, judged in zip(wanted, near_enough, strict=True) if judged for p in ps))
        with stage("judge"):
            scored = dict(zip(pairs, self._judge.judge(pairs), strict=True))
        return [
            _evidence(claim.text, near, np.stack([scored.get(p, _MISSED_ROW) for p in ps]), reading)
            for claim, near, ps in zip(claims, found, wanted, strict=False)
        ]

    def near(self, reading: Reading, claims: Sequence[Claim]) -> list[Near]:
        """What would be judged for each claim, in order; none for an answer without sentences."""
        if not reading.sentences or not claims:
            return []
        told = [e.tokens for e in self._encoder.encode([s.text for s in reading.sentences])]
        asked = [self._claim(claim.text) for claim in claims]
        windows = [w for w in reading.windows(2) if tells(w.text)] or reading.windows(2)
        numbers = {s.first: n for n, s in enumerate(reading.sentences)}
        near = np.array([[_best(claim, sentence) for sentence in told] for claim in asked], dtype=object)
        found = []
        for row in near:
            scores = [_affinity(row, w, numbers, reading) for w in windows]
            order = sorted(range(len(windows)), key=lambda n: -scores[n])[:NEAREST]
            chosen = [windows[n] for n in order]
            narrow = [_narrowed(row, w, numbers, reading) for w in chosen]
            found.append(Near(chosen, [scores[n] for n in order], _whole(reading, chosen[0]), narrow))
        return found


def _best(claim: NDArray[np.float32], sentence: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each token of the claim the highest dot product with one of the sentence's."""
    if not len(claim) or not len(sentence):
        return np.zeros(len(claim), dtype=np.float32)
    return np.asarray((claim @ sentence.T).max(axis=1))


def _affinity(row: NDArray[np.object_], window: Window, numbers: dict[int, int], reading: Reading) -> float:
    """The mean of the claim's best matches in the window, in [-1, 1]; a longer window must gain to win."""
    inside = [row[n] for n in _inside(window, numbers, reading)]
    return float(np.max(np.stack(inside), axis=0).mean()) - 0.01 * (len(inside) - 1)


def _inside(window: Window, numbers: dict[int, int], reading: Reading) -> list[int]:
    """The places of the window's sentences in the reading."""
    at = numbers[window.first]
    return [n for n in range(at, len(reading.sentences)) if reading.sentences[n].end <= window.end]


def _narrowed(row: NDArray[np.object_], window: Window, numbers: dict[int, int], reading: Reading) -> Window:
    """The sentence of a window that has nearly all of what is near the claim; the window where it takes several."""
    inside = _inside(window, numbers, reading)
    alone = [float(row[n].mean()) for n in inside]
    together = float(np.max(np.stack([row[n] for n in inside]), axis=0).mean())
    best = int(np.argmax(alone))
    sentence = reading.sentences[inside[best]]
    return sentence if alone[best] >= _CARRIES * together and tells(sentence.text) else window


def tells(text: str) -> bool:
    """Whether a sentence has what could make a claim: two words that are not grammar, or a figure."""
    return len(content(text)) >= _TELLING or any(c.isdigit() for c in text)


def _whole(reading: Reading, near: Window) -> str:
    """The answer, or what stands around the nearest window where it is longer than the judge reads."""
    texts = [s.text for s in reading.sentences]
    at = next(n for n, s in enumerate(reading.sentences) if s.start == near.start)
    first = last = at
    count = len(texts[at].split())
    while count < _WHOLE_WORDS and (first > 0 or last + 1 < len(texts)):
        if first > 0:
            first -= 1
            count += len(texts[first].split())
        if last + 1 < len(texts):
            last += 1
            count += len(texts[last].split())
    return " ".join(texts[first : last + 1])


def _evidence(claim: str, near: Near, rows: Probabilities, reading: Reading) -> Evidence:
    chosen, near_by = near.windows, near.affinity
    windows, whole = rows[:-1], rows[-1]
    best = int(np.argmax(windows[:, COVERED] + 0.5 * windows[:, PARTLY]))
    against = int(np.argmax(windows[:, CONTRADICTED]))
    same, other = _figures(claim, " ".join(w.text for w in chosen))
    covered, contradicted = float(windows[:, COVERED].max()), float(windows[:, CONTRADICTED].max())
    odds = [_log_odds(float(whole[status])) for status in (COVERED, CONTRADICTED, MISSED)]
    brief = brevity(reading.words)
    features = np.array(
        [
            covered,
            windows[:, PARTLY].max(),
            contradicted,
            whole[COVERED],
            whole[PARTLY],
            whole[CONTRADICTED],
            whole[MISSED],
            windows[0, COVERED] - windows[0, CONTRADICTED],
            near_by[0],
            same,
            other,
            _log_odds(covered),
            _log_odds(contradicted),
            *odds,
            length(reading.words),
            brief,
            *(brief * value for value in odds),
            brief * near_by[0],
        ],
        dtype=np.float32,
    )
    # One short sentence tells the judge little of what is meant, and rarely against a claim what would be for it.
    sure = _LIKELY if contradicted >= _READ_AS_DENIED else _SURELY
    return Evidence(
        features,
        near.narrow[best],
        near.narrow[against],
        affinity=near_by[0],
        deniable=contradicted > covered or bool(whole[CONTRADICTED] > whole[COVERED]),
        denial=sure if reading.words < BRIEF else 0.0,
        made=tuple((window, float(row[COVERED])) for window, row in zip(near.narrow, windows, strict=True)),
    )


def length(words: int) -> float:
    """The length of an answer as a feature: its logarithm, of no fewer and no more words than tell anything."""
    return float(np.log1p(min(max(words, _FEW_WORDS), _MANY_WORDS)))


def brevity(words: int) -> float:
    """1 for an answer of a sentence, whose windows and whole are the same, 0 for one of ordinary length; in [0, 1]."""
    return float(np.clip((_PLAIN_WORDS - words) / (_PLAIN_WORDS - _BRIEF_WORDS), 0, 1))


def _log_odds(chance: float) -> float:
    clipped = min(max(chance, 1e-3), 1 - 1e-3)
    return float(np.log(clipped / (1 - clipped)))


def _figures(claim: str, said: str) -> tuple[float, float]:
    """The shares of the claim's figures that the answer has too, and that it has otherwise (same kind, other value)."""
    wanted = [q for q in quantities(claim) if not q.trivial]
    if not wanted:
        return 0.0, 0.0
    given = [q for q in quantities(said) if not q.trivial]
    same = [any(agrees(q, g) for g in given) for q in wanted]
    other = [
        not hit and any(g.dimension == q.dimension != "" and not any(agrees(w, g) for w in wanted) for g in given)
        for q, hit in zip(wanted, same, strict=True)
    ]
    return sum(same) / len(wanted), sum(other) / len(wanted)
