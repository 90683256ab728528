"""The learner's own log beside the curriculum: quoted, marked as theirs, never in the curriculum's place.

Entries are not in the index: they are few, change at any moment and must not move the ranking of a passage. They are
chosen by words: the question's rare ones, in any form that the corpus knows of them, have to stand in the entry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from time import perf_counter
from typing import Protocol

from tutor.answering import abstain
from tutor.answering.answer import Answer, Answerer, Grounds, renumbered
from tutor.answering.cite import Further, Own
from tutor.answering.compose import Composed
from tutor.retrieval.lexical import INTENT_WORDS, query_content, stem, terms
from tutor.retrieval.search import Filters, Searcher, checked_question
from tutor.telemetry import operation
from tutor.text import blocks, sentences

OWN = "own"  # the intent of a question about the log
_BESIDE, _ALONE = 2, 5  # entries quoted beside an answer, and where they are the answer
_ENTRY, _SENTENCE = 0.75, 0.5  # shares of the question's weight in an entry and in the sentence quoted beside an answer
_ASKED = 0.5  # the same of an entry where the log is asked
_LATELY = 60  # entries among which those of a week or month are looked for, where no subject is named
_ROUGHLY = 15  # entries that are looked at closely
_MOST_WORDS = 60
_MIN_WORDS = 4
_PAST = r"decided|chose|wrote|picked|logged|noted|rejected|concluded|preferred|settled on"
_ASKS = re.compile(
    r"\b(?:did|have) (?:i|we) (?:ever |already |last |once )?(?:decided?|written|write|logg?(?:ed)?|noted?|rejected?"
    r"|concluded?|settled? on)\b"
    r"|\bdid (?:i|we) (?:ever |already |last |once )?(?:choose|pick|prefer)\b"
    rf"|\b(?:what|which|when|why|where) i (?:{_PAST})\b"
    r"|\bmy (?:own )?(?:decision[- ]log|log entr(?:y|ies)|(?:decisions|entr(?:y|ies)) (?:on|about|of))\b"
    r"|\b(?:in|from|search|does|did) my (?:own )?log\b",
    re.I,
)
#: Words of a question about the log that are not what it is about.
_MANNER = re.compile(
    r"\b(?:about|regarding|concerning|entry|entries|say|says|tell|anything|something|ever|already|yet|find|show|list|all"
    r"|today|yesterday|last|this|week|month|year|time)\b",
    re.I,
)


_PERIOD = re.compile(r"\b(today|yesterday|(?:this|last) (?:week|month|year))\b", re.I)


class OwnEntry(Protocol):
    """An entry of the log."""

    @property
    def id(self) -> str: ...
    @property
    def day(self) -> date: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def cards(self) -> tuple[str, ...]: ...


class OwnLog(Protocol):
    """The learner's entries, newest first."""

    @property
    def today(self) -> date:
        """The learner's day now."""
        ...

    def near(self, parts: Mapping[str, float], *, limit: int) -> Sequence[OwnEntry]:
        """Those with most of the ``parts`` (beginnings of words, with their weights) in them."""
        ...

    def newest(self, *, limit: int) -> Sequence[OwnEntry]: ...

    def titles(self, cards: Sequence[str]) -> Sequence[str]:
        """The titles of cards by their ids."""
        ...


