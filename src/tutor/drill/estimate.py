"""A learner's estimates checked against the arithmetic: right, carried, right in order, wrong, missing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Literal

from tutor.curriculum.card import Strict
from tutor.drill.reading import read
from tutor.drill.scenarios import DAILY, RATE, SERVERS, Scenario, Wanted
from tutor.quantities.numbers import Quantity, quantities
from tutor.quantities.units import SECONDS_A_DAY

Status = Literal["right", "carried", "order", "wrong", "missing"]
ORDER = 3.2  # half a power of ten: what still counts as the right order of magnitude
_CONSTANTS = (8.0, 24.0, 60.0, 365.0, 1000.0, 1024.0, 3600.0, 86_400.0, 1e5)
#: What a slip is off by, at least and at most; the first is for data only.
_SLIPS = (
    (8.0, 8.0, "bits for bytes"),
    (60.0, 60.0, "minutes for seconds"),
    (3600.0, 3600.0, "hours for seconds"),
    (86_400.0, 86_400.0, "days for seconds"),
    (1000.0, 1024.0, "a prefix, as kilo for mega"),
)
_LONG = re.compile(r"hour|dai|day|week|month|year|/\s?(?:hr?|d|mo|y)\b", re.I)
_OPERATOR = re.compile(
    r"(?:,\s*(?=times|x\b|×|divided|over))?[^.;,\n]{0,40}?(?:[=≈×*/÷+→]|->|(?<!\w)x(?!\w)"
    r"|\b(?:times|over|divided by|is|makes)\b)[^.;,\n]{0,20}",
    re.I,
)
_OPERAND = re.compile(r",?\s*(?:[a-z]+\s+){0,3}?(?:[×*÷+]|x\b|times\b|divided\b|/\s*\d|over\s+\d)", re.I)
_RESTATED = re.compile(r",?\s*(?:which is|that is|i\.e\.|so|or)?,?\s*(?:about|around|roughly|some|≈|~)?\s*", re.I)
_BY = re.compile(r"[×*÷/]|(?<!\w)x(?!\w)|\b(?:times|over|divided by)\b", re.I)
_PEAK_OF = re.compile(r"\bpeak(?: is| of|:)?\s*(?:about|around|roughly|some|≈|~)?\s*$", re.I)
_LABELS_NEXT = re.compile(r"\s*(?:[:=≈~]|(?:is|are|of|at|about|roughly)\b)?\s*[~≈]?\d", re.I)
_REACH = 250  # characters within which a word can label a figure
_ENOUGH = 0.25  # what words and unit must add up to for a figure to be taken for a quantity; set by hand on answers
_CLAUSE, _STOP = re.compile(r"[,;–—(]|\b(?:and|so|then|while)\b", re.I), re.compile(r"[.!?]\s+|\n+")
_ASSUMES = re.compile(
    r"\b(?:assum\w+|suppos\w+|(?<!they )(?<!people )say|let(?:'|’)?s (?:take|use|call|go with)|let me (?:take|use)"
    r"|roughly|ballpark|(?:i|we)(?:'d|’d|'ll|’ll| would| will)? (?:guess|take|expect|go with)|given that|call it"
    r"|rule of thumb|(?:peak|burst|spike) factor|factor (?:of|is|=)|a factor"
    r"|(?:\d+(?:\.\d+)?\s?[x×]|x\s?\d+|(?:\w+|\d+) times) (?:the )?(?:average|mean))\b",
    re.I,
)


#: Between a figure that is taken back and the one that takes its place; not "no more than".
_TAKEN_BACK = re.compile(
    r"[\s,;.:–—-]*(?:\b(?:no|nope|sorry|wait|hold on|i mean|rather|actually|correction|scratch that|strike that"
    r"|make (?:that|it)|my mistake|oops|or rather)\b(?!\s+(?:more|less|fewer))[\s,;.:–—-]*)+"
    r"(?:(?:it(?:'|’)?s|that(?:'|’)?s|about|roughly)\s+)*",
    re.I,
)
#: Between two figures of which the learner does not choose.
_UNDECIDED = re.compile(
    r"(?:\s+[a-z]+)?,?\s+or(?:,?\s+(?:maybe|perhaps|possibly|even|else|about|it could be|could be))*\s+", re.I
)


class Checked(Strict):
    """The verdict on one quantity; ``value`` in base units; ``quote`` is answer[start:end], "" where it is missing."""

    id: str
    label: str
    status: Status
    explanation: str
    value: float | None = None
    start: int = 0
    end: int = 0
    quote: str = ""
    slip: str = ""


class _Page:
    """An answer's figures, with where the expression (a × b = c) that each stands in begins."""

    def __init__(self, text: str) -> None:
        self.text, self.figures, self.heads = text, list[Quantity](), list[int]()
        self.rivals: dict[int, int] = {}
        for q in quantities(text):
            last = self.figures[-1] if self.figures else None
            if last and _TAKEN_BACK.fullmatch(text, last.end, q.start):
                self.figures[-1] = q  # under the head, and so the words, of the one that was taken back
                continue
            if last and _UNDECIDED.fullmatch(text, last.end, q.start) and _apart(last, q):
                self.rivals |= {len(self.figures): len(self.figures) - 1, len(self.figures) - 1: len(self.figures)}
            again = last and q.dimension == last.dimension and _within(q.value, last.value, last.value, 1.03)
            linked = last and (_OPERATOR if not again else _RESTATED).fullmatch(text, last.end, q.start)
            linked = linked or (last and _OPERATOR.fullmatch(text, last.end, q.start))
            self.heads.append(self.heads[-1] if linked else q.start)
            self.figures.append(q)

    def near(self, n: int, cue: str) -> float:
        """How near to a figure a word stands: 1 next to it, less over clauses, sentences and other figures of its kind.

        The words of a sentence that has yet to begin hardly count.
        """
        q, head, best = self.figures[n], self.heads[n], 0.0
        words = re.compile(rf"(?<!\w)(?:{cue})(?!\w)", re.I)
        alike = [k for k in range(max(0, n - 8), min(n + 9, len(self.figures))) if self.heads[k] != head]
        kin = [o for k in alike if (o := self.figures[k]).dimension == q.dimension]
        for m in words.finditer(self.text, max(0, head - _REACH), q.end + _REACH):
            a, b = (m.end(), head) if m.end() <= head else (q.end, max(q.end, m.start()))
            between, low, high = self.text[a:b], min(a, m.start()), max(b, m.end())
            others = sum(o.start < high and o.end > low for o in kin)
            way = len(between) + 8 * len(_CLAUSE.findall(between)) + 30 * others
            way += (40 if a < q.start else 90) * len(_STOP.findall(between))
            if m.start() >= q.end and _CLAUSE.search(between) and _LABELS_NEXT.match(self.text, m.end()):
                way += 40  # "reads 23k/s, peak 69k/s"
            best = max(best, math.exp(-way / 35))
        return best

    def divides(self, n: int) -> bool:
        """Whether a figure is the second of "a / b = c": an operand, and not what comes of it."""
        if not 0 < n < len(self.figures) - 1 or not self.heads[n - 1] == self.heads[n] == self.heads[n + 1]:
            return False
        before, q, after = self.figures[n - 1 : n + 2]
        return bool(_BY.search(self.text, before.end, q.start) and "=" in self.text[q.end : after.start])

    def at_peak(self, n: int, other: int | None = None) -> bool:
        """Whether "peak" stands right before a figure; with ``other``, before one of that one's kind."""
        if n >= len(self.figures) or (other is not None and self.figures[n].dimension != self.figures[other].dimension):
            return False
        return bool(_PEAK_OF.search(self.text[max(0, self.heads[n] - 30) : self.heads[n]]))

    def worth(self, n: int, w: Wanted, given: tuple[float, ...]) -> tuple[float, float] | None:
        """A figure's value where it can stand for a quantity, and how likely its unit alone makes that."""
        q, at_servers = self.figures[n], self.near(n, SERVERS)
        facts = (*given, *(() if q.dimension else _CONSTANTS))
        known = any(_within(q.value, fact, fact, 1.01) for fact in facts)
        if "/" not in q.dimension:
            spelt_one = self.text[q.start : q.end].lower() == "one"  # "one server handles"
            known = spelt_one or (known and not (w.id == "servers" and at_servers > 0.9))  # "we need 60 servers"
        elif known:  # "one server handles 2,000 a second", or the task said again; not where that is the answer
            known = at_servers > 0.3 or not _within(q.value, w.low, w.high, w.tolerance)
        elif (each := q.value * SECONDS_A_DAY) < 1000:
            known = any(_within(each, fact, fact, 1.01) for fact in facts)  # "2 posts of 1 kB a day" for each
        if known or not q.value:
            return None
        if q.dimension == w.dimension:
            daily = _LONG.search(self.text, q.start, q.end)
            if bool(daily) != bool(w.per) or (w.id == "servers" and at_servers < 0.4):
                return None
            return q.value, 0.4 if w.per else 0.2 if w.dimension == "data" else 0.1
        if w.per and q.dimension == "data" and self.near(n, DAILY) > 0.3:
            return q.value / SECONDS_A_DAY, 0.0
        if w.dimension == "/time" and not q.dimension and not q.trivial and not _OPERAND.match(self.text, q.end):
            return q.value, -0.1 if self.near(n, RATE) > 0.5 else -0.4
        return None

    def matches(self, drill: Scenario) -> dict[str, tuple[int, float]]:
        """Quantity's id → number and value of the figure that its words, unit and surroundings fit best."""
        scored: list[tuple[float, int, str, float]] = []
        for n, q in enumerate(self.figures):
            worth = {w.id: worth for w in drill.quantities if (worth := self.worth(n, w, drill.given))}
            able = [w for w in drill.quantities if w.id in worth]
            near = {cue: self.near(n, cue) for w in able for cue in w.cues}
            operand = bool(_OPERAND.match(self.text, q.end))
            for w in able:
                value, score = worth[w.id]
                score += near[w.cues[0]] + 0.4 * max((near[cue] for cue in w.cues[1:]), default=0)
                score -= 0.8 * max((near[cue] for o in able for cue in o.cues if cue not in w.cues), default=0)
                score += 0.2 * _within(value, w.low, w.high, w.tolerance) - 0.2 * operand - 0.6 * self.divides(n)
                if "at peak" in w.label:
                    score += 0.5 * self.at_peak(n) - 0.5 * (not self.at_peak(n) and self.at_peak(n + 1, n))
                if score >= _ENOUGH:
                    scored.append((-score, n, w.id, value))
        found: dict[str, tuple[int, float]] = {}
        for _, n, id, value in sorted(scored):
            if id not in found and all(n != taken for taken, _ in found.values()):
                found[id] = (n, value)
        return found


