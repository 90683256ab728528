"""What a point may rest on."""

from __future__ import annotations

import numpy as np

from tutor.drill.evidence import FEATURES, Evidence
from tutor.drill.grade import FlagGrade, PointGrade
from tutor.drill.reading import Window, read
from tutor.drill.resting import BESIDE, FLAGGED, resting

ANSWER = "Kafka orders all messages of a topic. A key keeps those of one order in sequence."
FIRST, SECOND = read(ANSWER).sentences
FLAG = FlagGrade(id=1, wrong="global order", why="", evidence=FIRST.text, start=FIRST.start, end=FIRST.end)


def point(name: str, window: Window, confidence: float = 0.9) -> PointGrade:
    span = {"evidence": window.text, "start": window.start, "end": window.end}
    return PointGrade(point=name, status="covered", confidence=confidence, worth=confidence, **span)


def evidence(*made: tuple[Window, float]) -> Evidence:
    return Evidence(np.zeros(len(FEATURES), dtype=np.float32), made[0][0], made[0][0], made=made)


def test_words_that_raise_a_red_flag_make_no_point() -> None:
    (graded,) = resting([point("a", FIRST)], [evidence((FIRST, 0.9), (SECOND, 0.1))], [FLAG], ANSWER, 15)
    assert (graded.status, graded.evidence, graded.worth, graded.unsure) == ("missed", "", 0.0, True)
    assert graded.note == FLAGGED


def test_other_words_may_make_it_instead() -> None:
    (graded,) = resting([point("a", FIRST)], [evidence((FIRST, 0.9), (SECOND, 0.7))], [FLAG], ANSWER, 15)
    assert (graded.status, graded.evidence) == ("covered", SECOND.text)


def test_one_sentence_makes_a_second_point_only_where_it_is_read_there() -> None:
    points = [point("a", FIRST, 0.95), point("b", FIRST, 0.7)]
    hardly = [evidence((FIRST, 0.9)), evidence((FIRST, 0.2))]
    plainly = [evidence((FIRST, 0.9)), evidence((FIRST, 0.8))]
    assert [p.status for p in resting(points, hardly, [], ANSWER, 50)] == ["covered", "missed"]
    assert resting(points, hardly, [], ANSWER, 50)[1].note == BESIDE
    assert [p.status for p in resting(points, plainly, [], ANSWER, 50)] == ["covered", "covered"]
    assert [p.status for p in resting(points, hardly, [], ANSWER, 200)] == ["covered", "covered"]
