"""One page from a site on which everything goes wrong: what is refused, what is tried again, and within what limits."""

from __future__ import annotations

import base64
import contextlib
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import pytest

from reading_site import WORDS, Clock, Names, Site, answer, bomb, drip, endless, html, running
from tutor.errors import Offline, ReadingDisallowed, ReadingError, ReadingFailed, ReadingRefused
from tutor.ingest.readings.content import unpack
from tutor.ingest.readings.fetch import Fetcher, Validators
from tutor.ingest.readings.guard import Guard, system_resolve
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.transport import Limits, Transport

LIMITS = Limits(total_s=2.0, idle_s=0.5, connect_s=1.0, body=200_000, unpacked=400_000)
AGENT = "tutor-study/1 (+mailto:me@example.org)"
DENIED = b"User-agent: *\nDisallow: /\n"  # as a robots.txt


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as found:
        yield found


@dataclass
class Desk:
    """A fetcher whose only way inside is the site itself; ``clock`` is what its pauses are on."""

    site: Site
    clock: Clock
    names: Names
    fetcher: Fetcher

    def get(self, path: str, known: Validators | None = None):  # type: ignore[no-untyped-def]
        return self.fetcher.get(self.site.url(path), known)


def desk_of(site: Site, limits: Limits = LIMITS, **names: list[list[str]]) -> Desk:
    clock = Clock()
    here = [["127.0.0.1"]]
    resolve = Names(**({"site_test": here, "other_test": here} | names))
    guard = Guard(resolve, ports=frozenset({site.port}), allowed=frozenset({("127.0.0.1", site.port)}))
    pace = Pace(2.0, clock, clock.sleep, today=lambda: 1_000_000.0, chance=lambda: 1.0)
    return Desk(site, clock, resolve, Fetcher(Transport(guard), guard, pace, agent=AGENT, limits=limits))


@pytest.fixture
def desk(site: Site) -> Desk:
    return desk_of(site)


def failing(desk: Desk, path: str, kind: type[ReadingError], match: str) -> ReadingError:
    with pytest.raises(kind, match=match) as caught:
        desk.get(path)
    return caught.value


def test_a_page_with_all_that_it_says(desk: Desk) -> None:
    body = html()
    desk.site.put("/a", answer(body, ETag='"v1"', Last_Modified="Sun, 01 Nov 2026 00:00:00 GMT"))
    page = desk.get("/a")
    assert (page.status, page.kind, page.charset, page.data) == (200, "html", "utf-8", body)
    assert page.validators == Validators(desk.site.url("/a"), '"v1"', "Sun, 01 Nov 2026 00:00:00 GMT")
    assert desk.site.asked == ["/robots.txt", "/a"]
    sent = desk.site.headers[-1]
    assert sent["user-agent"] == AGENT and sent["host"] == f"site.test:{desk.site.port}"
    assert not {"cookie", "authorization", "referer", "proxy-authorization"} & sent.keys()


def test_proxies_and_credentials_of_the_environment_are_not_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    desk.site.put("/a", answer(html()))
    assert desk.get("/a").status == 200


