"""Ways inward, tried live: somebody listens behind each, at the port that may be asked, and must never be reached."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reading_site import Clock, Site, answer, html, running
from tutor.errors import ReadingDisallowed, ReadingError, ReadingRefused
from tutor.ingest.readings.fetch import Fetcher
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.transport import Limits, Transport

LIMITS = Limits(total_s=3.0, idle_s=1.0, connect_s=1.0, body=200_000, unpacked=400_000)


@dataclass
class Trap:
    """Listens inside, at ``port`` of the hosts in ``where``."""

    port: int
    where: list[str] = field(default_factory=list)
    reached: queue.Queue[object] = field(default_factory=queue.Queue)

    def listen(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            self.reached.put(peer[1])
            connection.close()

    def strangers(self) -> int:
        """How many have connected so far. We do so behind them, and so know that all before us are counted."""
        found = 0
        for host in self.where:
            with socket.create_connection((host, self.port), 30) as ours:
                while self.reached.get(timeout=30) != ours.getsockname()[1]:
                    found += 1
        return found


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as found:
        yield found


@pytest.fixture
def trap(site: Site) -> Iterator[Trap]:
    """At the site's own port on the other loopback addresses that this machine has."""
    found = Trap(site.port)
    with contextlib.ExitStack() as open_ones:
        for family, host in ((socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")):
            try:
                listener = socket.create_server((host, site.port), family=family)
            except OSError:  # macOS has no 127.0.0.2, a container maybe no IPv6
                continue
            found.where.append(host)
            threading.Thread(target=found.listen, args=(listener,), daemon=True).start()
            open_ones.callback(listener.close)
            open_ones.callback(listener.shutdown, socket.SHUT_RDWR)
        assert found.where, "there is nothing to lead to"
        yield found


class Rebinding:
    """In place of the C library's resolver, for all of Python: names answer in turn, numbers as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **names: Sequence[Sequence[str]]) -> None:
        self.turns = {name.replace("_", "."): list(turns) for name, turns in names.items()}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: str, port: int, *given: Any, **options: Any) -> list[Any]:
        if host not in self.turns:
            return self._real(host, port, *given, **options)
        self.asked.append(host)
        turns = self.turns[host]
        now = turns.pop(0) if len(turns) > 1 else turns[0]
        return [row for one in now for row in self._real(one, port, *given, **options)]


def fetcher_of(site: Site) -> Fetcher:
    """With the system's resolver, as the product has it; of what is inside only the site itself is let through."""
    guard = Guard(ports=frozenset({site.port}), allowed=frozenset({("127.0.0.1", site.port)}))
    clock = Clock()
    pace = Pace(2.0, clock, clock.sleep, chance=lambda: 1.0)
    return Fetcher(Transport(guard), guard, pace, agent="tutor-study/1", limits=LIMITS)


def inward(trap: Trap) -> str:
    return trap.where[0]


@pytest.mark.parametrize("look", range(2))
def test_a_name_that_turns_inward_is_refused_at_the_look_that_connects(
    site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    here, there = ["127.0.0.1"], [inward(trap)]
    names = Rebinding(monkeypatch, turns_test=[here] * look + [there, here])
    site.put("/a", answer(html()))
    with pytest.raises(ReadingRefused, match="leads to"):
        fetcher_of(site).get(site.url("/a", "turns.test"))
    assert names.asked == ["turns.test"] * (look + 1)  # one look a connection: what was checked is what is connected to
    assert site.asked == ["/robots.txt"] * look
    assert trap.strangers() == 0


def test_a_name_that_turns_inward_before_a_second_try(site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ["127.0.0.1"]
    names = Rebinding(monkeypatch, turns_test=[here, here, [inward(trap)]])
    site.put("/a", answer(b"", 500))
    with pytest.raises(ReadingRefused, match="leads to"):
        fetcher_of(site).get(site.url("/a", "turns.test"))
    assert names.asked == ["turns.test"] * 3 and site.count("/a") == 1
    assert trap.strangers() == 0


def test_a_name_that_is_inside_and_outside_at_once(site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    Rebinding(monkeypatch, both_test=[["127.0.0.1", inward(trap)]])
    with pytest.raises(ReadingRefused, match="leads to"):
        fetcher_of(site).get(site.url("/a", "both.test"))
    assert site.asked == [] and trap.strangers() == 0


def test_a_redirect_back_to_a_name_that_has_turned(site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ["127.0.0.1"]
    Rebinding(monkeypatch, turns_test=[here, here, [inward(trap)]], other_test=[here])
    site.put("/a", answer(status=302, Location=site.url("/b", "other.test")))
    site.put("/b", answer(status=302, Location=site.url("/c", "turns.test")))
    with pytest.raises(ReadingRefused, match="leads to"):
        fetcher_of(site).get(site.url("/a", "turns.test"))
    assert site.count("/b") == 1 and trap.strangers() == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place",
    [
        "http://{host}:{port}/",
        "//{host}:{port}/",
        "http://inside.test:{port}/",
        "http://INSIDE.test.:{port}/",
        "http://user@{host}:{port}/",
        "http://0x7f000002:{port}/",
        "http://2130706434:{port}/",
        "http://0177.0.0.2:{port}/",
        "http://127.2:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
        "http://[::ffff:7f00:2]:{port}/",
        "http://[::127.0.0.2]:{port}/",
        "http://[64:ff9b::7f00:2]:{port}/",
        "http://[::1]:{port}/",
        "http://[::1%25lo]:{port}/",
        "http://①②⑦.0.0.2:{port}/",
        "http://site.test:{port}\\@127.0.0.2:{port}/",
        "http://site.test#@127.0.0.2:{port}/",
        "http://localhost:{port}/",
        "gopher://127.0.0.2:{port}/x",
    ],
)
def test_no_redirect_leads_inward(
    site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch, place: str, status: int
) -> None:
    host = inward(trap)
    Rebinding(monkeypatch, site_test=[["127.0.0.1"]], inside_test=[[host]])
    written = place.format(host=f"[{host}]" if ":" in host else host, port=site.port)
    site.put("/a", answer(status=status, Location=written.encode().decode("latin-1")))
    with pytest.raises(ReadingRefused):
        fetcher_of(site).get(site.url("/a"))
    assert site.asked == ["/robots.txt", "/a"] and trap.strangers() == 0


@pytest.mark.parametrize("where", ["Refresh", "Content-Location", "Link", "Alt-Svc"])
def test_other_headers_that_name_an_address_lead_nowhere(
    site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    Rebinding(monkeypatch, site_test=[["127.0.0.1"]])
    address = f"http://{inward(trap)}:{site.port}/"
    values = {"Refresh": f"0; url={address}", "Link": f"<{address}>; rel=preload", "Alt-Svc": f'h2="{address[7:-1]}"'}
    body = html(extra=f"<meta http-equiv=refresh content='0; url={address}'><img src='{address}'>")
    site.put("/a", answer(body, **{where.replace("-", "_"): values.get(where, address)}))
    assert fetcher_of(site).get(site.url("/a")).data == body
    assert site.asked == ["/robots.txt", "/a"] and trap.strangers() == 0


def test_where_a_redirect_ends_that_sites_rules_hold(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Rebinding(monkeypatch, site_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])

    def rules(_: str, headers: dict[str, str], connection: socket.socket) -> None:
        denied = headers["host"].startswith("other.test")
        connection.sendall(answer(b"User-agent: *\nDisallow: /b\n", kind="text/plain") if denied else answer(b"", 404))

    site.pages["/robots.txt"] = rules
    site.put("/a", answer(status=302, Location=site.url("/b", "other.test")))
    with pytest.raises(ReadingDisallowed, match="robots"):
        fetcher_of(site).get(site.url("/a"))
    assert site.count("/b") == 0


def test_the_product_itself_reaches_nothing_on_this_machine(
    site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    Rebinding(monkeypatch, site_test=[["127.0.0.1"]])
    with socket.create_connection((inward(trap), site.port)):
        assert trap.strangers() == 1  # who comes is counted
    guard = Guard(ports=frozenset({site.port}))  # as it is made from settings, whatever ports they name
    clock = Clock()
    fetcher = Fetcher(Transport(guard), guard, Pace(2.0, clock, clock.sleep), agent="tutor-study/1", limits=LIMITS)
    for host in ("site.test", "127.0.0.1", "127.0.0.2", "[::1]"):
        with pytest.raises(ReadingError):
            fetcher.get(site.url("/a", host))
    assert site.asked == [] and trap.strangers() == 0
