"""The library and a card's page in a browser: instant filters, notes that save themselves, two windows, diagrams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pages import follow, overflow, until, violations

Visit = Callable[..., Any]
CARD = "/documents/kafka"
WIDE = "/documents/guardrails"  # its diagram is wider than the text


def count(page: Any) -> str:
    return str(page.inner_text("[data-count]"))


def visible_titles(page: Any) -> list[str]:
    return [a.inner_text() for a in page.locator(".shelf li:visible > a").all()]


def comes(page: Any, selector: str, words: str) -> None:
    """Wait until an element has words; the policy forbids Playwright's own way of waiting for a condition."""
    page.locator(selector, has_text=words).first.wait_for()


def saved(page: Any) -> None:
    page.get_by_text("Saved", exact=True).wait_for()


def write(page: Any, text: str) -> None:
    page.fill("#note-text", text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/documents", "/documents?by=plan&filter=zzzz", CARD, "/documents/article-cache-invalidation-strategies"],
)
def test_pages_are_accessible_and_fit(visit: Visit, path: str, scheme: str) -> None:
    page = visit(path, color_scheme=scheme)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow(page) == []


def test_the_library_filters_while_typing_and_the_address_says_so(visit: Visit) -> None:
    page = visit("/documents")
    page.fill("#filter", "commit log")
    comes(page, "[data-count]", "1 of 348")
    assert visible_titles(page) == ["Apache Kafka"]
    page.wait_for_url("**/documents?filter=commit+log")
    page.select_option("#facet-kind", "article")
    page.locator("[data-none]").wait_for()
    assert count(page).startswith("0 of")
    page.wait_for_url("**/documents?filter=commit+log&kind=article")
    page.reload()
    assert page.input_value("#filter") == "commit log" and page.input_value("#facet-kind") == "article"
    assert count(page).startswith("0 of")
    page.click(".empty [data-clear]")
    page.locator(".shelf").first.wait_for()
    assert page.evaluate("document.activeElement.id") == "filter"
    page.wait_for_url("**/documents")


def test_a_choice_of_a_filter_is_a_step_to_come_back_to(visit: Visit) -> None:
    page = visit("/documents")
    everything = count(page)
    page.select_option("#facet-tier", "1")
    page.wait_for_url("**/documents?tier=1")
    some = count(page)
    page.select_option("#facet-kind", "card")
    page.wait_for_url("**/documents?kind=card&tier=1")
    page.go_back()
    page.wait_for_url("**/documents?tier=1")
    comes(page, "[data-count]", some)
    assert page.input_value("#facet-kind") == ""
    page.go_back()
    comes(page, "[data-count]", everything)
    assert page.input_value("#facet-tier") == "" != everything


def test_a_slip_in_the_librarys_search_is_one_click_to_mend(visit: Visit) -> None:
    page = visit("/documents")
    page.fill("#filter", "kafak")
    page.click("[data-slip] button")
    assert page.input_value("#filter") == "kafka"
    page.locator(".shelf").first.wait_for()
    assert "Apache Kafka" in visible_titles(page)
    page.fill("#filter", "zzzzqq")
    page.locator("[data-none]").wait_for()
    assert page.locator("[data-slip]").is_hidden()


def test_grouping_keeps_the_filters_and_back_returns_to_them(visit: Visit) -> None:
    page = visit("/documents")
    page.select_option("#facet-tier", "1")
    page.fill("#filter", "kafka")
    page.click("[data-by='plan']")
    page.wait_for_url("**/documents?by=plan&filter=kafka&tier=1")
    assert "The twelve-week plan" in page.inner_text(".shelf:visible h2")
    page.click("text=Apache Kafka >> nth=0")
    page.wait_for_url("**/documents/kafka")
    page.go_back()
    assert page.input_value("#filter") == "kafka" and page.input_value("#facet-tier") == "1"
    assert "Apache Kafka" in visible_titles(page)


def test_filtering_takes_less_than_a_frame(visit: Visit) -> None:
    page = visit("/documents?by=plan")
    took = page.evaluate(
        """() => {
          const box = document.querySelector("#filter");
          const times = [];
          for (const text of ["r", "re", "rep", "repl", "re", "x", ""]) {
            box.value = text;
            const start = performance.now();
            box.dispatchEvent(new Event("input"));
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[3];
        }"""
    )
    assert took < 16  # the work itself waits for the next frame; typing is never held up
    held = page.evaluate(
        """async () => {
          const box = document.querySelector("#filter");
          const times = [];
          for (const text of ["replication", "", "replication", "", "replication"]) {
            box.value = text;
            box.dispatchEvent(new Event("input"));
            times.push(await new Promise((done) => requestAnimationFrame(() => {
              const start = performance.now();
              setTimeout(() => done(performance.now() - start));
            })));
          }
          return Math.min(...times);
        }"""
    )
    assert held < 250, "the rows of 480 places were not filtered in time, even for a machine under load"


