"""``tutor ask``: a cited answer, for people or as JSON lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import State, batch_questions, emit, parse_filters
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.answering.answer import Answerer
    from tutor.answering.generate import GroundedAnswerer


def ask(
    context: typer.Context,
    question: Annotated[list[str] | None, typer.Argument(help="The question; quotes are optional.")] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON lines with id and question; - for stdin.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--filter", metavar="KEY=VALUE", help="As in phase=4.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timings: Annotated[bool, typer.Option("--timings", help="Show how long each stage took.")] = False,
    model: Annotated[
        bool | None,
        typer.Option("--model/--no-model", help="Let the language model write the answer (by default if one is set)."),
    ] = None,
) -> None:
    """Answer a question from the curriculum and your documents, every sentence cited."""
    from tutor.cli.writing import WritingStopped, answerer_of, tell
    from tutor.wire import answer_json

    state: State = context.obj
    filters = parse_filters(only or [])
    if (batch is None) == (not question):
        raise UsageError("give either a question or --batch FILE", fix='As in: tutor ask "What is a quorum?"')
    with state.core() as core:
        answerer = answerer_of(core, model)
        if batch is not None:
            for name, text in batch_questions(batch):
                emit({"id": name, **_answer_or_error(answerer, text, filters)})
            return
        asked = " ".join(question or [])
        if as_json:
            emit(answer_json(answerer.ask(asked, filters=filters)))
            return
        try:
            answer = tell(answerer, asked, filters, sys.stdout)
        except WritingStopped as stopped:  # it has been told; main would say "interrupted" once more
            raise typer.Exit(130) from stopped
        if timings:
            from tutor.cli.paint import print_timings

            print_timings(answer, sys.stdout)


def _answer_or_error(
    answerer: Answerer | GroundedAnswerer, text: str, filters: dict[str, list[str | int]]
) -> dict[str, Any]:
    """A bad question in a batch is that line's error, not the end of the batch."""
    from tutor.wire import answer_json

    try:
        return answer_json(answerer.ask(text, filters=filters))
    except UsageError as error:
        return {
            "answer": "",
            "citations": [],
            "abstained": True,
            "confidence": 0.0,
            "nearest": [],
            "intent": "",
            "corrected": [],
            "meant": [],
            "uncovered": [],
            "further": [],
            "generation": None,
            "ms": 0.0,
            "stages": {},
            "error": error.message,
        }
