"""Checks the curriculum folder: each file alone, then what the files say of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tutor.curriculum.card import Card
from tutor.curriculum.corpus import Corpus
from tutor.curriculum.graph import circle
from tutor.curriculum.note import Article, Day
from tutor.curriculum.plan import Plan, Row
from tutor.curriculum.words import copied_share, runs, sentence_length, word_count
from tutor.errors import CardError

#: Words of a body (tables too), by depth of a card or kind of an entry. Tiers 1 and 2 may be as long as deep-dives.
WORDS: Mapping[str, tuple[int, int]] = {
    "deep-dive": (500, 900),
    "intermediate": (250, 500),
    "fundamental": (250, 500),
    "day": (800, 1200),
    "article": (450, 800),
}
FULL_TIERS = 2  # tiers 1 and 2
PROBES_OF_HIGH_PRIORITY = 3
LONGEST_MEAN_SENTENCE = 30.0  # words; above, a text is hard to follow when it is read once
MOST_COPIED = 0.02  # of a file's runs of eight words

_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\((?!https?://|mailto:|#)([^)\s]+)\)")


def check_corpus(corpus: Corpus, *, items: frozenset[str] = frozenset(), sources: str = "") -> list[CardError]:
    """Every problem of a corpus, one error each, those of single files first.

    Args:
        corpus: as loaded; its own ``problems`` come first.
        items: ids of the curriculum items that must be covered, and no other; empty: any.
        sources: text that must not be copied; empty: not checked.
    """
    return [
        *corpus.problems,
        *_sizes(corpus),
        *_references(corpus),
        *_plans(corpus),
        *_names(corpus),
        *_links(corpus),
        *(_coverage(corpus, items) if items else ()),
        *(_copies(corpus, sources) if sources else ()),
    ]


def _problem(corpus: Corpus, name: str, what: str, fix: str = "", *, where: str = "") -> CardError:
    about = f"{corpus.paths[name]}: {where}" if where else str(corpus.paths[name])
    return CardError(what, about=about, fix=fix)


def _sizes(corpus: Corpus) -> Iterator[CardError]:
    for document in corpus.all():
        body = corpus.bodies[document.id]
        kind = document.depth if isinstance(document, Card) else document.type
        low, high = WORDS.get(kind, (100, 1200))
        if isinstance(document, Card) and document.tier <= FULL_TIERS:
            high = WORDS["deep-dive"][1]
        if not low <= (count := word_count(body)) <= high:
            yield _problem(corpus, document.id, f"the body has {count} words, {low} to {high} are due ({kind})")
        if (length := sentence_length(body)) > LONGEST_MEAN_SENTENCE:
            yield _problem(corpus, document.id, f"the mean sentence has {length:.0f} words", "Break the longest ones.")
        if isinstance(document, Card):
            if document.priority == "high" and len(document.probes) < PROBES_OF_HIGH_PRIORITY:
                yield _problem(
                    corpus,
                    document.id,
                    f"a high-priority card has {PROBES_OF_HIGH_PRIORITY} probes, this one {len(document.probes)}",
                )
        elif isinstance(document, Day) and "```mermaid" not in body:
            yield _problem(corpus, document.id, "a day has a diagram", "Add a mermaid fence.")


def _references(corpus: Corpus) -> Iterator[CardError]:
    cards = corpus.cards
    for document in corpus.all():
        named = {"related": document.related}
        if isinstance(document, Card):
            named["prerequisites"] = document.prerequisites
        for name, ids in named.items():
            if missing := [c for c in ids if c not in cards]:
                yield _problem(corpus, document.id, f"no card has the id {', '.join(missing)}", where=name)
    for card in cards.values():
        for other in card.related:
            if other in cards and card.id not in cards[other].related:
                yield _problem(corpus, card.id, f"{other} does not name {card.id} in turn", where="related")
    if cycle := circle(cards):
        yield CardError(f"prerequisites form a circle: {' > '.join(cycle)}", about=str(corpus.root))


def _plans(corpus: Corpus) -> Iterator[CardError]:
    for plan in corpus.plans.values():
        about = str(corpus.paths[plan.id])
        for step in plan.walk():
            if missing := [c for c in step.cards if c not in corpus.cards]:
                yield CardError(f"no card has the id {', '.join(missing)}", about=f"{about}: {step.id}: cards")
            if missing := [n for n in (*step.notes, *step.practice) if n not in corpus.entries]:
                yield CardError(f"no note or exercise has the id {', '.join(missing)}", about=f"{about}: {step.id}")
        if plan.complete:
            yield from _complete(corpus, plan, about)
    if corpus.tables:
        tables = corpus.tables
        rows: tuple[Row, ...] = (*tables.tiers, *tables.threads, *tables.choices, *tables.technologies, *tables.axes)
        for row in rows:
            if missing := [c for c in row.cards if c not in corpus.cards]:
                about = f"{corpus.root / 'plans' / 'tables.yaml'}: {row.cards}"
                yield CardError(f"no card has the id {', '.join(missing)}", about=about)
        for tier in tables.tiers:
            if other := [c for c in tier.cards if c in corpus.cards and corpus.cards[c].tier != tier.tier]:
                about = f"{corpus.root / 'plans' / 'tables.yaml'}: tier {tier.tier}"
                yield CardError(f"the card itself says another tier: {', '.join(other)}", about=about)


def _complete(corpus: Corpus, plan: Plan, about: str) -> Iterator[CardError]:
    place: dict[str, int] = {}
    for at, step in enumerate(plan.walk()):
        for card_id in step.cards:
            place.setdefault(card_id, at)
    if missing := sorted(corpus.cards.keys() - place.keys()):
        yield CardError(f"the plan is complete and names no {', '.join(missing)}", about=about)
    for card_id, at in place.items():
        needed = corpus.cards[card_id].prerequisites if card_id in corpus.cards else []
        if late := [other for other in needed if place.get(other, at) > at]:
            yield CardError(f"{card_id} stands before what it builds on: {', '.join(late)}", about=about)


def _names(corpus: Corpus) -> Iterator[CardError]:
    """Aliases name one document; an acronym has one long form, or each document that uses it says which it means."""
    owners: dict[str, str] = {}
    for document in corpus.all():
        for alias in document.aliases:
            if (owner := owners.setdefault(alias.casefold(), document.id)) != document.id:
                yield _problem(corpus, document.id, f"'{alias}' is already a name of {owner}", where="aliases")
    listed = corpus.tables.ambiguous if corpus.tables else {}
    allowed = {(short, _plain(long)) for short, forms in listed.items() for long in forms}
    meanings: dict[str, tuple[str, str]] = {}
    for document in corpus.all():
        for short, long in document.acronyms.items():
            if (short, _plain(long)) in allowed:
                continue
            meant, owner = meanings.setdefault(short, (_plain(long), document.id))
            if meant != _plain(long):
                what = f"{short} is '{long}' here and '{meant}' in {owner}"
                fix = "Agree on one long form, or list all of them under 'ambiguous' in plans/tables.yaml."
                yield _problem(corpus, document.id, what, fix, where="acronyms")


def _plain(long: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", long.casefold()))


def _links(corpus: Corpus) -> Iterator[CardError]:
    for name, body in corpus.bodies.items():
        for target in _LINK.findall(body):
            stem = Path(target.split("#")[0]).stem
            if stem not in corpus.paths:
                yield _problem(corpus, name, f"the link to {target} leads nowhere", "Link to an id of the corpus.")


def _coverage(corpus: Corpus, items: frozenset[str]) -> Iterator[CardError]:
    covered = corpus.covered()
    for item in sorted(items - covered.keys()):
        yield CardError("no document covers the item", about=item)
    for item in sorted(covered.keys() - items):
        yield _problem(corpus, covered[item][0], f"'{item}' is no curriculum item", where="covers")
    for document in corpus.entries.values():
        prefix = {Day: "day/", Article: "article/"}.get(type(document))
        if prefix and not all(item.startswith(prefix) for item in document.covers):
            yield _problem(corpus, document.id, f"covers is not {prefix}…", where="covers")


def _copies(corpus: Corpus, sources: str) -> Iterator[CardError]:
    known = frozenset(runs(sources))
    for name, path in corpus.paths.items():
        share = copied_share(path.read_text(encoding="utf-8"), known)
        if share > MOST_COPIED:
            yield _problem(corpus, name, f"{share:.1%} of its runs of eight words stand in a source", "Say it anew.")
