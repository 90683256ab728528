"""Drills and studying together: what the learner says of a grade counts, and the reviews say when drills ask again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drill_fakes import AllSaid, Shelf, corpus
from fakes import FakeEncoder
from tutor.asking_again import ByReviews
from tutor.cli.main import main
from tutor.cli.study import after_drill
from tutor.drill.engine import Drills
from tutor.drill.formats import Selection
from tutor.drill.records import Session
from tutor.drill.store import DrillStore
from tutor.drill.transcript import session_json, today_json
from tutor.errors import NotFound, UsageError
from tutor.settings import Settings
from tutor.study.desk import Study
from tutor.study.wire import card_json
from tutor.studying import open_study, plans_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Place:
    """A learner's home with a clock that can be moved; drills are graded by a word ("good")."""

    def __init__(self, home: Path) -> None:
        self.now = NOW
        self.home = home
        self.settings = Settings(home=home, study={"zone": "UTC"})
        self.study = self.opened()
        self.schedule = ByReviews(self.opened)
        grader: Any = AllSaid()
        self.drills = Drills(
            corpus(), FakeEncoder(), grader, DrillStore(home / "drills"), Shelf(), lambda: self.now, self.schedule
        )

    def opened(self) -> Study:
        return open_study(self.settings, clock=lambda: self.now)

    def drill(self, answer: str, request: str = "why not kafka", **chosen: Any) -> Session:
        session = self.drills.start(request, **chosen)
        for line in ("", answer, "2"):
            assert session.pending
            session = self.drills.reply(session.id, session.pending.id, line)
            while session.pending and session.pending.state in ("follow-up", "twist"):
                session = self.drills.reply(session.id, session.pending.id, "skip")
        return session

    def close(self) -> None:
        self.study.close()
        self.schedule.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path / "home")
    yield found
    found.close()


def say(place: Place, session: Session, **views: str) -> None:
    for number, status in views.items():
        point = session.task.rubric.points[int(number[1:]) - 1].id
        place.drills.override(session.id, 1, point, status)


def test_an_override_is_taken_into_progress_weak_points_and_reviews_with_its_history(place: Place) -> None:
    session = place.drill("nothing that counts here at all, so that all of it is missed and graded as weak")
    points = [p.id for p in session.task.rubric.points]
    refs = [f"kafka/{session.task.probe}/{point}" for point in points]
    before = place.study.stats()
    assert {w.ref for w in before.weak_points} == set(refs[:10])
    at = place.study.standing()
    assert at.tasks[0].verdict == "weak" and at.deck.items["kafka"].due.date() == date(2026, 3, 3)

    place.now += timedelta(minutes=5)
    say(place, session, **{f"p{n}": "covered" for n in range(1, len(points) + 1)})
    at = place.study.standing()
    task = at.tasks[0]
    assert (task.verdict, set(task.points.values())) == ("strong", {"covered"})
    assert task.score == 1.0 and place.study.stats().weak_points == []
    assert at.deck.items["kafka"].due.date() == date(2026, 3, 4), "good at first: two days by FSRS's parameters"
    assert {at.deck.items[ref].due.date() for ref in refs} <= {date(2026, 3, 4), date(2026, 3, 5)}
    assert at.deck.items["kafka"].reps == 1, "it is the same answer, seen anew"
    history = card_json(at, at.cards["kafka"])["history"]
    assert [h["what"] for h in history] == ["drill"] + ["view"] * len(points)
    assert history[1] == {
        "at": (NOW + timedelta(minutes=5)).isoformat(), "what": "view", "probe": session.task.probe,
        "point": points[0], "status": "covered", "graded": "missed", "session": session.id, "task": 1,
    }  # fmt: skip

    say(place, session, **{f"p{n}": "missed" for n in range(1, len(points) + 1)})  # taken back, all of it
    at = place.study.standing()
    assert (at.tasks[0].verdict, at.tasks[0].views) == ("weak", {})
    assert at.deck.items["kafka"].due.date() == date(2026, 3, 3)


def test_an_override_follows_from_all_views_and_the_grade_stays_as_it_was(place: Place) -> None:
    session = place.drill("good answer")
    points = [p.id for p in session.task.rubric.points]
    assert len(points) >= 3
    said = place.drills.override(session.id, 1, points[0], "contradicted")
    assert (said["graded"], said["verdict"]) == ("covered", "mixed") and said["score"] <= 0.45
    for point in points[1:]:
        said = place.drills.override(session.id, 1, point, "missed")
    assert said["verdict"] == "wrong"
    assert place.study.standing().cards["kafka"].why == "1 drill, 0 strong"
    grade = place.drills.store.load(session.id).rounds[0].grade
    assert grade and grade.verdict == "strong"
    assert place.drills.due_or_weak(due=False, weak=True) == {("kafka", session.task.probe)}


