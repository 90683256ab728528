"""Charts: figures to coordinates, text that is escaped, and data too thin or too odd to draw."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from bs4 import BeautifulSoup
from markupsafe import Markup

from tutor.axis import Axis
from tutor.web.charts import Bar, Guessed, Point, Stack, bars, calendar, calibration, columns, level, line, stacks
from tutor.web.figures import WIDTH, Table, Text, cut, number, thinned, too_little

TEXT = Text("one", "A chart", "It says one thing.")
TABLE = Table(("x", "y"), [["1", "2"]])
SATURDAY = date(2026, 2, 28)


def svg(html: Markup) -> ET.Element:
    """The drawing, read as the XML that it is."""
    found = re.search(r'<svg viewBox="[^"]*" role="img".*?</svg>', html, re.S)
    assert found
    return ET.fromstring(found.group())


def placed(html: Markup, name: str, kind: str) -> list[dict[str, float]]:
    """The numeric attributes of every such element."""
    found = [e for e in svg(html).iter(name) if kind in (e.get("class") or "").split()]
    return [{k: float(v) for k, v in e.attrib.items() if re.fullmatch(r"-?[\d.]+", v)} for e in found]


def drawings(label: str = "x") -> dict[str, Markup]:
    return {
        "line": line(
            TEXT, [Point(0, 0.5, label, 0.2, 0.8), Point(1, 1, label)], TABLE, x_name=label, y_name=label, aim=0.9
        ),
        "bars": bars(
            TEXT, [Bar(label, 1, label, label, "/x"), Bar(label, None, label)], heads=(label, "b", "c"), most=2
        ),
        "stacks": stacks(TEXT, [("done", label), ("open", "open")], [Stack(label, (1, 2), label)], head=label),
        "columns": columns(TEXT, [Bar(label, 3, label)], heads=(label, "n"), x_name=label, y_name=label),
        "calibration": calibration(TEXT, [Guessed(0.5, 0.25, 4, label)]),
        "calendar": calendar(TEXT, {SATURDAY: 3}, SATURDAY, SATURDAY, unit=label),
    }


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.91, 0.95), (0, 0.2), (70, 4000), (0.7, 0.7001)])
def test_an_axis_has_a_few_ticks_inside_it(low: float, high: float) -> None:
    ticks = Axis(low, high, 100.0, 10.0).ticks
    assert 2 <= len(ticks) <= 5
    assert all(10 <= at <= 100 for at, _ in ticks) and len({label for _, label in ticks}) == len(ticks)


def test_an_axis_keeps_values_inside_and_bears_a_single_one() -> None:
    axis = Axis(0, 10, 100, 200)
    assert [axis.at(v) for v in (-5, 0, 2.5, 10, 99)] == [100, 100, 125, 200, 200]
    assert Axis(3, 3, 40, 90).at(3) == 40


@pytest.mark.parametrize("kind", drawings())
def test_a_drawing_is_named_described_and_has_its_data_as_a_table(kind: str) -> None:
    html = drawings()[kind]
    page = BeautifulSoup(html, "html.parser")
    drawing = page.select("svg[role=img]")
    assert len(drawing) == 1
    named = [page.select_one(f"#{key}") for key in str(drawing[0]["aria-labelledby"]).split()]
    assert [element.get_text() for element in named if element] == ["A chart", "It says one thing."]
    assert len(page.select("figure > figcaption")) == 1
    assert page.select("details table th[scope=col]") and page.select("details table tbody th[scope=row]")
    widths = {len(row.select("th, td")) for row in page.select("tr")}
    assert len(widths) == 1


@pytest.mark.parametrize("kind", drawings())
def test_text_is_escaped_and_nothing_needs_a_style_or_script(kind: str) -> None:
    hostile = '"><script>alert(1)</script><b onclick=x style="y">&'
    html = drawings(hostile)[kind]
    page = BeautifulSoup(html, "html.parser")
    assert not page.select("script, style, b")
    for element in page.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
    svg(html)  # still well-formed


@pytest.mark.parametrize("kind", drawings())
def test_everything_lies_within_the_drawing(kind: str) -> None:
    drawing = svg(drawings()[kind])
    _, _, width, height = map(float, str(drawing.get("viewBox")).split())
    assert width == WIDTH
    for element in drawing.iter():
        for key, value in element.attrib.items():
            if key in ("x", "x1", "x2", "cx"):
                assert 0 <= float(value) <= width
            if key in ("y", "y1", "y2", "cy"):
                assert 0 <= float(value) <= height


def test_a_line_goes_from_left_to_right_and_up_with_its_value() -> None:
    points = [Point(0, 0.0, "a"), Point(1, 0.5, "b"), Point(4, 1.0, "c")]
    dots = placed(line(TEXT, points, TABLE, x_name="x", y_name="y"), "circle", "dot")
    assert [d["cx"] for d in dots] == [52.0, 118.0, 316.0]
    assert [d["cy"] for d in dots] == [176.0, 101.0, 26.0]
    html = line(TEXT, [Point(3, 0.5, "a", 0.1, 0.9)], TABLE, x_name="x", y_name="y")
    assert len(placed(html, "line", "whisker")) == 1 and not placed(html, "polyline", "line")
    assert placed(html, "circle", "dot")[0]["cx"] == 184.0


def test_the_band_of_a_line_runs_over_its_highs_and_back_over_its_lows() -> None:
    points = [Point(0, 0.5, "a", 0.2, 0.8), Point(1, 0.5, "b", 0.4, 0.6)]
    drawing = svg(line(TEXT, points, TABLE, x_name="x", y_name="y"))
    band = next(e for e in drawing.iter("polygon"))
    assert band.get("points") == "52,56 316,86 316,116 52,146"


def test_bars_go_by_their_value_and_an_unknown_one_has_none() -> None:
    rows = [Bar("a", 2, "2"), Bar("b", 1, "1"), Bar("c", 0, "0"), Bar("d", None, "not known"), Bar("e", math.nan, "?")]
    html = bars(TEXT, rows, heads=("name", "value"), most=2)
    assert [bar["width"] for bar in placed(html, "rect", "full")] == [338.0, 169.0]
    assert len(placed(html, "rect", "unknown")) == 2
    assert not placed(bars(TEXT, [Bar("a", 3, "3")], heads=("a", "b"), most=0), "rect", "full")


def test_the_parts_of_a_stack_fill_it_in_their_order() -> None:
    parts = [("done", "done"), ("going", "going"), ("open", "open")]
    html = stacks(TEXT, parts, [Stack("a", (1, 0, 3), "1"), Stack("b", (0, 0, 0), "none")], head="what")
    assert placed(html, "rect", "done")[0]["width"] == 84.5
    assert placed(html, "rect", "open")[0]["x"] == 85.5
    assert not [r for r in placed(html, "rect", "going") if r["height"] == 12 and "y" in r]
    assert len(placed(html, "rect", "unknown")) == 1
    assert [c.get_text() for c in BeautifulSoup(html, "html.parser").select("tbody tr:first-child td")] == [
        "1", "0", "3", "4",
    ]  # fmt: skip


def test_columns_stand_on_the_axis_and_nothing_is_drawn_for_nothing() -> None:
    rows = [Bar("Mon", 4, "4"), Bar("Tue", 0, "0"), Bar("Wed", 2, "2")]
    found = placed(columns(TEXT, rows, heads=("day", "due"), x_name="day", y_name="due"), "rect", "full")
    assert [(bar["y"], bar["height"]) for bar in found] == [(26.0, 130.0), (91.0, 65.0)]
    nothing = [Bar("Mon", 0, "0"), Bar("Tue", math.inf, "?")]
    assert not placed(columns(TEXT, nothing, heads=("day", "due"), x_name="day", y_name="due"), "rect", "full")
    assert svg(columns(TEXT, [], heads=("day", "due"), x_name="day", y_name="due")) is not None


def test_calibrations_dots_go_by_their_guesses_in_area() -> None:
    html = calibration(TEXT, [Guessed(1, 0, 1, "80% to 100%"), Guessed(0, 1, 4, "0% to 20%")])
    dots = placed(html, "circle", "dot")
    assert [(d["cx"], d["cy"], d["r"]) for d in dots] == [(42.0, 26.0, 14.0), (326.0, 256.0, 9.0)]
    diagonal = placed(html, "line", "aim")[0]
    assert (diagonal["x1"], diagonal["y1"], diagonal["x2"], diagonal["y2"]) == (42.0, 256.0, 326.0, 26.0)


def test_a_calendars_days_stand_under_their_week_and_weekday() -> None:
    first = date(2026, 2, 16)  # a Monday
    html = calendar(TEXT, {first: 1, SATURDAY: 25, date(2020, 1, 1): 9}, first, SATURDAY, unit="answers")
    days = placed(html, "rect", "day")
    assert len(days) == 13
    assert (days[0]["x"], days[0]["y"]) == (43.0, 27.0)
    assert (days[7]["x"], days[7]["y"]) == (63.0, 27.0)  # the next Monday
    assert days[-1]["y"] == 127.0
    assert len(placed(html, "rect", "level-4")) == 1
    page = BeautifulSoup(html, "html.parser")
    assert [row.get_text(" ") for row in page.select("tbody tr")] == [
        "Saturday 28 February 2026 25",
        "Monday 16 February 2026 1",
    ]


def test_a_calendar_has_at_most_26_weeks_and_its_days_can_be_seen() -> None:
    days = placed(calendar(TEXT, {}, date(2020, 1, 1), SATURDAY, unit="answers"), "rect", "day")
    assert len(days) == 26 * 7 - 1
    assert min(day["width"] for day in days) > 9
    assert max(day["x"] + day["width"] for day in days) <= WIDTH


@pytest.mark.parametrize(("count", "shade"), [(0, 0), (1, 1), (4, 1), (5, 2), (10, 3), (19, 3), (20, 4), (999, 4)])
def test_shades(count: int, shade: int) -> None:
    assert level(count) == shade


def test_no_coordinate_is_anything_but_finite() -> None:
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="no coordinate"):
            number(value)
    assert number(1.0) == "1" and number(2.345) == "2.3"


def test_labels_that_run_into_each_other_are_left_out() -> None:
    labels: list[tuple[float, str]] = [(10.0 * n, f"{n:02}") for n in range(14)]
    kept = thinned(labels)
    assert kept[0] == labels[0] and kept[-1] == labels[-1]
    assert all(b[0] - a[0] >= 18 for a, b in pairwise(kept))
    assert thinned(labels[:2]) == labels[:2] and thinned([]) == []


def test_words_are_cut_to_their_room() -> None:
    assert cut("short", 200) == "short"
    assert cut("a rather long title of a card", 72) == "a rather…"


def test_links_lead_on_and_too_little_says_so() -> None:
    row: Any = [Bar("Tier 1", 0.5, "50%", "3 cards", "/progress/cards?tier=1&status=learning")]
    page = BeautifulSoup(bars(TEXT, row, heads=("tier", "ready", "rests on"), most=1), "html.parser")
    link = page.select_one("tbody a")
    assert link and link["href"] == "/progress/cards?tier=1&status=learning"
    none = BeautifulSoup(too_little(Text("k", "Recall", "From 5 <reviews> on.")), "html.parser")
    assert none.select_one("figure p.empty") and none.get_text() == "RecallFrom 5 <reviews> on."