def asks_own(question: str) -> bool:
    """Whether a question is about what the learner wrote: "What did I decide on RESP?"."""
    return _ASKS.search(question) is not None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A word of the question: its weight, and the sets of terms that each say it."""

    weight: float
    forms: tuple[frozenset[str], ...]


class Recalling(Answerer):
    """Answers as ``Answerer`` does, with what the learner wrote behind it; alone where the question asks for that
    and there is a log."""

    def __init__(
        self, searcher: Searcher, log: OwnLog, beside: Callable[[Answer], tuple[Further, ...]] | None = None
    ) -> None:
        super().__init__(searcher, beside)
        self.log = log

    def grounds(self, question: str, *, filters: Filters | None = None) -> Grounds:
        """Answer one question; entries are left out where ``filters`` narrow it to passages.

        Raises:
            As ``Answerer.ask``.
        """
        if not filters and asks_own(question) and self.log.newest(limit=1):
            return Grounds(self._recalled(checked_question(question)), ())
        found = super().grounds(question, filters=filters)
        if filters or found.answer.refusal:
            return found
        return replace(found, answer=self._with_own(found.answer))

    def _with_own(self, answer: Answer) -> Answer:
        began = perf_counter()
        wanted = self._wanted(answer.question)
        near = self._near(wanted)
        if not near:
            return answer
        found = self._quotes(wanted, near, entry=_ENTRY, sentence=_SENTENCE)[:_BESIDE]
        ms = (perf_counter() - began) * 1_000
        own = _numbered(found, len(answer.citations))
        answer = replace(answer, own=own, ms=answer.ms + ms, stages={**answer.stages, "log": ms})
        return renumbered(answer)

    def _recalled(self, question: str) -> Answer:
        """The answer to a question about the log: entries alone, or that there is none."""
        with operation("ask") as running:
            wanted = self._wanted(_MANNER.sub(" ", _ASKS.sub(" ", question)))
            first, last = period(question, self.log.today)
            if wanted:
                found = self._quotes(wanted, self._near(wanted), entry=_ASKED, sentence=0.0)
            else:
                newest = self.log.newest(limit=_LATELY)
                found = [(entry, *span) for entry in newest if (span := _opening(entry.text))]
            found = [one for one in found if first <= one[0].day <= last]
            own = _numbered(found[:_ALONE], 0)
            running.note(intent=OWN, abstained=not own)
            running.tell(question=question)
        refusal = "" if own else "Your decision log has no entry on this; the curriculum was not asked."
        return Answer(
            question=question,
            intent=OWN,
            text=refusal,
            composed=Composed((), (), ()),
            citations=(),
            abstained=not own,
            confidence=1.0 if own else 0.0,
            signals=abstain.NOTHING,
            nearest=(),
            corrected=(),
            meant=(),
            uncovered=(),
            refusal=refusal,
            ms=running.ms,
            stages=running.stages,
            own=own,
        )

    def _wanted(self, question: str) -> list[_Wanted]:
        expander = self.searcher.expander
        expansion = expander.expand(question, is_word=self.searcher.encoder.is_word)
        mended = dict(expansion.corrected)
        passages = max(2, self.searcher.reader.manifest.passages)
        asked = query_content(question)
        found = []
        for word in dict.fromkeys([w for w in asked if w not in INTENT_WORDS]):
            forms = [word]  # as it was written too: the learner may use words that the curriculum does not
            forms += [mended[word]] if word in mended else []
            forms += [form for span, form in expansion.same if span == word]
            frequency = expander.frequency(word)
            weight = math.log((passages + 1) / (frequency + 0.5)) / math.log(passages * 2 + 2)
            sets = tuple(dict.fromkeys(key for form in forms if (key := frozenset(terms(form)))))
            if sets:
                found.append(_Wanted(max(weight, 0.05), sets))
        return found

    def _near(self, wanted: Sequence[_Wanted]) -> Sequence[OwnEntry]:
        parts: dict[str, float] = {}
        for one in wanted:
            for term in frozenset().union(*one.forms):
                parts[_beginning(term)] = max(parts.get(_beginning(term), 0.0), one.weight)
        return self.log.near(parts, limit=_ROUGHLY) if parts else ()

    def _quotes(
        self, wanted: Sequence[_Wanted], entries: Iterable[OwnEntry], *, entry: float, sentence: float
    ) -> list[tuple[OwnEntry, int, int]]:
        """Entries that hold enough of what is wanted, best first, each with the span of its best sentence."""
        ranked = []
        for place, one in enumerate(entries):
            around = {*terms(f"{one.title} {' '.join(one.tags)}")}
            around |= {t for title in self.log.titles(one.cards) for t in terms(title)}
            held = _share(wanted, around | {*terms(one.text)})
            if held < entry:
                continue
            spans = [(a, b, _share(wanted, {*terms(one.text[a:b])})) for a, b in _spans(one.text)]
            best = max(spans, key=lambda s: s[2], default=None)
            if best is not None and best[2] >= sentence:
                ranked.append((-held, -best[2], place, one, best[0], best[1]))
        ranked.sort(key=lambda r: r[:3])
        return [(one, start, end) for *_, one, start, end in ranked]


def period(question: str, today: date) -> tuple[date, date]:
    """The first and last day that a question speaks of, as in "last week"; all days where it names none."""
    match = _PERIOD.search(question)
    named = match.group(1).lower() if match else ""
    if not named:
        return date.min, date.max
    if named in ("today", "yesterday"):
        day = today - timedelta(days=named == "yesterday")
        return day, day
    which, unit = named.split()
    if unit == "week":
        first = today - timedelta(days=today.weekday() + 7 * (which == "last"))
        return first, first + timedelta(days=6)
    first = today.replace(day=1) if unit == "month" else today.replace(month=1, day=1)
    if which == "this":
        return first, today
    before = first - timedelta(days=1)
    return (before.replace(day=1) if unit == "month" else before.replace(month=1, day=1)), before


def _share(wanted: Sequence[_Wanted], there: set[str]) -> float:
    total = sum(one.weight for one in wanted) or 1.0
    return sum(one.weight for one in wanted if any(form <= there for form in one.forms)) / total


def _beginning(term: str) -> str:
    """What all words of a stem begin with: "polici" is "policy" too, "hope" "hoping"."""
    return term[:-1] if len(term) > 3 and term[-1] in "ie" else stem(term)


def _spans(text: str) -> list[tuple[int, int]]:
    found = []
    for block in blocks(text):
        if block.kind in ("code", "table") or text.startswith("#", block.start):
            continue
        for start, end in sentences(text, block.start, block.end):
            while start < end and text[start] in "-*+> \t":
                start += 1
            count = len(text[start:end].split())
            if count >= _MIN_WORDS:
                found.append((start, end if count <= _MOST_WORDS else _cut(text, start, end)))
    return found


def _opening(text: str) -> tuple[int, int] | None:
    return next(iter(_spans(text)), (0, _cut(text, 0, len(text))) if text else None)


def _cut(text: str, start: int, end: int) -> int:
    """The end of the first 60 words of a span."""
    words = list(re.finditer(r"\S+", text[start:end]))[:_MOST_WORDS]
    return start + words[-1].end() if words else end


def _numbered(found: Sequence[tuple[OwnEntry, int, int]], after: int) -> tuple[Own, ...]:
    return tuple(
        Own(n, one.id, one.day, one.title, start, end, one.text[start:end], one.cards)
        for n, (one, start, end) in enumerate(found, after + 1)
    )
