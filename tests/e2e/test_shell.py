"""What every page stands in, and the map, settings and design pages, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pages import follow, overflow, until, violations
from tutor.web.views import NAVIGATION

Visit = Callable[..., Any]
PATHS = ("/map", "/map?goal=kafka", "/settings", "/design", "/docs", "/nowhere")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_violation_and_fits_360_pixels(visit: Visit, path: str) -> None:
    page = visit(path, width=360, height=740)
    assert violations(page) == []
    assert overflow(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 860})
    assert violations(page) == []


def viewed(page: Any) -> list[float]:
    """The map's view box: x, y, width, height."""
    return [float(number) for number in page.get_attribute("[data-drawing]", "viewBox").split()]


# The places


def test_on_a_narrow_screen_the_places_are_a_menu_without_scripts(visit: Visit) -> None:
    page = visit("/documents", width=360, height=740, java_script_enabled=False)
    assert page.is_hidden(".places")
    page.click(".menu")
    assert page.locator(".places a:visible").all_inner_texts() == [name for _, name, _ in NAVIGATION]
    assert page.locator(".places a[aria-current]").inner_text() == "Library"
    page.keyboard.press("Escape")
    assert page.is_hidden(".places")
    page.click(".menu")
    follow(page, ".places >> text=Map")
    assert page.url.endswith("/map")
    assert page.is_hidden("[data-palette-open]") and page.is_hidden("[data-theme-toggle]")


def test_the_menu_and_its_bar_on_a_narrow_screen(visit: Visit) -> None:
    page = visit("/settings", width=360, height=740)
    page.click(".menu")
    assert violations(page) == []
    assert overflow(page) == []
    small = page.eval_on_selector_all(
        ".rail :is(a, button)",
        "all => all.filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect())"
        ".filter(r => r.height < 43 || r.width < 43).length",
    )
    assert small == 1  # the brand's name, which is a link among others to the first page
    page.click("h1", position={"x": 5, "y": 5}, force=True)
    assert page.is_hidden(".places")


def test_the_theme_goes_round_and_is_kept(visit: Visit) -> None:
    page = visit("/settings", color_scheme="dark")
    assert page.inner_text("[data-theme-toggle]").endswith("System")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[data-theme-toggle]")
    assert page.inner_text("[data-theme-toggle]").endswith("Light")
    assert page.is_checked("[name=theme][value=light]")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    metas = "[...document.querySelectorAll('meta[name=theme-color]')].map(m => m.content)"
    assert page.evaluate(metas) == ["#f7f4ec", "#f7f4ec"]
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
    second = page.context.new_page()
    second.goto(page.url)
    second.check("[name=theme][value=dark]")
    page.wait_for_selector("html[data-theme=dark]")  # the other tab follows
    assert page.is_checked("[name=theme][value=dark]")
    second.check("[name=theme][value=system]")
    assert second.evaluate("localStorage.getItem('theme')") == "system"
    assert second.evaluate(metas) == ["#f7f4ec", "#171a1d"]


def test_a_printed_page_is_its_content(visit: Visit) -> None:
    page = visit("/map?goal=kafka")
    page.emulate_media(media="print")
    assert page.is_hidden(".rail") and page.is_hidden(".map-tools")
    assert page.is_visible("h1") and page.is_visible(".way")


def test_a_browser_offers_to_install_it(visit: Visit) -> None:
    page = visit("/settings")
    session = page.context.new_cdp_session(page)
    assert session.send("Page.getAppManifest")["errors"] == []
    # The tests' windows are private ones, in which nothing can be installed; there must be no other reason.
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] == ["in-incognito"]


# The palette


def opened(page: Any) -> Any:
    page.keyboard.press("Control+k")
    page.wait_for_selector(".palette[open]")
    return page.locator(".palette input")


def first(page: Any) -> str:
    return str(page.locator(".palette [aria-selected=true] span").inner_text())


def chosen(page: Any, name: str) -> None:
    """Waits until the first row is this one: the library's names come a moment after the window."""
    page.locator(".palette [aria-selected=true]", has_text=name).wait_for()


def test_a_card_is_found_by_a_few_letters_and_is_there_first_next_time(visit: Visit) -> None:
    page = visit("/settings")
    box = opened(page)
    assert first(page) == "Ask"
    box.fill("kafka")
    chosen(page, "Apache Kafka")
    assert violations(page) == []
    assert box.get_attribute("aria-activedescendant") == "palette-0"
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "palette-1"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/kafka")
    opened(page)
    chosen(page, "Apache Kafka")


