"""What drills leave behind for studying: statuses of points, the format, the time; old rows brought up to date."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tutor.drill.grade import Grade, PointGrade
from tutor.drill.records import Round, Session, Task, Turn
from tutor.drill.results import RESULTS, evidence_of, read_rows, rows_of
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
