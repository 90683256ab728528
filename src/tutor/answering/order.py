"""A sentence and its evidence as word order sees them: clauses, sides, what is replaced and what is only reported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tutor.quantities.numbers import Quantity, quantities
from tutor.retrieval.lexical import stem, terms, words
from tutor.text import blank_markup

NT = re.compile(r"n['’]t\b", re.I)
CLAUSE = re.compile(
    r"[;:]|[.!?](?=\s|$)|,\s(?:and|but|yet|so|which|or|nor|then)\s"
    r"|\b(?:while|whereas|but|although|though|because|so that|since|when|if|unlike|unless)\b",
    re.I,
)
_SPEECH = re.compile(
    r"\b(?:says?|said|states?|stated|claim(?:s|ed)?|reports?|reported|asserts?|announce[sd]?|believes?|thinks?|argues?"
    r"|mentions?|praises?|considers?|tells?|told|insists?|summar(?:y|ies|i[sz]e[sd]?)|responses?|sentence|assistant|pretend"
    r"|allegedly|supposedly|rumou?rs?|that)\b",
    re.I,
)
_BRACKETS = re.compile(r"\([^()]*\)")
#: "When writes must not be lost, use …": what comes before the comma is a clause of its own.
_OPENING = re.compile(
    r"^(\W*(?:when|if|because|since|while|although|for|in|at|with|under|on|as|once|unlike)\b[^,;]*),", re.I
)
_INSTEAD = re.compile(r"\b(?:instead of|rather than|and not|not|over|in place of)\b", re.I)
_SIDE_ENDS = re.compile(r"[;:.,]\s|\b(?:when|because|for|if|and|or|while|whereas|but|although)\b", re.I)
_THAN = re.compile(r"\bthan\b", re.I)
_BEFORE = re.compile(r"\b(?:before|until)\b", re.I)
_AFTER = re.compile(r"\b(?:after|once)\b", re.I)


def plain(text: str) -> str:
    """A text without its Markdown marks, on one line."""
    return " ".join(blank_markup(text).split())


@dataclass(frozen=True)
class Words:
    """A text as the checks read it, each part made once."""

    text: str

    @cached_property
    def terms(self) -> tuple[str, ...]:
        return tuple(terms(self.text))

    @cached_property
    def held(self) -> frozenset[str]:
        """Its terms, and for joined words their stems too."""
        return frozenset(self.terms)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of all its words, stop words too."""
        return frozenset(map(stem, words(NT.sub(" not", self.text))))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return tuple(quantities(self.text))

    @cached_property
    def clauses(self) -> tuple[tuple[str, ...], ...]:
        inside = _BRACKETS.findall(self.text)
        opened = _OPENING.sub(r"\1; ", _BRACKETS.sub(" ", self.text))
        parts = [part for text in (opened, *inside) for part in CLAUSE.split(text)]
        return tuple(found for part in parts if (found := tuple(terms(part))))


def aligned(claim: Words, evidence: Words, context: Words) -> tuple[float, float]:
    """How far each clause of the claim stands in one clause of the evidence, its terms in the same order.

    A sentence that swaps the sides of its source has all its words and fails this; so does a free paraphrase. Terms of
    the titles above the evidence may be added to a clause: they name what it is about.

    Returns:
        The worst clause's share of terms, in [0, 1], and how many terms the evidence has, but not in this place.
    """
    shares = []
    misplaced = 0
    for clause in claim.clauses:
        beside = max(evidence.clauses, key=lambda other: len(_common(clause, other)), default=())
        placed = _common(clause, beside)
        shares.append(len(placed) / len(clause))
        left = list(clause)
        for term in placed:
            left.remove(term)
        misplaced += sum(
            term in evidence.held and term != "one" and (term in beside or term not in context.held) for term in left
        )
    return min(shares, default=0.0), float(misplaced)


def _common(a: Sequence[str], b: Sequence[str]) -> tuple[str, ...]:
    """The longest common subsequence."""
    row: list[tuple[str, ...]] = [()] * (len(b) + 1)
    for x in a:
        before, row = row, [()]
        for n, y in enumerate(b):
            row.append((*before[n], x) if x == y else max(before[n + 1], row[n], key=len))
    return row[-1]


def only_reported(claim: Words, evidence: Words) -> str:
    """The verb or noun of speech behind which all of the claim stands in the evidence, without being in the claim.

    "Vendors claim that it never fails" does not say that it never fails, nor does "you should add that it never fails",
    whatever the verb; "a queue that never fails" does, as the queue stands before.
    """
    for match in _SPEECH.finditer(evidence.text):
        if stem(match.group().lower()) in claim.stems:
            continue
        start = evidence.text.rfind(". ", 0, match.start()) + 1
        before = set(terms(evidence.text[start : match.start()])) & claim.held
        after = set(terms(evidence.text[match.end() :])) & claim.held
        if not before and len(after) * 2 > len(claim.held):
            return match.group()
    return ""


def replaced(claim: Words, evidence: Words) -> tuple[str, str] | None:
    """A term of the claim that stands, beside shared terms, where the evidence has another one."""
    for clause in claim.clauses:
        best = max(
            ((_common(clause, other), other) for other in evidence.clauses), key=lambda p: len(p[0]), default=None
        )
        if best is None or not best[0]:
            continue
        shared, other = best
        mine, theirs = _between(clause, shared), _between(other, shared)
        for ours, there in zip(mine, theirs, strict=True):
            new = [t for t in ours if t not in evidence.held]
            gone = [t for t in there if t not in claim.held]
            if new and gone:
                return new[0], gone[0]
    return None


def _between(clause: Sequence[str], shared: Sequence[str]) -> list[list[str]]:
    """What stands before, between and behind the terms of a subsequence of a clause."""
    gaps: list[list[str]] = [[]]
    at = 0
    for term in clause:
        if at < len(shared) and term == shared[at]:
            at += 1
            gaps.append([])
        else:
            gaps[-1].append(term)
    return gaps


def _sides(pattern: re.Pattern[str], text: str) -> tuple[set[str], set[str]] | None:
    """The terms close to a connective on its left and right."""
    if not (match := pattern.search(text)):
        return None
    left = _SIDE_ENDS.split(text[: match.start()])[-1]
    right = _SIDE_ENDS.split(text[match.end() :])[0]
    return set(terms(left)[-3:]), set(terms(right)[:2])


def turned(claim: str, evidence: str) -> bool:
    """Whether what stands on one side of "instead of", "than", "before" or "after" stands on the other there."""
    reads = [(p, p, False) for p in (_INSTEAD, _THAN, _BEFORE, _AFTER)]
    if not (_BEFORE.search(claim) and _AFTER.search(claim)) and not (
        _BEFORE.search(evidence) and _AFTER.search(evidence)
    ):
        reads += [(_BEFORE, _AFTER, True), (_AFTER, _BEFORE, True)]
    for mine, theirs, crossed in reads:
        ours, there = _sides(mine, claim), _sides(theirs, evidence)
        if not ours or not there:
            continue
        left, right = ours
        one, two = reversed(there) if crossed else there
        one, two = one - two, two - one
        turned, straight = len(right & one) + len(left & two), len(right & two) + len(left & one)
        if turned > straight or (right & one and not right & two):
            return True
    for mine, theirs in ((_BEFORE, _AFTER), (_AFTER, _BEFORE)):
        ours, there, kept = _sides(mine, claim), _sides(theirs, evidence), _sides(mine, evidence)
        if ours and there and ours[1] & there[1] - (kept[1] if kept else set()):
            return True
    return False
