"""A drill at a terminal: questions wrapped to its width, answers of several lines, time boxes that warn."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

import typer

from tutor.cli import dispute, graded
from tutor.cli.state import echo_wrapped
from tutor.cli.typed import Lines
from tutor.drill.formats import MOCKS, ROUNDS
from tutor.drill.reading import MAX_ANSWER_CHARS
from tutor.drill.rubric import step_name
from tutor.drill.transcript import last_graded
from tutor.errors import StaleAnswer, UsageError

if TYPE_CHECKING:
    from tutor.drill.companion import Companion
    from tutor.drill.engine import Drills
    from tutor.drill.records import Session

_QUIT = frozenset({"quit", "exit", "stop", ":q"})
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)])\s")
_WHOLE = _QUIT | {"skip"}  # commands: no further line is waited for
_HOW = {
    "clarify": "Ask or assume something, or press Enter to answer. 'quit' keeps the drill.",
    "answer": "Your answer; an empty line ends it, a paste is taken whole. 'skip' passes.",
    "follow-up": "Your answer; an empty line ends it, a paste is taken whole. 'skip' passes.",
    "twist": "Your answer; an empty line ends it, a paste is taken whole. 'skip' passes.",
    "rate": "1 to 5, or Enter.",
}
_OVER = "Time: come to an end."
_PARAGRAPHS = "Your answer, in paragraphs as you like; two empty lines end it. 'skip' passes."


def run(drills: Drills, session: Session, companion: Companion | None = None) -> None:
    """Ask and listen until the drill is over or the learner stops; ``companion`` is a language model beside it."""
    lines = Lines()
    if not session.round.turns or session.at or len(session.round.turns) > 1:
        typer.echo(f"{'Going on with' if session.pending else 'Back to'} drill {session.id}.")
        _after_a_task(drills, session, lines, companion)  # killed before the grade was read, or to look at it again
    shown = ""
    while (question := session.pending) is not None:
        if question.id != shown:
            if companion and not question.phrased:
                session = companion.put(session, companion.phrase(session))
            _show(session)
            shown = question.id
        try:
            with _time_box(session.task.minutes, drills.left_s(session)):
                several = question.state in ("answer", "follow-up", "twist")
                with lines.reading():
                    said = _listen(lines, several=several, paragraphs=_in_paragraphs(session))
        except (EOFError, KeyboardInterrupt):
            said = None
        if said is None or said.strip().lower() in _QUIT:
            typer.echo(f"\nStopped, and kept. Go on with: tutor drill --resume {session.id}")
            return
        try:
            session = drills.reply(session.id, question.id, said)
        except UsageError as error:
            echo_wrapped(error.message)
            if len(said) > MAX_ANSWER_CHARS:
                echo_wrapped(f"Your words are kept in {drills.store.keep_words(session.id, said)}")
            continue
        except StaleAnswer as error:
            session = _overtaken(drills, session, said, error, lines, companion)
            continue
        _after_a_task(drills, session, lines, companion)
    typer.echo(f"\nThe drill is over. Its transcript: tutor drill --export {session.id}")


def _after_a_task(drills: Drills, session: Session, lines: Lines, companion: Companion | None) -> None:
    """Show the grade of the task that has just ended, if one has, and take the learner's own view of it."""
    if last_graded(session) is None:
        return
    if session.kind not in ROUNDS:
        _show_grade(drills, session, session.at, lines, companion)
    elif session.pending is None:  # a mock goes on without grades between its steps
        for task in range(1, len(session.tasks) + 1):
            typer.echo(f"\n{task}. {step_name(session.tasks[task - 1].probe)}")
            if not _show_grade(drills, session, task, lines, companion):
                return


def _show_grade(drills: Drills, session: Session, number: int, lines: Lines, companion: Companion | None) -> bool:
    """Show a task's grade (from 1) and take the learner's own view of it; False where standard input has ended."""
    task, done = session.tasks[number - 1], session.rounds[number - 1]
    assert done.grade is not None
    mine = {point: view for (n, point), view in drills.store.overrides(session).items() if n == number}
    graded.show(drills, task, done, mine)
    if companion and done.second is None and task.rubric.graded != "arithmetic":
        graded.reread(companion, session.id, number)
    try:
        dispute.ask(drills, session.id, number, done.grade, lines.line)
    except (EOFError, KeyboardInterrupt):
        typer.echo()
        return False
    return True


