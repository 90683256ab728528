"""How well each sentence answers a question: as the verdict that opens the answer, and as one of those that follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from tutor.answering.asked import Asked
from tutor.answering.intent import Intent
from tutor.answering.units import Unit
from tutor.retrieval.encoder import Vectors
from tutor.retrieval.lexical import terms

# What a sentence's score as a verdict is made of, beside its likeness to the question; chosen in evals/LOG.md.
_LEXICAL, _FIT, _STANDING, _OPENING, _DEFINES = 0.45, 0.15, 0.25, 0.04, 0.15
_LABELLED = 0.4  # what a bullet's own label is worth when it names all that the question does
_TEASER = 0.3
_ADVICE, _AGAINST = 0.2, 0.5  # what speaking for the side to argue for is worth, and against it costs
_FEW = 4  # terms of a short question
_LISTING = 0.15  # a plan names what to do; it explains nothing
RESTATED = 0.95  # share of the question's terms that a sentence needs to be on just what the question names

# Of its worth among those that follow, likewise beside the likeness: a listwise logistic fit on the half of the golden
# questions whose crc32 is even (right are the sentences that say a key fact), rounded, without what changed nothing.
_W_LEXICAL, _W_STANDING, _W_TEASER = 0.8, 0.06, -0.5
_W_DOCUMENT = 1.2  # how much of the question the document's passages say together
_W_HEADING = -0.25  # the lexical part counts the heading's terms, which say nothing of the sentence
_W_CARD = 0.1  # a card's sentences are written to be quoted
_W_INTRODUCED = -0.1  # "X is …" where nobody asked what X is

#: "**Raft election:** a follower …": what a bullet says it is about.
_LEAD_IN = re.compile(r"\*\*(.{1,80}?):?\*\*:?\s")
_COPULA = re.compile(r"\W*((?:[^\s.;:]+ ){1,8}?)(?:is|are|means?|(?P<event>occurs?|happens?)) ", re.I)
_BRACKETED = re.compile(r"\s*[()]\s*")
_INSTEAD = re.compile(r"\b(?:instead of|rather than|over)\b", re.I)
_PLANS = frozenset({"plan", "roadmap", "month"})


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its scores.

    ``worth`` is how much of an answer it is likely to hold, ``score`` the mean of that and of how well it would open
    one. ``likeness`` is their MaxSim part alone (cosine, at most 1); ``own`` is the rarity-weighted share of the
    question's terms that it holds itself, not by its heading; ``defines`` whether it begins "<all that the question
    names> is", ``literal`` whether it holds them as they were asked for, not by another name; ``entry`` whether its
    own label is just what was asked for ("**Cache stampede (thundering herd):** …"). ``rarest`` is 2 where its label
    has the rarest of the question's terms, as it was asked, 1 where the sentence has it, else 0; ``names`` whether it
    or its document's title has one of the names that a short question argues against, where there are any; ``main``
    whether it is of the document that tells most of the question.
    """

    unit: Unit
    score: float
    likeness: float
    own: float
    defines: bool = False
    literal: bool = False
    entry: bool = False
    rarest: int = 0
    names: bool = True
    worth: float = 0.0
    main: bool = False


def score(found: Sequence[Unit], query_tokens: Vectors, intent: Intent, about: Asked) -> list[Scored]:
    """Units by how well they would open the answer, best first.

    Args:
        query_tokens: (n, token_dims), normalised, of the question's content words.
    """
    if not found:
        return []
    lexical, asked = _lexical(found, about), frozenset(about.rarity)
    short = len(asked) <= _FEW  # what a long question turns on, its rarest word or a name does not tell
    rarest = max(asked, key=lambda term: (about.rarity[term], term), default="") if short else ""
    case = short and intent.name in ("when-not", "why-not")  # a label says the case; the name alone is none
    proper = frozenset(term for name in about.proper for term in terms(name))
    matches = [_matches(query_tokens, unit) for unit in found]
    headed = {u.passage.heading: about.share(about.held(terms(" ".join(u.passage.heading)))) for u in found}
    told: dict[str, NDArray[np.float32]] = {}
    for unit, matched in zip(found, matches, strict=True):
        doc_id = unit.passage.doc_id
        told[doc_id] = np.maximum(told[doc_id], matched) if doc_id in told else matched
    telling = {doc_id: float(np.mean(matched)) if len(matched) else 0.0 for doc_id, matched in told.items()}
    main = max(telling, key=lambda doc_id: telling[doc_id])
    scored = []
    for unit, words, matched in zip(found, lexical, matches, strict=True):
        passage = unit.passage
        likeness = float(np.mean(matched)) if len(matched) else 0.0
        standing = 1.0 / (1.0 + 0.5 * unit.rank)
        called = label(unit.text)
        advice = (0.0, _ADVICE, -_AGAINST)[speaks_for(unit, *intent.sides)] if intent.argues else 0.0
        verdict = advice + likeness + _LEXICAL * words + _STANDING * standing
        held = about.held(terms(called))
        if held and (not proper or (held & proper and not (case and held & asked <= proper))):
            # "Elasticsearch as primary store" does not open "Why not Redis as the primary database?".
            # In the question's own words: "Cache penetration" is no "cache stampede", though cards take them as one.
            verdict += _LABELLED * about.share(frozenset(terms(called)) if short else held)
        if case and _left_for_another(unit.text, proper):
            verdict += _ADVICE
        worth = advice + likeness + _W_LEXICAL * words + _W_STANDING * standing + _W_TEASER * unit.teaser
        worth += _W_DOCUMENT * telling[passage.doc_id]
        worth += _W_HEADING * headed[passage.heading] + _W_CARD * (passage.kind == "card")
        worth += _W_INTRODUCED * (passage.role == "why" and intent.name not in ("definition", "why"))
        scored.append(
            Scored(
                unit,
                (verdict + _suits(unit, intent) + worth) / 2,
                likeness,
                about.share(about.held(unit.terms)),
                _defines(unit.text, called, about),
                about.share(unit.terms) >= RESTATED,
                _is_entry(called, asked),
                2 * (rarest in terms(called)) or int(rarest in unit.terms),
                not case or not proper or bool(proper & (unit.terms | set(terms(passage.title)))),
                worth,
                passage.doc_id == main,
            )
        )
    return sorted(scored, key=lambda s: (-s.score, s.unit.rank, s.unit.start))


