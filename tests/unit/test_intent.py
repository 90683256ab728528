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
        ("Why is Kafka the wrong choice for a task queue?", "why-not"),
        ("Why is Redis not a good fit for a ledger?", "why-not"),
        ("Why should Kafka not be used for emails?", "why-not"),
    ],
)
def test_intent(question: str, name: str) -> None:
    assert classify(question).name == name


@pytest.mark.parametrize(
    "question",
    [
        "When should Kafka not be used?",
        "when should kafka never be used",
        "When shouldn’t Kafka be used?",
        "Should Kafka not be used for a task queue?",
        "When must Kafka not be used?",
        "Must Kafka not be used for requests and replies?",
        "When can two-phase commit not be used?",
        "When should query results not be cached?",
        "When is Kafka not a good fit?",
        "When isn't Kafka a good fit?",
        "Kafka: when is it not the right tool?",
        "When is Kafka the wrong choice?",
        "When would Kafka be a poor choice?",
        "When is Kafka a bad idea?",
        "When are microservices a bad idea?",
        "When does Kafka not fit?",
        "Where does CQRS not make sense?",
        "Which workloads does a cache not help?",
        "In which cases should Kafka be avoided?",
        "In what situations is sharding best avoided?",
        "For which workloads is Kafka unsuitable?",
        "When is sharding not worth it?",
        "When do I not need a message broker?",
        "When is it better not to use Kafka?",
        "When should Kafka not be used instead of RabbitMQ?",
        "When should you not use Kafka over RabbitMQ?",
    ],
)
def test_a_negated_when_asks_for_when_not(question: str) -> None:
    assert classify(question).name == "when-not"
    assert classify(question).opener == "when-not"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("When is Kafka the right choice?", "when"),
        ("When should Kafka be used?", "when"),
        ("When should I use Kafka, not SQS?", "when"),
        ("When is eventual consistency not a problem?", "when"),
        ("When does Raft not elect a leader?", "when"),
        ("How can hot partitions be avoided?", "how"),
        ("How are deadlocks avoided?", "how"),
        ("What happens when a lock cannot be acquired?", "failure"),
        ("Is Kafka a good fit for a queue?", "other"),
        ("Isn't Kafka the right tool for a log?", "other"),
    ],
)
def test_a_positive_when_and_other_negations_stay(question: str, name: str) -> None:
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
