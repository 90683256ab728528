"""The map's layout: boxes keep apart, lines point forward, and nothing is left to chance."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.curriculum import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.study.paths import map_of
from tutor.web.library import PHASES
from tutor.web.map_layout import HEIGHT, WIDTH, Drawing, layout, reduced

LETTERS = "abcdefghij"
EDGES = st.lists(st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)), max_size=30)


@pytest.fixture(scope="module")
def curriculum_outline(tmp_path_factory: pytest.TempPathFactory) -> Outline:
    return outline(builtin_corpus(), Path(tmp_path_factory.mktemp("outline")) / "outline.json")


def overlaps(drawing: Drawing) -> list[tuple[str, str]]:
    return [
        (a.id, b.id) for a, b in combinations(drawing.boxes, 2) if abs(a.x - b.x) < WIDTH and abs(a.y - b.y) < HEIGHT
    ]


def sound(drawing: Drawing) -> None:
    at = {box.id: box for box in drawing.boxes}
    assert overlaps(drawing) == []
    assert all(at[c.source].x + WIDTH < at[c.target].x for c in drawing.curves)
    assert all(0 <= b.x <= drawing.width - WIDTH and 0 <= b.y <= drawing.height - HEIGHT for b in drawing.boxes)


def test_a_card_stands_right_of_everything_it_builds_on() -> None:
    drawing = layout(dict.fromkeys("abcd", "T"), [("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")])
    x = {box.id: box.x for box in drawing.boxes}
    assert x["a"] < x["b"] == x["d"] < x["c"]
    assert [(c.source, c.target) for c in drawing.curves] == [("a", "b"), ("b", "c"), ("a", "d")]


def test_what_a_longer_way_says_is_left_out() -> None:
    assert reduced([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("b", "d")]) == [("a", "b"), ("b", "c"), ("c", "d")]
    assert reduced([("a", "b"), ("a", "c")]) == [("a", "b"), ("a", "c")]


def test_neighbours_decide_the_order_of_a_column() -> None:
    drawing = layout(dict.fromkeys("abxy", "T"), [("a", "y"), ("b", "x")])
    y = {box.id: box.y for box in drawing.boxes}
    assert (y["a"] < y["b"]) == (y["y"] < y["x"])  # no line crosses another


def test_lanes_keep_groups_apart() -> None:
    groups = {"a": "One", "b": "Two", "c": "One"}
    drawing = layout(dict.fromkeys("abc", "T"), [("a", "b")], groups)
    assert [lane.name for lane in drawing.lanes] == ["One", "Two"]
    first, second = drawing.lanes
    assert first.y + first.height < second.y
    lane_of = {b.id: next(e.name for e in drawing.lanes if e.y <= b.y < e.y + e.height) for b in drawing.boxes}
    assert lane_of == groups


def test_a_long_title_is_cut_to_four_lines() -> None:
    (box,) = layout({"a": "word " * 40}, []).boxes
    assert len(box.lines) == 4
    assert box.lines[-1].endswith("…")


@given(EDGES, st.dictionaries(st.sampled_from(LETTERS), st.sampled_from(["One", "Two", "Three"])))
def test_any_edges_give_a_sound_drawing_and_always_the_same(
    edges: list[tuple[str, str]], groups: dict[str, str]
) -> None:
    titles = {letter: f"Card {letter}" for letter in LETTERS}
    drawing = layout(titles, edges, groups)
    assert {box.id for box in drawing.boxes} == set(titles)
    sound(drawing)
    assert drawing == layout(titles, edges, groups)


def test_nothing_to_draw() -> None:
    assert layout({}, [("a", "b")]).boxes == ()


def test_the_curriculum_is_drawn_whole(curriculum_outline: Outline) -> None:
    drawn = map_of(curriculum_outline, {})
    before = [(e.source, e.target) for e in drawn.edges if e.kind == "before"]
    groups = {node.id: PHASES[node.phase] for node in drawn.nodes}
    drawing = layout({node.id: node.title for node in drawn.nodes}, before, groups)
    sound(drawing)
    assert len(drawing.boxes) == len(curriculum_outline.cards)
    assert [lane.name for lane in drawing.lanes] == list(PHASES.values())
    assert all("…" not in line for box in drawing.boxes for line in box.lines)
    # Every prerequisite is still told: by a line of its own, or by lines one after another.
    after: dict[str, set[str]] = {}
    for curve in drawing.curves:
        after.setdefault(curve.source, set()).add(curve.target)

    def leads(a: str, b: str) -> bool:
        return b in after.get(a, ()) or any(leads(c, b) for c in after.get(a, ()))

    assert all(leads(a, b) for a, b in before)
