"""Extraction in a process of its own: what a stranger's file does to a parser, it does there and not for long.

``python -m tutor.ingest.readings.worker`` reads requests from standard input, each a line of JSON and then the page's
bytes, and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import IO, Any

from tutor.errors import MissingExtra, ReadingRefused
from tutor.ingest.documents import Document, Section
from tutor.ingest.readings.extract import extract

SECONDS = 60.0
MEMORY = 3 * 2**30  # bytes of address space; a page of 40 MB takes about one


class Worker:
    """Extracts pages, one after another, in one child process that is started anew when it has died or was killed.

    Args:
        seconds: how long one page may take.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def extract(self, data: bytes, kind: str, *, url: str, charset: str | None = None) -> Document:
        """As ``extract.extract``.

        Raises:
            ReadingRefused: there is no text, or reading it took too long or too much memory.
            MissingExtra: the extractor is not installed.
        """
        child = self._child = self._running()
        request = {"kind": kind, "url": url, "charset": charset, "size": len(data)}
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(request).encode() + b"\n" + data)
            child.stdin.flush()
            line = child.stdout.readline()
        except (OSError, ValueError):
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self.close()
            what = f"took more than {self._seconds:g} s to read" if late.is_set() else "could not be read in its limits"
            raise ReadingRefused(what, about=url)
        return _document(json.loads(line), url)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        command = [sys.executable, "-m", "tutor.ingest.readings.worker"]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True
        )

    def close(self) -> None:
        """End the child process."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:  # what was not written any more
                pass
        child.wait()


def _document(answer: dict[str, Any], url: str) -> Document:
    if extra := answer.get("missing"):
        raise MissingExtra("the linked readings", extra="readings", module=str(extra))
    if "error" in answer:
        raise ReadingRefused(str(answer["error"]), about=url)
    sections = tuple(Section(**(row | {"heading": tuple(row["heading"])})) for row in answer["sections"])
    return Document("reading", answer["title"], answer["text"], url, "reading", sections)


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    while line := requests.readline():
        asked = json.loads(line)
        data = requests.read(asked["size"])
        answers.write(json.dumps(_answer(data, asked)).encode() + b"\n")
        answers.flush()


def _answer(data: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        document = extract(data, asked["kind"], url=asked["url"], charset=asked["charset"])
    except ReadingRefused as error:
        return {"error": error.what}
    except MissingExtra as error:
        return {"missing": error.what.partition("(")[2].partition(" ")[0]}
    except MemoryError:
        return {"error": "takes too much memory to read"}
    except Exception as error:  # noqa: BLE001  a parser given a stranger's file may raise anything
        return {"error": f"cannot be read ({type(error).__name__})"}
    return {"title": document.title, "text": document.text, "sections": [asdict(s) for s in document.sections]}


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit is what there is
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))


if __name__ == "__main__":
    _limit()
    serve(sys.stdin.buffer, sys.stdout.buffer)
