"""Cutting text must never change it: offsets into a cleaned copy are offsets into the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.text import blank_markup, blocks, clean_question, sentences

MARKDOWN = st.lists(
    st.sampled_from(
        [
            "word",
            "Two words.",
            "- item",
            "  - nested",
            "1. first",
            "| a | b |",
            "|---|---|",
            "```py",
            "```",
            "~~~",
            "# H",
            "",
            " ",
            "> quote",
            "**bold**",
            "[link](http://x.y/z)",
            "- [ ] todo",
            "x_y_z",
            "`a b`",
            "e.g. this",
            "\tx",
            "é 漢",
        ]
    ),
    max_size=30,
).map("\n".join)
ANY = st.one_of(MARKDOWN, st.text(max_size=300))


@given(ANY)
def test_blanking_keeps_the_length_and_every_character_it_does_not_blank(text: str) -> None:
    blank = blank_markup(text)
    assert len(blank) == len(text)
    assert all(b in (a, " ") for a, b in zip(text, blank, strict=True))


@given(ANY)
def test_blocks_are_ordered_and_hold_every_visible_character(text: str) -> None:
    found = list(blocks(text))
    at = 0
    outside = ""
    for block in found:
        assert at <= block.start < block.end <= len(text)
        outside += text[at : block.start]
        assert block.kind in ("paragraph", "item", "table", "code")
        at = block.end
    assert not (outside + text[at:]).strip()


@given(st.text(max_size=40), MARKDOWN, st.text(max_size=40))
def test_blocks_of_a_part_point_into_the_whole(before: str, part: str, after: str) -> None:
    text = before + part + after
    start, end = len(before), len(before) + len(part)
    shifted = [(b.kind, b.start - start, b.end - start) for b in blocks(text, start, end)]
    assert shifted == [(b.kind, b.start, b.end) for b in blocks(part)]


@given(ANY)
def test_sentences_are_trimmed_ordered_and_lose_nothing(text: str) -> None:
    at = 0
    outside = ""
    for start, end in sentences(text, 0, len(text)):
        assert at <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        outside += text[at:start]
        at = end
    assert not (outside + text[at:]).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("It costs 1.5 ms. Then more.", ["It costs 1.5 ms.", "Then more."]),
        ("Logs, e.g. Kafka, keep order. Queues do not.", ["Logs, e.g. Kafka, keep order.", "Queues do not."]),
        ("See Fig. 3 for it. Good.", ["See Fig. 3 for it.", "Good."]),
        ("Is it safe? No! Never.", ["Is it safe?", "No!", "Never."]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("**Bold ends.** Next one.", ["**Bold ends.**", "Next one."]),
        ("by J. Gray in 1981.", ["by J. Gray in 1981."]),
        ("The answer is no. Then stop.", ["The answer is no.", "Then stop."]),
        ("See no. 3 and p. 12 there.", ["See no. 3 and p. 12 there."]),
        ("no end at all", ["no end at all"]),
        ("   ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == expected


def test_blocks_know_their_kinds() -> None:
    text = (
        "A paragraph\nover two lines.\n\n- an item\n  with more\n  - and below\n- another\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n\ny = 2\n```\nafter"
    )
    found = [(b.kind, text[b.start : b.end], b.info) for b in blocks(text)]
    assert found == [
        ("paragraph", "A paragraph\nover two lines.", ""),
        ("item", "- an item\n  with more\n  - and below", ""),
        ("item", "- another", ""),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |", ""),
        ("code", "```python\nx = 1\n\ny = 2\n```", "python"),
        ("paragraph", "after", ""),
    ]


def test_a_fence_that_never_closes_is_code_to_the_end() -> None:
    text = "```mermaid\ngraph TD\n\nA --> B\n"
    assert [(b.kind, b.info, text[b.start : b.end]) for b in blocks(text)] == [("code", "mermaid", text.rstrip())]


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("**bold** x", "  bold   x"),
        ("see [the page](http://a.b)", "see  the page             "),
        ("- [x] done", "      done"),
        ("-   wide", "    wide"),
        ("snake_case stays", "snake_case stays"),
        ("`O(1)` look-up", " O(1)  look-up"),
        ("## Heading", "   Heading"),
    ],
)
def test_blank_markup(text: str, blank: str) -> None:
    assert blank_markup(text) == blank


@given(st.text(max_size=200))
def test_a_cleaned_question_is_one_trimmed_line_and_stays_so(text: str) -> None:
    clean = clean_question(text)
    assert clean == clean.strip()
    assert "\n" not in clean
    assert "  " not in clean
    assert clean_question(clean) == clean


def test_invisible_characters_leave_a_question() -> None:
    assert clean_question("wh\u200by\u202e \x00Kafka\U000e0041?\ufeff\n now") == "why Kafka? now"


def test_the_text_of_a_link_is_not_cut() -> None:
    text = "Do [528. Random Pick with Weight](https://example.org/x): it needs prefix sums. Then rest."
    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == [
        "Do [528. Random Pick with Weight](https://example.org/x): it needs prefix sums.",
        "Then rest.",
    ]
