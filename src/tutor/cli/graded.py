"""A grade at a terminal: its points with the learner's words, red flags, next moves, what to read, when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tutor.cli.state import echo_wrapped
from tutor.drill.results import due_of
from tutor.drill.transcript import SIGNS

if TYPE_CHECKING:
    from tutor.drill.engine import Drills
    from tutor.drill.session import Round, Task


def show(drills: Drills, task: Task, done: Round) -> None:
    """Print it within the terminal's width."""
    grade = done.grade
    assert grade is not None
    typer.echo()
    level = f", {grade.level} level" if grade.level else ""
    typer.echo(f"Grade: {grade.verdict}, score {grade.score:.0%}{level}")
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
    for flag in grade.red_flags:
        echo_wrapped(f"Red flag: “{' '.join(flag.evidence.split())}”", lead="   ! ", hang=5)
        echo_wrapped(flag.why, lead="       ", hang=7)
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
    if due := due_of(done):
        typer.echo(f"Due again on {due:%A}, {due.day} {due:%B %Y}.")