def test_a_disputed_red_flag_counts_in_progress_with_its_history(place: Place) -> None:
    session = place.drill("a good answer, and false", "coordination-services/why-not-database-lock")
    assert session.rounds[0].grade and len(session.rounds[0].grade.red_flags) == 2
    before = place.study.standing()
    assert (before.tasks[0].verdict, before.cards["coordination-services"].why) == ("mixed", "1 drill, 0 strong")
    place.now += timedelta(minutes=5)
    for flag in ("!1", "!2"):
        place.drills.override(session.id, 1, flag, "not-said")
    at = place.study.standing()
    assert (at.tasks[0].verdict, at.tasks[0].score) == ("strong", 1.0)
    assert at.cards["coordination-services"].why == "1 drill, 1 strong"
    history = card_json(at, at.cards["coordination-services"])["history"]
    assert [(h["what"], h.get("point"), h.get("status"), h.get("graded")) for h in history[1:]] == [
        ("view", "!1", "not-said", "said"), ("view", "!2", "not-said", "said"),
    ]  # fmt: skip
    place.drills.override(session.id, 1, "!2", "said")
    at = place.study.standing()
    assert (at.tasks[0].verdict, list(at.tasks[0].views)) == ("mixed", ["!1"])


def test_what_is_due_is_what_the_reviews_say(place: Place) -> None:
    session = place.drill("good answer")
    probe = session.task.probe
    with pytest.raises(NotFound, match="no probe is due"):
        place.drills.due_or_weak(due=True, weak=False)
    assert place.drills.again(session.task, session.rounds[0]) == date(2026, 3, 4)
    assert session_json(place.drills, session)["rounds"][0]["due"] == "2026-03-04"
    place.now += timedelta(days=2)
    # By the drills' own days a strong answer is due after 14; by FSRS the card is, and its points are.
    found = place.drills.due_or_weak(due=True, weak=False)
    assert ("kafka", probe) in found and all(card == "kafka" for card, _ in found)
    (row,) = [r for r in today_json(place.drills)["due"] if r["probe"] == probe]
    assert (row["due"], row["verdict"], row["again"]["card"]) == ("2026-03-04", "strong", "kafka")
    place.study.review("kafka", 3)
    for ref in [ref for ref in place.study.standing().deck.items if ref != "kafka"]:
        place.study.review(ref, 3)
    with pytest.raises(NotFound, match="no probe is due"):
        place.drills.due_or_weak(due=True, weak=False)


def test_a_question_that_was_never_asked_can_be_due(place: Place) -> None:
    place.study.review("kafka", 1)
    place.now += timedelta(days=1)
    (row,) = [one for one in today_json(place.drills)["due"] if one["card"] == "kafka"]
    assert (row["card"], row["verdict"], row["score"], row["due"]) == ("kafka", "", None, "2026-03-03")


def test_what_is_no_cards_goes_by_the_drills_own_days(place: Place) -> None:
    done = place.drill("it depends", "", kind="estimate", chosen=Selection(seed=3))
    while done.pending:
        done = place.drills.reply(done.id, done.pending.id, "skip")
    own = place.drills.again(done.tasks[0], done.rounds[0])
    assert own == date(2026, 3, 3), "an answer that is not graded is asked again the next day"
    place.now += timedelta(days=1)
    assert place.drills.exercises_due(due=True, weak=False) == ["tutor drill --format estimate --seed 3"]
    assert [row["again"] for row in today_json(place.drills)["due"]] == [{"format": "estimate", "seed": 3}]


