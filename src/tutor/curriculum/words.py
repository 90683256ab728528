"""What can be counted in a text: words of prose, sentence lengths, runs of words taken from a source."""

from __future__ import annotations

import re
from collections.abc import Iterable

RUN = 8  # words: names, numbers and short lists carry over freely, eight words in a row rarely do by chance

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_DIAGRAM = re.compile(r"^(```|~~~)[ ]*mermaid.*?^\1", re.M | re.S)
_TABLE = re.compile(r"^\|.*$", re.M)
_RULE = re.compile(r"^\|[\s:|-]+\|\s*$", re.M)
_MARKS = re.compile(r"[*`#>|]|^\s*(?:[-+*]|\d+\.)\s", re.M)
_URL = re.compile(r"https?://\S+")
_END = re.compile(r"[.!?](?=\s|$)|\n\s*\n|\n(?=[-*+|#])")
_WORD = re.compile(r"[a-z0-9]+(?:[+.'-][a-z0-9]+)*")


def word_count(body: str) -> int:
    """Words to read, those of tables and code too: diagrams and Markdown marks are not counted."""
    return len(_MARKS.sub(" ", _RULE.sub("", _DIAGRAM.sub("", body))).split())


def sentence_length(body: str) -> float:
    """Mean words a sentence, bullets and headings counting as sentences; 0 for no text."""
    text = _TABLE.sub("", _FENCE.sub("", body))
    lengths = [len(part.split()) for part in _END.split(text) if len(part.split()) > 2]
    return sum(lengths) / len(lengths) if lengths else 0.0


def runs(text: str) -> list[tuple[str, ...]]:
    """Every run of eight words in a row, in lower case, links left out."""
    found = _WORD.findall(_URL.sub(" ", text).lower())
    return [tuple(found[i : i + RUN]) for i in range(len(found) - RUN + 1)]


def copied_share(text: str, known: Iterable[tuple[str, ...]]) -> float:
    """The share in [0, 1] of a text's runs of words that are among ``known``."""
    mine = runs(text)
    sources = known if isinstance(known, (set, frozenset)) else set(known)
    return sum(run in sources for run in mine) / len(mine) if mine else 0.0
