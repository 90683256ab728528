"""``tutor drill``: a mock interviewer at the terminal; ``tutor grade``: grades answers from a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import State, batch_rows, emit, terminal_width
from tutor.cli.study import after_drill
from tutor.errors import StaleAnswer, TutorError

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.drill.companion import Companion
    from tutor.drill.engine import Drills
    from tutor.drill.records import Session


def drill(
    context: typer.Context,
    request: Annotated[list[str] | None, typer.Argument(help='As in: "why not kafka", "Redis or Memcached".')] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--format", help="probe, card, set, decision, estimate, hld, lld, ml, genai, capstone, review, behavioural."
        ),
    ] = "",
    card: Annotated[str, typer.Option(help="A card by id, title or alias: all its probes.")] = "",
    phase: Annotated[list[int] | None, typer.Option(help="Probes of these phases (0 to 9).")] = None,
    tier: Annotated[list[int] | None, typer.Option(help="Probes of these tiers (1 to 3).")] = None,
    thread: Annotated[str, typer.Option(help="Probes of a thread's cards, as in: messaging.")] = "",
    count: Annotated[int | None, typer.Option(help="How many probes a set has (5), or decisions (1).")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same set again.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Only probes that are due again.")] = False,
    weak: Annotated[bool, typer.Option("--weak", help="Only probes last answered weakly or wrongly.")] = False,
    choose: Annotated[
        bool, typer.Option("--choose", help="Chosen for you: due, weak, next in your plan, new; --count (1) of them.")
    ] = False,
    resume: Annotated[str, typer.Option(metavar="ID", help="Go on with a drill; 'last' for the newest open one.")] = "",
    show_open: Annotated[bool, typer.Option("--list", help="List the drills that are open.")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="With --list, also those that are over.")] = False,
    export: Annotated[
        str, typer.Option(metavar="ID", help="Print a drill's transcript (Markdown; JSON with --json); 'last' too.")
    ] = "",
    dispute: Annotated[
        str, typer.Option("--override", metavar="ID", help="Disagree with a grade: --override ID 2=covered.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines out; answers from standard input, one a line.")
    ] = False,
    with_model: Annotated[
        bool, typer.Option("--model/--no-model", help="Let the language model phrase questions and read grades again.")
    ] = True,
) -> None:
    """Run a mock interview: a question, follow-ups on what is missing, a changed constraint, a grade."""
    from tutor.drill.formats import Selection
    from tutor.drill.transcript import as_markdown, session_json

    state: State = context.obj
    with state.core() as core:
        drills = core.drills
        if show_open:
            _list(drills, as_json, over=show_all)
            return
        if export:
            session = drills.resume(_id(drills, export))
            if as_json:
                emit(session_json(drills, session))
            else:
                typer.echo(as_markdown(drills, session), nl=False)
            return
        if dispute:
            from tutor.cli.dispute import override

            override(drills, _id(drills, dispute), request or [])
            return
        if resume:
            session = _resumed(drills, resume)
        elif choose:
            given: dict[str, object] = {"--format": kind, "--card": card, "--phase": phase, "--tier": tier}
            given |= {"--thread": thread, "--due": due, "--weak": weak, "a name": request}
            session = _chosen(core, count, seed, [name for name, value in given.items() if value])
        else:
            only = drills.due_or_weak(due=due, weak=weak) if due or weak else None
            if only is not None and (others := drills.exercises_due(due=due, weak=weak)):
                print(f"tutor: also {'due' if due else 'weak'}: {', '.join(others)}", file=sys.stderr)
            cards = drills.thread(thread) if thread else ()
            chosen = Selection(cards=cards, phases=phase or (), tiers=tier or (), only=only, count=count, seed=seed)
            session = drills.start(" ".join(request or []), kind=kind, card=card, chosen=chosen)
        companion = core.companion if with_model else None
        try:
            if as_json:
                _scripted(drills, session, companion)
            else:
                _interview(drills, session, companion)
        finally:  # also of a drill that was broken off: what is graded is graded
            after_drill(core, session.id)


def grade(
    context: typer.Context,
    batch: Annotated[str, typer.Option(metavar="FILE", help="JSON lines with id, card, probe, answer; - for stdin.")],
) -> None:
    """Grade answers: for each line the points, red flags, verdict and level."""
    from tutor.drill.grade import Grade
    from tutor.drill.transcript import grade_json

    state: State = context.obj
    with state.core() as core:

        def refuse(line: dict[str, Any], error: str) -> None:
            nothing = Grade(score=0.0, verdict="ungraded", points=(), reason=error)
            emit({**line, **grade_json(nothing), "error": error})

        for row in batch_rows(batch, text=("card", "probe", "answer"), on_bad=refuse):
            try:
                graded = core.drills.grade(row["card"], row["probe"], row["answer"])
            except Exception as fault:  # noqa: BLE001  that line's error, not the end of the batch
                told = fault.message if isinstance(fault, TutorError) else _unexpected(fault, row["id"])
                refuse({"id": row["id"]}, told)
            else:
                emit({"id": row["id"], **grade_json(graded)})


def _unexpected(fault: Exception, line: object) -> str:
    """What to say of a fault that nobody thought of; told on standard error too."""
    said = f"unexpected {type(fault).__name__}: {fault}"
    print(f"tutor: {line}: {said}. This is a bug; please report it.", file=sys.stderr)
    return said


def _list(drills: Drills, as_json: bool, *, over: bool) -> None:
    """Print the drills that are open, or all, a line each within the terminal's width."""
    from tutor.drill.transcript import row_json

    found = drills.store.all() if over else drills.store.open()
    if as_json:
        for session in found:
            emit(row_json(session))
        return
    for session in found:
        at = f"{session.at + 1} of {len(session.tasks)}" if session.pending else "over"
        line = f"{session.id}  {session.kind:8}  {at:7}  {session.task.rubric.title}"
        typer.echo(line if len(line) <= terminal_width() else line[: terminal_width() - 1] + "…")
    if not found:
        typer.echo('No drill is open. Start one: tutor drill "why not kafka"')


