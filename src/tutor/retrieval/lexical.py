"""The lexical leg: a tokeniser that keeps the field's terms, and BM25 weights as sparse vectors.

The index multiplies by IDF at query time (Qdrant's ``modifier: idf``), so a vector here holds only BM25's
term-frequency factor and stays valid when other documents come or go.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

import snowballstemmer

K1 = 1.2  # Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework", section 3.4: 1.2 <= k1 <= 2
B = 0.75  # the same: 0.5 < b < 0.8
AVERAGE_TERMS = 90.0  # a chunk's usual number of terms; fixed, so that a chunk's vector does not depend on the others

_STOP = frozenset(
    "a an the and or of to in on at by for from with without as is are was were be been being it its this that these "
    "those there here he she they them their you your we our us i me my do does did done doing can could would should "
    "will shall may might must have has had having not no so if then than too very just about into over under between "
    "what which who whom whose how why when where vs versus any some each other such only own same s t d ll re ve "
    "explain describe tell please use used using work works wo ca sha bother exactly really actually".split()
)
#: Words that say what kind of answer is wanted, not what it is about: no passage needs to hold them.
INTENT_WORDS = frozenset(
    "difference differences differ different compare compared comparison versus better pros cons advantage advantages "
    "disadvantage disadvantages drawback drawbacks downside downsides benefit benefits limitation limitations weakness "
    "weaknesses overview definition define meaning mean example examples summary summarize detail details basics "
    "introduction understand know good bad wrong right thing things overkill never always main best "
    "possible approach approaches solve solving solution solutions way ways typical typically problem problems".split()
)

#: Words of any question, which are never its subject.
PLAIN_WORDS = _STOP | INTENT_WORDS
#: How the answer should be told, and how people begin to speak; it says nothing of the subject.
_MANNER = re.compile(
    r"\b(?:at|on) an? (?:very )?(?:high|low|basic) level\b"
    r"|\bin (?:simple|plain|your own|a few) (?:terms|words|english)\b"
    r"|^\W*(?:(?:hey|hi|hello|ok|okay|so|um+|uh+|well|please)\b\W*)+"
    r"|\b(?:can|could|would) you (?:please |quickly |briefly )?(?:explain|describe|tell me(?: about)?"
    r"|walk me through)\b"
    r"|\bi (?:was|got|am being) asked (?:about|how|why|what|to explain)\b|\b(?:yesterday|today|please)\b"
    r"|\bin (?:detail|depth|short|brief)\b|\bstep by step\b|\bfrom first principles\b|\bwith an example\b",
    re.I,
)

# NFKC, which goes first, makes U+2010 of U+2011, the hyphen that does not break.
_DASHES = str.maketrans("\u2010\u2012–−—’‘“”×", "----" + " ''" + '""' + "x") | {ord("≥"): ">=", ord("≤"): "<="}
#: The blanks in "R + W > N", so that it is the term "R+W>N".
_SPACED = re.compile(r"(?<=\b[a-z0-9]) ?(>=|<=|[+*<>=]) ?(?=[a-z0-9]\b)")
# One alternative each: big-O; formulas with + > < =; words joined by - / . ' + # & as in exactly-once, HTTP/2, CI/CD,
# node.js, C++, C#; plain words and numbers.
_TOKEN = re.compile(
    r"o\([^()\s]{1,3}(?: ?(?:log|\*|\+)? ?[^()\s]{1,3})?\)"
    r"|[a-z0-9]+(?:[+*][a-z0-9]+)*(?:>=|<=|>|<|=)[a-z0-9]+(?:[+*/][a-z0-9]+)*"
    r"|\.net\b"
    r"|[^\W_]+(?:[-/.'+&_][^\W_]+)*(?:\+\+|#)?"
)
#: "shouldn't" is two stop words, and "Little's law" is Little's.
_NEGATED = re.compile(r"(?<=[a-z])n't\b")
_CONTRACTED = re.compile(r"(?<=[a-z])'(?:s|re|ve|ll|d|m)\b")
_SPLIT = re.compile(r"[-/.'+&_*<>=]")
_PHRASE_CHARS = 60  # what may be a name; whole questions are seldom asked twice
_SHORT_CHARS = 120  # titles and headings; sentences are kept as they are cut (answering/units.py)
_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Snowball English (Porter2) for alphabetic words; anything with a digit or sign is left as it is."""
    return str(_stemmer.stemWord(word)) if word.isascii() and word.isalpha() and len(word) > 3 else word


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).lower()
    plain = _NEGATED.sub(" not", _CONTRACTED.sub("", plain))
    return _TOKEN.findall(_SPACED.sub(r"\1", plain))


