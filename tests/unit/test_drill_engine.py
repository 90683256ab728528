"""Drills as front ends use them, on the packaged curriculum, with a grader that looks for words."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drill_fakes import AllSaid, Shelf, corpus, rows
from fakes import FakeEncoder
from tutor.cli import dispute, drill, interview, progress
from tutor.curriculum.practice import Problem
from tutor.drill.engine import Drills
from tutor.drill.formats import Selection, of_mock
from tutor.drill.grade import Grade, settle
from tutor.drill.library import SearchLibrary
from tutor.drill.records import Session
from tutor.drill.rubric import Rubric
from tutor.drill.store import DrillStore
from tutor.drill.transcript import as_markdown, session_json, step_json
from tutor.errors import NotFound, SourceError, StaleAnswer, UsageError
from tutor.ingest.pipeline import Progress

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def drills(tmp_path: Path) -> Drills:
    return made(tmp_path / "drills")


def made(folder: Path, now: datetime = NOW) -> Drills:
    grader: Any = AllSaid()
    return Drills(corpus(), FakeEncoder(), grader, DrillStore(folder), Shelf(), clock=lambda: now)


def say(drills: Drills, session: Session, *lines: str) -> Session:
    for line in lines:
        assert session.pending
        session = drills.reply(session.id, session.pending.id, line)
    return session


# --- text that is no text -------------------------------------------------------------------------------------------


def test_half_a_character_is_replaced_where_text_enters(drills: Drills) -> None:
    session = say(drills, drills.start("kafka \udcff"), "emoji half \ud83d", "good \udc00 answer")
    kept = drills.store.load(session.id)
    said = [t.text for t in kept.rounds[0].turns if t.who == "learner"]
    assert said == ["emoji half \ufffd", "good \ufffd answer"]
    assert drills.grade("kafka\ud800", "why-not-task-queue\udfff", "good \ud800").score > 0


# --- two at once, and kills -----------------------------------------------------------------------------------------


def test_of_two_processes_that_answer_at_once_one_is_refused(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    session = say(made(tmp_path), made(tmp_path).start("kafka"), "")
    assert session.pending
    question, both, told = session.pending.id, context.Barrier(2), context.Queue()

    def answer(name: str) -> None:
        drills = made(tmp_path)

        class Waits(AllSaid):
            def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
                both.wait(30)  # both have loaded the drill before either stores it
                return super().grade(rubric, answer, seen=seen)

        grader: Any = Waits()
        drills._grader._by["claims"] = grader
        try:
            drills.reply(session.id, question, f"good, says {name}")
        except StaleAnswer as error:
            told.put((name, error.fix))
        else:
            told.put((name, ""))

    processes = [context.Process(target=answer, args=(name,)) for name in ("one", "two")]
    for process in processes:
        process.start()
    ends = dict(told.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    (heard,) = [name for name, fix in ends.items() if not fix]
    (refused,) = [fix for fix in ends.values() if fix]
    assert refused.startswith("Now asked: ")
    said = [t.text for t in DrillStore(tmp_path).load(session.id).rounds[0].turns if t.who == "learner"]
    assert said == ["", f"good, says {heard}"]


def test_a_task_is_noted_when_it_is_graded_and_only_once(drills: Drills) -> None:
    session = drills.start(kind="set", chosen=Selection(phases=(4,), count=3, seed=7))
    session = say(drills, session, "skip", "3", "good", "skip", "4")
    assert session.at == 2 and session.pending  # left here, after two of three
    noted = rows(drills.store.folder)
    assert [(r["task"], r["probe"], r["rating"]) for r in noted] == [
        (n + 1, session.tasks[n].probe, rating) for n, rating in ((0, 3), (1, 4))
    ]
    assert noted[0]["due"] == "2026-11-23"
    drills.resume(session.id)
    assert rows(drills.store.folder) == noted


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", ["_note", "_append", "_write"])
def test_a_kill_at_the_end_loses_no_result(drills: Drills, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    session = say(drills, drills.start("kafka"), "", "skip")
    assert session.pending and session.pending.state == "rate"

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(DrillStore, at, kill)
        with pytest.raises(Killed):
            say(drills, session, "2")
    session = drills.resume(session.id)
    if session.pending:
        session = say(drills, session, "2")
    assert session.pending is None
    assert [(r["session"], r["task"], r["rating"]) for r in drills.store.results()] == [(session.id, 1, 2)]


def test_missing_results_of_an_earlier_version_are_noted(drills: Drills) -> None:
    done = say(drills, drills.start("kafka"), "", "skip", "2")
    other = say(drills, drills.start("redis"), "", "skip", "2")
    noted = rows(drills.store.folder)
    (drills.store.folder / "results.jsonl").unlink()
    drills.resume(done.id)
    assert rows(drills.store.folder) == noted[:1]
    found = made(drills.store.folder, NOW + timedelta(days=9)).due_or_weak(due=True, weak=False)
    assert found == {(s.task.card, s.task.probe) for s in (done, other)}
    old = [{k: v for k, v in row.items() if k != "task"} for row in noted]  # as it wrote them
    (drills.store.folder / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in old))
    drills.resume(done.id)
    assert rows(drills.store.folder) == old


def test_a_line_cut_short_does_not_take_the_next_with_it(drills: Drills) -> None:
    drills.store.folder.mkdir()
    (drills.store.folder / "results.jsonl").write_bytes(b'{"session": "2026112')
    done = say(drills, drills.start("kafka"), "", "skip", "2")
    assert [r["session"] for r in drills.store.results()] == [done.id]


# --- after the grade ------------------------------------------------------------------------------------------------


def finished(drills: Drills) -> Session:
    return say(drills, drills.start("why not kafka"), "", "skip", "2")


def test_a_finished_drill_shows_its_grade_again_and_takes_a_view(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = finished(drills)
    monkeypatch.setattr("sys.stdin", io.StringIO("2 great\n2 cov\n\n"))
    interview.run(drills, drills.resume(session.id))
    said = capsys.readouterr().out
    assert "Grade: weak" in said and "Due again on Monday, 23 November 2026." in said
    assert said.count("One of: ") + said.count("one of covered") <= 1  # told once
    assert "Kept: point 2 is covered for you." in said
    assert drills.store.overrides(session) == {(1, session.task.rubric.points[1].id): "covered"}


def test_a_view_is_kept_by_command_the_last_one_counts(drills: Drills, capsys: pytest.CaptureFixture[str]) -> None:
    session = finished(drills)
    ids = [p.id for p in session.task.rubric.points]
    dispute.override(drills, session.id, ["2=covered", "1.1=partly", f"{ids[2]}=covered"])
    dispute.override(drills, session.id, ["1=missed"])
    assert drills.store.overrides(session) == {
        (1, ids[0]): "missed", (1, ids[1]): "covered", (1, ids[2]): "covered",
    }  # fmt: skip
    assert "Kept: point 2 is covered for you." in capsys.readouterr().out
    for views, what in ((["2=great"], "'great' is no status"), (["99=covered"], "no point 99"), ([], "which point")):
        with pytest.raises(UsageError, match=what):
            dispute.override(drills, session.id, views)
    with pytest.raises(UsageError, match="no graded task 2"):
        dispute.override(drills, session.id, ["2.1=covered"])


def test_a_red_flag_is_disputed_and_taken_back(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = say(drills, drills.start("coordination-services/why-not-database-lock"), "", "a good answer, and false")
    while session.pending:
        session = say(drills, session, "2" if session.pending.state == "rate" else "skip")
    grade = session.rounds[0].grade
    assert grade and len(grade.red_flags) == 2 and (grade.verdict, grade.score) == ("mixed", 0.45)
    first, second = (f.key for f in grade.red_flags)
    row = drills.override(session.id, 1, first, "not-said", "I said the opposite.")
    told = {"point": "!1", "graded": "said", "learner": "not-said", "reason": "I said the opposite."}
    assert told.items() <= row.items() and row["claim"] == grade.red_flags[0].wrong
    assert (row["verdict"], row["score"]) == ("mixed", 0.45), "the other one stands"
    row = drills.override(session.id, 1, second, "not-said")
    assert (row["verdict"], row["score"]) == ("strong", 1.0)
    noted = next(drills.store.viewed())
    assert (noted["verdict"], noted["score"]) == ("strong", 1.0)
    assert {key: view["learner"] for key, view in noted["views"].items()} == {first: "not-said", second: "not-said"}
    assert as_markdown(drills, session).count("your view: not said") == 2
    assert session_json(drills, session)["rounds"][0]["overrides"] == {first: "not-said", second: "not-said"}
    assert drills.store.load(session.id).rounds[0].grade == grade, "the grade stays as it was given"

    dispute.override(drills, session.id, ["F1=said"])
    assert drills.override(session.id, 1, second, "not-said")["score"] == 0.45
    monkeypatch.setattr("sys.stdin", io.StringIO("f1 not said\nF3 not\nf2 covered\n\n"))
    interview.run(drills, drills.resume(session.id))
    said = " ".join(capsys.readouterr().out.split())
    assert "F1 ! Red flag: “false”" in said and said.count("your view: not said") == 1
    assert "Kept: red flag F1 is said for you. In your progress the answer counts as mixed." in said
    assert "Kept: red flag F1 is not said for you. In your progress the answer counts as strong." in said
    assert "there is no red flag F3" in said and "'covered' is no status of a red flag" in said
    interview.run(drills, drills.resume(session.id))
    assert "As you see it: strong, score 100%." in capsys.readouterr().out
    with pytest.raises(NotFound, match="no such red flag"):
        drills.override(session.id, 1, "!9", "not-said")
    with pytest.raises(UsageError, match="One of: said, not-said"):
        drills.override(session.id, 1, first, "covered")
    with pytest.raises(UsageError, match="One of: missed"):
        drills.override(session.id, 1, grade.points[0].point, "not-said")


def test_exports_have_what_to_read_the_due_date_and_the_learners_view(drills: Drills) -> None:
    session = finished(drills)
    point = session.task.rubric.points[0]
    for status in ("covered", "partly"):
        drills.override(session.id, 1, point.id, status)
    text = as_markdown(drills, drills.store.load(session.id))
    assert "Due again: 2026-11-23" in text and "your view: partly" in text and "your view: covered" not in text
    assert "1. Book > Chapter (kafka)" in text and f"> It says: {point.text}"[:40] in text
    whole = session_json(drills, session)["rounds"][0]
    step = step_json(drills, session)["graded"]
    for found in (whole, step):
        assert found["due"] == "2026-11-23" and found["overrides"] == {point.id: "partly"}
        assert found["read"][0]["quote"] == f"It says: {point.text}" and found["read"][0]["point"] == point.id


def test_what_to_read_is_looked_for_once_and_at_most_three_times(drills: Drills) -> None:
    shelf = drills._library
    assert isinstance(shelf, Shelf)
    session = finished(drills)
    looked = shelf.asked
    assert 1 <= looked <= 3
    step_json(drills, drills.resume(session.id))
    assert shelf.asked == looked


def test_words_that_are_too_many_are_kept(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = drills.start("why not kafka")
    long = "word " * 4_001
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{long}\n\nquit\n"))
    interview.run(drills, session)
    kept = drills.store.folder / f"{session.id}.refused.txt"
    assert kept.read_text(encoding="utf-8") == long.strip() + "\n"
    assert kept.name in "".join(capsys.readouterr().out.split())
    assert [s.id for s in drills.store.open()] == [session.id]


# --- what is drawn --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["probe", "decision", "card"])
def test_a_format_without_a_name_draws_one_of_it(drills: Drills, kind: str) -> None:
    session = drills.start(kind=kind, chosen=Selection(phases=(4,), seed=3))
    assert session.kind == kind
    assert corpus().cards[session.task.card].phase == 4
    if kind == "decision":
        assert "name your choice" in session.task.rubric.ask and "other-wins" in {
            p.id for p in session.task.rubric.points
        }
        assert len(drills.start(kind=kind, chosen=Selection(phases=(4,), count=3)).tasks) == 3
    assert len(session.tasks) == (1 if kind != "card" else len(corpus().cards[session.task.card].probes))


@pytest.mark.parametrize(
    ("request_", "kind", "chosen"),
    [
        ("why not kafka", "", Selection(phases=(4,))),
        ("why not kafka", "", Selection(count=3)),
        ("", "estimate", Selection(count=3)),
        ("url shortener", "hld", Selection(tiers=(1,))),
        ("", "behavioural", Selection(only={("kafka", "x")})),
        ("kafka", "set", Selection()),
        ("", "card", Selection(count=2)),
        ("", "", Selection(phases=(4,), tiers=(1,), count=50)),
        ("", "", Selection(count=51)),
    ],
)
def test_what_does_not_go_together_is_refused(drills: Drills, request_: str, kind: str, chosen: Selection) -> None:
    with pytest.raises(UsageError):
        drills.start(request_, kind=kind, chosen=chosen)


def test_what_is_due_and_no_probe_is_named_with_its_command(drills: Drills) -> None:
    for arguments in ({"kind": "estimate", "chosen": Selection(seed=3)}, {"kind": "behavioural"}, {"kind": "review"}):
        session = drills.start(**arguments)  # type: ignore[arg-type]
        while session.pending:
            session = say(drills, session, "skip")
    with pytest.raises(NotFound) as told:
        drills.due_or_weak(due=False, weak=True)
    assert "tutor drill --format estimate --seed 3" in told.value.fix
    assert "tutor drill --format behavioural prompt-" in told.value.fix
    assert "tutor drill --format review review-" in told.value.fix
    name = told.value.fix.split("behavioural ")[1].split(",")[0]
    assert drills.start(name, kind="behavioural").task.probe == name
    say(drills, drills.start("kafka"), "", "skip", "")
    assert drills.due_or_weak(due=False, weak=True) == {("kafka", corpus().cards["kafka"].probes[0].id)}
    assert len(drills.exercises_due(due=False, weak=True)) == 3


def test_an_estimate_is_of_the_system_that_was_named(drills: Drills) -> None:
    for name, title in (("chat service", "a chat service"), ("URL shortener", "a URL shortener"), ("video", "a video")):
        for seed in (1, 2, None):
            session = drills.start(name, kind="estimate", chosen=Selection(seed=seed))
            assert session.task.rubric.title.startswith(f"Estimate {title}")
    with pytest.raises(NotFound, match="a photo sharing site"):
        drills.start("a toaster", kind="estimate")


def test_a_passage_is_searched_for_once() -> None:
    asked: list[str] = []

    def search(claim: str, *, limit: int, filters: Any = None) -> Any:
        asked.append(claim)
        passages = [
            SimpleNamespace(
                title="Kafka", heading=("Kafka", heading), doc_id="kafka", text=f"Of {claim}.", role=role, start=40
            )
            for heading, role in (("Mastery check", "body"), ("Questions", "probes"), ("Trade-offs", "tradeoffs"))
        ]
        return SimpleNamespace(hits=[SimpleNamespace(passage=p) for p in passages])

    reader = SimpleNamespace(manifest=SimpleNamespace(generation="1"))
    searcher: Any = SimpleNamespace(search=search, reader=reader)
    library = SearchLibrary(lambda: searcher)
    found = [library.read_for("acks", "kafka") for _ in range(3)]
    assert asked == ["acks"]
    assert found[0] and found[0].where == "Kafka > Trade-offs"  # a quiz is no reading matter
    assert (found[0].start, found[0].end) == (40, 48)  # where a link to it opens the document
    reader.manifest.generation = "2"
    library.read_for("acks", "kafka")
    assert asked == ["acks", "acks"]


# --- beside the way -------------------------------------------------------------------------------------------------


def test_a_decision_quotes_its_options(drills: Drills) -> None:
    ask = drills.start("kafka or sqs", kind="decision").task.rubric.ask
    assert "Decide between “" in ask and "” and “" in ask and " or A " not in ask


def test_a_window_that_was_overtaken_goes_on(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = say(drills, drills.start("why not kafka"), "")
    say(drills, session, "skip")  # another window
    monkeypatch.setattr("sys.stdin", io.StringIO("my long answer\n\n2\n\n"))
    interview.run(drills, session)
    said = capsys.readouterr().out
    assert "another window has gone on" in said and "Before you see the grade" in said and "is over" in said
    assert (drills.store.folder / f"{session.id}.refused.txt").read_text(encoding="utf-8") == "my long answer\n"
    assert drills.store.load(session.id).rounds[0].rating == 2


def test_what_killed_processes_were_writing_is_removed(drills: Drills) -> None:
    drills.store.folder.mkdir()
    old, new, other = (drills.store.folder / name for name in ("tmp0a1b2c3d", "tmp9z8y7x_w", "tmp.txt"))
    for path in (old, new, other):
        path.write_text("half")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    drills.start("kafka")
    assert not old.exists() and new.exists() and other.exists()


def test_a_failing_disk_leaves_nothing_behind(drills: Drills, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SourceError, match="No space left"):
        drills.start("kafka")
    assert [p.name for p in drills.store.folder.iterdir()] == ["lock"]


def test_what_is_half_made_is_followed_up_in_a_batch_too(drills: Drills) -> None:
    class Half(AllSaid):
        def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
            whole = super().grade(rubric, "good")
            points = [p.model_copy(update={"status": "partly"}) for p in whole.points]
            return settle(rubric, points, [], [], words=60)

    grader: Any = Half()
    drills._grader._by["claims"] = grader
    asked = drills.grade("kafka", "why-not-task-queue", "half of it").follow_ups
    assert asked == tuple(p.follow_up for p in drills.rubric("kafka", "why-not-task-queue").points)


def test_a_time_box_runs_from_when_the_step_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drills = made(tmp_path)
    session = say(drills, drills.start("url shortener", kind="hld"), "")
    step = step_json(drills, session)
    assert (step["minutes"], step["left_s"], step["minutes_in_all"]) == (5, 300.0, 45)
    assert made(tmp_path, NOW + timedelta(minutes=2)).left_s(session) == 180
    late = made(tmp_path, NOW + timedelta(minutes=9))  # killed, and resumed when the time is over
    assert late.left_s(session) == -240
    monkeypatch.setattr("sys.stdin", io.StringIO("quit\n"))
    interview.run(late, late.resume(session.id))
    assert "Time for this step is up" in capsys.readouterr().err
    assert late.left_s(drills.start("kafka")) is None


def test_what_is_left_of_a_time_box_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    with interview._time_box(5, 60.05):  # a fifth is a minute
        said, end = "", time.monotonic() + 30
        while "1.0 minutes left" not in said and time.monotonic() < end:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert "1.0 minutes left" in said


def test_the_first_step_of_a_round_says_how_long_it_is(drills: Drills, capsys: pytest.CaptureFixture[str]) -> None:
    interview._show(drills.start("url shortener", kind="hld"))
    assert "[1 of 9, 5 minutes of 45]" in capsys.readouterr().out


def test_every_design_round_has_an_operational_close_out(drills: Drills) -> None:
    for kind in ("hld", "lld", "ml", "genai"):
        for entry in corpus().entries.values():
            if isinstance(entry, Problem) and entry.track == kind:
                steps = [task.probe for task in of_mock(entry)]
                assert "operations" in steps and steps[-1] in ("wrap-up", "operations"), entry.id
    splitwise = drills.start("splitwise", kind="lld")
    assert sum(task.minutes for task in splitwise.tasks) == 29


def test_a_long_index_build_is_told_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("Indexing") as advance:
        advance(Progress(0, 10))
        advance(Progress(0, 3_000))
        advance(Progress(64, 3_000))
    assert capsys.readouterr().err == "tutor: Indexing: 3,000 passages, this takes a while.\n"


def test_a_scripted_drill_that_was_overtaken_asks_what_is_asked_now(
    drills: Drills, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = say(drills, drills.start("why not kafka"), "")
    say(drills, session, "skip")  # another process
    monkeypatch.setattr("sys.stdin", io.StringIO("late\n2\n"))
    drill._scripted(drills, session, None)
    _, refused, done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert refused["question"]["state"] == "rate" and done["state"] == "done"
