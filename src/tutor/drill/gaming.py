"""What is no answer, however long: the question handed back, the card pasted, terms in a row, promises, orders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tutor.drill.language import is_english
from tutor.drill.reading import Reading

_WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?")
#: Words of grammar: a list of terms has few of them, a sentence of any register a fifth or more.
_GRAMMAR = frozenset(
    "a an the this that these those it its they them their he she we you i my our your me us is are was were be been"
    " being am do does did done has have had will would can could should may might must shall not no nor and or but if"
    " then so because since while when where which who whom whose what how why of in on at to from by with without for"
    " as than into over under after before until unless through between about per each every all any some more most"
    " less least only also too very just even still already there here both either neither up down out off again once"
    " don't doesn't isn't can't won't it's that's i'd you'd we'd they're we're i'm let's".split()
)
_ORDER = re.compile(
    "|".join(
        (
            r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
            r"\b(?:instructions?|rubric|rules|above|previous|prior|criteria|prompt)\b",
            r"\b(?:full|maximum|max|top|perfect|highest|best possible) (?:marks?|scores?|points?|credit|grades?)\b",
            r"(?:^\W*|\b(?:please|must|should|to|and|then)\s+)(?:mark|grade|score|rate|tick|award|record|treat|enter)\b"
            r"[^.\n]{0,60}\b(?:as (?:covered|strong|staff|correct|passed|complete)|covered|verdict|10/10|5/5)\b",
            r"\b(?:candidate|learner|student|applicant)\b[^.\n]{0,60}\b(?:covered|covers|mentioned|addressed|explained|hits?"
            r"|meets|satisf\w+|named|demonstrat\w+|flawless)\b",
            r"\b(?:each|all) (?:of the )?(?:\w+ )?(?:must-haves?|rubric points|points of the rubric)\b",
            r"\b(?:every|each|all(?: of)?(?: the)?) points? (?:is|are|(?:has|have) been|was|were)"
            r" (?:covered|made|met)\b",
            r"(?:^|[\[<({\n>.!?])\W*(?:system|assistant|developer|grader|evaluator|examiner|judge)\s*"
            r"(?:prompt|message|note|override|instruction|mode)?\s*[:\]>]",
            r"\b(?:dear|hello|hi|attention|note to(?: the)?) (?:grader|evaluator|examiner|model|judge|ai)\b",
            r"[\"'](?:verdict|score|status|points?|level|red_flags|covered|missed)[\"']\s*:",
            r"</?(?:system|instructions?|rubric|grade|verdict|answer|user|assistant)\b"
            r"|\bas an? (?:ai|language model|grader|evaluator)\b",
            r"\b(?:verdict|score|grade|level|red flags?|status)\s*[:=]\s*"
            r"(?:\[?\]?|strong|staff|covered|none|pass|1(?:\.0)?|100)\b|\bno red flags?\b",
            r"\byou are (?:now )?(?:an? )?(?:\w+ ){0,3}(?:grader|evaluator|examiner|judge|professor)\b",
            r"\b(?:already|previously) (?:been )?(?:graded|verified|approved|marked|assessed|completed by)\b",
        )
    ),
    re.I,
)
_PROMISE = re.compile(
    r"^\W*(?:(?:first|second|third|then|next|also|finally|after that|and|of course|in addition|well|so|here|for this"
    r"|in my answer|in the end|to close|at the end)\W+)*"
    r"(?:i|we|one|my answer|a (?:good|strong|staff) answer)"
    r"\s*(?:'d|'ll|’d|’ll| would| will| could| can| should| am going to|'m going to)?"
    r"\s*(?:(?:of course|certainly|also|then|definitely|naturally|first|next|briefly|finally|not forget to|be sure to"
    r"|make sure to|make a point of|want to|like to|start by|begin by|go on to|end by|finish by|close by|conclude by"
    r"|carefully|surely|even|have to)\s+)*"
    r"(?:mention(?:ing)?|discuss(?:ing)?|explain(?:ing)?|cover(?:ing)?|talk(?:ing)? about|describ(?:e|ing)"
    r"|address(?:ing)?|go(?:ing)? into|touch(?:ing)? (?:on|upon)|walk(?:ing)? (?:you )?through|outlin(?:e|ing)"
    r"|bring(?:ing)? up|elaborat(?:e|ing)|lay(?:ing)? out|go(?:ing)? over|speak(?:ing)? (?:about|to)|highlight(?:ing)?"
    r"|list(?:ing)?|present(?:ing)?|show(?:ing)? (?:how|why|what|that i)|contrast(?:ing)?|summari[sz](?:e|ing))\b"
    r"(?![^.\n]{0,40}\b(?:that|because|since)\b)",
    re.I,
)
_MIN_WORDS = 1
_MIN_ANSWER = 5  # words below which what looks like code is no answer, and from which two different ones are too few
_NAME = 2  # words up to which an answer names something and claims nothing, unless it is a figure
_RUN = 8  # words in a row that nobody writes by chance


@dataclass(frozen=True, slots=True)
class Screened:
    """``reading`` without what is no answer; ``reason`` says why nothing, or too little, is left, or is empty.

    ``dropped`` has a reason for each sentence left out, by its number.
    """

    reading: Reading
    reason: str
    dropped: dict[int, str]


REASONS = {
    "empty": "There is no answer.",
    "language": "The grader reads English, and this looks like another language.",
    "order": "This speaks to the grader instead of answering.",
    "question": "This hands the question back.",
    "pasted": "This is the card's own text; the drill wants yours.",
    "terms": "This is a list of terms; a term counts when something is said of it.",
    "promise": "This announces an answer instead of giving it.",
    "short": "This is too short to grade.",
    "off": "This is off the point: nothing in it bears on the question.",
    "padding": "This says nothing technical that could be graded.",
}


def words(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return [w.lower() for w in _WORD.findall(text)]


def runs(text: str, size: int = _RUN) -> frozenset[tuple[str, ...]]:
    """Every run of ``size`` words."""
    found = words(text)
    return frozenset(tuple(found[n : n + size]) for n in range(len(found) - size + 1))


def screen(reading: Reading, *, ask: str, card: frozenset[tuple[str, ...]], own: Iterable[str] = ()) -> Screened:
    """Leave out what is no answer.

    Args:
        reading: the answer.
        ask: the question that it answers.
        card: runs of words of the card's text (``runs``).
        own: texts that the learner has seen and may repeat without having said anything, as follow-ups.
    """
    if not words(reading.text):
        return Screened(reading.without({s.first for s in reading.sentences}), "empty", {})
    if not is_english(reading.text):
        return Screened(reading.without({s.first for s in reading.sentences}), "language", {})
    said = words(reading.text)
    spoken = content(reading.text)
    different = len(set(spoken))
    empty = len(spoken) > different or re.search(r"\bno (?:idea|clue)\b|\bknow\b", reading.text, re.I)
    code = len(said) < _MIN_ANSWER and re.search(r"[(){}=;\[\]]", reading.text)
    named = len(said) <= _NAME and not re.search(r"\d", reading.text)
    if different < 2 or named or (different < 3 and len(said) >= _MIN_ANSWER and empty) or code:
        return Screened(reading.without({s.first for s in reading.sentences}), "short", {})
    if _only_terms(reading.text):
        return Screened(reading.without({s.first for s in reading.sentences}), "terms", {})
    asked = [set(content(text)) for text in (ask, *own)]
    dropped: dict[int, str] = {}
    for sentence in reading.sentences:
        if reason := _no_claim(sentence.text, asked, card):
            dropped[sentence.first] = reason
    kept = reading.without(set(dropped))
    left = sum(len(words(s.text)) for s in kept.sentences)
    if left >= _MIN_WORDS and left >= 0.15 * len(said):
        return Screened(kept, "", dropped)
    return Screened(kept, likeliest(dropped), dropped)


def likeliest(dropped: Mapping[int, str]) -> str:
    """The reason to give for an answer of which these sentences were left out: an order first, else the commonest."""
    reasons = sorted(dropped.values())
    return "order" if "order" in reasons else max(reasons, key=reasons.count, default="short")


def echo(answer: str, ask: str) -> float:
    """The share of the question's words (not grammar) that the answer has, in [0, 1]."""
    asked = set(content(ask))
    return len(asked & set(content(answer))) / len(asked) if asked else 0.0


