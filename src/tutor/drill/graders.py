"""The graders of the drills, by what a rubric asks for."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.drill.arithmetic import ArithmeticGrader
from tutor.drill.decision import DecisionGrader
from tutor.drill.grade import Grade
from tutor.drill.grading import Grader
from tutor.drill.literal import with_literal_flags
from tutor.drill.rubric import Rubric
from tutor.drill.session import Grades
from tutor.drill.star import StarGrader
from tutor.telemetry import operation


class Graders:
    """Each rubric by the grader that it asks for."""

    def __init__(self, claims: Grader) -> None:
        self._by: dict[str, Grades] = {
            "claims": claims,
            "arithmetic": ArithmeticGrader(),
            "story": StarGrader(),
            "decision": DecisionGrader(claims),
        }

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        """The grade of an answer.

        Raises:
            UsageError: the answer is too long.
        """
        with operation("grade", grader=rubric.graded) as running:
            grade = self._by[rubric.graded].grade(rubric, answer, seen=seen)
            grade = with_literal_flags(rubric, grade, answer)
            running.note(verdict=grade.verdict, points=len(rubric.points))
            running.tell(answer=answer)
        return grade
