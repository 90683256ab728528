"""Back-of-envelope drills: scenarios with their figures, drawn by a seed, all arithmetic done here.

Every quantity is a product of what is given and of the quantity before it: people → average → peak → storage a day →
storage kept → bandwidth → servers. So a figure that follows from the learner's own earlier one can be told from a slip.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from tutor.curriculum.card import Strict
from tutor.quantities.units import SECONDS_A_DAY, written

PEAK = (2.0, 5.0)  # a day's peak over its average, where the scenario leaves it to the learner


class Wanted(Strict):
    """A figure to estimate: ``low`` to ``high``, in base units of ``dimension``; equal where nothing is left open.

    ``per`` is the label's period where it is not the second; ``rests_on`` has ids of what it can be computed from;
    ``cues`` are patterns of the words that label it, the most telling first; ``slips`` are factors that a likely slip
    would be off by (least, most) and its name; ``assumption`` is what the learner has to assume.
    """

    id: str
    label: str
    low: float
    high: float
    dimension: str
    formula: str
    cues: tuple[str, ...]
    tolerance: float = 1.3
    per: str = ""
    rests_on: tuple[str, ...] = ()
    assumption: str = ""
    slips: tuple[tuple[float, float, str], ...] = ()

    def amount(self, value: float | None = None) -> str:
        """A value, or else the expected one, in the label's units: "2.4 TB/day", "40,000/s to 100,000/s"."""
        ends = [self.low, self.high] if value is None else [value]
        return " to ".join(dict.fromkeys(written(end, self.dimension, self.per) for end in ends))


class Scenario(Strict):
    """What the interviewer says; ``given`` has its figures in base units, ``quantities`` what to work out, in order."""

    title: str
    ask: str
    given: tuple[float, ...]
    quantities: tuple[Wanted, ...]


_Event = tuple[str, str, tuple[float, ...], tuple[float, ...]]  # name, pattern of it, times each in a period, bytes


class _Family(NamedTuple):
    title: str
    who: str
    people: tuple[float, ...]
    write: _Event
    read: _Event
    days: tuple[int, ...]
    capacity: tuple[float, ...]
    serves: str = "peak"  # the id of the quantity that a server's capacity is of
    period_s: tuple[float, ...] = (SECONDS_A_DAY,)
    tokens: tuple[int, ...] = (0,)


_NONE: _Event = ("", "", (0,), (0,))
_USERS = "daily active users"
_FAMILIES = (
    _Family("a news feed", _USERS, (50e6, 100e6, 200e6), ("posts", "post(?:s|ed|ing)?", (1, 2, 3), (1e3, 2e3)),
            ("feed loads", "feeds?|loads?", (10, 20, 30), (50e3, 100e3)), (1095, 1825), (500, 1000, 2000)),
    _Family("a chat service", _USERS, (20e6, 50e6, 200e6), ("sent messages", r"sen[dt]\w*", (20, 40), (200, 500)),
            ("delivered messages", r"receiv\w+|deliver\w+", (60, 100), (500, 1e3)), (730, 1825), (5e3, 1e4)),
    _Family("a photo sharing site", _USERS, (20e6, 50e6, 100e6), ("uploads", r"upload\w*", (1, 2), (1e6, 2e6)),
            ("photo views", r"view\w*", (30, 50, 100), (100e3, 200e3)), (1825, 3650), (1000, 2000)),
    _Family("a URL shortener", _USERS, (20e6, 50e6), ("new links", r"new links?|creat\w+", (0.1, 0.2), (500, 1e3)),
            ("redirects", r"redirect\w*", (5, 10, 20), (300, 500)), (1825, 3650), (200, 500)),
    _Family("a video streaming service", _USERS, (20e6, 100e6), ("uploads", r"upload\w*", (0.01, 0.02), (1e8, 3e8)),
            ("plays", "plays?|views?", (3, 5, 10), (30e6, 50e6)), (1095, 1825), (2.5e9, 5e9), "egress"),
    _Family("a metrics store", "hosts", (2e4, 5e4, 1e5), ("samples", "samples?|points?", (100, 200, 500), (2, 16)),
            _NONE, (30, 90, 730), (1e4, 2e4), period_s=(10, 15, 30)),
    _Family("an LLM API", _USERS, (1e6, 5e6, 20e6), ("requests", "requests?", (5, 10, 20), (4e3, 8e3)),
            _NONE, (30, 90, 730), (1000, 2000, 3000), "tokens", tokens=(300, 500, 800)),
)  # fmt: skip
TITLES = tuple(family.title for family in _FAMILIES)
_BAND, SERVERS = "bandwidth|network|traffic", r"servers?|machines?|instances?|boxes|nodes?|GPUs?"
_STORED, DAILY = r"storage|stor(?:e|ed|ing)|disks?|space|data", r"(?:per|a|each|every) day|daily|day(?=\s*[=:≈])"
_AT_PEAK = r"peak\w*|busiest|worst|bursts?|spikes?"
_AVERAGE = "(?<!times the )(?<!times )(?<!x )(?<!x the )average|avg|mean"
_KEPT = r"total|{kept}|years?|days of|retention|retain\w*|replica\w*|copies|altogether"
#: Id, label, what it rests on, by which facts it is multiplied ("/" divided), how that is said, dimension, cues.
_STEPS: tuple[tuple[str, str, str, str, str, str, tuple[str, ...]], ...] = (
    ("writes", "average {write} per second", "", "people writes /period_s", "{people} × {writes} / {period_s} s",
     "/time", ("{write_names}", _AVERAGE)),
    ("reads", "average {read} per second", "", "people reads /period_s", "{people} × {reads} / {period_s} s",
     "/time", ("{read_names}", _AVERAGE)),
    ("peak", "{main} per second at peak", "{main_id}", "peak", "× {peak}",
     "/time", (_AT_PEAK, "{main_names}")),
    ("storage_day", "storage per day", "writes", "size", "× {size} × 86,400 s", "data/time", (_STORED, DAILY)),
    ("storage", "storage over {kept} with {copies} copies", "storage_day", "days day_s copies",
     "× {days} days × {copies} copies", "data", (_KEPT, _STORED)),
    ("ingress", "average inbound bandwidth", "writes storage_day", "size", "× {size}",
     "data/time", (r"ingress|inbound|incoming|in(?=\s*[:=≈/,;.)]| is| of| and|\s+[~≈]?\d)", _BAND)),
    ("egress", "outbound bandwidth at peak", "peak", "page", "× {page}",
     "data/time", ("egress|outbound|outgoing|out|serv(?:e|ed|ing)|downloads?", _BAND)),
    ("tokens", "output tokens per second at peak", "peak", "tokens", "× {tokens}", "/time", ("tokens?", _AT_PEAK)),
    ("servers", "servers at peak", "{serves}", "/capacity", "/ {capacity}", "", (SERVERS,)),
)  # fmt: skip
RATE = "qps|rps|tps|(?:per|a|each|every) second|requests"


