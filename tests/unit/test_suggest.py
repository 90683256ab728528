"""What to ask next: three at most, of the cited cards and one beside them, nothing that was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor.answering.suggest import MOST, suggestions
from tutor.curriculum.outline import CardLine, Outline, ProbeLine, outline

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def card(name: str, *asks: tuple[str, str], related: tuple[str, ...] = ()) -> CardLine:
    probes = tuple(ProbeLine(f"p{n}", kind, ask, ()) for n, (kind, ask) in enumerate(asks))
    return CardLine(
        name, name.title(), 1, "S", 1, "core", "deep", (), (), (), (), related, probes, ()
    )  # fmt: skip


SMALL = Outline(
    {
        one.id: one
        for one in (
            card("kafka", ("estimate", "How many brokers?"), ("compare", "Kafka or SQS for order events?"),
                 ("why-not", "Why not Kafka for mail jobs?"), related=("gone", "redis", "outbox")),
            card("redis", ("why-not", "Why not Redis as the ledger's store?"), ("how", "How does Redis persist?")),
            card("outbox", ("why-not", "x" * 200), ("failure", "The relay of the outbox dies: what then?")),
            card("empty", ("design", "Design it.")),
        )
    },
    {}, (), {},
)  # fmt: skip


def asked(cited: list[str], before: list[str]) -> list[tuple[str, str]]:
    return [(one.question, one.card) for one in suggestions(cited, SMALL, before)]


def test_first_the_cited_cards_then_one_beside_the_first() -> None:
    assert asked(["kafka"], []) == [
        ("Why not Kafka for mail jobs?", "kafka"),
        ("Why not Redis as the ledger's store?", "redis"),
        ("Kafka or SQS for order events?", "kafka"),
    ]
    assert asked(["kafka", "redis", "kafka"], []) == [
        ("Why not Kafka for mail jobs?", "kafka"),
        ("Why not Redis as the ledger's store?", "redis"),
        ("The relay of the outbox dies: what then?", "outbox"),
    ]


def test_nothing_that_was_asked_in_these_or_other_words() -> None:
    found = asked(["kafka"], ["why not kafka for jobs that send mail", "How does Redis persist?"])
    assert ("Why not Kafka for mail jobs?", "kafka") not in found
    assert all("persist" not in question for question, _ in found)


@pytest.mark.parametrize("cited", [[], ["log/x", "notes/a.md"], ["empty"]])
def test_nothing_where_no_card_has_a_question(cited: list[str]) -> None:
    assert asked(cited, []) == []


def test_every_card_of_the_curriculum_leads_on() -> None:
    whole = outline(CORPUS, None)
    for name in whole.cards:
        found = suggestions([name], whole, [])
        assert 1 <= len(found) <= MOST, name
        assert found == suggestions([name], whole, [])
        assert len({one.question for one in found}) == len(found)


def test_a_conversation_on_one_card_is_offered_others_after_each_answer() -> None:
    whole = outline(CORPUS, None)
    questions = [f"What is redis thing number {n}?" for n in range(3)]
    found = [{one.question for one in suggestions(["redis"], whole, questions[: n + 1])} for n in range(3)]
    assert not found[0] & found[1] and not found[1] & found[2]
