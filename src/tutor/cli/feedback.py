"""``tutor feedback``: say that an answer is good or bad, so that a test question can be made of it."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.state import State
from tutor.errors import UsageError


def feedback(
    context: typer.Context,
    vote: Annotated[str, typer.Argument(metavar="up|down", help="Whether the answer is good.")],
    question: Annotated[list[str], typer.Argument(help="The question, as you asked it.")],
    note: Annotated[str, typer.Option(help="What is wrong or good, at most 2,000 characters.")] = "",
) -> None:
    """Vote on the answer that tutor gives to a question; it is kept in HOME/feedback/answers.jsonl."""
    from tutor.feedback import VOTES

    if vote not in VOTES:  # before the question is asked
        raise UsageError(f"'{vote}' is no vote", fix='As in: tutor feedback down "What is a quorum?" --note "too long"')
    state: State = context.obj
    with state.core() as core:
        answer = core.answerer.ask(" ".join(question))
        cited = [citation.chunk_id for citation in answer.citations]
        core.feedback.add(answer.question, answer.text, vote, citations=cited, note=note)
        typer.echo(f"Kept in {core.feedback.path}: {vote}, with the answer as it is now.")
