"""Progress in a browser: charts with tables, periods, links that lead on, marks brought in; light, dark, narrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import studied
from pages import overflow, running, violations
from tutor.bootstrap import App
from tutor.settings import Settings

Visit = Callable[..., Any]
CHARTS = ("Ready for a question", "Cards by phase", "Kinds of question", "What you recalled", "What would fade",
          "Due for review", "How sure you were", "Days studied", "Time by week")  # fmt: skip


@pytest.fixture(scope="module")
def address(curriculum_home: Path) -> Any:
    studied.study(curriculum_home)
    with running(App(Settings(home=curriculum_home))) as address:
        yield address


def test_every_chart_is_an_image_with_a_name_and_has_a_table(visit: Visit) -> None:
    page = visit("/progress")
    for name in CHARTS:
        figure = page.locator("figure.chart").filter(has=page.get_by_role("img", name=name))
        assert figure.count() == 1, name
        box = figure.get_by_role("img").bounding_box()
        assert box["width"] > 200 and box["height"] > 80, name
        if figure.locator("details[open]").count() == 0:
            figure.locator("summary").click()
        assert figure.get_by_role("table").is_visible(), name
        assert figure.locator("tbody tr").count() >= 1, name
    assert page.get_by_text("Your Brier score is").is_visible()


@pytest.mark.parametrize("width", [1280, 900])
def test_no_row_of_panels_has_a_hole(visit: Visit, width: int) -> None:
    page = visit("/progress", width=width)
    assert page.locator(".alike").count() == 2 and page.locator(".alike > .panel").count() == 5
    for row in page.locator(".alike, .told").all():
        whole = row.bounding_box()
        panels = row.locator(":scope > .panel").all() or [row]
        by_top: dict[int, list[Any]] = {}
        for box in (panel.bounding_box() for panel in panels):
            by_top.setdefault(round(box["y"]), []).append(box)
        for boxes in by_top.values():
            assert len({round(box["height"]) for box in boxes}) == 1
            assert boxes[0]["x"] == pytest.approx(whole["x"], abs=1)
            assert boxes[-1]["x"] + boxes[-1]["width"] == pytest.approx(whole["x"] + whole["width"], abs=1)
    assert overflow(page) == []
    due = page.locator("figure.chart").filter(has=page.get_by_role("img", name="Due for review"))
    assert violations(page) == [] and due.locator("figcaption").bounding_box()["x"] > width / 2  # beside its drawing


def test_a_period_and_a_grouping_are_in_the_address(visit: Visit) -> None:
    page = visit("/progress")
    page.get_by_role("link", name="30 days").click()
    page.wait_for_url("**days=30**")
    page.get_by_role("link", name="Tier", exact=True).click()
    page.wait_for_url("**days=30&by=tier**")
    page.get_by_role("img", name="Cards by tier").wait_for()
    page.go_back()
    page.get_by_role("img", name="Cards by phase").wait_for()
    page.reload()
    assert page.locator(".period [aria-current]").inner_text() == "30 days"


def test_figures_lead_to_the_cards_that_they_count(visit: Visit) -> None:
    page = visit("/progress")
    mastered = page.locator(".figures a").first
    number = int(mastered.inner_text())
    mastered.click()
    page.wait_for_url("**/progress/cards?status=mastered")
    assert page.locator(".standing > li").count() == number > 0
    page.get_by_label("Status").select_option("learning")
    page.get_by_label("Phase").select_option("0")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**phase=0**")
    assert 0 < page.locator(".standing > li").count() <= 7
    assert (
        page.get_by_role("link", name="Drill Learning threads").get_attribute("href")
        == "/drill?request=learning-threads"
    )


def test_a_point_that_was_said_both_ways_leads_to_both_drills(visit: Visit) -> None:
    page = visit("/progress")
    both = page.locator("section", has=page.get_by_role("heading", name="You have said both"))
    links = both.get_by_role("link", name="this drill")
    assert links.count() >= 2
    assert all(str(link.get_attribute("href")).startswith("/drill/") for link in links.all())


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_marks_are_shown_before_they_are_taken_in(visit: Visit, scripts: bool) -> None:
    title = "Observability: logs, metrics and traces" if scripts else "Time, clocks and ordering"
    page = visit("/progress/import", java_script_enabled=scripts)
    page.get_by_label("Study guide with marks").fill(f"[x] {title}\n[~] No such card of all")
    page.get_by_role("button", name="See what would change").click()
    page.get_by_text("1 of 1 marks says something new.").wait_for()
    assert page.get_by_role("link", name=title).is_visible()
    assert page.get_by_label("Study guide with marks").input_value().startswith("[x]")
    assert not scripts or violations(page) == []
    page.get_by_role("button", name="Take it in").click()
    page.get_by_text("Taken in: 1 mark.").wait_for()
    page.get_by_role("link", name="Cards", exact=True).click()
    page.wait_for_url("**/progress/cards")
    row = page.locator(".standing > li", has_text=title)
    assert "mastered" in row.inner_text() and "Imported" in row.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation_or_scrolls_sideways(visit: Visit, scheme: str) -> None:
    page = visit("/progress", color_scheme=scheme)
    root = page.url.removesuffix("/progress")
    for path in ("/progress", "/progress?days=0&by=section", "/progress?days=30&by=plan", "/progress/cards",
                 "/progress/cards?status=mastered&tier=3&phase=9", "/progress/import"):  # fmt: skip
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(root + path)
        assert violations(page) == [], path
        page.set_viewport_size({"width": 360, "height": 740})
        assert overflow(page) == [], path
    assert violations(page) == []


def test_letters_of_charts_can_be_read_on_a_phone(visit: Visit) -> None:
    page = visit("/progress", width=360)
    for chart in page.get_by_role("img").all():
        scale = chart.evaluate(
            "svg => svg.getScreenCTM().a * parseFloat(getComputedStyle(svg.querySelector('text')).fontSize)"
        )
        assert scale >= 10  # pixels


def test_printed_it_is_charts_and_open_tables(visit: Visit) -> None:
    page = visit("/progress")
    page.emulate_media(media="print")
    assert page.get_by_role("img", name="What you recalled").is_visible()
    for hidden in (".rail", ".period", ".chart summary"):
        assert page.locator(hidden).first.is_hidden()


def test_a_learner_who_has_done_nothing_is_told_how_it_begins(visit: Visit, tmp_path: Path) -> None:
    with running(App(Settings(home=tmp_path))) as address:
        page = visit("/progress", address=address)
        assert page.get_by_role("heading", name="Nothing to show yet").is_visible()
        assert page.get_by_role("link", name="Start a drill").get_attribute("href") == "/drill"
        assert page.locator("figure.chart").count() == 1
        assert violations(page) == []
