"""Whether a question leans on what was said before, and how: by a pronoun, an ellipsis, a correction, a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tutor.answering.naming import Named
from tutor.retrieval.lexical import INTENT_WORDS, query_content, stem

_OPENER = re.compile(
    r"^\W*(?:(?:(?:and|so|but|or|then|also|plus|ok(?:ay)?|thanks|thank you|hm+|yes|yeah)\b(?!-)[\s,.!:-]*"
    r"|(?:fine|well|right|now|great|sure|cool)(?:\s*[,.!:]+|\s+[–-])\s*))+",
    re.I,
)
#: Words of sentences that ask nothing.
_NICETY = (
    r"(?:(?:many )?thanks?|thank you|thx|cheers|ok(?:ay)?|got it|i see|great|cool|nice|perfect"
    r"|awesome|good|hello|hi|hey"
    r"|understood|makes sense|that helps?|that helped|never ?mind|forget (?:it|that|about (?:it|that))|hm+|interesting"
    r"|right|sure|fine|wow|oh|ah|yes|no|yeah|sorry|scrap that|skip (?:it|that)|let'?s move on|next(?: question)?"
    r"|(?:another|one more|new) (?:question|one|thing)|so much|very much|a lot|again|you|there|then|now|tutor|enough"
    r"|for (?:that|the help|now)|(?:good|fair) point)"
)
#: Whole sentences that ask nothing, before one that does.
_PREAMBLE = re.compile(rf"^\W*(?:{_NICETY}(?:[\s,–-]+{_NICETY})*\s*(?:[.!…]+\s+|(?<=question)[:,]\s+))+(?=\S)", re.I)
_ABOUT = re.compile(r"^(?:what|how) about\s+|^(?:the )?same (?:for|with)\s+", re.I)
CORRECTION = re.compile(
    r"^\W*(?:"
    r"(?:(?:no|nope|sorry|oops|wait|actually|well)\b[\s,.!-]*)+(?:i (?:mean|meant|was asking about"
    r"|am asking about)\s+)?"
    r"|i (?:mean|meant|was asking about)\s+"
    r")(?P<new>[^?.!,]{1,60})(?:,?\s+not\s+(?P<old>[^?.!,]{1,60}))?\W*$"
    r"|^\W*not\s+(?P<old2>[^?.!,]{1,60}),\s*(?:but\s+)?(?P<new2>[^?.!,]{1,60})\W*$",
    re.I,
)
#: A question of its own: words that can begin one.
_ASKS = re.compile(
    r"^(?:(?:in|at|for|on|to|by|from|with) (?=what|which|whom|whose))?(?:what|which|who|whom|whose|how|why|when"
    r"|where|is|are|was|were|am|do|does|did|can|could|would|will|should|shall"
    r"|may|must|has|have|had|explain|describe|compare|tell|give|show|list|name|design|define|walk)(?:n't|'s|'re)?\b",
    re.I,
)
_CONDITION = re.compile(
    r"^(?:even |only |not |especially )?(?:if|when|while|once|unless|until|after|before|because|since)\b", re.I
)
_PREPOSITION = re.compile(
    r"^(?:even |only |just |not |especially )?(?!at[ -](?:least|most)\b)(?:on|in|at|for|with|without|under|during"
    r"|across|within|over|between|against"
    r"|from|to|by|as|inside|outside|behind|after|before|through|per|using|given|despite|among|near|above|below)\b",
    re.I,
)
#: "it" that points at nothing: "is it better to shard early", "does it make sense to", "it takes weeks to".
_EXPLETIVE = re.compile(
    r"\bit\s+(?:is\s+|was\s+|be\s+)?(?:(?:really|ever|still|always|even|more|an?)\s+)*(?:better|best|worth|ok"
    r"|okay|wise|possible"
    r"|important|necessary|safe|enough|easy|hard|good|bad|right|true|likely|common|normal|cheaper|faster|makes?|idea)\b"
    r"(?=.*\b(?:to|that|if|when|while)\b)|\bworth it\b|\bit\s+(?:really\s+)?worth\s+[\w-]+ing\b"
    r"|\bit\s+(?:turns out|takes?\b.*\b(?:to|for|until))\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:its|itself|it|they|them|their|theirs|themselves)\b(?!['’]s\s+(?:better|worth|ok|fine|true)\s+(?:to|that))",
    re.I,
)
_ONE = re.compile(
    r"\b(?:use|run|need|have|build|add|pick|choose|want)\s+(one)\b(?=\s*(?:$|[?.!,;]|for\b|in\b|when\b|if\b|at\b))",
    re.I,
)
#: "that" and its kin where they point, not where they join clauses: "the replicas that fail".
_POINTING = re.compile(
    r"(?:^|[,;:.!?–-]\s*|\b(?:is|are|was|were|isn't|does|doesn't|do|did|can|could|would|will|should|if|of|in|on"
    r"|for|to|with|from"
    r"|by|at|and|but|or|than|about|after|before|when|while|use|using|like|over|under|without|against|into|prevent"
    r"|avoid|fix"
    r"|solve|handle|stop|do|choose|pick|behind|during|inside)\s+)"
    r"(?P<word>that|this|those|these)\b(?P<noun>\s+(?!is\b|are\b|was\b|does\b|can\b|over\b|instead\b|with\b|for\b"
    r"|in\b|to\b|at\b"
    r"|on\b|and\b|or\b|not\b|still\b|then\b|safe\b|enough\b|a\b|an\b|the\b|too\b|really\b|overkill\b|better\b"
    r"|worse\b|work"
    r"|happen|matter|fail|scale|cost|go\b|help|mean|hold|break)[\w-]+)?",
    re.I,
)
_PART_OF = re.compile(
    r"\b(?:one|two|three|both|all|some|none|any|each|either|most|many|part|line|rest|half|top|first|last|which)\s+of\s+"
    r"(?:it|them|those|these|that|this)\b",
    re.I,
)
#: Only what came before can be what these stand for, whatever else the question names.
_OUTWARD = re.compile(
    r"\b(?:do|does|did|handles?|solves?|prevents?|supports?|avoids?|fix(?:es)?|stops?|than|about|like|without)\s+"
    r"(?:it|that|this|those|these|them|the same)\b(?=\s*(?:$|[?.!,;]|too\b|as well\b|either\b|instead\b|better\b))"
    r"|\b(?:that|this|such a|the same) (?:one(?! (?:has|is|was|of))|case|way|situation|kind|approach)\b"
    r"|\bmeanwhile\b|\bthe (?:second|first|other) kind\b"
    r"|\bthe thing\b",
    re.I,
)
ORDINAL = re.compile(
    r"\bthe (?P<which>first|former|second|latter|other|last)(?: (?:one|option|choice|kind"
    r"|two))?(?:(?<=one|ion)(?!\s+(?:that|which|who|to|of|in)\b)|(?=\W*$|[?,.;:]"
    r"|\s+(?:a|an|the|is|are"
    r"|does|do|did|was|has|have|had|can|could|should|would|will|to|for|in|on|with|better|worse|too|really"
    r"|actually|more|less|scales?|fails?"
    r"|handles?|costs?|works?"
    r"|bad|good|cheaper|slower|faster|when|over|instead|than|needs?|takes?|keeps?|lose|loses|and|or|not|still|at"
    r"|instead)\b))",
    re.I,
)
_WHICH = re.compile(
    r"^which one \w+|^which(?: of (?:them|these|those|the two))?\s+(?:is|are|was|would|should|do|does|can|could"
    r"|will|has"
    r"|have|needs?|costs?"
    r"|scales?|wins?|loses?|fails?|takes?|gives?|handles?|keeps?)\b",
    re.I,
)
_PREFER = re.compile(
    r"\b(?:when|how|why) (?:do|would|should|can) (?:i|you|we|one) \w+ (?:which|both|either)\b|\bcombine both\b"
    r"|\bboth\W*$",
    re.I,
)
#: "They" who are nobody in particular: "they hand me one sentence".
_GENERIC = re.compile(r"they\s+(?:just\s+|always\s+)?(?:keep|say|want|ask|hand|told|tell|gave|give)\b", re.I)
_SUBJECT = re.compile(
    r"\b(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|isn't|doesn't|wasn't)\s+$", re.I
)
_BREAK = re.compile(
    r"[,;:.!?]+\s|\s[–-]\s|\s(?:and|but|so|that|who|which|if|when|while|because|since|before|after|until|how|why|what"
    r"|like i'?m)\s",
    re.I,
)
#: "How do I change the schema of its …": neither the one who asks nor the schema has one.
_OF_MINE = re.compile(r"^\W*\w+ (?:do|should|can|would|could|must) (?:i|we|you)\b[^,;:.]* of $", re.I)
_THING = re.compile(r"\b(?:my|our|an?|the|each|every)\s+\w+", re.I)
MOST_OF_A_PART = (
    6  # content words of a question that may still be half of one; follow-ups of the develop half have 1 to 8
)
_OWN_STORY_WORDS = 22
_EMPTY = frozenset({"happens", "happen", "happened", "matters", "changes", "goes"})  # "what happens when it …"
_ENOUGH = 3  # content words before a pronoun that can hold what it means
_NEEDS_MORE = re.compile(r"\b(?:instead|otherwise|else|either)\W*$|\bthe (?:old|new) one\b", re.I)
_FEW_WORDS = 7
_MEASURES = re.compile(
    r"^(?:(?:in|into|at|for|by|after|with|over|on|up to) )?(?:how (?:much|many|long|often|far|big"
    r"|large|small|fast|slow|soon"
    r"|late|early|expensive|hard)|(?:is|are|isn't|was|were) there|what (?:cost|price|point|rate|scale"
    r"|size|kind|sort)|which)\b"
    r"|^what(?:'s| is| are) the (?:usual|normal|typical|standard|best|right|simplest|safest|cheapest"
    r"|common|recommended|worst)"
    r" (?:way|approach|choice|option|answer|practice|solution|trick|method|size|value|number)s?\W*$",
    re.I,
)
_DEFINES = re.compile(
    r"^(?:what(?:'s| exactly is| exactly are| is| are)|define|explain|who (?:is|are)) (?:an? |the )?", re.I
)


def without_preamble(question: str) -> str:
    """The question without sentences before it that ask nothing: "Thanks. What is a saga?"."""
    found = _PREAMBLE.match(question)
    return question[found.end() :] if found and question[found.end() :].strip(" ?.!") else question


def opened(question: str) -> tuple[str, str]:
    """The words that tie a question to the last ("and", "ok, but"), lower case, and the rest."""
    found = _OPENER.match(question)
    if not found or not question[found.end() :].strip(" ?.!"):
        return "", question.strip()
    return found.group().strip(" ,.!:-").lower(), question[found.end() :].strip()


def about(rest: str) -> str | None:
    """What comes after "what about", else None."""
    found = _ABOUT.match(rest)
    return rest[found.end() :].strip() if found else None


def asks(text: str) -> bool:
    """Whether a text begins as a question or a request does."""
    return bool(_ASKS.match(text))


def conditional(text: str) -> bool:
    """Whether a text begins with a clause: "if the leader dies"."""
    return bool(_CONDITION.match(text))


def prepositional(text: str) -> bool:
    """Whether a text begins with a circumstance: "during a partition"."""
    return bool(_PREPOSITION.match(text))


def defines(text: str, named: Sequence[Named]) -> bool:
    """Whether a text asks what one of the names is, and nothing else."""
    found = _DEFINES.match(text)
    return bool(found and any(n.start <= found.end() + 1 and not content(text[n.end :]) for n in named))


def content(text: str) -> list[str]:
    """The words of a text that carry a subject."""
    return [w for w in query_content(text) if w not in INTENT_WORDS]


def compares_nothing(rest: str, named: Sequence[Named]) -> bool:
    """ "Which is cheaper?": a comparison whose sides were named before."""
    if len(named) > 1 or len(content(rest)) > MOST_OF_A_PART:
        return False
    found = _PREFER.search(rest)
    return bool(_WHICH.match(rest) or (found and not _own_clause(rest[: found.start()], False)))


def long(rest: str) -> bool:
    """Whether a question is so long that it tells its own story, whatever its pronouns."""
    return len(rest.split()) >= _OWN_STORY_WORDS


def pointer(rest: str, named: Sequence[Named], *, tied: bool = False) -> re.Match[str] | None:
    """The word that points outside the question, or None where there is none or its own words resolve it.

    Args:
        rest: the question without the words that tie it to the last.
        named: the names in it.
        tied: whether there were such words; "it" in "and when it fails" then points at less of the question itself.
    """
    for found in filter(None, (_PART_OF.search(rest), _OUTWARD.search(rest))):
        before = rest[: found.start()]
        if not _own_clause(before, tied) and (tied or found.re is _PART_OF or len(content(before)) <= _ENOUGH):
            return found
    if not tied and len(content(rest)) > MOST_OF_A_PART and len(rest.split()) > 15:
        return None
    for found in sorted((*_PRONOUN.finditer(rest), *_ONE.finditer(rest)), key=lambda m: m.start()):
        if not _meant(found, rest, named, tied):
            return found
    for found in _POINTING.finditer(rest):
        before = rest[: found.start("word")]
        noun = (found.group("noun") or "").strip()
        if noun and before.rstrip(" ,").lower().endswith(("so", "such", "now")):
            continue
        if noun and stem(noun.lower()) in {stem(w) for w in query_content(before)}:
            continue
        if not any(n.end <= len(before) for n in named) and len(content(before)) < _ENOUGH:
            return found
    return None


def _meant(found: re.Match[str], rest: str, named: Sequence[Named], tied: bool) -> bool:
    """Whether the question's own words are what a pronoun in it means, or it means nothing."""
    before, after = rest[: found.start()], rest[found.end() :]
    if any(e.start() <= found.start() < e.end() for e in _EXPLETIVE.finditer(rest)):
        return True
    if _GENERIC.match(rest[found.start() :]) and not tied:
        return True
    name = any(n.end <= len(before) for n in named)
    if _own_clause(before, tied):
        return True
    if found.group().lower() in ("its", "their", "theirs"):
        if _OF_MINE.search(before):
            return False
        return name or len(content(before)) >= 2 or bool(_THING.search(before))
    # No noun of its own clause can be meant: "why are tombstones a problem in it?", "how much memory does it take?"
    if not after.strip(" ?.!") or _SUBJECT.search(before):
        return bool(_BREAK.search(before)) and (name or bool(_THING.search(before)))
    return name or len(content(before)) >= _ENOUGH or bool(_BREAK.search(before) and _THING.search(before))


def _own_clause(before: str, tied: bool) -> bool:
    """Whether a clause with words of its own stands before: "if a retry storm hits my service, how do I stop it?"."""
    breaks = list(_BREAK.finditer(before))
    enough = _ENOUGH if tied or prepositional(before) else 1
    own = [word for word in content(before[: breaks[-1].start()]) if word not in _EMPTY] if breaks else []
    return len(own) >= enough


def subjectless(rest: str) -> bool:
    """Whether a short question asks how much, or whether there is such a thing, of nothing that it names."""
    found = _MEASURES.match(rest)
    return bool(found and len(rest.split()) <= _FEW_WORDS and len(content(rest[found.end() :])) <= 1)


def hangs(rest: str) -> bool:
    """Whether a question ends on a word that needs what was said: "and otherwise?"."""
    return bool(_NEEDS_MORE.search(rest))


def scrap(rest: str) -> bool:
    """Whether a text is a few words that name nothing and compare nothing: "memory footprint?", "how much?"."""
    return len(content(rest)) <= 2 and len(rest.split()) <= 3 and not re.search(r"\b(?:vs|versus|or)\b", rest, re.I)
