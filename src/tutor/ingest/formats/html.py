"""Reads HTML: the main content of a page, however it is written, without its navigation and decoration."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from tutor.errors import SourceError
from tutor.ingest.documents import Document
from tutor.ingest.formats.build import Builder, fence, pipe_table
from tutor.ingest.formats.text import decode

_DROPPED = re.compile(
    "head|script|style|noscript|template|nav|footer|aside|iframe|object|embed|svg|canvas|button|select|input|textarea|dialog"
)
_DROPPED_ROLES = re.compile("navigation|banner|contentinfo|search|complementary|menu|menubar|toolbar|dialog")
_DROPPED_CLASSES = re.compile("headerlink|linenos|lineno|line-numbers|skip-link|sr-only|visually-hidden")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_BLOCKS = re.compile(
    "address|article|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|form|header|hgroup|hr"
    "|html|legend|main|p|section|summary|table|tbody|td|tfoot|th|thead|tr"
)
_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
_PROLOG = re.compile(r"\A\s*<\?xml[^>]*>")
_ENDS = re.compile(r"</(?:body|html)\s*>", re.I)
_LANGUAGE = re.compile(r"(?:language|lang|highlight-source|highlight|brush:?)-?([a-z0-9+#]+)\Z", re.I)
_DEPTH = 200  # Python's stack, not the page, sets it: what is nested deeper is taken as plain text


def parse(markup: str) -> BeautifulSoup:
    """The page as a tree; markup that is not well-formed is repaired."""
    # An XML declaration, or no tag at all, would be a warning; text after an early </body> would be outside the body.
    markup = _ENDS.sub("", _PROLOG.sub("", markup))
    return BeautifulSoup(markup if "<" in markup else f"<p>{markup}</p>", "lxml")


def characters(data: bytes, *, about: str) -> str:
    """The markup's characters, by the encoding that it declares where it is not UTF-8."""
    declared = _CHARSET.search(data[:4096])
    name = declared.group(1).decode("ascii", "replace").lower() if declared else None
    # Browsers read these labels as Windows-1252, and pages rely on it.
    return decode(
        data, about=about, declared="cp1252" if name in ("iso-8859-1", "latin1", "latin-1", "ascii") else name
    )