def test_a_proxy_that_is_set_is_told_the_checked_address(site: Site) -> None:
    guard = Guard(
        Names(site_test=[["8.8.8.8"]], inside_test=[["10.0.0.1"]]), ports=frozenset({80, 443}), allowed=frozenset()
    )
    clock = Clock()
    transport = Transport(guard, proxy=f"http://me:p%40ss@127.0.0.1:{site.port}")
    fetcher = Fetcher(transport, guard, Pace(2.0, clock, clock.sleep), agent=AGENT, limits=LIMITS)
    site.put("http://8.8.8.8:80/a", answer(html()))
    assert fetcher.get("http://site.test/a").status == 200
    assert site.asked == ["http://8.8.8.8:80/robots.txt", "http://8.8.8.8:80/a"]
    assert site.headers[-1]["host"] == "site.test"
    assert site.headers[-1]["proxy-authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    with pytest.raises(ReadingRefused, match=r"leads to 10\.0\.0\.1"):
        fetcher.get("http://inside.test/a")
    with pytest.raises(ReadingFailed, match="proxy does not let it through"):
        transport.get(guard.check("https://site.test/a"), {}, LIMITS)  # asked to connect, this proxy says 404
    assert "8.8.8.8:443" in site.asked


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw"])
def test_a_packed_page_is_unpacked(desk: Desk, encoding: str) -> None:
    body = html()
    packers = {"gzip": zlib.compressobj(wbits=31), "deflate": zlib.compressobj(), "raw": zlib.compressobj(wbits=-15)}
    packer = packers[encoding]
    packed = packer.compress(body) + packer.flush()
    desk.site.put("/a", answer(packed, Content_Encoding=encoding.replace("raw", "deflate")))
    assert desk.get("/a").data == body


# Where redirects may lead


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://127.0.0.1/", "port|not a public address"),
        ("http://169.254.169.254/latest/meta-data/", "port 80|not a public address"),
        ("http://[::1]:{port}/", "not a public address"),
        ("http://[::ffff:7f00:1]:{port}/", "not a public address"),
        ("http://0x7f000001:{port}/", "number"),
        ("http://inside.test:{port}/", r"leads to 10\.0\.0\.7"),
        ("http://localhost:{port}/", "no name"),
        ("http://user:pw@site.test:{port}/", "a name or a password"),
        ("file:///etc/passwd", "only http and https"),
        ("http://site.test:22/", "port 22"),
        ("javascript:alert(1)", "only http and https"),
        ("http://[::1", "no address"),
    ],
)
def test_a_redirect_inside_is_refused(site: Site, place: str, why: str) -> None:
    desk = desk_of(site, inside_test=[["10.0.0.7"]])
    site.put("/a", answer(status=302, Location=place.format(port=site.port)))
    failing(desk, "/a", ReadingRefused, why)
    assert site.asked == ["/robots.txt", "/a"]


def test_redirects_are_followed_to_where_the_page_is_now(desk: Desk) -> None:
    desk.site.put("/a", answer(status=301, Location="/b"))
    desk.site.put("/b", answer(status=308, Location=desk.site.url("/c", "other.test")))
    desk.site.put("/c", answer(html()))
    assert desk.get("/a").url == desk.site.url("/c", "other.test")
    assert desk.site.count("/robots.txt") == 2  # each host speaks for itself


def test_redirects_in_a_circle_and_too_many(desk: Desk) -> None:
    desk.site.put("/a", answer(status=302, Location="/b"))
    desk.site.put("/b", answer(status=302, Location="/a"))
    failing(desk, "/a", ReadingRefused, "circle")
    for step in range(9):
        desk.site.put(f"/{step}", answer(status=307, Location=f"/{step + 1}"))
    failing(desk, "/0", ReadingRefused, "more than 5")
    assert desk.site.count("/5") == 1 and desk.site.count("/6") == 0


def test_a_name_that_turns_inward_after_the_check_gets_no_connection(site: Site) -> None:
    # Public when it is looked at, inside when it is connected to: there is one look, and it is the connection's.
    desk = desk_of(site, rebind_test=[["127.0.0.1"], ["10.0.0.1"]])
    site.put("/a", answer(html()))
    with pytest.raises(ReadingRefused, match=r"leads to 10\.0\.0\.1"):
        desk.fetcher.get(site.url("/a", "rebind.test"))
    assert site.asked == ["/robots.txt"]
    assert desk.names.asked == ["rebind.test", "rebind.test"]  # one look a connection, none in between


