"""What kind of answer a question wants, and which kinds of sections should lead it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Section roles that lead the answer, best first, and those that may follow.
_ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "definition": (("why", "learn", "body"), ("when", "tradeoffs", "when-not")),
    "how": (("learn", "body", "why"), ("tradeoffs", "failures", "figures", "scenarios")),
    "compare": (("tradeoffs", "when-not", "when"), ("learn", "why", "body", "failures")),
    "when": (("when", "why"), ("when-not", "tradeoffs", "scenarios", "learn", "body")),
    "prefer": (("when", "when-not", "tradeoffs"), ("why", "learn", "figures", "scenarios")),
    "choose": (("when", "when-not", "tradeoffs"), ("why", "scenarios", "learn", "body", "figures")),
    "when-not": (("when-not", "tradeoffs"), ("failures", "mistakes", "red-flags", "when")),
    "why-not": (("when-not", "tradeoffs"), ("when", "why", "red-flags", "failures", "learn")),
    "why": (("why", "learn", "body"), ("tradeoffs", "failures", "when", "when-not")),
    "trade-off": (("tradeoffs", "when-not"), ("when", "failures", "learn", "body")),
    "failure": (("failures", "mistakes"), ("red-flags", "when-not", "learn", "body", "tradeoffs")),
    "estimate": (("figures", "learn"), ("body", "scenarios", "tradeoffs")),
    "list": (("learn", "body", "tradeoffs"), ("when", "when-not", "failures", "figures")),
    "plan": (("scenarios", "learn", "body"), ("tradeoffs", "when", "failures", "figures")),
    "other": (("learn", "why", "body"), ("tradeoffs", "when", "when-not", "failures", "scenarios")),
}

#: Roles that answer one kind of question and no other.
_PURPOSEFUL = frozenset({"when", "when-not", "failures", "tradeoffs", "figures"})
_OPENLESS = frozenset({"prefer", "choose"})  # advice for either case may open these

_USED = r"(?:used|chosen|picked|applied|adopted|preferred|introduced|deployed|considered|recommended|relied on)"
_THING = r"(?:fit|match|choice|idea|option|tool|solution|answer|way|candidate|use)"
_GOOD = (
    rf"(?:(?:an? )?(?:good|great|ideal|sensible|suitable|appropriate) (?:{_THING}\b|for\b)"
    rf"|(?:the )?(?:right|best) {_THING}\b"
    r"|(?:recommended|advisable|appropriate|suitable|suited|worth|needed|necessary|justified|enough of a reason)\b)"
)
_BAD = (
    rf"(?:(?:a |the )?(?:bad|wrong|poor|terrible) {_THING}|unsuitable|unsuited|ill-suited|inappropriate|inadvisable"
    r"|overkill|best avoided)\b"
)
_FITS = r"(?:fit|suit|help|pay off|make sense|apply|belong|work well|scale well)\b"
_WHEN = r"(?:when|where|which|(?:for|in|under) what(?: cases| situations| circumstances| conditions)?)"
_NOT = r"(?:\bnot|n['’]t|\bnever)"

#: The first that matches decides, so they go from the most to the least specific.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile("|".join(patterns), re.I))
    for name, *patterns in (
        (
            "trade-off",
            r"\bpros (?:and|&|or) cons\b|\b(?:dis)?advantages (?:and|&|or) (?:dis)?advantages\b|\bbenefits and\b",
        ),
        (
            "why-not",
            r"\bwhy (?:not|n't|wouldn'?t|shouldn'?t|don'?t|can'?t|isn'?t)\b",
            r"\bwhy (?:would|should|do|does|must) (?:\w+ ){1,2}(?:not|never|avoid)\b|\bwhy never\b",
            r"\bwhat'?s wrong with\b",
            r"\bwhy (?:is|are) .{2,60} (?:bad|avoided|discouraged|a bad idea)\b",
            rf"\bwhy (?:is|are|was|would|might|can) .{{2,60}} (?:{_BAD}|not {_GOOD})",
            r"\bwhy (?:is|are)(?: [^\s?]+){1,6} not used\b",
        ),
        (
            # What is not to be used, however it is said; before the comparisons, which read the sides as praise.
            "when-not",
            rf"\b(?:should|must|may|ought to|can)(?: [^\s?]+){{0,6}}? ?{_NOT} be {_USED}\b|\bcannot be {_USED}\b",
            rf"\b{_WHEN} (?:should|must)(?: [^\s?]+){{0,6}}? ?{_NOT} be \w+",
            rf"\b{_WHEN}\b.{{0,80}}\b(?:do|does|would|will)(?: [^\s?]+){{0,6}}? ?{_NOT}"
            rf"(?: [^\s?]+){{0,4}}? {_FITS}",
            rf"^\W*(?:does|do|would)(?: [^\s?]+){{0,6}}? ?{_NOT}(?: [^\s?]+){{0,4}}? {_FITS}",
            rf"{_NOT}(?: (?:really|always|usually))? (?:be )?{_GOOD}",
            rf"\b{_WHEN}\b.{{0,80}}\b(?:is|are|would|should)n['’]t(?: [^\s?]+){{1,5}}? (?:be )?{_GOOD}",
            rf"\b{_WHEN}\b.{{0,80}}\b(?:is|are|would be|becomes?|be)\b.{{0,80}}\b{_BAD}",
            rf"\b(?:should|{_WHEN})\b.{{0,80}}\b(?:is|are|be)\b.{{0,80}}"
            r"\b(?:avoided|left out|ruled out|advised against)\b",
            rf"\b{_WHEN}\b.{{0,80}}\b(?:better|best|wiser?) (?:not|never) to\b",
            r"\bwhen (?:not|to avoid|should(?:n['’]?t| (?:you|i|we|one) not)|would (?:you|i|we) not)\b",
            r"\b(?:do|does|would|should) (?:you|i|we|one) (?:not|never) (?:need|use|want|choose|pick|reach for)\b",
        ),
        (
            # One side is named as the one to argue for.
            "prefer",
            r"\b(?:why|when|choose|pick|prefer|use|favou?r|select)\b.*\b(?:instead of|rather than)\b",
            r"\b(?:choose|pick|prefer|use|favou?r|select)\b.*\bover\b",
            r"^\W*(?:why |when )?(?:[\w./+#-]+ ){1,2}(?:over|instead of|rather than)(?: [\w./+#-]+){1,2}\W*"
            r"(?:\b(?:why|when)\W*)?$",
        ),
        (
            "when-not",
            r"\bwhen is .{2,40} (?:overkill|a bad)",
            r"\bwhen (?:should|would|do)(?:n'?t| not)\b",
            r"\b(?:avoid|overkill|anti-?pattern|drawbacks?|downsides?|limitations?)\b",
            r"\b(?:disadvantages?|weakness(?:es)?|cons of)\b",
            r"\bshould (?:i|you|we|one) (?:not|never)\b|\bnever use\b",
        ),
        (
            "compare",
            r"\bvs\.?\b|\bversus\b|\binstead of\b|\brather than\b",
            r"\bdiffer(?:s|ent|ence|ences)?\b|\bcompare[ds]?\b|\bcomparison\b",
            r"\b\w+ or \w+.*\?|^\W*\w+ or \w+",
            r"\b(?:better|faster|cheaper) than\b|\bchoose between\b|\bwhich (?:one|is better)\b",
        ),
        (
            "choose",
            r"\b(?:which|what) (?:[\w-]+ ){1,3}(?:should|would|do|could) (?:i|we|you|one) (?:use|pick|choose|take)\b",
            r"^\W*(?:should|would|shall) (?:i|we|you|one)\b",
            r"\bis it (?:worth|ok|okay|better|wise|a good idea)\b",
        ),
        ("trade-off", r"\btrade-?\s?offs?\b", r"\bpros and cons\b|\badvantages\b|\bbenefits and\b|\bcost of\b"),
        (
            "failure",
            r"\b(?:fail(?:s|ed|ure|ures|over)?|crash(?:es|ed)?|goes? (?:down|wrong)|break(?:s|ing)?|outage)\b",
            r"\b(?:pitfalls?|mistakes?|dies|lost|storm|stampede|split.?brain|problems? with)\b",
            r"\bwhat happens (?:if|when)\b|\brisk(?:s|y)?\b|\bdangerous\b|\bgo(?:es)? wrong\b",
        ),
        (
            "estimate",
            r"\bhow (?:many|much|big|large|fast|long)\b",
            r"\b(?:max(?:imum)?|min(?:imum)?|default|recommended|typical) (?:\w+ ){1,3}?(?:size|number|count|length"
            r"|time|timeout|interval|limit|factor|rate|retention|throughput|latency|value|ttl|port|of)\b"
            r"|\b(?:size|rate|time|item|request|connection) limits?\b|\bwhat (?:port|size|percentage)\b",
            r"\bestimate\b|\bcapacity\b|\bqps\b|\bback.of.the.envelope\b|\bsize (?:a|the)\b",
        ),
        (
            "when",
            r"\bwhen (?:to|do|does|should|would|is|are|can)\b|\bwhen .* use\b",
            r"\buse cases?\b|\bgood for\b|\bused for\b",
        ),
        (
            "plan",
            r"\b(?:design|build|architect|implement)\b.*\b(?:system|service|api|pipeline|platform|app|feed|limiter|store|it)\b",
            r"^\W*(?:let'?s |please )?(?:design|architect) (?:a|an|the|me|us|\w+(?:'s)?)\b",
            r"\bhow would you (?:design|build|approach|scale|handle)\b|\bstudy plan\b",
        ),
        (
            "list",
            r"\b(?:what|which) are (?:the )?(?:main|key|common|different|types|best|various|\w+ types)\b",
            r"\blist\b|\btypes of\b|\bkinds of\b|\bname (?:the|some|three|a few)\b|\bbest practices\b|\bstrategies\b",
        ),
        ("why", r"^\s*(?:so )?why\b", r"\bwhy (?:do|does|is|are|did|would|use)\b|\breason\b"),
        (
            "how",
            r"\bhow (?:do|does|is|are|can|to|would|did|exactly|come)\b",
            r"\bwalk me through\b|\bwork(?:s|ing)? internally\b|\bexplain how\b",
        ),
        (
            "definition",
            r"^\s*(?:so |ok |hey )?(?:what(?:'s|s| is| are| does)|define|explain|describe|tell me about|meaning of)\b",
            r"\bwhat is\b",
        ),
    )
)

_WORD = r"[\w./+#-]+(?: [\w./+#-]+)?"
_SIDES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\bbetween\s+(?P<a>.+?)\s+and\s+(?P<b>[^?.,;]+)",
        r"\bcompar(?:e|ing|ison of)\s+(?P<a>.+?)\s+(?:and|with|to|against)\s+(?P<b>[^?.,;]+)",
        r"\bhow (?:is|are|does|do)\s+(?P<a>.+?)\s+(?:differ(?:ent)?(?:s)? from|compare (?:to|with))\s+(?P<b>[^?.,;]+)",
        r"^(?:.*?\b(?:what(?:'s| is)|when|explain|compare|use|choose|prefer|pick|difference)\b)?\s*(?P<a>[^?.,;]+?)"
        r"\s+(?:vs\.?|versus|compared (?:to|with)|over|instead of|rather than|differs? from|different from)"
        r"\s+(?P<b>[^?.,;]+)",
        rf"\b(?P<a>{_WORD})\s+or\s+(?P<b>{_WORD})",
    )
)
_LEADING = re.compile(
    r"^(?:(?:the|a|an|use|using|should|i|we|you|would|do|does|is|are|why|when|to|choose|between)\s+)+", re.I
)
_TRAILING = re.compile(r"\s+(?:for|in|when|and|to|on|at|with)\s+.*$", re.I)


@dataclass(frozen=True, slots=True)
class Intent:
    """``name`` is a key of the role table; ``sides`` are the two things of a comparison, or empty.

    Of an intent ``prefer`` the first side is the one to argue for.
    """

    name: str
    sides: tuple[str, ...] = ()

    def role_fit(self, role: str) -> float:
        """How well a section role suits: 1 for the first leading role, down to 0 for one that is not named."""
        lead, follow = _ROLES[self.name]
        if role in lead:
            return 1.0 - 0.15 * lead.index(role)
        return 0.4 if role in follow else 0.0

    def leads(self, role: str) -> bool:
        """Whether sentences of that role may open the answer."""
        return role in _ROLES[self.name][0]

    @property
    def argues(self) -> bool:
        """Whether one of two sides is to be argued for."""
        return self.name == "prefer" and bool(self.sides)

    @property
    def opener(self) -> str | None:
        """The one role that should open the answer, where cards have a section for just this kind of question."""
        first = _ROLES[self.name][0][0]
        return first if first in _PURPOSEFUL and self.name not in _OPENLESS else None


def classify(question: str) -> Intent:
    """The intent of a question, and the two sides where it compares."""
    name = next((name for name, pattern in _PATTERNS if pattern.search(question)), "other")
    return Intent(name, _sides(question) if name in ("compare", "prefer", "trade-off", "when", "why-not") else ())


def _sides(question: str) -> tuple[str, ...]:
    for pattern in _SIDES:
        if match := pattern.search(question):
            first = _LEADING.sub("", match.group("a").strip(" \"'")).split(" and ")[-1]
            second = _TRAILING.sub("", _LEADING.sub("", match.group("b").strip(" \"'")))
            if first and second and len(first) < 60 and len(second) < 60:
                return first, second
    return ()
