"""The benchmarks run: what is only run by hand rots unseen."""

import asyncio
import importlib
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "evals" / "bench"


def test_the_bench_of_a_large_index_runs() -> None:
    done = subprocess.run([sys.executable, str(BENCH / "large.py"), "400"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"400 synthetic passages: p50 [\d.]+ ms, p95 [\d.]+ ms, load [\d.]+ s\n", done.stdout)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("load")


_EVENTS = b"event: verdict\ndata: {}\n\nevent: done\ndata: {}\n\n"
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(_EVENTS), _EVENTS)


def asked(load: ModuleType, connections: Sequence[Sequence[bytes]]) -> tuple[list[tuple[str, bool]], int]:
    """What becomes of two questions: fault and whether asked again; and how many requests reached the server.

    ``connections`` are the replies on each in turn; after the last of them, a connection is closed on the next request.
    """
    waiting, requests = [list(replies) for replies in connections], [0]
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        replies = waiting.pop(0)
        with suppress(asyncio.IncompleteReadError):  # the learner leaves
            while (await reader.readuntil(b"}")).startswith(b"POST"):
                requests[0] += 1
                if not replies:
                    break
                writer.write(reply := replies.pop(0))
                if reply != ANSWER:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def run() -> list[tuple[str, bool]]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            learner = load.Learner(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            found = [await learner.ask("What is a quorum?") for _ in range(2)]
            learner.leave()
            await asyncio.gather(*filter(None, served))
            return [(one.fault, one.again) for one in found]

    return asyncio.run(run()), requests[0]


def test_a_learner_asks_again_where_a_kept_connection_is_closed_before_a_byte(load: ModuleType) -> None:
    assert asked(load, [[ANSWER, ANSWER]]) == ([("", False), ("", False)], 2)
    assert asked(load, [[ANSWER], [ANSWER]]) == ([("", False), ("", True)], 3)


def test_a_learner_asks_again_only_once_and_only_where_no_byte_came(load: ModuleType) -> None:
    found, requests = asked(load, [[ANSWER], []])
    assert (found[1][0][:19], found[1][1], requests) == ("IncompleteReadError", True, 3)
    found, requests = asked(load, [[ANSWER, ANSWER[:9]]])
    assert (found[1][0][:19], found[1][1], requests) == ("IncompleteReadError", False, 2)
    found, requests = asked(load, [[], [ANSWER]])  # a new connection is no kept one
    assert [(fault[:19], again) for fault, again in found] == [("IncompleteReadError", False), ("", False)]
    assert requests == 2


def test_memory_is_flat_or_grows_from_the_second_fifth_to_the_last(load: ModuleType) -> None:
    assert load.growth([9, 1, 2, 4, 9, 9, 9, 9, 6, 8]) == (3, 7)
    assert load.growth([5]) == (5, 5)
