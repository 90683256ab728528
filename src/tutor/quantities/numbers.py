"""Quantities in text: figures with powers of ten and units, brought to base units so that they can be compared.

"300 MB/s", "0.3 gigabytes a second", "three hundred megabytes per second" and "3e8 B/s" are the same quantity. Decimal
prefixes are powers of 1,000 (SI) and binary ones (KiB) of 1,024; ``agrees`` forgives a factor of up to 1.1, since
interviews use both for the same thing. A month has 30 days and a year 365; currencies are not told apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tutor.quantities.units import CLOSE, LETTERS, SCALES, UNITS, data_at, rate_at, spoken

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)(?:[a-z]{2,6})?\.?"
_AFTER_YEAR = r"(?=\s*(?:[.,;:)!?\]]|$)|\s+(?:and|the|we|it|they|when|was|is|an?|at|by|with|for)\b)"
#: Figures that are no quantities: headings, list numbers, "24/7", clock times, dates, versions and the like.
_NAMES = re.compile(
    r"^ {0,3}#{1,6} [^\n]*|^[ \t]*\d{1,3}[.)](?=\s)|\b24/7\b|\b9s\b|\b\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?"
    r"|\b\d{4}-\d{2}(?:-\d{2})?\b|\b\d{1,2}([./])\d{1,2}\1\d{2,4}\b"
    rf"|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?|\b{_MONTH}\s+\d{{4}}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?!\w)(?:\s+\d{{4}}\b)?"
    rf"|\b(?i:in|since|until|year|early|late|mid)[\s-](?:19|20)\d\d\b{_AFTER_YEAR}"
    r"|\b(?i:version|release|step|chapter|section|figure|fig\.|phase|rfc|port|https?|tls|status|java|python|layer|option|appendix)"
    r"\s?[=:#]?\s?\d++(?:\.\d++)*\+?(?![\d,]*\s*(?:%|percent|ms\b|[KMGT]?B\b|/))",
    re.M,
)
_FIGURE = re.compile(
    r"(?<![\w.#])(?P<sign>(?:US)?[$€£]\s?)?(?P<digits>\d{1,3}(?:,\d{3})++(?:\.\d++)?|\d{1,3}(?:[\u202f\u2009\u00a0]\d{3})++"
    r"|\d{1,3}(?: \d{3}){2,}+|\d{2,3} \d{3}|\d++(?:\.\d++)?|\.\d++)(?!\d|\.\d)"
)
_POWER = re.compile(
    r"(?P<ten>\s*[x×*·]\s*10)?\s?(?:(?:\^|\*\*)\s?(?P<power>-?\d{1,3})|(?P<super>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))"
    r"|[eE](?P<e>[+-]?\d{1,3})(?!\w)"
)
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ID = re.compile(r"(?:^|[^\w])(?!(?:sub|top)-)[A-Za-z]\w*[-/]$", re.I)
_ONE = re.compile(r"\ban?\s+(?=(?:(?:kilo|mega|giga|tera|peta)(?:byte|bit)|[KMGTP]B|(?:milli|micro)second)\b)")
_WORD = re.compile(r"(?P<gap>-|\s{0,2})(?P<word>(?i:per\s+cent)\b|[A-Za-zµμ]+|[%$€£¢×])")
_HYPHENED = re.compile(r"\d|-[A-Za-z]")
#: What is counted in billions, where "B" could be bytes.
_COUNTED = re.compile(
    r"\s*(?:(?:new|active|daily|monthly|short|open)\s+)?(?:param|model|user|people|customer|account|request|quer|event|row|record"
    r"|message|token|vector|document|docs|url|link|photo|image|video|view|click|read|write|post|tweet|item|embedding|passage|chunk"
    r"|dau\b|mau\b|qps\b|device|sensor|point|sample|metric|series|impression|search|transaction|order|object|file|session|call"
    r"|(?:per|a|each)\s+(?:day|month|year)\b|/\s?(?:d|day|month|year)\b)",
    re.I,
)
_SIZED = re.compile(r"\s*(?:each\b|apiece|per\b|ids?\b|keys?\b|hash|uuid|header|payload|values?\b|pointer|/)", re.I)
_FACTOR_FOLLOWS = re.compile(
    r"\s*(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|half|\w+teen|\w+ty|an?\s+\w+(?:red|sand|lion))\b)",
    re.I,
)
_PER_MANY = re.compile(r"\s*(?:/|\bper\s|\ban?\s)\s*(?:1\s?)?(?P<scale>k|m|b|thousand|million|billion)\b", re.I)
_RANGE = re.compile(r"\s*(?:-|–|—|to|or)\s*", re.I)
_OF = re.compile(r"\s+(?:[A-Za-z-]+\s+){0,3}(?:of|at)\s+(?:about\s+|roughly\s+|around\s+|~\s?)?", re.I)


@dataclass(frozen=True, slots=True)
class Quantity:
    """``value`` in base units of ``dimension`` (bytes, seconds, 1 …; "data/time" for a rate); text[start:end]."""

    value: float
    dimension: str
    start: int
    end: int

    @property
    def trivial(self) -> bool:
        """0 to 3 without a unit: too common to tell anything."""
        return not self.dimension and self.value in (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A quantity with its figure before scale and unit, whether that is all there is, and the period it is per."""

    quantity: Quantity
    figure: float
    bare: bool
    period_s: float


