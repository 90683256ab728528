"""Questions that leave out what they are about ("how many?", "does MySQL?"), and what they make of the one before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tutor.answering import followup
from tutor.answering.intent import classify
from tutor.answering.naming import Named

_CHOOSES = r"(?:pick|choose|use|take|recommend|prefer|go (?:with|for)|suggest)"
_EACH = (
    r"(?:what are )?(?:the )?(?:pros and cons|trade-?offs|strengths|weaknesses|drawbacks|downsides|costs?"
    r"|advantages) of (?:each|both|either)(?: one)?"
    rf"|(?:what|which)(?: one| of (?:the two|them|these|those))? (?:would|do|should|will) (?:you|i|we"
    rf"|one) {_CHOOSES}(?: (?:then|here|and why))?"
    r"|(?:which|what)(?:'s| is| one is| one's) (?:the )?(?:better|best|faster|fastest|cheaper|cheapest"
    r"|simpler|safer|slower)(?: one)?"
)
#: How to say it again: "shorter please", "can you make that simpler?".
_MANNER = (
    r"(?:(?:can|could|would) you (?:please )?|please )?(?:(?:make|say|explain|put|give|tell|repeat"
    r"|summari[sz]e|do)(?: me)?(?: it| that| this)?(?: again)? ?)?"
    r"(?P<manner>(?:(?:a (?:bit|little)|even|much|in) )?(?:shorter|simpler|briefer|simply|briefly|short"
    r"|brief|plain english|plainer)(?: (?:words|terms|version))?"
    r"|in (?:one|a|a single|two|a few|other|simple|simpler|plain|fewer|your own) (?:sentences?|words?"
    r"|terms|lines?|paragraph|nutshell|english)"
    r"|once more|again|step by step|with less jargon|less jargon|tl;?dr|eli5|like i'?m (?:five|5)"
    r"|for (?:a )?beginners?)(?:,? please)?"
    r"|(?:please )?(?:repeat|summari[sz]e)(?: (?:it|that|this))?(?: please)?|(?:a )?(?:short )?summary(?: please)?"
)
#: What is asked of a subject that was named before, with a word or two of its own.
_UNDER = (
    r"(?:and |so |but |roughly )?how (?:many|much|long|often|far|big|large|small|fast|slow|soon|late"
    r"|early|expensive|hard|bad|likely|safe)"
    r"(?:,? (?:though|exactly|roughly|then|about|are enough|is enough|is too (?:many|much|long)"
    r"|would that be|is that|are there|at most|at least|more|of (?:a|an) \w+))?"
    r"(?: (?:should|do|can|would|must|will) (?:i|we|you|one) (?:go|wait|need|take|have|add|use|set|keep"
    r"|run|expect|pay|start with|want)(?: for)?)?"
    r"|(?:but )?(?:is|are|isn'?t|was) there (?:an?|any|some|no) (?:\w+ )?(?:limits?|maximum|minimum|catch"
    r"|way around|rule of thumb|risks?|downsides?"
    r"|alternatives?|exceptions?|trade-?offs?|formula|defaults?|better way|way out|other way|dangers?"
    r"|standard|costs?)(?: (?:to|with|for|of) (?:it|that|this))?"
    r"|(?:and )?(?:what(?:'s| is| are)) the (?:\w+ )?(?:catch|limits?|maximum|minimum|default|worst case"
    r"|best case|rule of thumb|downsides?|alternatives?"
    r"|trade-?offs?|risks?|upsides?|costs?|point|gotchas?|best practices?|fix|workarounds?|price)"
    r"|(?:the )?(?:worst case|best case|maximum|minimum|rule of thumb)"
    r"|which (?:(?!one\b)\w+ )(?:is|are|would be|works?) (?:the )?(?:best|better|cheapest|fastest|safest"
    r"|simplest|right|usual|most common)"
    r"|what else|(?:and )?(?:what|who) (?:is (?:it|that) )?for|when exactly|since when|who (?:uses"
    r"|does) (?:it|that)|compared (?:to|with) what"
    r"|what (?:happens|then|if not|now)(?: then| otherwise| next)?|what (?:can|could|might) go wrong"
    r"|what should i (?:watch|look) (?:out )?for|what do i (?:lose|gain|pay|need)"
    r"|how do i (?:start|begin|test that|measure that|know|tell|check)|where (?:do|should|would) (?:i"
    r"|we) (?:start|begin|put (?:it|that))"
)
_BARE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"^\W*(?:{pattern})\W*$", re.I))
    for name, pattern in (
        ("why-not", r"why not|why n't"),
        (
            "why",
            r"why|(?:but |hm+,? )?how come(?: that)?|but why|for what reason|why(?: is|'s) (?:that|this)|why so"
            r"|what makes you say that",
        ),
        ("how", r"how|how so|how exactly|in what way"),
        (
            "example",
            r"(?:can you |could you )?(?:give (?:me )?|show (?:me )?)?(?:an?|one|another|some"
            r"|for)?\s*(?:concrete )?examples?(?: please)?|such as|like what",
        ),
        (
            "more",
            r"(?:tell me |say )?more(?: please| detail| details)?|go on|elaborate|continue|keep going"
            r"|(?:please )?(?:elaborate|explain)(?: please| further| more)?|details|in detail"
            r"|(?:(?:sorry|hm+|wait|no)[,.]? )*(?:i (?:still )?(?:don'?t|do not) (?:get|understand|follow)(?: it"
            r"| that| this| you)?"
            r"|i'?m lost|you(?:'ve)? lost me|huh|what do you mean(?: by (?:that|this))?|meaning)",
        ),
        ("opposite", r"(?:the )?opposite|when not|when should(?:n't| i not)(?: i)?|and not|when would(?:n't| i not)"),
        ("round", r"(?:the )?other way (?:a?round)|vice versa|the reverse|conversely"),
        ("use", r"when to use|when not to use|when to avoid|when should i use"),
        (
            "aspect",
            r"(?:what are |and |are there )?(?:the |its |any |some )?((?:(?:main|common|typical"
            r"|biggest) )?(?:trade-?offs?"
            r"|failure modes?|drawbacks?|downsides?|benefits|advantages"
            r"|disadvantages|limits|limitations|alternatives|pros and cons|costs?|risks|pitfalls|use cases"
            r"|red flags|mistakes|gotchas|caveats|exceptions))(?: (?:of|to) (?:it|that|this))?",
        ),
        (
            "difference",
            rf"(?:and |so )?(?:(?:what(?: is| are|'s)|tell me) )?(?:(?:the"
            rf"|any) (?:\w+ )?)?differences?(?:,? (?:in [\w ]{{1,30}}|then|really|exactly|though"
            rf"|between (?:them|the two)))?|{_EACH}",
        ),
        ("manner", _MANNER),
        ("under", _UNDER),
    )
)

#: The same question of another: "does the same hold for SQS?", "is it true of Redis too?", "same question for etcd".
_SAME = re.compile(
    r"^\W*(?:(?:does|do|is|are|would|will|can|could) )?(?:i |you )?(?:(?:say |do )?(?:the same|same"
    r"|it the same|that the same)(?: (?:thing|question|story|deal|advice|answer|rules?))?"
    r"(?: (?:be|hold|holds|true|apply|applies|go|goes|work|works|count|counts|said|with))*|(?:that|this"
    r"|it|these|those) (?:also )?(?:hold|apply|go|be true|true|valid)(?: true)?(?: too)?)"
    r" (?:for|with|to|of|in|about|on) (?P<new>[^?.!,]{1,50}?)(?: (?:too|as well|also|then))?\W*$",
    re.I,
)
_TOO = re.compile(
    r"^\W*(?:does|do|did|is|are|can|could|has|have|will|would|should)(?:n't)? (?P<new>[^?.!,]{1,40}?)"
    r"(?: (?:(?:do|does|have|support|work|be|behave) )?(?:the same(?: thing| way)?|that|it|this|so"
    r"|like that|similar))?(?:,? (?:too|as well|either|also))?\W*$",
    re.I,
)


def same_of(rest: str, named: Sequence[Named]) -> str | None:
    """What the earlier question is to be asked of: "SQS" in "does the same hold for SQS?", "MySQL" in "does MySQL?"."""
    if (found := _SAME.match(rest)) and not followup.asks(found.group("new")):
        return found.group("new").strip()
    if (found := _TOO.match(rest)) and len(named) == 1:
        new = re.sub(r"^(?:an?|the) ", "", found.group("new").strip(), flags=re.I)
        return found.group("new").strip() if new == named[0].text else None
    return None


def kind_of(rest: str) -> tuple[str, re.Match[str] | None]:
    """Which of the questions without a subject a text is, and where; "" and None where it is none."""
    return next(((kind, found) for kind, pattern in _BARE if (found := pattern.match(rest))), ("", None))


def asked_with(word: str, base: str, subject: str) -> str:
    """The earlier question with another question word: "When would you not use Kafka?" as "Why would you not …"."""
    if ": " in base or (word == "Why" and re.match(r"^\W*how\b.*\b(?:compare|differ)", base, re.I)):
        return f"{subject}: {word.lower()}?" if word == "Why" and ": " not in base else f"{word} {subject}?"
    if found := re.match(
        r"^\W*(?:what|when|where|which|how|why)\s+(?=(?:is|are|does|do|would|should|can|could)\b)", base, re.I
    ):
        if re.match(r"^\W*what (?:is|are)\b", base, re.I):
            return f"{word} {subject}?"
        return f"{word} {base[found.end() :]}?"
    return f"{word} {base[0].lower()}{base[1:]}?" if followup.asks(base) else f"{word} {base}?"


def negated(base: str, subject: str, rest: str) -> str:
    """The earlier question with its polarity turned; "when not" after "why not X" still asks against X."""
    against = re.match(r"^\W*why not (?:use )?(.+)$", base, re.I)
    if against and re.match(r"\W*(?:and )?when\b", rest, re.I):
        return f"When not to use {against.group(1)}?"
    plain = re.sub(r"\b(?:not|never)\s+|n't\b", "", base, count=1, flags=re.I)
    if plain != base:
        return f"{plain}?"
    found = re.search(r"\b(?:should|would|do|can|could)\s+(?:i|we|you|one|people)\b", base, re.I)
    return f"{base[: found.end()]} not{base[found.end() :]}?" if found else f"When not to use {subject}?"


def compared_in(question: str) -> tuple[str, ...]:
    """The sides of a comparison, without the verb before the first: "prefer gRPC"."""
    return tuple(re.sub(r"^(?:prefer|choose|pick|use|favou?r|compare)\s+", "", s) for s in classify(question).sides)


def turned(base: str) -> str | None:
    """The earlier comparison with its sides exchanged."""
    sides = compared_in(f"{base}?")
    if len(sides) != 2 or any(side not in base for side in sides):
        return None
    first, second = sides
    at, to = base.index(first), base.rindex(second)
    if at + len(first) > to:
        return None
    return f"{base[:at]}{second}{base[at + len(first) : to]}{first}{base[to + len(second) :]}?"


def replaced(base: str, old: str, new: str) -> str | None:
    found = re.search(rf"(?<!\w){re.escape(old)}(?!\w)", base, re.I)
    return f"{base[: found.start()]}{new}{base[found.end() :]}" if found else None
