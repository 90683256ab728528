"""Which option an answer chooses, and whether the choice follows the constraint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.decision import MOVES, choice, move_of, moved, names, to_alternative, under, with_move
from tutor.drill.formats import decisions, of_decision
from tutor.drill.grade import CAP, PointGrade, settle
from tutor.drill.judge import Status
from tutor.drill.rubric import MOVE, Point, Rubric

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "corpus")


@pytest.mark.parametrize(
    ("said", "side"),
    [
        ("Nothing changes, I stay with Kafka for everything.", "leave"),
        ("Then I drop Kafka and take SQS, because one consumer and no replay no longer justify brokers.", "take"),
        ("SQS for the order events: I do not need replay.", "take"),
        ("Kafka, since consumers replay and SQS deletes messages.", "leave"),
        ("I'd replace Kafka with SQS.", "take"),
        ("SQS instead of Kafka.", "take"),
        ("Not SQS, it forgets what was read and we replay; so the other one.", "leave"),
        ("SQS keeps things simple, but nobody can replay; so the other one.", "leave"),
        ("SQS is not enough here.", "leave"),
        ("Kafka is out; so the other option", "take"),
        ("I take SQS, not the other one.", "take"),
        ("I would not use Kafka any more.", "take"),
        ("Kafka is overkill then", "take"),
        ("An outbox table will do.", "take"),
        ("I'd still go with Kafka rather than SQS", "leave"),
        ("Kafka costs too much now; SNS plus SQS would be my pick", "take"),
        ("I'd switch from Kafka to SQS", "take"),
        ("Kafka. SQS wins when there is one consumer.", "leave"),
        ("Both work.", ""),
        ("Not sure.", ""),
        ("", ""),
    ],
)
def test_the_choice_is_read_from_names_and_verbs(corpus: Corpus, said: str, side: str) -> None:
    card = corpus.cards["kafka"]
    move = move_of(card, next(p for p in card.probes if p.id == "kafka-vs-sqs"))
    assert move is not None
    assert choice(said, move) == side


def test_a_choice_must_move_where_the_constraint_moves(corpus: Corpus) -> None:
    card = corpus.cards["kafka"]
    move = move_of(card, next(p for p in card.probes if p.id == "kafka-vs-sqs"))
    assert move is not None
    assert moved(move, "I'd take Kafka.", "Nothing changes.")[0] == "contradicted"
    assert moved(move, "I'd take SQS.", "Nothing changes.")[0] == "covered"
    assert moved(move, "I'd take Kafka.", "Move to SQS.")[0] == "covered"
    assert moved(move, "I'd take SQS.", "Move to Kafka.") == ("contradicted", "Your choice went the wrong way.")
    assert moved(move, "", "Nothing changes.")[0] == "contradicted"
    assert moved(move, "I'd take Kafka.", "Fewer brokers.")[0] is None


def test_names_of_an_option() -> None:
    assert names("SQS or RabbitMQ") == ("sqs or rabbitmq", "sqs", "rabbitmq")
    assert names("Amazon SQS") == ("sqs",)
    assert names("PostgreSQL with a JSONB column") == ("postgresql",)


def graded(*statuses: Status) -> list[PointGrade]:
    worth = {"covered": 0.95, "partly": 0.5}
    return [PointGrade(point=f"p{n}", status=s, worth=worth.get(s, 0.0)) for n, s in enumerate(statuses)]


def test_a_stuck_choice_caps_the_grade_and_a_right_one_raises_it() -> None:
    rubric = Rubric(
        doc_id="kafka",
        title="Kafka",
        ask="Kafka or SQS?",
        points=(*(Point(id=f"p{n}", text=f"Claim {n}.") for n in range(4)), Point(id=MOVE, text="It moves.")),
        graded="decision",
    )
    before = settle(rubric, graded("covered", "covered", "covered", "covered"), [], [], words=100)
    right, none, stuck = (
        with_move(rubric, before, status, "", "the reply", 50) for status in ("covered", "missed", "contradicted")
    )
    assert right.score > none.score > stuck.score and stuck.score <= CAP
    assert right.verdict == "strong" and stuck.verdict == "mixed" and not stuck.level
    assert stuck.points[-1].point == MOVE and stuck.points[-1].evidence == "the reply" and stuck.points[-1].start == 50
    assert all(len(g.points) == 5 for g in (right, none, stuck))


def test_every_move_is_of_a_decision_of_the_curriculum(corpus: Corpus) -> None:
    known = {f"{card.id}/{probe.id}" for card, probe in decisions(corpus.cards.values())}
    moves = json.loads(MOVES.read_text(encoding="utf-8"))
    assert set(moves) <= known
    assert all(m["leave"] and m["take"] and not set(m["leave"]) & set(m["take"]) for m in moves.values())


def test_every_decision_says_where_its_choice_goes(corpus: Corpus) -> None:
    for card, probe in decisions(corpus.cards.values()):
        rubric = of_decision(card, probe).rubric
        assert rubric.move and rubric.move.take and rubric.twist and rubric.expect
        assert rubric.points[-1].id == MOVE and not rubric.points[-1].follow_up


def test_the_learners_own_constraint_is_asked_and_then_falls_away(corpus: Corpus) -> None:
    card = corpus.cards["kafka"]
    probe = next(p for p in card.probes if p.id == "kafka-vs-sqs")
    near = under(card, probe, "one consumer and no replay", lambda a, b: float("replay" in b))
    assert near == to_alternative(card, probe)
    assert under(card, probe, "ten events per second", lambda a, b: float("ten events" in b)) == move_of(card, probe)
    assert under(card, probe, "a payment audit", lambda a, b: 0.1) is None
    task = of_decision(card, probe, "one consumer and no replay", near)
    assert "one consumer and no replay" in task.rubric.ask and "one consumer and no replay" in task.rubric.twist
    assert task.rubric.move and "sqs" in task.rubric.move.leave and "kafka" in task.rubric.move.take
    assert probe.twist.change == of_decision(card, probe, "a payment audit").rubric.twist
