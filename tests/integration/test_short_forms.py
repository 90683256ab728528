"""A word of a question is not taken for the short form that it is spelt like: "use" is not USE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor.bootstrap import App
from tutor.retrieval.lexicon import Lexicon
from tutor.settings import Settings

USE, RED = "utilization, saturation and errors", "rate, errors, duration"
ACID, BASE = (
    "atomicity, consistency, isolation, durability",
    "basically available, soft state, eventually consistent",
)
REST, STAR = "representational state transfer", "situation, task, action, result"


@pytest.fixture(scope="module")
def core(curriculum_home: Path) -> Iterator[App]:
    app = App(Settings(home=curriculum_home))
    yield app
    app.close()


@pytest.fixture(scope="module")
def forms(core: App) -> dict[str, str]:
    """Each short form of the curriculum and what it stands for."""
    lexicon = Lexicon.from_payload(core.reader.payload("lexicon", "lexicon") or {})
    return {short: long for table in lexicon.forms.values() for short, long in table.items()}


def added(core: App, question: str) -> tuple[str, ...]:
    return core.searcher.expander.expand(question, is_word=core.searcher.encoder.is_word).added


@pytest.mark.parametrize(
    ("question", "not_meant"),
    [
        ("When should I use Postgres?", USE),
        ("When should I use Terraform?", USE),
        ("When should I use Kafka?", USE),
        ("When should I not use Kafka?", USE),
        ("WHEN SHOULD I USE POSTGRES?", USE),
        ("Why use a saga?", USE),
        ("why use sql", USE),
        ("When to use Redis?", USE),
        ("how do I use etcd", USE),
        ("use kafka?", USE),
        ("Use of Terraform", USE),
        ("can't use redis", USE),
        ("What should I use?", USE),
        ("When do you use it?", USE),
        ("what to use", USE),
        ("What is a red build?", RED),
        ("a red flag in interviews", RED),
        ("base image for docker", BASE),
        ("base class", BASE),
        ("encryption at rest", REST),
        ("the rest of the requests", REST),
        ("What is a star schema?", STAR),
        ("how do I cap memory of a pod", "consistency, availability, partition tolerance"),
        ("How do I clip gradients?", "contrastive language-image pretraining"),
        ("React hooks", "reasoning and acting"),
        ("how does it react to load", "reasoning and acting"),
        ("swim lane diagram", "Scalable Weakly-consistent Infection-style process group Membership"),
        ("dash board latency", "Dynamic Adaptive Streaming over HTTP"),
        ("pop a message from a queue", "point of presence"),
        ("vip customers", "virtual IP"),
        ("rope data structure", "rotary position embedding"),
        ("kiss of death", "keep it simple, stupid"),
    ],
)
def test_an_english_word_is_a_word(core: App, forms: dict[str, str], question: str, not_meant: str) -> None:
    assert not_meant in forms.values()
    assert not_meant not in added(core, question)


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("What is USE?", USE),
        ("use", USE),
        ("What does USE stand for?", USE),
        ("How do I apply USE to a disk?", USE),
        ("RED vs USE", USE),
        ("red vs use", RED),
        ("acid", ACID),
        ("What does acid stand for?", ACID),
        ("acid vs base", BASE),
        ("difference between acid and base", ACID),
        ("ACID in Postgres", ACID),
        ("rest", REST),
        ("Is REST stateless?", REST),
        ("define cap", "consistency, availability, partition tolerance"),
        ("what is rag", "retrieval-augmented generation"),
        ("how does ReAct loop", "reasoning and acting"),
        ("kiss", "keep it simple, stupid"),
    ],
)
def test_a_short_form_that_is_meant_is_spelt_out(core: App, question: str, meant: str) -> None:
    assert meant in added(core, question)


def test_no_short_form_of_the_curriculum_is_read_into_a_word(core: App, forms: dict[str, str]) -> None:
    """Each that English has as a word and people can pronounce, written as one, beside a technology."""
    is_word = core.searcher.encoder.is_word
    shorts = {
        short: long
        for short, long in forms.items()
        if short.isalpha() and sum(map(str.isupper, short)) > 1 and is_word(short.lower()) and set(short) & set("AEIOU")
    }
    assert {"USE", "RED", "ACID", "BASE", "REST", "CAP", "STAR", "CLIP", "DASH", "KISS"} <= shorts.keys()
    for short, long in shorts.items():
        for question in ("When should I {} Postgres?", "Why {} a saga?", "{} Terraform", "how do we {} a queue"):
            assert long not in added(core, question.format(short.lower())), short


@pytest.mark.parametrize("name", ["Postgres", "Kafka", "Terraform", "gRPC", "MongoDB", "etcd", "a saga", "sql"])
def test_when_to_use_a_thing_is_answered(core: App, name: str) -> None:
    answer = core.answerer.answer(f"When should I use {name}?")
    assert not answer.abstained and answer.confidence > 0.5
    assert USE not in str(answer.meant)
