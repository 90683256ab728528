"""A drill at a terminal: questions wrapped to its width, answers of several lines, time boxes that warn."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

import typer

from tutor.cli.state import echo_wrapped
from tutor.drill.judge import STATUSES
from tutor.drill.transcript import SIGNS, last_graded
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.drill.engine import Drills
    from tutor.drill.session import Round, Session, Task

_QUIT = frozenset({"quit", "exit", "stop", ":q"})
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)])\s")
_WHOLE = _QUIT | {"skip"}  # commands: no further line is waited for
_HOW = {
    "clarify": "Ask or assume something, or press Enter to answer. 'quit' keeps the drill.",
    "answer": "Your answer; an empty line ends it. 'skip' passes.",
    "follow-up": "Your answer; an empty line ends it. 'skip' passes.",
    "twist": "Your answer; an empty line ends it. 'skip' passes.",
    "rate": "1 to 5, or Enter.",
}


def run(drills: Drills, session: Session) -> None:
    """Ask and listen until the drill is over or the learner stops."""
    if not session.round.turns or session.at or len(session.round.turns) > 1:
        typer.echo(f"Going on with drill {session.id}.")
    shown = ""
    while session.pending is not None:
        question = session.pending
        if question.id != shown:
            _show(session)
            shown = question.id
        try:
            with _time_box(session.task.minutes if question.state == "answer" else 0):
                said = _listen(several=question.state in ("answer", "follow-up", "twist"))
        except (EOFError, KeyboardInterrupt):
            said = None
        if said is None or said.strip().lower() in _QUIT:
            typer.echo(f"\nStopped, and kept. Go on with: tutor drill --resume {session.id}")
            return
        try:
            session = drills.reply(session.id, question.id, said)
        except UsageError as error:
            echo_wrapped(error.message)
            continue
        if (just := last_graded(session)) is not None:
            _show_grade(drills, *just)
            try:
                _disagree(drills, session.id, session.at, just[1])
            except (EOFError, KeyboardInterrupt):
                typer.echo()
    typer.echo(f"\nThe drill is over. Its transcript: tutor drill --export {session.id}")


def _show(session: Session) -> None:
    question = session.pending
    assert question is not None
    typer.echo()
    if len(session.tasks) > 1 and question.state in ("clarify", "answer") and not _answered(session):
        box = f", {session.task.minutes:g} minutes" if session.task.minutes else ""
        typer.echo(f"[{session.at + 1} of {len(session.tasks)}{box}]")
    for paragraph in question.text.split("\n"):
        if paragraph.strip():
            echo_wrapped(paragraph)
        else:
            typer.echo()
    echo_wrapped(f"({_HOW[question.state]})")


def _answered(session: Session) -> bool:
    return any(t.who == "learner" for t in session.round.turns)


def _listen(*, several: bool) -> str:
    """What the learner types: a line, or lines up to an empty one.

    Raises:
        EOFError: standard input ended before anything was typed.
    """
    lines = [_line()]
    if lines[0].strip().lower() in _WHOLE:
        return lines[0]
    while several and lines[-1].strip():
        try:
            lines.append(_line())
        except EOFError:
            break
    # A line typed to the edge of the window is no sentence: only items and what follows a full stop stand alone.
    text = lines[0]
    for line in lines[1:]:
        alone = _ITEM.match(line) or text.rstrip().endswith((".", "!", "?", ":", ";"))
        text += ("\n" if alone else " ") + line.strip()
    return text.strip()


def _line() -> str:
    return input("> ")


@contextmanager
def _time_box(minutes: float) -> Iterator[None]:
    """Warn on standard error when four fifths of the time are gone, and when all of it is."""
    timers: list[Timer] = []
    if minutes:
        for share, text in ((0.8, f"{minutes * 0.2:.1f} minutes left for this step."), (1.0, "Time: come to an end.")):
            timers.append(Timer(minutes * 60 * share, lambda t=text: print(f"\n[{t}]", file=sys.stderr, flush=True)))
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def _disagree(drills: Drills, session: str, task: int, done: Round) -> None:
    """Take the learner's own view of points, a line each, until an empty one: it is kept as labelled data.

    Raises:
        EOFError: standard input ended.
    """
    assert done.grade is not None
    points = done.grade.points
    if not points or done.grade.verdict == "ungraded":
        return
    echo_wrapped(
        "(Disagree? A point's number and covered, partly, missed or contradicted, as in '1 covered'; or Enter.)"
    )
    while said := _line().strip().lower():
        number, _, status = said.partition(" ")
        full = next((s for s in STATUSES if status.strip() and s.startswith(status.strip())), status)
        if not number.isdigit() or not 1 <= int(number) <= len(points) or not status.strip():
            echo_wrapped(f"A point from 1 to {len(points)} and one of {', '.join(STATUSES)}.")
            continue
        try:
            drills.override(session, task, points[int(number) - 1].point, full)
        except TutorError as error:
            echo_wrapped(" ".join(filter(None, (error.message, error.fix))))
        else:
            typer.echo(f"Kept: point {number} is {full} for you.")


def _show_grade(drills: Drills, task: Task, done: Round) -> None:
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
    if reads := drills.to_read(task, grade):
        typer.echo("Read:")
        for n, reading in enumerate(reads, 1):
            where = " > ".join(dict.fromkeys((reading.title, *reading.heading)))
            echo_wrapped(f"[{n}] {where}  ({reading.doc_id})", lead=" ", hang=5)
    typer.echo(" ✓ covered   ~ partly   · missed   ✗ contradicted")
