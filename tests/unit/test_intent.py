"""The intent of a question and the two sides of a comparison."""

import pytest

from tutor.answering.intent import classify


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is a quorum?", "definition"),
        ("How does Raft elect a leader?", "how"),
        ("Redis vs Memcached", "compare"),
        ("What is the difference between a mutex and a semaphore?", "compare"),
        ("When should I use Cassandra?", "when"),
        ("When should you not use Kafka?", "when-not"),
        ("Why not Kafka for a simple task queue?", "why-not"),
        ("Why is 2PC avoided in microservices?", "why-not"),
        ("trade-offs of write-back caching", "trade-off"),
        ("What happens when a replica fails?", "failure"),
        ("How many partitions do I need?", "estimate"),
        ("What are the types of load balancing?", "list"),
        ("Design a rate limiter for a public API", "plan"),
        ("Why does the KV cache grow?", "why"),
        ("pros and cons of event sourcing", "trade-off"),
        ("Advantages and disadvantages of sharding", "trade-off"),
        ("disadvantages of Kafka", "when-not"),
        ("Kafka over RabbitMQ", "prefer"),
        ("Why would you use gRPC instead of REST?", "prefer"),
        ("When to choose Postgres over MongoDB", "prefer"),
        ("Why does HTTP/3 run over UDP?", "why"),
        ("Should I shard early?", "choose"),
        ("Which database should I pick for a chat app?", "choose"),
        ("kafka", "other"),
    ],
)
def test_intent(question: str, name: str) -> None:
    assert classify(question).name == name


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("What is the difference between a mutex and a semaphore?", ("mutex", "semaphore")),
        ("Redis vs Memcached", ("Redis", "Memcached")),
        ("Should I use Kafka or RabbitMQ?", ("Kafka", "RabbitMQ")),
        ("Kafka instead of SQS for order events?", ("Kafka", "SQS")),
        ("What is a quorum?", ()),
    ],
)
def test_sides(question: str, sides: tuple[str, ...]) -> None:
    assert classify(question).sides == sides


def test_leading_roles_fit_better_than_following_ones() -> None:
    intent = classify("Why not Kafka for a simple task queue?")
    assert intent.role_fit("when-not") > intent.role_fit("tradeoffs") > intent.role_fit("failures") > 0
    assert intent.role_fit("resources") == 0
    assert intent.leads("when-not")
    assert not intent.leads("failures")
