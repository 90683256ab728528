"""Whether two questions provably ask the same: the guard of the semantic cache.

Cosine similarity cannot tell "when to use Kafka" from "when not to use Kafka". So a question is taken apart: its names
in one spelling, its numbers, its polarity, its kind, the small words that change a meaning, and every other word of
content, in order. Two questions ask the same only where all of these are equal; a word that is not understood makes
them different. What is lost are hits, never answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.answering.intent import classify
from tutor.retrieval.lexical import name_key, query_content, stem, without_manner, words
from tutor.retrieval.search import Searcher, checked_question, spoken

#: Words that only frame a question; two questions that differ in them ask the same.
_NEUTRAL = frozenset(
    map(
        stem,
        "difference differences differ different compare compared comparison definition define meaning mean "
        "overview exactly"
        " understand know summary summarize basics introduction way ways thing things one ones".split(),
    )
)
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:[,.]\d+)*)\s?(k|m|bn|b|million|billion|thousand)?\b(?!\w)", re.I)
_TIMES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_COUNTS = {word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_NEGATIVE = re.compile(r"\b(?:not|never|cannot|no|nor|without|neither|avoid(?:s|ed|ing)?)\b|n't\b", re.I)
_AVOID = re.compile(r"\b(?:when|should|must|do|would)\b[^?]*\bavoid\b", re.I)
#: Function words that change what is asked.
_QUALIFIERS = frozenset(
    "all each every any some only both either neither same other another few many most more least less first last "
    "next before"
    " after until while during without with within inside outside over under above below across between into onto "
    "from out off"
    " up down per than instead rather again still always never ever sometimes against via through by around "
    "behind near as at"
    " on once twice".split()
)
_ALIKE = {
    stem(word): stem(group[0])
    for group in (
        ("choose", "pick", "select"),
        ("large", "big"),
        ("prevent", "stop"),
        ("reduce", "cut"),
        ("happen", "occur"),
        ("tradeoff", "tradeoffs", "trade-off", "trade-offs"),
    )
    for word in group
}
_ASKS = re.compile(
    r"\b(how (?:many|much|long|often|fast|large|big|soon|far)|how|why|when|where|whose|whom|who|which|what)\b", re.I
)
_MODAL = re.compile(r"^\W*(can|could|may|might|should|must|will|does|do|did|is|are)\b|\b(must|can't|cannot)\b", re.I)
_HELD = re.compile(r"\x01[^\x02]*\x02")  # names already put into one spelling


@dataclass(frozen=True, slots=True)
class Sense:
    """The parts of a question that decide what it asks; equal senses are the same question."""

    content: frozenset[str]
    order: tuple[str, ...]
    numbers: tuple[str, ...]
    negative: bool
    intent: str
    asks: str
    modal: str
    qualifiers: tuple[str, ...]


class Senses:
    """Takes questions apart with the names that the index knows."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def spoken(self, question: str) -> str:
        """What the encoder reads of a question: short forms spelt out, typos mended."""
        text = checked_question(question)
        return spoken(text, self._searcher.expander.expand(text, is_word=self._searcher.encoder.is_word))

    def similarity(self, one: str, other: str) -> float:
        """Cosine of two questions as the encoder reads them, in [-1, 1]."""
        first, second = (e.dense for e in self._searcher.encoder.encode([self.spoken(one), self.spoken(other)]))
        return float(first @ second)

    def of(self, question: str) -> Sense | None:
        """The sense of a question; None of one with nothing in it that could be compared."""
        text = checked_question(question)
        expander = self._searcher.expander
        expansion = expander.expand(text, is_word=self._searcher.encoder.is_word)
        text = without_manner(expansion.mended(text))
        intent = classify(text)
        forms: dict[str, set[str]] = {}
        for span, form in expansion.same:
            if name_key(span) and name_key(form) and (_spells(span, form) or _spells(form.lower(), span)):
                forms.setdefault(span, set()).add(form)
        lower = re.sub(r"(?<=\w)['’]s\b", "", text.lower())
        numbers = tuple(_value(*found.groups()) for found in _NUMBER.finditer(lower))
        lower = _NUMBER.sub(" # ", lower)
        for span in sorted(forms, key=len, reverse=True):
            # One spelling of a name, where it has only one other: "CDC" and "change data capture".
            if len(forms[span]) == 1:
                pattern = r"[\W_]+".join(map(re.escape, span.split()))
                key = min(name_key(span), name_key(next(iter(forms[span])))).replace(" ", "_")
                lower = re.sub(rf"(?<!\w){pattern}(?!\w)", f"\x01{key}\x02", lower)
        kept = re.findall(r"\x01([^\x02]*)\x02", lower)
        plain = _HELD.sub(" ", lower)
        negative = bool(_NEGATIVE.search(plain.replace("without", " ")))
        avoided = bool(_AVOID.search(plain))
        tokens = [_COUNTS.get(w, w) for w in words(plain)]
        counted = tuple(w for w in tokens if w in _COUNTS.values())
        content = [
            _ALIKE.get(stem(w), stem(w)) for w in map(_counted, query_content(plain)) if not _neutral(w, avoided)
        ]
        if not content and not kept:
            return None
        free = {"between", "from"} if intent.name == "compare" else {"as"} if intent.name == "why-not" else set()
        qualifiers = tuple(sorted(w for w in words(plain) if w in _QUALIFIERS - free))
        ordered = _in_order(lower, kept, content)
        return Sense(
            frozenset((*content, *kept)),
            ordered,
            (*numbers, *counted),
            negative,
            _kind(intent.name, text),
            _asked(text, intent.name),
            _modality(text, intent.name),
            qualifiers,
        )