def test_without_the_store_drills_go_by_their_own_days(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    session = place.drill("good answer")
    place.close()
    for path in place.home.glob("study.db*"):
        path.unlink()
    (place.home / "study.db").mkdir()  # nothing can be opened there
    with caplog.at_level(logging.WARNING):
        assert place.drills.again(session.task, session.rounds[0]) == date(2026, 3, 16)
        place.now += timedelta(days=14)
        assert place.drills.due_or_weak(due=True, weak=False) == {("kafka", session.task.probe)}
    assert "drills go by their own days" in caplog.text


# --- setting aside ----------------------------------------------------------------------------------------------------


def test_what_is_set_aside_comes_up_nowhere_until_it_is_taken_back(place: Place) -> None:
    session = place.drill("nothing that counts here at all, so that all of it is missed and graded as weak")
    with pytest.raises(UsageError, match="never reviewed"):
        place.study.suspend("redis")
    with pytest.raises(NotFound):
        place.study.suspend("kafka/no-probe/no-point")
    points = len(session.task.rubric.points)
    assert len(place.study.suspend("Apache Kafka")) == 1 + points
    place.now += timedelta(days=3)
    assert place.study.round().flashes == () and place.study.due_probes() == {}
    found = place.study.today(600)
    assert not [line for line in found.lines if line.why.startswith("due") or line.kind == "review"]
    assert sum(due for _, due in place.study.stats().forecast) == 0
    assert place.drills.again(session.task, session.rounds[0]) is None
    assert place.study.standing().cards["kafka"].suspended
    assert next(item.ref for item in place.study.suspended()) == "kafka"

    place.drill(
        "good answer", "kafka", chosen=Selection(seed=1)
    )  # a drill of one's own choice is taken in all the same
    assert place.study.standing().deck.items["kafka"].reps == 2
    place.now += timedelta(days=5)
    assert place.study.round().flashes == (), "points that it adds do not come up either"
    place.study.suspend("kafka", False)
    assert place.study.suspended() == [] and len(place.study.round(600).flashes) > points


def test_a_point_is_set_aside_alone(place: Place) -> None:
    session = place.drill("nothing that counts here at all, so that all of it is missed and graded as weak")
    ref = f"kafka/{session.task.probe}/{session.task.rubric.points[0].id}"
    assert [item.ref for item in place.study.suspend(ref)] == [ref]
    place.now += timedelta(days=3)
    due = {flash.ref for flash in place.study.round(600).flashes}
    assert ref not in due and "kafka" in due
    assert [item.ref for item in place.study.suspended()] == [ref]


def test_at_the_terminal(place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    place.drill("nothing that counts here at all, so that all of it is missed and graded as weak")
    monkeypatch.setenv("TUTOR_HOME", str(place.home))
    monkeypatch.setenv("COLUMNS", "80")

    def said(*arguments: str, code: int = 0) -> str:
        assert main([*arguments]) == code
        found = capsys.readouterr()
        return " ".join((found.out + found.err).split())

    assert "Apache Kafka, with" in said("review", "--suspend", "kafka")
    assert "(kafka)" in (listed := said("review", "--suspended")) and "--resume CARD" in listed
    assert "Set aside: it does not come up" in said("progress", "kafka")
    assert "; set aside" in said("progress", "--phase", "4")
    assert json.loads(said("review", "--suspended", "--json").split("} {")[0].rstrip("}") + "}")["ref"] == "kafka"
    assert "due from 3 March 2026" in said("review", "--resume", "kafka")
    assert said("review", "--suspended") == "Nothing is set aside."
    assert "stand alone" in said("review", "--suspend", "kafka", "--resume", "kafka", code=2)


def test_a_drill_of_a_plans_card_is_offered_to_be_ticked_off(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    session = place.drill("nothing that counts here at all, so that all of it is missed and graded as weak")
    core: Any = SimpleNamespace(drills=place.drills, study=place.study)
    after_drill(core, session.id)
    assert capsys.readouterr().err == "", "no plan is followed"
    plans = plans_of(place.study)
    plans.take_up(plans.choose(interview=date(2026, 5, 1), track="backend", hours=10))
    after_drill(core, session.id)
    assert capsys.readouterr().err.endswith("Tick it off when you know the rest: tutor plan done custom kafka\n")
    plans.done("custom", ["kafka"])
    after_drill(core, session.id)
    assert capsys.readouterr().err == ""


# --- time -------------------------------------------------------------------------------------------------------------


def test_time_is_what_was_measured_without_pauses(place: Place) -> None:
    place.study.review("kafka", 3, seconds=90)
    place.study.review("kafka/why-not-task-queue/per-message-ack", 3, seconds=5_000)  # ten minutes, then a pause
    check = place.study.outline.cards["redis"].check
    place.study.check("redis", [True] * len(check), seconds=240)
    place.study.check("redis", [True] * len(check))  # not measured
    found = place.study.stats().studied
    assert found.seconds == {"check": 240, "review": 690} and found.total_s == 930
    assert found.weeks[-1] == (date(2026, 3, 2), 930)
    phases = {name: place.study.outline.cards[name].phase for name in ("kafka", "redis")}
    assert sum(s for _, s in found.phases) == 930
    assert dict(found.phases)[phases["kafka"]] >= 690


# --- below what failed ------------------------------------------------------------------------------------------------


def test_what_was_forgotten_in_a_review_makes_what_it_builds_on_due_everywhere(place: Place) -> None:
    below = place.study.outline.cards["kafka"].prerequisites[0]
    place.study.review(below, 4)
    place.now += timedelta(hours=3)
    place.study.review("kafka/why-not-task-queue/per-message-ack", 1)
    assert below in {card for card, _ in place.drills.due_or_weak(due=True, weak=False)}
    assert place.study.stats().forecast[0][1] >= 1
    (line,) = [one for one in place.study.today(600).lines if one.refs[:1] == (below,)]
    assert line.why == "Apache Kafka had a point forgotten and builds on it"
    place.study.review(below, 3)
    assert below not in {card for card, _ in place.drills.due_or_weak(due=True, weak=False)}, "it was looked at since"
