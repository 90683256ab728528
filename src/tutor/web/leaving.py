"""Clients that leave before their answer is done: what is still to do for them stops at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

from anyio import create_task_group
from anyio.to_thread import run_sync
from fastapi import Request
from starlette.requests import ClientDisconnect

T = TypeVar("T")
GONE = 499  # as nginx logs it: the client closed the request, so nobody reads this
_LOOK_S = 0.05


@contextmanager
def stopped_when(gone: Event | None, stop: Callable[[], None]) -> Iterator[None]:
    """Calls ``stop`` from another thread as soon as ``gone`` is set, while the block runs; it may wait for a model."""
    if gone is None:
        yield
        return
    done = Event()

    def watch() -> None:
        while not done.is_set():
            if gone.wait(_LOOK_S):
                if not done.is_set():
                    stop()
                return

    Thread(target=watch, name="client watch", daemon=True).start()
    try:
        yield
    finally:
        done.set()


async def left(request: Request) -> None:
    """Returns when the client has gone. The request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Callable[[Event], T]) -> T:
    """What ``work`` gives, in a worker thread; its event is set as soon as the client has gone.

    Raises:
        ClientDisconnect: the client has gone; work that has begun is left to itself.
    """
    gone = Event()
    done: list[T] = []
    failed: list[Exception] = []

    async with create_task_group() as tasks:

        async def watch() -> None:
            await left(request)
            gone.set()
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        try:
            done.append(await run_sync(work, gone, abandon_on_cancel=True))
        except Exception as error:  # noqa: BLE001  raised below: a task group would wrap it
            failed.append(error)
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    if not done:
        raise ClientDisconnect
    return done[0]