@pytest.mark.parametrize(
    ("typed", "named", "goes"),
    [
        ("drill kafka", "Drill on Apache Kafka", "/drill?request=kafka"),
        ("path raft", "The path to ", "/map?goal="),
        ("settings", "Settings", "/settings"),
        ("cqrs", "Event-driven patterns", "/documents/"),
        ("when is it too late?", "Ask “when is it too late?”", "/?q=when%20is%20it"),
    ],
)
def test_what_is_typed_names_what_is_done(visit: Visit, typed: str, named: str, goes: str) -> None:
    page = visit("/design")
    opened(page).fill(typed)
    chosen(page, named)
    with page.expect_request(lambda request: goes in request.url):
        page.keyboard.press("Enter")


def test_the_palette_closes_and_gives_the_focus_back(visit: Visit) -> None:
    page = visit("/design")
    page.focus("[data-palette-open]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".palette[open]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.hasAttribute('data-palette-open')")
    opened(page)
    page.mouse.click(5, 400)
    page.wait_for_selector(".palette:not([open])", state="attached")


def test_the_palette_runs_actions_and_works_without_the_server(visit: Visit) -> None:
    page = visit("/design")
    page.route("**/palette", lambda route: route.abort())
    opened(page).fill("theme dark")
    chosen(page, "Theme: dark")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator(".palette[open]").count() == 0


def test_enter_waits_for_the_cards(visit: Visit) -> None:
    page = visit("/documents")
    held: list[Any] = []
    page.route("**/palette", lambda route: held.append(route))
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Find").fill("kafka")
    page.keyboard.press("Enter")
    page.get_by_text("Loading the cards").first.wait_for()
    assert page.url.endswith("/documents") and len(held) == 1
    held[0].continue_()
    page.wait_for_url("**/documents/kafka")


def test_letters_fit_names_as_people_type_them(visit: Visit) -> None:
    page = visit("/design")
    better = page.evaluate(
        """async () => {
          const { score } = await import("/static/js/fuzzy.js");
          const order = (typed, names) => names.toSorted((a, b) => score(typed, b) - score(typed, a))[0];
          return [
            order("raft", ["Draft entries", "Raft and Paxos"]),
            order("cb", ["Cabbage", "Circuit breakers"]),
            order("load bal", ["Balance and load", "Load balancers"]),
            order("strasse", ["Straße", "Other"]) && score("cafe", "Café") > 0,
            score("zzz", "Raft") === 0 && score("xcl", "Exactly once, and queues") === 0,
            score("", "Anything") > 0,
          ];
        }"""
    )
    assert better == ["Raft and Paxos", "Circuit breakers", "Load balancers", True, True, True]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_letters_that_fit_are_marked_where_they_stand(visit: Visit, scheme: str) -> None:
    page = visit("/design", color_scheme=scheme)
    found = page.evaluate(
        """async () => {
          const { places } = await import("/static/js/fuzzy.js");
          const shown = (typed, name) => places(typed, name).map(([from, to]) => name.slice(from, to)).join("|");
          return [
            shown("kafka", "Apache Kafka"),
            shown("bal load", "Load balancers"),
            shown("cb", "Circuit breakers"),
            shown("cafe", "Das Cafe\u0301 hier"),
            shown("strasse", "Stra\u00dfe"),
            shown("zzz", "Raft"),
            shown("", "Raft"),
          ];
        }"""
    )
    assert found[:3] == ["Kafka", "Load|bal", "C|b"]
    assert found[3] in ("Cafe", "Cafe\u0301") and found[4:] == ["", "", ""]
    opened(page).fill("debezium")
    row = page.locator(".palette [aria-selected=true]", has_text="Change data capture")
    row.locator(".also mark").wait_for()  # another name of the card is what fits
    assert row.locator(".also").inner_text() == "Debezium" and violations(page) == []
    page.fill(".palette input", "kafka")
    chosen(page, "Apache Kafka")
    assert page.locator(".palette [aria-selected=true] mark").all_inner_texts() == ["Kafka"]
    page.fill(".palette input", "<img src=x onerror=alert(1)>")
    page.locator(".palette li", has_text="Ask “<img src=x").wait_for()  # what was typed is text
    assert page.locator(".palette img").count() == 0


# The keyboard


def test_single_keys_go_to_places_unless_one_types_or_has_turned_them_off(visit: Visit) -> None:
    page = visit("/design")
    page.keyboard.press("?")
    assert page.locator("#keyboard[open] dt").count() >= len(NAVIGATION)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.focus("#example-title")
    page.keyboard.type("gm?/")
    assert page.url.endswith("/design")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type("gs")
    page.wait_for_url("**/settings")
    page.uncheck("[data-keys-choice]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#keyboard[open]").count() == 0
    page.reload()
    assert not page.is_checked("[data-keys-choice]")
    page.keyboard.press("Control+k")  # has a modifier, and stays
    page.wait_for_selector(".palette[open]")


def test_the_first_tab_stop_skips_to_the_content(visit: Visit) -> None:
    page = visit("/settings")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


# The scripts


@pytest.mark.parametrize("path", ["/", "/drill", "/map", "/review", "/log/new"])
def test_every_module_is_asked_for_once_and_before_any_has_run(visit: Visit, path: str) -> None:
    page = visit("/healthz")
    asked: list[str] = []
    warned: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith(".js") else None)
    page.on("console", lambda message: warned.append(message.text))
    held: list[Any] = []
    page.route(
        "**/static/js/main.js", lambda route: held.append(route)
    )  # no module runs before this one, the first of the page
    page.goto(page.url.removesuffix("/healthz") + path, wait_until="commit")
    wanted = "link[rel=modulepreload], script[src]"
    until(page, lambda: bool(held) and page.locator("#keyboard").count() == 1)
    named = page.locator(wanted).evaluate_all("all => all.map((one) => one.href || one.src)")
    until(page, lambda: {*asked} >= {*named})
    held[0].continue_()
    page.wait_for_load_state("networkidle")
    assert sorted(asked) == sorted(named)  # none twice, and none that was not named
    assert [text for text in warned if "preload" in text] == []


