"""A grade at a terminal: its points with the learner's words, red flags, next moves, what to read, when it is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from tutor.cli.state import echo_wrapped
from tutor.drill.grade import as_viewed, coverage, points_made
from tutor.drill.transcript import SIGNS

if TYPE_CHECKING:
    from tutor.drill.companion import Companion
    from tutor.drill.engine import Drills
    from tutor.drill.records import Opinion, Round, Task
    from tutor.drill.rubric import Rubric


def show(drills: Drills, task: Task, done: Round, views: Mapping[str, str] | None = None) -> None:
    """Print it within the terminal's width; ``views`` are the learner's own of its points and red flags."""
    views = views or {}
    grade = done.grade
    assert grade is not None
    typer.echo()
    level = f", {grade.level} level" if grade.level else ""
    typer.echo(f"Grade: {grade.verdict}, score {grade.score:.0%}{level}")
    if grade.points and grade.verdict != "ungraded":
        made = f"{points_made(grade):g} of {len(grade.points)}"
        echo_wrapped(f"Coverage: {coverage(grade):.0%} of the points ({made}). The score also weighs doubt and errors.")
    if done.rating:
        typer.echo(f"Your own rating: {done.rating} of 5")
    if grade.reason:
        echo_wrapped(grade.reason)
    by_id = {p.id: p for p in task.rubric.points}
    for n, point in enumerate(grade.points, 1):
        notes = [n for n, on in (("after a follow-up", point.prompted), ("unsure, look yourself", point.unsure)) if on]
        note = f" ({', '.join(notes)})" if notes else ""
        echo_wrapped(f"{by_id[point.point].text}{note}", lead=f"{n:2} {SIGNS[point.status]} ", hang=5)
        if point.evidence:
            echo_wrapped(f"you: “{' '.join(point.evidence.split())}”", lead="       ", hang=7)
        if point.note:
            echo_wrapped(point.note, lead="       ", hang=7)
        if views.get(point.point, point.status) != point.status:
            echo_wrapped(f"your view: {views[point.point]}", lead="       ", hang=7)
    for n, flag in enumerate(grade.red_flags, 1):
        echo_wrapped(f"Red flag: “{' '.join(flag.evidence.split())}”", lead=f"F{n} ! ", hang=5)
        echo_wrapped(f"read as: {flag.wrong}", lead="       ", hang=7)
        echo_wrapped(f"in truth: {flag.why}", lead="       ", hang=7)
        if views.get(flag.key) == "not-said":
            echo_wrapped("your view: not said", lead="       ", hang=7)
    seen = as_viewed(task.rubric, grade, views)
    if (seen.verdict, seen.score) != (grade.verdict, grade.score):
        typer.echo(f"As you see it: {seen.verdict}, score {seen.score:.0%}. It counts so in your progress.")
    if done.second:
        second(rubric=task.rubric, found=done.second)
    if done.twist:
        echo_wrapped(f"Twist: {task.rubric.expect}", lead=f"   {SIGNS[done.twist.points[0].status]} ", hang=5)
    if grade.lifts:
        typer.echo("To the next level:")
        for n, move in enumerate(grade.lifts, 1):
            echo_wrapped(move, lead=f" {n}. ", hang=4)
    if reads := drills.reading(task, done):
        typer.echo("Read:")
        for n, reading in enumerate(reads, 1):
            echo_wrapped(f"[{n}] {reading.where}  ({reading.doc_id})", lead=" ", hang=5)
            if reading.line:
                echo_wrapped(f"“{reading.line}”", lead="     ", hang=5)
    typer.echo(" ✓ covered   ~ partly   · missed   ✗ contradicted")
    if due := drills.again(task, done):
        typer.echo(f"Due again on {due:%A}, {due.day} {due:%B %Y}.")


def reread(companion: Companion, session_id: str, task: int) -> None:
    """Have a graded task (from 1) read a second time, keep what is said of it and print where it differs.

    Ctrl-C ends the reading; what was said until then is kept.
    """
    echo_wrapped(f"{companion.name} reads it a second time; the grade stays. (Ctrl-C stops it.)")
    rubric, answer, grade = companion.to_reread(session_id, task)
    found: list[Opinion] = []
    try:
        for opinion in companion.opinions(rubric, answer, grade):
            found.append(opinion)  # noqa: PERF402  what has come stays when it is interrupted
    except KeyboardInterrupt:
        typer.echo()
    companion.keep(session_id, task, found)
    second(rubric, found)


def second(rubric: Rubric, found: Sequence[Opinion]) -> None:
    """What a second reader says of the points, where it differs from the grade or gave nothing usable."""
    from tutor.drill.second import agrees

    numbers = {point.id: n for n, point in enumerate(rubric.points, 1)}
    told = [o for o in found if agrees(o) is not None]
    if told:
        same = sum(bool(agrees(o)) for o in told)
        echo_wrapped(f"The second reader ({found[0].model}) agrees on {same} of {len(told)} points.", lead=" ", hang=1)
    for opinion in found:
        if agrees(opinion) is False:
            words = f"made: “{' '.join(opinion.quote.split())}”" if opinion.made else "not made"
            echo_wrapped(f"Point {numbers[opinion.point]}, graded {opinion.status}: {words}", lead="   ", hang=5)
    for why in dict.fromkeys(o.why for o in found if o.made is None):
        echo_wrapped(f"{sum(o.why == why for o in found)} without an opinion: {why}", lead="   ", hang=5)
