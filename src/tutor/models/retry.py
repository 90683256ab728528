"""Asks again where asking again may help: exponential back-off with full jitter, before the first piece only."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from tutor.errors import Cancelled, GenerationError, ModelTimeout
from tutor.models.port import Completion, LanguageModel, Message, Usage, total
from tutor.models.wrapped import Wrapped

_log = logging.getLogger(__name__)
#: Full jitter: a delay drawn from 0 to min(CAP, BASE * 2**n) (Brooker, "Exponential Backoff And Jitter", AWS 2015).
BASE_S, CAP_S = 0.5, 8.0


class Timed(LanguageModel, Protocol):
    """A model that can be given less time than it would take."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Completion: ...


@runtime_checkable
class TimedPerQuestion(Protocol):
    """A timed model that keeps a question's account (``models.port.PerQuestion``)."""

    def question(self) -> Timed: ...


def delay_s(attempt: int, draw: float, asked_s: float | None = None) -> float:
    """How long to wait before the next attempt.

    Args:
        attempt: how many have failed, from 1.
        draw: evenly from 0 to 1.
        asked_s: what the server asked for; the least that is waited.
    """
    jittered = draw * min(CAP_S, BASE_S * 2.0 ** (attempt - 1))
    return jittered if asked_s is None else asked_s + jittered


class RetryingModel(Wrapped[Timed]):
    """A model that is asked again after a transient failure.

    Args:
        model: the model.
        retries: how often it is asked again, from 0.
        late_again: whether also after a time-out. A model on this machine is not: it would read the prompt from its
            beginning once more, and be late again.
        timeout_s: for all attempts and the time between them.
        clock: seconds that never go back.
        pause: waits so many seconds; None waits and is woken when the reply is closed.
        draw: evenly from 0 to 1.
    """

    def __init__(
        self,
        model: Timed,
        *,
        retries: int,
        timeout_s: float,
        late_again: bool = True,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(model)
        self.retries, self.timeout_s, self.late_again = retries, timeout_s, late_again
        self.clock, self.pause, self.draw = clock, pause, draw

    def question(self) -> LanguageModel:
        """This model for one question: every attempt counts to it."""
        return RetryingModel(
            self._account(),
            retries=self.retries,
            timeout_s=self.timeout_s,
            late_again=self.late_again,
            clock=self.clock,
            pause=self.pause,
            draw=self.draw,
        )

    def _account(self) -> Timed:
        return self.model.question() if isinstance(self.model, TimedPerQuestion) else self.model

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        model = self._account()

        def begin(within_s: float) -> Completion:
            return model.stream(messages, max_tokens=max_tokens, temperature=temperature, stop=stop, within_s=within_s)

        return _Retrying(self, begin)

    def again(self, error: GenerationError) -> bool:
        """Whether asking again may help."""
        return error.transient and (self.late_again or not isinstance(error, ModelTimeout))


class _Retrying:
    """The reply of the first attempt that gives one; its usage is that of all attempts."""

    def __init__(self, model: RetryingModel, begin: Callable[[float], Completion]) -> None:
        self._model, self._begin = model, begin
        self._closed = threading.Event()
        self._began = model.clock()
        # Begun at once: what is wrong with the request is raised where it is made.
        self._reply = begin(model.timeout_s)
        self._failed: list[Completion] = []

    def __iter__(self) -> Iterator[str]:
        while True:
            given = False
            try:
                for piece in self._reply:
                    given = True
                    yield piece
                return
            except GenerationError as error:
                failed = len(self._failed) + 1
                wait_s = delay_s(failed, self._model.draw(), error.retry_after_s)
                left_s = self._began + self._model.timeout_s - self._model.clock() - wait_s
                if given or not self._model.again(error) or failed > self._model.retries or left_s <= 0:
                    raise
                _log.info("%s; again in %.1f s (%d of %d)", error.message, wait_s, failed, self._model.retries)
            self._wait(wait_s)
            before, self._reply = self._reply, self._begin(left_s)
            self._failed.append(before)
            if self._closed.is_set():  # closed between the two
                self._reply.close()

    def _wait(self, seconds: float) -> None:
        """
        Raises:
            Cancelled: the reply was closed meanwhile.
        """
        if self._model.pause is None:
            self._closed.wait(seconds)
        else:
            self._model.pause(seconds)
        if self._closed.is_set():
            raise Cancelled("the reply was closed before it began", about=self._model.name)

    @property
    def usage(self) -> Usage:
        return total(reply.usage for reply in (*self._failed, self._reply))

    def close(self) -> None:
        self._closed.set()
        self._reply.close()
