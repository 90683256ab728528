"""Which addresses may be asked: a guard against being led into the learner's own network (SSRF).

An address is taken apart strictly, its name is resolved here, every address that it resolves to must be public, and
``transport`` connects to just those: between check and connection nothing is resolved again.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, quote, urlsplit

from tutor.errors import Offline, ReadingRefused

SCHEMES = {"http": 80, "https": 443}
MAX_URL = 2_000
#: Resolves a name: (host, port, seconds it may take) → addresses. Raises OSError.
Resolve = Callable[[str, int, float], Sequence[str]]

# Beside what the standard library knows not to be global; older Pythons know fewer.
_NOT_V4 = [
    IPv4Network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by number, but a cloud's own host to each of its machines
    )
]
_GLOBAL_V6 = IPv6Network("2000::/3")  # all that was ever given out as public (RFC 4291, IANA)
_NOT_V6 = [IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20")]
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached
_6TO4 = IPv6Network("2002::/16")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)\Z")
_PLAIN_PATH = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart and found in order. ``host`` is in ASCII, lower case; ``path`` has its query."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a robots.txt speaks for."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEMES[self.scheme] else f"{host}:{self.port}"


class Guard:
    """The rules in force.

    Args:
        resolve: turns names into addresses.
        ports: those that may be asked.
        allowed: (address, port) pairs that are let through although they are not public, for tests with a site of their
            own; no setting reaches it.
    """

    def __init__(
        self,
        resolve: Resolve | None = None,
        *,
        ports: frozenset[int] = frozenset(SCHEMES.values()),
        allowed: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._resolve = resolve or system_resolve
        self._ports = ports
        self._allowed = allowed

    def check(self, url: str) -> Target:
        """The parts of an address that may be asked, as far as it can be said without resolving its name.

        Raises:
            ReadingRefused: it may not.
        """
        if len(url) > MAX_URL:
            raise _refused(f"the address has more than {MAX_URL:,} characters", url)
        if _CONTROL.search(url):
            raise _refused("the address has a character that none may have", url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _refused("is no address", url) from error
        scheme = parts.scheme.lower()
        if scheme not in SCHEMES:
            raise _refused(f"only http and https are asked, not {scheme or 'an address without a scheme'}", url)
        if "@" in parts.netloc:
            raise _refused("the address carries a name or a password", url)
        port = SCHEMES[scheme] if port is None else port
        if port not in self._ports:
            raise _refused(f"port {port} is not asked", url)
        host = _host(parts.hostname or "", url)
        if _literal(host) is not None and not self._may(host, port):
            raise _refused(f"{host} is not a public address", url)
        path = _path(parts)
        target = Target("", scheme, host, port, path)
        return Target(f"{target.origin}{path}", scheme, host, port, path)

    def addresses(self, host: str, port: int, timeout_s: float) -> list[str]:
        """The addresses to connect to.

        Raises:
            ReadingRefused: one of them is not public. All are refused then: a name that leads inside leads astray.
            Offline: the name cannot be resolved.
        """
        if _literal(host) is not None:
            found: Sequence[str] = [host]
        else:
            try:
                found = self._resolve(host, port, timeout_s)
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", "") or "no answer"
                raise Offline(f"the name cannot be resolved ({reason})", about=host) from error
        if not found:
            raise Offline("the name has no address", about=host)
        for address in found:
            if not self._may(address, port):
                raise ReadingRefused(f"the name leads to {address}, which is not a public address", about=host)
        return list(dict.fromkeys(found))

    def _may(self, address: str, port: int) -> bool:
        return (address, port) in self._allowed or is_public(address)


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, and any IPv4 address inside it, is one of the public internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _public_v4(parsed) if isinstance(parsed, IPv4Address) else _public_v6(parsed)


def _public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in net for net in _NOT_V4)


def _public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:  # "fe80::1%eth0"
        return False
    if (mapped := address.ipv4_mapped) is not None:
        return _public_v4(mapped)
    if address in _NAT64:
        return _public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _6TO4:
        return address.sixtofour is not None and _public_v4(address.sixtofour)
    # Teredo (2001::/32) is among those that are not public, whatever it holds.
    return address in _GLOBAL_V6 and not any(address in net for net in _NOT_V6)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _host(raw: str, url: str) -> str:
    """A host in ASCII and lower case, an address literal in its usual form.

    Raises:
        ReadingRefused: it has a zone, is an address in another notation (decimal, octal, hexadecimal), or is no name
            that the public internet has.
    """
    if not raw or "%" in raw:
        raise _refused("the address has no host" if not raw else "the host has a zone or an escape", url)
    if ":" in raw:
        literal = _literal(raw)
        if literal is None:
            raise _refused("is no address", url)
        return str(literal)
    host = raw
    if not raw.isascii():
        import idna

        try:
            host = idna.encode(raw, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise _refused("the host is no name", url) from error
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # what ends in a number is an IPv4 address (URL Standard, "ends in a number")
        literal = _literal(host)
        if literal is None:
            raise _refused("the host is a number that is no plain IPv4 address", url)
        return str(literal)
    if len(labels) < 2 or len(host) > 253 or not all(map(_LABEL.match, labels)):
        raise _refused("the host is no name of the public internet", url)
    return host


def _path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_PLAIN_PATH)
    return f"{path}?{quote(parts.query, safe=_PLAIN_PATH + '?')}" if parts.query else path


def _refused(what: str, url: str) -> ReadingRefused:
    return ReadingRefused(what, about=_CONTROL.sub("?", url)[:200])


def system_resolve(host: str, port: int, timeout_s: float) -> list[str]:
    """Addresses by the system's resolver, which knows no limit of time: a thread waits for it.

    Raises:
        OSError: there is none, or not in time.
    """
    found: list[str] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            found.extend(str(row[4][0]) for row in rows)
        except OSError as error:
            failed.append(error)
        except UnicodeError as error:
            failed.append(OSError(str(error)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise TimeoutError("the resolver took too long")
    if failed:
        raise failed[0]
    return found
