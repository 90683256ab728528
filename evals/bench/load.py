"""Many learners at one server: how long answers take, what fails, and whether memory stays flat.

    python evals/bench/load.py [--learners 100] [--think 10] [--minutes 10] [--home DIR]

Starts ``tutor serve`` on loopback with a copy of the home (or makes one from the curriculum) and asks it as the page
does, over ``POST /api/v1/ask/stream``, with the questions of ``evals/golden``. Nothing but the standard library asks,
from one process on the same machine, so it takes its share of the two cores.

1. alone: one learner, one question after the other. What a wait is compared with.
2. together: every learner asks, reads for a while (exponential, ``--think`` seconds on average; people take 20 to 60
   for a cited answer), asks again. Learners / think is the arrival rate, which is printed. The goals are of this part.
   The processor's time for a question is what carries over from a machine that has other work too.
3. at once: all of them send at the same instant, three times. The last of n waits for n answers: this says how long a
   queue takes to drain, and has no goal but that nothing fails.

A learner keeps the connection, as a browser does. Where the server closes an idle one just as a question is on its way,
not a byte comes back: a browser asks again on a new connection, once, and so does a learner here. How often is printed.

Memory is of two kinds (proc(5), Rss*). RssAnon is what the process has made, by malloc and Python: nobody can take it
back, and a leak is in it. RssFile are pages of mapped files, here of the index and the libraries: they come as they are
first read, the system drops them when it needs room, and they can be no more than the files. So the goal is of RssAnon;
both are printed.

Exits with 1 where a goal is missed: no error, p95 of the whole answer under 400 ms, anonymous memory flat (the mean of
the last fifth at most 5 % above that of the second fifth).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from speed import percentile

GOLDEN = Path(__file__).parents[1] / "golden"
MOST_MS, MOST_GROWTH = 400.0, 1.05
_ALONE = 60
_TIMEOUT_S = 60.0
_LOOK_S = 2.0


@dataclass(frozen=True)
class Asked:
    """One question: milliseconds until the first text of its answer and until its end, and what went wrong.

    ``again``: it was asked a second time, since the kept connection was closed under it.
    """

    first_ms: float
    ms: float
    fault: str = ""
    again: bool = False


@dataclass(frozen=True)
class Memory:
    """What a process has in memory, in MB: what it made itself, and pages of files."""

    anonymous: float
    files: float


def questions() -> list[str]:
    """The golden questions and those that are to be refused, in the files' order."""
    files = [GOLDEN / "questions.jsonl", GOLDEN / "refuse.jsonl"]
    return [json.loads(line)["question"] for file in files for line in file.read_text("utf-8").splitlines()]


