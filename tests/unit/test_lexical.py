"""The tokeniser keeps the field's terms, and the weights are BM25's."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.retrieval.lexical import (
    document_vector,
    query_content,
    query_vector,
    stem,
    term_id,
    terms,
    words,
)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("R+W>N", "r+w>n"),
        ("r+w>n.", "r+w>n"),
        ("R + W > N", "r+w>n"),
        ("(R+W > N)", "r+w>n"),
        ("R+W≥N", "r+w>=n"),
        ("W=3", "w=3"),
        ("C10K", "c10k"),
        ("exactly-once", "exactly-once"),
        ("at-least-once,", "at-least-once"),
        ("HTTP/2.", "http/2"),
        ("p99", "p99"),
        ("p99.9", "p99.9"),
        ("O(1)", "o(1)"),
        ("O(log n)", "o(log n)"),
        ("O(n log n)", "o(n log n)"),
        ("O(n*m)", "o(n*m)"),
        ("C++", "c++"),
        ("C++.", "c++"),
        ("C#", "c#"),
        ("(.NET)", ".net"),
        ("node.js", "node.js"),
        ("CI/CD", "ci/cd"),
        ("2PC", "2pc"),
        ("TCP/IP", "tcp/ip"),
        ("k8s", "k8s"),
        ("99.99%", "99.99"),
        ("10x", "10x"),
        ("10×", "10x"),
        ("I/O", "i/o"),
        ("user_id", "user_id"),
        ("read-your-writes", "read-your-writes"),
    ],
)
def test_terms_of_the_field_stay_whole(text: str, token: str) -> None:
    for said in (text, f"Say {text} again", f"say {text.lower()}?"):
        assert token in words(said)
        assert token in terms(said)
        assert token in query_content(said)


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        ("R+W>N", ["r", "w", "n"]),
        ("exactly-once", ["exactly", "once"]),
        ("node.js", ["node", "js"]),
        ("TCP/IP", ["tcp", "ip"]),
        ("log-structured", ["log", "structured"]),
    ],
)
def test_a_joined_term_is_followed_by_its_parts(token: str, parts: list[str]) -> None:
    assert words(token) == [token.lower(), *parts]
    assert query_content(token) == [token.lower()]


def test_decimals_and_big_o_have_no_parts() -> None:
    assert words("99.99 O(log n)") == ["99.99", "o(log n)"]


@pytest.mark.parametrize("dash", "-\u2010\u2011\u2012\u2013\u2212")
def test_every_hyphen_is_a_hyphen(dash: str) -> None:
    assert words(f"exactly{dash}once") == words("exactly-once")


def test_an_em_dash_parts_words() -> None:
    assert words("fast\u2014but lossy") == ["fast", "but", "lossy"]


def test_compatibility_forms_are_one() -> None:
    assert words("ＨＴＴＰ/２ ﬁle") == words("HTTP/2 file")
    assert words("don\u2019t") == words("don't")


@pytest.mark.parametrize(
    "family",
    [
        ("cache", "caches", "caching", "cached"),
        ("shard", "shards", "sharding", "sharded"),
        ("replicate", "replicated", "replication"),
        ("saga", "sagas"),
        ("idempotent", "idempotency"),
    ],
)
def test_forms_of_a_word_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize("word", ["p99", "r+w>n", "2pc", "c++", "dns", "日本語", "naïve"])
def test_what_is_no_english_word_keeps_its_ending(word: str) -> None:
    assert stem(word) == word


def test_stop_words_are_left_out_and_repeats_are_kept() -> None:
    assert terms("What is the quorum of a quorum, and why?") == ["quorum", "quorum"]
    assert query_content("What is the quorum?") == ["quorum"]
    assert terms("what is it and why not") == []


@pytest.mark.parametrize("text", ["", " \n\t", "?!…", "—", "=", "()", "\u200b"])
def test_nothing_in_nothing_out(text: str) -> None:
    assert words(text) == terms(text) == query_content(text) == []
    assert document_vector(terms(text)) == ([], [])


_FIELD = st.text(alphabet="aAnNoOwW019 +-/.'&_*<>=()#%\u2011\u2013×≥é日🙂\u0301\n", max_size=80)


@given(st.text(max_size=200) | _FIELD)
def test_any_text_is_cut_the_same_way_twice(text: str) -> None:
    found = words(text)
    assert found == words(text)
    assert all(found)
    assert set(query_content(text)) <= set(found)
    assert set(terms(text)) <= {stem(w) for w in found}
    assert {stem(w) for w in query_content(text)} <= set(terms(text))


@given(_FIELD, _FIELD)
def test_a_question_copied_from_a_document_finds_all_its_terms(before: str, question: str) -> None:
    assert set(terms(question)) <= set(terms(f"{before}\n{question}\n"))


@given(st.lists(st.sampled_from(["quorum", "read", "raft", "leader", "p99"]), max_size=200))
def test_weights_grow_with_frequency_and_stay_below_their_limit(found: list[str]) -> None:
    ids, weights = document_vector(found)
    assert len(ids) == len(weights) == len(set(found))
    by_id = dict(zip(ids, weights, strict=True))
    assert all(0 < w < 2.2 for w in weights)
    for a in set(found):
        for b in set(found):
            if found.count(a) > found.count(b):
                assert by_id[term_id(a)] > by_id[term_id(b)]


def test_weights_are_those_of_the_formula() -> None:
    # k1 = 1.2, b = 0.75, average 90 terms. Three terms: norm = 1.2 * (0.25 + 0.75 * 3 / 90) = 0.33.
    ids, weights = document_vector(["quorum", "quorum", "read"])
    by_id = dict(zip(ids, weights, strict=True))
    assert by_id[term_id("quorum")] == pytest.approx(4.4 / 2.33)  # 2 * 2.2 / (2 + 0.33)
    assert by_id[term_id("read")] == pytest.approx(2.2 / 1.33)
    # A document of average length has norm = k1, so that a term that occurs once weighs 1.
    _, average = document_vector([f"t{i}" for i in range(90)])
    assert average == pytest.approx([1.0] * 90)


def test_ids_are_crc_32() -> None:
    assert term_id("quorum") == zlib.crc32(b"quorum") == 0x15F5DB45
    assert 0 <= term_id("日本語") < 2**32


def test_a_query_keeps_the_greater_weight_of_a_term() -> None:
    assert query_vector({"quorum": 1.0, "majority": 0.2}) == (
        [term_id("quorum"), term_id("majority")],
        [1.0, 0.2],
    )
    assert query_vector({}) == ([], [])
