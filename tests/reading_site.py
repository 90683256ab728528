"""A site on loopback on which everything can go wrong, spoken at the level of sockets."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

#: Writes an answer to a request: (its path, its headers in lower case, the connection).
Handler = Callable[[str, dict[str, str], socket.socket], None]

WORDS = (
    "A saga splits a distributed transaction into local transactions, and each of them has a compensating action that "
    "undoes it when a later step fails. Choreography lets services react to events of others, so that nobody leads "
    "all, while orchestration keeps the state of the whole in one place. Use orchestration once more than four steps "
    "take part, because somebody has to know the state, and make every compensating action idempotent since it may be "
    "delivered more than once. A saga gives up isolation, so other readers may see the state between two steps."
)


def html(text: str = WORDS, *, title: str = "Sagas", extra: str = "") -> bytes:
    """A small page with a main text."""
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><nav><a href='/'>Home</a></nav>"
        f"<article><h1>{title}</h1><p>{text}</p>{extra}</article><footer>Imprint</footer></body></html>"
    ).encode()


def answer(
    body: bytes = b"", status: int = 200, kind: str = "text/html; charset=utf-8", length: int | None = None, **more: str
) -> bytes:
    """An HTTP answer; names in ``more`` have underscores for hyphens."""
    head = {"Content-Type": kind, "Content-Length": str(len(body) if length is None else length), "Connection": "close"}
    head |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1") + body


@dataclass
class Site:
    """``asked`` are the paths asked for, in order; ``headers`` those of each request."""

    port: int = 0
    pages: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, *answers: bytes) -> None:
        """What a path answers: one after another, the last for ever."""
        left = list(answers)

        def handler(_: str, __: dict[str, str], connection: socket.socket) -> None:
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

        self.pages[path] = handler

    def count(self, path: str) -> int:
        return self.asked.count(path)

    def serve(self, listener: socket.socket) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            first, *lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
            path = first.split(" ")[1]
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
            self.asked.append(path)
            self.headers.append(headers)
            self.pages.get(path, lambda *_: connection.sendall(answer(b"no", 404)))(path, headers, connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def running() -> Iterator[Site]:
    """A site that answers until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    site = Site(listener.getsockname()[1])
    thread = threading.Thread(target=site.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def drip(every_s: float, head: bytes) -> Handler:
    """One byte at a time, without end."""

    def handler(_: str, __: dict[str, str], connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(b"x")
            time.sleep(every_s)

    return handler


def endless(head: bytes) -> Handler:
    """As many bytes as are taken."""

    def handler(_: str, __: dict[str, str], connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(b"<p>more and more</p>" * 2000)

    return handler


def bomb(megabytes: int) -> bytes:
    """So many megabytes of spaces, packed to a thousandth."""
    return gzip.compress(b" " * (megabytes * 2**20))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Names:
    """A resolver: what each name leads to, in turn; the last for ever. Unknown names are not found."""

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self.names = {name.replace("_", "."): list(turns) for name, turns in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, timeout_s: float) -> Sequence[str]:
        self.asked.append(host)
        turns = self.names.get(host)
        if turns is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return turns.pop(0) if len(turns) > 1 else turns[0]
