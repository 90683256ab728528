"""Markdown to safe HTML: rendered on the server, raw HTML shown as text, the result sanitised.

The output needs no inline style and loads nothing, so that it passes the page's content security policy: images stand
as their description, column alignment becomes a class, diagrams keep their source.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from tutor.web import drawings

_TAGS = {
    *("p", "ul", "ol", "li", "strong", "em", "code", "pre", "a", "blockquote", "br", "hr", "mark", "span", "div"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    *("figure", "figcaption", "details", "summary"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "mark": {"id"},
    "ol": {"start"},
    "code": {"class"},
    "span": {"class"},
    "figure": {"class"},
    "details": {"open"},
    "pre": {"tabindex", "role", "aria-label"},
    "div": {"class", "tabindex", "role", "aria-label"},
    **{cell: {"class", "scope"} for cell in ("th", "td")},
    **{f"h{level}": {"id", "class"} for level in range(2, 7)},
}
CHECKBOX = re.compile(r"\[([ xX~])\](?=\s)")
#: Private-use characters around a marked span (``highlight``), and what takes them out.
MARKERS = "\ue000", "\ue001"
MARKERS_GONE = str.maketrans(dict.fromkeys(MARKERS))
_Env = MutableMapping[str, Any]


class _Renderer(RendererHTML):
    """HTML for what needs more than a tag. Each method is found by the name of its token type."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        token = tokens[idx]
        language = (token.info.split() or [""])[0]
        name = f' class="language-{escapeHtml(language)}"' if language else ""
        block = f'<pre tabindex="0" role="group" aria-label="Code"><code{name}>{escapeHtml(token.content)}</code></pre>'
        if not drawings.is_mermaid(token.info):
            return f"{block}\n"
        source = token.content.translate(MARKERS_GONE)
        place = drawings.place(source)
        shown = (
            f'<div class="canvas" tabindex="0" role="group" aria-label="Diagram">{place}</div>'
            if place
            else "<figcaption>Diagram, not drawn: it is not one of the curriculum's</figcaption>"
        )
        marked = " open" if source != token.content else ""
        return (
            f'<figure class="diagram">{shown}'
            f"<details{marked}><summary>Source (Mermaid)</summary>{block}</details></figure>\n"
        )

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        code = escapeHtml(tokens[idx].content)
        return f'<pre tabindex="0" role="group" aria-label="Code"><code>{code}</code></pre>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        shown = self.renderInlineAsText(tokens[idx].children or [], options, env)
        return f'<span class="image">{escapeHtml(shown or "image")}</span>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        return '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        return f'<th scope="col"{_alignment(tokens[idx])}>'

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Env) -> str:
        return f"<td{_alignment(tokens[idx])}>"


def _alignment(token: Token) -> str:
    side = str(token.attrGet("style") or "").removeprefix("text-align:")
    return f' class="{side}"' if side in ("right", "center") else ""


PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}, renderer_cls=_Renderer).enable("table")


def safe(html: str) -> str:
    """HTML with only the tags that our Markdown makes; links open nothing but http, https and mailto."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


@lru_cache(maxsize=2_048)  # the same sentences are quoted again and again; one takes 1 KB
def inline(text: str) -> str:
    """One sentence of Markdown as safe HTML without a paragraph around it."""
    return safe(PARSER.renderInline(CHECKBOX.sub("", " ".join(text.split()))))


def block(text: str, *, highest: int = 3) -> str:
    """Markdown that a learner wrote as safe HTML, to stand in a page below a heading of its own.

    Args:
        text: Markdown; raw HTML in it is shown as text.
        highest: the level (2 to 6) of its highest headings; they get no ids, so that they clash with none of the page.
    """
    env: _Env = {}
    tokens = PARSER.parse(text, env)
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) - min(levels) + highest)}"
    return drawings.drawn(safe(PARSER.renderer.render(tokens, PARSER.options, env)))


def plain(text: str) -> str:
    """Text as HTML that shows it."""
    return escapeHtml(text)