class Learner:
    """A browser's tab: one connection that is kept, one question at a time."""

    def __init__(self, address: str) -> None:
        self._where = urlsplit(address)
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._heard = False  # whether a byte of the answer has come

    async def ask(self, question: str) -> Asked:
        """Ask, and wait for the whole answer."""
        began, again = time.perf_counter(), False
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                kept = self._line is not None and not self._line[0].at_eof()
                try:
                    first, fault = await self._ask(question)
                except (ConnectionError, asyncio.IncompleteReadError):
                    if not kept or self._heard:
                        raise
                    self.leave()
                    again = True
                    first, fault = await self._ask(question)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.leave()
            fault = f"{type(error).__name__}: {error}"[:120]
            return Asked(0.0, (time.perf_counter() - began) * 1000, fault, again)
        return Asked((first - began) * 1000, (time.perf_counter() - began) * 1000, fault, again)

    async def _ask(self, question: str) -> tuple[float, str]:
        self._heard = False
        if self._line is None or self._line[0].at_eof():
            self._line = await asyncio.open_connection(self._where.hostname, self._where.port)
        reader, writer = self._line
        body = json.dumps({"question": question}).encode()
        head = (
            f"POST /api/v1/ask/stream HTTP/1.1\r\nHost: {self._where.netloc}\r\nContent-Type: application/json\r\n"
            f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        begun = await reader.readexactly(1)
        self._heard = True
        status = (begun + await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode()
        if " 200 " not in status:
            self.leave()
            return time.perf_counter(), status
        seen, first = b"", 0.0
        while size := int(await reader.readline(), 16):
            seen += (await reader.readexactly(size + 2))[:-2]
            if not first and (b"event: verdict" in seen or b"event: abstain" in seen):
                first = time.perf_counter()
        await reader.readexactly(2)
        return first or time.perf_counter(), "" if b"event: done" in seen else "the stream had no answer"

    def leave(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line[1].close()
            self._line = None


async def together(address: str, learners: int, think_s: float, seconds: float) -> list[Asked]:
    """Every learner asks, thinks and asks again, until the time is up."""
    found: list[Asked] = []
    ends = time.perf_counter() + seconds

    async def one(number: int) -> None:
        chance = random.Random(number)
        mine = questions()
        chance.shuffle(mine)
        learner = Learner(address)
        await asyncio.sleep(chance.uniform(0, think_s))
        while time.perf_counter() < ends:
            found.append(await learner.ask(mine[len(found) % len(mine)]))
            await asyncio.sleep(min(chance.expovariate(1 / think_s), max(0.0, ends - time.perf_counter())))
        learner.leave()

    await asyncio.gather(*(one(n) for n in range(learners)))
    return found


async def at_once(address: str, learners: int) -> list[Asked]:
    """All ask at the same instant, each something else; three times."""
    asked, tabs, found = questions(), [Learner(address) for _ in range(learners)], []
    for turn in range(3):
        batch = [asked[(turn * learners + n) % len(asked)] for n in range(learners)]
        found += await asyncio.gather(*(tab.ask(question) for tab, question in zip(tabs, batch, strict=True)))
    for tab in tabs:
        tab.leave()
    return found


async def alone(address: str) -> list[Asked]:
    """One learner, without a pause."""
    learner = Learner(address)
    found = [await learner.ask(question) for question in questions()[:_ALONE]]
    learner.leave()
    return found


def resident(pid: int) -> Memory:
    """What the process has in memory."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return Memory(*(int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile")))


def processor_ms(pid: int) -> float:
    """What the process has taken of the processors, in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1000


async def watched(pid: int, into: list[Memory]) -> None:
    """Take down the server's memory every two seconds."""
    while True:
        into.append(resident(pid))
        await asyncio.sleep(_LOOK_S)


def growth(values: Sequence[float]) -> tuple[float, float]:
    """The mean of the second fifth and of the last."""
    fifth = max(1, len(values) // 5)
    second = values[fifth : 2 * fifth] or values
    return sum(second) / len(second), sum(values[-fifth:]) / fifth


def line(name: str, found: Sequence[Asked], beside: float) -> str:
    """A row of the table; ``beside`` is the median of one learner alone, in milliseconds."""
    good = [asked for asked in found if not asked.fault] or [Asked(0, 0)]
    p50, p95, p99 = (percentile([asked.ms for asked in good], share) for share in (0.5, 0.95, 0.99))
    first = percentile([asked.first_ms for asked in good], 0.95)
    faults = len(found) - len([asked for asked in found if not asked.fault])
    return (
        f"{name:10}{len(found):>8}{faults:>8}{first:>14.0f}{p50:>9.0f}{p95:>9.0f}{p99:>9.0f}"
        f"{p95 / max(beside, 0.001):>12.1f}"
    )


async def measure(address: str, pid: int, given: argparse.Namespace) -> bool:
    """All three parts; whether the goals are met."""
    rate = given.learners / given.think
    print(f"{given.learners} learners, {given.think:g} s between their questions: {rate:.1f} questions a second")
    print(
        f"{'':10}{'asked':>8}{'failed':>8}{'p95 to text':>14}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'p95/alone':>12}"
    )
    await alone(address)  # the index's pages come into memory
    single = await alone(address)
    beside = percentile([asked.ms for asked in single], 0.5)
    print(line("alone", single, beside), flush=True)
    memory: list[Memory] = []
    watching = asyncio.create_task(watched(pid, memory))
    taken = processor_ms(pid)
    steady = await together(address, given.learners, given.think, given.minutes * 60)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    each = (processor_ms(pid) - taken) / max(1, len(steady))
    print(line("together", steady, beside), flush=True)
    burst = await at_once(address, given.learners)
    print(line("at once", burst, beside))
    print(f"processor: {each:.1f} ms a question, on one core at most {1000 / max(each, 0.001):.0f} questions a second")
    early, late = growth([looked.anonymous for looked in memory])
    for name, values in (
        ("anonymous", [looked.anonymous for looked in memory]),
        ("files", [looked.files for looked in memory]),
    ):
        second, last = growth(values)
        print(
            f"memory, {name:10} {values[0]:.0f} MB at first, {second:.0f} MB, {last:.0f} MB at last, "
            f"{max(values):.0f} MB at most"
        )
    print(f"asked again, on a connection that the server had closed: {sum(asked.again for asked in steady)}")
    faults = [asked.fault for asked in (*single, *steady, *burst) if asked.fault]
    p95 = percentile([asked.ms for asked in steady if not asked.fault] or [float("inf")], 0.95)
    missed = [f"failed: {fault}" for fault in sorted(set(faults))]
    missed += [f"p95 {p95:.0f} ms, the goal is {MOST_MS:.0f} ms"] if p95 > MOST_MS else []
    missed += [f"anonymous memory grew from {early:.0f} to {late:.0f} MB"] if late > early * MOST_GROWTH else []
    for text in missed:
        print(f"MISSED  {text}")
    return not missed


def served(home: Path, given: argparse.Namespace) -> bool:
    """A server of that home, measured."""
    command = [sys.executable, "-u", "-m", "tutor", "--home", str(home), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[3].rstrip("/")
        return asyncio.run(measure(address, process.pid, given))
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--learners", type=int, default=100)
    parser.add_argument("--think", type=float, default=10.0, help="seconds between a learner's questions, on average")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--home", type=Path, help="a home with an index, to be copied; made where it is left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if given.home:
            shutil.copytree(given.home, home)
        else:
            subprocess.run([sys.executable, "-m", "tutor", "--home", str(home), "ingest"], check=True)
        return 0 if served(home, given) else 1


if __name__ == "__main__":
    sys.exit(main())