# The map


def test_the_map_zooms_and_moves(visit: Visit) -> None:
    page = visit("/map")
    begin = viewed(page)
    page.click("[data-zoom=in]")
    assert viewed(page)[2] < begin[2]
    page.click("[data-zoom=whole]")
    x, y, width, height = viewed(page)
    assert x <= 0 and y <= 0 and width > begin[2] and height > begin[3]
    page.focus("[data-map]")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert viewed(page)[2] < width
    page.keyboard.press("0")
    assert viewed(page)[2] == pytest.approx(width, abs=1)
    for _ in range(8):
        page.click("[data-zoom=in]")
    before = viewed(page)
    page.focus("[data-map]")
    page.keyboard.press("ArrowRight")
    assert viewed(page)[0] > before[0]


def test_the_wheel_moves_and_with_ctrl_zooms(visit: Visit) -> None:
    page = visit("/map")
    page.hover("[data-map]", position={"x": 300, "y": 200})
    before = viewed(page)
    page.mouse.wheel(0, 200)
    until(page, lambda: viewed(page)[1] > before[1])
    assert page.evaluate("scrollY") == 0
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    until(page, lambda: viewed(page)[2] < before[2])


def test_a_drag_moves_the_map_and_is_no_click(visit: Visit) -> None:
    page = visit("/map")
    box = page.locator("[data-id=process-thread-coroutine], .node >> nth=4").first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] - 120, box["y"] - 140, steps=4)
    page.mouse.up()
    assert viewed(page)[1] > 0
    assert page.url.endswith("/map")


def test_a_card_of_the_map_opens_and_the_way_back_finds_the_map_as_it_was(visit: Visit) -> None:
    page = visit("/map")
    page.click("[data-zoom=in]")
    page.focus("[data-map]")
    page.keyboard.press("ArrowDown")
    before = viewed(page)
    frame = page.locator("[data-map]").bounding_box()
    node = next(
        node
        for node in page.locator(".node").all()
        if (at := node.bounding_box()) and at["x"] > frame["x"] + 20 and at["y"] > frame["y"] + 20
    )
    node.click()
    page.wait_for_url("**/documents/*")
    page.go_back()
    page.wait_for_selector(".map.live")
    assert viewed(page) == pytest.approx(before, abs=1)


def test_from_card_to_card_by_keys(visit: Visit) -> None:
    page = visit("/map?goal=kafka")
    page.focus(".node >> nth=0")
    start = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.activeElement.dataset.id")
    assert after != start
    assert page.locator(".node.near").count() >= 2  # what it builds on is lit
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.id") == start