def check(drill: Scenario, answer: str) -> list[Checked]:
    """The verdicts on the wanted quantities, in order.

    A figure of the answer stands for the one quantity that the words around it and its unit fit best. It is "right"
    within the quantity's tolerance, "carried" where it follows from an earlier figure or peak factor of the learner's
    own, "order" within ``ORDER`` of the range, else "wrong".
    """
    page = _Page(answer)
    found, by_id = page.matches(drill), {w.id: w for w in drill.quantities}

    def own(w: Wanted) -> Iterator[tuple[float, float, str]]:
        """Factors on ``low`` and ``high`` that the learner's nearest earlier figure makes, and its name."""
        for parent in (by_id[id] for id in w.rests_on):
            if parent.id in found:
                value = found[parent.id][1]
                yield value / parent.low, value / parent.high, f"{parent.label} of {parent.amount(value)}"
            else:
                yield from own(parent)

    verdicts: list[Checked] = []
    for w in drill.quantities:
        if w.id not in found:
            said = f"No figure for it: {w.formula}."
            verdicts.append(Checked(id=w.id, label=w.label, status="missing", explanation=said))
            continue
        n, value = found[w.id]
        q = page.figures[n]
        if n in page.rivals:
            both = sorted((q, page.figures[page.rivals[n]]), key=lambda one: one.start)
            words = " and ".join(answer[one.start : one.end] for one in both)
            said = f"Two figures for it, {words}: choose one. It is {w.formula}."
            verdicts.append(Checked(id=w.id, label=w.label, status="missing", explanation=said))
            continue
        bases = [(w.low * a, w.high * b, name) for a, b, name in own(w)]
        if w.assumption:  # a peak factor of the learner's own
            average = by_id[w.rests_on[0]]
            factor = value / (found[average.id][1] if average.id in found else average.low)
            stated = [f.value for f in page.figures if f.dimension in ("", "factor") and 1.2 < f.value < 50]
            if any(0.9 < mine / factor < 1.1 for mine in stated):
                bases.append((value, value, f"peak factor of {factor:.2g}"))
        status, said, slip = _verdict(w, value, bases)
        place = {"start": q.start, "end": q.end, "quote": answer[q.start : q.end]}
        verdicts.append(
            Checked(id=w.id, label=w.label, status=status, explanation=said, value=value, slip=slip, **place)
        )
    return verdicts


