"""Estimates as a drill: the rubric of a scenario, and the grade of what a learner works out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tutor.drill.estimate import Checked, assumptions, check
from tutor.drill.grade import CAP, MIXED_FROM, STRONG_FROM, WORTH, Grade, PointGrade, Verdict, checked_answer
from tutor.drill.judge import Status
from tutor.drill.rubric import Point, Rubric
from tutor.drill.scenarios import scenario

ASSUMED = "assumption"
_STATUS: dict[str, Status] = {
    "right": "covered",
    "carried": "covered",
    "order": "partly",
    "wrong": "contradicted",
    "missing": "missed",
}


def rubric_of(seed: int) -> Rubric:
    """The quantities of the scenario drawn by ``seed`` as points, and the assumption where one is left open."""
    drawn = scenario(seed)
    points = [
        Point(id=w.id, text=f"{w.label}: {w.amount()} ({w.formula})", follow_up=f"And the {w.label}?")
        for w in drawn.quantities
    ]
    if open_to := next((w.assumption for w in drawn.quantities if w.assumption), ""):
        points.append(
            Point(id=ASSUMED, text=f"An assumption is named as one: {open_to}.", follow_up=f"Which {open_to[2:]}?")
        )
    return Rubric(
        doc_id="estimation",
        title=f"Estimate {drawn.title}",
        ask=drawn.ask,
        points=tuple(points),
        graded="arithmetic",
        seed=seed,
    )


class ArithmeticGrader:
    """Grades estimates: the numbers are recomputed, and what follows from a learner's own figure counts."""

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        """The grade of an answer; a wrong figure costs its point and caps the score, as every falsehood does.

        Raises:
            UsageError: the answer is too long.
        """
        began = time.perf_counter()
        drawn = scenario(rubric.seed)
        checked = {c.id: c for c in check(drawn, checked_answer(answer))}
        spans = assumptions(answer)
        points = []
        for point in rubric.points:
            if point.id == ASSUMED:
                start, end = spans[0] if spans else (0, 0)
                points.append(
                    PointGrade(
                        point=point.id,
                        status="covered" if spans else "missed",
                        evidence=answer[start:end],
                        start=start,
                        end=end,
                    )
                )
            else:
                points.append(_point(checked[point.id]))
        return _settled(rubric, points, answer).model_copy(update={"ms": (time.perf_counter() - began) * 1000})


def _point(checked: Checked) -> PointGrade:
    return PointGrade(
        point=checked.id,
        status=_STATUS[checked.status],
        evidence=checked.quote,
        start=checked.start,
        end=checked.end,
        note=checked.explanation,
        denied=float(checked.status == "wrong"),
    )


def _settled(rubric: Rubric, points: Sequence[PointGrade], answer: str) -> Grade:
    share = sum(WORTH[p.status] for p in points) / len(points)
    wrong = sum(p.status == "contradicted" for p in points)
    made = any(p.status != "missed" for p in points)
    verdict: Verdict = "ungraded"
    if made:
        verdict = "strong" if share >= STRONG_FROM else "mixed" if share >= MIXED_FROM else "weak"
        if wrong and verdict == "strong":
            verdict = "mixed"
        verdict = "wrong" if wrong and wrong >= sum(WORTH[p.status] for p in points) else verdict
    by_id = {p.id: p for p in rubric.points}
    lacking = [p for p in points if p.status in ("contradicted", "partly", "missed")]
    return Grade(
        score=round(min(share, CAP) if wrong else share, 4),
        verdict=verdict,
        points=tuple(points),
        level="senior" if verdict == "strong" else "",
        lifts=tuple(p.note or f"Add: {by_id[p.point].text}" for p in lacking[:2]),
        follow_ups=tuple(by_id[p.point].follow_up for p in lacking if p.status == "missed"),
        reason="" if made else "There is no figure in it for any of the quantities.",
        words=len(answer.split()),
    )
