"""What a card is called: id, title, aliases, short forms, covered items; found in spite of case, plural and typos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property, lru_cache
from typing import NamedTuple

from tutor.curriculum.card import Card, Probe
from tutor.retrieval.lexical import name_key

WHOLE, ALIAS, PART, SHORT = range(4)
_JOINTS = re.compile(r"[-–/_·.]+")
_POSTGRES = re.compile(r"\bpostgres\b", re.I)
#: The s of several "JWTs" or "cdns": Porter's stemmer keeps an s after letters without a vowel.
_PLURAL = re.compile(r"\b([b-df-hj-np-tv-z0-9]{2,})s\b")
_TITLE_PARTS = re.compile(r"\s*(?:[:,·()&/]|\b(?:and|or|vs|with)\b)\s*")
_BRACKETS = re.compile(r"\([^)]*\)")
_ALTERNATIVE_TAIL = re.compile(r"(?:[,:]| (?:such as|as|in|with|on|for|from|by|over|that|without)\b).*")
_OPTIONS = re.compile(r"\s+(?:or|plus|and)\s+|/")
_LIKE = 0.75  # difflib's ratio from which a name without a word in common is offered: "caching" has .63 of "LangChain"
#: In a probe's question, what stands before the side that is not taken, and what parts it from the other.
_ASKED_AGAINST = re.compile(
    r"\b(?:why (?:(?:would|should|might) (?:you|we) )?not|and not|but not|rather than|instead of)\b(?P<rest>[^?]*)",
    re.I,
)
_STILL = re.compile(r"\bwhy would you still\b", re.I)
_JOINED = re.compile(r"\b(?:instead of|rather than)\b", re.I)
#: Words, as ``key`` gives them, without which a name is still the same.
_FILLER = frozenset(
    "apach amazon aw googl protocol algorithm pattern theorem databas db technolog deep dive case studi basic "
    "intern question plain classic simpl full one singl card system".split()
)
#: Too common to stand alone for a longer name.
_COMMON = _FILLER | frozenset(
    "design data servic architectur model store state key time server table choos select top".split()
)


class Match(NamedTuple):
    """``rank``: WHOLE, the card's own name; ALIAS, PART (of the title) or SHORT (an acronym) of something in it."""

    rank: int
    card_id: str


@lru_cache(maxsize=16384)
def key(text: str) -> str:
    """What all spellings of a name share: stems in order, without stop words, "postgres" as "postgresql"."""
    plain = _PLURAL.sub(r"\1", _POSTGRES.sub("postgresql", _JOINTS.sub(" ", text)).lower())
    return name_key(plain) or " ".join(re.findall(r"\w+", plain))


@lru_cache(maxsize=16384)
def _letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", text.lower()))


@lru_cache(maxsize=16384)
def _core(found: str) -> str:
    """A key without filler and without the version at its end: "oauth 2 0" is OAuth."""
    return re.sub(r"(?<=[a-z])(?: \d+)+$", "", " ".join(w for w in found.split() if w not in _FILLER))


@lru_cache(maxsize=2048)
def _options(name: str) -> frozenset[str]:
    """The names that an alternative has: "SQS or RabbitMQ" has two, "pgvector in the existing Postgres" one."""
    head = _ALTERNATIVE_TAIL.sub("", _BRACKETS.sub(" ", name))
    return frozenset(_core(key(part)) for part in (head, *_OPTIONS.split(head))) - {""}


@lru_cache(maxsize=16384)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(key(text).split())


def is_alternative(probe: Probe, name: str) -> bool:
    """Whether the probe's alternative is called ``name`` (a ``key``), not only has it among other words."""
    return probe.alternative is not None and (_core(name) or name) in _options(probe.alternative.name)


def names_alternative(probe: Probe, text: str) -> bool:
    """Whether ``text`` has a name of the probe's alternative in it."""
    words = _word_set(text)
    return probe.alternative is not None and any(set(o.split()) <= words for o in _options(probe.alternative.name))


def questions(card: Card, probe: Probe) -> str:
    """The side that a probe asks "why not?" of: "alternative", "card", or nothing where it asks that of neither."""
    if probe.alternative and _STILL.search(probe.ask):
        return "alternative"
    found = _ASKED_AGAINST.search(probe.ask)
    if found is None or probe.alternative is None:
        return ""
    against = _JOINED.split(found["rest"])[0]
    if names_alternative(probe, against):
        return "alternative"
    own = (card.id, re.split(r"[:(]", card.title)[0])
    return "card" if any(has_words(against, _core(key(name))) for name in own) else ""


def has_words(text: str, name: str) -> bool:
    """Whether each word of ``name`` (a ``key``) is one of ``text``."""
    return bool(name) and set(name.split()) <= _word_set(text)


def is_common(name: str) -> bool:
    """Whether ``name`` (a ``key``) is too common to say which topic is meant."""
    return set(name.split()) <= _COMMON


