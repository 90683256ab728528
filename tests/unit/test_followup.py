"""Follow-ups by rules: what is carried over, and what is left alone byte for byte."""

from __future__ import annotations

import pytest

from talking import after, names
from tutor.answering.conversation import Conversation
from tutor.answering.rewrite import standalone, subject_of


@pytest.mark.parametrize(
    ("before", "question", "read"),
    [
        # pronouns
        ("What is a saga?", "When should I not use it?", "When should I not use a saga?"),
        ("When should I use Kafka?", "What are its failure modes?", "What are the failure modes of Kafka?"),
        ("When should I use Kafka?", "How long should its topics be?", "How long should Kafka's topics be?"),
        ("What are sessions?", "how do I revoke them?", "how do I revoke sessions?"),
        ("Kafka or RabbitMQ?", "How do they differ?", "How do Kafka and RabbitMQ differ?"),
        # ellipsis
        ("When would you not use Kafka?", "why?", "Why would you not use Kafka?"),
        ("When should I use GraphQL?", "and when not?", "When should I not use GraphQL?"),
        ("When should I not use GraphQL?", "the opposite?", "When should I use GraphQL?"),
        ("What is a saga?", "an example?", "What is an example of a saga?"),
        ("What is a saga?", "trade-offs?", "What are the trade-offs of a saga?"),
        ("What is a saga?", "tell me more", "Explain a saga in detail"),
        ("When should I prefer gRPC over REST?", "and the other way round?", "When should I prefer REST over gRPC?"),
        # another subject
        ("How does MySQL implement MVCC?", "what about Postgres?", "How does Postgres implement MVCC?"),
        ("When should I use Kafka?", "And RabbitMQ?", "When should I use RabbitMQ?"),
        ("How does ZooKeeper store keys?", "and etcd?", "How does etcd store keys?"),
        # corrections
        ("How does Kafka deliver?", "no, I meant SQS", "How does SQS deliver?"),
        ("What limits a mutex?", "sorry, a semaphore", "What limits a semaphore?"),
        ("What is a mutex?", "not mutex, semaphore", "What is a semaphore?"),
        # circumstances
        ("How does Redis persist data?", "and on failover?", "How does Redis persist data, on failover?"),
        ("How does Raft commit?", "with five nodes?", "How does Raft commit, with five nodes?"),
        # comparisons and ordinals
        ("Kafka or RabbitMQ for jobs?", "which is cheaper?", "Kafka or RabbitMQ for jobs: which is cheaper?"),
        ("Kafka or RabbitMQ?", "When is the first a mistake?", "When is Kafka a mistake?"),
        ("sessions or JWT?", "how do I revoke the latter?", "how do I revoke JWT?"),
        # no subject of its own
        ("How long should Kafka keep its topics?", "how many?", "Kafka keep its topics: how many?"),
        (
            "Should I shard MongoDB early?",
            "is there a rule of thumb?",
            "shard MongoDB early: is there a rule of thumb?",
        ),
        ("How does Redis persist data?", "at what cost?", "Redis persist data: at what cost?"),
        ("What is a saga?", "any downsides?", "What are the downsides of a saga?"),
        ("How does Kafka compare to RabbitMQ?", "Why is that?", "Kafka compare to RabbitMQ: why?"),
        # the difference, the verdict
        (
            "Kafka or RabbitMQ for jobs?",
            "What is the difference?",
            "Kafka or RabbitMQ for jobs: What is the difference?",
        ),
        ("Kafka or RabbitMQ for jobs?", "what would you pick?", "Kafka or RabbitMQ for jobs: what would you pick?"),
        ("Kafka or RabbitMQ for jobs?", "when would I not use the latter?", "when would I not use RabbitMQ?"),
        # the same of another
        ("How does Postgres implement MVCC?", "does MySQL?", "How does MySQL implement MVCC?"),
        ("How does Kafka deliver?", "Does the same hold for SQS?", "How does SQS deliver?"),
        ("How does Kafka deliver?", "same question for SQS", "How does SQS deliver?"),
        # a verb is no subject to exchange
        ("How do I etcd?", "and TTLs?", "etcd: TTLs?"),
        # in other words
        ("What is a saga?", "shorter please", "What is a saga, shorter?"),
        ("What is a saga?", "sorry, I don't get it", "Explain a saga in detail"),
        # what was said before it asks nothing
        ("Thanks. What is a saga?", "how do I test it?", "how do I test a saga?"),
        ("Never mind! What is a saga?", "an example?", "What is an example of a saga?"),
        # clauses
        (
            "How does Raft commit a log entry?",
            "and if that leader is cut off, can it go on answering reads?",
            "Raft commit a log entry: if that leader is cut off, can it go on answering reads?",
        ),
    ],
)
def test_follow_ups_are_read_with_what_was_asked(before: str, question: str, read: str) -> None:
    found = standalone(question, after(before), names)
    assert found.text == read
    assert found.changed(question) and found.why and not found.shifted and found.by == "rules"


