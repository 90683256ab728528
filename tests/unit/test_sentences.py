"""Choosing an answer's sentences and laying them out, on passages made here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tutor.answering.asked import Asked
from tutor.answering.compose import LONG_WORDS, MAX_WORDS, Scored, compose, room
from tutor.answering.intent import Intent
from tutor.answering.score import label, score
from tutor.answering.units import Unit
from tutor.retrieval.index import Passage
from tutor.retrieval.lexical import terms

HOW = Intent("how")


def unit(text: str, doc: str = "kafka", role: str = "learn", rank: int = 0, kind: str = "card", at: int = 0) -> Unit:
    """A sentence; its one token vector points along the axis ``at``."""
    passage = Passage(f"{doc}#{role}", doc, doc.title(), (doc.title(),), text, 0, len(text), role, kind, "", None, ())
    tokens = np.eye(4, dtype=np.float32)[[at]]
    return Unit(passage, rank, 0, len(text), text, tokens, frozenset(terms(text)), len(text.split()), False)


def scored(found: Unit, worth: float) -> Scored:
    return Scored(found, worth, worth, 0.0, worth=worth)


def numbered(count: int, *, doc: str = "kafka", role: str = "learn", words: int = 12) -> list[Unit]:
    """Sentences that share no word with each other."""
    return [unit(" ".join(f"{doc}{role}{n}w{w}" for w in range(words)), doc, role) for n in range(count)]


def test_a_heading_names_its_document_only_where_another_was_before() -> None:
    lead, own, costs = numbered(1)[0], numbered(1, role="failures")[0], numbered(1, role="tradeoffs")[0]
    other = numbered(1, doc="redis", role="why")[0]
    answer = compose([scored(lead, 2.0), scored(other, 1.95), scored(costs, 1.9), scored(own, 1.85)], HOW)
    assert [g.label for g in answer.groups] == ["Trade-offs", "How it fails", "Redis: why it exists"]


def test_what_has_no_heading_of_its_own_comes_right_after_the_verdict() -> None:
    lead, *rest = numbered(3, role="body", words=30)
    costs = numbered(1, role="tradeoffs")[0]
    answer = compose([scored(lead, 2.0), scored(costs, 1.95), *(scored(u, 1.9) for u in rest)], HOW)
    assert [g.label for g in answer.groups] == ["", "Trade-offs"]
    assert answer.markdown().split("\n\n")[1].startswith("- ")


@pytest.mark.parametrize("words", [6, 12, 25])
def test_an_answer_fills_its_length_and_does_not_exceed_it(words: int) -> None:
    found = [
        s
        for doc in ("kafka", "redis")
        for role in ("learn", "why")
        for s in numbered(9, doc=doc, role=role, words=words)
    ]
    answer = compose([scored(u, 2.0 - 0.01 * n) for n, u in enumerate(found)], HOW)
    assert MAX_WORDS - 3 * words < len(answer.markdown().split()) <= MAX_WORDS or len(answer.citations) >= 8


@pytest.mark.parametrize(
    ("intent", "asked", "words"),
    [
        (HOW, 4, MAX_WORDS),
        (HOW, 13, LONG_WORDS),
        (Intent("definition"), 20, MAX_WORDS),
        (Intent("plan"), 3, LONG_WORDS),
        (Intent("compare"), 6, MAX_WORDS),
        (Intent("compare", ("kafka", "redis")), 2, LONG_WORDS),
    ],
)
def test_a_question_that_wants_more_than_one_thing_gets_a_longer_answer(intent: Intent, asked: int, words: int) -> None:
    assert room(intent, asked) == words
    long = [scored(u, 2.0) for u in numbered(12, words=25)]
    answer = compose(long, intent, asked=asked)
    assert answer.room == words
    assert words - 30 < len(answer.markdown().split()) <= words


def test_rows_of_a_table_stand_in_its_order_and_open_nothing() -> None:
    first, third, second, said = numbered(4)
    rows = [replace(unit, start=at, row=True) for at, unit in enumerate((first, second, third))]
    answer = compose([scored(rows[2], 2.0), scored(rows[0], 1.95), scored(said, 1.9), scored(rows[1], 1.85)], HOW)
    assert [s.text for s in answer.verdict] == [said.text]
    assert [s.text for g in answer.groups for s in g.sentences] == [u.text for u in (first, second, third)]


def test_what_goes_past_the_usual_length_is_on_the_subject() -> None:
    lead, *mine = numbered(9, words=20)
    theirs = [scored(u, 2.5 - 0.01 * n) for n, u in enumerate(numbered(9, doc="redis", words=20))]
    found = [scored(lead, 2.6), *theirs, *(scored(u, 2.45) for u in mine)]
    answer = compose(found, HOW, asked=20)
    others = sum(c.doc_id == "redis" for c in answer.citations)
    assert len(answer.markdown().split()) > MAX_WORDS
    assert sum(c.doc_id == "kafka" for c in answer.citations) > 1
    # The document that tells most of the question is the subject too.
    main = [replace(s, main=s.unit.passage.doc_id == "redis") for s in found]
    assert sum(c.doc_id == "redis" for c in compose(main, HOW, asked=20).citations) > others


def test_another_subject_needs_more_worth() -> None:
    lead, mine, theirs = numbered(1)[0], numbered(1, role="failures")[0], numbered(1, doc="redis")[0]
    both = [scored(lead, 2.0), scored(theirs, 1.60), scored(mine, 1.56)]
    assert {c.doc_id for c in compose(both, HOW).citations} == {"kafka", "redis"}  # too short to leave any out
    long = numbered(3, words=40)
    kept = compose([*(scored(u, 2.0) for u in long), scored(theirs, 1.58), scored(mine, 1.56)], HOW)
    assert {c.doc_id for c in kept.citations} == {"kafka"}
    assert len(kept.citations) == 4


def test_a_document_that_says_more_of_the_question_is_worth_more() -> None:
    asked = np.eye(4, dtype=np.float32)[[0, 1]]
    about = Asked({"offset": 1.0, "broker": 1.0})
    whole = [
        unit("An offset is kept for each partition there.", at=0),
        unit("Its broker answers for all of them.", at=1),
    ]
    half = unit("An offset is kept for each partition there.", doc="redis", at=0)
    found = score([*whole, half], asked, HOW, about)
    worth = {(s.unit.passage.doc_id, s.unit.text): s.worth for s in found}
    assert {s.unit.passage.doc_id for s in found if s.main} == {"kafka"}
    assert worth["kafka", half.text] > worth["redis", half.text]


def test_an_introduction_is_worth_less_where_no_definition_is_asked_for() -> None:
    asked, about = np.eye(4, dtype=np.float32)[[0]], Asked({"log": 1.0})
    intro = unit("Kafka is a log that keeps what it is told.", role="why")

    def worth(intent: str) -> float:
        return score([intro], asked, Intent(intent), about)[0].worth

    assert worth("how") < worth("definition") == worth("why")


def test_a_side_is_not_told_of_in_passing() -> None:
    sides = Intent("compare", ("Kafka", "Pulsar"))
    first = unit("Kafka keeps a log that many readers share.")
    passing = unit("Stores such as Kafka and Pulsar keep logs on disks.", doc="storage", role="body", rank=15)
    found = [scored(first, 2.0), scored(passing, 1.5)]
    assert compose(found, sides, close=12).unmet == ("Pulsar",)
    assert compose(found, sides, close=16).unmet == ()


def test_a_label_is_what_a_bullet_says_it_is_about() -> None:
    assert label("**Raft election:** a follower stands.") == "Raft election"
    assert label("A follower stands.") == ""
