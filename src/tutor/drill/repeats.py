"""What an answer says twice counts once: sentences that come again, alone or behind another opening, are folded."""

from __future__ import annotations

from tutor.drill.gaming import content, words
from tutor.drill.reading import Reading

_ALIKE = 0.75  # share of the content words of two sentences that both have, from which the later repeats the earlier
_LEAST = 3  # content words below which only the same sentence is the same
_OPENING = 10  # words that may be put before or behind a sentence that comes again
_POLARITY = frozenset("not no nor never neither without cannot can't won't don't doesn't isn't".split())
_NUMBERS = frozenset("one two three four five six seven eight nine ten half twice".split())


def folded(reading: Reading) -> Reading:
    """The reading without the sentences that say again what an earlier one said.

    A sentence that denies what the earlier one claims, or has other figures, is another one.
    """
    kept: list[tuple[list[str], set[str]]] = []
    again: set[int] = set()
    for sentence in reading.sentences:
        said = words(sentence.text)
        meant = set(content(sentence.text))
        if any(_repeats(said, meant, earlier, before) for earlier, before in kept):
            again.add(sentence.first)
        else:
            kept.append((said, meant))
    return reading.without(again) if again else reading


def _repeats(said: list[str], meant: set[str], earlier: list[str], before: set[str]) -> bool:
    if said == earlier:
        return True
    if min(len(meant), len(before)) < _LEAST or _turning(said) != _turning(earlier):
        return False
    return len(meant & before) >= _ALIKE * len(meant | before) or _within(earlier, said)


def _turning(said: list[str]) -> set[str]:
    """The words that make another claim of the same ones: denials and figures."""
    return {word for word in said if word in _POLARITY or word in _NUMBERS or any(c.isdigit() for c in word)}


def _within(earlier: list[str], said: list[str]) -> bool:
    """Whether a sentence comes again whole, with a few words before it or behind."""
    size = len(earlier)
    if not size <= len(said) <= size + _OPENING:
        return False
    return any(said[at : at + size] == earlier for at in range(len(said) - size + 1))
