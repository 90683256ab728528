"""Whether two questions provably ask the same: the guard of the semantic cache.

Cosine similarity cannot tell "when to use Kafka" from "when not to use Kafka". So a question is put into one form: its
names in one spelling, its figures as numbers, and the few ways of asking that are known to be equal ("When should I",
"When to") as one. All that is left counts, at its place: negations, prepositions, modals, comparators, signs and units.
Two questions ask the same only where nothing differs. What is lost are hits, never answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tutor.retrieval.lexical import name_key, query_content
from tutor.retrieval.search import Searcher, checked_question, spoken

_P = r"(?:i|you|we|one)"
_CHOICE = r"(?:use|choose|pick|select|prefer|consider|need|want|avoid)\b"
_VERBAL = (
    r"(?:how|what|when|where|why|who|whose|which|is|are|was|were|do|does|did|can|may|must|should|will|would|has|have)"
)
#: Ways of asking that are equal, in order, each applied where it matches the lower-case text.
_FRAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        # Courtesy; how long the answer should be ("in brief") is no courtesy.
        (r"^\W*(?:(?:hey|hi|hello|ok|okay|well|please)\b\W*)+", ""),
        (r"^(?:can|could|would) you (?:please )?(?=(?:explain|describe|define|compare|tell me about)\b)", ""),
        (r"\bplease\b", " "),
        # Contractions. A possessive is told apart from "what's" by the word before it.
        (r"\bcan(?:['’]t|not)\b", "can not"),
        (r"\bwon['’]t\b", "will not"),
        (r"(?<=\w)n['’]t\b", " not"),
        (r"\b(what|how|when|where|why|who)['’]s\b", r"\1 is"),
        (r"(?<=\w)['’]s\b", ""),
        (r"\bcould\b", "can"),
        (r"\bmight\b", "may"),
        (r"\bversus\b|\bvs\.(?=\s)", "vs"),
        (r"\btrade-?\s?offs?\b", "tradeoff"),
        # Comparisons that name both sides and nothing else.
        (r"^what (?:is|are) the differences? between (?P<a>.+) and (?P<b>[^?]+)", r"\g<a> vs \g<b>"),
        (r"^how (?:do|does|is|are) (?P<a>.+) differ(?:ent)? from (?P<b>[^?]+)", r"\g<a> vs \g<b>"),
        (r"^how do (?P<a>.+) and (?P<b>.+) differ\b", r"\g<a> vs \g<b>"),
        (r"^compare (?P<a>.+) (?:and|with|to) (?P<b>[^?]+)", r"\g<a> vs \g<b>"),
        # What something is.
        (r"^(?:explain|describe|define|tell me about)\s+", ""),
        (r"^what (?:does|do) (?P<a>[^?]+?) mean\W*$", r"\g<a>"),
        (r"^what (?P<a>[^?]+?) (?:is|are)\W*$", r"\g<a>"),
        (r"^what (?:is|are)\s+", ""),
        (rf"^(?:the )?(?!{_VERBAL}\b)(?P<a>[\w\s-]+) of (?P<b>[^\s?]+)\W*$", r"\g<b> \g<a>"),
        # Who asks does not count. What one should do is what one is "to" do; what one would do is so of a choice only:
        # "When do I pay for egress?" does not ask when I should.
        (rf"^when (?:should (?:not {_P}|{_P} not)|not to)\b", "when not"),
        (rf"^when (?:should {_P}|to)\b", "when"),
        (rf"^when (?:do|would) (?:not {_P}|{_P} not) (?={_CHOICE})", "when not "),
        (rf"^when (?:do|would) {_P} (?={_CHOICE})", "when "),
        (r"^when avoid(?: using)?\b", "when not use"),
        (rf"^how (?:not to|(?:do|should|would) {_P} not)\b", "how not"),
        (rf"^how (?:to|(?:do|should|would) {_P})\b", "how"),
        (rf"^why (?:should|would) (?:not {_P}|{_P} not) (?={_CHOICE})", "why not "),
        (rf"^why (?:do|should|would) {_P} (?={_CHOICE})", "why "),
        (r"^why should not\b", "why not"),
        (r"^(why not .+?) as\b", r"\1 be"),
        (r"^which\b", "what"),
        (r"^what happens if\b", "what happens when"),
        (r"\b(can|do|may|must|should|will|would) (?:i|we)\b", r"\1 you"),
        # Beside a question word, "do" only helps its verb; without one it is the question.
        (r"^((?:how|what|when|why|where|who)\b.*?) do(?:es)?\b(?! not\b)", r"\1"),
        (r"^do\b", "does"),
        (r"\bpick\b", "choose"),
        (r"\bcut (?=(?:\w+ )?(?:latency|latencies|costs?|load|lag|time)\b)", "reduce "),
        (r"\bhow big\b", "how large"),
        (r"\boccur(?=s?\b)", "happen"),
        (r" exactly\W*$", ""),
    )
)
_DROPPED = frozenset({"a", "an", "the", "its", "their", "my", "our", "your"})
_SAME = {"are": "is", "were": "was", "has": "have"}
_NO_PLURALS = frozenset({"https", "news", "does", "this", "always", "across", "less", "was", "series", "towards"})
_COUNTS = {word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_TIMES = {"k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "B": 1e9, "bn": 1e9, "billion": 1e9}
#: "a TTL of 5M" is no count, whatever it is.
_TIMED = re.compile(
    r"\b(?:ttl|time-?outs?|intervals?|windows?|latency|delays?|expir\w+|periods?|durations?|leases?|retention|waits?"
    r"|age|back-?off)\b\W*(?:\w+\W+){0,2}$",
    re.I,
)
#: A name in one spelling; a number with its sign and what stands behind it; a word; a sign.
_PART = re.compile(
    r"\x01(?P<name>[^\x02]*)\x02"
    r"|(?P<sign>(?<![\w)])[-+])?(?<![\w.])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
    r"(?:(?P<unit>[^\W\d_]{1,5})\b|\s(?P<word>thousand|million|billion|bn|[kmgtpe]i?b(?:ps|it)?|[mnuµ]s|[smhdkgtb])(?![\w-]))?(?![\w])"
    r"|(?P<dotted>(?<![\w])\.[a-z]\w*)"
    r"|(?P<text>\w+(?:\.\w+)*)"
    r"|(?P<other>>=|<=|!=|==|[<>=%!~^*+/$€£#&|@])"
    r"|(?P<range>(?<=[\d\x02])-(?=[\d\x01]))",
    re.I,
)
_EXPONENTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_SIGNS = str.maketrans({"≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "–": "-", "‑": "-", "×": "*", "’": "'"})


@dataclass(frozen=True, slots=True)
class Sense:
    """What a question asks, in one form; equal senses are the same question. ``order``: its parts as they stand."""

    order: tuple[str, ...]


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
        expansion = self._searcher.expander.expand(text, is_word=self._searcher.encoder.is_word)
        if not query_content(text):
            return None
        text = expansion.mended(_written_out(text))
        forms: dict[str, set[str]] = {}
        for span, form in expansion.same:
            if name_key(span) and name_key(form) and (_spells(span, form) or _spells(form.lower(), span)):
                forms.setdefault(span, set()).add(form)
        for span in sorted(forms, key=len, reverse=True):
            # One spelling of a name, where it has only one other: "CDC" and "change data capture".
            if len(forms[span]) == 1:
                pattern = r"[\s/-]+".join(map(re.escape, span.split()))
                key = min(name_key(span), name_key(next(iter(forms[span])))).replace(" ", "_")
                text = re.sub(rf"(?<![\w\x01]){pattern}(?P<plural>s?)(?!\w)", f"\x01{key}\x02", text, flags=re.I)
        parts = tuple(_parts(_framed(_figures(text))))
        return Sense(parts) if parts else None


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


def _written_out(text: str) -> str:
    """Signs in one spelling, and what stands raised with a sign of its own: 10³ is 10^3, not 103."""
    return _RAISED.sub(lambda found: f" ^ {found.group().translate(_EXPONENTS)}", text).translate(_SIGNS)


def _figures(text: str) -> str:
    """A question in lower case but for its figures, whose units keep theirs: 10 Gb is not 10 GB.

    Each figure becomes ``\\x01#value unit\\x02``.
    """
    made, at = [], 0
    for found in _PART.finditer(text):
        if found["number"]:
            made += [text[at : found.start()].lower(), f"\x01{_figure(found, text)}\x02"]
            at = found.end()
    return "".join(made) + text[at:].lower()


def _figure(found: re.Match[str], text: str) -> str:
    """A number in one spelling: "10k" and "10,000" are 10000, "5m" is five of some m."""
    sign, unit = found["sign"] or "", found["unit"] or found["word"] or ""
    count = _TIMES.get(unit if len(unit) == 1 else unit.lower(), 0.0)
    timed = _TIMED.search(text, max(0, found.start() - 60), found.start())
    if count and (len(unit) > 1 or (found["unit"] and not timed)):
        return f"#{sign}{float(found['number'].replace(',', '')) * count:.15g}"
    return f"#{sign}{found['number'].replace(',', '')} {unit}"


def _framed(text: str) -> str:
    for pattern, put in _FRAMES:
        text = " ".join(pattern.sub(put, text).split())
    return text


def _parts(text: str) -> list[str]:
    """The names, figures, words and signs of a question in one form, in order."""
    found: list[str] = []
    for match in _PART.finditer(text):
        if match["name"] is not None:
            # A name is not the word that is spelt like it: "How do I use ReAct?" does not ask of React.
            found.append(match["name"].strip() if match["name"].startswith("#") else f"@{match['name']}")
            continue
        if match["text"]:
            word = match["text"]
            if word not in _DROPPED:
                word = _COUNTS.get(word, _SAME.get(word, word))
                found.append(f"#{word}" if word.isdigit() else _singular(word))
        else:
            found.append(match.group())
    return found


def _singular(word: str) -> str:
    """A word without a plural's or a verb's -s, and nothing more: logging is not a log, nor an operator an operation.

    A last -e goes too, since "caches" does not tell whether it had one.
    """
    if len(word) > 3 and word.endswith("s") and word not in _NO_PLURALS and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
        if word.endswith("ie") and len(word) > 4:
            word = f"{word[:-2]}y"
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return word
