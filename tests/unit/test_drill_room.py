"""What a room for drills needs beside the drill itself: marked words, the clock, the pad, the learner's view."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tutor.drill.grade import Grade, PointGrade, points_made
from tutor.drill.library import nearest_span
from tutor.drill.marked import Span, replies, stretches
from tutor.drill.pace import FOLLOW_UP_MINUTES, TARGET, clock, steps
from tutor.drill.records import Pad, Question, Round, Session, Task, Turn
from tutor.drill.rubric import Point, Rubric
from tutor.drill.session import answered
from tutor.drill.store import DrillStore
from tutor.errors import NotFound, StaleAnswer

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RUBRIC = Rubric(doc_id="kafka", title="Apache Kafka", ask="Why not Kafka?", points=(Point(id="a", text="A"),))


def turn(who: str, state: str, text: str, minute: float = 0) -> Turn:
    return Turn.model_validate({"who": who, "state": state, "text": text, "at": NOON + timedelta(minutes=minute)})


TURNS = (
    turn("interviewer", "clarify", "Why not Kafka?"),
    turn("learner", "clarify", "Is it for jobs?", 1),
    turn("interviewer", "answer", "That is yours to decide.", 1),
    turn("learner", "answer", "Use a queue. It retries.", 3),
    turn("interviewer", "follow-up", "And delays?", 3),
    turn("learner", "follow-up", "skip", 4),
    turn("interviewer", "follow-up", "And workers?", 4),
    turn("learner", "follow-up", "Add them freely.", 5),
    turn("interviewer", "twist", "Now suppose: replay.", 5),
)
SESSION = Session(
    id="20261122-0000000a",
    kind="probe",
    tasks=(Task(card="kafka", probe="p", rubric=RUBRIC),),
    rounds=(Round(turns=TURNS),),
    pending=Question(id="20261122-0000000a.5", state="twist", text="Now suppose: replay."),
    started=NOON,
)


def test_replies_are_what_was_said_with_its_place_and_its_question() -> None:
    answer, reply = replies(SESSION.rounds[0])
    assert (answer.text, answer.start, answer.question) == ("Use a queue. It retries.", 0, "That is yours to decide.")
    assert (reply.text, reply.start, reply.question) == ("Add them freely.", 25, "And workers?")


def test_words_are_cut_where_something_that_rests_on_them_begins_or_ends() -> None:
    answer, reply = replies(SESSION.rounds[0])
    spans = [Span("1", 0, 12), Span("2", 6, 24), Span("3", 25, 28)]
    found = stretches(answer, spans)
    assert [(s.text, s.labels, s.ends) for s in found] == [
        ("Use a ", ("1",), ()),
        ("queue.", ("1", "2"), ("1",)),
        (" It retries.", ("2",), ("2",)),
    ]
    assert [(s.text, s.labels) for s in stretches(reply, spans)] == [("Add", ("3",)), (" them freely.", ())]


def test_words_that_do_not_stand_at_their_place_are_not_marked() -> None:
    answer = replies(SESSION.rounds[0])[0]
    assert [s.labels for s in stretches(answer, [Span("1", 0, 5, "other")])] == [()]
    assert [s.text for s in stretches(answer, [Span("1", 0, 0, "a queue")]) if s.labels] == ["a queue"]


def test_what_was_said_to_an_earlier_question() -> None:
    assert answered(SESSION, "20261122-0000000a.2") == "Use a queue. It retries."
    assert answered(SESSION, "20261122-0000000a.5") is None
    assert answered(SESSION, "20261122-0000000a.9") is None


def test_the_clock_runs_from_when_the_question_was_asked() -> None:
    found = clock(SESSION)
    assert found is not None
    assert (found.since, found.minutes, found.boxed) == (NOON + timedelta(minutes=5), FOLLOW_UP_MINUTES, False)
    answering = SESSION.model_copy(update={"pending": Question(id="x", state="answer", text="Go ahead.")})
    assert (clock(answering) or found).minutes == TARGET
    boxed = answering.model_copy(update={"tasks": (SESSION.tasks[0].model_copy(update={"minutes": 8}),)})
    assert (clock(boxed) or found)[1:] == (8, True)
    assert clock(SESSION.model_copy(update={"pending": None, "at": 1})) is None


def test_steps_tell_their_time_and_what_is_beyond_it() -> None:
    tasks = tuple(Task(card="hld-x", probe=p, rubric=RUBRIC, minutes=4) for p in ("requirements", "api", "wrap-up"))
    asked = Round(turns=(turn("interviewer", "answer", "API", 5),))
    mock = SESSION.model_copy(
        update={"kind": "hld", "tasks": tasks, "rounds": (Round(turns=TURNS), asked, Round()), "at": 1}
    )
    done, now, ahead = steps(mock, NOON + timedelta(minutes=7))
    assert (done.name, done.spent_s, done.over_s, done.state) == ("Requirements", 300, 60, "done")
    assert (now.name, now.spent_s, now.over_s, now.state) == ("API", 120, 0, "now")
    assert (ahead.spent_s, ahead.state) == (None, "ahead")


@pytest.fixture
def drills(tmp_path: Path) -> DrillStore:
    store = DrillStore(tmp_path / "drills")
    store.save(SESSION)
    return store


def test_a_pad_is_kept_beside_its_drill(drills: DrillStore) -> None:
    assert drills.pad(SESSION.id) == Pad()
    kept = drills.keep_pad(SESSION.id, Pad(notes="a – b", draft="Use"), NOON)
    assert drills.pad(SESSION.id) == kept == Pad(notes="a – b", draft="Use", revision=1, at=NOON)
    assert drills.keep_pad(SESSION.id, kept, NOON + timedelta(hours=1)) == kept  # nothing new
    assert [session.id for session in drills.all()] == [SESSION.id]  # it is no drill


def test_what_is_open_and_what_is_not_yet_known_is_told_without_the_rest(drills: DrillStore) -> None:
    over = SESSION.model_copy(update={"id": "20261122-0000000b", "pending": None, "at": 1})
    drills.save(over)
    compact = over.model_copy(update={"id": "20261122-0000000c"})
    (drills.folder / f"{compact.id}.json").write_text(compact.model_dump_json(), encoding="utf-8")
    quoting = SESSION.model_copy(update={"id": "20261122-0000000d", "kind": '\n "pending": null'})
    drills.save(quoting)
    assert {session.id for session in drills.open()} == {SESSION.id, quoting.id}


def test_a_pad_of_an_older_window_takes_nothing_away(drills: DrillStore) -> None:
    drills.keep_pad(SESSION.id, Pad(notes="here"), NOON)
    with pytest.raises(StaleAnswer, match="another window"):
        drills.keep_pad(SESSION.id, Pad(notes="there"), NOON)
    assert drills.pad(SESSION.id).notes == "here"
    assert drills.keep_pad(SESSION.id, Pad(notes="here", draft="d"), NOON).draft == "d"  # only the draft is new


def test_a_damaged_pad_reads_as_empty_and_one_without_its_drill_is_refused(drills: DrillStore) -> None:
    (drills.folder / f"{SESSION.id}.pad.json").write_text("{", encoding="utf-8")
    assert drills.pad(SESSION.id) == Pad()
    with pytest.raises(NotFound):
        drills.keep_pad("20261122-00000000", Pad(notes="x"), NOON)


def test_points_made_with_the_learners_view() -> None:
    points = tuple(PointGrade.model_validate({"point": p, "status": s}) for p, s in (("a", "missed"), ("b", "partly")))
    grade = Grade(score=0.25, verdict="weak", points=points)
    assert points_made(grade) == 0.5
    assert points_made(grade, {"a": "covered", "b": "contradicted"}) == 1.0


def test_the_sentence_of_a_passage_nearest_to_a_claim_keeps_its_place() -> None:
    quote = "A log is **kept**. Each job is acknowledged alone. Nobody replays it."
    start, end = nearest_span(quote, "jobs are acknowledged one by one") or (0, 0)
    assert quote[start:end] == "Each job is acknowledged alone."
    assert nearest_span(quote, "xyz") is None