def _no_claim(text: str, asked: list[set[str]], card: frozenset[tuple[str, ...]]) -> str:
    found = words(text)
    if _ORDER.search(text):
        return "order"
    copied = [n for n in range(len(found) - _RUN + 1) if tuple(found[n : n + _RUN]) in card]
    if copied and len({n + k for n in copied for k in range(_RUN)}) > 0.6 * len(found):
        return "pasted"
    mine = content(text)
    if (
        len(mine) >= 2
        and any(len(set(mine) & theirs) >= 0.8 * len(set(mine)) for theirs in asked)
        and (len(found) <= 40 and not any(w.isdigit() for w in set(found)))
    ):
        return "question"
    if _PROMISE.match(text):
        return "promise"
    if len(found) >= 6 and sum(w in _GRAMMAR for w in found) < 0.1 * len(found) and _listed(text):
        return "terms"
    return ""


def _listed(text: str, marks: str = ",;|/\n•·", least: int = 3) -> bool:
    """Whether the text is items with one of the marks between, most of one to four words, and no arrow."""
    if re.search(r"->|=>|→|=|<|>|≈|~", text):
        return False
    items = [i for i in re.split(f"[{re.escape(marks)}]+", text) if i.strip()]
    if sum(any(c.isdigit() for c in i) for i in items) > len(items) / 2:
        return False  # figures say something
    return len(items) >= least and sum(len(words(i)) <= 4 for i in items) >= 0.8 * len(items)


def _only_terms(text: str) -> bool:
    """Whether the whole answer is a list, its items parted by full stops or colons too; notes have arrows or verbs."""
    found = words(text)
    return sum(w in _GRAMMAR for w in found) < 0.13 * len(found) and _listed(text, ",;|/\n•·.:", least=8)


def content(text: str) -> list[str]:
    """The words that are not grammar."""
    return [w for w in words(text) if w not in _GRAMMAR]
