"""What a question asks of: its terms with their weights, and the documents that go by the names in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tutor.retrieval.encoder import Encoded
from tutor.retrieval.lexical import INTENT_WORDS, query_content, terms, without_manner
from tutor.retrieval.lexicon import Expander
from tutor.retrieval.search import SearchResult

_MOST = 0.6
_WRITTEN = re.compile(r"[^\W\d_][\w.+#]*[^\W_]")
JOINT = re.compile(r"[-/+&_]")


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms of a question.

    ``rarity`` maps each to its IDF scaled to [0, 1]; ``unknown`` are those that no passage holds. ``same`` pairs terms
    of the question with those of another name: a text with most of the second holds the first. ``named`` are the ids of
    the documents whose titles, aliases and acronyms are all that the question speaks of, or empty. ``proper`` are
    words written as names are: "SQLite", and "Rust" inside a sentence.
    """

    rarity: Mapping[str, float]
    unknown: frozenset[str] = frozenset()
    same: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    named: frozenset[str] = frozenset()
    proper: tuple[str, ...] = ()

    def held(self, found: Iterable[str]) -> frozenset[str]:
        """Terms of a text, and those of the question that it holds by another name."""
        there = frozenset(found)
        for asked, form in self.same:
            if len(form & there) >= _MOST * len(form):  # "exactly-once" is enough of "exactly-once semantics"
                there |= asked
        return there

    def share(self, there: frozenset[str]) -> float:
        """The rarity-weighted share of the question's terms that are among ``there``."""
        total = sum(self.rarity.values()) or 1.0
        return sum(weight for term, weight in self.rarity.items() if term in there) / total


def read(found: SearchResult, expander: Expander, passages: int) -> Asked:
    """The terms of a searched question, in an index of so many passages."""
    text = found.question
    for wrong, right in found.expansion.corrected:
        text = f"{text} {right}".replace(wrong, " ")
    text = without_manner(text)
    rarity: dict[str, float] = {}
    unknown: set[str] = set()
    asked = query_content(text)
    for word in [w for w in asked if w not in INTENT_WORDS] or asked:
        # "cursor-based" counts by its parts where the corpus does not use it whole.
        for part in [word] if expander.frequency(word) else query_content(JOINT.sub(" ", word)):
            frequency = expander.frequency(part)
            weight = math.log((passages + 1) / (frequency + 0.5)) / math.log(passages * 2 + 2)
            for term in terms(part):
                rarity[term] = max(rarity.get(term, 0.0), weight)
                if not frequency:
                    unknown.add(term)
    same = tuple((frozenset(terms(span)), frozenset(terms(form))) for span, form in found.expansion.same)
    return Asked(rarity, frozenset(unknown), same, found.named, proper(text))


def proper(question: str) -> tuple[str, ...]:
    """Words written as names are: "SQLite" anywhere, "Rust" inside a sentence."""
    found = []
    for match in _WRITTEN.finditer(question):
        word = match.group()
        capitals = sum(map(str.isupper, word))
        first = question[: match.start()].rstrip(" \"'(*_")[-1:] in ("", ".", "?", "!", ":", ";")
        if capitals > 1 or (capitals and not first):
            found.append(word)
    return tuple(found)


def content(found: SearchResult) -> Encoded:
    """The question's vectors without those of stop words and punctuation (all of them when nothing is left)."""
    text = found.spoken
    keep = [i for i, (a, b) in enumerate(found.encoded.offsets) if query_content(_whole_word(text, a, b))]
    if not keep:
        return found.encoded
    return Encoded(found.encoded.dense, found.encoded.tokens[keep], ())


def _whole_word(text: str, start: int, end: int) -> str:
    """The word around a token, since a word piece alone may look like a stop word."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end]


def meant(found: SearchResult) -> tuple[tuple[str, str], ...]:
    """Short forms in the question and what they stand for: ("EOS", "exactly-once semantics")."""
    written = {word.lower(): word for word in re.findall(r"\w+", found.question)}
    stands: dict[str, str] = {}
    for span, form in found.expansion.same:
        spelt = re.compile(r"\W*?\b" + r".*?".join(map(re.escape, span)), re.I)  # its letters, in order
        initials = span not in form.lower().split() and span != re.sub(r"\W+", "", form.lower())
        if span in written and len(span) < len(form) and len(form.split()) > 1 and initials and spelt.match(form):
            stands.setdefault(written[span], form)
    return tuple(stands.items())
