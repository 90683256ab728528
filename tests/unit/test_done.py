"""What was done on a day, as it is listed."""

from __future__ import annotations

from tutor.study.done import DrilledSession, by_session


def test_a_drill_is_listed_once_however_many_of_its_tasks_were_graded() -> None:
    steps = [("s1", "Payments", verdict) for verdict in ("weak", "mixed", "strong")]
    assert by_session([*steps, ("s2", "Kafka", "weak")]) == (
        DrilledSession("s1", "Payments", 0, 3, ""),
        DrilledSession("s2", "Kafka", 0, 1, "weak"),
    )
    mixed = by_session([("s1", "Kafka", "weak"), ("s2", "Redis", "mixed"), ("s1", "Sagas", "mixed")])
    assert mixed[0] == DrilledSession("s1", "Kafka", 1, 2, "")
    assert by_session([]) == ()
