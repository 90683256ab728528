"""A calculator sheet with units: a line each, as "dau = 50 M * 20%" or "qps = dau * 10 / day", read without ``eval``.

A value is kept in base units (bytes, seconds, currency) with a power of each, so that what does not fit is told: data
is not added to time. A line may use the names of those above it. A month has 30 days and a year 365; B is bytes,
billions are "bn".
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from tutor.quantities.amounts import OF, PLAIN, UNCLEAR, Value, called, figures, show, unit_of
from tutor.quantities.units import SCALES

MAX_LINES = 60
MAX_LINE_CHARS = 200
_DEEPEST = 20  # brackets in brackets
_HIGHEST = 1e60  # beyond it a figure is a slip
_LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3}(?!\w))?|\.\d+)"
    r"|(?P<word>[A-Za-z_µμ][\wµμ]*)|(?P<sign>\*\*|[-+*/^()%$€£×÷·−]))"
)
#: What is counted: "1e6 requests / day" is a rate, "2 kB / message" data. A line of the same name goes first.
_ONE = frozenset(
    "request req user read write message msg event query post tweet order item image photo video file record row"
    " transaction operation op call customer client session connection job task".split()
)
_COUNTED = _ONE | {f"{noun}s" for noun in _ONE} | {"queries"}
_SAME = {"×": "*", "·": "*", "÷": "/", "−": "-", "per": "/", "**": "^"}
_NAME = re.compile(r"\s*([A-Za-z_][\w ]*?)\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sheet; ``number`` from 1. One that is empty or a remark has neither a value nor an error.

    ``shown`` is the value with its unit, as "5,790/s = 500 million/day"; ``error`` says what is wrong and where.
    """

    number: int
    text: str
    name: str = ""
    value: Value | None = None
    shown: str = ""
    error: str = ""


class _Wrong(Exception):
    """A line that cannot be computed; its text is for the learner."""


def compute(text: str) -> list[Line]:
    """The lines of a sheet in order, each with its value or with what is wrong with it; at most 60 are computed."""
    rows = text.split("\n")
    known: dict[str, Value | None] = {}
    lines = []
    for number, row in enumerate(rows, 1):
        if number > MAX_LINES:
            lines.append(Line(number, row, error=f"a sheet has {MAX_LINES} lines: what follows is not computed"))
            break
        line = _line(number, row, known)
        if line.name:
            known[line.name.casefold()] = line.value
        lines.append(line)
    return lines


def last_value(lines: list[Line]) -> Line | None:
    """The last line that has a value."""
    return next((line for line in reversed(lines) if line.value is not None), None)


def _line(number: int, row: str, known: dict[str, Value | None]) -> Line:
    said = row.split("#", 1)[0].strip()
    if not said:
        return Line(number, row)
    name, body = "", said
    try:
        if len(said) > MAX_LINE_CHARS:
            raise _Wrong(f"the line is longer than {MAX_LINE_CHARS} characters")
        if "=" in said:
            before, body = said.split("=", 1)
            name = _name(before)
        reader = _Reader(body, known)
        value = reader.whole()
        shown = reader.asked_for(value) or show(value)
    except _Wrong as error:
        return Line(number, row, name=name, error=str(error))
    return Line(number, row, name=name, value=value, shown=shown)


def _name(before: str) -> str:
    match = _NAME.fullmatch(before)
    if not match:
        raise _Wrong(f"'{before.strip()}' is no name: a name has letters, digits and blanks, and begins with a letter")
    name = " ".join(match[1].split())
    unit = unit_of(name)
    if name.casefold() in ("per", "in", "to") or name in _LETTERS or name.casefold() in SCALES:
        raise _Wrong(f"'{name}' has a meaning here already: choose another name")
    if unit is not None and unit.dimension != OF["/time"]:  # "qps" is what the line of that name gives
        raise _Wrong(f"'{name}' is a unit: choose another name")
    return name