class Names:
    """All names of all cards."""

    def __init__(self, cards: Mapping[str, Card]) -> None:
        self._cards = cards
        self._names: dict[str, list[Match]] = {}
        self._typed: dict[str, set[str]] = {}
        self._loose: dict[str, list[Match]] = {}
        self._spelt: dict[str, str] = {}
        for card in cards.values():
            own = [card.id, card.title, re.split(r"[:(]", card.title)[0]]
            for item in card.covers:
                own += [item, item.rpartition("/")[2]]
            self._add(own, Match(WHOLE, card.id))
            self._add(card.aliases, Match(ALIAS, card.id))
            self._add(_TITLE_PARTS.split(card.title), Match(PART, card.id))
            for short, long in card.acronyms.items():
                self._spelt[short] = key(short)
                known = [m.rank for m in self._names.get(key(long), ()) if m.card_id == card.id]
                self._add((short, long), Match(min([SHORT, *known]), card.id))

    def _add(self, names: Iterable[str], match: Match) -> None:
        for typed in names:
            if name := key(typed):
                self._names.setdefault(name, []).append(match)
                self._typed.setdefault(name, set()).add(typed.lower())
                for form in {name, _core(name), _letters(typed)} - _COMMON:
                    self._loose.setdefault(form.replace(" ", ""), []).append(match)

    @cached_property
    def _words(self) -> dict[str, str]:
        """Lower-case words of names, alternatives and questions, each with its key."""
        words: dict[str, str] = {}
        for card in self._cards.values():
            texts = [card.id, card.title, *card.aliases, *card.acronyms, *card.acronyms.values(), *card.covers]
            for probe in card.probes:
                texts += [probe.ask, probe.alternative.name if probe.alternative else ""]
            for word in re.findall(r"[^\W_]+", " ".join(texts).lower()):
                words.setdefault(word, key(word))
        return words

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(self._words.values())

    @cached_property
    def _long_words(self) -> list[str]:
        return [word for word in self._words if len(word) >= 4 and word.isalpha()]

    def mend(self, text: str) -> str:
        """``text`` with the words that the curriculum does not know replaced by those they are misspelt from."""

        def mended(match: re.Match[str]) -> str:
            word = match.group().lower()
            if len(word) < 5 or not word.isalpha() or word in self._words or key(word) in self._keys:
                return match.group()
            # One wrong letter, or two in the wrong order: "kafak" has difflib's ratio 0.8 with "kafka".
            ratio = max(0.8, 1 - 1 / len(word)) - 1e-6
            near = get_close_matches(word, [w for w in self._long_words if w[0] == word[0]], 1, ratio)
            return near[0] if near else match.group()

        return re.sub(r"[^\W_]+", mended, text)

    def knows(self, text: str) -> bool:
        """Whether the names, alternatives and questions have at least one word of ``text``."""
        return not self._keys.isdisjoint(key(self.mend(text)).split())

    def _best(self, matches: Iterable[Match], name: str) -> Match | None:
        """The best rank; of several such cards the one whose questions have the name most often."""
        return min(matches, key=lambda m: (m.rank, -self._mentions(m.card_id, name)), default=None)

    def _mentions(self, card_id: str, name: str) -> int:
        texts = (t for p in self._cards[card_id].probes for t in (p.ask, *(m.point for m in p.must_have)))
        return sum(has_words(text, name) for text in texts)

    def exact(self, text: str) -> Match | None:
        """The card that has this name, as it is typed or mended."""
        for typed in dict.fromkeys((text, self.mend(text))):
            name = key(typed)
            for form in (name, _core(name), _letters(typed)):
                if form and (found := self._names.get(form) or self._loose.get(form.replace(" ", ""))):
                    return self._best(found, name)
        return None

    def inside(self, text: str) -> list[Match]:
        """The cards named in ``text``, the longest name first; of equals the one that is typed so, then the earlier."""
        mended = self.mend(text).lower()
        words = key(mended).split()
        spelt = {self._spelt[word] for word in re.findall(r"[\w/-]+", text) if word in self._spelt}
        found: list[tuple[int, int, bool, int, int, Match]] = []
        for name, matches in self._names.items():
            core = (_core(name) or name).split()
            if set(core) <= set(words) and not is_common(name):
                kept = [m for m in matches if m.rank <= ALIAS or name in spelt]
                if best := self._best(kept, name) if len(kept) > 1 else next(iter(kept), None):
                    derived = not any(typed in mended for typed in self._typed[name])
                    found.append((-len(core), name.count(" "), derived, best.rank, words.index(core[0]), best))
        best_first: dict[str, Match] = {}
        for *_, match in sorted(found):
            best_first.setdefault(match.card_id, match)
        return list(best_first.values())

    def find(self, text: str) -> Match | None:
        """The card of this name, or named inside ``text``, or the only one that ``text`` is half a name of."""
        if found := self.exact(text) or next(iter(self.inside(text)), None):
            return found
        words = set(key(self.mend(text)).split())
        if words <= _COMMON:
            return None
        longer = [n for n in self._names if words <= set(n.split()) and len(n.split()) <= 2 * len(words)]
        matches = [m for n in longer for m in self._names[n] if m.rank <= PART]
        return min(matches) if len({m.card_id for m in matches}) == 1 else None

    def nearest(self, text: str, count: int = 3) -> list[str]:
        """Ids of the cards whose names look most like ``text``, or share a word with it; none where none does."""
        name = key(self.mend(text))
        words, letters, scores = set(name.split()), name.replace(" ", ""), dict.fromkeys(self._cards, 0.0)
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(letters)
        for other, matches in self._names.items():
            matcher.set_seq1(other.replace(" ", ""))
            score = len(words & set(other.split())) / max(len(words), 1)
            if matcher.real_quick_ratio() + score > 0.3:
                like = matcher.ratio()
                score += like if score or like >= _LIKE else 0.0
            for match in matches:
                scores[match.card_id] = max(scores[match.card_id], score - 0.01 * match.rank)
        return sorted((c for c in scores if scores[c] > 0.3), key=lambda card_id: -scores[card_id])[:count]
