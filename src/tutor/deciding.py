"""Words that decide what a sentence or a question means, though they are small: negation, bounds, order, side, degree.

Two texts that differ in one of them may say the opposite while nearly all their words are the same. Answers that a
model wrote, its readings of follow-ups and its phrasings of drill questions are compared in them.
"""

from __future__ import annotations

import re

from tutor.retrieval.lexical import stem

#: Opposites: a claim with one of them, where the evidence has only the other, turns the evidence round.
OPPOSITES = tuple(
    tuple(side.split("/") for side in pair.split("|"))
    for pair in (
        "more|less/fewer",
        "most|least/fewest",
        "high/higher/highest|low/lower/lowest",
        "large/larger/big/bigger|small/smaller",
        "fast/faster|slow/slower",
        "shorten/shorter/short|lengthen/longer/long",
        "increase/raise/grow/rise|decrease/reduce/cut/shrink/fall/lower/drop",
        "add/gain|remove/lose",
        "before|after/behind",
        "above|below",
        "first|last",
        "early/earlier|late/later",
        "cheap/cheaper|expensive/costly",
        "easy/easier/easily/simple|hard/harder/difficult/complex",
        "strong/stronger|weak/weaker",
        "read|write",
        "leader|follower",
        "synchronous/sync|asynchronous/async",
        "horizontal/horizontally|vertical/vertically",
        "push|pull",
        "allow/permit/accept|forbid/prevent/refuse/reject/deny",
        "bounded|unbounded",
        "stateless|stateful",
        "mutable|immutable",
        "ordered|unordered",
        "same|different",
        "new|old",
        "present|past",
        "near|far",
        "internal|external",
        "many|few",
        "hit|miss",
        "succeed/success/recover|fail/failure",
        "optimistic|pessimistic",
        "forward|backward",
        "producer|consumer",
        "client|server",
        "hot|cold",
        "dense|sparse",
        "static|dynamic",
        "public|private",
        "local|global",
        "encrypted|unencrypted",
        "compile|run",
        "keep|stop",
        "hide|show",
        "open|close",
        "upper|lower",
        "minimum|maximum",
        "best|worst",
        "right|wrong",
        "double|halve",
        "cp|ap",
        "tcp|udp",
        "row|column",
        "batch|stream",
    )
)
#: Negation, quantity, bounds, order and choice. Each stands for itself, but for those that say the same.
SMALL = frozenset(
    "not no never none neither nor without hardly rarely seldom barely cannot except unless until "
    "both each every all any some either only just exactly about around approximately roughly nearly almost least most "
    "more less fewer over under above below beyond within up down from before after during since against versus "
    "instead rather than else otherwise too also always often sometimes usually again still same other another own "
    "once twice half zero one two three four five six seven eight nine ten first last".split()
)
_SAME = {
    "approximately": "about",
    "roughly": "about",
    "around": "about",
    "cannot": "not",
    "seldom": "rarely",
    "versus": "against",
    "also": "too",
    **{word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())},
}
_OPPOSED = frozenset(stem(word) for pair in OPPOSITES for side in pair for word in side)
_NT = re.compile(r"(?<=[a-z])n['’]t\b", re.I)
_TOKEN = re.compile(r"[^\W_]+")
_WITHIN_WORD = ("un", "non", "in", "im", "ir", "dis", "a")


def small(word: str) -> str:
    """A small word in one spelling; "" for a word that decides nothing by itself."""
    return _SAME.get(word, word) if word in SMALL or word in _SAME else ""


def tokens(text: str) -> list[str]:
    """Lower-case words in order, "n't" as "not"."""
    return _TOKEN.findall(_NT.sub(" not", text).lower().replace("cannot", "can not"))


def deciding(text: str) -> tuple[str, ...]:
    """The words of a text that decide its meaning, in order: small ones, and those that have an opposite (stems)."""
    found = []
    for word in tokens(text):
        if said := small(word):
            found.append(said)
        elif stem(word) in _OPPOSED:
            found.append(stem(word))
    return tuple(found)


def reversed_word(one: str, other: str) -> str:
    """A word of one text of which the other has the form with a prefix that negates it: "stable" and "unstable"."""
    mine, theirs = set(tokens(one)), set(tokens(other))
    for first, second in ((mine - theirs, theirs - mine), (theirs - mine, mine - theirs)):
        for word in sorted(first):
            if any(prefix + word in second for prefix in _WITHIN_WORD if len(word) > 3):
                return word
    return ""
