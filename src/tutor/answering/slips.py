"""Slips of the keyboard in plain words: "wht" is no subject that the curriculum lacks, "dbt" and "linkerd" are.

Spelling is mended in ``retrieval.lexicon``, where the corpus has a near word and so the search gains by it. Here only
what is left is looked at, and names are not to be lost: many are one letter away from a word. So a slip in a longer
word has to be one that typists make and namers do not: two letters in each other's place, a letter doubled or not, one
vowel for another, a vowel left out or put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tutor.retrieval.lexical import PLAIN_WORDS

_VOWELS = "aeiou"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORTEST = 3
_LONG = 6  # letters from which a slip may be one in any word: shorter ones are near too many


def is_slip(word: str, is_word: Callable[[str], bool]) -> bool:
    """Whether an unknown lower-case word is most likely a plain word with one slip in it.

    Args:
        word: one that neither the corpus nor the vocabulary knows.
        is_word: whether a lower-case word is known.
    """
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return False
    if any(near in PLAIN_WORDS for near in (*_swapped(word), *_with_one_more(word))):
        return True
    if len(word) >= _LONG - 1 and any(n in PLAIN_WORDS for n in (*_with_one_less(word), *_with_another(word))):
        return True
    return len(word) >= _LONG and any(map(is_word, _typists(word)))


def _swapped(word: str) -> Iterator[str]:
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _with_one_more(word: str) -> Iterator[str]:
    for at in range(len(word) + 1):
        for letter in _LETTERS:
            yield word[:at] + letter + word[at:]


def _with_one_less(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _with_another(word: str) -> Iterator[str]:
    for at in range(len(word)):
        for letter in _LETTERS:
            yield word[:at] + letter + word[at + 1 :]


def _typists(word: str) -> Iterator[str]:
    """What was meant, where the first and the last letter are as they should be."""
    for at in range(1, len(word) - 2):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(1, len(word) - 1):
        here = word[at]
        yield word[:at] + here + word[at:]  # "occured"
        if here == word[at - 1] or here in _VOWELS:
            yield word[:at] + word[at + 1 :]  # "begginning", "coulumn"
        if here in _VOWELS:
            yield from (word[:at] + vowel + word[at + 1 :] for vowel in _VOWELS if vowel != here)  # "seperate"
        yield from (word[:at] + vowel + word[at:] for vowel in _VOWELS)  # "bckground"
