"""An answer as the grader reads it: sentences and short windows of them, each a span of the learner's own text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tutor.text import blank_invisible, blocks, sentences

MAX_ANSWER_CHARS = 20_000
_LONG_WORDS = 34
#: Where a run-on sentence can be cut: before a conjunction or an aside, after a semicolon or an arrow.
_JOINT = re.compile(
    r"(?<=[;:])\s+|\s+(?=(?:-|–|—|->|→|=>)\s)|,\s+(?=(?:and|but|so|then|whereas|while|because|which|or|if|when|also)\b)"
    r"|\s+(?=(?:and then|and so|and also|but|so|because|whereas|otherwise|um|uh|okay|ok|plus|then)\s)",
    re.I,
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Window:
    """``text`` is ``answer[start:end]``, control characters as spaces; ``first`` numbers its sentence."""

    start: int
    end: int
    text: str
    first: int


@dataclass(frozen=True, slots=True)
class Reading:
    """``text`` has the length of the answer as given, so spans hold for both; ``sentences`` in order."""

    text: str
    sentences: tuple[Window, ...]

    @property
    def words(self) -> int:
        """How many words the sentences have."""
        return sum(len(_WORD.findall(s.text)) for s in self.sentences)

    def windows(self, most: int = 2) -> list[Window]:
        """Runs of 1 to ``most`` neighbouring sentences."""
        found: list[Window] = []
        for size in range(1, most + 1):
            for at in range(len(self.sentences) - size + 1):
                run = self.sentences[at : at + size]
                start, end = run[0].start, run[-1].end
                found.append(Window(start, end, self.text[start:end], run[0].first))
        return found

    def without(self, dropped: set[int]) -> Reading:
        """The reading without the sentences of these numbers."""
        return Reading(self.text, tuple(s for s in self.sentences if s.first not in dropped))


def read(answer: str) -> Reading:
    """The sentences of an answer; run-ons are cut where they can be."""
    text = blank_invisible(answer)
    spans: list[tuple[int, int]] = []
    for block in blocks(text):
        if block.kind == "code":
            spans.append((block.start, block.end))
            continue
        at = block.start
        for line in text[block.start : block.end].splitlines(keepends=True):
            for start, end in sentences(text, at, at + len(line)):
                spans += _cut(text, start, end)
            at += len(line)
    spans = [(a, b) for a, b in spans if _WORD.search(text[a:b])]
    return Reading(text, tuple(Window(a, b, text[a:b], n) for n, (a, b) in enumerate(spans)))


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A sentence, or its parts where it runs on: speech has no full stops."""
    if len(_WORD.findall(text[start:end])) <= _LONG_WORDS:
        return [(start, end)]
    joints = [m.end() for m in _JOINT.finditer(text, start, end)]
    parts: list[tuple[int, int]] = []
    begin = start
    for joint in [*joints, end]:
        if joint < end and len(_WORD.findall(text[begin:joint])) < _LONG_WORDS // 2:
            continue
        parts += _by_words(text, begin, joint)
        begin = joint
    return [(a, b) for a, b in ((_lead(text, a, b), b) for a, b in parts) if a < b]


def _by_words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Parts of at most twice the length of a long sentence, cut at words."""
    words = [m.start() for m in _WORD.finditer(text, start, end)]
    cuts = words[2 * _LONG_WORDS :: 2 * _LONG_WORDS]
    return list(zip([start, *cuts], [*cuts, end], strict=True))


def _lead(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start
