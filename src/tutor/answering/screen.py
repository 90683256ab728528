"""Questions that no passage can answer, however near one ranks: about the asker, to the assistant, or half of one."""

from __future__ import annotations

import re

from tutor.retrieval.lexical import query_content

#: The asker's own data. "My account service" is a design, so the thing asked for must end the question's clause.
_PERSONAL = re.compile(
    r"\b(?:(?:what|where|who|when)(?:'s| is| was| are)|tell me|show me|remember|recall|know) my "
    r"(?:own |current |last |first )?(?:password|e-?mail(?: address)?|api keys?|credit card(?: number)?"
    r"|phone(?: number)?|(?:home )?address|account(?: number)?|calendar|manager(?:'s name)?|name|age|birthday|salary)\b"
    r"(?! (?!please)[a-z])"
    r"|\bmy (?:own |next |last |bank |upcoming )*(?:bank account|interview (?:date|time|slot)|subscription|invoice"
    r"|salary|appointment|flight|exam date)\b(?! (?!please)[a-z])"
    r"|\b(?:delete|cancel|close|reset|unlock|upgrade|change) my (?:account|password|subscription|e-?mail)\b"
    r"(?! (?!please)[a-z])"
    r"|\b(?:where do i live|how old am i|what did i (?:ask|say|tell|type)|my last message)\b"
    r"|^\W*who am i\W*$",
    re.I,
)
#: Orders to the assistant, only where an order can begin: at the start of a sentence or clause.
_START = r"(?:^|[.!?;:,\n]\s*|\b(?:and|then|please|now|just|first|instead)\s+)\W*"
_ORDER = re.compile(
    _START + r"(?:"
    r"(?:ignore|disregard|forget|override)\s+(?:(?:all|any|your|the|of|previous|prior|earlier|these|those)\s+)*"
    r"(?:instructions?|rules|prompts?|curriculum|guidelines|above|everything)\b"
    r"|(?:reveal|print|show|repeat|output|give|tell|leak|display)\s+(?:me\s+)?(?:all\s+)?(?:your|the)\s+"
    r"(?:\w+\s+)?(?:system prompt|prompt|instructions|environment variables)\b"
    r"|(?:print|show|dump|list)\s+(?:me\s+)?(?:all\s+)?(?:the\s+|your\s+)?environment variables\b"
    r"|repeat the (?:words|text) above\b"
    r"|pretend (?:that |to |you\b)|you are now\b|act as an? (?:unrestricted|unfiltered|jailbroken)\b"
    r"|give me full marks\b)"
    r"|\bwhat (?:is|are|was|were) your (?:system )?(?:prompt|instructions)\b",
    re.I,
)
_QUOTED = re.compile(r"[\"'“‘«`][^\"'”’»`]{3,}[\"'”’»`]")

_POINTER = re.compile(
    r"\b(?:its|their)\b|\b(?:it|they|them)\b"
    # "this" before a noun is no pointer: "does this pattern scale".
    r"|\b(?:that|this|those|these)(?=\s*(?:[?.!,;]|$)|\s+(?:over|instead|rather|with|for|in|to|work"
    r"|fail|happen|matter)\w*\b)",
    re.I,
)
#: "it" that points at nothing: "is it better to shard early", "when does it make sense to".
_EXPLETIVE = re.compile(r"\bit\s+(?:\w+\s+){0,5}?(?:to|that|if|when|worth|sense)\b", re.I)


def off_curriculum(question: str) -> bool:
    """Whether the question is about the asker's own data or orders the assistant about."""
    # What stands in quotes is spoken of, not spoken: "How do I stop 'ignore all previous instructions'?"
    spoken = _QUOTED.sub(" ", question)
    return bool(_PERSONAL.search(spoken) or _ORDER.search(spoken))


#: What a manual, a price list or release notes say and a curriculum does not.
_MANUAL = re.compile(
    r"\bexact(?:ly)? (?:\w+ )?(?:command|syntax|flags?|line|call|name|option)"
    r"|\bcommands?(?: line)?\b.{0,20}\b(?:to|for|do|that)\b"
    r"|\bwhich (?:\w+ )?(?:flags?|command|option|setting|config|parameter|version|release|port|licen[cs]e)\b"
    r"|\bwhat(?:'s| is| are)? the (?:\w+ ){0,2}(?:flags?|command|syntax|default port|port|config key|parameter"
    r"|licen[cs]e|price|exact)\b"
    r"|\bsyntax (?:of|for)\b|\bhow much (?:does|is|do)\b|\bper hour in\b"
    r"|\bsince which\b|\bin which (?:version|release)\b|\bwhat version\b"
    r"|\bsnippet\b|\bwrite (?:me )?(?:the|a) |\bgive me (?:the )?(?:code|command|yaml|config|query)\b",
    re.I,
)


def wants_manual(question: str) -> bool:
    """Whether a question asks for a command, a flag, a version, a price or ready-made code."""
    return bool(_MANUAL.search(question))


_PLEASANTRY = re.compile(
    r"^\W*(?:(?:thanks?|thank you|thx|cheers|ok(?:ay)?|got it|i see|great|cool|nice|perfect|awesome|good|hello|hi|hey"
    r"|bye|goodbye|interesting|hm+|wow|oh|ah|never ?mind|forget (?:it|that)|good (?:morning|evening"
    r"|night)|understood|makes sense|that helps?|that helped|please)"
    r"(?: (?:so much|very much|a lot|again|you|there|then|now|for that|for the help|tutor))*\b\W*)+$",
    re.I,
)


#: What a learner tells of themselves: "I have an exam tomorrow".
_TELLS = re.compile(
    r"^\W*(?:i'?m|i am|i have|i'?ve(?: got)?|i'?ll|my|there'?s|we have)\b[^?]{0,80}\b(?:interview"
    r"|exam|test|deadline|break|class"
    r"|course|homework|tired|confused|late|new to this|tomorrow|tonight|today|monday|tuesday|wednesday|thursday|friday"
    r"|saturday|sunday|next week)\b[^?]{0,40}$",
    re.I,
)


def tells(text: str) -> bool:
    """Whether a text tells of the learner and asks nothing: "I have an exam tomorrow"."""
    return bool(_TELLS.match(text))


def says_nothing(text: str) -> bool:
    """Whether a text is a pleasantry and asks nothing: "thanks", "ok, got it"."""
    return bool(_PLEASANTRY.match(text))


def leans_on_context(question: str) -> str | None:
    """The word that points outside the question ("its"), "" when it names nothing at all, else None."""
    content = query_content(question)
    if not content:
        return ""
    found = _POINTER.search(question)
    if found is None or _EXPLETIVE.search(question):
        return None
    later = re.split(r"[.;!?]", question[found.end() :], maxsplit=1)[1:]
    named = query_content(question[: found.start()]) or (later and query_content(later[0]))
    return None if named else found.group().split()[-1]