def quantities(text: str) -> list[Quantity]:
    """The quantities of a text, in order; a range gives two, and its first takes the unit of the second."""
    text = _NAMES.sub(lambda m: "\0" * len(m.group()), text)
    found: list[_Read] = []
    taken = -1
    for start, end, figure, money in sorted([*_digits(text), *_words(text)], key=lambda spot: (spot[0], -spot[1])):
        if start >= taken and (read := _measured(text, start, end, figure, "money" if money else "")):
            found.append(read)
            taken = read.quantity.end
    for n in range(1, len(found)):
        found[n - 1], found[n] = _together(text, found[n - 1], found[n])
    return [read.quantity for read in found]


def _digits(text: str) -> Iterator[tuple[int, int, float, bool]]:
    """Figures in digits: start, end, value, and whether a currency's sign stands before."""
    for match in _FIGURE.finditer(text):
        if _ID.search(text[max(0, match.start() - 24) : match.start()]):
            continue  # "GPT-3.5", "SHA-256", "HTTP/2"
        value, end = float(re.sub(r"[^\d.]", "", match["digits"])), match.end()
        if power := _POWER.match(text, end):
            exponent = int(power["power"] or power["e"] or power["super"].translate(_SUPER))
            base = 10.0 if power["ten"] or power["e"] else value
            if base and abs(exponent) * abs(math.log10(base)) < 200:
                value, end = base**exponent * (value if power["ten"] or power["e"] else 1), power.end()
        yield match.start(), end, value, bool(match["sign"])


def _words(text: str) -> Iterator[tuple[int, int, float, bool]]:
    """Figures in words, also "a" of "a kilobyte"."""
    yield from ((start, end, value, False) for start, end, value in spoken(text))
    yield from ((m.start(), len(text[: m.end()].rstrip()), 1.0, False) for m in _ONE.finditer(text))