def words(text: str) -> list[str]:
    """Lower-case tokens in order; a joined term appears whole, before its parts (``exactly-once exactly once``)."""
    found: list[str] = []
    for token in _tokens(text):
        found.append(token)
        parts = [p for p in _SPLIT.split(token) if p]
        if len(parts) > 1 and not token.replace(".", "").isdigit() and "(" not in token:
            found.extend(parts)
    return found


def terms(text: str) -> list[str]:
    """Stemmed tokens without stop words, in order, repeats kept: what BM25 counts."""
    return list(_short(text)) if len(text) <= _SHORT_CHARS else _terms(text)


def _terms(text: str) -> list[str]:
    return [stem(w) for w in words(text) if w not in _STOP]


@lru_cache(maxsize=8192)
def _short(text: str) -> tuple[str, ...]:
    """Titles, headings and labels are looked at some hundred times a question, always the same ones."""
    return tuple(_terms(text))


def term_id(term: str) -> int:
    """The term's dimension in the sparse vector: CRC-32, stable across machines and versions."""
    return zlib.crc32(term.encode("utf-8"))


def query_content(text: str) -> list[str]:
    """The words of a question that are not stop words, in order, parts of joined terms left out."""
    return list(_phrase(text)) if len(text) <= _PHRASE_CHARS else _content(text)


def _content(text: str) -> list[str]:
    return [w for w in _tokens(text) if w not in _STOP]


@lru_cache(maxsize=16384)
def _phrase(text: str) -> tuple[str, ...]:
    """The same phrases are looked at again and again while a conversation is read for its names."""
    return tuple(_content(text))


def document_vector(found: Iterable[str]) -> tuple[list[int], list[float]]:
    """BM25's term-frequency factor per term: ``tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))``."""
    counts = Counter(found)
    length = sum(counts.values())
    norm = K1 * (1 - B + B * length / AVERAGE_TERMS)
    weights: dict[int, float] = {}
    for term, tf in counts.items():
        key = term_id(term)
        weights[key] = weights.get(key, 0.0) + tf * (K1 + 1) / (tf + norm)
    return list(weights), list(weights.values())


def query_vector(weighted: Mapping[str, float]) -> tuple[list[int], list[float]]:
    """Query terms with their weights (1 for a word of the question, less for an expansion)."""
    weights: dict[int, float] = {}
    for term, weight in weighted.items():
        key = term_id(term)
        weights[key] = max(weights.get(key, 0.0), weight)
    return list(weights), list(weights.values())


def name_key(name: str) -> str:
    """What two spellings of a name have in common: the stems of its words, joints and stop words left out."""
    return " ".join(stem(part) for word in query_content(name) for part in _SPLIT.split(word) if part)


def names_vector(names: Iterable[str]) -> tuple[list[int], list[float]]:
    """Whole names as terms, each of weight 1: "in-sync replicas" is one, and says nothing of other replicas."""
    ids = list(dict.fromkeys(term_id(key) for name in names if (key := name_key(name))))
    return ids, [1.0] * len(ids)


def spans(text: str, longest: int = 6) -> list[str]:
    """Every run of up to ``longest`` words of a question, as it may be somebody's name."""
    parts = [part for word in query_content(text) for part in _SPLIT.split(word) if part]
    return [" ".join(parts[a:b]) for a in range(len(parts)) for b in range(a + 1, min(a + longest, len(parts)) + 1)]


def without_manner(text: str) -> str:
    """A question without how it wants to be told ("in simple words"); the question where nothing would be left."""
    left = " ".join(_MANNER.sub(" ", text).split())
    return left if query_content(left) else text
