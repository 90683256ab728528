"""What words alone tell of a sentence and the text it cites: terms, names, figures, negation, sides, degree.

Each check names what is wrong, or nothing. They are strict on purpose: a sentence that stays near the words of its
passage passes them, and what none of them can be sure of is left to the reading that ``verify`` adds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from tutor.answering.order import CLAUSE, NT, Words, aligned, only_reported, replaced, turned
from tutor.deciding import OPPOSITES
from tutor.quantities.numbers import Quantity, agrees
from tutor.retrieval.lexical import query_content, stem, words

#: Words that make a claim general or absolute; the evidence must be as absolute.
_ABSOLUTE: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "always never every all whenever",
        "any whatever whichever",
        "only solely exclusively just",
        "guarantee guarantees guaranteed ensures ensure",
        "must required requires mandatory",
        "entirely completely fully totally perfectly zero",
        "impossible cannot",
        "best optimal ideal",
        "everything everyone everywhere nothing nobody",
        "eliminates eliminate removes solves",
        "alone",
    )
)
_NEGATORS = frozenset(
    "not no never without neither nor none nothing cannot avoid avoids except hardly rarely seldom barely fails"
    " fail lacks lack unable missing stops stop prevents prevent instead rather than neither unless".split()
) - {"than"}
_WORD = re.compile(r"[A-Za-z0-9]+(?:[-'’/+_.][A-Za-z0-9]+)*\+*#?")
_ONE = re.compile(r"\b(?:one|a single)\b", re.I)
#: Units and scales that a sentence may not change, also where no figure stands before them.
_UNITS = frozenset(
    "nanosecond microsecond millisecond second minute hour day week month year decade byte kilobyte megabyte gigabyte"
    " terabyte petabyte bit dozen hundred thousand million billion trillion percent half quarter third double"
    " triple".split()
)
_BOUND = {
    "most": re.compile(r"\bat most\b|\bup to\b|\bno more than\b|\bmaximum\b|\bwithin\b|<=|≤", re.I),
    "least": re.compile(r"\bat least\b|\bno (?:less|fewer) than\b|\bminimum\b|>=|≥|\bfrom\b", re.I),
    "above": re.compile(r"\b(?:more|higher|greater|longer|above|over) than\b|\bexceeds?\b|\babove\b", re.I),
    "below": re.compile(r"\b(?:less|fewer|lower|shorter) than\b|\bbelow\b|\bunder\b", re.I),
}
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_TRIVIAL = (0.0, 2.0, 3.0)  # "one" is mostly a pronoun


@lru_cache(maxsize=4096)
def _stems(group: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(stem, group))


def coverage(claim: Words, there: frozenset[str], weight: Callable[[str], float]) -> tuple[float, float]:
    """How much of a claim's terms the evidence holds.

    Returns:
        The weighted share in [0, 1], and the heaviest missing term's weight (0 where none is missing).
    """
    wanted = {term: weight(term) for term in claim.held}
    missing = [value for term, value in wanted.items() if not held(term, there)]
    total = sum(wanted.values())
    return (1.0 - sum(missing) / total if total else 0.0, max(missing, default=0.0))


def held(term: str, there: frozenset[str]) -> bool:
    """Whether a term is among those of a text, by itself or as a near enough form."""
    if term in there:
        return True
    # "approximate nearest-neighbor" and "reindexing" are near enough to their parts.
    return len(term) > 5 and any(len(t) > 4 and (t.startswith(term[:-1]) or term.startswith(t)) for t in there)


def objection(claim: Words, evidence: Words, context: Words) -> str:
    """What speaks against a claim being said by its evidence, as words for a reader; "" where nothing does.

    Args:
        claim: the sentence.
        evidence: the text it cites.
        context: the titles and headings above that text, which name what it is about.
    """
    around = Words(f"{context.text}. {evidence.text}")
    if what := _figures(claim, around):
        return f"the figure {what} is not in the cited text"
    if what := _names(claim, around):
        return f"the name {what} is not in the cited text"
    if what := _opposed(claim, around):
        return f"it says “{what}” where the cited text says the opposite"
    if what := _absolute(claim, evidence):
        return f"“{what}” is more than the cited text says"
    if what := _negation(claim, evidence):
        return f"it differs from the cited text in a negation (at “{what}”)"
    if turned(claim.text, evidence.text):
        return "it swaps the sides of the cited text"
    if aligned(claim, evidence, context)[1]:
        return "its words stand otherwise in the cited text"
    if what := only_reported(claim, evidence):
        return f"the cited text only reports it (“{what}”)"
    if pair := replaced(claim, evidence):
        return f"it says “{pair[0]}” where the cited text says “{pair[1]}”"
    return ""


def _figures(claim: Words, evidence: Words) -> str:
    spans = []
    for wanted in claim.quantities:
        spans.append((wanted.start, wanted.end))
        if wanted.trivial and wanted.value not in _TRIVIAL:
            continue
        if _count(wanted, claim.quantities) > _count(wanted, evidence.quantities):
            return str(claim.text[wanted.start : wanted.end]).strip()
    order = iter(q for q in evidence.quantities if not q.trivial)
    for wanted in claim.quantities:
        if not wanted.trivial and not any(_same(wanted, q) for q in order):  # consumes: a subsequence
            return f"{claim.text[wanted.start : wanted.end].strip()} in this place"
    figures = frozenset(_DIGITS.findall(evidence.text))
    for match in _DIGITS.finditer(claim.text):
        covered = any(a <= match.start() and match.end() <= b for a, b in spans)
        if not covered and match.group() not in figures:
            return match.group()
    there = {w.lower().removesuffix("s") for w in _WORD.findall(evidence.text)}
    if _ONE.search(claim.text) and not there & {"one", "single", "1", "once", "each"}:
        return "one"
    for word in _WORD.findall(claim.text):
        unit = word.lower().removesuffix("s")
        inside = any(word in claim.text[a:b] for a, b in spans)
        if unit in _UNITS and unit not in there and not inside:
            return str(word)
    for name, pattern in _BOUND.items():
        other = _BOUND[{"most": "least", "least": "most", "above": "below", "below": "above"}[name]]
        bound = pattern.search(claim.text)
        if claim.quantities and bound and not pattern.search(evidence.text) and other.search(evidence.text):
            return str(bound.group())
    return ""


def _count(wanted: Quantity, among: Sequence[Quantity]) -> int:
    """How often a quantity is there. A tenth is what speech forgives; writing from a passage needs no such room."""
    return sum(_same(wanted, q) for q in among)


def _same(a: Quantity, b: Quantity) -> bool:
    return a.dimension == b.dimension and agrees(a, b, tolerance=1e-4)


def _names(claim: Words, evidence: Words) -> str:
    there = {w.lower() for w in words(evidence.text)}
    for n, match in enumerate(_WORD.finditer(claim.text)):
        word = match.group()
        capitals = sum(map(str.isupper, word))
        opens = n == 0 or claim.text[: match.start()].rstrip(" \"'“(*_`")[-1:] in (".", "?", "!", ":", ";", "")
        named = (
            capitals > 1 or (capitals and not opens) or (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))
        )
        if not named or word in ("I", "A"):
            continue
        parts = [p for p in words(word) if p]
        if not any(p in there or p.removesuffix("s") in there or stem(p) in evidence.held for p in parts[:1]):
            return word
        if len(parts) > 2 and not all(p in there or stem(p) in evidence.held for p in parts[1:]):
            return word
    return ""


def _opposed(claim: Words, evidence: Words) -> str:
    mine = claim.stems
    for left, right in OPPOSITES:
        for ours, theirs in ((left, right), (right, left)):
            said = mine & _stems(tuple(ours))
            if said and not (_stems(tuple(ours)) & evidence.stems) and (_stems(tuple(theirs)) & evidence.stems):
                word = next((w for w in words(claim.text) if stem(w) in said), "")
                if not (_stems(tuple(theirs)) & mine):
                    return word
    return ""


def _absolute(claim: Words, evidence: Words) -> str:
    said = {w.lower() for w in _WORD.findall(NT.sub(" not", claim.text))}
    there = {w.lower() for w in _WORD.findall(NT.sub(" not", evidence.text))}
    for group in _ABSOLUTE:
        if (mine := said & group) and not there & group:
            return str(min(mine))
    return ""


def _negated(text: str) -> list[tuple[str, frozenset[str]]]:
    """Each negator with the stems of the content words that follow it closely."""
    found = []
    pieces = CLAUSE.split(NT.sub(" not", text))
    for part in (part for piece in pieces for part in re.split(r"[,()](?=\s|$)", piece)):
        said = [w.lower() for w in _WORD.findall(part)]
        for n, word in enumerate(said):
            if word in _NEGATORS:
                after = [stem(w) for w in said[n + 1 : n + 6] if w not in _NEGATORS and query_content(w)][:2]
                found.append((word, frozenset(after)))
    return found


def _negation(claim: Words, evidence: Words) -> str:
    mine, theirs = _negated(claim.text), _negated(evidence.text)
    denied_there: frozenset[str] = frozenset().union(*(after for _, after in theirs))
    denied_here: frozenset[str] = frozenset().union(*(after for _, after in mine))
    for word, after in mine:
        if not theirs or (after and not after & denied_there):
            return word
    for word, after in theirs:
        if after and after <= claim.held and not after <= denied_here:
            return word
    return ""


def weigher(frequency: Callable[[str], int], passages: int) -> Callable[[str], float]:
    """The weight of a term by its rarity in an index of so many passages, in [0.3, 1]."""
    top = math.log(passages * 2 + 2)
    known: dict[str, float] = {}

    def weight(term: str) -> float:
        if term not in known:
            known[term] = max(0.3, math.log((passages + 1) / (frequency(term) + 0.5)) / top)
        return known[term]

    return weight
