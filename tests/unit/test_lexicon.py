"""Acronyms are learnt from the text, expansions go both ways, and only what is misspelt is corrected."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.retrieval.encoder import OnnxEncoder
from tutor.retrieval.lexicon import Expander, Expansion, Lexicon, defined_acronyms, passage_words

_WORDS = (
    "kafka cassandra idempotency replication consistency replaced replay compute committed broker partition "
    "partitions stream caching sharding latency leader quorum postgres storage linearizability"
)
FREQUENCY = dict.fromkeys(_WORDS.split(), 5) | {"obscurity": 1}
FORMS = {
    "cdc": {"CDC": "change data capture"},
    "kafka": {"EOS": "exactly-once semantics", "Kafka": "Apache Kafka"},
    "rag": {"RAG": "retrieval-augmented generation"},
    "sagas": {"2PC": "two-phase commit", "saga": "Saga"},
}


@pytest.fixture(scope="module")
def english() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture
def expander() -> Expander:
    return Expander(Lexicon(FREQUENCY, FORMS))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We use change data capture (CDC) here.", {"CDC": "change data capture"}),
        ("A two-phase commit (2PC) blocks.", {"2PC": "two-phase commit"}),
        ("and three-phase commit (3PC).", {"3PC": "three-phase commit"}),
        ("Write-ahead log (WAL) first.", {"WAL": "Write-ahead log"}),
        ("a single point of failure (SPOF)", {"SPOF": "single point of failure"}),
        ("remote procedure calls (RPCs)", {"RPCs": "remote procedure calls"}),
        ("quality of service (QoS)", {"QoS": "quality of service"}),
        (
            "a web application firewall (WAF) and a content delivery network (CDN)",
            {"WAF": "web application firewall", "CDN": "content delivery network"},
        ),
        ("the log (WAL)", {}),
        ("see the figure (A)", {}),
        ("change data capture (cdc)", {}),
        ("change data capture (CDK)", {}),
        ("Postgres (2024)", {}),
        ("", {}),
    ],
)
def test_initials_must_spell_the_short_form(text: str, found: dict[str, str]) -> None:
    assert defined_acronyms(text) == found


@pytest.mark.parametrize("text", ["-".join("a" * 5_000), "a" * 100_000, "a/" * 50_000, "a'" * 50_000, "a " * 50_000])
def test_acronyms_are_found_in_time_linear_in_the_text(text: str) -> None:
    began = time.process_time()
    assert defined_acronyms(f"{text} x y (CDC)") == {}
    assert time.process_time() - began < 1.0


@given(st.text(alphabet="abC 2-/'()\n", max_size=200))
def test_a_definition_stands_in_the_text(text: str) -> None:
    for short, long in defined_acronyms(text).items():
        assert f"{long} ({short})" in text


@pytest.mark.parametrize(
    ("question", "added"),
    [
        ("What is CDC?", ("change data capture",)),
        ("cdc or not", ("change data capture",)),
        ("Explain change data capture", ("CDC",)),
        ("exactly once semantics", ("EOS",)),
        ("Why two-phase commit?", ("2PC",)),
        ("2pc", ("two-phase commit",)),
        ("change data capture (CDC)", ()),
        ("nothing of the kind", ()),
        ("", ()),
    ],
)
def test_forms_are_added_both_ways(expander: Expander, question: str, added: tuple[str, ...]) -> None:
    assert expander.expand(question).added == added


def test_a_form_inside_another_word_is_not_the_form(expander: Expander) -> None:
    assert expander.expand("storage for retrieval-augmented generation").added == ("RAG",)


@pytest.mark.parametrize(
    ("question", "added"),
    [
        ("When should I use Redis?", ()),
        ("What should I use?", ()),
        ("WHEN SHOULD I USE REDIS?", ()),
        ("use", ("utilization, saturation and errors",)),
        ("What does use stand for?", ("utilization, saturation and errors",)),
        ("How do I apply USE?", ("utilization, saturation and errors",)),
        ("use vs red", ("utilization, saturation and errors", "rate, errors, duration")),
        ("a red build", ()),
    ],
)
def test_a_word_is_a_short_form_only_where_it_is_asked_about(
    english: OnnxEncoder, question: str, added: tuple[str, ...]
) -> None:
    forms = {"use": {"USE": "utilization, saturation and errors"}, "red": {"RED": "rate, errors, duration"}}
    assert Expander(Lexicon(FREQUENCY, forms)).expand(question, is_word=english.is_word).added == added


def test_longer_names_come_first(expander: Expander) -> None:
    assert expander.expand("EOS and retrieval augmented generation").added == ("RAG", "exactly-once semantics")


def test_a_form_that_differs_in_case_only_is_no_form(expander: Expander) -> None:
    assert expander.expand("a saga").added == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kafak", "kafka"),
        ("casandra", "cassandra"),
        ("idempotancy", "idempotency"),
        ("replicaton", "replication"),
        ("consistancy", "consistency"),
        ("postgress", "postgres"),
        ("linearizabilty", "linearizability"),
    ],
)
def test_typos_are_corrected(expander: Expander, english: OnnxEncoder, typed: str, meant: str) -> None:
    for question in (typed, f"What is {typed.title()}?", f"({typed})", f"{typed}, {typed}"):
        found = expander.expand(question, is_word=english.is_word)
        assert found.corrected == ((typed, meant),)
        assert typed not in found.mended(question).lower()
        assert meant in found.mended(question)


@pytest.mark.parametrize("unit", ["MBps", "Mbps", "Gbps", "kbps", "Mbit", "msec", "overkill"])
def test_a_unit_or_a_word_of_asking_is_no_misspelt_word(english: OnnxEncoder, unit: str) -> None:
    close = Expander(Lexicon(dict.fromkeys(("map", "maps", "keeps", "gaps", "merit", "overall"), 5), {}))
    assert close.expand(f"How do I reach 10 {unit}?", is_word=english.is_word).corrected == ()


def test_a_corrected_name_is_expanded(expander: Expander) -> None:
    assert expander.expand("kafak").added == ("Apache Kafka",)


@pytest.mark.parametrize(
    "word",
    (
        "leader replaced caching coaching catching brewer leaders quorums party cooking banana guitar selection "
        "erection complete commit compete recommendation application violin weather lawyer "
        "replayed brokered partitioner streamer shading cashing replicator"
    ).split(),
)
def test_english_is_not_corrected(expander: Expander, english: OnnxEncoder, word: str) -> None:
    assert expander.expand(word, is_word=english.is_word).corrected == ()


@pytest.mark.parametrize("word", [*FREQUENCY, "obscurity", "Kafka", "KAFKA"])
def test_words_of_the_corpus_are_not_corrected(expander: Expander, word: str) -> None:
    assert expander.expand(word).corrected == ()


@pytest.mark.parametrize("word", ["kaf", "p99x", "kafk4", "akfka", "obscurty", "кафка", "kaffffka"])
def test_short_odd_far_or_rare_words_are_left_alone(expander: Expander, word: str) -> None:
    assert expander.expand(word).corrected == ()


def test_only_whole_words_are_mended() -> None:
    found = Expansion((), (("kafak", "kafka"),))
    assert found.mended("Kafak, kafaks and (KAFAK)/kafak") == "kafka, kafaks and (kafka)/kafka"


def test_frequency_counts_all_forms_of_a_word() -> None:
    expander = Expander(Lexicon({"cache": 2, "caching": 3, "p99": 1}))
    assert expander.frequency("caches") == 5
    assert expander.frequency("p99") == 1
    assert expander.frequency("nothing") == 0


def test_a_passage_counts_a_word_once() -> None:
    assert passage_words(["cache cache", "Cache exactly-once"]) == {
        "cache": 2,
        "exactly-once": 1,
        "exactly": 1,
        "once": 1,
    }


def test_payload_round_trip() -> None:
    lexicon = Lexicon(FREQUENCY, FORMS | {"empty": {}})
    again = Lexicon.from_payload(lexicon.to_payload())
    assert again.frequency == FREQUENCY
    assert again.forms == FORMS
    assert Expander(Lexicon.from_payload({})).expand("kafak CDC") == Expansion((), ())


@given(st.text(max_size=120))
def test_any_question_is_expanded_the_same_way_twice(question: str) -> None:
    expander = Expander(Lexicon(FREQUENCY, FORMS))
    assert expander.expand(question) == expander.expand(question)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How does Kafka do exactly-once semantics?", ["Kafka", "exactly-once semantics"]),
        ("CDC: what is it, and why Kafka?", ["CDC", "Kafka"]),
        ("is the EOS of Kafka, Kafka's own?", ["EOS", "Kafka", "Kafka's"]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_names_in_a_text_are_the_longest_and_end_at_a_comma(expander: Expander, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in expander.names_in(text)] == found


@given(st.text(max_size=200))
def test_names_never_overlap(text: str) -> None:
    spans = Expander(Lexicon(FREQUENCY, FORMS)).names_in(text)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(0 <= start < end <= len(text) for start, end in spans)
