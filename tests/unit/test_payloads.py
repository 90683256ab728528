"""The payloads through everything that makes HTML of text: nothing comes out that runs, loads or takes a name."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from bs4 import BeautifulSoup

from payload_set import Payload, payloads, together
from tutor.web.highlight import render_document
from tutor.web.render import inline, plain

TAGS = frozenset(
    "p ul ol li strong em code pre a blockquote br hr mark span div h2 h3 h4 h5 h6 table thead tbody tr th td figure "
    "figcaption details summary".split()
)
#: "open": of the source of a diagram that holds the marked span.
ATTRIBUTES = frozenset("href title rel id start class tabindex role aria-label scope open".split())
_CLASS = re.compile(r"language-\S+|table|diagram|image|right|center")


def check(html: str) -> None:
    """Fails where the HTML holds anything but marked-up text and links."""
    for element in BeautifulSoup(html, "html.parser").find_all(True):
        assert element.name in TAGS, element
        assert set(element.attrs) <= ATTRIBUTES, element
        assert re.fullmatch(r"section-\d+|cited", str(element.get("id", "cited"))), element
        for name in element.get("class") or ():
            assert _CLASS.fullmatch(name), element
        if element.get("href") is not None:
            # As browsers read addresses: without tabs and line ends, and a scheme has only these letters.
            address = re.sub(r"[\t\n\r]", "", str(element["href"]).lstrip("".join(map(chr, range(33)))))
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", address, re.I)
            assert scheme is None or scheme[1].lower() in ("http", "https", "mailto"), element
            assert "noopener" in str(element.get("rel")), element


def test_the_set_is_large_and_each_of_it_is_another() -> None:
    found = payloads()
    assert len(found) >= 150
    assert len({p.id for p in found}) == len({p.text for p in found}) == len(found)
    kinds = Counter(p.kind for p in found)
    assert len(kinds) >= 12 and min(kinds.values()) >= 5
    assert sum("__pwned" in p.text or "evil.example" in p.text for p in found) >= 150


@pytest.mark.parametrize("payload", payloads(), ids=lambda p: p.id)
def test_a_payload_comes_out_as_text(payload: Payload) -> None:
    text = payload.text
    check(inline(text))
    check(plain(text))
    assert BeautifulSoup(plain(text.replace("\0", "")), "html.parser").find(True) is None
    check(render_document(text).html)
    for start in range(0, len(text), max(1, len(text) // 12)):
        for end in (start + 1, (start + len(text)) // 2, len(text)):
            rendered = render_document(text, start, end, title=text)
            check(rendered.html)
            assert all(re.fullmatch(r"section-\d+", name) for name, _ in rendered.contents)


def test_payloads_do_not_make_more_of_each_other() -> None:
    for text in together(payloads(), most=20_000):
        check(render_document(text).html)
        check(render_document(text, len(text) // 3, len(text)).html)
        check(inline(text))


def test_the_check_itself_sees_what_it_should() -> None:
    for bad in (
        "<script>x</script>",
        '<p onclick="x">y</p>',
        '<a href="javascript:x" rel="noopener">y</a>',
        '<a href="JAVASCRIPT:x" rel="noopener">y</a>',
        '<a href="data:text/html,x" rel="noopener">y</a>',
        "<a href='java\tscript:x' rel=noopener>y</a>",
        '<a href="https://example.org">y</a>',
        '<h2 id="main">y</h2>',
        '<p style="color:red">y</p>',
        '<p class="rail">y</p>',
    ):
        with pytest.raises(AssertionError):
            check(bad)