def test_the_checked_address_is_the_one_connected_to(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []
    connect = socket.create_connection

    def watched(address: tuple[str, int], *given: object, **options: object) -> socket.socket:
        reached.append(address)
        return connect(address, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_connection", watched)
    desk = desk_of(site)
    site.put("/a", answer(html()))
    desk.get("/a")
    assert reached == [("127.0.0.1", site.port)] * 2


# Limits


def test_a_slow_drip_ends_when_its_time_is_up(site: Site) -> None:
    site.pages["/a"] = drip(0.05, answer(length=100_000))
    began = time.monotonic()
    failing(desk_of(site, replace(LIMITS, total_s=0.6)), "/a", ReadingFailed, "took too long")
    assert time.monotonic() - began < 20


def test_a_drip_of_headers_ends_too(site: Site) -> None:
    site.pages["/a"] = drip(0.05, b"HTTP/1.1 200 OK\r\nX: ")
    failing(desk_of(site, replace(LIMITS, total_s=0.6)), "/a", ReadingFailed, "took too long")


def test_a_site_that_falls_silent(site: Site) -> None:
    site.pages["/a"] = lambda _, __, connection: (connection.sendall(answer(b"x", length=50)), time.sleep(3))[0]
    failing(desk_of(site, replace(LIMITS, idle_s=0.2)), "/a", ReadingFailed, "no answer within 0.2 s")


def test_headers_without_end(desk: Desk) -> None:
    def handler(_: str, __: dict[str, str], connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))

    desk.site.pages["/a"] = handler
    failing(desk, "/a", ReadingFailed, "breaks off or is not HTTP")


def test_a_body_that_says_that_it_is_too_large_is_not_read(desk: Desk) -> None:
    desk.site.pages["/a"] = drip(0.01, answer(length=10**9))
    failing(desk, "/a", ReadingRefused, "more than 0.19")


def test_a_body_without_end(desk: Desk) -> None:
    desk.site.pages["/a"] = endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    failing(desk, "/a", ReadingRefused, "has more than")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(desk: Desk, encoding: str) -> None:
    packed = bomb(50) if encoding == "gzip" else zlib.compress(b" " * (50 * 2**20))
    assert len(packed) < LIMITS.body
    desk.site.put("/a", answer(packed, Content_Encoding=encoding))
    failing(desk, "/a", ReadingRefused, "unpacks to more than")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw"])
@pytest.mark.parametrize("more", ["archive", "byte"])
def test_one_archive_is_a_page_and_nothing_follows_it(desk: Desk, encoding: str, more: str) -> None:
    packers = {"gzip": zlib.compressobj(wbits=31), "deflate": zlib.compressobj(), "raw": zlib.compressobj(wbits=-15)}
    packed = packers[encoding].compress(html()) + packers[encoding].flush()
    body = packed + (packed if more == "archive" else b"x")
    desk.site.put("/a", answer(body, Content_Encoding=encoding.replace("raw", "deflate")))
    failing(desk, "/a", ReadingRefused, "behind its packed body")


def test_a_body_of_tiny_archives_is_refused_at_the_second() -> None:
    tiny = gzip.compress(b"", 1)
    asked: list[int] = []
    body = tiny * (20 * 2**20 // len(tiny))  # each was unpacked on its own once: 16 s for 2 MB
    with pytest.raises(ReadingRefused, match="behind its packed body"):
        unpack(body, {"content-encoding": "gzip"}, 40 * 2**20, about="x", left_s=lambda: asked.append(1) or 1.0)
    assert len(asked) == 1  # one piece was looked at


def test_an_archive_that_ends_with_a_piece_is_whole() -> None:
    for size in range(64 * 2**10 - 40, 64 * 2**10 + 1):  # stored, so that the archive's end passes a piece's end
        packer = zlib.compressobj(0, wbits=31)
        body = packer.compress(b"x" * size) + packer.flush()
        assert len(unpack(body, {"content-encoding": "gzip"}, 2**20, about="x")) == size
        with pytest.raises(ReadingRefused, match="behind"):
            unpack(body + b"y", {"content-encoding": "gzip"}, 2**20, about="x")


def test_the_time_of_a_request_is_also_that_of_unpacking(site: Site) -> None:
    clock = Clock()

    class Late(Transport):
        def get(self, target, *given, **options):  # type: ignore[no-untyped-def]
            found = super().get(target, *given, **options)
            clock.now += LIMITS.total_s * (target.path == "/a")
            return found

    guard = Guard(
        Names(site_test=[["127.0.0.1"]]), ports=frozenset({site.port}), allowed=frozenset({("127.0.0.1", site.port)})
    )
    pace = Pace(2.0, clock, clock.sleep)
    fetcher = Fetcher(Late(guard, clock=clock), guard, pace, agent=AGENT, limits=LIMITS)
    for path in ("/a", "/b"):
        site.put(path, answer(gzip.compress(html()), Content_Encoding="gzip"))
    assert fetcher.get(site.url("/b")).data == html()
    with pytest.raises(ReadingFailed, match="took too long to unpack"):
        fetcher.get(site.url("/a"))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_an_encoding_that_was_not_asked_for(desk: Desk, encoding: str) -> None:
    desk.site.put("/a", answer(b"xxxx", Content_Encoding=encoding))
    failing(desk, "/a", ReadingRefused, "not asked for")


def test_a_body_shorter_than_it_says_and_a_torn_archive(desk: Desk) -> None:
    desk.site.put("/a", answer(html(), length=100_000))
    failing(desk, "/a", ReadingFailed, "breaks off")
    assert desk.site.count("/a") == 3  # it may have been the network: tried again
    desk.site.put("/b", answer(zlib.compress(html())[:-20], Content_Encoding="deflate"))
    failing(desk, "/b", ReadingFailed, "ends early")
    desk.site.put("/c", answer(b"\x1f\x8b\x08 no archive", Content_Encoding="gzip"))
    failing(desk, "/c", ReadingFailed, "damaged")


def test_a_body_longer_than_it_says_ends_where_it_says(desk: Desk) -> None:
    body = html()
    desk.site.put("/a", answer(body + b"<script>more</script>", length=len(body)))
    assert desk.get("/a").data == body


# Types


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("application/pdf", html(), "says that it is application/pdf and is a web page"),
        ("text/html", b"%PDF-1.7 x", "says that it is text/html and is a PDF file"),
        ("text/html", b"MZ\x90\x00\x03\x00\x00\x00" * 20, "is something else"),
        ("text/plain", b"\x7fELF\x02\x01\x01\x00" * 20, "is something else"),
        ("application/octet-stream", b"PK\x03\x04\x14\x00\x00\x00" * 20, "no type that is read"),
        ("application/x-msdownload", b"MZ", "type application/x-msdownload"),
        ("application/zip", b"PK", "type application/zip"),
        ("image/png", b"\x89PNG", "type image/png"),
        ("video/mp4", b"x", "type video/mp4"),
        ("application/json", b"{}", "type application/json"),
        ("a/\x9b31mred\x9d", b"{}", r"type a/\?31mred\?"),
    ],
)
def test_types_that_are_not_read_or_not_what_they_say(desk: Desk, kind: str, body: bytes, why: str) -> None:
    desk.site.put("/a", answer(body, kind=kind))
    failing(desk, "/a", ReadingRefused, why)


