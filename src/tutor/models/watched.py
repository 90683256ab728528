"""A model that is watched: every reply is counted, and its times are stages of whatever asked for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from time import perf_counter

from tutor.errors import Cancelled
from tutor.models.budget import for_question
from tutor.models.port import Completion, LanguageModel, Message, Usage
from tutor.models.wrapped import Wrapped
from tutor.telemetry import model_reply, took


class WatchedModel(Wrapped[LanguageModel]):
    """Counts each reply of ``model`` with its tokens, cost and error (``telemetry.measures.model_reply``).

    The stages are ``model.first_token``, the wait for the first piece, and ``model.reply``, the wait for the others.
    What a reader does between two pieces is in neither.
    """

    def question(self) -> LanguageModel:
        """This model for one question."""
        return WatchedModel(for_question(self.model))

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        began = perf_counter()
        try:
            reply = self.model.stream(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
        except Exception as error:
            model_reply(self.name, error=error)
            raise
        return _Watched(self.name, reply, began)


class _Watched:
    """A reply that is counted once, when it ends or is closed, whichever comes first."""

    def __init__(self, name: str, reply: Completion, began: float) -> None:
        self._name, self._reply, self._began = name, reply, began
        self._lock = threading.Lock()
        self._told = False

    def __iter__(self) -> Iterator[str]:
        waited, first = 0.0, True
        since = self._began
        ended: BaseException | None = Cancelled("the reply was left before its end", about=self._name)
        try:
            for piece in self._reply:
                waited += perf_counter() - since
                if first:
                    took("model.first_token", waited)
                    first, waited = False, 0.0
                yield piece
                since = perf_counter()
            ended = None
        except GeneratorExit:
            since = perf_counter()  # nobody was waiting
            raise
        except BaseException as error:
            ended = error
            raise
        finally:
            took("model.first_token" if first else "model.reply", waited + perf_counter() - since)
            self._tell(ended)

    def _tell(self, error: BaseException | None) -> None:
        with self._lock:
            first, self._told = not self._told, True
        if first:
            taken = self._reply.usage
            model_reply(
                self._name,
                prompt_tokens=taken.prompt_tokens,
                completion_tokens=taken.completion_tokens,
                cost_usd=taken.cost_usd,
                error=error,
            )

    @property
    def usage(self) -> Usage:
        return self._reply.usage

    def close(self) -> None:
        self._reply.close()
        self._tell(Cancelled("the reply was closed before its end", about=self._name))
