"""An answer in the terminal while a language model may write another: the quoted one stands until that is checked."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TextIO

from tutor.cli.paint import dim, print_answer
from tutor.cli.state import terminal_width
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.answering.answer import Answer, Answerer, Grounds
    from tutor.answering.generate import GroundedAnswerer
    from tutor.bootstrap import App
    from tutor.retrieval.search import Filters


class WritingStopped(KeyboardInterrupt):
    """Ctrl-C while the model wrote. ``answer`` is the quoted one, which has been printed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def answerer_of(core: App, model: bool | None) -> Answerer | GroundedAnswerer:
    """Who answers: the model where it is set and wanted, else the passages alone.

    Raises:
        UsageError: a model is asked for and none is set.
    """
    if model is False:
        return core.answerer
    if core.grounded is not None:
        return core.grounded
    if model:
        raise UsageError("no language model is set", about="--model", fix="Choose one: tutor models")
    return core.answerer


def tell(answerer: Answerer | GroundedAnswerer, question: str, filters: Filters | None, out: TextIO) -> Answer:
    """Answer and print: on a terminal the quoted answer at once and the model's below it, else only what stands.

    Nothing that was printed is taken back, so nothing flickers and all of it can be scrolled to.

    Raises:
        UsageError: an empty or over-long question, an unknown filter.
        IndexFault: the index cannot answer.
        WritingStopped: Ctrl-C while the model wrote; the reader has been told that the quoted answer stands.
    """
    from tutor.answering.generate import GroundedAnswerer

    if not out.isatty() or not isinstance(answerer, GroundedAnswerer):
        answer = answerer.ask(question, filters=filters)
        print_answer(answer, out)
        return answer
    grounds = answerer.answerer.grounds(question, filters=filters)
    print_answer(grounds.answer, out)
    out.flush()
    return grounds.answer if grounds.answer.abstained else _written(answerer, grounds, out)


def _written(answerer: GroundedAnswerer, grounds: Grounds, out: TextIO) -> Answer:
    from tutor.answering.written import Finished

    answer = grounds.answer
    name = answerer.model.name
    writing = answerer.write(grounds)
    try:
        _say(f"{name} is writing… (Ctrl-C keeps the answer above)", out)
        for event in writing:
            if isinstance(event, Finished):
                answer = event.answer
    except KeyboardInterrupt as stop:
        writing.close()
        _say(f"(stopped while {name} was writing; the quoted answer above stands)", out)
        raise WritingStopped(grounds.answer) from stop
    if answer.generation and answer.generation.fallback:
        _say(f"({answer.generation.line()})", out)
    else:
        print(file=out)
        print_answer(answer, out, again=True)
    return answer


def _say(text: str, out: TextIO) -> None:
    """One dim paragraph after an empty line, seen at once."""
    print(file=out)
    print(dim(textwrap.fill(text, terminal_width(), subsequent_indent=" "), out.isatty()), file=out, flush=True)