@pytest.mark.parametrize(
    "question",
    [
        "What is a Bloom filter?",
        "And what is a Bloom filter?",
        "So how does Raft elect a leader?",
        "How does Kafka keep its order?",
        "Is it better to shard early or late?",
        "does it make sense to use Kafka",
        "If a retry storm hits my payment service, how do I stop it?",
        "B-tree or LSM-tree for a write-heavy store?",
        "Each time we ship a new image, a handful of users get 502s. How do I stop that?",
        "They hand me a single sentence and want a vending machine written in an hour. How do I divide the time?",
        "When two requests book the same seat, how do I make sure that only one of them wins?",
        "how does an inverted index work",
        "adapter vs facade",
        "Does two-phase commit work?",
        "Thanks. How do I size a thread pool?",
        "Never mind. What is a Bloom filter?",
        "What is the difference between a mutex and a semaphore?",
        "Is there a limit to the members of a Raft group?",
        "How many replicas does Cassandra need?",
        "why do two workers freeze, each waiting for the other",
        "  What is   Raft ?? ",
        "",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    found = standalone(question, after("When should I use Redis?"), names)
    assert found.text == question and found.carried == ()


def test_nothing_is_carried_into_a_first_question() -> None:
    found = standalone("and when not?", Conversation(), names)
    assert (found.text, found.why) == ("and when not?", "nothing was asked before")


def test_a_turn_to_something_else_is_noticed() -> None:
    before = after("How does Kafka keep order?")
    assert standalone("What is a Bloom filter?", before, names).shifted
    assert not standalone("When is Kafka wrong?", before, names).shifted


def test_what_was_carried_is_told() -> None:
    assert standalone("When not to use it?", after("What is Kafka?"), names).carried == ("Kafka",)
    # a name that the question brings itself is not carried
    assert standalone("what about Postgres?", after("How does MySQL implement MVCC?"), names).carried == ("MVCC",)


def test_carrying_goes_on_over_turns_and_stops_at_a_new_subject() -> None:
    chain = after("How does MySQL implement MVCC?", "what about Postgres?")
    assert "Postgres" in standalone("and why?", chain, names).text
    chain = after("Kafka or RabbitMQ?", "When is the first a mistake?")
    assert standalone("and the other?", chain, names).text == "When is RabbitMQ a mistake?"
    chain = after("Kafka or RabbitMQ for jobs?", "when would I not use the latter?")
    assert standalone("and the former?", chain, names).text == "when would I not use Kafka?"
    chain = after("What is a saga?", "Thanks. What is a semaphore?")
    assert standalone("how do they differ?", chain, names).text == "saga or semaphore: how do they differ?"
    chain = after("What is Cassandra?", "How does a Bloom filter work?")
    read = standalone("and when not to use it?", chain, names).text
    assert "Bloom filter" in read and "Cassandra" not in read


def test_a_subject_is_what_a_question_is_about() -> None:
    assert subject_of("How does Raft commit a log entry?") == "Raft commit a log entry"
    assert subject_of("What is a saga?") == "a saga"
    assert subject_of("Raft: and why?") == "Raft"
    assert len(subject_of("word " * 400).split()) <= 16


@pytest.mark.parametrize(
    "question", ["it " * 900, "(" * 3000, "and " * 900, "the first " * 300, "a, " * 1300, "?" * 2000, "thanks, " * 400]
)
def test_no_question_takes_long(question: str) -> None:
    import time

    began = time.process_time()
    standalone(question, after("Kafka or RabbitMQ?"), names)
    assert time.process_time() - began < 2.0
