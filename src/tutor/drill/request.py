"""What a learner types, taken apart: "why not X for Y", "X instead of Y", "X vs Y under Z", "drill me on X"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tutor.text import clean_question

_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so|well|please|now|and|but)\b[\s,!.]*"
    r"|(?:can|could|would|will) you (?:please )?"
    r"|i (?:want|would like|need) (?:you )?to (?:be )?|i['’]d like to (?:be )?"
    r"|let(?:['’]s| us) (?:do |talk about |practi[cs]e )?|give me (?:a |an |some )?(?:drills?|questions?) (?:on|about) "
    r"|(?:tell|ask|drill|quiz|test|grill|examine|interview|question|train)(?:ed)? (?:me |us )?(?:please )?"
    r"(?:on|about|in|with)\b"
    r"|(?:drill|quiz|ask|practi[cs]e|train|explain)(?: me)?(?: on| about)?\b(?!-)|what about )\s*",
    re.I,
)
_TAIL = re.compile(r"[\s,]*\b(?:please|thanks|thank you|instead|here|now|today|at all|drill|questions?)$", re.I)
_QUOTES = " \t\"'`“”‘’„«».,;:!?…"
_WHO = r"(?:you|we|i|they|one|people|it)"
_VERB = r"(?:use|using|used|take|pick|picked|choose|chose|adopt|prefer|go with|went with|have|need|do)"
_WHY_NOT = re.compile(
    r"\b(?:why-not|(?:why|when)(?: (?:should|would|do|can|could|did|is|are|must) \w+)? (?:not|never)(?: to)?"
    rf"|why (?:should|would|do|can|could|did|is|are|wo)n['’]?t(?: {_WHO})?|why avoid"
    r"|(?:what['’]s|what is) wrong with|what speaks against|(?:reasons?|arguments?|case) (?:against|not to))\b"
    r"(?P<rest>.*)",
    re.I,
)
_WHY_THIS = re.compile(
    rf"^why (?:(?:would|should|do|did|must) {_WHO} )?(?P<rest>.+?) (?:(?:and|but) not|instead of|rather than|over) ",
    re.I,
)
_BETWEEN = re.compile(r"^(?:(?:what is |what['’]s )?the )?(?:difference|choice) between|^(?:compare|comparing)\b", re.I)
_WHICH = re.compile(
    rf"^(?:(?:when|why|which|what|where)\b,?\s*)?(?:(?:is better|to|should|would|do|did|shall) )?(?:{_WHO} )?{_VERB} ",
    re.I,
)
_INSTEAD = re.compile(r",?\s+(?:instead of|rather than|(?:and|but) not|over|in place of)\s+", re.I)
_VERSUS = re.compile(r",?\s+(?:vs\.?|versus|or|compared (?:to|with)|against)\s+", re.I)
_AND = re.compile(r"\s+(?:and|with|to|from)\s+", re.I)
_CONTEXT = re.compile(r"[,;:?]\s+|\s+(?:for|under|when|as|in|if|where|given|because|at|on|with|to)\s+", re.I)
_SMALL = re.compile(rf"^(?:(?:{_WHO}|just|simply|even|always|{_VERB}|a|an|the|another|our|some)\s+)+", re.I)
_LONGEST = 1000  # characters that are looked at: a question of a card has at most 600


@dataclass(frozen=True, slots=True)
class Request:
    """``subject`` is what is asked about, ``alternative`` what it is weighed against; parts not typed are empty.

    ``chosen`` where the subject is preferred, as in "X over Y" and "why X and not Y": then the alternative is what is
    questioned. In "why not X instead of Y" it is the subject; in "X or Y" neither.
    """

    subject: str
    alternative: str = ""
    context: str = ""
    why_not: bool = False
    chosen: bool = False

    @property
    def questioned(self) -> str:
        """The side of which it is asked why it is not taken; empty where neither is."""
        return self.alternative if self.chosen else self.subject if self.why_not else ""


def plain(text: str) -> str:
    """``text`` on one line, without quotes around it, politeness and closing marks."""
    found = clean_question(text)[:_LONGEST].strip(_QUOTES)
    before = None
    while found != before:
        before = found
        shorter = _TAIL.sub("", _POLITE.sub("", found)).strip(_QUOTES)
        found = shorter or found
    return found


def parse_request(text: str) -> Request:
    """Take ``text`` apart; what has none of the known shapes is a subject as a whole."""
    asked = plain(text)
    if match := _WHY_NOT.search(asked):
        before, rest = asked[: match.start()].strip(_QUOTES), match["rest"].strip(_QUOTES)
        if not rest:
            return Request(before, why_not=True)
        subject, other = _pair(rest, _INSTEAD) or _pair(rest, _VERSUS) or (rest, "")
        return _request(subject, other, before, why_not=True)
    if match := _WHY_THIS.search(asked):
        rest = asked[match.start("rest") :]
        if pair := _pair(rest, _INSTEAD):
            return _request(*pair, "", why_not=True, chosen=True)
    bare = _BETWEEN.sub("", asked).strip()
    for pattern in (_AND, _VERSUS) if bare != asked else (_VERSUS, _INSTEAD):
        if pair := _pair(_WHICH.sub("", bare), pattern):
            return _request(*pair, "", why_not=False, chosen=pattern is _INSTEAD)
    return Request(asked)


def _pair(text: str, joint: re.Pattern[str]) -> tuple[str, str] | None:
    parts = joint.split(text, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 and all(part.strip(_QUOTES) for part in parts) else None


def _request(subject: str, other: str, before: str, *, why_not: bool, chosen: bool = False) -> Request:
    """The two sides, each without small words and with what follows "for", "under" and the like as context."""
    contexts = [before]
    sides = []
    for side in (subject, other):
        name, *rest = _CONTEXT.split(_SMALL.sub("", side.strip(_QUOTES)), maxsplit=1)
        sides.append(name.strip(_QUOTES))
        contexts += rest
    return Request(sides[0], sides[1], " ".join(filter(None, (c.strip(_QUOTES) for c in contexts))), why_not, chosen)
