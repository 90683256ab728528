"""A reply read in a thread of its own, so that whoever waits for it is never kept past a deadline."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from tutor.errors import Cancelled, ContextOverflow, GenerationError, ModelTimeout, TutorError
from tutor.models.port import NOTHING, Message, Usage

_log = logging.getLogger(__name__)
#: A token is rarely longer; a reply that is was not asked for.
_CHARS_PER_TOKEN = 32
#: What a chat template puts around a message, roughly.
_MESSAGE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is asked; ``temperature`` from 0 to 1, ``timeout_s`` for the whole reply."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    stop: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it comes; ``thinking`` where it is no part of the reply and only shows that there will be one."""

    text: str
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens as the server counts them; the last ones count."""

    prompt_tokens: int
    completion_tokens: int


class Call:
    """One request under way; ``close`` is called from other threads and runs what ``when_closed`` was given, once.

    ``taken_up`` is set by the backend while the model may be at work on the request: from when it is on its way, until
    the server says that it did not accept it.
    """

    def __init__(self) -> None:
        self.taken_up = False
        self._lock = threading.Lock()
        self._enders: list[Callable[[], None]] = []
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def when_closed(self, end: Callable[[], None]) -> None:
        """Run ``end`` when the call is closed; now, if it is already."""
        with self._lock:
            if not self.closed:
                self._enders.append(end)
                return
        end()

    def close(self) -> None:
        """End the request; may be called again."""
        with self._lock:
            self._closed.set()
            enders, self._enders = self._enders, []
        for end in enders:
            try:
                end()
            except OSError as error:  # the connection has gone by itself
                _log.debug("closing a request: %s", error)


class Backend(Protocol):
    """One vendor's way to a model: slow, blocking, and run in a thread of ``Reading``."""

    @property
    def name(self) -> str: ...

    @property
    def context_tokens(self) -> int: ...

    def prepare(self) -> None:
        """Import or load what is needed; its time is not the server's.

        Raises:
            TutorError: it cannot be had.
        """
        ...

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        """The reply as it comes. Registers with ``call`` what ends the request, and says there whether it is taken up.

        Raises:
            GenerationError: whatever went wrong, mapped.
        """
        ...


class _End:
    """The last thing in the queue."""


_live: weakref.WeakSet[Reading] = weakref.WeakSet()


