"""A red flag in its own words is a hit; the same words denied are none."""

from __future__ import annotations

from typing import Any

import pytest

from drill_fakes import AllSaid, corpus
from tutor.drill.grade import Grade, PointGrade
from tutor.drill.graders import Graders
from tutor.drill.rubric import Flag, Point, Rubric, of_probe

RUBRIC = Rubric(
    doc_id="kafka",
    title="Kafka",
    ask="Why not Kafka?",
    points=(Point(id="ack", text="Acks are per message."),),
    flags=(
        Flag(id=1, wrong="A faster queue.", why="It is a log."),
        Flag(id=2, wrong="It needs no one. Never.", why="It does."),
    ),
)
GRADERS = Graders(AllSaid())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "flags"),
    [
        ("a faster queue", [1]),
        ("Well, Kafka is fine. A faster queue!", [1]),
        ("It needs no one. Never. A faster queue.", [2, 1]),
        ("It needs no one.", []),
        ("It is not true that it is a faster queue.", []),
        ("Not a faster queue.", []),
    ],
)
def test_a_whole_sentence_of_a_flags_own_words_raises_it(answer: str, flags: list[int]) -> None:
    grade = GRADERS.grade(RUBRIC, answer)
    assert [flag.id for flag in grade.red_flags] == flags
    for flag in grade.red_flags:
        assert flag.evidence == answer[flag.start : flag.end]


def test_what_was_too_short_to_grade_is_graded_by_its_flag() -> None:
    class Nothing:
        def grade(self, rubric: Rubric, answer: str, **_: Any) -> Grade:
            points = tuple(PointGrade(point=p.id, status="missed") for p in rubric.points)
            return Grade(score=0.0, verdict="ungraded", points=points, reason="This is too short to grade.")

    grade = Graders(Nothing()).grade(RUBRIC, "A faster queue.")  # type: ignore[arg-type]
    assert grade.verdict in ("weak", "wrong") and not grade.reason and grade.score == 0


def test_every_red_flag_of_the_curriculum_is_found_in_its_own_words() -> None:
    missed = [
        f"{card.id}/{probe.id}: {flag.wrong}"
        for card in corpus().cards.values()
        for probe in card.probes
        for flag in of_probe(card, probe).flags
        if flag.id not in {f.id for f in GRADERS.grade(of_probe(card, probe), flag.wrong).red_flags}
    ]
    assert missed == []
