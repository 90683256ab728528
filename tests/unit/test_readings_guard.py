"""Which addresses may be asked: nothing leads into the learner's own network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading_site import Names
from tutor.errors import Offline, ReadingRefused
from tutor.ingest.readings.guard import Guard, is_public

PUBLIC = ["8.8.8.8", "1.1.1.1", "151.101.1.69", "2606:4700::1111", "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8"]
PUBLIC += ["64:ff9b::808:808", "2002:808:808::1"]
INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1"),
    *("239.255.255.250", "255.255.255.255", "240.0.0.1", "203.0.113.5", "192.88.99.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:808:808::1", "3fff::1"),
    *("2001:10::1", "100::1", "5f00::1", "4000::1", "not an address", ""),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_an_address_inside_is_inside_however_it_is_wrapped(number: int) -> None:
    from ipaddress import IPv4Address, IPv6Address

    plain = str(IPv4Address(number))
    wrapped = [IPv6Address((0xFFFF << 32) | number), IPv6Address((0x64FF9B << 96) | number)]
    wrapped.append(IPv6Address((0x2002 << 112) | (number << 80)))
    assert {is_public(str(address)) for address in wrapped} == {is_public(plain)}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.org/x", "only http and https"),
        ("gopher://example.org/", "only http and https"),
        ("data:text/html,x", "only http and https"),
        ("//example.org/x", "only http and https"),
        ("http://user@example.org/", "a name or a password"),
        ("http://user:secret@example.org/", "a name or a password"),
        ("http://example.org@127.0.0.1/", "a name or a password"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:8080/", "port 8080"),
        ("http://example.org:99999/", "no address"),
        ("http://127.0.0.1/", "not a public address"),
        ("http://169.254.169.254/latest/meta-data/", "not a public address"),
        ("http://[::1]/", "not a public address"),
        ("http://[::ffff:127.0.0.1]/", "not a public address"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://[::1", "no address"),
        ("http://2130706433/", "number"),
        ("http://0x7f000001/", "number"),
        ("http://0x7f.1/", "number"),
        ("http://0177.0.0.1/", "number"),
        ("http://127.1/", "number"),
        ("http://127.0.0.1./", "not a public address"),
        ("http://１２７.０.０.１/", "not a public address"),
        ("http://127。0。0。1/", "not a public address"),
        ("http://localhost/", "no name of the public internet"),
        ("http://intranet/", "no name of the public internet"),
        ("http:///path", "no host"),
        ("http://exa mple.org/", "character"),
        ("http://example.org\\@127.0.0.1/", "character"),
        ("http://example.org/\r\nHost: x", "character"),
        ("http://-example.org/", "no name"),
        ("http://" + "a" * 2100 + ".org/", "more than 2,000"),
    ],
)
def test_addresses_that_are_refused_as_written(url: str, why: str) -> None:
    with pytest.raises(ReadingRefused, match=why):
        Guard(lambda *_: pytest.fail("nothing is resolved")).check(url)


def test_an_address_is_taken_apart() -> None:
    target = Guard().check("HTTPS://Bücher.Example:443/a b?q=ä#part".replace(" ", "%20"))
    assert (target.scheme, target.host, target.port) == ("https", "xn--bcher-kva.example", 443)
    assert target.url == "https://xn--bcher-kva.example/a%20b?q=%C3%A4"
    assert target.origin == "https://xn--bcher-kva.example"
    assert Guard(ports=frozenset({8443})).check("https://example.org:8443").origin == "https://example.org:8443"


def test_one_inner_address_among_public_ones_refuses_the_name() -> None:
    guard = Guard(Names(mixed_test=[["8.8.8.8", "10.0.0.1"]]))
    with pytest.raises(ReadingRefused, match=r"leads to 10\.0\.0\.1"):
        guard.addresses("mixed.test", 80, 1.0)


def test_a_name_that_is_not_found_is_no_refusal() -> None:
    with pytest.raises(Offline, match="cannot be resolved"):
        Guard(Names()).addresses("nowhere.test", 80, 1.0)
    with pytest.raises(Offline, match="no address"):
        Guard(Names(empty_test=[[]])).addresses("empty.test", 80, 1.0)


def test_what_is_allowed_is_one_address_at_one_port() -> None:
    guard = Guard(ports=frozenset({80, 8123}), allowed=frozenset({("127.0.0.1", 8123)}))
    assert guard.check("http://127.0.0.1:8123/").port == 8123
    with pytest.raises(ReadingRefused):
        guard.check("http://127.0.0.1/")
    with pytest.raises(ReadingRefused):
        guard.check("http://127.0.0.2:8123/")


@given(st.text(max_size=60))
def test_whatever_is_written_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.org/{text}"):
        try:
            target = Guard(lambda *_: pytest.fail("nothing is resolved")).check(url)
        except ReadingRefused:
            continue
        assert target.url.isascii() and target.port in (80, 443) and "@" not in target.netloc
