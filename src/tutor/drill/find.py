"""From what a learner types to what is drilled: the card it names, and the probe it is nearest to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tutor.curriculum.card import Card, Probe
from tutor.curriculum.corpus import Corpus
from tutor.drill.names import (
    WHOLE,
    Match,
    Names,
    has_words,
    is_alternative,
    is_common,
    key,
    names_alternative,
    questions,
)
from tutor.drill.request import Request, parse_request, plain
from tutor.errors import NotFound, UsageError
from tutor.retrieval.encoder import Encoder

__all__ = ["Request", "choose", "find_card", "find_probe", "parse_request"]

#: Cosine from which a text asks what a probe asks. Chosen on 40 paraphrases of probes and 50 questions that the same
#: cards do not ask: 35 find theirs, 1 another, 47 find none. On as many others: 37, 0 and 48 (packaged encoder).
THRESHOLD = 0.53
#: What a probe gains when the text names its alternative.
_NAMED = 0.1
_WEIGHED = ("why-not", "compare")
#: A subject of so many words that has no such name is rather a question than a name with something around it.
_SENTENCE_WORDS = 4
#: How many probes are compared with a text that names none: each costs one or two passes of the encoder.
_POOL = 40

Pair = tuple[Card, Probe]


def find_card(corpus: Corpus, text: str) -> Card:
    """The card with this id, title, alias, acronym or item, in spite of case, plural and small typos.

    Raises:
        UsageError: ``text`` is empty.
        NotFound: no card is called that; ``fix`` has the ids of the three nearest.
    """
    names, asked = _names(corpus), _asked(text)
    if match := names.find(asked):
        return corpus.cards[match.card_id]
    raise _unknown(names, asked)


def find_probe(card: Card, text: str, encoder: Encoder) -> Probe | None:
    """The card's probe with this id or question, or the nearest by meaning; None where none is near."""
    asked = plain(text)
    if found := _literal(asked, [card]):
        return found[1]
    near = _near(asked, [(card, p) for p in card.probes], encoder)
    return near[1] if near else None


def choose(corpus: Corpus, text: str, encoder: Encoder) -> Pair:
    """The card and probe that ``text`` asks for: a question, "why not X for Y", "X or Y", or the name of a topic.

    Raises:
        UsageError: ``text`` is empty.
        NotFound: it names nothing that has probes; ``fix`` has the ids of the three nearest cards.
    """
    asked, request = _asked(text), parse_request(text)
    if found := _literal(asked, corpus.cards.values()):
        return found
    names = _names(corpus)
    chooser = _Chooser(corpus.cards, names, encoder, names.mend(asked))
    if request.alternative:
        found = chooser.weighed(request)
    elif request.why_not:
        found = chooser.why_not(request)
    else:
        found = chooser.topic(request.subject)
    if found:
        return found
    raise _unknown(names, request.subject)


_KNOWN: list[tuple[dict[str, Card], tuple[str, ...], Names]] = []


def _names(corpus: Corpus) -> Names:
    """The names of a corpus; those of the last one are kept, since making them takes as long as finding one."""
    ids = tuple(corpus.cards)
    if not _KNOWN or _KNOWN[0][0] is not corpus.cards or _KNOWN[0][1] != ids:
        _KNOWN[:] = [(corpus.cards, ids, Names(corpus.cards))]
    return _KNOWN[0][2]


def _asked(text: str) -> str:
    asked = plain(text)
    if not parse_request(asked).subject:
        raise UsageError("nothing was asked", fix='Name a topic ("kafka") or a question ("why not kafka?").')
    return asked


def _unknown(names: Names, text: str) -> NotFound:
    near = names.nearest(text)
    none = "No card has a name like it: try another word for it, or let tutor choose."
    fix = f"Did you mean: {', '.join(near)}?" if near else none
    return NotFound("no topic has this name", about=text, fix=fix, near=near)


def _literal(asked: str, cards: Iterable[Card]) -> Pair | None:
    """The probe whose id ("card/probe", or "probe" where there is one card) or question this is, letter by letter."""
    cards, wanted, letters = list(cards), asked.lower(), key(asked)
    for card in cards:
        for probe in card.probes:
            ids = {f"{card.id}/{probe.id}"} | ({probe.id} if len(cards) == 1 else set())
            if wanted in ids or (letters and letters == key(probe.ask)):
                return card, probe
    return None


def _forms(card: Card, probe: Probe) -> list[str]:
    if probe.alternative and probe.kind in _WEIGHED:
        return [probe.ask, f"Why not {card.title}? instead {probe.alternative.name}"]
    return [probe.ask]


def _ranked(text: str, pairs: Sequence[Pair], encoder: Encoder) -> list[tuple[float, Pair]]:
    """The probes, the nearest first, each with its cosine (of its nearest form) and what a named alternative adds."""
    forms = [_forms(*pair) for pair in pairs]
    query, *others = (e.dense for e in encoder.encode([text, *(f for fs in forms for f in fs)]))
    vectors, ranked = iter(others), []
    for pair, own in zip(pairs, forms, strict=True):
        cosine = max(float(query @ next(vectors)) for _ in own)
        ranked.append((cosine + _NAMED * names_alternative(pair[1], text), pair))
    return sorted(ranked, key=lambda scored: -scored[0])


