"""``tutor ask``: a cited answer, for people or as JSON lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import State, batch_questions, emit, parse_filters
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.answering.answer import Answer


def ask(
    context: typer.Context,
    question: Annotated[list[str] | None, typer.Argument(help="The question; quotes are optional.")] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON lines with id and question; - for stdin.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--filter", metavar="KEY=VALUE", help="As in phase=4.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a question from the curriculum and your documents, every sentence cited."""
    state: State = context.obj
    filters = parse_filters(only or [])
    if (batch is None) == (not question):
        raise UsageError("give either a question or --batch FILE", fix='As in: tutor ask "What is a quorum?"')
    with state.core() as core:
        if batch is not None:
            for name, text in batch_questions(batch):
                emit({"id": name, **_answer_or_error(core, text, filters)})
            return
        answer = core.answerer.ask(" ".join(question or []), filters=filters)
        if as_json:
            emit(to_json(answer))
        else:
            from tutor.cli.paint import print_answer

            print_answer(answer, sys.stdout)


def _answer_or_error(core: Any, text: str, filters: dict[str, list[str | int]]) -> dict[str, Any]:
    """A bad question in a batch is that line's error, not the end of the batch."""
    try:
        return to_json(core.answerer.ask(text, filters=filters))
    except UsageError as error:
        return {
            "answer": "",
            "citations": [],
            "abstained": True,
            "confidence": 0.0,
            "nearest": [],
            "ms": 0.0,
            "error": error.message,
        }


def to_json(answer: Answer) -> dict[str, Any]:
    """The stable JSON form of an answer (docs/overview.md)."""
    return {
        "answer": answer.text,
        "citations": [
            {
                "n": c.n,
                "doc_id": c.doc_id,
                "chunk_id": c.chunk_id,
                "title": c.title,
                "heading": list(c.heading),
                "start": c.start,
                "end": c.end,
                "quote": c.quote,
                "covers": list(c.covers),
                "page": c.page,
            }
            for c in answer.citations
        ],
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "nearest": [{"doc_id": n.doc_id, "title": n.title, "covers": list(n.covers)} for n in answer.nearest],
        "intent": answer.intent,
        "corrected": [list(pair) for pair in answer.corrected],
        "ms": round(answer.ms, 2),
    }