def _chosen(core: App, count: int | None, seed: int | None, given: list[str]) -> Session:
    """A set that is chosen for the learner, one question where no count is given."""
    from tutor.drill.choosing import start_chosen
    from tutor.errors import UsageError
    from tutor.studying import cards_ahead

    if given:
        others = ", ".join(given)
        raise UsageError(f"--choose goes with --count and --seed only, not with {others}", fix="Leave it out.")
    ahead: list[str] = []
    try:
        ahead = cards_ahead(core.study)
    except TutorError as fault:  # the drills have their own results: a set can be chosen without plans
        print(f"tutor: nothing is chosen by your plans. {fault.message}", file=sys.stderr)
    return start_chosen(core.drills, 1 if count is None else count, ahead=ahead, seed=seed)


def _id(drills: Drills, name: str) -> str:
    """A drill's id; of ``last`` that of the one last gone on with, open or over."""
    found = drills.store.all() if name == "last" else []
    return found[0].id if found else name


def _resumed(drills: Drills, name: str) -> Session:
    from tutor.errors import NotFound

    if name != "last":
        return drills.resume(name)
    found = drills.store.open()
    if not found:
        raise NotFound("no drill is open", fix='Start one: tutor drill "why not kafka"')
    return drills.resume(found[0].id)


def _scripted(drills: Drills, session: Session, companion: Companion | None) -> None:
    """Each line of standard input answers the pending question: plain text, or an object (``script.reply_of``)."""
    from tutor.cli.script import reply_of
    from tutor.drill.transcript import step_json

    session = companion.step(session) if companion else session
    emit(step_json(drills, session))
    while (asked := session.pending) is not None and (line := sys.stdin.readline()):
        try:
            question, text = reply_of(line, asked.id)
            session = drills.reply(session.id, question, text)
            session = companion.step(session) if companion else session
        except TutorError as error:
            if isinstance(error, StaleAnswer):  # another process may have gone on
                session = drills.resume(session.id)
            now = session.pending
            emit({"session": session.id, "error": error.message, "question": now.model_dump() if now else None})
        else:
            emit(step_json(drills, session))


def _interview(drills: Drills, session: Session, companion: Companion | None) -> None:
    from tutor.cli.interview import run

    run(drills, session, companion)
