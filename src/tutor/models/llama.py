"""What the LlamaIndex classes have in common: a streamed chat as pieces, and how to find them installed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tutor.errors import MissingExtra
from tutor.models.failures import garbled, unreachable
from tutor.models.port import Message
from tutor.models.reading import Counts, Piece


def need(*modules: str) -> None:
    """Check without importing that modules are there.

    Raises:
        MissingExtra: names the first that is not.
    """
    for name in modules:
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise MissingExtra("a language model", extra="llm", module=name)


def load(module: str) -> Any:
    """A module of the extra.

    Raises:
        MissingExtra: it, or something it needs, is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra("a language model", extra="llm", module=error.name or module) from error


def chat_messages(messages: Iterable[Message]) -> list[Any]:
    """Our messages as LlamaIndex's."""
    types = load("llama_index.core.base.llms.types")
    return [types.ChatMessage(role=message.role, content=message.content) for message in messages]


def pieces(replies: Any, ended: Callable[[Any], bool], *, about: str) -> Generator[Piece | Counts]:
    """What a ``stream_chat`` yields, as pieces; raises what it raises.

    Args:
        replies: of LlamaIndex, each with all that came so far.
        ended: whether a reply is the one that says that it was the last.
        about: the model's name.

    Raises:
        ModelUnreachable: the stream stopped before it was ended, or held no reply; libraries take that for an end.
    """
    done = came = False
    with closing(replies):
        for reply in replies:
            came, done = True, done or ended(reply)
            if counted := counts(reply):
                yield counted
            # Ollama's and OpenAI's put it beside the message, Anthropic's into it.
            thought = reply.additional_kwargs.get("thinking_delta") or reply.message.additional_kwargs.get(
                "thinking_delta"
            )
            if thought:
                yield Piece(str(thought), thinking=True)
            if reply.delta:
                yield Piece(reply.delta)
    if not came:
        raise garbled("there is nothing of one in it", about=about)
    if not done:
        raise unreachable("the connection broke off in the middle of the reply", about=about)


def counts(reply: Any) -> Counts | None:
    """The tokens that a reply names, in whichever of the vendors' places."""
    raw = reply.raw if isinstance(reply.raw, Mapping) else {}
    for found in (reply.additional_kwargs, reply.message.additional_kwargs.get("usage"), raw.get("usage")):
        if not isinstance(found, Mapping):
            continue
        prompt = found.get("prompt_tokens", found.get("input_tokens"))
        completion = found.get("completion_tokens", found.get("output_tokens"))
        if isinstance(prompt, int) and isinstance(completion, int):
            return Counts(prompt, completion)
    return None