@pytest.mark.parametrize(
    ("kind", "body", "seen"),
    [
        ("", html(), "html"),
        ("application/octet-stream", b"%PDF-1.7 x", "pdf"),
        ("application/xhtml+xml", html(), "html"),
        ("text/plain", b"# Read me\n\ntext", "text"),
        ("text/html", b"only words", "html"),
        ("TEXT/HTML; Charset='utf-8'", html(), "html"),
    ],
)
def test_types_that_are_read(desk: Desk, kind: str, body: bytes, seen: str) -> None:
    desk.site.put("/a", answer(body, kind=kind))
    assert desk.get("/a").kind == seen


# Status, tries and pauses


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_status_that_ends_the_matter_is_asked_for_once(desk: Desk, status: int) -> None:
    desk.site.put("/a", answer(b"", status))
    assert desk.get("/a").status == status
    assert desk.site.count("/a") == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_of_the_site_is_waited_out(desk: Desk, status: int) -> None:
    desk.site.put("/a", answer(b"", status), answer(b"", status), answer(html()))
    assert desk.get("/a").status == 200
    assert desk.clock.slept == [2.0, 1.0, 1.0, 2.0]  # the pause, then waits of 1 and 2 s, the first with a pause's rest


def test_trouble_that_does_not_pass_is_given_up(desk: Desk) -> None:
    desk.site.put("/a", answer(b"", 500))
    failing(desk, "/a", ReadingFailed, "status 500")
    assert desk.site.count("/a") == 3


def test_retry_after_is_kept_to(desk: Desk) -> None:
    desk.site.put("/a", answer(b"", 429, Retry_After="7"), answer(html()))
    assert desk.get("/a").status == 200
    assert 7.0 in desk.clock.slept


