"""A document as HTML with a span marked: every block type, spans that cut through marks, and random spans."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.web.highlight import render_document

SAMPLE = """# Caching

A cache keeps **copies of *hot* data** near its reader, see [the paper](https://example.org/a_b "A *title*")
and `SET key value EX 60`; it costs memory &amp; can be stale \\*always\\*.

## Patterns

- **Cache-aside:** the application fills the cache _after a miss_.
  It continues here.
  1. Nested: read, then set.
  2. Another one (with ~30% hits).
- [ ] Explain a stampede.
- [x] Explain a TTL.

> A quoted remark, over
> two lines, with **weight.**

| Pattern | Read | Write \\| cost |
|:--|--:|:-:|
| aside | miss, then fill | delete **after** commit |
| through | always `hit` | a\\|b synchronous |

```python
def get(key):
    return cache.get(key) or fill(key)  # **not bold**
```

```mermaid
flowchart LR
  A[App] --> C[(Cache)]
```

    indented code stays

Setext heading
--------------

Last <b>raw</b> words, ![a picture](https://example.org/x.png) and <https://example.org/auto>.
Hard break here\u0020\u0020
after it: H<sub>2</sub>O, naïve café, 漢字 too.

---

The end.
"""
_WORD = re.compile(r"[^\W_]+")
_MARK = re.compile(r"<mark[^>]*>(.*?)</mark>", re.S)


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def letters(text: str) -> str:
    return "".join(words(text))


def marked(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", "\n".join(_MARK.findall(html))))


def without_marks(html: str) -> str:
    return re.sub(r"</?mark[^>]*>", "", html).replace('<details open="">', "<details>")


def visible(quote: str) -> str:
    """A quote as a reader sees it: no link targets, fence names, entities' names, list numbers or boxes."""
    quote = re.sub(r"\]\([^)]*\)", "]", quote)
    quote = re.sub(r"^( *)(\d+\.|[-*] \[[ x]\])", r"\1", quote, flags=re.M)
    return unescape(re.sub(r"```\w*", "", quote))


def cited(quote: str) -> str:
    """The marked text of SAMPLE for a span that holds exactly ``quote``."""
    start = SAMPLE.index(quote)
    html = render_document(SAMPLE, start, start + len(quote)).html
    assert without_marks(html) == render_document(SAMPLE).html
    return marked(html)


@pytest.mark.parametrize(
    "quote",
    [
        "A cache keeps **copies of *hot* data** near its reader",  # around emphasis
        "copies of *hot",  # begins in strong, ends in em
        "hot* data** near",  # ends of both inside
        "near its reader, see [the paper",  # ends in a link's text
        "the paper",
        "SET key value",  # in code
        "and `SET key value EX 60`; it costs memory",
        "memory &amp; can be stale \\*always\\*",
        "Patterns",  # a heading
        "**Cache-aside:** the application fills the cache _after a miss_.",
        "fills the cache _after",
        "It continues here.",
        "Nested: read, then set.",
        "set.\n  2. Another one",  # over two items
        "Explain a stampede.\n- [x] Explain a TTL.",
        "A quoted remark, over\n> two lines, with **weight.**",  # over a quote's marker
        "two lines",
        "miss, then fill",  # a table cell
        "fill | delete **after** commit |\n| through | always `hit`",  # over cells and rows
        "a\\|b synchronous",  # an escaped pipe
        "Write \\| cost",
        "return cache.get(key) or fill(key)  # **not bold**",
        "A[App] --> C[(Cache)]",
        "indented code stays",
        "Setext heading",
        "after it: H<sub>2</sub>O, naïve café, 漢字 too.",
        "Hard break here  \nafter it",
        "raw</b> words",
        "The end.",
    ],
)
def test_the_marked_text_is_the_quoted_text(quote: str) -> None:
    assert letters(cited(quote)) == letters(visible(quote))


def test_one_element_has_the_id_that_links_go_to() -> None:
    start = SAMPLE.index("copies of")
    html = render_document(SAMPLE, start, start + 120).html
    assert html.count('id="cited"') == 1
    assert html.index('id="cited"') == html.index("<mark") + len("<mark ")
    assert html.count("<mark") > 1


def test_marks_stay_inside_their_elements() -> None:
    start, end = SAMPLE.index("reader, see"), SAMPLE.index("Setext")
    html = render_document(SAMPLE, start, end).html
    for inner in _MARK.findall(html):
        assert "<" not in inner


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-5, 10), (10, 5), (5, 10**9), (10**9, 10**9 + 1)])
def test_a_span_out_of_range_marks_nothing(start: int, end: int) -> None:
    assert "<mark" not in render_document(SAMPLE, start, end).html


