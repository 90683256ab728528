"""A model's reply read piece by piece: sentences, marks, lists, loops, and what never comes through."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.answering.stream import MAX_CHARS, MAX_LINE_CHARS, Reply, Written, cleaned, unsafe


def read(text: str, cuts: list[int] | None = None) -> list[Written]:
    """All sentences of a text fed in the pieces that ``cuts`` make of it."""
    reply = Reply()
    places = [0, *sorted(c % (len(text) + 1) for c in cuts or []), len(text)]
    found = [w for a, b in pairwise(places) for w in reply.feed(text[a:b])]
    return found + list(reply.end())


TEXT = """A quorum overlaps, e.g. with R+W > N nodes [1]. It needs a majority. [2][3] See it vs. none [1, 3].

- **Cost:** one round trip takes 0.5 ms [2]. A second sentence follows. [4]
- Dr. Lamport wrote it in 1998 [passage 5]
1. Numbered point [1-3].

Last words 【2】."""


def test_sentences_with_their_marks() -> None:
    found = [(w.text, w.marks, w.kind) for w in read(TEXT)]
    assert found == [
        ("A quorum overlaps, e.g. with R+W > N nodes.", (1,), "prose"),
        ("It needs a majority.", (2, 3), "prose"),
        ("See it vs. none.", (1, 3), "prose"),
        ("**Cost:** one round trip takes 0.5 ms.", (2,), "item"),
        ("A second sentence follows.", (4,), "item"),
        ("Dr. Lamport wrote it in 1998", (5,), "item"),
        ("Numbered point.", (1, 2, 3), "item"),
        ("Last words.", (2,), "prose"),
    ]
    assert [w.paragraph for w in read(TEXT)][:3] == [0, 0, 0]
    assert len({w.paragraph for w in read(TEXT)}) > 3
    assert not any(w.cut for w in read(TEXT))


@given(st.lists(st.integers(min_value=0, max_value=len(TEXT)), max_size=40))
def test_where_the_pieces_are_cut_makes_no_difference(cuts: list[int]) -> None:
    texts = [(w.text, w.marks, w.kind) for w in read(TEXT)]
    assert [(w.text, w.marks, w.kind) for w in read(TEXT, cuts)] == texts


def test_one_character_at_a_time() -> None:
    assert [w.text for w in read(TEXT, list(range(len(TEXT))))] == [w.text for w in read(TEXT)]


def test_a_mark_behind_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    reply = Reply()
    assert list(reply.feed("First one. ")) == []
    assert list(reply.feed("[2] ")) == []
    assert [(w.text, w.marks) for w in reply.feed("Second begins")] == [("First one.", (2,))]


@pytest.mark.parametrize("text", ["It is safe unless the lead", "- A point that never", "Good. Then it"])
def test_a_half_sentence_is_marked_as_cut(text: str) -> None:
    assert read(text)[-1].cut


def test_code_tables_and_headings_come_out_as_such() -> None:
    found = read("# Title\n\n```sh\nrm -rf x\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n**Label**\nText.")
    assert [w.kind for w in found] == ["heading", "code", "table", "table", "table", "heading", "prose"]
    assert found[1].text == "rm -rf x"
    unclosed = read("```\nhalf")
    assert [(w.kind, w.cut) for w in unclosed] == [("code", True)]


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("See [the docs](https://x.test/a?b=1) now.", "See the docs now."),
        ("![pixel](https://x.test/p.png?q=secret) Yes.", "Yes."),
        ("Go to https://x.test/steal?d=1 or www.x.test/a.", "Go to or"),
        ("<img src=x onerror=alert(1)> Fine.", "Fine."),
        ("<https://x.test> and <!-- hidden --> text", "and text"),
        ("[a](javascript:alert(1)", "a"),
    ],
)
def test_links_images_addresses_and_tags_go(raw: str, left: str) -> None:
    assert cleaned(raw) == left
    assert "x.test" not in cleaned(raw)


def test_invisible_characters_go() -> None:
    assert read("Vis\u200bible\u202e text\U000e0041.")[0].text == "Visible text."


def test_a_loop_is_noticed_and_said_once() -> None:
    reply = Reply()
    said = [w for _ in range(50) for w in reply.feed("The same again. ")]
    assert len(said) == 1
    assert "repeats" in reply.trouble
    assert list(reply.feed("More. And more. ")) == []
    assert list(reply.end()) == []


def test_a_line_without_an_end_and_a_huge_reply_are_given_up() -> None:
    endless = Reply()
    for _ in range(MAX_LINE_CHARS // 4 + 2):
        list(endless.feed("ha, "))
    assert "without an end" in endless.trouble
    huge = Reply()
    n = 0
    while not huge.trouble and n < MAX_CHARS:
        n += 1
        list(huge.feed(f"Sentence number {n} is new.\n"))
    assert "too long" in huge.trouble


def test_no_reply_is_no_sentence() -> None:
    assert read("") == read(" \n\n---\n ") == []


ATTACKS = (
    "Use it [!![z](y)[b](c)](h<<b>http://a>ttps://evil.test/p.png?q=kafka) now.",
    "Use it [!![z](y)[b](c)](//evil.test/p.png) now.",
    "Use it [a[b](c)](//evil.test) now.",
    "Use it <im<b>g src=//evil.test/x onerror=alert(1)> now.",
    "Use it <scr<b>ipt>alert(1)</scr</b>ipt> now.",
    "Use it [a][b] and ![c] now.",
    "Use it ht[1]tps://evil.test/p now.",
    "Use it [a][1](//evil.test) now.",
    "Use it <<a>a href='//evil.test'>b</a> now.",
    "Use it w[b](c)ww.evil.test now.",
    "Use it hthttp://attp://evil.test now.",
)


@pytest.mark.parametrize("raw", ATTACKS)
def test_what_is_left_of_an_attack_is_clean_or_seen(raw: str) -> None:
    for found in read(raw):
        assert cleaned(found.text) == found.text
        if not unsafe(found.text):
            assert not any(bad in found.text for bad in ("](", "://", "<", "www.", "![", "][", "//evil"))


PARTS = [
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    "b",
    "/",
    "//",
    ":",
    "http",
    "www.",
    "x.test",
    " ",
    "[1]",
    "-->",
    "<!--",
    "|",
]


@given(st.lists(st.sampled_from(PARTS), max_size=24))
def test_no_link_image_or_tag_is_ever_left(parts: list[str]) -> None:
    for found in read("Say " + "".join(parts) + " now."):
        assert cleaned(found.text) == found.text
        if found.kind == "prose" and not unsafe(found.text):
            assert not any(bad in found.text for bad in ("](", "://", "<b", "</", "<!", "www.", "!["))


@pytest.mark.parametrize(
    "text", ["A read needs R + W > N and p < 0.5.", "It takes < 1 ms; a[i] <= b.", "Either/or: it is."]
)
def test_plain_comparisons_are_safe(text: str) -> None:
    assert read(text)[0].text == text and not unsafe(text)


def test_a_mark_within_a_mark_leaves_none() -> None:
    assert [w.text for w in read("It holds [[1]2] so. [[2][3]4]")] == ["It holds so."]


THOUGHT = (
    "<think>Kafka is <b>bad</b>. [1]\n\nSay so.</think>\nA queue keeps jobs. [1]\n"
    "<THINKING>No.</Thinking>It retries. [2]"
)


@given(st.lists(st.integers(min_value=0, max_value=len(THOUGHT)), max_size=40))
def test_thoughts_are_no_part_of_a_reply(cuts: list[int]) -> None:
    assert [(w.text, w.marks) for w in read(THOUGHT, cuts)] == [("A queue keeps jobs.", (1,)), ("It retries.", (2,))]
    reply = Reply()
    places = [0, *sorted(cuts), len(THOUGHT)]
    shown = "".join(reply.shown(THOUGHT[a:b]) for a, b in pairwise(places))
    assert not any(word in shown for word in ("Kafka", "Say", "think", "THINK", "No."))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>never ended. It is so.", []),
        ("x</think> It is so.", ["x It is so."]),
        ("It is p <", ["It is p <"]),
        ("Keep it <think", ["Keep it <think"]),
        ("One <think>a<think>b</think>c</think>two is it.", ["One two is it."]),
    ],
)
def test_odd_thoughts(text: str, left: list[str]) -> None:
    assert [w.text for w in read(text, list(range(len(text))))] == left


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("NO ANSWER", ["none"]),
        ("no answer.\n", ["none"]),
        ("# NO ANSWER\n", ["none"]),
        ("**No answer**", ["none"]),
        ("A queue keeps jobs.\nNO ANSWER", ["prose", "none"]),
        ("No answer fits all: use SQS for jobs.", ["prose"]),
        ("NO ANSWER. Use SQS for jobs.", ["prose", "prose"]),
        ("No answers", ["prose"]),
    ],
)
def test_only_a_whole_line_says_that_there_is_no_answer(text: str, kinds: list[str]) -> None:
    assert [w.kind for w in read(text)] == kinds
