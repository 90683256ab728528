"""Streams that fall silent: comments while nothing comes, and an end that lets go of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tutor.web.flow import COMMENT, kept_alive


class Source:
    """Gives events; waits for ``go_on`` before the second one."""

    def __init__(self, *, fails: bool = False) -> None:
        self.go_on = asyncio.Event()
        self.fails = fails
        self.closed = 0

    async def events(self) -> AsyncGenerator[str, None]:
        try:
            yield "one"
            await self.go_on.wait()
            if self.fails:
                raise ValueError("broke off")
            yield "two"
        finally:
            self.closed += 1


def test_a_silence_is_filled_with_comments_and_loses_nothing() -> None:
    async def run() -> list[str]:
        source, found = Source(), []
        async for event in kept_alive(source.events(), 0.02):
            found.append(event)
            if found.count(COMMENT) == 3:
                source.go_on.set()
        assert source.closed == 1
        return found

    assert asyncio.run(run()) == ["one", COMMENT, COMMENT, COMMENT, "two"]


def test_nothing_is_added_where_events_follow_each_other() -> None:
    async def run() -> list[str]:
        source = Source()
        source.go_on.set()
        return [event async for event in kept_alive(source.events(), 5)]

    assert asyncio.run(run()) == ["one", "two"]


def test_what_goes_wrong_comes_through() -> None:
    async def run() -> None:
        source = Source(fails=True)
        source.go_on.set()
        with pytest.raises(ValueError, match="broke off"):
            assert [event async for event in kept_alive(source.events(), 5)] == ["one"]
        assert source.closed == 1

    asyncio.run(run())


@pytest.mark.parametrize("silent", [True, False])
def test_a_reader_who_leaves_ends_what_was_under_way(silent: bool) -> None:
    async def run() -> None:
        source = Source()
        stream = kept_alive(source.events(), 0.02)
        assert await anext(stream) == "one"
        if silent:
            assert await anext(stream) == COMMENT
        await stream.aclose()  # type: ignore[attr-defined]  it is a generator
        assert source.closed == 1

    asyncio.run(run())


def test_a_request_that_is_cancelled_ends_what_was_under_way() -> None:
    async def run() -> None:
        source = Source()

        async def read() -> None:
            async for _ in kept_alive(source.events(), 0.02):
                pass

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.sleep(0)
        assert source.closed == 1

    asyncio.run(run())