def _overtaken(
    drills: Drills, before: Session, said: str, error: StaleAnswer, lines: Lines, companion: Companion | None
) -> Session:
    """The drill as another window left it; what was typed here is kept."""
    echo_wrapped(f"{error.what[0].upper()}{error.what[1:]}: another window has gone on.")
    if said.strip():
        echo_wrapped(f"Your words are kept in {drills.store.keep_words(before.id, said)}")
    session = drills.resume(before.id)
    if session.at > before.at:
        _after_a_task(drills, session, lines, companion)
    return session


def _show(session: Session) -> None:
    question = session.pending
    assert question is not None
    typer.echo()
    if len(session.tasks) > 1 and question.state in ("clarify", "answer") and not _answered(session):
        box = f", {session.task.minutes:g} minutes" if session.task.minutes else ""
        if box and session.at == 0:
            box += f" of {sum(task.minutes for task in session.tasks):g}"
        typer.echo(f"[{session.at + 1} of {len(session.tasks)}{box}]")
    if session.task.why and question.state == "answer":
        echo_wrapped(f"(Chosen for you: {session.task.why}.)")
    for paragraph in question.shown.split("\n"):
        if paragraph.strip():
            echo_wrapped(paragraph)
        else:
            typer.echo()
    how = _PARAGRAPHS if _in_paragraphs(session) else _HOW[question.state]
    echo_wrapped(f"({how})")


def _in_paragraphs(session: Session) -> bool:
    """Whether an answer is likely to have several: a design step or a review, not a spoken answer."""
    return session.kind in MOCKS and session.state == "answer"


def _answered(session: Session) -> bool:
    return any(t.who == "learner" for t in session.round.turns)


def _listen(lines: Lines, *, several: bool, paragraphs: bool) -> str:
    """What the learner says: a line, or lines up to an empty one (``paragraphs``: two) that is no part of a paste.

    Raises:
        EOFError: standard input ended before anything was said.
    """
    said = [lines.line()]
    if said[0].strip().lower() in _WHOLE:
        return said[0]
    while several and not _ended(said, paragraphs=paragraphs, more=lines.more):
        try:
            said.append(lines.line())
        except EOFError:
            break
    return _joined(said)


def _ended(said: list[str], *, paragraphs: bool, more: Callable[[], bool]) -> bool:
    if said[-1].strip():
        return False
    one = not paragraphs or not any(line.strip() for line in said)
    return (one or not said[-2].strip()) and not more()


def _joined(said: list[str]) -> str:
    """The lines as text. One typed to the edge of the window is no sentence: what follows belongs to it."""
    text, fenced = "", False
    for line in said:
        fence = line.lstrip().startswith("```")
        new = fence or fenced or line[:1] in ("", " ", "\t") or _ITEM.match(line)
        alone = new or text.endswith("\n") or text.rstrip().endswith((".", "!", "?", ":", ";", "```", "{", "}"))
        text += ("\n" if alone else " ") + (line.rstrip() if fenced or line[:1] in (" ", "\t") else line.strip())
        fenced = fenced != fence
    return text.strip()


@contextmanager
def _time_box(minutes: float, left_s: float | None) -> Iterator[None]:
    """Warn on standard error when four fifths of the minutes are gone, and when all are; at once if they are."""
    timers: list[Timer] = []
    if left_s is not None:
        fifth = minutes * 60 * 0.2
        if left_s <= 0:
            _warn("Time for this step is up: come to an end.")
        for wait, text in ((left_s - fifth, f"{fifth / 60:.1f} minutes left for this step."), (left_s, _OVER)):
            if wait > 0:
                timers.append(Timer(wait, _warn, (text,)))
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def _warn(text: str) -> None:
    print(f"\n[{text}]", file=sys.stderr, flush=True)
