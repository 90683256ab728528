"""What drills leave behind for studying: statuses of points, the format, the time; old rows brought up to date."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tutor.drill.grade import Grade, PointGrade
from tutor.drill.records import Round, Session, Task, Turn
from tutor.drill.results import OVERRIDES, RESULTS, coverage_of, evidence_of, read_rows, rows_of, viewed_rows
from tutor.drill.rubric import Point, Rubric
from tutor.drill.store import DrillStore

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def session(name: str = "20260301-0000000a") -> Session:
    points = tuple(Point(id=p, text=p, follow_up="") for p in ("a", "b", "c", "d"))
    graded = (
        PointGrade(point="a", status="covered", evidence="it commits offsets"),
        PointGrade(point="b", status="covered", prompted=True),
        PointGrade(point="c", status="partly", prompted=True),
        PointGrade(point="d", status="contradicted", evidence="it is a queue"),
    )
    turns = tuple(
        Turn(who=who, state="answer", text="…", at=NOW + timedelta(seconds=s))  # type: ignore[arg-type]
        for who, s in (("interviewer", 0), ("learner", 100), ("interviewer", 101), ("learner", 101 + 7200))
    )
    task = Task(card="kafka", probe="why-not", rubric=Rubric(doc_id="kafka", title="Kafka", ask="?", points=points))
    done = Round(turns=turns, rating=3, grade=Grade(score=0.5, verdict="mixed", points=graded))
    return Session(id=name, kind="probe", tasks=(task,), rounds=(done,), at=1, pending=None, started=NOW)


def test_a_row_has_the_points_the_format_and_the_time() -> None:
    row = rows_of(session())[0]
    assert row["points"] == {"a": "covered", "b": "prompted", "c": "partly", "d": "contradicted"}
    assert (row["kind"], row["seconds"]) == (
        "probe",
        100 + 1 + 600,
    )  # two hours of silence were spent on something else


def test_a_row_of_an_earlier_version_is_noted_again_with_its_points(tmp_path: Path) -> None:
    store = DrillStore(tmp_path)
    one = session()
    store.save(one)
    old = {k: v for k, v in rows_of(one)[0].items() if k not in ("points", "kind", "seconds")}
    (tmp_path / RESULTS).write_text(json.dumps(old) + "\n", encoding="utf-8")
    store.repair()
    assert list(store.results()) == [old, rows_of(one)[0]]
    store.repair()
    assert len(list(store.results())) == 2


def test_the_words_behind_a_status(tmp_path: Path) -> None:
    DrillStore(tmp_path).save(session())
    assert evidence_of(tmp_path, "20260301-0000000a", 1, "d") == "it is a queue"
    for name, task, point in (
        ("20260301-0000000b", 1, "d"),
        ("20260301-0000000a", 2, "d"),
        ("20260301-0000000a", 1, "z"),
        ("../20260301-0000000a", 1, "d"),
    ):
        assert evidence_of(tmp_path, name, task, point) == ""
    (tmp_path / "20260301-0000000a.json").write_text("[1]", encoding="utf-8")
    assert evidence_of(tmp_path, "20260301-0000000a", 1, "d") == ""


def test_rows_are_read_without_what_grades(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_bytes(b'{"a": 1}\n{"cut\n\xff\xfe\n[1]\n{"b": "\xe2\x80\xa8"}')
    assert list(read_rows(tmp_path / RESULTS)) == [{"a": 1}, {"b": "\u2028"}]
    program = "import sys, tutor.drill.results; assert not {'numpy', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


# --- the learner's own view -------------------------------------------------------------------------------------------


def view(point: str, learner: str, minute: int = 0, **more: object) -> str:
    at = (NOW + timedelta(minutes=minute)).isoformat()
    row = {"session": "20260301-0000000a", "task": 1, "point": point, "learner": learner, "at": at, **more}
    return json.dumps(row) + "\n"


def test_results_as_the_learner_sees_them(tmp_path: Path) -> None:
    store = DrillStore(tmp_path)
    store.save(session())
    store.note([session()])
    (plain,) = store.viewed()
    assert "views" not in plain
    said = [
        view("d", "covered", 1, verdict="strong", score=0.9),
        view("d", "partly", 2, verdict="mixed", score=0.6),
        view("a", "covered", 3, verdict="mixed", score=0.6),  # as graded: no view
        view("b", "covered", 4, verdict="mixed", score=0.6),  # covered after a follow-up is covered
        view("z", "covered", 5, verdict="mixed", score=0.6),  # no such point
        view("c", "missed", 6, session="20260301-0000000b"),  # of another drill
    ]
    (tmp_path / OVERRIDES).write_text("".join(said), encoding="utf-8")
    (row,) = store.viewed()
    assert row["points"] == {"a": "covered", "b": "prompted", "c": "partly", "d": "partly"}
    assert (row["verdict"], row["score"]) == ("mixed", 0.6)
    assert row["views"] == {"d": {"graded": "contradicted", "at": (NOW + timedelta(minutes=2)).isoformat()}}
    (graded,) = store.results()
    assert graded == plain, "what was graded stays as it is"
    with open(tmp_path / OVERRIDES, "a", encoding="utf-8") as file:
        file.write(view("d", "contradicted", 7, verdict="mixed", score=0.5))  # taken back
    assert list(store.viewed()) == [plain]


def test_a_view_without_a_task_is_of_the_probe(tmp_path: Path) -> None:
    DrillStore(tmp_path).note([session()])
    early = {"session": "20260301-0000000a", "card": "kafka", "probe": "why-not", "point": "d", "learner": "covered"}
    (tmp_path / OVERRIDES).write_text(json.dumps(early) + "\n", encoding="utf-8")
    (row,) = viewed_rows(tmp_path)
    assert row["points"]["d"] == "covered" and row["verdict"] == "mixed"  # what follows from it was not kept then


def test_a_drill_that_was_never_noted_is_among_the_results(tmp_path: Path) -> None:
    store = DrillStore(tmp_path)
    store.save(session())
    assert list(store.viewed()) == rows_of(session()) and list(store.results()) == []
    (tmp_path / "20260301-0000000b.json").write_text("{", encoding="utf-8")
    assert list(store.viewed()) == rows_of(session())


def test_coverage_is_the_share_of_points_whatever_the_score() -> None:
    points = {"a": "covered", "b": "prompted", "c": "partly", "d": "contradicted", "e": "missed"}
    assert coverage_of({"points": points, "score": 0.0003}) == 0.5
    assert coverage_of({"points": {}, "score": 0.4}) == coverage_of({"score": 0.4}) == 0.4
