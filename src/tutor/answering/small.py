"""The small words of a sentence beside those of its evidence: stop words to a search, but they decide what is meant.

Sentence and evidence are laid side by side, word by word. Each small word of the sentence (``tutor.deciding``) has to
stand beside the same one there; one of the evidence may be left out only where a whole aside goes with it, and the
condition behind what is taken over not at all. "Which has both" is not said by "which has neither", nor "from 7.2" by
"up to 7.2". No term may be put in that neither the evidence nor the headings above it have.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tutor.answering.claims import held
from tutor.answering.order import CLAUSE, Words
from tutor.deciding import small
from tutor.retrieval.lexical import stem, terms, words

_TOKEN = re.compile(r"[^\W_]+|[²³⁰¹⁴-⁹√∝≤≥<>=≈±×/^%−]|[,;:()]|[.!?](?=\s|$)")
_NT = re.compile(r"(?<=[a-z])n['’]t\b", re.I)
_CANT, _WONT = re.compile(r"\bcan['’]t\b", re.I), re.compile(r"\bwon['’]t\b", re.I)
_OPENING = re.compile(
    r"^(?:\*\*[^*]*\*\*:?\s*)?(\W*(?:when|if|because|since|while|once|unlike|for|in|with|under)\b[^,;]*),", re.I
)
_BRACKETED = re.compile(r"([^\W_][\w+#./-]*)\W{0,3}\s*\(([^()]{1,60})\)")
#: Words that tie two parts together: a sentence may leave one out, but may put none in.
_HINGES = frozenset(
    "by to into through via onto out off upon per for with as will would because so although whereas if when therefore "
    "unlike who".split()
)
#: How sure or binding a sentence is: like the small words of ``tutor.deciding``.
_MODALS = frozenset("must may might should can could shall".split())
#: Conjunctions that make the clause behind them the cause, the condition or the consequence.
_GOVERNS = frozenset("because since so if when although unless while".split())
_WORTH = {"word": 3.0, "small": 2.0, "hinge": 1.0, "sign": 2.0, "join": 1.0, "light": 0.5, "stop": 0.0}
_GAP = 0.15  # what each word that is passed over takes from an alignment
#: Before what a sentence takes over, they limit it.
_LIMITS_BEFORE = frozenset(
    "not no never none neither nor without hardly rarely barely few some most only almost nearly".split()
)
#: Right behind it, they limit it.
_LIMITS_BEHIND = frozenset("only unless except until if without not".split())
#: Behind it, they open a condition: the sentence may put it elsewhere, but not leave it out. "While" also contrasts.
_CONDITIONS = frozenset("when whenever where once".split())
_JOINS = frozenset(("and", "or", "nor"))
_STOPS = frozenset(",;:().!?")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign: ``key`` in the spelling that is compared; ``kind`` a key of ``_WORTH``."""

    key: str
    kind: str


def tokens(text: str) -> list[Token]:
    """A text as it is laid beside another."""
    found = []
    for raw in _TOKEN.findall(_NT.sub(" not", _WONT.sub("will not", _CANT.sub("cannot", text)))):
        word = raw.lower()
        if raw in _STOPS:
            found.append(Token(raw, "stop"))
        elif word == "cannot":
            found += [Token("can", "small"), Token("not", "small")]
        elif not raw.isalnum() or unicodedata.category(raw[0]) == "No":
            found.append(Token(raw, "sign"))
        elif word in _JOINS:
            found.append(Token(word, "join"))
        elif said := small(word):
            found.append(Token(said, "small"))
        elif word in _MODALS or word in _HINGES:
            found.append(Token(word, "small" if word in _MODALS else "hinge"))
        else:
            found.append(Token(stem(word), "word" if terms(word) else "light"))
    return found


def beside(claim: Sequence[Token], evidence: Sequence[Token]) -> list[tuple[int, int]]:
    """The best local alignment: places in both, rising; words that differ are never set side by side."""
    rows, columns = len(claim), len(evidence)
    score = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    best, at = 0.0, (0, 0)
    for i in range(1, rows + 1):
        mine, above, row = claim[i - 1], score[i - 1], score[i]
        for j in range(1, columns + 1):
            value = max(0.0, above[j] - _GAP, row[j - 1] - _GAP)
            if mine == evidence[j - 1]:
                value = max(value, above[j - 1] + _WORTH[mine.kind])
            row[j] = value
            if value > best:
                best, at = value, (i, j)
    pairs = []
    i, j = at
    while i and j and score[i][j] > 0:
        if claim[i - 1] == evidence[j - 1] and score[i][j] == score[i - 1][j - 1] + _WORTH[claim[i - 1].kind]:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif score[i][j] == score[i - 1][j] - _GAP:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def differs(claim: Words, evidence: Words, context: Words) -> str:
    """The word that a sentence puts in, or the small one in which it differs from its evidence, or ""."""
    known = evidence.held | context.held
    if word := next((term for term in claim.terms if not small(term) and not held(term, known)), ""):
        # As it is written, not its stem: it is told to a reader.
        return next(
            (w for w in words(claim.text) if stem(w) == word), word
        )  # "an obsolete store", where the evidence says "a store"
    if word := _owner(claim.text, evidence.text):
        return word
    if word := _again(claim, evidence, context):
        return word
    there, here = tokens(evidence.text), tokens(claim.text)
    whole = _difference(here, there)
    parts = _parts(claim.text)
    if whole and len(parts) < 2:
        return whole
    if whole:
        for governed_by, part in parts:
            if word := _difference(tokens(part), there) or _governed(governed_by, tokens(part), there):
                return word
    said = frozenset(t.key for t in here)
    return next((word for _, part in parts if (word := _unconditional(tokens(part), there, said))), "")