def _measured(text: str, start: int, end: int, figure: float, dimension: str) -> _Read | None:
    """The figure with the scale, unit and period that follow it; None where it is part of a name such as "2PC"."""
    value, bare_end, period_s, scaled = figure, end, 0.0, False
    while match := _WORD.match(text, end):
        word, gap = match["word"], match["gap"]
        if len(word) == 1 and _HYPHENED.match(text, match.end()):  # "3x5", "3 B-trees"
            break
        unit = None if dimension else UNITS.get(" ".join(word.lower().split()))
        if scale := _scale(text, match, value, bool(dimension)):
            value, end = value * scale, match.end()
            continue
        if not dimension and (data := data_at(text, match.start("word"))):
            value, dimension, end = value * data[0], data[1], data[2]
        elif word == "G" and not gap and not dimension and value > 5:  # "64G", but "5G"
            value, dimension, end = value * 1e9, "data", match.end()
        elif unit and unit[0] == "factor" and _FACTOR_FOLLOWS.match(text, match.end()):
            pass  # "3 x 5", "ten times 25 ms"
        elif unit and not (len(word) <= 2 and word != word.lower()) and not (gap and word.lower() in CLOSE):
            value, dimension, end = value * unit[1], unit[0], match.end()
        elif not gap and text[bare_end - 1].isdigit():
            return None
        break
    if dimension == "money" and (many := _PER_MANY.match(text, end)):
        value, end = value / (LETTERS | SCALES)[many["scale"].lower()], many.end()
    rate = None if dimension in ("time", "/time", "data/time") else rate_at(text, end)
    if rate and not (rate[1] and dimension in ("ratio", "factor")):
        period_s, end = rate[0], rate[2]
        value /= period_s
        dimension = f"{dimension.replace('factor', '')}/time"
    if not math.isfinite(value):
        return None
    for word in reversed(text[start:bare_end].lower().split()):  # "ten to twenty thousand": the figure is twenty
        if word not in SCALES:
            break
        figure, scaled = figure / SCALES[word], True
    return _Read(Quantity(value, dimension, start, end), figure, end == bare_end and not scaled, period_s)


def _scale(text: str, match: re.Match[str], value: float, money: bool) -> float:
    """The power of ten that a word or letter after a figure stands for, or 0."""
    word, gap, end = match["word"], match["gap"], match.end()
    low = word.lower()
    if low in SCALES:
        return SCALES[low]
    if low not in LETTERS or gap == "-":
        return 0.0
    if word == "B" and not money and value >= 1e6:  # "8e11 B/day": nobody has so many billions
        return 0.0
    if low == "b" and not money:  # billions, bytes or neither
        sized = word == "B" and (bool(_SIZED.match(text, end)) or value in (16, 24, 32, 40, 48, 64) or value >= 100)
        return LETTERS[low] if _COUNTED.match(text, end) or (not gap and not sized) else 0.0
    known = not gap or word in "KMTk" or money or bool(_COUNTED.match(text, end))
    return LETTERS[low] if known else 0.0


def _together(text: str, first: _Read, second: _Read) -> tuple[_Read, _Read]:
    """Two neighbours: "30-40 ms" gives both the unit, "2 M writes of 1 KB per day" gives the writes the day."""
    one, two = first.quantity, second.quantity
    between = text[one.end : two.start]
    ranged = _RANGE.fullmatch(between) or (between.strip() == "and" and text[: one.start].rstrip().endswith("between"))
    money = one.dimension == "money" and two.dimension in ("", "/time")
    if ranged and first.bare and first.figure and second.figure and (not one.dimension or money):
        if (first.figure < second.figure or two.dimension) and not (second.bare and not money):
            value = first.figure * two.value / second.figure
            dimension = ("money" if money else "") + two.dimension
            one, two = replace(one, value=value, dimension=dimension), replace(two, dimension=dimension)
        elif money:
            two = replace(two, dimension="money")
    elif not one.dimension and two.dimension == "data/time" and second.period_s > 1 and _OF.fullmatch(between):
        one = replace(one, value=one.value / second.period_s, dimension="/time")
        two = replace(two, value=two.value * second.period_s, dimension="data")
    return replace(first, quantity=one), replace(second, quantity=two)


def agrees(mine: Quantity, theirs: Quantity, *, tolerance: float = 0.1) -> bool:
    """Whether two quantities are the same within ``tolerance`` (0.1: a tenth up or down), of like dimension."""
    if mine.dimension and theirs.dimension and mine.dimension != theirs.dimension:
        return False
    if mine.value <= 0 or theirs.value <= 0:
        return mine.value == theirs.value
    return abs(math.log(mine.value / theirs.value)) <= math.log1p(tolerance)
