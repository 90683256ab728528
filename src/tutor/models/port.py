"""What a language model is to the rest of the product: messages in, text piece by piece out, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply took: tokens, and US dollars where the price is known (None: not known; 0.0: runs here).

    ``estimated`` where the server did not count and we did.
    """

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = None
    estimated: bool = False

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


#: What is taken where no request was accepted.
NOTHING = Usage(0, 0, 0.0)


def total(taken: Iterable[Usage]) -> Usage:
    """What several replies took together; the cost is None where that of any is not known."""
    rows = list(taken)
    known = [usage.cost_usd for usage in rows if usage.cost_usd is not None]
    return Usage(
        sum(usage.prompt_tokens for usage in rows),
        sum(usage.completion_tokens for usage in rows),
        sum(known) if len(known) == len(rows) else None,
        any(usage.estimated for usage in rows),
    )


@runtime_checkable
class Completion(Protocol):
    """A reply while it is written: iterate once for its pieces, in order.

    Iterating raises a ``GenerationError`` where the model fails; what came before it stands. ``usage`` is final once
    the iteration has ended, however it ended. ``close`` ends the request, from any thread, and may be called again.
    """

    def __iter__(self) -> Iterator[str]: ...

    @property
    def usage(self) -> Usage: ...

    def close(self) -> None: ...


class LanguageModel(Protocol):
    """A model that can be asked. Safe to call from several threads.

    ``name`` is "provider/model", as it is shown, stored and made part of cache keys. ``context_tokens`` is the largest
    prompt and reply together.
    """

    @property
    def name(self) -> str: ...

    @property
    def context_tokens(self) -> int: ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        """Begin a reply of at most ``max_tokens``.

        Raises:
            GenerationError: the model cannot be asked, now or ever (``transient`` tells which).
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens a text is, at least; exact where the tokenizer is at hand."""
        ...


@runtime_checkable
class PerQuestion(Protocol):
    """A model that keeps a question's account: what is asked of ``question()`` counts as one question."""

    def question(self) -> LanguageModel: ...


def complete(
    model: LanguageModel, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0
) -> tuple[str, Usage]:
    """A whole reply at once.

    Raises:
        GenerationError: as ``LanguageModel.stream`` and its iteration.
    """
    reply = model.stream(messages, max_tokens=max_tokens, temperature=temperature)
    try:
        return "".join(reply), reply.usage
    finally:
        reply.close()