@pytest.mark.parametrize("value", ["3600", formatdate(1_003_600.0, usegmt=True)])
def test_a_long_retry_after_leaves_the_host_alone_for_this_run(desk: Desk, value: str) -> None:
    desk.site.put("/a", answer(b"", 429, Retry_After=value))
    error = failing(desk, "/a", ReadingFailed, "status 429")
    assert isinstance(error, ReadingFailed) and error.retry_s == pytest.approx(3600)
    desk.site.put("/b", answer(html()))
    again = failing(desk, "/b", ReadingFailed, "left alone")
    assert isinstance(again, ReadingFailed) and again.retry_s and again.retry_s > 3000
    assert desk.site.count("/a") == 1 and desk.site.count("/b") == 0


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "9" * 400, "Sun, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_no_trouble(desk: Desk, value: str) -> None:
    desk.site.put("/a", answer(b"", 503, Retry_After=value), answer(html()))
    if value.startswith("9"):
        failing(desk, "/a", ReadingFailed, "status 503")
    else:
        assert desk.get("/a").status == 200


def test_one_host_is_asked_at_its_pace_and_another_meanwhile(desk: Desk) -> None:
    for path in ("/a", "/b"):
        desk.site.put(path, answer(html()))
    desk.get("/a")
    desk.get("/b")
    assert desk.clock.slept == [2.0, 2.0]  # robots.txt, pause, a, pause, b
    desk.fetcher.get(desk.site.url("/a", "other.test"))
    assert desk.clock.slept == [2.0, 2.0, 2.0]  # other.test: only between its robots.txt and its page


def test_an_etag_brings_304_and_only_where_it_belongs(desk: Desk) -> None:
    known = Validators(desk.site.url("/a"), '"v1"', "Sun, 01 Nov 2026 00:00:00 GMT")

    def handler(_: str, headers: dict[str, str], connection: socket.socket) -> None:
        same = headers.get("if-none-match") == '"v1"' and "if-modified-since" in headers
        connection.sendall(answer(b"", 304, length=0) if same else answer(html(), ETag='"v1"'))

    desk.site.pages["/a"] = desk.site.pages["/b"] = handler
    assert desk.get("/a", known).status == 304
    assert desk.get("/b", known).status == 200  # another address: nothing is claimed to be known of it


def test_304_that_nobody_asked_for(desk: Desk) -> None:
    desk.site.put("/a", answer(b"", 304, length=0))
    failing(desk, "/a", ReadingFailed, "never asked")


def test_an_etag_that_could_break_a_request_is_not_kept(desk: Desk) -> None:
    desk.site.put("/a", answer(html(), ETag="é" * 3), answer(html(), ETag="x" * 5000))
    assert desk.get("/a").validators.etag == ""
    assert desk.get("/a").validators.etag == ""


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH_9\r\n", b"\x00\x01\x02", b"HTTP/9.9 wow\r\n\r\n", b""])
def test_what_is_no_http(desk: Desk, data: bytes) -> None:
    desk.site.pages["/a"] = lambda _, __, connection: connection.sendall(data)
    failing(desk, "/a", ReadingFailed, "not HTTP")


def test_nobody_listens_and_nobody_has_the_name(site: Site) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    guard = Guard(Names(site_test=[["127.0.0.1"]]), ports=frozenset({port}), allowed=frozenset({("127.0.0.1", port)}))
    clock = Clock()
    fetcher = Fetcher(Transport(guard), guard, Pace(2.0, clock, clock.sleep), agent=AGENT, limits=LIMITS)
    with pytest.raises(ReadingFailed, match="robots"):
        fetcher.get(f"http://site.test:{port}/a")
    with pytest.raises(Offline, match="cannot be resolved"):
        fetcher.get(f"http://nowhere.test:{port}/a")