class _Reader:
    """Reads one expression: sums of products of powers, each of a figure with its unit, a name or a bracket."""

    def __init__(self, text: str, known: dict[str, Value | None]) -> None:
        self._known, self._at, self._depth = known, 0, 0
        self._tokens: list[tuple[str, str]] = []
        self._unit = ""
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if not match:
                raise _Wrong(f"'{text[at:].strip()[0]}' cannot be read here")
            kind = match.lastgroup or ""
            glued = match[kind] == "/" and text[match.end() - 2 : match.end() - 1].strip() and text[match.end() :][:1]
            self._tokens.append(("glued" if glued and glued.isalpha() else kind, match[kind]))
            at = match.end()

    def whole(self) -> Value:
        """The value of all of it, up to "in" and the unit to show it in."""
        if not self._tokens:
            raise _Wrong("there is nothing after the =")
        value = self._sum()
        if self._peek().casefold() in ("in", "to"):
            self._unit = " ".join(token for _, token in self._tokens[self._at + 1 :])
        elif self._at < len(self._tokens):
            raise self._unexpected()
        return value

    def asked_for(self, value: Value) -> str:
        """The value in the unit that stands after "in"; nothing where there is none."""
        if not self._unit:
            return ""
        self._at += 1
        one = self._sum()
        if self._at < len(self._tokens):
            raise self._unexpected()
        if one.dimension != value.dimension:
            raise _Wrong(f"this is {called(value.dimension)}, which has no '{self._unit}'")
        return f"{figures(_finite(value.amount / one.amount))} {self._unit.replace(' / ', '/')}"

    def _peek(self) -> str:
        token = self._tokens[self._at][1] if self._at < len(self._tokens) else ""
        return _SAME.get(token, token)

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _unexpected(self) -> _Wrong:
        kind, token = self._tokens[self._at]
        if kind in ("sign", "glued"):
            return _Wrong(f"'{token}' cannot stand here")
        return _Wrong(f"'{token}' cannot stand here: write *, /, + or - before it")

    def _sum(self) -> Value:
        left = self._product()
        while (sign := self._peek()) in ("+", "-"):
            self._at += 1
            right = self._product()
            if left.dimension != right.dimension:
                verb = "added to" if sign == "+" else "taken from"
                raise _Wrong(f"{called(right.dimension)} cannot be {verb} {called(left.dimension)}")
            amount = left.amount + (right.amount if sign == "+" else -right.amount)
            left = Value(_finite(amount), left.dimension)
        return left

    def _product(self) -> Value:
        left = self._power()
        while (sign := self._peek()) in ("*", "/"):
            self._at += 1
            right = self._power()
            if sign == "*":
                left = Value(_finite(left.amount * right.amount), left.dimension.times(right.dimension))
            elif right.amount:
                left = Value(_finite(left.amount / right.amount), left.dimension.times(right.dimension, -1))
            else:
                raise _Wrong("this divides by 0")
        return left

    def _power(self) -> Value:
        base = self._signed()
        if self._peek() != "^":
            return base
        self._at += 1
        minus = self._peek() == "-"
        self._at += minus
        token = self._take()
        if not token.isdecimal() or int(token) > 30:
            raise _Wrong("a power is a whole number up to 30")
        power = -int(token) if minus else int(token)
        if not base.amount and power < 0:
            raise _Wrong("this divides by 0")
        try:
            amount = _finite(base.amount**power)
        except OverflowError:
            amount = _finite(math.inf)
        return Value(amount, PLAIN.times(base.dimension, power))

    def _signed(self) -> Value:
        minus = False
        while self._peek() in ("-", "+"):
            minus ^= self._take() == "-"
        value = self._atom()
        return Value(-value.amount, value.dimension) if minus else value

    def _atom(self) -> Value:
        if self._at >= len(self._tokens):
            raise _Wrong("the line ends where a figure should stand")
        kind, token = self._tokens[self._at]
        if token == "(":
            return self._bracket()
        if token in ("$", "€", "£"):
            self._at += 1
            if self._at >= len(self._tokens) or self._tokens[self._at][0] != "number":
                raise _Wrong(f"a figure should follow '{token}'")
            figure = self._number()
            return Value(figure.amount, figure.dimension.times(OF["money"]))
        if kind == "number":
            return self._number()
        if kind == "word" and token.casefold() not in ("in", "to", "per"):
            return self._word()
        raise _Wrong(f"'{token}' cannot stand here")

    def _bracket(self) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Wrong("there are too many brackets in brackets")
        self._at += 1
        value = self._sum()
        if self._peek() != ")":
            raise _Wrong("a closing bracket is missing")
        self._at += 1
        self._depth -= 1
        return value

    def _number(self) -> Value:
        """A figure with its scale and unit: "50 M", "2.5 GB", "20%"; "500/s" without blanks is one figure too."""
        value = self._figure()
        ahead = self._tokens[self._at : self._at + 2]
        if len(ahead) == 2 and ahead[0][0] == "glued" and ahead[1][1].casefold() not in self._known:
            unit = unit_of(ahead[1][1])
            if unit and unit.dimension == OF["time"]:
                self._at += 2
                return Value(_finite(value.amount / unit.amount), value.dimension.times(unit.dimension, -1))
        return value

    def _figure(self) -> Value:
        value = Value(_finite(float(self._take().replace(",", ""))))
        while self._at < len(self._tokens):
            kind, token = self._tokens[self._at]
            if token == "%":
                self._at += 1
                return Value(value.amount / 100)
            if kind != "word" or token.casefold() in ("in", "to", "per"):
                break
            scale = _LETTERS.get(token) or SCALES.get(token.lower())
            if scale:
                self._at += 1
                value = Value(_finite(value.amount * scale))
                continue
            unit = None if self._named() else unit_of(token) or _count(token)
            if unit is None:
                raise self._unknown(token)
            self._at += 1
            return Value(_finite(value.amount * unit.amount), unit.dimension)
        return value

    def _named(self) -> int:
        """How many of the next words are together the name of a line above; 0 where none is."""
        words: list[str] = []
        for kind, token in self._tokens[self._at :]:
            if kind != "word":
                break
            words.append(token)
        return next((n for n in range(len(words), 0, -1) if " ".join(words[:n]).casefold() in self._known), 0)

    def _word(self) -> Value:
        if count := self._named():
            name = " ".join(token for _, token in self._tokens[self._at : self._at + count])
            self._at += count
            value = self._known[name.casefold()]
            if value is None:
                raise _Wrong(f"'{name}' above has no value")
            return value
        token = self._tokens[self._at][1]
        unit = unit_of(token) or (_count(token) if self._counts() else None)
        if unit is None:
            raise self._unknown(token)
        self._at += 1
        return unit

    def _counts(self) -> bool:
        """Whether a noun without a figure may stand here: "in requests / day", "20 kB / user", but not "total / user".

        Elsewhere it is more likely the name of a line that is missing, which must not count as 1.
        """
        before = [token.casefold() for _, token in self._tokens[max(0, self._at - 2) : self._at]]
        if before and before[-1] in ("in", "to"):
            return True
        if len(before) < 2 or before[1] not in ("/", "÷", "per") or self._peek().casefold() not in _ONE:
            return False
        return before[0] != ")" and all(before[0] != name.split()[-1] for name in self._known)

    def _unknown(self, token: str) -> _Wrong:
        if token in UNCLEAR:
            return _Wrong(f"'{token}' is unclear: write {UNCLEAR[token]}")
        if token.casefold() in self._known:
            return _Wrong(f"write * before '{token}'")
        near = difflib.get_close_matches(token.casefold(), list(self._known), n=1, cutoff=0.6)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        return _Wrong(f"'{token}' is neither a unit nor the name of a line above{hint}")


def _count(token: str) -> Value | None:
    """One of what is counted; None where the word is no such noun."""
    return Value(1.0) if token.casefold() in _COUNTED else None


def _finite(amount: float) -> float:
    if not math.isfinite(amount) or abs(amount) > _HIGHEST:
        raise _Wrong("the figure is too large")
    return amount
