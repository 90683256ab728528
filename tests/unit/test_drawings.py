"""The curriculum's diagrams: each has its drawing, and a drawing can do nothing but be looked at."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tutor.web import drawings
from tutor.web.highlight import render_document

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
SHAPES = {"path", "rect", "circle", "ellipse", "polygon", "polyline", "line", "text"}
ATTRIBUTES = set("class transform d x y width height rx ry cx cy r points x1 y1 x2 y2".split())
FENCED = "```mermaid\n%s```\n"


@cache
def sources() -> tuple[str, ...]:
    """The curriculum's diagrams; read when a test asks, as finding the tests would take two seconds longer."""
    texts = [path.read_text("utf-8") for path in sorted(CORPUS.rglob("*.md"))]
    return tuple(source for text in texts for source in drawings.sources(text))


def test_every_diagram_of_the_curriculum_is_drawn_and_nothing_else_is() -> None:
    wanted = {drawings.name_of(source) for source in sources()}
    there = {path.stem for path in drawings.FOLDER.glob("*.svg")}
    assert len(wanted) > 100
    assert wanted == there, "run ingest/draw_diagrams.py"
    assert sum(path.stat().st_size for path in drawings.FOLDER.glob("*.svg")) < 1_000_000


@pytest.mark.parametrize("path", sorted(drawings.FOLDER.glob("*.svg")), ids=lambda path: path.stem)
def test_a_drawing_is_shapes_and_words_only(path: Path) -> None:
    root = ElementTree.fromstring(path.read_text("utf-8"))
    assert root.tag == "svg" and set(root.attrib) == {"role", "aria-label", "class", "viewBox", "width", "height"}
    assert len(root.attrib["aria-label"]) > 20
    assert {part.tag for part in root.iter()} - {"svg"} <= SHAPES
    for part in list(root):
        assert set(part.attrib) <= ATTRIBUTES and len(part) == 0
        assert all(re.fullmatch(r"[\w\s.,()\-]*", value) for value in part.attrib.values())


def test_what_a_diagram_says_is_in_its_label() -> None:
    source = next(source for source in sources() if "Group billing" in source)
    label = ElementTree.fromstring(drawings.drawing(drawings.name_of(source))).attrib["aria-label"]
    assert "Partition leader to Group billing" in label


def test_a_document_shows_the_drawing_and_its_source() -> None:
    html = render_document(FENCED % sources()[0]).html
    assert drawings.drawing(drawings.name_of(sources()[0])) in html
    assert html.count("<svg") == 1 and "<details><summary>Source (Mermaid)" in html


def test_a_citation_in_a_diagram_opens_its_source_and_keeps_the_drawing() -> None:
    text = FENCED % sources()[0]
    start = len("```mermaid\n") + 3
    html = render_document(text, start, start + 12).html
    assert "<svg" in html and "<details open" in html and html.count('<mark id="cited">') == 1


def test_another_diagram_stays_its_source() -> None:
    html = render_document(FENCED % "flowchart LR\n  A[<img src=x onerror=alert(1)>] --> B\n").html
    assert "<svg" not in html and "<img" not in html and "not drawn" in html


@pytest.mark.parametrize("text", ['<span class="drawing-%s"></span>', '`<span class="drawing-%s"></span>`'])
def test_nothing_that_is_written_becomes_a_drawing(text: str) -> None:
    assert "<svg" not in render_document(text % drawings.name_of(sources()[0])).html