def label(text: str) -> str:
    """What a bullet says it is about, "Raft election" in "**Raft election:** a follower …"; "" where it does not."""
    lead_in = _LEAD_IN.match(text)
    return lead_in.group(1) if lead_in else ""


def _matches(query_tokens: Vectors, unit: Unit) -> NDArray[np.float32]:
    """For each token of the question its highest cosine with one of the sentence's; zeros for one without tokens."""
    if not len(unit.tokens) or not len(query_tokens):
        return np.zeros(len(query_tokens), dtype=np.float32)
    return np.asarray(np.max(query_tokens @ unit.tokens.T, axis=1))


def _suits(unit: Unit, intent: Intent) -> float:
    """What the kind of sentence adds to its score as a verdict, or takes from it."""
    value = _FIT * intent.role_fit(unit.passage.role) + _OPENING * unit.first
    if unit.first and not unit.teaser and intent.name == "definition" and unit.passage.role in ("why", "body"):
        value += _DEFINES
    if unit.wrong and intent.name not in ("failure", "why-not", "when-not"):
        value -= 0.1
    if unit.passage.role == "map":
        value -= 0.06
    if unit.teaser:
        value -= _TEASER
    if unit.passage.kind in _PLANS and intent.name not in ("plan", "list"):
        value -= _LISTING
    return value


def _defines(text: str, label: str, about: Asked) -> bool:
    """Whether a sentence, after its label, begins "<all that the question names> is"."""
    opening = _COPULA.match(_LEAD_IN.sub("", text, count=1))
    if opening is None or (label and opening["event"]):  # "Layers: caching happens in …" says where, not what
        return False
    return about.share(about.held(terms(opening.group(1)))) >= RESTATED


def _is_entry(label: str, asked: frozenset[str]) -> bool:
    """Whether a label, without or within its brackets, has the terms of the question and no others."""
    return any(set(terms(part)) == asked for part in (label, *_BRACKETED.split(label)) if part.strip())


def speaks_for(unit: Unit, first: str, second: str) -> int:
    """1 where a sentence advises the first thing over the second, -1 the other way round, 0 where it does not say."""
    ours, theirs = set(terms(first)), set(terms(second))
    parts = _INSTEAD.split(unit.text, maxsplit=1)
    if len(parts) == 2:
        taken, left = (set(terms(p)) for p in parts)
        balance = bool(ours & taken) - bool(theirs & taken) - bool(ours & left) + bool(theirs & left)
        return (balance > 0) - (balance < 0)
    role = {"when": 1, "when-not": -1}.get(unit.passage.role, 0)
    for named in (unit.terms, set(terms(unit.passage.title))):
        if side := bool(ours & named) - bool(theirs & named):
            return role * side
    return 0


def _left_for_another(text: str, proper: frozenset[str]) -> bool:
    """Whether a sentence advises something else instead of what the question names."""
    advice = _LEAD_IN.sub("", text, count=1)
    taken, *left = (set(terms(part)) for part in _INSTEAD.split(advice, maxsplit=1))
    return bool(left and left[0] & proper and not taken & proper)


def _lexical(found: Sequence[Unit], about: Asked) -> NDArray[np.float64]:
    """BM25+ of each unit (its heading counts as part of it) for the question's terms, scaled to at most 1."""
    # The plus variant: its IDF never turns negative, as Okapi's does for a term in most of so few sentences.
    texts = [[*about.held(unit.terms), *terms(" ".join(unit.passage.heading))] or [""] for unit in found]
    scores = np.asarray(BM25Plus(texts).get_scores(list(about.rarity)), dtype=np.float64)
    return scores / max(float(scores.max()), 1e-9)
