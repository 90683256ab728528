"""Conversations for tests: a namer that knows a few names, and what was asked before."""

from __future__ import annotations

import re

from tutor.answering.conversation import Conversation
from tutor.answering.naming import Named
from tutor.answering.rewrite import standalone, turn

KNOWN = (
    "Kafka|RabbitMQ|SQS|Redis|Raft|Paxos|MongoDB|Postgres|MySQL|MVCC|Cassandra|Bloom filter|saga|mutex|semaphore|JWT"
    "|sessions|B-tree|LSM-tree|GraphQL|gRPC|REST|consistent hashing|failover|etcd|ZooKeeper"
)
_FIND = re.compile(rf"(?<![\w-])(?:{KNOWN})(?![\w-])", re.I)


def names(text: str) -> tuple[Named, ...]:
    coined = {"etcd", "mutex"}
    return tuple(
        Named(m.group(), m.start(), m.end(), m.group().lower(), m.group() in coined) for m in _FIND.finditer(text)
    )


def after(*questions: str) -> Conversation:
    conversation = Conversation()
    for question in questions:
        conversation = conversation.with_turn(turn(question, standalone(question, conversation, names), names))
    return conversation