def _unconditional(mine: Sequence[Token], there: Sequence[Token], said: frozenset[str]) -> str:
    """What opens the condition right behind a clause in the evidence, where the sentence says less than half of it."""
    pairs = beside(mine, there)
    rest = there[pairs[-1][1] + 1 :] if pairs else ()
    at = next((n for n, t in enumerate(rest) if t.kind != "stop"), len(rest))
    if at == len(rest) or rest[at].key not in _CONDITIONS or (rest[at].key == "where" and at):
        return ""  # ", where …" tells more of what stands before it
    clause = []
    for token in rest[at + 1 :]:
        if token.kind == "stop" or token.key in _GOVERNS:
            break
        clause.append(token)
    keys = [t.key for t in clause if t.kind == "word"]
    return "" if sum(k in said for k in keys) * 2 >= len(keys) else rest[at].key


def _parts(text: str) -> list[tuple[str, str]]:
    """The clauses of a sentence, each with the conjunction that it stands behind, or ""."""
    text = _OPENING.sub(r"\1; ", text)
    found = []
    at, behind = 0, ""
    for end in CLAUSE.finditer(text):
        found.append((behind, text[at : end.start()]))
        joined = re.findall(r"[a-z]+", end.group().lower())
        at, behind = end.end(), joined[0] if joined else ""
    found.append((behind, text[at:]))
    return [(word, part) for word, part in found if terms(part)]


def _governed(word: str, mine: Sequence[Token], there: Sequence[Token]) -> str:
    """The conjunction before a clause, where the clause stands behind no such one in the evidence."""
    pairs = beside(mine, there) if word in _GOVERNS or word in _JOINS else []
    before = [t.key for t in there[max(0, pairs[0][1] - 4) : pairs[0][1]]] if pairs else []
    if word == "and":
        return word if "or" in before else ""
    wanted = word in _GOVERNS or word in _JOINS
    return word if wanted and word not in before else ""


def _difference(mine: Sequence[Token], there: Sequence[Token]) -> str:
    pairs = beside(mine, there)
    if not pairs:
        return ""
    placed = dict(pairs)
    for n, token in enumerate(mine):
        if n in placed:
            continue
        if token.kind in ("small", "sign", "hinge"):
            return token.key
        if token.kind == "join" and not _joined(n, token, placed, there):
            return token.key
    for (_, left), (_, right) in pairwise(pairs):
        gap = there[left + 1 : right]
        dropped = next((t.key for t in gap if t.kind in ("small", "sign")), "")
        if dropped and not _aside(gap):
            return dropped
    first, last = pairs[0][1], pairs[-1][1]
    for token in reversed(there[:first]):
        if token.kind not in ("small", "light"):
            break
        if token.key in _LIMITS_BEFORE:
            return token.key
    behind = [t for t in there[last + 1 : last + 3] if t.kind != "stop"]
    if behind and behind[0].key in _LIMITS_BEHIND:
        return behind[0].key
    return ""


def _joined(n: int, token: Token, placed: dict[int, int], there: Sequence[Token]) -> bool:
    """Whether "and" or "or" joins there too what it joins here: the next such word behind what stands before it."""
    before = max((at for m, at in placed.items() if m < n), default=-1)
    after = min((at for m, at in placed.items() if m > n), default=len(there))
    between = [t.key for t in there[before + 1 : after] if t.kind == "join"]
    if between:
        return token.key in between
    following = next((t.key for t in there[before + 1 :] if t.kind == "join" or t.key in ".;!?"), "")
    return following == token.key or (token.key == "and" and following != "or")


def _aside(gap: Sequence[Token]) -> bool:
    """Whether what is left out stands between commas or brackets."""
    return gap[0].kind == "stop" and gap[-1].kind == "stop"


def _owner(claim: str, evidence: str) -> str:
    """A bracketed name that stands behind another word there: "OR (Bloom)"."""
    there = [(stem(word.lower()), tuple(terms(inside))) for word, inside in _BRACKETED.findall(evidence)]
    for word, inside in _BRACKETED.findall(claim):
        held = tuple(terms(inside))
        owners = {owner for owner, other in there if other == held}
        if owners and stem(word.lower()) not in owners:
            return str(inside)
    return ""


def _again(claim: Words, evidence: Words, context: Words) -> str:
    """A term that is said more often than in the evidence, and is no name of what it is about."""
    here, there = Counter(claim.terms), Counter(evidence.terms)
    for term, count in here.items():
        if count > 1 and there[term] and count > there[term] and term not in context.held:
            return term
    return ""