def read(data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document:
    """An HTML page.

    Raises:
        SourceError: it is binary or shows no text without running its scripts.
    """
    soup = parse(characters(data, about=about))
    builder = Builder()
    title = soup.title.get_text() if soup.title else None
    try:
        add_content(soup, builder)
    except RecursionError as error:
        raise SourceError("is nested too deeply", about=about, fix="Save it as plain text.") from error
    fix = "A page that builds itself with scripts must be saved from a browser after it has loaded."
    return builder.document(about=about, doc_id=doc_id, source=source, stem=stem, title=title, fix=fix)


def add_content(soup: BeautifulSoup, builder: Builder) -> None:
    """Adds the main content to ``builder``: headings, paragraphs, list items, tables and code."""
    for tag in [tag for tag in soup.find_all(True) if _dropped(tag)]:
        tag.extract()
    root: Tag = soup.body or soup
    whole = len(root.get_text(" ", strip=True))
    for found in (soup.find_all("main"), soup.find_all(role="main"), soup.find_all("article")):
        # A <main> or the only <article> is the content, unless the page uses it for a teaser.
        if len(found) == 1 and len(found[0].get_text(" ", strip=True)) * 4 >= whole:
            root = found[0]
            break
    walker = _Walker(builder)
    walker.children(root, 0)
    walker.flush()


def _dropped(tag: Tag) -> bool:
    if tag.name in ("html", "body", "main"):
        return False
    return (
        tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or bool(_DROPPED.fullmatch(tag.name))
        or bool(_DROPPED_ROLES.fullmatch(str(tag.get("role", ""))))
        or bool(_HIDDEN.search(str(tag.get("style", ""))))
        or any(_DROPPED_CLASSES.fullmatch(name) for name in tag.get_attribute_list("class") if name)
    )


def _plain(tag: Tag) -> str:
    """The text of a heading or a cell, on one line: lines and blocks are apart, inline markup is not."""
    for inner in tag.find_all(["br", "p", "div", "li"]):
        inner.insert_before(" ")
        inner.insert_after(" ")
    return " ".join(tag.get_text().split())


class _Walker:
    """Walks the tree once; inline text is collected until a block begins or ends."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.inline: list[str] = []
        self.lists = 0
        self.item = False

    def flush(self) -> None:
        """Ends the current paragraph or list item."""
        lines = (" ".join(line.split()) for line in "".join(self.inline).split("\x00"))
        text = "\n".join(line for line in lines if line)
        self.inline.clear()
        if text and self.item:
            self.builder.item(text, max(0, self.lists - 1))
        elif text:
            self.builder.block(text)

    def children(self, tag: Tag, depth: int) -> None:
        for child in tag.children:
            if isinstance(child, Tag):
                self.tag(child, depth + 1)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self.inline.append(child.replace("\x00", ""))

    def tag(self, tag: Tag, depth: int) -> None:
        name = tag.name
        if depth > _DEPTH:
            self.inline.append(f" {tag.get_text(' ')} ")
        elif name == "br":
            self.inline.append("\x00")
        elif name == "img":
            alt = str(tag.get("alt", ""))
            self.inline.append(f" {alt} " if len(alt.split()) > 3 else " ")  # shorter ones are labels of icons
        elif name == "sup" and re.fullmatch(r"[-+−]?\w{1,4}", tag.get_text(strip=True)) and not tag.find("a"):
            self.inline.append(f"^{tag.get_text(strip=True)}")  # 10⁶ must not become 106
        elif len(name) == 2 and name[0] == "h" and name[1] in "123456":
            self.flush()
            self.builder.heading(int(name[1]), _plain(tag))
        elif name == "pre":
            self.flush()
            self.code(tag)
        elif name == "table" and (rows := _rows(tag)):
            self.flush()
            if caption := tag.find("caption"):
                self.builder.block(_plain(caption))
            self.builder.block(pipe_table(rows))
        elif name in ("ul", "ol", "menu", "li"):
            self.flush()
            outer = self.item
            self.item = name == "li"
            self.lists += name != "li"
            self.children(tag, depth)
            self.flush()
            self.lists -= name != "li"
            self.item = outer
        elif _BLOCKS.fullmatch(name):
            self.flush()
            self.children(tag, depth)
            self.flush()
        else:
            self.children(tag, depth)

    def code(self, tag: Tag) -> None:
        for br in tag.find_all("br"):
            br.replace_with("\n")
        holders = [tag, *([tag.parent] if tag.parent else []), *tag.find_all("code", limit=1)]
        names = [str(name) for holder in holders for name in (holder.get("class") or ())]
        info = next((match.group(1).lower() for name in names if (match := _LANGUAGE.match(name))), "")
        code = tag.get_text().strip("\r\n")
        if code.strip():
            self.builder.block(fence(code, info))


def _rows(table: Tag) -> list[list[str]]:
    """The cells of a table of data; none for a table that only lays out the page."""
    if table.find(["table", "h1", "h2", "h3", "h4", "h5", "h6", "pre"]):
        return []
    rows: list[list[str]] = []
    held: dict[int, int] = {}  # column -> rows still covered by a cell from above
    for tr in table.find_all("tr"):
        row: list[str] = []
        for cell in tr.find_all(["td", "th"], recursive=False):
            while held.get(len(row), 0) > 0:
                held[len(row)] -= 1
                row.append("")
            for column in range(len(row), len(row) + _span(cell, "colspan")):
                held[column] = _span(cell, "rowspan") - 1
                row.append("")
            row[-_span(cell, "colspan")] = _plain(cell)
        rows.append(row)
    return rows if max(map(len, rows), default=0) > 1 else []


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1")).strip()
    return min(max(1, int(value)), 50) if value.isascii() and value.isdigit() and len(value) < 6 else 1
