"""The drill's states: pure, so tested without a model; here a point is covered when its id stands in the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tutor.drill import session as machine
from tutor.drill.grade import Grade, PointGrade, settle
from tutor.drill.marked import replies
from tutor.drill.records import Session, Task
from tutor.drill.rubric import Point, Rubric
from tutor.errors import StaleAnswer, UsageError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUBRIC = Rubric(
    doc_id="kafka",
    title="Kafka",
    ask="Why not Kafka?",
    points=(
        Point(id="ack", text="Acks are per message.", aliases=("per-message ack",), follow_up="What about acks?"),
        Point(id="delay", text="Queues delay messages.", aliases=("delay",), follow_up="What about delays?"),
        Point(id="ops", text="Kafka must be operated.", follow_up="Who operates it?"),
    ),
    twist="Three teams want the events.",
    expect="A log.",
)


class ByWord:
    """A point is covered when its id stands in the answer, contradicted when ``no-<id>`` does."""

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        said = answer.split()
        points = [
            PointGrade(
                point=p.id,
                status="contradicted" if f"no-{p.id}" in said else "covered" if p.id in said else "missed",
                evidence=answer,
                unsure=f"{p.id}?" in said,
                denied=0.0 if f"no-{p.id}" not in said else 0.5 if "perhaps" in said else 1.0,
                end=len(answer),
            )
            for p in rubric.points
        ]
        return settle(rubric, points, [], [], words=max(6, len(said)))


def begun(*tasks: Task) -> Session:
    return machine.start("20261121-00000000", "probe", tasks or (Task(card="kafka", rubric=RUBRIC),), NOW)


def say(session: Session, *lines: str) -> Session:
    for line in lines:
        assert session.pending
        session = machine.reply(session, session.pending.id, line, ByWord(), NOW)
    return session


def asked(session: Session) -> tuple[str, str]:
    assert session.pending
    return session.pending.state, session.pending.point


def test_a_complete_answer_goes_straight_to_the_twist() -> None:
    session = say(begun(), "", "ack delay ops")
    assert asked(session) == ("twist", "")
    session = say(session, "a twist log", "4")
    assert session.pending is None
    done = session.rounds[0]
    assert done.grade and done.grade.verdict == "strong" and done.rating == 4
    assert done.twist and [p.status for p in done.twist.points] == ["covered"]


def test_follow_ups_come_from_what_is_missing_the_contradicted_first() -> None:
    session = say(begun(), "", "no-delay ack")
    assert asked(session) == ("follow-up", "delay")
    assert session.pending and session.pending.text.startswith("You said: “no-delay ack” Are you sure?")
    doubtful = say(begun(), "", "perhaps no-delay ack")
    assert doubtful.pending and doubtful.pending.text == "What about delays?"
    session = say(session, "delay")  # who corrects oneself has corrected oneself
    assert asked(session) == ("follow-up", "ops")


def test_a_point_made_after_help_is_marked() -> None:
    session = say(begun(), "", "ack", "delay", "ops", "log", "3")
    grade = session.rounds[0].grade
    assert grade and {p.point: p.prompted for p in grade.points} == {"ack": False, "delay": True, "ops": True}


def test_at_most_two_follow_ups_for_a_point_and_a_hint_with_the_second() -> None:
    session = say(begun(), "", "ack", "hm well")
    assert asked(session) == ("follow-up", "delay")
    assert session.pending and "A hint: delay." in session.pending.text
    session = say(session, "hm well")
    assert asked(session) == ("follow-up", "ops")


def test_what_may_have_been_said_is_asked_last_and_once() -> None:
    session = say(begun(), "", "ack? words")
    assert asked(session) == ("follow-up", "delay")  # missed for sure: first
    session = say(session, "delay")
    assert asked(session) == ("follow-up", "ops")
    session = say(session, "ops")
    assert asked(session) == ("follow-up", "ack")
    assert session.pending and session.pending.text.startswith("You may have said this; then put it in one sentence.")
    assert asked(say(session, "ack? in other words"))[0] == "twist"


def test_a_follow_up_without_a_hint_is_not_asked_twice() -> None:
    session = say(begun(), "", "ack delay", "hm well")
    assert asked(session)[0] == "twist"


def test_nobody_is_asked_twice_what_they_do_not_know() -> None:
    session = say(begun(), "", "ack", "I don't know.")
    assert asked(session) == ("follow-up", "ops")


def test_who_passes_is_neither_probed_nor_twisted() -> None:
    session = say(begun(), "", "skip")
    assert asked(session)[0] == "rate"
    session = say(session, "")
    assert session.rounds[0].grade and session.rounds[0].grade.score == 0


def test_a_clarifying_question_is_answered() -> None:
    session = say(begun(), "How many messages a second?")
    assert asked(session)[0] == "answer"
    assert session.pending and "assumption" in session.pending.text


ASIDE = "It is for a shop of ten people"


def test_an_answer_where_something_could_be_asked_first_is_the_answer() -> None:
    session = say(begun(), "I would say ack and delay")
    assert asked(session) == ("follow-up", "ops")  # not what has been said
    done = session.round
    assert done.first and [p.status for p in done.first.points] == ["covered", "covered", "missed"]
    assert machine.said(done.turns) == "I would say ack and delay"
    assert [reply.text for reply in replies(done)] == ["I would say ack and delay"]
    denied = say(begun(), "I would say no-ack here")
    assert asked(denied) == ("follow-up", "ack")


def test_a_long_statement_is_the_answer_though_it_makes_no_point() -> None:
    words = "We take the queue that the company runs because " + "everybody knows it well and " * 5
    session = say(begun(), words)
    assert asked(session) == ("follow-up", "ack") and machine.said(session.round.turns) == words.strip()


@pytest.mark.parametrize(
    "words",
    [
        "How many messages a second?",
        "how many messages a second are there",
        "What for? Is the ack important?",
        "ok, is there a budget",
    ],
)
def test_a_question_is_no_answer(words: str) -> None:
    session = say(begun(), words)
    assert asked(session)[0] == "answer"
    assert session.pending and session.pending.text.startswith("That is yours to decide")
    assert machine.said(session.round.turns) == ""
    session = say(session, "ack delay ops")
    assert machine.said(session.round.turns) == "ack delay ops" and asked(session)[0] == "twist"


def test_an_assumption_is_noted_and_counts_with_the_answer() -> None:
    session = say(begun(), "I assume that a lost ack is fine. Let's say ops has two people.")
    assert asked(session)[0] == "answer"
    assert session.pending and session.pending.text.startswith("Noted")
    session = say(session, "delay")
    assert asked(session)[0] == "twist"  # ack and ops were said with the assumption
    assert [reply.text for reply in replies(session.round)][1] == "delay"
    grade = say(session, "log", "3").rounds[0].grade
    assert grade and all(p.evidence in machine.said(session.round.turns) for p in grade.points)


def test_a_remark_is_noted_and_who_then_passes_has_passed() -> None:
    session = say(begun(), ASIDE)
    assert asked(session)[0] == "answer" and session.pending and "it counts" in session.pending.text
    assert machine.said(session.round.turns) == ASIDE
    assert asked(say(session, "skip"))[0] == "rate"


@pytest.mark.parametrize(
    "words",
    ["", "skip", "?", "no idea", "ok", "let's go", "No questions.", "I have no more questions", "Nothing to ask."],
)
def test_who_has_nothing_to_ask_goes_on_to_the_answer(words: str) -> None:
    session = say(begun(), words)
    assert session.pending and session.pending.text == "Go ahead."
    assert asked(session)[0] == "answer" and machine.said(session.round.turns) == ""


def test_stale_and_late_answers_are_refused_and_change_nothing() -> None:
    session = begun()
    assert session.pending
    first = session.pending.id
    session = say(session, "")
    with pytest.raises(StaleAnswer, match="no longer asked"):
        machine.reply(session, first, "ack", ByWord(), NOW)
    session = say(session, "ack delay ops", "x", "")
    with pytest.raises(StaleAnswer, match="over"):
        machine.reply(session, "20261121-00000000.1", "ack", ByWord(), NOW)


@pytest.mark.parametrize("rating", ["6", "0", "good", "4.5", "-1"])
def test_a_rating_is_one_to_five(rating: str) -> None:
    session = say(begun(), "", "ack delay ops", "log")
    with pytest.raises(UsageError, match="rating"):
        say(session, rating)


def test_an_empty_answer_is_refused_and_the_question_stands() -> None:
    session = say(begun(), "")
    with pytest.raises(UsageError, match="empty"):
        say(session, "  ")
    assert asked(session)[0] == "answer"


def test_a_drill_of_several_tasks_ends_with_the_last() -> None:
    task = Task(card="kafka", rubric=RUBRIC, clarify=False, rate=False, follow_ups=0)
    session = say(begun(task, task), "ack", "log")
    assert session.at == 1 and session.rounds[0].grade
    session = say(session, "ack delay ops", "log")
    assert session.pending is None and all(r.grade for r in session.rounds)


def test_a_session_survives_its_json_at_every_step() -> None:
    session = begun()
    for line in ("what load?", "no-delay ack", "delay", "ops", "a log", "2"):
        again = Session.model_validate_json(session.model_dump_json())
        assert again == session
        session = say(again, line)
    assert session.pending is None
