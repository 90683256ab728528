"""What a learner says before the answer: a question to the interviewer, an assumption, or the answer already."""

from __future__ import annotations

import re

from tutor.drill.reading import read

ANSWER_WORDS = 25  # from which a statement is no remark on the question but an answer to it
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_ASSUMES = re.compile(
    r"^\W*(?:(?:ok|okay|so|well|and|also|then|first|for now|here)\W+)*"
    r"(?:(?:i|we|i['’]ll|i['’]d|let me)\s+(?:\w+\s+)?(?:assume|suppose|presume)|(?:let['’]?s|let us)\s+"
    r"(?:assume|say|suppose|presume)|assum(?:e|ing)|suppos(?:e|ing)|presumably|my assumptions?|say,)\b",
    re.I,
)
#: How a question begins that is written without its mark.
_ASKS = re.compile(
    r"^\W*(?:(?:ok|okay|so|well|and)\W+)*(?:what|which|who|whose|how|when|where|is|are|do|does|did|can|could|should|may"
    r"|will|would|shall)\b",
    re.I,
)
_QUESTION_WORDS = 15  # up to which words that begin as a question does are one
_LEAST_WORDS = 3  # of a statement: "let's go" states nothing


def statements(words: str) -> str:
    """What is stated, without the questions; empty where only something is asked."""
    told = " ".join(s.text for s in read(words).sentences if not _is_question(s.text))
    return told if len(_WORD.findall(told)) >= _LEAST_WORDS else ""


def claims(words: str) -> str:
    """What is stated about the question itself, without the assumptions either."""
    return " ".join(s.text for s in read(words).sentences if not _is_question(s.text) and not _ASSUMES.match(s.text))


def is_long(claimed: str) -> bool:
    """Whether a statement is an answer by its length alone."""
    return len(_WORD.findall(claimed)) >= ANSWER_WORDS


def _is_question(sentence: str) -> bool:
    bare = sentence.rstrip(" \t\r\n\"')”’")
    return bare.endswith("?") or (len(_WORD.findall(bare)) <= _QUESTION_WORDS and bool(_ASKS.match(bare)))
