"""What the corpus calls things: its vocabulary (for typos) and its acronyms and aliases (for expansion)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tutor.retrieval.lexical import INTENT_WORDS, name_key, query_content, stem, words

#: "two-phase commit (2PC)": at most eight words, then capitals, digits and signs in brackets. Possessive and from the
#: beginning of a word only: with other ways to cut it, "a-a-a-…" or a word of 20,000 letters would take minutes.
_DEFINED = re.compile(r"(?<![\w'/])((?:\w[\w'/]*+[ -]){0,7}\w[\w'/]*+) \(([A-Z0-9][A-Za-z0-9+/-]{1,7})\)")
_VOWEL = re.compile(r"[aeiou]")
_MAX_PHRASE = 6
_BETWEEN = re.compile(r"[,:;!?]|\.\s")
_NAME_PART = re.compile(r"[^\W_]+(?:[-/.'+&_][^\W_]+)*(?:\+\+|#)?")
#: Without word pieces of their own, and an edit or two from "prod", "overall" and "map".
_NO_TYPOS = INTENT_WORDS | frozenset(
    "kbps mbps gbps tbps kbit mbit gbit tbit kbits mbits gbits msec usec nsec secs".split()
)
#: Around a short form that is asked about, and not around a word that is used: "what does use stand for".
_ASKING = frozenset(
    "what is are s does do the a an of and or vs versus define definition explain describe difference differences "
    "between compare mean means meaning stand stands for acronym abbreviation letters".split()
)
_ENDINGS = ("s", "es", "ed", "ing", "er", "ers", "or", "ors", "ly", "able")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """``frequency``: word → number of passages with it. ``forms``: doc_id → {short form or alias: long form}."""

    frequency: Mapping[str, int] = field(default_factory=dict)
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_payload(self) -> dict[str, Any]:
        return {"frequency": dict(self.frequency), "forms": {k: dict(v) for k, v in self.forms.items() if v}}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Lexicon:
        return cls(payload.get("frequency", {}), payload.get("forms", {}))


def defined_acronyms(text: str) -> dict[str, str]:
    """Short forms that a text spells out, as in "change data capture (CDC)": {"CDC": "change data capture"}.

    The initials of the last words before the bracket must spell the short form (digits count as a word's initial:
    2PC is "two-phase commit"), after Schwartz & Hearst 2003, "A simple algorithm for identifying abbreviation
    definitions".
    """
    found: dict[str, str] = {}
    for match in _DEFINED.finditer(text):
        short = match.group(2)
        letters = re.sub(r"[^a-z0-9]", "", short.lower())
        for digit, name in (("2", "t"), ("3", "t")):
            letters = letters.replace(digit, name)
        if letters.endswith("s") and short.endswith("s"):
            letters = letters[:-1]
        parts = list(re.finditer(r"[A-Za-z0-9]+", match.group(1)))
        if not 2 <= len(letters) <= len(parts):
            continue
        tail = parts[-len(letters) :]
        if "".join(p.group()[0].lower() for p in tail) == letters:
            found[short] = match.group(1)[tail[0].start() :]
    return found


@dataclass(frozen=True, slots=True)
class Expansion:
    """What was made of a question: ``added`` forms, and ``corrected`` words (as typed → as searched).

    ``same`` are the spans of the question that have other forms, each with one (a passage that holds the form holds
    the span); ``instead`` those of single words whose form passages hold more often than the word itself.
    """

    added: tuple[str, ...]
    corrected: tuple[tuple[str, str], ...]
    instead: tuple[tuple[str, str], ...] = ()
    same: tuple[tuple[str, str], ...] = ()

    def mended(self, text: str) -> str:
        """``text`` with its misspelt words replaced."""
        for wrong, right in self.corrected:
            text = re.sub(rf"\b{re.escape(wrong)}\b", right, text, flags=re.I)
        return text


class Expander:
    """Finds other names and likely spellings for the words of a question."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._frequency = lexicon.frequency
        self._lexicon = lexicon

    @cached_property
    def _forms(self) -> dict[str, list[str]]:
        forms: dict[str, dict[str, None]] = {}
        for table in self._lexicon.forms.values():
            for short, long in table.items():
                if short.lower() != long.lower():
                    forms.setdefault(_key(short), {})[long] = None
                    forms.setdefault(_key(long), {})[short] = None
        return {key: list(values)[:4] for key, values in forms.items() if key}

    @cached_property
    def _shorts(self) -> dict[str, set[str]]:
        """Short forms with two capitals or more, by their lower-case spelling."""
        shorts: dict[str, set[str]] = {}
        for table in self._lexicon.forms.values():
            for short in table:
                if short.isalpha() and sum(map(str.isupper, short)) > 1:
                    shorts.setdefault(short.lower(), set()).add(short)
        return shorts

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(map(name_key, self._forms))

    @cached_property
    def _spelt(self) -> frozenset[str]:
        """Keys of names as they are written: "exactly-once semantics" keeps its "exactly"."""
        written = (name for table in self._lexicon.forms.values() for pair in table.items() for name in pair)
        return frozenset(filter(None, map(name_key, written)))

    @cached_property
    def _stems(self) -> Counter[str]:
        stems: Counter[str] = Counter()
        for word, count in self._frequency.items():
            stems[stem(word)] += count
        return stems

    @cached_property
    def _spellings(self) -> list[str]:
        return [w for w, n in self._frequency.items() if n >= 2 and len(w) >= 4 and w.isalpha()]

    def frequency(self, word: str) -> int:
        """How many passages hold the lower-case word, in this form or another with the same stem."""
        return self._stems.get(stem(word), 0)

    def is_name(self, text: str) -> bool:
        """Whether a text is an alias, an acronym or a long form of one, and nothing else."""
        return name_key(text) in self._names

    def names_in(self, text: str, *, is_word: Any = None) -> list[tuple[int, int]]:
        """Where a text names something: aliases, acronyms and their long forms, the longest first, none inside another.

        Returns:
            Character offsets, end exclusive, in order.
        """
        found: list[tuple[int, int]] = []
        parts = [match.span() for match in _NAME_PART.finditer(text)]
        at = 0
        while at < len(parts):
            for size in range(min(_MAX_PHRASE, len(parts) - at), 0, -1):
                start, end = parts[at][0], parts[at + size - 1][1]
                if _BETWEEN.search(text[start:end]) or not all(
                    query_content(text[a:b]) for a, b in (parts[at], parts[at + size - 1])
                ):
                    continue
                word = size == 1 and self._only_a_word(text[start:end].lower(), text, is_word)
                if name_key(text[start:end]) in self._spelt and not word:
                    found.append((start, end))
                    at += size - 1
                    break
            at += 1
        return found

    def expand(self, question: str, *, is_word: Any = None) -> Expansion:
        """Other forms of what the question names, and corrections of words that neither corpus nor English knows."""
        asked = dict.fromkeys(words(question))
        joined = {w: form for w in asked if (form := self._joined(w))}
        parts = {part for w in joined for part in w.split("-")}  # "modal" of "multi-modal" is no misspelt "model"
        corrected = [(w, c) for w in asked if w not in parts and (c := joined.get(w) or self._correction(w, is_word))]
        found = Expansion((), tuple(corrected))
        tokens = _tokens(found.mended(question))
        added: dict[str, None] = {}
        same: list[tuple[str, str]] = []
        for size in range(min(_MAX_PHRASE, len(tokens)), 0, -1):
            for at in range(len(tokens) - size + 1):
                span = " ".join(tokens[at : at + size])
                if size == 1 and self._only_a_word(span, question, is_word):
                    continue
                for form in self._forms.get(span, ()):
                    added[form] = None
                    same.append((span, form))
        present = f" {' '.join(tokens)} "
        kept = tuple(f for f in added if f" {_key(f)} " not in present)
        instead = [(t, f) for t in dict.fromkeys(tokens) if (f := next(iter(self._forms.get(t, ())), "")) in kept]
        return replace(
            found, added=kept, instead=tuple(pair for pair in instead if self._commoner(*pair)), same=tuple(same)
        )

    def _only_a_word(self, span: str, question: str, is_word: Any) -> bool:
        """Whether a word of a question only looks like a short form: "use" is not USE, a "React hook" not ReAct.

        A word alone may still be one ("rag", "acid vs base"), and so may what nobody can pronounce ("cdc").
        """
        shorts = self._shorts.get(span)
        if not shorts or is_word is None or not is_word(span) or not _VOWEL.search(span):
            return False
        typed = re.findall(r"[^\W_]+", question)
        shouted = all(word.isupper() for word in typed if word.isalpha())
        if any(word in shorts or word.isupper() for word in typed if word.lower() == span) and not (
            shouted and len(typed) > 1
        ):
            return False
        # A stop word is never content, so of "What should I use?" nothing would be left: every word counts.
        beside = query_content(question) if query_content(span) else _tokens(question)
        return any(w != span and w not in _ASKING and w not in self._shorts for w in beside)

    def _commoner(self, word: str, form: str) -> bool:
        """Whether passages hold each word of the form, and more often than ``word`` itself."""
        return min(map(self.frequency, query_content(form.replace("-", " "))), default=0) > self.frequency(word)

    def _joined(self, word: str) -> str | None:
        """ "multimodal" for "multi-modal", where that is how the passages spell it."""
        joined = word.replace("-", "")
        if joined != word and joined.isalpha() and self._frequency.get(joined, 0) > self._frequency.get(word, 0):
            return joined
        return None

    def _correction(self, word: str, is_word: Any) -> str | None:
        if len(word) < 4 or word in _NO_TYPOS or not (word.isascii() and word.isalpha()) or word in self._frequency:
            return None
        if any(form in self._frequency or (is_word is not None and is_word(form)) for form in base_forms(word)):
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        allowed = 1 if len(word) < 8 else 2
        found = process.extract(
            word, self._spellings, scorer=DamerauLevenshtein.distance, score_cutoff=allowed, limit=20
        )
        # A typist rarely misses the first letter; a plural or other ending is no typo but another form.
        near = [(distance, w) for w, distance, _ in found if w[0] == word[0] and abs(len(w) - len(word)) <= 1]
        return min(near, key=lambda pair: (pair[0], -self._frequency[pair[1]]))[1] if near else None


def base_forms(word: str) -> list[str]:
    """The word and what it may be a form of: "replayed" is "replay", and no misspelt "replaced"."""
    forms = [word]
    for ending in _ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= 4 and not (ending == "s" and base.endswith("s")):
            forms += [base, f"{base}e"]
            if base[-1] == base[-2]:
                forms.append(base[:-1])
    return forms


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _key(text: str) -> str:
    return " ".join(_tokens(text))


def passage_words(texts: Iterable[str]) -> Counter[str]:
    """How many of the texts each word occurs in."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(words(text)))
    return found
