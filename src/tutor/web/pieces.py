"""An answer as pieces of safe HTML, in the order in which they are shown and streamed.

Chips are made from the answer's own sentences, never by looking for ``[n]`` in text: a quote that happens to hold
"[2]" must not borrow a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tutor.answering.answer import Answer
from tutor.answering.cite import Citation
from tutor.answering.compose import Group, Sentence
from tutor.text import blank_markup
from tutor.web.render import inline, plain


@dataclass(frozen=True, slots=True)
class Piece:
    """``kind`` is verdict, group, sources or further."""

    kind: str
    html: str


def pieces(answer: Answer) -> Iterator[Piece]:
    """The answer's parts in order; where the curriculum abstained only the learner's own and linked readings."""
    if answer.citations and not answer.abstained:
        yield from _cited(answer)
    if answer.own:
        yield Piece("group", _own(answer))
    yield from _further(answer)


def _cited(answer: Answer) -> Iterator[Piece]:
    cited = {c.n: c for c in answer.citations}
    composed = answer.composed
    yield Piece("verdict", f'<p class="verdict">{" ".join(_sentence(s, cited) for s in composed.verdict)}</p>')
    subject = cited[composed.verdict[0].n].title if composed.verdict else ""
    for found in composed.groups:
        first = next((n for s in found.sentences for n in s.cites), 0)
        title = cited[first].title if first else subject
        yield Piece("group", _group(found, cited, title, named=title != subject))
        subject = title
    note = f'<p class="written">{plain(capital(answer.generation.line()))}.</p>' if answer.generation else ""
    yield Piece("sources", _sources(answer) + note)


def capital(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]


def _own(answer: Answer) -> str:
    """What the learner wrote, in a group that says so."""
    items = "".join(
        f"<li><strong>{plain(own.place)}:</strong> “{plain(' '.join(own.quote.split()))}”"
        f'&#8288;<span class="chip own" title="{plain(own.place)}">{own.n}</span></li>'
        for own in answer.own
    )
    return (
        '<section class="group own"><h3>From your log</h3><p class="note">Your own words, not the curriculum\'s.</p>'
        f"<ul>{items}</ul></section>"
    )


def document_url(doc_id: str, citation: Citation | None = None) -> str:
    """A document's page; with a citation, opened at its highlighted span."""
    path = f"/documents/{quote(doc_id)}"
    return f"{path}?{urlencode({'start': citation.start, 'end': citation.end})}#cited" if citation else path


def place(citation: Citation) -> str:
    """Where a citation stands: the title, then the headings below it."""
    below = citation.heading[1:] if citation.heading[:1] == (citation.title,) else citation.heading
    page = (f"page {citation.page}",) if citation.page else ()
    return " › ".join((citation.title, *below, *page))


def words(quote: str) -> str:
    """A quote without the marks of Markdown, on one line."""
    return " ".join(blank_markup(quote).split())


def copyable(answer: Answer) -> str:
    """The question, the answer and its sources as Markdown."""
    lines = [f"[{c.n}] {place(c)}" for c in answer.citations]
    lines += [f"[{own.n}] {own.place}" for own in answer.own]
    return "\n".join(
        [f"## {answer.question}", "", answer.whole, "", "Sources:", "", *(f"- {line}" for line in lines), ""]
    )


def _chip(citation: Citation, *, quoting: bool = False) -> str:
    """The link to a citation's passage; ``quoting``: with what a preview shows, once an answer."""
    where, title = plain(place(citation)), plain(citation.title)
    quoted = f' data-title="{title}" data-quote="{plain(words(citation.quote))}"' if quoting else ""
    return (
        f'<a class="chip" href="{plain(document_url(citation.doc_id, citation))}" data-cite="{citation.n}"{quoted}'
        f' aria-label="Source {citation.n}: {where}" title="{where}">{citation.n}</a>'
    )


def _sentence(line: Sentence, cited: dict[int, Citation]) -> str:
    mark = f'<strong class="wrong">{plain(line.mark.strip())}</strong> ' if line.mark else ""
    # The word joiner keeps the chip on the line of the last word.
    chips = "".join(f"&#8288;{_chip(cited[n])}" for n in line.cites)
    return f"{mark}{inline(line.text)}{chips}"


def sentence_html(line: Sentence, cited: Sequence[Citation]) -> str:
    """One sentence with its sources as safe HTML."""
    return _sentence(line, {c.n: c for c in cited})


def _group(found: Group, cited: dict[int, Citation], title: str, *, named: bool) -> str:
    label = found.label.removeprefix(title).removeprefix(": ")
    label = label[:1].upper() + label[1:]
    about = f'<span class="about">{plain(title)}</span> ' if named or not label else ""
    heading = f"<h3>{about}{plain(label)}</h3>" if found.label else ""
    items = "".join(f"<li>{_sentence(s, cited)}</li>" for s in found.sentences)
    return f'<section class="group">{heading}<ul>{items}</ul></section>'


def _sources(answer: Answer) -> str:
    """Where the quotes stand, one row a place, and the whole answer as Markdown for the copy button."""
    places: dict[str, list[Citation]] = {}
    for citation in answer.citations:
        places.setdefault(place(citation), []).append(citation)
    rows = "".join(
        f"<li>{''.join(_chip(one, quoting=True) for one in there)} <span>{plain(where)}</span></li>"
        for where, there in places.items()
    )
    return (
        f'<footer class="sources"><h3>Sources</h3><ul>{rows}</ul></footer>'
        f"<template data-markdown>{plain(copyable(answer))}</template>"
    )


def _further(answer: Answer) -> Iterator[Piece]:
    """The linked readings, under a heading that says that they are none of the answer; each leads to its own site."""
    rows = []
    for further in answer.further:
        citation = further.citation
        page = f", page {citation.page}" if citation.page else ""
        licence = "" if further.licence == "unknown" else f' <span class="licence">{plain(further.licence)}</span>'
        quote = plain(" ".join(citation.quote.split()))
        rows.append(
            f'<li><a href="{plain(citation.source)}" rel="noopener noreferrer nofollow" target="_blank">'
            f"{plain(citation.title)}</a>{plain(page)}{licence}<br><q>{quote}</q></li>"
        )
    if rows:
        yield Piece(
            "further",
            '<aside class="sources further"><h3>Further reading <span class="note">linked pages, not the curriculum'
            f"</span></h3><ul>{''.join(rows)}</ul></aside>",
        )
