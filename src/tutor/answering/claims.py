"""What words alone tell of a sentence and the text it cites: terms, names, figures, negation, sides, degree.

Each check names what is wrong, or nothing. They are strict on purpose: a sentence that stays near the words of its
passage passes them, and what none of them can be sure of is left to the reading that ``verify`` adds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tutor.quantities.numbers import Quantity, agrees, quantities
from tutor.retrieval.lexical import query_content, stem, terms, words
from tutor.text import blank_markup

#: Opposites: a claim with one of them, where the evidence has only the other, turns the evidence round.
_OPPOSITES = tuple(
    tuple(side.split("/") for side in pair.split("|"))
    for pair in (
        "more|less/fewer",
        "most|least/fewest",
        "high/higher/highest|low/lower/lowest",
        "large/larger/big/bigger|small/smaller",
        "fast/faster|slow/slower",
        "shorten/shorter/short|lengthen/longer/long",
        "increase/raise/grow/rise|decrease/reduce/cut/shrink/fall/lower/drop",
        "add/gain|remove/lose",
        "before|after/behind",
        "above|below",
        "first|last",
        "early/earlier|late/later",
        "cheap/cheaper|expensive/costly",
        "easy/easier/easily/simple|hard/harder/difficult/complex",
        "strong/stronger|weak/weaker",
        "read|write",
        "leader|follower",
        "synchronous/sync|asynchronous/async",
        "horizontal/horizontally|vertical/vertically",
        "push|pull",
        "allow/permit/accept|forbid/prevent/refuse/reject/deny",
        "bounded|unbounded",
        "stateless|stateful",
        "mutable|immutable",
        "ordered|unordered",
        "same|different",
        "new|old",
        "present|past",
        "near|far",
        "internal|external",
        "many|few",
        "hit|miss",
        "succeed/success|fail/failure",
        "optimistic|pessimistic",
        "forward|backward",
        "producer|consumer",
        "client|server",
        "hot|cold",
        "dense|sparse",
        "static|dynamic",
        "public|private",
        "local|global",
        "encrypted|unencrypted",
        "compile|run",
        "keep|stop",
        "hide|show",
        "open|close",
        "upper|lower",
        "minimum|maximum",
        "best|worst",
        "cp|ap",
        "tcp|udp",
        "row|column",
        "batch|stream",
    )
)
#: Words that make a claim general or absolute; the evidence must be as absolute.
_ABSOLUTE: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "always never every all any whenever whatever whichever none",
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
_NT = re.compile(r"n['’]t\b", re.I)
_WORD = re.compile(r"[A-Za-z0-9]+(?:[-'’/+_.][A-Za-z0-9]+)*\+*#?")
_CLAUSE = re.compile(
    r"[;:]|[.!?](?=\s|$)|,\s(?:and|but|yet|so|which|or|nor|then)\s"
    r"|\b(?:while|whereas|but|although|though|because|so that|since|when|if|unlike|unless)\b",
    re.I,
)
_ONE = re.compile(r"\b(?:one|a single)\b", re.I)
_BRACKETS = re.compile(r"\([^()]*\)")
#: "When writes must not be lost, use …": what comes before the comma is a clause of its own.
_OPENING = re.compile(
    r"^(\W*(?:when|if|because|since|while|although|for|in|at|with|under|on|as|once|unlike)\b[^,;]*),", re.I
)
#: Units and scales that a sentence may not change, also where no figure stands before them.
_UNITS = frozenset(
    "nanosecond microsecond millisecond second minute hour day week month year decade byte kilobyte megabyte gigabyte"
    " terabyte petabyte bit dozen hundred thousand million billion trillion percent half quarter third double"
    " triple".split()
)
_INSTEAD = re.compile(r"\b(?:instead of|rather than|and not|not|over|in place of)\b", re.I)
_SIDE_ENDS = re.compile(r"[;:.,]\s|\b(?:when|because|for|if|and|or|while|whereas|but|although)\b", re.I)
_THAN = re.compile(r"\bthan\b", re.I)
_BEFORE = re.compile(r"\b(?:before|until)\b", re.I)
_AFTER = re.compile(r"\b(?:after|once)\b", re.I)
_BOUND = {
    "most": re.compile(r"\bat most\b|\bup to\b|\bno more than\b|\bmaximum\b|\bwithin\b|<=|≤", re.I),
    "least": re.compile(r"\bat least\b|\bno (?:less|fewer) than\b|\bminimum\b|>=|≥|\bfrom\b", re.I),
    "above": re.compile(r"\b(?:more|higher|greater|longer|above|over) than\b|\bexceeds?\b|\babove\b", re.I),
    "below": re.compile(r"\b(?:less|fewer|lower|shorter) than\b|\bbelow\b|\bunder\b", re.I),
}
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_TRIVIAL = (0.0, 2.0, 3.0)  # "one" is mostly a pronoun


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
        return frozenset(map(stem, words(_NT.sub(" not", self.text))))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return tuple(quantities(self.text))

    @cached_property
    def clauses(self) -> tuple[tuple[str, ...], ...]:
        inside = _BRACKETS.findall(self.text)
        opened = _OPENING.sub(r"\1; ", _BRACKETS.sub(" ", self.text))
        parts = [part for text in (opened, *inside) for part in _CLAUSE.split(text)]
        return tuple(found for part in parts if (found := tuple(terms(part))))


@lru_cache(maxsize=4096)
def _stems(group: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(stem, group))


def coverage(claim: Words, there: frozenset[str], weight: Callable[[str], float]) -> tuple[float, float]:
    """How much of a claim's terms the evidence holds.

    Returns:
        The weighted share in [0, 1], and the heaviest missing term's weight (0 where none is missing).
    """
    wanted = {term: weight(term) for term in claim.held}
    missing = [value for term, value in wanted.items() if not _held(term, there)]
    total = sum(wanted.values())
    return (1.0 - sum(missing) / total if total else 0.0, max(missing, default=0.0))


def _held(term: str, there: frozenset[str]) -> bool:
    if term in there:
        return True
    # "approximate nearest-neighbor" and "reindexing" are near enough to their parts.
    return len(term) > 5 and any(len(t) > 4 and (t.startswith(term[:-1]) or term.startswith(t)) for t in there)


def aligned(claim: Words, evidence: Words, context: Words) -> tuple[float, float]:
    """How far each clause of the claim stands in one clause of the evidence, its terms in the same order.

    A sentence that swaps the sides of its source has all its words and fails this; so does a free paraphrase. Terms of
    the titles above the evidence may stand anywhere: they name what it is about.

    Returns:
        The worst clause's share of terms, in [0, 1], and how many terms the evidence has, but not in this place.
    """
    shares = []
    misplaced = 0
    for clause in claim.clauses:
        placed = max((_common(clause, other) for other in evidence.clauses), key=len, default=())
        shares.append(len(placed) / len(clause))
        left = list(clause)
        for term in placed:
            left.remove(term)
        misplaced += sum(term in evidence.held and term not in context.held and term != "one" for term in left)
    return min(shares, default=0.0), float(misplaced)


def _common(a: Sequence[str], b: Sequence[str]) -> tuple[str, ...]:
    """The longest common subsequence."""
    row: list[tuple[str, ...]] = [()] * (len(b) + 1)
    for x in a:
        before, row = row, [()]
        for n, y in enumerate(b):
            row.append((*before[n], x) if x == y else max(before[n + 1], row[n], key=len))
    return row[-1]


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
    if _turned(claim.text, evidence.text):
        return "it swaps the sides of the cited text"
    if aligned(claim, evidence, context)[1]:
        return "its words stand otherwise in the cited text"
    if what := _replaced(claim, evidence):
        return f"it says “{what[0]}” where the cited text says “{what[1]}”"
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
    for left, right in _OPPOSITES:
        for ours, theirs in ((left, right), (right, left)):
            said = mine & _stems(tuple(ours))
            if said and not (_stems(tuple(ours)) & evidence.stems) and (_stems(tuple(theirs)) & evidence.stems):
                word = next((w for w in words(claim.text) if stem(w) in said), "")
                if not (_stems(tuple(theirs)) & mine):
                    return word
    return ""


def _absolute(claim: Words, evidence: Words) -> str:
    said = {w.lower() for w in _WORD.findall(_NT.sub(" not", claim.text))}
    there = {w.lower() for w in _WORD.findall(_NT.sub(" not", evidence.text))}
    for group in _ABSOLUTE:
        if (mine := said & group) and not there & group:
            return str(min(mine))
    return ""


def _negated(text: str) -> list[tuple[str, frozenset[str]]]:
    """Each negator with the stems of the content words that follow it closely."""
    found = []
    for part in re.split(r"[;:,.()!?](?=\s|$)", _NT.sub(" not", text)):
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


def _replaced(claim: Words, evidence: Words) -> tuple[str, str] | None:
    """A term of the claim that stands, between two shared terms, where the evidence has another one."""
    for clause in claim.clauses:
        best = max(
            ((_common(clause, other), other) for other in evidence.clauses), key=lambda p: len(p[0]), default=None
        )
        if best is None or len(best[0]) < 2:
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
    """What stands between each two neighbours of a subsequence of a clause."""
    gaps: list[list[str]] = [[]]
    at = 0
    for term in clause:
        if at < len(shared) and term == shared[at]:
            at += 1
            gaps.append([])
        else:
            gaps[-1].append(term)
    return gaps[1:-1]


def _sides(pattern: re.Pattern[str], text: str) -> tuple[set[str], set[str]] | None:
    """The terms close to a connective on its left and right."""
    if not (match := pattern.search(text)):
        return None
    left = _SIDE_ENDS.split(text[: match.start()])[-1]
    right = _SIDE_ENDS.split(text[match.end() :])[0]
    return set(terms(left)[-3:]), set(terms(right)[:2])


def _turned(claim: str, evidence: str) -> bool:
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


def weigher(frequency: Callable[[str], int], passages: int) -> Callable[[str], float]:
    """The weight of a term by its rarity in an index of so many passages, in (0, 1]."""
    top = math.log(passages * 2 + 2)
    known: dict[str, float] = {}

    def weight(term: str) -> float:
        if term not in known:
            known[term] = max(0.05, math.log((passages + 1) / (frequency(term) + 0.5)) / top)
        return known[term]

    return weight
