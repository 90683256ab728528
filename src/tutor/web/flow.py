"""What comes bit by bit, with silence noticed: asynchronous events, and blocking iterators read in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from threading import Event
from typing import Generic, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.requests import ClientDisconnect

from tutor.web.leaving import left

T = TypeVar("T")

#: Server-sent events: what proxies and clients pass over.
COMMENT = ": keep-alive\n\n"


async def kept_alive(events: AsyncGenerator[str, None], silence_s: float) -> AsyncIterator[str]:
    """The events as they come, and a comment each time that nothing came for ``silence_s``.

    Proxies give up on a connection on which nothing is sent, and a language model may think for a minute.
    """
    following: asyncio.Task[str] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(events))
            if not (await asyncio.wait({following}, timeout=silence_s))[0]:
                yield COMMENT
                continue
            try:
                event = following.result()
            except StopAsyncIteration:
                return
            finally:
                following = None
            yield event
    finally:
        if following is not None:
            following.cancel()
            await asyncio.wait({following})  # it closes what it holds, as the model's connection
        await events.aclose()


class Flow(Generic[T]):
    """Items as they come.

    Args:
        make: makes the iterator, of items that are not None; its event is set when nobody waits any more.
    """

    def __init__(self, make: Callable[[Event], Iterator[T]]) -> None:
        self._gone = Event()
        self._items = make(self._gone)
        self._next: asyncio.Task[T | None] | None = None

    async def begun(self, request: Request, within_s: float) -> None:
        """Wait for the first item, so long at most.

        Raises:
            ClientDisconnect: the client has gone meanwhile.
            Exception: whatever kept the first item from coming.
        """
        leaving = asyncio.create_task(left(request))
        try:
            first = self._take()
            await asyncio.wait({first, leaving}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if first.done():
                first.result()
            elif leaving.done():
                raise ClientDisconnect
        except BaseException:
            self.close()
            raise
        finally:
            leaving.cancel()

    async def items(self, silence_s: float) -> AsyncIterator[T | None]:
        """Every item; None each time that nothing came for ``silence_s``."""
        try:
            while True:
                task = self._take()
                if not (await asyncio.wait({task}, timeout=silence_s))[0]:
                    yield None
                    continue
                self._next = None
                if (item := task.result()) is None:
                    return
                yield item
        finally:
            self.close()

    def _take(self) -> asyncio.Task[T | None]:
        """The next item, under way."""
        if self._next is None:
            self._next = asyncio.create_task(self._step())
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be left to ask
        return self._next

    async def _step(self) -> T | None:
        return await run_sync(next, self._items, None, abandon_on_cancel=True)

    def close(self) -> None:
        """Nobody waits any more; may be called again."""
        self._gone.set()
        if self._next is not None:
            self._next.cancel()