def _apart(one: Quantity, two: Quantity) -> bool:
    """Whether two figures are more than an order apart; of one kind, or one of them without a unit."""
    alike = one.dimension == two.dimension or not (one.dimension and two.dimension)
    low, high = sorted((one.value, two.value))
    return alike and low > 0 and high > ORDER * low


def _within(value: float, low: float, high: float, tolerance: float) -> bool:
    return min(low, high) / tolerance <= value <= max(low, high) * tolerance


def _verdict(w: Wanted, value: float, bases: list[tuple[float, float, str]]) -> tuple[Status, str, str]:
    """Status, explanation and slip of a figure; ``bases`` are what the learner's own figures would make of it."""
    if _within(value, w.low, w.high, w.tolerance):
        return "right", f"Right: {w.formula}.", ""
    for low, high, name in bases:
        if _within(value, low, high, w.tolerance):
            return "carried", f"Right given your {name}; from the given figures it is {w.formula}.", ""
    slip = next((name for low, high, _ in [*bases, (w.low, w.high, "")] for name in _slips(w, value, low, high)), "")
    factor = value / w.high if value > w.high else w.low / value
    off = f"{factor:{',.0f' if factor >= 10 else '.2g'}} times too {'high' if value > w.high else 'low'}"
    order = _within(value, w.low, w.high, ORDER)
    said = f"{'The right power of ten, but ' if order else ''}{off}{f', probably {slip}' if slip else ''}: {w.formula}."
    return "order" if order else "wrong", said[0].upper() + said[1:], slip


def _slips(w: Wanted, value: float, low: float, high: float) -> Iterator[str]:
    """The slips that lead from ``low`` to ``high`` to a value; none where the range is too wide to tell."""
    for a, b, name in (*w.slips, *(_SLIPS if w.dimension.startswith("data") else _SLIPS[1:])):
        for ends in ((low / a, high / b), (low * a, high * b)):
            if max(ends) < 1.2 * min(ends) and _within(value, *ends, 1.1 if a < 8 else 1.2):
                yield f"{name} ({a:,.0f})" if a == b else name


def assumptions(answer: str) -> list[tuple[int, int]]:
    """Spans of the sentences that name an assumption ("let's take", "roughly", "given that"), in order."""
    return [(s.start, s.end) for s in read(answer).sentences if _ASSUMES.search(s.text)]
