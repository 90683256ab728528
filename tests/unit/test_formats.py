"""Every format that is read: what the document says, and that sections cover it without losing a word."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest

from tutor.ingest.documents import Document
from tutor.ingest.formats import SUFFIXES, read
from tutor.ingest.formats.pdf import without_running_lines
from tutor.ingest.formats.text import decode, normalise
from tutor.ingest.roles import role_of

PAGE = """<!DOCTYPE html>
<html><head><title>Kafka in Depth</title><style>.x{color:red}</style><script>var secret = 1;</script></head>
<body><nav><a href="/">Home</a> <a href="/docs">Docs</a></nav>
<main><h1>Kafka in Depth</h1><p>An append-only log,<br>kept on <b>disk</b>. It holds 10<sup>6</sup> records.</p>
<h2>How it works</h2><p>Consumers <code>poll()</code> the broker.</p>
<ul><li>first item<ul><li>inner item</li></ul></li><li>second item</li></ul>
<h3>Storage</h3><pre><code class="language-python">def f():
    return 1
</code></pre>
<h2>Alternatives</h2><table><caption>Brokers</caption><tr><th>Name</th><th>Order</th></tr>
<tr><td>Kafka</td><td>per partition | key</td></tr><tr><td colspan="2">SQS</td></tr></table>
<p hidden>invisible</p><p style="display: none">invisible</p><aside>advert</aside></main>
<footer>Copyright</footer></body></html>"""

TEXT = """Reliable Queues
===============

A queue keeps what was sent until it was handled.

WHEN TO USE IT

Use one between a fast and a slow part.

1.2 Delivery

At most once, at least once.
"""

Maker = Callable[[Path], Path]


def make_txt(folder: Path) -> Path:
    path = folder / "queues.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def make_html(folder: Path) -> Path:
    path = folder / "kafka.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def make_docx(folder: Path) -> Path:
    document: Any = docx.Document()
    document.add_paragraph("Raft Notes", style="Title")
    document.add_paragraph("Agreement among replicas.")
    document.add_heading("How it works", 1)
    document.add_paragraph("A leader appends entries.")
    document.add_paragraph("election", style="List Bullet")
    document.add_paragraph("replication", style="List Number")
    document.add_heading("Terms", 2)
    table = document.add_table(rows=2, cols=2)
    for at, word in enumerate(("Term", "Meaning", "quorum", "a majority")):
        table.cell(at // 2, at % 2).text = word
    document.add_paragraph("leader = elect()").runs[0].font.name = "Courier New"
    document.add_heading("Limitations", 1)
    document.add_paragraph("No progress without a majority.")
    path = folder / "raft.docx"
    document.save(path)
    return path


def minimal_pdf(pages: list[list[str]], *, title: str = "") -> bytes:
    """A PDF written by hand: one text object per line, Helvetica."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        drawn = "".join(f"BT /F1 11 Tf 50 {780 - 14 * at} Td ({line}) Tj ET\n" for at, line in enumerate(lines))
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}endstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append(f"<< /Title ({title}) >>")
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    whole = f"{out}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF\n"
    return whole.encode("latin-1")


PDF_PAGES = [
    [
        "The Replication Handbook",
        f"Replica sets of kind {name} keep the same data on several machi-",
        "nes, and the reader of this page learns how state-of-the-",
        "art systems do it.",
        "- bullet one",
        f"- bullet {name}",
        str(number),
    ]
    for number, name in enumerate(("alpha", "beta", "gamma"), start=1)
]


def make_pdf(folder: Path) -> Path:
    path = folder / "handbook.pdf"
    path.write_bytes(minimal_pdf(PDF_PAGES, title="Replication by Hand"))
    return path


def make_epub(folder: Path) -> Path:
    path = folder / "book.epub"
    write_epub(path)
    return path