def test_what_is_looked_for_is_marked_and_brought_to_the_middle(visit: Visit) -> None:
    page = visit("/map")
    page.keyboard.press("/")
    page.keyboard.type("apache kafka")
    assert page.locator(".node.found").count() == 1
    page.keyboard.press("Enter")
    frame, node = (page.locator(name).bounding_box() for name in ("[data-map]", "[data-id=kafka]"))
    middle = (node["x"] + node["width"] / 2, node["y"] + node["height"] / 2)
    assert frame["x"] < middle[0] < frame["x"] + frame["width"]
    assert frame["y"] < middle[1] < frame["y"] + frame["height"]
    page.fill("#find", "sourdough")
    page.keyboard.press("Enter")
    page.wait_for_url("**/map?find=sourdough")
    assert "No card has that" in page.inner_text("main")


def test_the_card_that_is_found_has_the_focus_and_n_goes_on_to_the_next(visit: Visit) -> None:
    page = visit("/map")
    focused = "document.activeElement.dataset.id ?? ''"
    page.keyboard.press("/")
    page.keyboard.type("kafka")
    several = page.locator(".node.found").evaluate_all("nodes => nodes.map((node) => node.dataset.id)")
    assert len(several) > 1
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == several[0]
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    frame, node = (page.locator(name).bounding_box() for name in ("[data-map]", f"[data-id={several[0]}]"))
    assert frame["x"] < node["x"] and node["x"] + node["width"] < frame["x"] + frame["width"]
    page.keyboard.press("n")
    assert page.evaluate(focused) == several[1]
    page.keyboard.press("Shift+N")
    assert page.evaluate(focused) == several[0]
    page.keyboard.press("/")  # from the box, too, Enter goes on
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == several[1]
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/documents/{several[1]}")


def test_the_map_without_scripts(visit: Visit) -> None:
    page = visit("/map", width=360, height=740, java_script_enabled=False)
    assert overflow(page) == []
    page.select_option("#goal", "kafka")
    follow(page, "text=Show")
    assert page.locator("h1").inner_text() == "The path to Apache Kafka"
    follow(page, ".way ol a")
    assert "/documents/" in page.url


# Settings


def test_settings_check_and_tell_without_scripts(visit: Visit) -> None:
    page = visit("/settings", java_script_enabled=False)
    page.set_default_timeout(60_000)  # it looks at everything
    follow(page, "text=Check now")
    assert page.locator(".finding").count() and page.url.endswith("/settings#health")
    assert page.is_hidden("[data-theme-choice] >> nth=0")


def test_what_was_made_goes_out_is_deleted_and_comes_back(visit: Visit, tmp_path: Path) -> None:
    page = visit("/settings")
    page.evaluate(
        "fetch('/api/v1/study/progress/caching', {method: 'POST', headers: {'content-type': 'application/json'}, "
        "body: JSON.stringify({status: 'mastered'})})"
    )
    with page.expect_download() as download:
        page.click("text=JSON, complete")
    export = tmp_path / "tutor.json"
    download.value.save_as(export)

    page.fill("#words", "delete it")
    page.click(".danger")
    page.wait_for_selector("#not-erased")
    assert page.input_value("#words") == "delete it"
    until(page, lambda: page.evaluate("document.activeElement.id") == "words")
    page.evaluate("localStorage.setItem('palette-recent', '[\"/map\"]')")
    page.fill("#words", "delete everything")
    page.click(".danger")
    page.wait_for_selector("[data-forget]")
    assert re.search(r"before-erase-[\d-]+\.json", page.inner_text("[data-forget]"))
    until(page, lambda: page.evaluate("localStorage.getItem('palette-recent')") is None)
    assert violations(page) == []
    page.reload()  # nothing is sent again
    assert page.is_visible("[data-forget]")

    page.set_input_files("#file", export)
    page.click("text=Look at it")
    page.wait_for_selector("h1:has-text('would change')")
    assert violations(page) == []
    page.click("text=Bring it in")
    page.wait_for_selector(".said")
    assert "marks of cards, 1 new" in page.inner_text(".said")
    page.goto(page.url.split("/settings")[0] + "/map")
    assert page.get_attribute("[data-id=caching]", "aria-label") == "Caching, mastered"


def test_a_file_that_is_no_export_is_told_beside_its_field(visit: Visit, tmp_path: Path) -> None:
    page = visit("/settings")
    wrong = tmp_path / "holiday.txt"
    wrong.write_text("no export", encoding="utf-8")
    page.set_input_files("#file", wrong)
    page.click("text=Look at it")
    assert "no JSON" in page.inner_text("#data .failed")
    assert violations(page) == []


def test_the_design_pages_dialog(visit: Visit) -> None:
    page = visit("/design")
    page.click("[data-dialog-open]")
    assert page.is_visible("#example-dialog")
    assert violations(page) == []
    page.click("#example-dialog [data-close]")
    assert page.is_hidden("#example-dialog")