def certificate(folder: Path, host: str) -> Path:
    """A key and a certificate for one name, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "site.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A site that speaks TLS as secure.test; its port and certificate."""
    path = certificate(tmp_path, "secure.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                asked = connection.recv(65536)
                found = b"robots" not in asked.split(b"\r\n")[0]
                connection.sendall(answer(html()) if found else answer(b"", 404))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_certificate_is_of_the_name_and_not_of_the_address(secure: tuple[int, Path]) -> None:
    port, path = secure
    here = [["127.0.0.1"]]
    guard = Guard(
        Names(secure_test=here, other_test=here), ports=frozenset({port}), allowed=frozenset({("127.0.0.1", port)})
    )
    clock = Clock()

    def fetcher(tls: ssl.SSLContext | None) -> Fetcher:
        transport = Transport(guard, tls=tls)
        return Fetcher(transport, guard, Pace(2.0, clock, clock.sleep), agent=AGENT, limits=LIMITS)

    trusting = ssl.create_default_context(cafile=str(path))
    assert fetcher(trusting).get(f"https://secure.test:{port}/a").status == 200
    with pytest.raises(ReadingFailed, match="robots"):
        fetcher(trusting).get(f"https://other.test:{port}/a")  # the same address under a name it has no certificate for
    with pytest.raises(ReadingFailed, match="robots"):
        fetcher(None).get(f"https://secure.test:{port}/a")  # nobody signed it
    target = guard.check(f"https://other.test:{port}/a")
    with pytest.raises(ReadingFailed, match="certificate or its handshake"):
        Transport(guard, tls=trusting).get(target, {}, LIMITS)


def test_a_site_without_tls_is_not_read_in_the_clear(site: Site) -> None:
    desk = desk_of(site)
    with pytest.raises(ReadingFailed):
        desk.fetcher.get(f"https://site.test:{site.port}/a")
    assert "/a" not in site.asked


def test_the_systems_resolver_gives_addresses_or_an_error() -> None:
    assert "127.0.0.1" in system_resolve("localhost", 80, 5.0)
    with pytest.raises(socket.gaierror):
        system_resolve("name.invalid", 80, 5.0)


# robots.txt (RFC 9309)


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("User-agent: *\nDisallow: /a", False),
        ("User-agent: *\nDisallow: /\nAllow: /a", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: tutor-study\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: tutor-study\nDisallow: /x", True),
        ("User-agent: *\nDisallow: /*.html$", True),
        ("User-agent: *\nDisallow:", True),
        ("", True),
        ("<html>not found</html>", True),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", False),
    ],
)
def test_robots_rules(desk: Desk, rules: str, allowed: bool) -> None:
    desk.site.put("/robots.txt", answer(rules.encode(), kind="text/plain"))
    desk.site.put("/a", answer(html()))
    if allowed:
        assert desk.get("/a").status == 200
    else:
        failing(desk, "/a", ReadingDisallowed, "robots")
        assert desk.site.count("/a") == 0


def test_robots_is_asked_for_once(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer(b"User-agent: *\nDisallow: /b", kind="text/plain"))
    desk.site.put("/a", answer(html()))
    desk.get("/a")
    failing(desk, "/b", ReadingDisallowed, "robots")
    assert desk.site.count("/robots.txt") == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_robots_allows_everything(desk: Desk, status: int) -> None:
    desk.site.put("/robots.txt", answer(b"", status))
    desk.site.put("/a", answer(html()))
    assert desk.get("/a").status == 200


@pytest.mark.parametrize("status", [429, 500, 503])
def test_robots_in_trouble_allows_nothing_now(desk: Desk, status: int) -> None:
    desk.site.put("/robots.txt", answer(b"", status))
    desk.site.put("/a", answer(html()))
    failing(desk, "/a", ReadingFailed, "robots.txt cannot be read now")
    assert desk.site.count("/a") == 0


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"\x0b\x0e\x80User-agent: *", "packed as 'br'"),
        ("zstd", b"x", "packed as 'zstd'"),
        ("gzip, gzip", gzip.compress(gzip.compress(DENIED)), "packed as 'gzip, gzip'"),
        ("gzip", DENIED, "damaged"),
        ("gzip", gzip.compress(DENIED)[:-12], "ends early"),
        ("gzip", b"", "ends early"),
        ("gzip", gzip.compress(b"\n") + gzip.compress(DENIED), "behind its packed body"),
        ("deflate", b"\xff" * 20, "damaged"),
        ("", DENIED.decode().encode("utf-16"), "no plain text"),
        ("", DENIED.decode().encode("utf-16-be"), "no plain text"),
        ("", DENIED.decode().encode("utf-32"), "no plain text"),
        ("", b"%PDF-1.7 x", "no plain text"),
    ],
    ids=range(12),  # an archive has the time in it
)
def test_a_robots_that_cannot_be_read_allows_nothing_now(desk: Desk, encoding: str, body: bytes, why: str) -> None:
    desk.site.put("/robots.txt", answer(body, kind="text/plain", Content_Encoding=encoding))
    desk.site.put("/a", answer(html()))
    error = failing(desk, "/a", ReadingFailed, rf"robots\.txt cannot be read now \(.*{why}")
    assert not isinstance(error, Offline)
    failing(desk, "/a", ReadingFailed, "robots")
    assert desk.site.asked == ["/robots.txt"]  # known for the rest of the run
    again = desk_of(desk.site)  # the next run
    desk.site.put("/robots.txt", answer(b"User-agent: *\nDisallow: /b", kind="text/plain"))
    assert again.get("/a").status == 200


