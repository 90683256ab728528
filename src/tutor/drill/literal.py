"""Red flags that an answer says in their own words: a hit, whatever a model makes of them."""

from __future__ import annotations

from tutor.drill.calibration import calibrated
from tutor.drill.gaming import words
from tutor.drill.grade import FlagGrade, Grade, settle
from tutor.drill.reading import read
from tutor.drill.rubric import Rubric


def with_literal_flags(rubric: Rubric, grade: Grade, answer: str) -> Grade:
    """The grade with the red flags that stand in the answer word for word; as it is where all of those are raised.

    Only whole sentences count: within one, as in "it is not true that …", the words may be denied.
    """
    raised = {flag.id for flag in grade.red_flags}
    waiting = {tuple(words(flag.wrong)): flag for flag in rubric.flags if flag.id not in raised}
    if not waiting:
        return grade
    found: list[FlagGrade] = []
    sentences = read(answer).sentences
    for first in range(len(sentences)):
        said: tuple[str, ...] = ()
        for last in sentences[first:]:
            said += tuple(words(last.text))
            if len(said) > max(map(len, waiting)):
                break
            if flag := waiting.get(said):
                start, end = sentences[first].start, last.end
                found.append(FlagGrade(**flag.model_dump(), evidence=answer[start:end], start=start, end=end))
    if not found:
        return grade
    flags = {flag.id: flag for flag in (*grade.red_flags, *found)}
    return settle(
        rubric,
        grade.points,
        tuple(flags.values()),
        grade.lifted,
        words=grade.words or len(words(answer)),
        flag_chance=1.0,
        by=calibrated().verdict,
    ).model_copy(update={"ms": grade.ms})