def write_epub(path: Path, **replaced: str | None) -> None:
    """An EPUB 3 book of two chapters, listed in the reverse of their reading order; ``None`` leaves a part out."""
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    ns = 'xmlns="http://www.w3.org/1999/xhtml"'
    parts: dict[str, str | None] = {
        "container": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        "opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata>'
        '<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">The Log Book</dc:title></metadata><manifest>'
        '<item id="b" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        "nav": f'<html {ns}><body><nav><a href="text/one.xhtml">Start</a><a href="text/two%20b.xhtml#x">Second Part</a>'
        "</nav></body></html>",
        "one": f"<html {ns}><head><title>t</title></head><body><h1>Start</h1><p>Once upon a log.</p></body></html>",
        "two": f"<html {ns}><body><p>Then came the offsets.</p></body></html>",
        "encryption": None,
    } | replaced
    names = {
        "container": "META-INF/container.xml",
        "opf": "OEBPS/content.opf",
        "nav": "OEBPS/nav.xhtml",
        "one": "OEBPS/text/one.xhtml",
        "two": "OEBPS/text/two b.xhtml",
        "encryption": "META-INF/encryption.xml",
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for key, content in parts.items():
            if content is not None:
                archive.writestr(names[key], head + content)


MAKERS: dict[str, Maker] = {
    "txt": make_txt,
    "html": make_html,
    "docx": make_docx,
    "pdf": make_pdf,
    "epub": make_epub,
}
WORDS = {
    "txt": TEXT,
    "html": "Kafka in Depth An append only log kept on disk It holds 10 6 records How it works Consumers poll the"
    " broker first item inner item second item Storage python def f return 1 Alternatives Brokers Name Order Kafka per"
    " partition key SQS",
    "docx": "Raft Notes Agreement among replicas How it works A leader appends entries election replication Terms Term"
    " Meaning quorum a majority leader elect Limitations No progress without a majority",
    "pdf": " ".join(
        f"Replica sets of kind {name} keep the same data on several machines and the reader of this page learns how"
        f" state of the art systems do it bullet one bullet {name}"
        for name in ("alpha", "beta", "gamma")
    ),
    "epub": "Start Once upon a log Second Part Then came the offsets",
}


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def check_sections(document: Document) -> None:
    """Sections point into the text, in order, apart from each other, and say something."""
    end = 0
    for section in document.sections:
        assert end <= section.start < section.end <= len(document.text)
        assert document.text[section.start : section.end].strip()
        end = section.end


def load(path: Path) -> Document:
    document = read(path, doc_id="doc", source="shelf/doc")
    check_sections(document)
    assert (document.doc_id, document.source, document.kind, document.covers) == ("doc", "shelf/doc", "page", ())
    assert document.text == normalise(document.text)
    return document


def body(document: Document, *heading: str) -> str:
    found = [s for s in document.sections if s.heading == heading]
    assert len(found) == 1, [s.heading for s in document.sections]
    return document.text[found[0].start : found[0].end]


def role(document: Document, *heading: str) -> str:
    return next(s.role for s in document.sections if s.heading == heading)


@pytest.mark.parametrize("kind", MAKERS)
def test_no_word_is_lost_and_none_is_added(kind: str, tmp_path: Path) -> None:
    document = load(MAKERS[kind](tmp_path))
    assert words(document.text) == words(WORDS[kind])
    shown = {document.title, *(name for s in document.sections for name in s.heading)}
    in_sections = words(" ".join([*shown, *(document.text[s.start : s.end] for s in document.sections)]))
    assert set(in_sections) >= set(words(document.text))


def test_importing_the_package_imports_no_reader() -> None:
    code = (
        "import sys, tutor.ingest.formats;"
        "print([m for m in ('pypdf', 'docx', 'lxml', 'bs4', 'charset_normalizer', 'defusedxml') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_env())
    assert out.stdout.strip() == "[]"
    assert ".md" not in SUFFIXES
    assert len(SUFFIXES) == 9


def _env() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def test_plain_text_headings_and_roles(tmp_path: Path) -> None:
    document = load(make_txt(tmp_path))
    assert document.title == "Reliable Queues"
    assert body(document).startswith("A queue keeps")
    assert body(document, "WHEN TO USE IT").strip() == "Use one between a fast and a slow part."
    assert role(document, "WHEN TO USE IT") == "when"
    assert document.sections[-1].heading[-1] == "1.2 Delivery"


def test_plain_text_without_headings_is_one_section_titled_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my_notes-2024.txt"
    path.write_text("one line\nanother line\n\n1. do this\n\n2. do that\n\nyes\n", encoding="utf-8")
    document = load(path)
    assert document.title == "my notes 2024"
    assert [s.heading for s in document.sections] == [()]


def test_restructured_text_levels_and_an_empty_section(tmp_path: Path) -> None:
    path = tmp_path / "guide.rst"
    path.write_text(
        "=====\nGuide\n=====\n\nIntro.\n\nFirst\n-----\n\nDeep\n~~~~\n\nWords.\n\nLast\n----\n", encoding="utf-8"
    )
    document = load(path)
    assert document.title == "Guide"
    assert [s.heading for s in document.sections] == [(), ("First", "Deep"), ("Last",)]
    assert body(document, "Last").startswith("Last")


def test_html_structure(tmp_path: Path) -> None:
    document = load(make_html(tmp_path))
    assert document.title == "Kafka in Depth"
    assert body(document) == "An append-only log,\nkept on disk. It holds 10^6 records."
    assert "- first item\n  - inner item\n- second item" in body(document, "How it works")
    assert body(document, "How it works", "Storage") == "```python\ndef f():\n    return 1\n```"
    table = "Brokers\n\n| Name | Order |\n| --- | --- |\n| Kafka | per partition \\| key |\n| SQS |  |"
    assert body(document, "Alternatives") == table
    assert (role(document, "How it works", "Storage"), role(document, "Alternatives")) == ("learn", "tradeoffs")


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>one<p>two<ul><li>a<li>b</ul><b>bold <i>both</b> tail</i>", "one\n\ntwo\n\n- a\n- b\n\nbold both tail\n"),
        ("just words, no tags", "just words, no tags\n"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "| a | b |\n| --- | --- |\n| c | d |\n"),
        ("<table><tr><td><h2>Laid out</h2><p>text</td></tr></table>", "## Laid out\n\ntext\n"),
        (
            '<?xml version="1.0" encoding="utf-8"?><html><body><p>x &amp; y&nbsp;z &#x200b;&bogus; </p>',
            "x & y z &bogus;\n",
        ),
        ("<div>" * 600 + "deep" + "</div>" * 600 + "<p>after", "deep\n\nafter\n"),
        ("<p>a <!-- gone --> b<!doctype c> c</html><p>late", "a b c\n\nlate\n"),
        ("<pre>x = `y`\n```\n</pre>", "````\nx = `y`\n```\n````\n"),
        (
            "<h2></h2><h3> A <em>b</em></h3>t<img src=x alt='the log of one partition'>",
            "### A b\n\nt the log of one partition\n",
        ),
        ("<article>teaser</article><p>" + "long text " * 20, "teaser\n\n" + ("long text " * 20).strip() + "\n"),
        (
            "<table><tr><th rowspan=2>k</th><td>1</td></tr><tr><td>2</td></tr></table>",
            "| k | 1 |\n| --- | --- |\n|  | 2 |\n",
        ),
        ("<h2>A<br>B</h2><table><tr><td>b<b>ig</b> <p>x</p>y<td>z", "## A B\n\n| big x y | z |\n| --- | --- |\n"),
        ("<td colspan=99999999>loose</td><p></p></div></span>", "loose\n"),
    ],
)
def test_real_world_html(markup: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "page.htm"
    path.write_text(markup, encoding="utf-8")
    text = load(path).text
    assert text.replace("\n\n\n", "\n\n") == expected


def test_html_in_a_declared_encoding(tmp_path: Path) -> None:
    path = tmp_path / "old.html"
    path.write_bytes('<meta charset="windows-1251"><title>Журнал</title><p>Привет'.encode("cp1251"))
    document = load(path)
    assert (document.title, document.text) == ("Журнал", "Привет\n")


def test_docx_structure(tmp_path: Path) -> None:
    document = load(make_docx(tmp_path))
    assert document.title == "Raft Notes"
    assert body(document, "How it works") == "A leader appends entries.\n\n- election\n- replication"
    expected = "| Term | Meaning |\n| --- | --- |\n| quorum | a majority |\n\n```\nleader = elect()\n```"
    assert body(document, "How it works", "Terms") == expected
    assert role(document, "Limitations") == "tradeoffs"


def test_docx_content_controls_insertions_and_text_boxes_are_kept_once(tmp_path: Path) -> None:
    from docx.oxml import parse_xml

    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    document: Any = docx.Document()
    body_element = document.element.body
    run = "<w:r><w:t>{}</w:t></w:r>"
    box = "<w:txbxContent><w:p>" + run.format("boxed") + "</w:p></w:txbxContent>"
    for xml in (
        f"<w:sdt {w}><w:sdtContent><w:p>{run.format('controlled')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p {w}><w:ins>{run.format('inserted')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>",
        f"<w:p {w} {mc}><w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>",
    ):
        body_element.insert(len(body_element) - 1, parse_xml(xml))
    cell = document.add_table(rows=1, cols=1).cell(0, 0)
    cell.text = "in a frame"
    document.save(tmp_path / "odd.docx")
    assert load(tmp_path / "odd.docx").text == "controlled\n\ninserted\n\nboxed\n\nin a frame\n"


def test_docx_merged_cells(tmp_path: Path) -> None:
    document: Any = docx.Document()
    table = document.add_table(rows=2, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).merge(table.cell(1, 2)).text = "tall"
    table.cell(1, 0).text, table.cell(1, 1).text = "a", "b"
    document.save(tmp_path / "t.docx")
    assert load(tmp_path / "t.docx").text == "| wide |  | tall |\n| --- | --- | --- |\n| a | b |  |\n"


def test_pdf_pages(tmp_path: Path) -> None:
    document = load(make_pdf(tmp_path))
    assert (document.title, document.meta) == ("Replication by Hand", {"pages": 3})
    assert [(s.page, s.heading, s.role) for s in document.sections] == [(n, (), "body") for n in (1, 2, 3)]
    first = document.sections[0]
    assert document.text[first.start : first.end] == (
        "Replica sets of kind alpha keep the same data on several machines, and the reader of this page learns how "
        "state-of-the-art systems do it.\n\n- bullet one\n- bullet alpha"
    )


def test_a_pdf_page_without_text_has_no_section(tmp_path: Path) -> None:
    path = tmp_path / "gap_in-it.pdf"
    path.write_bytes(minimal_pdf([["Only this."], [], ["And that."]], title="untitled"))
    document = load(path)
    assert document.title == "gap in it"
    assert [s.page for s in document.sections] == [1, 3]


def test_pdf_made_by_a_library_with_an_empty_password(tmp_path: Path) -> None:
    canvas = pytest.importorskip("reportlab.pdfgen.canvas", reason="reportlab writes the PDF of this test")
    path = tmp_path / "owner.pdf"
    from reportlab.lib.pdfencrypt import StandardEncryption

    page = canvas.Canvas(str(path), encrypt=StandardEncryption("", ownerPassword="secret", strength=128))
    page.drawString(72, 720, "Readable by everyone.")
    page.save()
    assert load(path).text == "Readable by everyone.\n"


def test_running_lines() -> None:
    numbered = [["Chapter 3 The Log", f"text {word}", f"Page {n} of 3"] for n, word in enumerate("abc", 1)]
    assert without_running_lines(numbered) == [["text a"], ["text b"], ["text c"]]
    lessons = [[f"Lesson {n}", "about", word] for n, word in enumerate("abc", 1)]
    assert [page[0] for page in without_running_lines(lessons)] == ["Lesson 1", "Lesson 2", "Lesson 3"]
    same = [["all pages say this"]] * 4
    assert without_running_lines(same) == same
    assert without_running_lines([["one page", "7"]]) == [["one page", "7"]]


def test_epub_spine_order_and_chapter_titles(tmp_path: Path) -> None:
    document = load(make_epub(tmp_path))
    assert document.title == "The Log Book"
    assert [s.heading for s in document.sections] == [("Start",), ("Second Part",)]
    assert body(document, "Second Part") == "Then came the offsets."


def test_epub_2_table_of_contents(tmp_path: Path) -> None:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="text/one.xhtml" media-type='
        '"application/xhtml+xml"/><item id="n" href="nav.xhtml" media-type="application/x-dtbncx+xml"/></manifest>'
        '<spine toc="n"><itemref idref="a"/></spine></package>'
    )
    ncx = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "ncx-2005-1.dtd"><ncx xmlns="http://www.daisy.org/z3986/2005'
        '/ncx/"><navMap><navPoint><navLabel><text>Preface</text></navLabel><content src="text/one.xhtml#a"/></navPoint>'
        "</navMap></ncx>"
    )
    write_epub(tmp_path / "old.epub", opf=opf, nav=ncx, one="<html><body>No heading.</body></html>")
    document = load(tmp_path / "old.epub")
    assert (document.title, document.sections[0].heading) == ("Preface", ())
    assert document.text == "# Preface\n\nNo heading.\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfmark", "mark"),
        ("größer".encode("utf-16"), "größer"),
        (b"\xfe\xff" + "größer".encode("utf-16-be"), "größer"),
        ("größer".encode("utf-32"), "größer"),
        (
            "naïve café — “quoted” words of a broker’s log".encode("cp1252"),
            "naïve café — “quoted” words of a broker’s log",
        ),
        (
            "Привет, это текст на русском языке для проверки".encode("cp1251"),
            "Привет, это текст на русском языке для проверки",
        ),
        (b"caf\xe9", "café"),
        ("Der Größe nach über alles".encode("cp1252"), "Der Größe nach über alles"),
        ("Zażółć gęślą jaźń, proszę państwa. Łódź".encode("cp1250"), "Zażółć gęślą jaźń, proszę państwa. Łódź"),
        ("日本語のテキストです".encode("shift_jis"), "日本語のテキストです"),
    ],
)
def test_decode(data: bytes, text: str) -> None:
    assert decode(data, about="x") == text