class Reading:
    """A ``Completion`` that a thread reads; the deadlines hold whatever the server does.

    ``limit_s`` is what was set for the whole reply, where ``asked.timeout_s`` is what earlier attempts left of it.
    """

    def __init__(
        self,
        backend: Backend,
        asked: Asked,
        *,
        first_token_s: float,
        limit_s: float,
        count: Callable[[str], int],
        cost: Callable[[int, int], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend, self._asked, self._first_s, self._clock = backend, asked, first_token_s, clock
        self._limit_s = limit_s
        self._count, self._cost = count, cost
        self._queue: queue.SimpleQueue[str | TutorError | _End] = queue.SimpleQueue()
        self._call = Call()
        self._ready = threading.Event()  # what had to be loaded is
        self._ready_at = 0.0
        self._began = clock()
        self._alive = False
        self._length = 0
        self._text: list[str] = []
        self._counts: Counts | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="language model", daemon=True)
        _live.add(self)
        self._thread.start()

    def __iter__(self) -> Iterator[str]:
        try:
            while True:
                item = self._next()
                if isinstance(item, _End):
                    return
                if isinstance(item, TutorError):
                    raise item
                if item:
                    self._text.append(item)
                    yield item
        finally:
            self.close()

    def _next(self) -> str | TutorError | _End:
        """The next piece ("" for a sign of life).

        Raises:
            ModelTimeout: it did not come in time.
            Cancelled: the reply was closed before its end.
        """
        while True:
            if self._call.closed and not self._ended:
                raise Cancelled("the reply was closed before its end", about=self._backend.name)
            now = self._clock()
            whole = self._began + self._asked.timeout_s - now
            left = whole
            if not self._alive and self._ready.is_set():
                left = min(left, self._ready_at + self._first_s - now)
            try:
                # In steps, so that a call that was closed elsewhere, or is ready only now, is seen. What has come is
                # taken even when it is late for whoever reads slowly: the thread keeps to the deadline by itself.
                item = self._queue.get(timeout=max(0.0, min(left, 0.25 if self._alive else 0.05)))
            except queue.Empty:
                if left <= 0:
                    raise self._late(whole) from None
                continue
            if isinstance(item, str):
                self._alive = True
            elif isinstance(item, TutorError) and self._call.closed:
                continue  # what a request says that was ended under its hands
            else:
                self._ended = True
            return item

    def _late(self, whole: float) -> ModelTimeout:
        if not self._ready.is_set():
            what = f"the model was not loaded within {self._limit_s:g} s"
            return ModelTimeout(what, about=self._backend.name, fix="Ask again, or raise llm.timeout_s.")
        begun = self._alive or self._length
        if not begun and whole > 0:
            what = f"no word within {self._first_s:g} s"
            return ModelTimeout(what, about=self._backend.name, fix="Raise llm.first_token_s, or take a smaller model.")
        what = f"{'the reply was not done' if begun else 'no word'} within {self._limit_s:g} s"
        return ModelTimeout(what, about=self._backend.name, fix="Raise llm.timeout_s, or take a smaller model.")

    @property
    def usage(self) -> Usage:
        counts, estimated = self._counts, False
        if counts is None:
            if not (self._alive or self._call.taken_up):  # no server accepted it
                return NOTHING
            prompt = prompt_tokens(self._asked.messages, self._count)
            counts, estimated = Counts(prompt, self._count("".join(self._text))), True
        cost = self._cost(counts.prompt_tokens, counts.completion_tokens)
        return Usage(counts.prompt_tokens, counts.completion_tokens, cost, estimated)

    def close(self) -> None:
        self._call.close()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _read(self) -> None:
        """Runs in the thread; the last thing it does is to tell the end, or why there is none."""
        try:
            self._backend.prepare()
            self._ready_at = self._clock()
            self._ready.set()
            if self._call.closed:
                return
            with closing(self._backend.read(self._asked, self._call)) as items:
                for item in items:
                    if self._call.closed:
                        return
                    self._take(item)
            self._queue.put(_End())
        except TutorError as error:
            self._queue.put(error)
        except Exception as error:  # noqa: BLE001 - in a thread nobody else would hear of it; told as what it is
            kind = type(error).__name__
            self._queue.put(GenerationError(f"the reply could not be read ({kind})", about=self._backend.name))
            _log.debug("reading a reply of %s: %s", self._backend.name, kind)

    def _take(self, item: Piece | Counts) -> None:
        """Hand an item on.

        Raises:
            ModelTimeout: it is too late for it.
            GenerationError: the reply is far longer than was asked for.
        """
        if self._clock() > self._began + self._asked.timeout_s:
            raise self._late(0.0)
        if isinstance(item, Counts):
            self._counts = item
            return
        self._length += 0 if item.thinking else len(item.text)
        most = self._asked.max_tokens * _CHARS_PER_TOKEN
        if self._length > most:
            raise GenerationError(
                f"the reply does not end (over {most:,} characters of it)",
                about=self._backend.name,
                fix="The server does not keep to max_tokens; take another.",
            )
        self._queue.put("" if item.thinking else item.text)


class TimedModel:
    """A ``LanguageModel`` over a backend: deadlines, what surely does not fit, counts and cost.

    Args:
        backend: the way to the model.
        first_token_s: how long the first piece may take, once the model is loaded.
        timeout_s: for a whole reply, loading included.
        cost: US dollars for prompt and completion tokens, None where the price is not known.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        first_token_s: float,
        timeout_s: float,
        cost: Callable[[int, int], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend, self._first_s, self._timeout_s = backend, first_token_s, timeout_s
        self._cost, self._clock = cost, clock

    @property
    def name(self) -> str:
        return self._backend.name

    @property
    def context_tokens(self) -> int:
        return self._backend.context_tokens

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Reading:
        """As ``LanguageModel.stream``; ``within_s`` where less time is left than ``timeout_s``."""
        needed = prompt_tokens(messages, self.count_tokens) + max_tokens
        if needed > self.context_tokens:
            raise ContextOverflow(
                f"about {needed:,} tokens with the reply; there is room for {self.context_tokens:,}",
                about=self.name,
                fix="Ask for less, or raise llm.context_tokens if the model takes more.",
            )
        timeout_s = self._timeout_s if within_s is None else min(within_s, self._timeout_s)
        return Reading(
            self._backend,
            Asked(tuple(messages), max_tokens, temperature, tuple(stop), timeout_s),
            first_token_s=self._first_s,
            limit_s=self._timeout_s,
            count=self.count_tokens,
            cost=self._cost,
            clock=self._clock,
        )

    def count_tokens(self, text: str) -> int:
        """A quarter of the bytes, as tokenizers of current models give for English prose; no tokenizer is asked."""
        return -(-len(text.encode("utf-8", "replace")) // 4)

    def cost(self, prompt: int, completion: int) -> float | None:
        """US dollars, or None where the price is not known."""
        return self._cost(prompt, completion)


def prompt_tokens(messages: Sequence[Message], count: Callable[[str], int]) -> int:
    """About how many tokens a prompt is, with what stands around its messages."""
    return sum(count(message.content) + _MESSAGE_TOKENS for message in messages)


@atexit.register
def _end_all() -> None:
    """End what is under way: a thread inside a native library must not outlive the interpreter."""
    readings = list(_live)
    for reading in readings:
        reading.close()
    for reading in readings:
        reading.join(5.0)
