"""More questions at once than there are worker threads: they queue in order, and nothing else waits for them."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEncoder, write_notes
from live_server import running
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app
from tutor.web.core import Core
from tutor.web.turns import PLACES, in_turn

QUESTION = "What is a quorum?"
MORE_THAN_THREADS = 45


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    made.ingest([write_notes(tmp_path / "notes")])
    yield made
    made.close()


def read_to(client: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        piece = client.recv(65536)
        assert piece, found
        found += piece
    return found


def test_a_style_sheet_does_not_wait_for_forty_five_questions(app: App) -> None:
    web = create_app(app)
    ask = b"GET /api/v1/ask/stream?q=What+is+a+quorum%3F HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with running(web) as address, ExitStack() as opened:
        where = ("127.0.0.1", int(address.rpartition(":")[2]))
        with web.state.core._lock:  # as while somebody is answered
            clients = []
            for _ in range(MORE_THAN_THREADS):
                client = opened.enter_context(closing(socket.create_connection(where, timeout=30)))
                client.sendall(ask)
                clients.append(client)
            for client in clients:
                assert b"event: status" in read_to(client, b"Searching the library")
            with urllib.request.urlopen(f"{address}/static/css/base.css", timeout=15) as sheet:
                assert sheet.status == 200
        for client in clients:
            assert b"event: verdict" in read_to(client, b"event: done")


def test_an_answer_that_is_made_waits_for_no_other(app: App) -> None:
    core = Core(app)
    grounds = core.grounds(QUESTION)
    assert grounds.answer.citations
    with core._lock, ThreadOf(lambda: core.writing(grounds)) as there:
        there.join(10)
        assert not there.is_alive()
        assert there.found is None  # there is no model


class ThreadOf(threading.Thread):
    """A thread that keeps what its work gave."""

    def __init__(self, work: Any) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.found: Any = "nothing yet"

    def run(self) -> None:
        self.found = self._work()

    def __enter__(self) -> ThreadOf:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_questions_take_turns_in_the_order_in_which_they_came() -> None:
    order: list[int] = []
    go_on = [threading.Event() for _ in range(PLACES)]

    def work(number: int) -> int:
        if number < PLACES:
            go_on[number].wait(10)
        order.append(number)
        return number

    async def run() -> list[int]:
        asked = [asyncio.create_task(in_turn(partial(work, number))) for number in range(20)]
        await asyncio.sleep(0.1)
        assert not order  # all places are taken
        go_on[0].set()
        answered = await asyncio.gather(asked[0], *asked[PLACES:])
        for event in go_on:
            event.set()
        return answered + await asyncio.gather(*asked[1:PLACES])

    assert asyncio.run(run()) == order == [0, *range(PLACES, 20), *range(1, PLACES)]


def test_whoever_leaves_gives_up_the_place() -> None:
    done: list[str] = []
    go_on = threading.Event()

    async def run() -> None:
        first = [asyncio.create_task(in_turn(partial(go_on.wait, 10))) for _ in range(PLACES)]
        await asyncio.sleep(0.05)
        second = asyncio.create_task(in_turn(partial(done.append, "second")))
        third = asyncio.create_task(in_turn(partial(done.append, "third")))
        await asyncio.sleep(0.05)
        second.cancel()
        go_on.set()
        await asyncio.gather(*first, third)
        assert second.cancelled()

    asyncio.run(run())
    assert done == ["third"]
