"""Markdown to safe HTML: rendered on the server, sanitised, citations as links."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import nh3
from markdown_it import MarkdownIt

from tutor.answering.cite import Citation
from tutor.answering.compose import Group, Sentence

_TAGS = {
    *("p", "ul", "ol", "li", "strong", "em", "code", "pre", "a", "blockquote", "br", "hr", "mark", "del"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "figure", "details", "summary"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "th": {"style"},
    "td": {"style"},
    "mark": {"id", "class"},
    "ol": {"start"},
    "code": {"class"},
    "h2": {"id"},
    "h3": {"id"},
}
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def safe(html: str) -> str:
    """HTML with only the tags that our Markdown makes; links open nothing but http, https and mailto."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        filter_style_properties={"text-align"},
    )


def markdown(text: str) -> str:
    """A document or block of Markdown as safe HTML; raw HTML in it is shown as text."""
    return safe(_parser.render(text))


def inline(text: str) -> str:
    """One sentence of Markdown as safe HTML without a paragraph around it."""
    return safe(_parser.renderInline(" ".join(text.split())))


def citation_url(citation: Citation) -> str:
    """The page of the cited document with the span highlighted."""
    span = urlencode({"start": citation.start, "end": citation.end})
    return f"/documents/{quote(citation.doc_id)}?{span}#cited"


def sentence(line: Sentence, citation: Citation) -> str:
    """A quoted sentence with its mark and its numbered chip."""
    where = nh3.clean_text(" > ".join((citation.title, *citation.heading[1:])))
    mark = f'<span class="wrong">{nh3.clean_text(line.mark)}</span>' if line.mark else ""
    chip = (
        f'<a class="chip" href="{nh3.clean_text(citation_url(citation))}" data-cite'
        f' aria-label="Source {line.n}: {where}" title="{where}">{line.n}</a>'
    )
    return f"{mark}{inline(line.text)}&#8288;{chip}"


def verdict(lines: tuple[Sentence, ...], cited: dict[int, Citation]) -> str:
    """The opening paragraph of an answer."""
    return f'<p class="verdict">{" ".join(sentence(s, cited[s.n]) for s in lines)}</p>'


def group(found: Group, cited: dict[int, Citation]) -> str:
    """A labelled list of an answer."""
    label = f"<h3>{nh3.clean_text(found.label)}</h3>" if found.label else ""
    items = "".join(f"<li>{sentence(s, cited[s.n])}</li>" for s in found.sentences)
    return f'<section class="group">{label}<ul>{items}</ul></section>'


_MERMAID = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.S)


def diagrams(html: str) -> str:
    """Mermaid fences as figures whose source opens on demand (drawing them is the pages issue's)."""
    return _MERMAID.sub(
        r"<figure><details><summary>Diagram (Mermaid source)</summary><pre><code>\1</code></pre></details></figure>",
        html,
    )