def test_a_span_of_markup_alone_marks_nothing() -> None:
    start = SAMPLE.index("|:--|--:|:-:|")
    assert "<mark" not in render_document(SAMPLE, start, start + 10).html


def test_a_span_that_begins_in_a_link_target_marks_what_follows() -> None:
    assert letters(cited('a_b "A *title*")\nand `SET key')) == "andSETkey"


def test_private_use_characters_of_a_document_are_no_marks() -> None:
    html = render_document("one \ue000two\ue001 three", 4, 9).html
    assert marked(html).strip() == "two"
    assert "\ue000" not in html


def test_windows_line_ends() -> None:
    text = SAMPLE.replace("\n", "\r\n")
    quote = "the application fills"
    start = text.index(quote)
    assert marked(render_document(text, start, start + len(quote)).html) == quote


def test_tabs_before_a_nested_item() -> None:
    text = "- one\n\t- two **three** four\n\n\tindented paragraph of the item\n"
    for quote in ("two **three** four", "paragraph of the item"):
        start = text.index(quote)
        assert letters(marked(render_document(text, start, start + len(quote)).html)) == letters(quote)


@settings(max_examples=400)
@given(st.integers(0, len(SAMPLE) - 1), st.integers(1, 400))
def test_any_span_keeps_the_structure_and_marks_its_words(start: int, length: int) -> None:
    end = min(len(SAMPLE), start + length)
    html = render_document(SAMPLE, start, end).html
    assert without_marks(html) == render_document(SAMPLE).html
    got = letters(marked(html))
    # Nothing outside the span is marked: what is marked appears in it, in order.
    rest = iter(letters(unescape(SAMPLE[start:end])))
    assert all(letter in rest for letter in got)
    # No whole word of running text inside the span is left out.
    inner = [w for w in words(visible(SAMPLE[start:end]))[1:-1] if len(w) > 3 and w.isalpha()]
    targets = {"https", "example", "mermaid", "python", "title", "auto"}
    left_out = [w for w in inner if w not in got and w not in targets]
    assert not left_out


@settings(max_examples=150)
@given(st.text(alphabet="ab *_`[]()<>&\\|#>-1.~!\n\t:", max_size=120), st.data())
def test_any_markdown_survives_any_span(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    html = render_document(text, start, end).html
    assert without_marks(html) == render_document(text).html
    assert set(letters(marked(html))) <= set(letters(text[start:end]))


def test_headings_give_the_contents_and_step_down_from_the_pages_own() -> None:
    shown = render_document(SAMPLE, title="Caching")
    assert [title for _, title in shown.contents] == ["Patterns", "Setext heading"]
    assert "<h1" not in shown.html
    assert 'id="section-' in shown.html
    assert ">Caching<" not in shown.html
    kept = render_document(SAMPLE, title="Something else").html
    assert re.search(r"<h2[^>]*>Caching</h2>", kept)
    assert re.search(r"<h3[^>]*>Patterns</h3>", kept)


def test_diagrams_tables_and_boxes() -> None:
    html = render_document(SAMPLE).html
    assert '<figure class="diagram">' in html
    assert "<details>" in html
    assert "A[App] --&gt; C[(Cache)]" in html
    assert 'role="group"' in html
    assert '<td class="right">' in html
    assert "style=" not in html
    assert "☐ Explain a stampede." in html
    assert "☑ Explain a TTL." in html
    assert '<span class="image">a picture</span>' in html
    assert "<img" not in html
