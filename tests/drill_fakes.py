"""Stand-ins for drills: a grader that looks for a word, a shelf with something to read on everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.grade import FlagGrade, Grade, PointGrade, settle
from tutor.drill.records import Reading
from tutor.drill.rubric import Rubric


class AllSaid:
    """Every point is covered by an answer with "good" in it, else missed; it keeps what it was given.

    Every red flag of the rubric is raised by an answer with "false" in it.
    """

    def __init__(self) -> None:
        self.given: list[str] = []

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        self.given.append(answer)
        answer.encode("utf-8")
        made = "good" in answer.split()
        points = [
            PointGrade(point=p.id, status="covered" if made else "missed", evidence="good" if made else "")
            for p in rubric.points
        ]
        at = answer.find("false")
        flags = [FlagGrade(**flag.model_dump(), evidence="false", start=at, end=at + 5) for flag in rubric.flags]
        return settle(rubric, points, flags if at >= 0 else [], [], words=max(6, len(answer.split())))


class Shelf:
    """What to read for a claim: the claim's own first words."""

    def __init__(self) -> None:
        self.asked = 0

    def read_for(self, claim: str, doc_id: str) -> Reading | None:
        self.asked += 1
        return Reading(title="Book", heading=("Chapter",), doc_id=doc_id, quote=f"It says: {claim}")


@lru_cache(maxsize=1)
def corpus() -> Corpus:
    return load_corpus(builtin_corpus())


def rows(folder: Path, name: str = "results.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
