"""A follow-up as a question that stands alone; a question that already does is returned as it is, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tutor.answering import ellipsis, followup
from tutor.answering.conversation import Conversation, Turn, joined
from tutor.answering.naming import Named, Names, with_article
from tutor.answering.screen import says_nothing

_MAX_BASE_CHARS = 240  # of an earlier question that a circumstance is put behind
_MAX_SUBJECT_WORDS = 16
_SIDES_BACK = 3  # turns that "the second one" may look back

_LEAD = re.compile(
    r"^\W*(?:(?:explain|describe|define|compare|tell me(?: more)? about|walk me through|give me"
    r"|show me)\s+(?:how |why |what )?"
    r"|(?:so |and )?(?:what|which|who|how|why|when|where)(?:'s|'re)?(?:\s+(?:much|many|long|fast|large|often"
    r"|exactly|soon))?\b\s*)?"
    r"(?:(?:is|are|was|were|do|does|did|can|could|would|will|should|shall|may|must|has|have|happened to"
    r"|happens (?:if|when|to))\b\s*)?"
    r"(?:n't\s+|not\s+)?(?:(?:i|we|you|one|people)\s+)?(?:not\s+|never\s+)?(?:to\s+)?(?:(?:use|choose|pick"
    r"|prefer)\s+)?",
    re.I,
)
_NOUN_FIRST = re.compile(
    r"^\W*(?:what(?:'s| is| are)|who (?:is|are)|define|explain|tell me about|(?:why|when to|when not to) use)\s", re.I
)
_VERBS = re.compile(r"\b(?:good|bad|work|works|mean|means|do|does|cost|costs|used|for|expensive|at|like)\b.*$", re.I)
#: What can be asked of two things only.
_TOGETHER = re.compile(
    r"\b(?:they|them|these|those|the two)\b.*\b(?:differ(?:ent|s)?|compare|relate|combine|together"
    r"|similar|each other)\b",
    re.I,
)
_DOES = re.compile(r"\b(?:i|we|you|to|one|not)\s+$", re.I)
_HOW_IT = re.compile(r"^\W*how (?:do|does|did|is|are|can|could|would|will|should)\b", re.I)
_CIRCUMSTANCE = "a circumstance of what was asked before"
_PRONOUNS = "it its itself they them their theirs themselves that this those these one".split()


@dataclass(frozen=True, slots=True)
class Rewritten:
    """``text`` is what to search and answer; ``carried`` the names that came from the conversation.

    ``shifted``: the question turned to something else. ``why``: the rule that decided, for people. ``by``: "rules", or
    the model whose reading it is. ``subject`` is what was asked about before and still is, "" where the text says it;
    ``aside`` the circumstance that the text asks it under: "on failover".
    """

    text: str
    carried: tuple[str, ...] = ()
    shifted: bool = False
    why: str = ""
    by: str = "rules"
    subject: str = ""
    aside: str = ""

    def changed(self, question: str) -> bool:
        """Whether the text is another than was asked."""
        return self.text != question


def standalone(question: str, conversation: Conversation, names: Names) -> Rewritten:
    """What a question means after a conversation, by rules alone.

    A question that names its own subject is returned unchanged. Nothing is carried over but what the learner asked
    before, and never from further back than three turns.
    """
    last = conversation.last
    if last is None or not question.strip():
        return Rewritten(question, why="nothing was asked before")
    if says_nothing(question):
        return Rewritten(question, why="it asks nothing")
    found = _corrected(question, last, names) or _leaning(question, conversation, last, names)
    if found is None:
        own = {n.key for n in names(question)}
        before = {n.key for n in names(last.standalone)}
        return Rewritten(question, shifted=not own & before, why="it stands alone")
    text = f"{found.text[0].upper()}{found.text[1:]}" if question[:1].isupper() else found.text
    asked = {n.key for n in names(question)}
    carried = tuple(dict.fromkeys(n.text for n in names(text) if n.key not in asked))
    return replace(found, text=text, carried=carried)


def turn(question: str, read: Rewritten, names: Names, *, said: str = "", doc_ids: Sequence[str] = ()) -> Turn:
    """The turn to remember of a question, as it was read and answered."""
    text = followup.without_preamble(read.text)
    found = tuple(dict.fromkeys(n.text for n in names(text)))
    return Turn(question, text, read.subject or subject_of(text), said, found, tuple(doc_ids), read.aside)


def subject_of(question: str) -> str:
    """What a question is about, without how it asks: "How does Raft commit?" is about "Raft commit"."""
    head, colon, _ = question.partition(": ")
    if colon and len(head.split()) <= _MAX_SUBJECT_WORDS:
        return head
    text = question.strip().rstrip(" ?.!")
    left = text[_LEAD.match(text).end() :].strip() if _LEAD.match(text) else text  # type: ignore[union-attr]
    return " ".join((left if followup.content(left) else text).split()[:_MAX_SUBJECT_WORDS])


def _corrected(question: str, last: Turn, names: Names) -> Rewritten | None:
    found = followup.CORRECTION.match(question)
    if not found:
        return None
    new = (found.group("new") or found.group("new2") or "").strip()
    if ellipsis.kind_of(question)[1] or ellipsis.kind_of(new)[1]:
        return None
    old = (found.group("old") or found.group("old2") or "").strip()
    if not new or followup.asks(new) or len(new.split()) > 4:
        return None
    if old:
        text = ellipsis.replaced(last.standalone, old, new)
    else:
        text = _swapped(last.standalone, new, names, whatever=True) or _renamed(last, new)
    return Rewritten(text or f"{new}: {last.subject}", why="a correction of what was named")


def _renamed(last: Turn, new: str) -> str | None:
    """The earlier question with its whole subject exchanged, where that is one thing that it asks the meaning of."""
    if not _NOUN_FIRST.match(last.standalone) or _VERBS.search(last.subject):
        return None
    text = ellipsis.replaced(last.standalone, last.subject, new)
    return text and (text if new.endswith("s") else re.sub(r"^(\W*what) are\b", r"\1 is", text, flags=re.I))


def _leaning(question: str, conversation: Conversation, last: Turn, names: Names) -> Rewritten | None:
    """The question with what it leans on, and the rule; None where it leans on nothing."""
    opener, rest = followup.opened(followup.without_preamble(question))
    told = followup.about(rest)
    rest = told or rest
    if followup.long(rest):
        return None
    named = names(rest)
    if bare := _bare(rest, conversation, last, names):
        return bare
    if new := ellipsis.same_of(rest, named):
        return _fragment(new, last, names(new), names)
    if ordinal := _ordinal(rest, conversation, names, fragment=bool(told) or not followup.asks(rest)):
        return ordinal
    fragment = not followup.asks(rest) and not _has_main_clause(rest)
    aside = followup.prepositional(rest) or followup.conditional(rest)
    if (told or opener) and fragment and not aside:
        return _fragment(rest, last, named, names)
    if found := followup.pointer(rest, named, tied=bool(opener)):
        if _TOGETHER.search(rest) and not named and len(names(last.subject)) < 2:
            return _compared(rest, conversation, names)
        return _resolved(rest, found, last, names)
    if followup.compares_nothing(rest, named):
        return _compared(rest, conversation, names)
    few = len(followup.content(rest)) <= followup.MOST_OF_A_PART
    if fragment and aside and (opener or few):
        return _with_circumstance(rest, last)
    known = {n.key for n in names(last.standalone)}
    own = [n for n in named if n.key not in known]
    if opener and not followup.defines(rest, named) and not any(n.product or n.acronym for n in own):
        return _in_context(rest, last, f'"{opener}" goes on with what was asked before')
    if few and not any(n.product or n.acronym for n in named) and rest.lower().startswith("what if "):
        return _in_context(rest, last, _CIRCUMSTANCE)
    if not named and followup.subjectless(rest):
        return _in_context(rest, last, "it names no subject")
    if not named and ((fragment and followup.scrap(rest)) or (few and followup.hangs(rest))):
        return _in_context(rest, last, "it names no subject")
    return None


def _compared(rest: str, conversation: Conversation, names: Names) -> Rewritten:
    """ "Which is cheaper?" of the sides last named: in one question, or in two ("How does Raft work?", "And "
    "Paxos?")."""
    last, why = conversation.turns[-1], "its sides were named before"
    if len(conversation.turns) > 1 and len(here := names(last.subject)) == 1:
        before = [n for n in names(conversation.turns[-2].subject) if n.key != here[0].key]
        if len(before) == 1 and before[0].text not in last.standalone:
            return Rewritten(f"{before[0].text} or {here[0].text}: {rest}", why=why)
    elif len(conversation.turns) > 1 and not here:
        two = conversation.turns[-2:]
        if all(_NOUN_FIRST.match(t.standalone) and len(t.subject.split()) <= 3 for t in two):
            return Rewritten(f"{two[0].subject} or {two[1].subject}: {rest}", why=why)
    return _in_context(rest, last, why)


def _has_main_clause(rest: str) -> bool:
    """Whether a question follows a clause: "if it dies, who takes over?"."""
    return any(followup.asks(part.strip()) for part in re.split(r"[,;:.!?]\s+|\s[–-]\s", rest)[1:])


def _bare(rest: str, conversation: Conversation, last: Turn, names: Names) -> Rewritten | None:
    kind, found = ellipsis.kind_of(rest)
    if found is None:
        return None
    if kind in ("difference", "verdict"):
        return _compared(rest, conversation, names)
    if kind == "under":
        return _in_context(rest, last, "it names no subject")
    if kind == "manner":
        return _with_circumstance(found.group("manner") or rest, last)
    noun = _noun(last, names)
    plain = noun or (_VERBS.sub("", last.subject).strip() if _HOW_IT.match(last.standalone) else "") or last.subject
    subject = f"{plain}, {last.aside}" if last.aside else plain
    base = last.standalone.strip().rstrip(" ?.!")
    aspect = found.group(1).lower() if kind == "aspect" else ""
    text = {
        "why-not": f"Why not {subject}?",
        "why": ellipsis.asked_with("Why", base, subject),
        "how": ellipsis.asked_with("How", base, subject),
        "example": f"What is an example of {subject}?",
        "more": f"Explain {subject} in detail",
        "opposite": ellipsis.negated(base, subject, rest),
        "round": ellipsis.turned(base) or f"{subject}: the other way round?",
        "use": f"{rest.strip().rstrip(' ?.!')} {subject}?",
        "aspect": f"What are the {aspect} {'to' if aspect.endswith('alternatives') else 'of'} {subject}?",
    }[kind]
    asks_again = kind in ("why", "how", "opposite", "round") and bool(last.aside) and last.aside in text
    return Rewritten(
        text, why="it asks on about what was asked before", subject=plain, aside=last.aside if asks_again else ""
    )


#: What a comparison is for, behind its last side: "Kafka or RabbitMQ for jobs".
_TAIL = re.compile(r"(?<=\w)\s+(?:for|in|on|at|as|when|if|under|during)\b.*$", re.I)


def _sides(conversation: Conversation) -> tuple[tuple[str, str], Turn] | None:
    """The two things that were last set against each other, in order."""
    for turn in reversed(conversation.turns[-_SIDES_BACK:]):
        for text in (turn.standalone, turn.subject):
            parts = re.split(r"\s+(?:or|vs\.?|versus|over|and)\s+", text.rstrip(" ?.!"))
            sides = ellipsis.compared_in(text if text.endswith("?") else f"{text}?")
            if len(sides) == 2:
                return (_TAIL.sub("", sides[0]), _TAIL.sub("", sides[1])), turn
            if len(parts) == 2 and all(len(p.split()) <= 3 for p in parts):
                return (parts[0], parts[1]), turn
    return None


def _ordinal(rest: str, conversation: Conversation, names: Names, *, fragment: bool) -> Rewritten | None:
    found = followup.ORDINAL.search(rest)
    pair = _sides(conversation)
    if not found or not pair:
        return None
    (first, second), _ = pair
    which = found.group("which").lower()
    last = conversation.last
    assert last is not None
    if which == "other":
        if re.search(r"\b(?:each|one)\b", rest[: found.start()], re.I):
            return None  # "each waiting for the other"
        # The other than the one that was last spoken of alone.
        spoken = {n.key for n in names(last.standalone)}
        keys = [{n.key for n in names(side)} or {side.lower()} for side in (first, second)]
        chosen, before = (first, second) if spoken & keys[1] and not spoken & keys[0] else (second, first)
        why = f'"the other" is {chosen}'
        if fragment and not followup.content(rest[: found.start()] + rest[found.end() :]):
            return Rewritten(_of_the_other(last, before, chosen), why=why)
    else:
        chosen, before = (first, second) if which in ("first", "former") else (second, first)
        why = f'"the {which}" is {chosen}'
        if fragment and not followup.content(rest[: found.start()] + rest[found.end() :]):
            return Rewritten(_of_the_other(last, before, chosen), why=why)
    return Rewritten(f"{rest[: found.start()]}{chosen}{rest[found.end() :]}", why=why)


def _of_the_other(last: Turn, before: str, chosen: str) -> str:
    """What was asked of one side, asked of the other; when to use it, where that was asked of both."""
    alone = before in last.standalone and chosen not in last.standalone
    return (alone and ellipsis.replaced(last.standalone, before, chosen)) or f"When to use {chosen}?"


def _fragment(rest: str, last: Turn, named: tuple[Named, ...], names: Names) -> Rewritten:
    """ "And Postgres?", "what about failover?"."""
    text = rest.rstrip(" ?.!")
    if found := followup.pointer(rest, ()):
        return _resolved(rest, found, last, names)
    name = len(text.split()) <= 5 and (named or "-" in text or text[:1].isupper())
    if name and (swapped := _swapped(last.standalone, text, names)):
        return Rewritten(swapped, why="the earlier question, asked of another subject")
    if re.match(r"an? ", text, re.I) and len(text.split()) <= 4 and (renamed := _renamed(last, text)):
        return Rewritten(renamed, why="the earlier question, asked of another subject")
    return _in_context(rest, last, "it names no question of its own")


def _swapped(base: str, new: str, names: Names, *, whatever: bool = False) -> str | None:
    """The earlier question asked of ``new`` instead of the name in it that is most like it; None where none is.

    With ``whatever``, one that is not like it will do: the learner said that they had meant another thing.
    """
    plain = re.sub(r"^(?:an?|the)\s+", "", new, flags=re.I)
    inside = names(plain)
    everything = names(base)
    here = [n for n in everything if n.key not in {m.key for m in inside}]
    if not here or len(here) < len(everything):
        return None
    kind = inside[0] if inside else Named(plain, 0, len(plain), plain.lower())
    words = set(re.findall(r"\w+", plain.lower()))

    def likeness(name: Named) -> tuple[bool, bool, bool, int]:
        shared = bool(words & (set(re.findall(r"\w+", name.text.lower())) - {"the", "of"}))
        alike = name.acronym or kind.acronym or (name.product or name.coined) == (kind.product or kind.coined)
        return shared, name.product == kind.product, alike, -name.start

    best = max(here, key=lambda n: (likeness(n)[0], likeness(n)[2], likeness(n)[1], likeness(n)[3]))
    shared, same, alike, _ = likeness(best)
    if not (shared or alike or same or whatever):
        return None
    if best.text.islower() and _DOES.search(base[: best.start]):
        return None  # "How do I cache?" and "TTLs"
    article = re.search(r"\b(?:an?|the)\s+$", base[: best.start], re.I)
    start = article.start() if article and plain != new else best.start
    return f"{base[:start]}{new if article and plain != new else plain}{base[best.end :]}"


def _noun(last: Turn, names: Names) -> str | None:
    """The one thing that the earlier question was about, as a phrase that can stand for "it"."""
    subject, named = last.subject, names(last.subject)
    if ": " in last.standalone:
        return None
    if _NOUN_FIRST.match(last.standalone) and len(subject.split()) <= 8 and not _VERBS.search(subject):
        return subject
    keys = {part for n in named for part in followup.content(n.text)}
    if len(named) == 1 and set(followup.content(_VERBS.sub("", subject))) <= keys:
        return with_article(subject, named[0])
    return None


def _resolved(rest: str, found: re.Match[str], last: Turn, names: Names) -> Rewritten:
    """The question with its pointer replaced where what it stands for is one noun, else under what was asked before."""
    why = f'"{found.group().split()[-1]}" points at what was asked before'
    word = found.groupdict().get("word") or found.group().split()[-1]
    at = found.start("word") if "word" in found.groupdict() else found.end() - len(word)
    if found.groupdict().get("noun") or word.lower() not in _PRONOUNS:
        return _in_context(rest, last, why)
    noun = _noun(last, names)
    if noun is None and word.lower() in ("they", "them", "their", "both"):
        sides = ellipsis.compared_in(last.standalone)
        noun = joined(sides) if sides and len(followup.content(last.subject)) <= 4 else None
    if noun is None:
        return _in_context(rest, last, why)
    if word.lower() in ("its", "their", "theirs"):
        noun = f"{noun}'" if noun.endswith("s") else f"{noun}'s"
    return Rewritten(f"{rest[:at]}{noun}{rest[at + len(word) :]}", why=why)


def _in_context(rest: str, last: Turn, why: str) -> Rewritten:
    """The question under what was asked before; the circumstance of that goes along once, and not with what follows."""
    head = f"{last.subject}, {last.aside}" if last.aside else last.subject
    return Rewritten(f"{head}: {rest}", why=why, subject=last.subject)


def _with_circumstance(rest: str, last: Turn) -> Rewritten:
    """The earlier question, asked under a circumstance; it takes the place of an earlier one."""
    base = last.standalone.strip().rstrip(" ?.!")
    base = base.removesuffix(f", {last.aside}") if last.aside else base
    if len(base) > _MAX_BASE_CHARS:
        return _in_context(rest, last, _CIRCUMSTANCE)
    aside = rest.rstrip(" ?.!")
    return Rewritten(f"{base}, {aside}?", why=_CIRCUMSTANCE, subject=last.subject, aside=aside)