def test_the_library_works_without_scripts(visit: Visit) -> None:
    page = visit("/documents", java_script_enabled=False)
    page.fill("#filter", "quorum")
    page.select_option("#facet-kind", "card")
    page.click("[data-submit]")
    page.wait_for_url("**/documents?filter=quorum**")
    shown = page.locator(".shelf li:visible").count()
    assert 0 < shown < 30 and count(page).startswith(f"{shown} of")


def test_a_note_saves_itself_and_survives_a_reload(visit: Visit) -> None:
    page = visit("/documents/redis")
    write(page, "**Single** thread <b>x</b>")
    saved(page)
    assert page.inner_html(".written").strip() == "<p><strong>Single</strong> thread &lt;b&gt;x&lt;/b&gt;</p>"
    page.reload()
    assert page.inner_text(".written") == "Single thread <b>x</b>"
    assert page.input_value("#note-text") == "**Single** thread <b>x</b>"


def test_what_could_not_be_saved_is_put_back(visit: Visit) -> None:
    page = visit("/documents/caching")
    page.route("**/api/v1/study/notes/**", lambda route: route.abort())
    write(page, "written while the server was away")
    comes(page, "[data-said]", "does not answer")
    page.reload()
    assert page.input_value("#note-text") == "written while the server was away"
    page.unroute("**/api/v1/study/notes/**")
    page.locator("[data-save]").click()
    saved(page)
    page.reload()
    assert page.inner_text(".written") == "written while the server was away"


def test_two_windows_keep_both_texts(visit: Visit) -> None:
    first, second = visit("/documents/sagas"), visit("/documents/sagas")
    write(first, "from the first")
    saved(first)
    write(second, "from the second")
    second.locator("[data-other]").wait_for()
    assert second.inner_text("[data-other-text]") == "from the first"
    assert violations(second) == []
    assert second.input_value("#note-text") == "from the second"
    second.reload()  # undecided: the text is still there, and nothing was written over
    second.locator("[data-other]").wait_for()
    second.click("[data-both]")
    saved(second)
    first.reload()
    assert first.input_value("#note-text") == "from the first\n\n---\n\nfrom the second"


def test_marking_and_checking(visit: Visit) -> None:
    page = visit("/documents/replication")
    page.click("text=Mark it yourself")
    page.check("input[value='learning']")
    page.fill("#reason", "read once")
    page.click("#mark button")
    page.wait_for_url("**/documents/replication?said=mark#mark")
    assert page.inner_text("#mark .said") == "Marked: learning." and page.inner_text(".bar .badge") == "Learning"
    page.click("#check summary")
    for box in page.locator("#check input[type='checkbox']").all():
        box.check()
    page.click("#check button")
    page.wait_for_url("**said=check#check")
    assert page.inner_text(".bar .badge") == "Mastered"
    page.goto(page.url.split("/documents")[0] + "/documents?mark=mastered")
    assert visible_titles(page) == ["Replication"]


def test_marking_works_without_scripts(visit: Visit) -> None:
    page = visit("/documents/sharding", java_script_enabled=False)
    page.click("text=Mark it yourself")
    page.check("input[value='mastered']")
    follow(page, "#mark button")
    assert page.inner_text(".bar .badge") == "Mastered"
    page.fill("#note-text", "plain form")
    follow(page, "#note [data-save]")
    assert page.inner_text(".written") == "plain form"


def test_a_wide_diagram_scrolls_in_its_place_and_can_be_enlarged(visit: Visit) -> None:
    page = visit(WIDE, width=360)
    canvas = page.locator(".canvas").first
    assert canvas.evaluate("(box) => box.scrollWidth > box.clientWidth")
    assert overflow(page) == []
    page.locator(".enlarge").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.large")
    dialog.wait_for()
    before = dialog.locator("svg").get_attribute("width")
    page.keyboard.press("+")
    assert int(dialog.locator("svg").get_attribute("width")) > int(before)
    assert violations(page) == [] and overflow(page) == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.evaluate("document.activeElement.className").startswith("quiet enlarge")


def test_diagrams_follow_the_theme_and_the_pane_shows_them(visit: Visit) -> None:
    page = visit(CARD)
    colour = "getComputedStyle(document.querySelector('.drawing text')).fill"
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(colour) != light
    page = visit("/?q=How+do+you+configure+Kafka+so+that+an+acknowledged+write+survives%3F")
    page.locator("a[data-cite][href^='/documents/kafka']").first.click()
    drawing = page.locator(".pane .drawing").first
    drawing.wait_for()
    fill = "getComputedStyle(document.querySelector('.pane .drawing .line')).fill"
    until(page, lambda: page.evaluate(fill) == "none")  # its style sheet comes with it
    assert page.locator(".pane form").count() == 0


def test_a_card_prints_its_text_and_diagrams_without_controls(visit: Visit) -> None:
    page = visit(CARD)
    page.emulate_media(media="print")
    assert page.locator(".drawing").first.is_visible() and page.locator(".prose").first.is_visible()
    for control in ("#check", "#note form", "#mark form", ".enlarge", ".diagram details", ".toc", ".rail", ".bar"):
        assert not page.locator(control).first.is_visible(), control
    wide = page.evaluate("document.querySelector('.drawing').getBoundingClientRect().width <= innerWidth")
    assert wide