def _spells(short: str, long: str) -> bool:
    """Whether a short form's letters stand in the long form in order, from its first: "lora", "low-rank adaptation".

    An alias that only leads to the same card does not: "Redis Sentinel" is not Redis.
    """
    if (
        " " in short
        or short.lower() in re.findall(r"\w+", long.lower())
        or not 2 <= len(short) <= 8
        or len(re.findall(r"\w+", long)) < 2
    ):
        return False
    return bool(re.match(".*?".join(map(re.escape, short.lower().replace("2", "t").replace("3", "t"))), long.lower()))


def _value(number: str, unit: str | None) -> str:
    """A number in one spelling: "10k" and "10,000" are 10000."""
    plain = number.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number) else number
    try:
        return f"{float(plain) * _TIMES[(unit or '').lower()]:g}" if unit else f"{float(plain):g}"
    except ValueError:
        return f"{number}{unit or ''}"


def _counted(word: str) -> str:
    return _COUNTS.get(word, word)


def _neutral(word: str, avoided: bool) -> bool:
    return (
        word in _QUALIFIERS
        or stem(word) in _NEUTRAL
        or word == "#"
        or (avoided and stem(word) == stem("avoid"))
        or word.isdigit()
    )


def _in_order(lower: str, kept: Sequence[str], content: Sequence[str]) -> tuple[str, ...]:
    """Names and words of content as they stand in the question."""
    places = [(lower.index(f"\x01{name}\x02"), name) for name in kept]
    for found in re.finditer(r"[^\W_]+", _HELD.sub(lambda held: " " * len(held.group()), lower)):
        root = _ALIKE.get(stem(found.group()), stem(found.group()))
        if root in content:
            places.append((found.start(), root))
    return tuple(word for _, word in sorted(places))


def _kind(intent: str, text: str) -> str:
    if intent in ("definition", "other"):
        return "how" if re.match(r"\W*how\b", text, re.I) else "definition"
    return intent


def _asked(text: str, intent: str) -> str:
    """The question word, where the kind of question does not tell it."""
    found = _ASKS.search(text)
    word = " ".join(found.group(1).lower().split()) if found else ""
    if intent in ("definition", "other", "compare", "trade-off", "when", "when-not", "why-not", "list"):
        framed = intent not in ("definition", "other")
        return "" if word in ("what", "which") or (framed and word in ("how", "when", "why")) else word
    if intent == "failure" and word == "what":
        return ""
    return {"which": "what", "how big": "how large"}.get(word, word)


def _modality(text: str, intent: str) -> str:
    """What a question without a question word asks of: whether something can, should or does."""
    if _ASKS.search(text) and not re.search(r"\bmust\b", text, re.I):
        return ""
    found = _MODAL.search(text)
    word = (found.group(1) or found.group(2)).lower() if found else ""
    return {"could": "can", "might": "may", "do": "does", "did": "does", "are": "is"}.get(word, word)