def test_a_robots_in_another_character_set_holds(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer("User-agent: *\nDisallow: /café # für alle".encode("latin-1")))
    failing(desk, "/caf%E9", ReadingDisallowed, "robots")
    desk.site.put("/cafe", answer(html()))
    assert desk.get("/cafe").status == 200


def test_a_wait_that_a_robots_asks_for_is_handed_on(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer(b"", 429, Retry_After="3600"))
    error = failing(desk, "/a", ReadingFailed, "robots")
    assert isinstance(error, ReadingFailed) and error.retry_s == pytest.approx(3600)


def test_a_huge_robots_is_read_up_to_its_limit(site: Site) -> None:
    desk = desk_of(site, replace(LIMITS, body=2 * 2**20))
    filler = b"# " + b"x" * 97 + b"\n"
    site.put("/robots.txt", answer(b"User-agent: *\nDisallow: /a\n" + filler * 50_000, kind="text/plain"))
    site.put("/a", answer(html()))
    failing(desk, "/a", ReadingDisallowed, "robots")


@pytest.mark.parametrize("packed", [False, True])
def test_half_a_line_at_the_limit_of_a_robots_is_no_rule(site: Site, packed: bool) -> None:
    desk = desk_of(site, replace(LIMITS, body=2 * 2**20))
    head, last = b"User-agent: *\nDisallow: /\n", b"Allow: /a"
    filler = b"#" * (512 * 2**10 - len(head) - len(last) - 1) + b"\n"
    rules = head + filler + last + b"/part/of/it\n"
    body = gzip.compress(rules) if packed else rules
    site.put("/robots.txt", answer(body, kind="text/plain", Content_Encoding="gzip" if packed else ""))
    site.put("/a", answer(html()))
    failing(desk, "/a", ReadingDisallowed, "robots")


def test_a_packed_bomb_as_robots_is_cut(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer(bomb(50), kind="text/plain", Content_Encoding="gzip"))
    desk.site.put("/a", answer(html()))
    assert desk.get("/a").status == 200


def test_robots_may_move(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer(status=301, Location="/rules.txt"))
    desk.site.put("/rules.txt", answer(b"User-agent: *\nDisallow: /a", kind="text/plain"))
    failing(desk, "/a", ReadingDisallowed, "robots")
    assert desk.site.count("/a") == 0


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://10.0.0.1:{port}/robots.txt", "not a public address"),
        ("http://127.0.0.1:{free}/robots.txt", "port"),
        ("http://169.254.169.254/latest/meta-data/", "port"),
        ("http://inside.test:{port}/robots.txt", r"leads to 10\.0\.0\.7"),
        ("file:///etc/passwd", "only http and https"),
        ("/robots.txt", "circle"),
    ],
)
def test_robots_that_moved_to_where_nothing_is_asked_allow_nothing_now(site: Site, place: str, why: str) -> None:
    desk = desk_of(site, inside_test=[["10.0.0.7"]])
    site.put("/robots.txt", answer(status=301, Location=place.format(port=site.port, free=site.port - 1)))
    site.put("/a", answer(html()))
    failing(desk, "/a", ReadingFailed, f"robots.txt cannot be read now .*{why}")
    assert site.asked == ["/robots.txt"]


def test_a_crawl_delay_is_kept(desk: Desk) -> None:
    desk.site.put("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 15", kind="text/plain"))
    desk.site.put("/a", answer(html(WORDS)))
    desk.get("/a")
    desk.get("/a")
    assert desk.clock.slept == [15.0, 15.0]
