"""Which of two a request prefers and which it questions, and the probe that asks it so; on the real curriculum."""

from __future__ import annotations

import pytest

from drill_fakes import corpus
from tutor.drill.find import choose
from tutor.drill.formats import of_exercise
from tutor.drill.request import parse_request
from tutor.errors import NotFound
from tutor.retrieval.encoder import OnnxEncoder

#: What is typed, and the probe that it asks for.
ASKED = """
why not rabbitmq for event streaming | kafka/kafka-vs-sqs
why not RabbitMQ for event streaming? | kafka/kafka-vs-sqs
why not SQS instead of Kafka | kafka/kafka-vs-sqs
why Kafka and not SQS | kafka/kafka-vs-sqs
rather than Kafka, why not SQS | kafka/kafka-vs-sqs
why not Kafka instead of SQS | kafka/why-not-task-queue
why not kafka for jobs | kafka/why-not-task-queue
Redis Streams instead of Kafka | kafka/why-not-task-queue
SQS over Kafka for image resizing | decision-matrix/kafka-or-queue
Postgres over Cassandra for a ledger | decision-matrix/why-not-cassandra-orders
why postgres over cassandra for a ledger | decision-matrix/why-not-cassandra-orders
why not Cassandra for orders | decision-matrix/why-not-cassandra-orders
why not Cassandra instead of Postgres | decision-matrix/why-not-cassandra-orders
Cassandra over Postgres for the event store | cassandra/why-not-postgres
why Cassandra instead of Postgres for the event store | cassandra/why-not-postgres
why not Postgres instead of Cassandra | cassandra/why-not-postgres
Cassandra instead of Postgres for orders | cassandra/why-not-postgres
Cassandra rather than DynamoDB | cassandra/cassandra-vs-dynamodb
DynamoDB over Cassandra | cassandra/cassandra-vs-dynamodb
why not a bloom filter | probabilistic-structures/size-a-bloom
why not a bloom filter for unique visitors | probabilistic-structures/size-a-bloom
why not an exact set | probabilistic-structures/why-not-exact-set
Flink instead of Kafka Streams | stream-processing/flink-or-kafka-streams
Kafka Streams over Flink | stream-processing/flink-or-kafka-streams
Redis instead of Memcached | redis/redis-vs-memcached
why not WebSockets for notifications | realtime-transports/why-not-websocket-everywhere
SSE over WebSockets | realtime-transports/why-not-websocket-everywhere
QUIC instead of TCP | udp-and-quic/quic-vs-tcp-tls
Spanner over Postgres for a ledger | spanner/why-not-postgres-primary
RAG over fine-tuning | rag/why-not-fine-tune
why not pgvector | vector-databases/why-not-pgvector
sagas instead of 2PC | sagas/why-not-2pc
why not NoSQL for orders | sql-vs-nosql/why-not-nosql-orders
etcd over redis for a lock | coordination-services/etcd-vs-redis-lock
"""
ROWS = [tuple(line.split(" | ")) for line in ASKED.strip().split("\n")]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(threads=1)


@pytest.mark.parametrize(("text", "wanted"), ROWS)
def test_a_probe_asks_why_not_the_side_that_is_questioned(encoder: OnnxEncoder, text: str, wanted: str) -> None:
    card, probe = choose(corpus(), text, encoder)
    assert f"{card.id}/{probe.id}" == wanted


@pytest.mark.parametrize(
    ("text", "questioned"),
    [
        ("X over Y", "Y"),
        ("X instead of Y for Z", "Y"),
        ("X rather than Y", "Y"),
        ("why X and not Y", "Y"),
        ("why did you pick X over Y for Z?", "Y"),
        ("why not X instead of Y", "X"),
        ("why not X for Y", "X"),
        ("X or Y?", ""),
        ("X vs Y", ""),
        ("difference between X and Y", ""),
        ("X", ""),
    ],
)
def test_the_side_that_is_questioned(text: str, questioned: str) -> None:
    assert parse_request(text).questioned == questioned


@pytest.mark.parametrize("text", ["why not LangChain", "why not Pulsar"])
def test_a_name_like_no_other_suggests_nothing(encoder: OnnxEncoder, text: str) -> None:
    with pytest.raises(NotFound) as refused:
        choose(corpus(), text, encoder)
    assert "Did you mean" not in refused.value.fix and "No card has a name like it" in refused.value.fix


@pytest.mark.parametrize(
    "text", ["design a url shortener", "Design a URL shortener.", "how would you design a url shortener?"]
)
def test_a_design_is_found_by_what_an_interviewer_says(text: str) -> None:
    assert of_exercise(corpus(), text, "hld")[0].card == of_exercise(corpus(), "url shortener", "hld")[0].card
