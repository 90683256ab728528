"""The words of quantities: number words, scales and units as read from text, and amounts written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import prod

SECONDS_A_DAY = 86_400.0


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_ONES = {word: n for n, word in enumerate("zero one two three four five six seven eight nine".split())}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = _ONES | {word: 10 + n for n, word in enumerate(_TEENS)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
#: Scales that are words; letters such as "k" need care with what surrounds them.
SCALES = {"hundred": 1e2, "thousand": 1e3, "lakh": 1e5, "million": 1e6, "crore": 1e7, "billion": 1e9, "trillion": 1e12}
SCALES |= {"mn": 1e6, "mio": 1e6, "bn": 1e9}
LETTERS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1e-1, "hundredth": 1e-2}
_PARTS |= {"thousandth": 1e-3, "millionth": 1e-6, "couple": 2.0, "dozen": 12.0}

_TIMES: dict[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "millis"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds", "micros"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds", "nanos"), 1e-9),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), SECONDS_A_DAY),
    **dict.fromkeys(("week", "weeks"), 7 * SECONDS_A_DAY),
    **dict.fromkeys(("mo", "month", "months"), 30 * SECONDS_A_DAY),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365 * SECONDS_A_DAY),
}
#: Unit → (dimension, factor to the dimension's base unit); units of data are read by ``data_at``.
UNITS: dict[str, tuple[str, float]] = {
    **{word: ("time", factor) for word, factor in _TIMES.items()},
    **dict.fromkeys(("%", "percent", "per cent", "pct"), ("ratio", 0.01)),
    **dict.fromkeys(("$", "€", "£", "usd", "eur", "dollar", "dollars", "euro", "euros", "bucks"), ("money", 1.0)),
    **dict.fromkeys(("¢", "cent", "cents"), ("money", 0.01)),
    **dict.fromkeys(("qps", "rps", "tps", "wps", "fps", "iops"), ("/time", 1.0)),
    **dict.fromkeys(("rpm", "qpm"), ("/time", 1 / 60)),
    **dict.fromkeys(("x", "×", "times", "fold"), ("factor", 1.0)),
}
#: These need the figure right before them: "30d", but not "30 d".
CLOSE = frozenset(("d", "y", "x", "×"))

_PREFIX = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18}
_PREFIX |= {f"{letter}i": 1024.0**n for n, letter in enumerate("kmgtpe", 1)}
_LONG = {"kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p", "exa": "e"}
_LONG |= {"kibi": "ki", "mebi": "mi", "gibi": "gi", "tebi": "ti", "gig": "g", "meg": "m"}
_DATA = re.compile(
    rf"(?:(?P<long>{_any(_LONG)})(?P<unit>bytes?|bits?)|(?P<slang>gig|meg)s?"
    r"|(?P<prefix>[kmgtpe]i?)?(?P<short>bytes?|bits?|b(?P<rate>ps)?))(?![a-z])",
    re.I,
)


def data_at(text: str, at: int) -> tuple[float, str, int] | None:
    """Bytes, dimension and end of the unit of data at ``at``; a lone "b" is none.

    "Gb" and "Gbps" are bits, "GB" bytes, and so is "gb": written in lower case throughout it mostly means that.
    """
    if not (match := _DATA.match(text, at)) or match.group() == "b":
        return None
    long = match["long"] or match["slang"]
    unit = match["unit"] or match["short"] or "bytes"
    prefix = _LONG[long.lower()] if long else (match["prefix"] or "").lower()
    lower_b = unit.startswith("b") and len(unit) < 4
    bits = unit.lower().startswith("bit") or (lower_b and bool(match["rate"] or match.group() != match.group().lower()))
    if match["short"] in ("b", "bps") and prefix in ("k", "ki") and match.group().lower() == "kb":
        bits = False  # "Kb" is nearly always a careless "KB"
    return _PREFIX[prefix] / (8 if bits else 1), "data/time" if match["rate"] else "data", match.end()


#: Words that do not stand between what is counted and "per second".
_STOP = _any(
    "a an the and or but so if then than which that who we i it they you this these those in on at with to for from by "
    "as about is are was were be has have had need needs make makes get gets give gives cost costs take takes handle "
    "handles serve serves do does can could will would should might must run runs see sees once twice thrice each "
    "every per half daily hundred thousand million billion".split()
)
_RATE = re.compile(
    rf"(?P<nouns>(?:[ \t]+(?:per\s+)?(?!{_STOP}\b)[A-Za-z][\w'’-]*|/[A-Za-z]+){{0,4}}?)(?:"
    r"(?:\s?/\s?|\s*\bper[\s-])(?P<unit>s|sec|second|min|minute|hr?|hour|d|day|week|mo|month|y|yr|year)"
    r"|\s+(?:an?|each|every)\s+(?P<long>second|minute|hour|day|week|month|year)(?!\s+(?:copy|replica|region|node|one|time|attempt"
    r"|level|cache|queue|pass|stage|store|index|table|data|server|machine|thread|call|key|query|service|shard|leader|step|model)\b)"
    r"|\s+(?P<adverb>daily|hourly|weekly|monthly|yearly)(?!\s+(?:actives?|users?|visitors?|customers?|people)\b))(?![\w-])",
    re.I,
)


def rate_at(text: str, at: int) -> tuple[float, bool, int] | None:
    """The period at ``at`` ("/s", "photos per user per day"): its seconds, whether nouns stand before, and its end."""
    if not (match := _RATE.match(text, at)):
        return None
    word = (match["unit"] or match["long"] or match["adverb"]).lower()
    word = "day" if word == "daily" else word.removesuffix("ly")
    return _TIMES[word], bool(match["nouns"]), match.end()


_LONG_SCALE = _any(word for word in SCALES if len(word) > 3)
_FIRST = re.compile(
    rf"(?<![\w.])(?<!few )(?<!several )(?<!many )(?:an?\s+(?={_LONG_SCALE}\b))?"
    rf"(?={_any([*_SMALL, *SCALES, 'point'])}(?:fold)?\b)",
    re.I,
)
_NEXT = re.compile(r"(?:[\s-]+(?:(?P<joined>and)\s+)?)?(?P<word>a\s+half\b|[a-z]+?(?=fold\b|\b))", re.I)
_BEFORE_POINT = re.compile(r"\b(?:over|times|by|about|is|than|to|into)\s+$", re.I)
_DECIMALS = re.compile(rf"(?:[\s-]+{_any(_ONES)}\b)+", re.I)
_MEASURE = _any(
    [*(word for word in UNITS if len(word) > 2), "%", "per cent", r"(?:[a-z]{4})?(?:byte|bit)s?", "[kmgtp]b"]
)
_MEASURED = re.compile(rf"\s+(?:{_MEASURE}|{_LONG_SCALE})(?!\w)", re.I)
#: "half a million", "a couple of hundred", "three quarters of a second", "a tenth"; not "a third party".
_IDIOM = re.compile(
    rf"\b(?:(?P<times>an?|one|two|three|four|five|seven|nine|ten)[\s-]+)?(?P<part>{_any(_PARTS)})(?P<plural>s)?\b"
    rf"(?:(?:\s+of)?(?:\s+an?)?(?P<scales>(?:\s+(?:{_LONG_SCALE}|dozen))+)\b"
    rf"|(?P<measured>(?:\s+of)?(?:\s+an?)?(?=[\s-]+{_MEASURE}\b)))?",
    re.I,
)
#: What may follow a fraction, where a noun would make an ordinal of it: "a third of", but "a third node".
_NO_NOUN = re.compile(
    r"\s*(?:$|[^\s\w-])|\s+(?:of|the|as|that|its|our|more|less|fewer|and|or|to|in|for|is|are|at|from|so|off|on|because)\b",
    re.I,
)


def spoken(text: str) -> Iterator[tuple[int, int, float]]:
    """Start, end and value of each number in words: "three hundred and sixty", "half a million", "one point three"."""
    for match in _IDIOM.finditer(text):
        part = match["part"].lower()
        bare = not (match["scales"] or match["measured"] is not None)
        if part not in ("half", "dozen") and not match["times"]:
            continue
        if part not in ("couple", "dozen") and bare and not match["plural"] and not _NO_NOUN.match(text, match.end()):
            continue
        factors = [(SCALES | {"dozen": 12.0})[word] for word in (match["scales"] or "").lower().split()]
        yield match.start(), match.end(), _SMALL.get((match["times"] or "").lower(), 1) * _PARTS[part] * prod(factors)
    at = 0
    while first := _FIRST.search(text, at):
        at = first.end() + 1
        if read := _number(text, first.end()):
            yield first.start(), read[1], read[0]
            at = read[1]


def _number(text: str, at: int) -> tuple[float, int] | None:
    """Value and end of the number in words that begins at ``at``."""
    total = part = scale = 0.0  # thousands and up; what is below them; the scale named last
    before, end = "", at
    while match := _NEXT.match(text, end):
        word, joined = match["word"].lower(), bool(match["joined"])
        if word.endswith("half"):
            if not before or not joined:
                break
            part += 0.5 * scale if before in SCALES else 0.5
        elif word in _SMALL:
            ends_in_ten = before in _TENS and 0 < _SMALL[word] < 10 and not joined
            colloquial = _ONES.get(before, 0) > 0 and word in _TENS and not joined  # "three fifty"
            if before and before not in SCALES and not ends_in_ten and not colloquial:
                break
            part = part * (100 if colloquial else 1) + _SMALL[word]
        elif word == "point":
            decimals = _DECIMALS.match(text, match.end())
            alone = not before and not _BEFORE_POINT.search(text, max(0, at - 12), at)
            if not decimals or before in SCALES or (alone and not _MEASURED.match(text, decimals.end())):
                break  # "at this point one node fails"
            digits = "".join(str(_ONES[d]) for d in re.findall("[a-z]+", decimals.group().lower()))
            part, before, end = part + float(f".{digits}"), word, decimals.end()
            continue
        elif word == "hundred" and part < 100:
            part, scale = (part or 1) * 100, 100.0
        elif word in SCALES and not joined:
            total, part, scale = total + part * SCALES[word] if part else (total or 1) * SCALES[word], 0.0, SCALES[word]
        else:
            break
        before, end = word, match.end()
    return (total + part, end) if before else None


def written(value: float, dimension: str = "", per: str = "") -> str:
    """An amount to three significant figures: 11_574, "/time" → "11,600/s"; 4e13, "data" → "40 TB".

    ``per`` names another period than the second for a dimension over time: "day" gives "1.2 TB/day".
    """
    rate, bits = dimension.endswith("/time"), dimension == "data/time" and not per
    value *= (_TIMES[per] if rate and per else 1.0) * (8 if bits else 1)
    suffix = (f"/{per}" if per else "/s") if rate else ""
    if dimension.startswith("data"):
        size = next((s for s in "EPTGMk" if value >= 0.9995 * _PREFIX[s.lower()]), "")
        return f"{_figures(value / _PREFIX[size.lower()])} {size}{'bit' if bits else 'B'}{suffix}"
    name, scale = next(((n, f) for n, f in (("billion", 1e9), ("million", 1e6)) if value >= 0.9995 * f), ("", 1.0))
    return f"{_figures(value / scale)}{' ' + name if name else ''}{suffix}"


def _figures(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
