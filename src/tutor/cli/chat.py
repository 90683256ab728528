"""``tutor chat``: a conversation in the terminal, or over JSON lines for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import State, batch_rows, echo_wrapped, emit, parse_filters
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.answering.answer import Answer, Answerer
    from tutor.answering.conversation import Conversation
    from tutor.answering.generate import GroundedAnswerer
    from tutor.answering.talk import Ask, Reply, Talk
    from tutor.retrieval.search import Filters

_HELP = 'Ask on: "and when not?", "what about Redis?". /new forgets, /memory shows what is kept, /quit leaves.'


def chat(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option("--filter", metavar="KEY=VALUE", help="As in phase=4.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines with id and question from stdin, an answer each to stdout.")
    ] = False,
    model: Annotated[
        bool | None,
        typer.Option("--model/--no-model", help="Let the language model read and write (by default if one is set)."),
    ] = None,
) -> None:
    """Ask and ask on: a follow-up is read with what was asked before it. /new, /memory, /quit."""
    from tutor.answering.talk import Talk
    from tutor.cli.writing import answerer_of

    state: State = context.obj
    filters = parse_filters(only or [])
    with state.core() as core:
        answerer = answerer_of(core, model)
        talk = Talk(core.answerer) if model is False else core.talk
        if as_json:
            _lines(talk, answerer, filters)
        else:
            _interactive(talk, answerer, filters)


def _interactive(talk: Talk, answerer: Answerer | GroundedAnswerer, filters: Filters) -> None:
    from tutor.answering.conversation import Conversation

    typed = sys.stdin is not None and sys.stdin.isatty()
    if typed:
        with suppress(ImportError):
            import readline  # noqa: F401  input() edits and recalls lines with it
        echo_wrapped(_HELP)
    conversation = Conversation()
    for line in _typed(typed):
        word = line.lower()
        if word in ("/quit", "/exit", "/q"):
            return
        if word == "/new":
            conversation = Conversation()
            typer.echo("(a new conversation)")
        elif word == "/memory":
            _show(conversation)
        elif word.startswith("/"):
            echo_wrapped(_HELP)
        else:
            try:
                reply = talk.ask(line, conversation, filters=filters, ask=_telling(line, answerer, typed))
            except UsageError as error:
                typer.echo(f"tutor: {error.message}", err=True)
                continue
            conversation = reply.conversation
        typer.echo()


def _telling(line: str, answerer: Answerer | GroundedAnswerer, typed: bool) -> Ask:
    """Prints an answer while it is made; Ctrl-C while the model writes leaves the quoted one, and a typed chat goes on.

    Without somebody who types, there is nobody to go on with: the interruption ends the command.
    """
    from tutor.cli.writing import WritingStopped, tell
    from tutor.retrieval.search import checked_question

    def ask(text: str, filters: Filters | None) -> Answer:
        if text != checked_question(line):
            echo_wrapped(f"(read as: {text})")
        try:
            return tell(answerer, text, filters, sys.stdout)
        except WritingStopped as stopped:
            if not typed:
                raise
            return stopped.answer

    return ask


def _typed(prompt: bool) -> Iterator[str]:
    """Lines that say something, until the input or the patience ends."""
    while True:
        try:
            line = input("> " if prompt else "").strip()
        except (EOFError, KeyboardInterrupt):
            if prompt:
                typer.echo()
            return
        except (RuntimeError, OSError) as error:  # standard input is closed
            raise UsageError("there is nothing to read questions from", fix="Run it in a terminal.") from error
        if line:
            yield line


def _show(conversation: Conversation) -> None:
    if not conversation.turns:
        typer.echo("(nothing is remembered)")
        return
    if conversation.before.turns:
        typer.echo(f"{conversation.before.turns} earlier, in short:")
        for line in conversation.before.lines:
            echo_wrapped(line, lead="  ", hang=2)
    for number, turn in enumerate(conversation.turns, conversation.before.turns + 1):
        echo_wrapped(turn.standalone, lead=f"{number}. ", hang=3)
        if turn.standalone != turn.question:
            echo_wrapped(f"asked as: {turn.question}", lead="   ", hang=3)
        if turn.said:
            echo_wrapped(turn.said, lead="   ", hang=3)
        if turn.names:
            echo_wrapped(f"named: {', '.join(turn.names)}", lead="   ", hang=3)


def _lines(talk: Talk, answerer: Answerer | GroundedAnswerer, filters: Filters) -> None:
    """One conversation over JSON lines; ``"new": true`` begins another."""
    from tutor.answering.conversation import Conversation

    def ask(text: str, filters: Filters | None) -> Answer:
        return answerer.ask(text, filters=filters)

    conversation = Conversation()
    for row in batch_rows("-", text=("question",)):
        if row.get("new") is True:
            conversation = Conversation()
        try:
            reply = talk.ask(row["question"], conversation, filters=filters, ask=ask)
        except UsageError as error:
            emit({"id": row["id"], "error": error.message})
            continue
        conversation = reply.conversation
        emit({"id": row["id"], **_reply_json(reply)})


def _reply_json(reply: Reply) -> dict[str, Any]:
    from tutor.wire import answer_json

    read = {"standalone": reply.standalone, "carried": list(reply.read.carried), "shifted": reply.read.shifted}
    return answer_json(reply.answer) | read | {"why": reply.read.why, "by": reply.read.by}
