"""One request over HTTP: httpcore's connections, made to checked addresses only and held to limits of time and size.

No cookie is kept and no credential sent; a proxy is used only where it is given, whatever the environment says. A
connection serves one request.
"""

from __future__ import annotations

import errno
import math
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from tutor.errors import Offline, ReadingFailed, ReadingRefused
from tutor.ingest.readings.guard import Guard, Target

#: What the system says where there is no way out at all.
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that one request may take.

    ``total_s`` is from the name's resolution to the last byte, unpacked; ``idle_s`` between two bytes. ``body`` is what
    is taken of a body as it is sent, ``unpacked`` what it may become, ``head`` all that stands before it.
    """

    total_s: float = 60.0
    idle_s: float = 15.0
    connect_s: float = 10.0
    body: int = 20 * 2**20
    unpacked: int = 40 * 2**20
    head: int = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Response:
    """``headers`` with lower-case names, the last of several; ``body`` as it was sent, maybe packed.

    ``cut``: the body is longer than what was taken of it. ``left_s`` gives the seconds that are left of the request's
    time, for what is still to be done with the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False
    left_s: Callable[[], float] = lambda: math.inf


class Transport:
    """Sends requests.

    Args:
        guard: says which addresses a host may have.
        clock: seconds that only ever grow, for limits of time.
        tls: the trusted certificates; by default those of the certifi package.
        proxy: the address of an HTTP proxy, empty for none. It is told the checked address, not the name.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        clock: Callable[[], float] = time.monotonic,
        tls: ssl.SSLContext | None = None,
        proxy: str = "",
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._tls = tls
        self._proxy = _proxy(proxy) if proxy else None

    def get(
        self, target: Target, headers: Mapping[str, str], limits: Limits, *, cut_after: int | None = None
    ) -> Response:
        """Ask for one address, once.

        Args:
            cut_after: take so many bytes of a longer body instead of refusing it.

        Raises:
            ReadingRefused: the name leads inside, or more is sent than the limits allow.
            ReadingFailed: no connection, no answer in time, or one that is not HTTP or breaks off.
            Offline: there is no way to the network, or none to this name.
        """
        meter = _Meter(self._clock() + limits.total_s, limits.head + limits.body, self._clock)
        backend = _Backend(self._guard, meter, limits, self._proxy)
        pool = httpcore.ConnectionPool(
            ssl_context=self._tls,
            proxy=self._proxy,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=backend,
        )
        more: dict[str, Any] = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), limits.idle_s)}
        sent = [(b"Host", target.netloc.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
        host = target.host
        if self._proxy:
            host = self._guard.addresses(host, target.port, meter.seconds(limits.connect_s))[0]
            more["sni_hostname"] = target.host
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=host.encode(), port=target.port, target=target.path.encode()
        )
        try:
            with pool, pool.stream("GET", url, headers=sent, extensions=more) as answer:
                got = {k.decode("ascii", "replace").lower(): v.decode("latin-1") for k, v in answer.headers}
                body, cut = b"", False
                if answer.status == 200:
                    body, cut = _body(answer.iter_stream(), got, limits, cut_after, target)
                return Response(answer.status, got, body, cut, meter.left_s)
        except (httpcore.TimeoutException, _TooLate) as error:
            what = f"no answer within {limits.idle_s:g} s" if self._clock() < meter.deadline else "took too long"
            raise ReadingFailed(what, about=target.url) from error
        except httpcore.ConnectError as error:
            raise _no_connection(error, target) from error
        except httpcore.ProxyError as error:
            raise ReadingFailed(f"the proxy does not let it through ({error})", about=target.url) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise ReadingFailed(f"the answer breaks off or is not HTTP ({error})", about=target.url) from error
        except (ssl.SSLError, OSError) as error:
            raise ReadingFailed(f"the connection failed ({error})", about=target.url) from error


def _body(
    chunks: Iterable[bytes], headers: Mapping[str, str], limits: Limits, cut_after: int | None, target: Target
) -> tuple[bytes, bool]:
    most = limits.body if cut_after is None else cut_after
    promised = headers.get("content-length", "")
    if cut_after is None and promised.isascii() and promised.isdigit() and len(promised) < 20 and int(promised) > most:
        raise _too_large(most, target)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            if cut_after is None:
                raise _too_large(most, target)
            return bytes(body[:most]), True
    return bytes(body), False


def _too_large(most: int, target: Target) -> ReadingRefused:
    return ReadingRefused(f"has more than {most / 2**20:g} MB", about=target.url)


def _no_connection(error: httpcore.ConnectError, target: Target) -> ReadingFailed:
    """A failed connection in words; certificates, refusals and a network that is not there are told apart."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return ReadingFailed(f"the certificate or its handshake is not in order ({cause.reason})", about=target.url)
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return Offline("there is no way to it", about=target.url)
        cause = cause.__cause__ or cause.__context__
    return ReadingFailed(f"no connection ({error})", about=target.url)


class _TooLate(Exception):
    """The whole request's time is up."""


@dataclass(slots=True)
class _Meter:
    """What is left of a request's time (``deadline`` on ``clock``) and bytes."""

    deadline: float
    bytes_left: int
    clock: Callable[[], float]

    def left_s(self) -> float:
        return self.deadline - self.clock()

    def seconds(self, most: float | None) -> float:
        left = self.left_s()
        if left <= 0:
            raise _TooLate
        return left if most is None else min(left, most)


def _proxy(url: str) -> httpcore.Proxy:
    """A proxy from its address, with the name and password in it, if any."""
    parts = urlsplit(url)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore.Proxy(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", auth=auth)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that the guard has checked, or to the proxy, and to nothing else."""

    def __init__(self, guard: Guard, meter: _Meter, limits: Limits, proxy: httpcore.Proxy | None) -> None:
        self._guard = guard
        self._proxy = proxy
        self._meter = meter
        self._limits = limits
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # With a proxy the learner's own setting says where to: it is all that is connected to.
        addresses = (
            [host] if self._proxy else self._guard.addresses(host, port, self._meter.seconds(self._limits.connect_s))
        )
        failed: Exception | None = None
        for address in addresses[:4]:
            try:
                within = self._meter.seconds(self._limits.connect_s)
                return _Stream(self._inner.connect_tcp(address, port, within, None, socket_options), self._meter)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")

    def connect_unix_socket(self, *given: Any, **options: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("a reading has no socket on this machine")

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(min(seconds, self._meter.seconds(None)))


class _Stream(httpcore.NetworkStream):
    """A connection on which every byte counts, and every wait."""

    def __init__(self, inner: httpcore.NetworkStream, meter: _Meter) -> None:
        self._inner = inner
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._meter.seconds(timeout))
        self._meter.bytes_left -= len(data)
        if self._meter.bytes_left < 0:
            raise httpcore.RemoteProtocolError("more is sent than a reading may have")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._meter.seconds(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = self._meter.seconds(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, within), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