def scenario(seed: int) -> Scenario:
    """The drill of a seed, always the same one: a system, and its figures from the ranges that interviews use."""
    draw = random.Random(seed).choice
    kind = draw(_FAMILIES)
    facts: dict[str, float] = {"people": draw(kind.people), "writes": draw(kind.write[2]), "reads": draw(kind.read[2])}
    facts |= {"size": draw(kind.write[3]), "page": draw(kind.read[3]), "days": draw(kind.days), "copies": draw((2, 3))}
    facts |= {"capacity": draw(kind.capacity), "period_s": draw(kind.period_s), "tokens": draw(kind.tokens)}
    peak = draw((PEAK, PEAK, (2.0, 2.0), (3.0, 3.0)))
    units = {"size": "data", "page": "data", "capacity": "data/time" if kind.serves == "egress" else "/time"}
    said = {name: written(value, units.get(name, "")) for name, value in facts.items()}
    said |= {"write": kind.write[0], "write_names": rf"writ(?:es?|ing)|{kind.write[1]}"}
    said |= {"read": kind.read[0], "read_names": rf"reads?|reading|{kind.read[1]}"}
    side = "read" if facts["reads"] else "write"
    said |= {"main": said[side], "main_names": said[f"{side}_names"], "main_id": f"{side}s", "serves": kind.serves}
    years, spare = divmod(facts["days"], 365)
    said |= {"days": f"{facts['days']:,}", "kept": f"{facts['days']} days" if spare else f"{years} years"}
    said |= {"peak": " to ".join(dict.fromkeys(f"{end:g}" for end in peak))}
    wanted = _worked_out(facts, said, peak)
    plenty = f"{facts['capacity']:,.0f}"
    able = {
        "peak": f"{plenty} {{main}} a second",
        "tokens": f"{plenty} tokens a second",
        "egress": "{capacity} outbound",
    }
    ask = (
        f"Let's size {kind.title}: {{people}} {kind.who}, on average each with {{writes}} {{write}} of {{size}}"
        f"{' and {reads} {read} of {page}' if facts['reads'] else ''} "
        f"{'a day' if facts['period_s'] == SECONDS_A_DAY else 'every {period_s} seconds'}. Everything is kept for "
        f"{{kept}} in {{copies}} copies.{' A reply has {tokens} tokens.' if facts['tokens'] else ''} "
        f"One server handles {able[kind.serves]}. "
        f"{'Choose a peak factor and say which' if peak == PEAK else 'The peak is {peak} times the average'}. "
        f"Give me, in round figures: {', '.join(w.label for w in wanted)}."
    )
    given = (*facts.values(), facts["days"] * SECONDS_A_DAY, *peak)
    return Scenario(title=kind.title, ask=ask.format(**said), given=given, quantities=wanted)


def _worked_out(facts: dict[str, float], said: dict[str, str], peak: tuple[float, float]) -> tuple[Wanted, ...]:
    """The quantities of the steps whose facts there are, each computed from the one that it rests on."""
    found: dict[str, Wanted] = {}
    for id, label, on, factors, how, dimension, cues in _STEPS:
        names = factors.replace("/", "").split()
        if not all(facts.get(name, 1) for name in names):
            continue
        parents = tuple(on.format(**said).split())
        base = found[parents[0]] if parents else None
        low, high, slips = (base.low, base.high, base.slips) if base else (1.0, 1.0, ())
        how = f"{base.amount() if base else ''} {how.format(**said)}".strip()
        for name, factor in zip(names, factors.split(), strict=True):
            least, most = peak if name == "peak" else (facts.get(name, SECONDS_A_DAY),) * 2
            low, high = (low / least, high / most) if "/" in factor else (low * least, high * most)
        own = {"peak": (*peak, "the peak factor"), "storage_day": (facts["copies"], facts["copies"], "the copies")}
        new = Wanted(
            id=id,
            label=label.format(**said),
            low=low,
            high=high,
            dimension=dimension,
            formula=how,
            cues=tuple(cue.format(**said) for cue in cues),
            tolerance=1.5 if id == "servers" else 1.3,
            per="day" if id == "storage_day" else "",
            rests_on=parents,
            assumption="a peak factor" if id == "peak" and peak == PEAK else "",
            slips=(*slips, *([own[id]] if id in own else [])),
        )
        found[id] = new.model_copy(update={"formula": f"{how} = {new.amount()}"})
    return tuple(found.values())
