"""A piece of a text around the words that were looked for: short, cut between words, nothing added to the words."""

from __future__ import annotations

import pytest

from tutor.study.entries import folded
from tutor.study.places import held, in_all, piece

LONG = " ".join(f"word{n}" for n in range(200))


def hits(parts: tuple[tuple[str, bool], ...]) -> list[str]:
    return [text for text, hit in parts if hit]


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("A Quorum of nodes", "quorum NODE", ["Quorum", "node"]),
        ("abcabc", "ab bc", ["abcabc"]),  # what overlaps or touches is one
        ("Straße und STRASSE", "strasse", ["Straße", "STRASSE"]),
        ("Cafe\u0301 and Café", "café", ["Cafe\u0301", "Café"]),
        ("the ﬁle", "file", ["ﬁle"]),
        ("日本語の本", "本", ["本", "本"]),
        ("nothing", "else", []),
        ("nothing", "", []),
    ],
)
def test_words_are_marked_in_any_spelling(text: str, words: str, marked: list[str]) -> None:
    parts = in_all(text, folded(words).split())
    assert "".join(part for part, _ in parts) == text and hits(parts) == marked


def test_a_piece_is_short_and_around_the_first_word() -> None:
    parts = piece(LONG, ["word120"])
    text = "".join(part for part, _ in parts)
    assert hits(parts) == ["word120"] and 150 < len(text) < 220
    assert text.startswith("… word") and text.endswith(" …")
    assert text.removeprefix("… ").removesuffix(" …") in LONG
    assert set(text.split()) <= {*LONG.split(), "…"}  # cut between words


def test_a_piece_of_a_short_text_is_all_of_it_on_one_line() -> None:
    assert piece("one\n\ntwo  three", ["two"]) == (("one ", False), ("two", True), (" three", False))
    assert piece("one", ["two"]) == ()


def test_a_long_word_is_cut_rather_than_shown_whole() -> None:
    parts = piece("x" * 5_000 + "needle" + "y" * 5_000, ["needle"])
    assert hits(parts) == ["needle"] and sum(len(part) for part, _ in parts) < 220
    assert hits(piece("a " + "z" * 400, ["z" * 400])) == ["z" * 400]  # but for what was looked for


def test_how_many_words_a_text_holds() -> None:
    assert held("A Quorum of nodes", ["quorum", "node", "leader"]) == 2
