"""Amounts with their dimension: base units, a power of each, and how an amount is shown."""

from __future__ import annotations

from typing import NamedTuple

from tutor.quantities.units import UNITS, data_at


class Dimension(NamedTuple):
    """The powers of bytes, seconds and currency."""

    data: int = 0
    time: int = 0
    money: int = 0

    def times(self, other: Dimension, power: int = 1) -> Dimension:
        """The dimension of a product with ``other`` to a power."""
        return Dimension(*(a + power * b for a, b in zip(self, other, strict=True)))


PLAIN = Dimension()
OF = {
    "": PLAIN,
    "ratio": PLAIN,
    "time": Dimension(time=1),
    "/time": Dimension(time=-1),
    "data": Dimension(data=1),
    "data/time": Dimension(data=1, time=-1),
    "money": Dimension(money=1),
}
_KINDS = {
    PLAIN: "a plain number",
    OF["time"]: "a time",
    OF["/time"]: "a rate",
    OF["data"]: "data",
    OF["data/time"]: "data per time",
    OF["money"]: "money",
    Dimension(time=-1, money=1): "money per time",
}


#: What could be several units, and what to write instead.
UNCLEAR = {"m": "M for millions, min for minutes", "b": "B for bytes, bn for billions", "G": "GB, Gbit or bn"}


class Value(NamedTuple):
    """An amount in base units."""

    amount: float
    dimension: Dimension = PLAIN


def unit_of(word: str) -> Value | None:
    """One of a unit, in base units."""
    if word in UNCLEAR:
        return None
    if word in ("B", "bytes", "byte"):
        return Value(1.0, OF["data"])
    found = UNITS.get(word.lower())
    if found and found[0] in OF:
        return Value(found[1], OF[found[0]])
    data = data_at(word, 0)
    return Value(data[0], OF[data[1]]) if data and data[2] == len(word) else None


def called(dimension: Dimension) -> str:
    """What a dimension is called."""
    return _KINDS.get(dimension) or f"a figure in {_product_of(dimension)}"


def _product_of(dimension: Dimension) -> str:
    names = ("B", "s", "$")
    parts = [f"{n}^{p}" if p != 1 else n for n, p in zip(names, dimension, strict=True) if p]
    return "·".join(parts)


def figures(amount: float) -> str:
    """Four significant figures, "billion" and "million" in words; very small and very large ones as powers of ten."""
    name, scale = next(((f" {n}", f) for n, f in (("billion", 1e9), ("million", 1e6)) if abs(amount) >= f), ("", 1.0))
    figure = float(f"{amount / scale:.4g}")
    if abs(figure) >= 1e6 or (figure and abs(figure) < 1e-4):
        return f"{amount:.4g}"
    return f"{f'{figure:,.6f}'.rstrip('0').rstrip('.')}{name}"


def _data(amount: float, unit: str = "B") -> str:
    size = next((s for s, f in _SIZES if abs(amount) >= f), "")
    return f"{figures(amount / dict(_SIZES).get(size, 1.0))} {size}{unit}"


_SIZES = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_SPANS = (("years", 365 * 86_400.0), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3))


def show(value: Value) -> str:
    """A value with its unit, a rate also by the day: "5,790/s = 500 million/day"."""
    amount, dimension = value
    if amount < 0:
        return f"-{show(Value(-amount, dimension))}"
    per_day = 86_400 * amount
    if dimension == OF["time"]:
        name, size = next(((n, s) for n, s in _SPANS if amount >= s), ("µs", 1e-6))
        return f"{figures(amount / size)} {name}"
    if dimension == OF["/time"]:
        return f"{figures(amount)}/s = {figures(per_day)}/day"
    if dimension == OF["data"]:
        return _data(amount)
    if dimension == OF["data/time"]:
        return f"{_data(amount)}/s = {_data(8 * amount, 'bit')}/s = {_data(per_day)}/day"
    if dimension == OF["money"]:
        return f"${figures(amount)}"
    if dimension == Dimension(time=-1, money=1):
        return f"${figures(30 * per_day)}/month = ${figures(365 * per_day)}/year"
    return f"{figures(amount)} {_product_of(dimension)}".rstrip()
