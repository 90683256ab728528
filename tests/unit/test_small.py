"""The small words of a sentence beside those of the text it cites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutor.answering.order import Words, plain
from tutor.answering.small import differs

CLAIMS = Path(__file__).resolve().parents[2] / "evals" / "generation" / "claims.jsonl"
DELAYS = "Use SQS for delays up to 15 minutes, or RabbitMQ for priorities, instead of Kafka, which has neither."
QUEUE = "Unbounded queues: use a bounded queue with a rejection policy instead of the default queue."
VOTERS = "Two of three nodes in one zone stop all writes when that zone fails; voters belong in three zones."
MERGE = "Sketches merge by OR (Bloom), maximum (HyperLogLog) or addition (Count-Min), which suits shards."
CUCKOO = "A cuckoo filter supports deletion, while a plain Bloom filter supports none."
REDIS = "Redis is BSD-licensed up to 7.2, with AGPLv3 as a further choice from 8.0."
CAP = "Availability in CAP means that each running replica gives a real answer, not an error, to each request."
PACELC = (
    "PACELC extends CAP with the normal case: if there is a partition (P), a system trades availability against "
    "consistency (A or C), else (E) latency against consistency (L or C)."
)
SIZE = "A Bloom filter needs −ln(p)/(ln 2)² bits per key, and tests membership with about ten bits."
MUTEX = "Use a lease instead of a mutex when several machines compete, because a mutex ends at the process."
SALT = "A skewed key overloads one node; salt the key where order allows."
LOSS = "Redis can lose about one second of writes, because it flushes every second."


def what(claim: str, evidence: str, above: str = "") -> str:
    return differs(Words(plain(claim)), Words(plain(evidence)), Words(above))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Use SQS for delays of 15 minutes or more, or RabbitMQ for priorities.", DELAYS),
        (DELAYS.replace("neither", "both"), DELAYS),
        ("Use a bounded queue with a rejection policy instead of the default queue, which is bounded.", QUEUE),
        ("Voters belong in one zone.", VOTERS),
        ("Sketches merge by OR (HyperLogLog), maximum (Bloom) or addition (Count-Min).", MERGE),
        ("A cuckoo filter supports deletion, and a plain Bloom filter supports it too.", CUCKOO),
        ("A plain Bloom filter supports deletion as well.", CUCKOO),
        ("Redis is BSD-licensed from 7.2.", REDIS),
        ("Redis is not BSD-licensed up to 7.2.", REDIS),
        ("Availability in CAP means that some running replica gives a real answer to each request.", CAP),
        ("If there is a partition, a system trades latency against consistency.", PACELC),
        ("A Bloom filter needs −ln(p)/(ln 2) bits per key.", SIZE),
        ("A Bloom filter tests membership with exactly ten bits.", SIZE),
        ("Redis loses about one second of writes.", LOSS),
        ("Redis can lose one second of writes.", LOSS),
        ("Redis can lose about one second of writes, although it flushes every second.", LOSS),
        ("Redis flushes every second, because it can lose about one second of writes.", LOSS),
        ("Nodes vote.", "Not all nodes vote."),
        ("A buggy cuckoo filter supports deletion.", CUCKOO),
        ("Redis can lose about one second of old writes.", LOSS),
        ("It is safe.", "It is safe only if nodes vote."),
        ("It writes by the leader.", "It writes to the leader."),
        ("Use a lease instead of a mutex.", MUTEX),
        ("Use a lease instead of a mutex, because a mutex ends at the process.", MUTEX),
        ("A skewed key overloads one node; salt the key.", SALT),
        ("It takes memory or time.", "It takes memory and time."),
        ("Sizes of a and b grow, or c falls.", "Sizes of a and b grow, and c falls."),
    ],
)
def test_a_small_word_that_differs_is_named(claim: str, evidence: str) -> None:
    assert what(claim, evidence)
    assert what(evidence, evidence) == ""


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Use SQS for delays up to 15 minutes, or RabbitMQ for priorities, instead of Kafka.", DELAYS),
        ("Voters belong in three zones.", VOTERS),
        ("Sketches merge by OR (Bloom), maximum (HyperLogLog) or addition (Count-Min).", MERGE),
        ("A plain Bloom filter supports none.", CUCKOO),
        ("Redis is BSD-licensed up to 7.2.", REDIS),
        ("Availability in CAP means that each running replica gives a real answer to each request.", CAP),
        ("Because it flushes every second, Redis can lose about one second of writes.", LOSS),
        ("When several machines compete, use a lease instead of a mutex.", MUTEX),
        ("A mutex ends at the process.", MUTEX),
        ("A skewed key overloads one node.", SALT),
        ("Redis cannot wait.", "Redis can't wait."),
        ("It needs chat and notifications.", "It needs chat, notifications, dashboards and streams."),
    ],
)
def test_what_leaves_out_an_aside_or_turns_clauses_passes(claim: str, evidence: str) -> None:
    assert what(claim, evidence) == ""


SWAPS = (
    ("and", "or"), ("or", "and"), ("before", "after"), ("from", "to"), ("all", "some"), ("each", "some"),
    ("every", "some"), ("only ", ""), ("not ", ""), ("about", "exactly"), ("up to", "at least"),
    ("at most", "at least"),
    ("under", "over"), ("less", "more"), ("without", "with"), ("can", "must"), ("because", "although"),
    ("if", "unless"), ("is", "is not"), ("into", "out of"), ("for", "against"), ("neither", "both"), ("a ", "no "),
)  # fmt: skip


def test_no_swap_of_small_words_in_the_labelled_quotes_gets_by() -> None:
    quotes = {plain(json.loads(line)["quote"]) for line in CLAIMS.read_text(encoding="utf-8").splitlines()}
    tried, let_by = 0, []
    for quote in sorted(quotes):
        assert what(quote, quote) == ""
        for old, new in SWAPS:
            said = f" {quote}".replace(f" {old} " if old[-1] != " " else f" {old}", f" {new} ".replace("  ", " "), 1)
            if said.strip() != quote:
                tried += 1
                let_by += [] if what(said, quote) else [said]
    assert tried > 180
    assert let_by == []