def test_normalise() -> None:
    raw = "a\r\nb\rc\u2028d\x0ce\xa0f \t\nsoft\xadhyphen zero\u200bwidth\ufeff e\u0301 \x07bell\ttab \ud800"
    assert normalise(raw) == "a\nb\nc\nd\ne f\nsofthyphen zerowidth é bell\ttab"
    assert normalise(normalise(raw)) == normalise(raw)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Why it exists", "why"),
        ("Internal mechanics", "learn"),
        ("Trade-offs", "tradeoffs"),
        ("When to use", "when"),
        ("When NOT to use", "when-not"),
        ("Interview traps and red flags", "red-flags"),
        ("Production failures", "failures"),
        ("Design scenarios", "scenarios"),
        ("Mastery check", "mastery"),
        ("Figures", "figures"),
        ("Resources", "resources"),
        ("3.1 Alternatives to Kafka", "tradeoffs"),
        ("Limitations", "tradeoffs"),
        ("✅ Pros and cons:", "tradeoffs"),
        ("How it works", "learn"),
        ("How does replication work?", "learn"),
        ("References", "resources"),
        ("Further reading", "resources"),
        ("Pitfalls", "mistakes"),
        ("Common mistakes (avoid these)", "mistakes"),
        ("Interview probes", "probes"),
        ("Interview signal", "signal"),
        ("Deep-dive map", "map"),
        ("When you shouldn’t use it", "when-not"),
        ("Why not SQS?", "when-not"),
        ("FAQ", "body"),
        ("Failure detection", "body"),
        ("Signal handling", "body"),
        ("Rate limiting", "body"),
        ("Resource limits", "body"),
        ("Map and reduce", "body"),
        ("", "body"),
        ("…", "body"),
    ],
)
def test_role_of(heading: str, expected: str) -> None:
    assert role_of(heading) == expected