def _near(text: str, pairs: Sequence[Pair], encoder: Encoder) -> Pair | None:
    """The nearest of the probes, where it is near enough to be the same question."""
    score, pair = _ranked(text, pairs, encoder)[0] if pairs and key(text) else (0.0, None)
    return pair if score >= THRESHOLD else None


@dataclass(frozen=True, slots=True)
class _Chooser:
    cards: dict[str, Card]
    names: Names
    encoder: Encoder
    asked: str

    def topic(self, subject: str) -> Pair | None:
        """A topic's first why-not probe; the nearest probe where the text says more than a name."""
        if match := self.names.exact(subject):
            return self._first(match)
        if found := self._other_option(subject, exact=True) or (self._anywhere() if _is_sentence(subject) else None):
            return found
        mentioned = [self.cards[m.card_id] for m in self.names.inside(subject)]
        near = self._near([(c, p) for c in mentioned for p in c.probes])
        return near or self._first(self.names.find(subject)) or self._anywhere()

    def why_not(self, request: Request) -> Pair | None:
        """A why-not probe of the subject, or one in which it is the other option; the reverse only for want of it."""
        found = self._why_not(request)
        if found is None or not self._reversed(found, request.subject):
            return found
        card, form = found[0], key(self.names.mend(request.subject))
        own = [(card, p) for p in card.probes]
        match = self.names.exact(request.subject)
        part = match is None or match.rank != WHOLE
        steps = (
            [  # not where both options are of its kind, as one agent or several
                pair
                for pair in self._weighed()
                if is_alternative(pair[1], form)
                and questions(*pair) == "alternative"
                and not has_words(pair[0].title, form)
            ],
            [pair for pair in own if pair[1].kind in _WEIGHED and questions(*pair) and self._fits(pair, form)],
            [pair for pair in own if has_words(pair[1].ask, form) and self._fits(pair, form)] if part else [],
        )
        better = next((step for step in steps if step), None)
        return self._nearest(better) if better else found

    def _reversed(self, pair: Pair, questioned: str, taken: str = "") -> bool:
        """Whether a probe takes the side that is questioned, or questions the one that is taken."""
        wrong = _turned(questions(*pair))
        return bool(wrong) and wrong in (self._side(pair, questioned), _turned(self._side(pair, taken)))

    def _side(self, pair: Pair, name: str) -> str:
        """Which side of a probe has this name: "alternative", "card" or neither."""
        if not (form := key(self.names.mend(name))):
            return ""
        if _is_other(pair[1], form):
            return "alternative"
        match = self.names.find(name)
        if match is None or match.card_id != pair[0].id:
            return ""
        # A part of a card that the question names may be on either side of it.
        return "card" if match.rank == WHOLE or not has_words(pair[1].ask, form) else ""

    def _fits(self, pair: Pair, form: str) -> bool:
        return not self._reversed(pair, form)

    def _why_not(self, request: Request) -> Pair | None:
        match = self.names.exact(f"{request.subject} {request.context}") or self.names.exact(request.subject)
        if match is None:
            if found := self._other_option(request.subject, exact=False):
                return found
            if _is_sentence(request.subject) and (found := self._anywhere()):
                return found
            match = self.names.find(request.subject)
        if match is None:
            return self._anywhere() if self.names.knows(request.subject) else None
        if match.rank != WHOLE and (named := self._about(match, key(self.names.mend(request.subject)))):
            return self._nearest(named)
        own = [(self.cards[match.card_id], p) for p in self.cards[match.card_id].probes]
        why_nots = [pair for pair in own if pair[1].kind == "why-not"]
        if not request.context:
            return self._near(why_nots[1:] and why_nots) or self._first(match)
        near = self._near(why_nots) or self._near(own)
        return near or (self._anywhere() if match.rank != WHOLE else None) or self._first(match)

    def weighed(self, request: Request) -> Pair | None:
        """The probe that weighs the two sides; else one of a topic that both together, or either, name."""
        sides = [(key(self.names.mend(s)), self.names.find(s)) for s in (request.subject, request.alternative)]
        if any(_is_sentence(name) for name, _ in sides) and (pair := self._anywhere()):
            return pair
        found: list[tuple[float, Pair]] = []
        right: list[tuple[float, Pair]] = []
        taken = "" if not request.questioned else request.subject if request.chosen else request.alternative
        for card in self.cards.values():
            for probe in card.probes:
                marks = [_evidence(card, probe, *side) for side in sides]
                if min(map(sum, marks)) > 0 and (any(m[0] or m[1] for m in marks) or all(m[2] for m in marks)):
                    found.append((sum(map(sum, marks)) + 0.3 * (probe.kind in _WEIGHED), (card, probe)))
                    if any(m[1] for m in marks) and not self._reversed((card, probe), request.questioned, taken):
                        right.append(found[-1])
        if not right and request.questioned and (pair := self._against(request.questioned)):
            return pair
        found = right or found
        band = 3.0 if request.context else 0.5  # with a context, "for image resizing", meaning decides between more
        best = max((score for score, _ in found), default=0.0)
        if close := [pair for score, pair in found if score > best - band]:
            return self._nearest(close)
        both = self.names.exact(f"{request.subject} {request.alternative} {request.context}")
        return (None if both else self._anywhere()) or self._first(both or sides[0][1] or sides[1][1])

    def _against(self, questioned: str) -> Pair | None:
        """The why-not probe of a whole card that asks why the card's own subject is not taken."""
        match = self.names.exact(questioned)
        own = [(self.cards[match.card_id], p) for p in self.cards[match.card_id].probes] if match else []
        probes = [pair for pair in own if pair[1].kind == "why-not" and questions(*pair) == "card"]
        return self._nearest(probes) if match and match.rank == WHOLE and probes else None

    def _first(self, match: Match | None) -> Pair | None:
        card = self.cards[match.card_id] if match else None
        if card is None or not card.probes:
            return None
        return card, next((p for p in card.probes if p.kind == "why-not"), card.probes[0])

    def _nearest(self, pairs: Sequence[Pair]) -> Pair:
        return pairs[0] if len(pairs) == 1 else _ranked(self.asked, pairs, self.encoder)[0][1]

    def _near(self, pairs: Sequence[Pair]) -> Pair | None:
        return _near(self.asked, pairs, self.encoder)

    def _anywhere(self) -> Pair | None:
        """The nearest probe of all, where it is near: of the cards that the text mentions, or with rare words of it."""
        mentioned = {m.card_id for m in self.names.inside(self.asked)}
        pairs = [(c, p) for c in self.cards.values() for p in c.probes]
        asks = [set(key(p.ask).split()) for _, p in pairs]
        wanted = set(key(self.asked).split())
        weight = {w: math.log(len(asks) / n) for w in wanted if (n := sum(w in ask for ask in asks))}
        shared = [sum(weight[w] for w in ask & weight.keys()) for ask in asks]
        best = sorted(range(len(pairs)), key=lambda i: (pairs[i][0].id not in mentioned, -shared[i]))[:_POOL]
        return self._near([pairs[i] for i in best if shared[i] or pairs[i][0].id in mentioned])

    def _weighed(self) -> Iterable[Pair]:
        return ((c, p) for c in self.cards.values() for p in c.probes if p.kind in _WEIGHED and p.alternative)

    def _other_option(self, name: str, *, exact: bool) -> Pair | None:
        """The probe whose alternative has this name, or at least mentions it; of several the nearest."""
        form = key(self.names.mend(name))
        exact = exact or is_common(form)
        option = is_alternative if exact else _is_other
        steps = [[pair for pair in self._weighed() if option(pair[1], form)]]
        if not exact:
            steps.append([(c, p) for c in self.cards.values() for p in c.probes if has_words(p.id, form)])
            steps.append([(c, p) for c, p in self._weighed() if has_words(p.ask, form)])
        found = next((step for step in steps if step), None)
        return self._nearest(found) if found else None

    def _about(self, match: Match, name: str) -> list[Pair]:
        """Of a subject that is only a part of a card ("SQS" of message queues): the probes about the part."""
        card = self.cards[match.card_id]
        own = [(card, p) for p in card.probes if p.kind in _WEIGHED]
        why_nots = [pair for pair in own if pair[1].kind == "why-not"]
        compares = [pair for pair in own if pair[1].kind == "compare"]
        steps = (
            [(c, p) for c, p in why_nots if has_words(p.id, name) or _is_other(p, name)],
            [(c, p) for c, p in compares if _is_other(p, name)],
            [(c, p) for c, p in self._weighed() if is_alternative(p, name) and has_words(p.id, name)],
            [(c, p) for c, p in self._weighed() if is_alternative(p, name)],
            [(c, p) for c, p in why_nots if has_words(p.ask, name)],
            [(c, p) for c, p in compares if has_words(p.id, name) or has_words(p.ask, name)],
        )
        return next((step for step in steps if step), [])


def _turned(side: str) -> str:
    return {"card": "alternative", "alternative": "card"}.get(side, "")


def _is_sentence(text: str) -> bool:
    return len(key(text).split()) >= _SENTENCE_WORDS


def _is_other(probe: Probe, name: str) -> bool:
    return is_alternative(probe, name) or (probe.alternative is not None and has_words(probe.alternative.name, name))


def _evidence(card: Card, probe: Probe, name: str, match: Match | None) -> tuple[float, float, float]:
    """How much a probe is about ``name``: as its card, as its alternative, in its id and question."""
    own = (1.5 if match.rank == WHOLE else 0.5) if match and match.card_id == card.id else 0.0
    other = 2.0 if is_alternative(probe, name) else 1.0 if _is_other(probe, name) else 0.0
    return own, other, 0.5 * has_words(probe.id, name) + 0.5 * has_words(probe.ask, name)
