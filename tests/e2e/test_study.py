"""Today, Review and Plan in a browser: keys, what is sent in the background, two windows, back, reload, no scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import get

from fakes import FakeEncoder
from pages import follow, overflow, running, until, violations
from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.study.reviews import Rated
from tutor.studying import open_study, plans_of

TODAY = datetime.now(UTC).date()
#: Opens the first parts of a page that are folded.
OPEN = "[...document.querySelectorAll('details')].slice(0, 8).forEach((part) => { part.open = true; })"
#: A card for each test that reviews one: what a test rates, later ones do not see.
CARDS = ("kafka", "caching", "redis", "replication", "sharding", "consensus")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner of three weeks: cards are due, one plan is three days behind, another has begun."""
    home = tmp_path_factory.mktemp("learner")

    def days_ago(days: int) -> Any:
        return open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=days))

    study = days_ago(20)
    study.rate([Rated(card, 3, study.clock(), "drill:20260101-00000001/1") for card in CARDS])
    study.close()
    for plan, days in (("28-days", 3), ("12-weeks", 0), ("judgment-roadmap", 9)):
        study = days_ago(days)
        plans_of(study).start(plan)
        study.close()
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with running(App(Settings(home=home), encoder=FakeEncoder())) as address:
        get(f"{address}/today", timeout=60)  # the first page waits for what is loaded once
        yield address


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of somebody who has done nothing yet."""
    with running(App(Settings(home=tmp_path_factory.mktemp("fresh")), encoder=FakeEncoder())) as address:
        get(f"{address}/today", timeout=60)
        yield address


def reveal(page: Any) -> None:
    page.keyboard.press("Space")
    page.wait_for_selector("[data-rate]")


def test_a_round_by_keys(visit: Callable[..., Any]) -> None:
    page = visit("/review?card=kafka")
    page.keyboard.press("Space")
    page.wait_for_selector("[data-rate]")
    assert page.evaluate("document.activeElement.matches('.answer h3')")
    assert page.inner_text("[data-rating='3']").startswith("3 Good")
    page.keyboard.press("3")
    page.wait_for_selector("#end")
    assert page.inner_text("#end") == "Done: 1 recalled"
    assert "You were 50 % sure on average, and 100 % was recalled." in page.inner_text("main")
    page.wait_for_function("document.querySelector('body > [role=status]').textContent.includes('The round is over')")
    page.reload()
    assert page.inner_text("#end") == "Done: 1 recalled"


def test_what_was_typed_outlives_a_reload_and_space_types_a_space(visit: Callable[..., Any]) -> None:
    page = visit("/review?card=caching")
    page.focus("#said")
    page.keyboard.type("write through 1")
    page.focus("#confidence")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("[data-sure]") == "55 %"
    page.reload()
    assert (page.input_value("#said"), page.input_value("#confidence")) == ("write through 1", "55")
    page.focus("#confidence")
    reveal(page)
    assert page.inner_text(".own") == "write through 1"
    assert "You were 55 % sure" in page.inner_text(".answer")


def test_a_rating_is_not_lost_with_the_connection(visit: Callable[..., Any]) -> None:
    page = visit("/review?card=redis")
    reveal(page)
    page.route("**/review", lambda route: route.abort())
    page.keyboard.press("1")
    assert "was not stored" in page.wait_for_selector("[data-unsent]").inner_text()
    page.unroute("**/review")
    page.keyboard.press("1")
    page.wait_for_selector("#end")
    assert "Forgotten, and back tomorrow" in page.inner_text("main")


def test_two_windows_rate_once(visit: Callable[..., Any]) -> None:
    one, other = visit("/review?card=replication"), visit("/review?card=replication")
    reveal(one)
    reveal(other)
    one.keyboard.press("3")
    one.wait_for_selector("#end")
    other.keyboard.press("4")
    assert "was rated in the meantime" in other.wait_for_selector(".said").inner_text()
    assert one.inner_text("#end") == "Done: 1 recalled"


def test_a_round_without_scripts(visit: Callable[..., Any]) -> None:
    page = visit("/review?card=sharding", java_script_enabled=False)
    page.fill("#said", "hash of the key")
    follow(page, "[data-show]")
    assert page.inner_text(".own") == "hash of the key" and page.is_hidden(".review kbd")
    page.click("[data-rating='2']")
    assert page.inner_text("#end") == "Done: 1 recalled"
    page.go_back()  # to the answer, and rated again from there
    page.go_back()
    page.goto(page.url)
    assert page.locator("[data-rate]").count() == 0


def test_a_tick_shows_at_once_and_keeps_the_place(visit: Callable[..., Any]) -> None:
    page = visit("/plan/12-weeks")
    page.click("#step-weeks-4-5 > summary")
    box = page.locator("#step-weeks-4-5 .tick").first
    item = box.get_attribute("value")
    box.focus()
    page.keyboard.press("Enter")
    assert box.get_attribute("aria-pressed") == "true"
    page.locator(".standing", has_text="1 of 135 items").wait_for()
    assert page.evaluate("document.activeElement.value") == item
    assert page.evaluate("document.querySelector('#step-weeks-4-5').open")
    assert "1 ahead of their day" in page.inner_text(".standing")
    other = visit("/plan/12-weeks")
    assert other.locator(f".tick[value='{item}']").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Space")
    page.locator(".standing", has_text="0 of 135 items").wait_for()
    other.click("#step-weeks-4-5 > summary")
    other.locator(f".tick[value='{item}']").click()  # taken back in the first window: once more changes nothing
    other.locator(".standing", has_text="0 of 135 items").wait_for()


def test_many_ticks_quickly_one_after_another(visit: Callable[..., Any]) -> None:
    page = visit("/plan/judgment-roadmap")
    boxes = page.locator("#step-m1 .tick")
    for number in range(4):
        boxes.nth(number).click()
    page.locator(".standing", has_text="4 of 32 items").wait_for()
    assert page.locator(".tick[aria-pressed=true]").count() == 4
    page.route("**/tick", lambda route: route.abort())
    boxes.nth(4).click()
    assert "was not stored" in page.wait_for_selector("[data-unsent]").inner_text()
    assert page.locator(".tick[aria-pressed=true]").count() == 4
    page.unroute("**/tick")
    boxes.nth(4).click()  # tried again, it is ticked
    page.locator(".standing", has_text="5 of 32 items").wait_for()


def test_a_tick_leaves_what_is_typed_elsewhere(visit: Callable[..., Any]) -> None:
    page = visit("/plan/12-weeks")
    day = (TODAY + timedelta(days=9)).isoformat()
    page.click("#skip > summary")
    page.fill("#skip-first", day)
    page.locator("#skip").get_by_label("Sun", exact=True).check()
    page.locator("details[open] .tick[aria-pressed=false]").first.click()
    page.locator(".standing", has_text="1 of 135 items").wait_for()
    assert page.locator("#skip").get_attribute("open") is not None
    assert page.input_value("#skip-first") == day and page.input_value("#skip-last") == ""
    assert page.locator("#skip :checked").evaluate_all("all => all.map(one => one.value)") == ["sun"]
    page.locator("details[open] .tick[aria-pressed=true]").first.click()
    page.locator(".standing", has_text="0 of 135 items").wait_for()
    assert page.input_value("#skip-first") == day


def test_an_answer_that_is_no_page_is_told_and_the_page_goes_on(visit: Callable[..., Any]) -> None:
    page = visit("/plan/judgment-roadmap")
    page.route("**/tick", lambda route: route.fulfill(status=502, content_type="text/html", body="Bad Gateway"))
    page.click("#step-m2 > summary")
    boxes = page.locator("#step-m2 .tick")
    boxes.first.click()
    assert "was not stored" in page.wait_for_selector("[data-unsent]").inner_text()
    assert boxes.first.get_attribute("aria-pressed") == "false"
    page.unroute("**/tick")
    page.locator("#step-m2").get_by_text("Tick off all of it").click()  # no tick: what waits holds it up no more
    page.locator("#step-m2").get_by_text("Done", exact=True).wait_for()
    assert page.locator("#step-m2 .tick[aria-pressed=false]").count() == 0


def test_an_address_leads_to_a_day(visit: Callable[..., Any]) -> None:
    for fragment in ("day-5", "day-05", "day-05/exercise"):
        page = visit(f"/plan/28-days#{fragment}")
        assert page.evaluate("document.querySelector('#step-day-05').open"), fragment
        assert page.locator("#step-day-05 > summary").is_visible()
    page.click(".strip li:nth-child(9) a")
    until(page, lambda: page.evaluate("document.querySelector('#step-day-09').open"))
    page.go_back()
    page.wait_for_url("**#day-05/exercise")
    plain = visit("/plan/28-days#day-5", java_script_enabled=False)
    plain.locator("#step-day-05 .tick").first.wait_for()


def test_catching_up_and_the_calendar(visit: Callable[..., Any]) -> None:
    page = visit("/plan/28-days")
    assert "24 items are late" in page.inner_text("#late-title")
    assert violations(page) == []
    with page.expect_download() as download:
        page.click("a[download]")
    assert download.value.suggested_filename == "28-days.ics"
    page.click("text=Shift everything")
    page.wait_for_selector(".said")
    assert page.locator("#late").count() == 0 and "nothing late" in page.inner_text(".standing")
    page.go_back()
    page.reload()
    assert page.locator("#late").count() == 0


def test_a_plan_from_start_to_stop(visit: Callable[..., Any], fresh: str) -> None:
    page = visit("/plan", address=fresh)
    page.click("#start-28-days > summary")
    part = page.locator("#start-28-days")
    part.get_by_label("Hours a week").fill("10")
    assert part.locator("[value=hours]").is_checked()  # a field chooses its line
    part.get_by_label("Sun", exact=True).check()
    part.get_by_text("Show the dates first").click()
    page.wait_for_url("**/plan/28-days?*")
    assert "once=" not in page.url  # the token is for what is changed
    assert "So it would end on" in page.inner_text("#begin")
    assert page.locator("#begin [value=sun]").is_checked() and page.input_value("#start-hours") == "10"
    page.click("#begin button:has-text('Start')")
    page.wait_for_url("**/plan/28-days?did=started")
    assert "Without study: Sun." in page.inner_text(".standing")
    page.reload()
    page.click("#skip > summary")
    page.fill("#skip-first", "2020-01-01")
    page.locator("#skip form").first.evaluate("form => form.noValidate = true")
    page.click("text=Leave them out")
    assert "is in the past" in page.inner_text(".failed")
    assert page.input_value("#skip-first") == "2020-01-01"
    day = f"{TODAY + timedelta(days=40)}"
    page.fill("#skip-first", day)
    page.click("text=Leave them out")
    page.wait_for_url("**did=skipped")
    page.click("#stop > summary")
    page.click("text=Stop it")
    page.wait_for_url("**/plan?did=stopped")


def test_a_plan_for_an_interview(visit: Callable[..., Any], fresh: str) -> None:
    page = visit("/plan/interview", address=fresh, java_script_enabled=False)
    page.fill("#interview-interview", f"{TODAY + timedelta(days=40)}")
    page.fill("#interview-hours", "0.5")
    follow(page, "text=Show what fits in")
    assert "tier 1 does not fit in" in page.inner_text(".failed")
    page.fill("#interview-hours", "9")
    follow(page, "text=Show what fits in")
    page.go_back()
    page.go_forward()
    follow(page, "text=Follow this plan")
    assert page.inner_text("h1").startswith("Your plan for ")
    follow(page, ".tick")
    assert "1 of " in page.inner_text(".standing")


def test_today_in_the_background_and_without_scripts(visit: Callable[..., Any]) -> None:
    for scripts in (True, False):
        page = visit("/today?minutes=300", java_script_enabled=scripts)
        before = page.locator(".todo .tick").count()
        box = page.locator(".todo .tick").first
        name = box.get_attribute("aria-label").removeprefix("Done: ")[:30]
        box.click()
        page.locator(".done li", has_text=name).wait_for()
        assert page.locator(".todo .tick").count() <= before
        page.fill("#minutes", "zero")
        follow(page, "text=Show")
        assert page.input_value("#minutes") == "zero" and page.locator(".failed").count() == 1


#: The one rule whose outcome the dark colours can change, where ``violations`` has put axe-core into the page before.
DARK = """async () => (await axe.run(document, {runOnly: ["color-contrast"], resultTypes: ["violations"]})).violations
  .map((rule) => rule.nodes.slice(0, 3).map((node) => node.target.join(" ") + node.failureSummary))"""


def in_both_colours(page: Any) -> None:
    """Fails where axe-core finds something, in light or dark."""
    page.emulate_media(color_scheme="light")
    assert violations(page) == [], page.url
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(DARK) == [], page.url


def test_everyone_can_use_them(visit: Callable[..., Any]) -> None:
    page = visit("/review?card=consensus")
    origin = page.evaluate("location.origin")
    in_both_colours(page)
    reveal(page)
    in_both_colours(page)
    for path in ("/today", "/plan", "/plan/judgment-roadmap"):
        page.goto(origin + path)
        page.evaluate(OPEN)
        in_both_colours(page)


def test_everyone_can_use_them_on_a_first_visit(visit: Callable[..., Any], fresh: str) -> None:
    page = visit("/today", address=fresh)
    in_both_colours(page)
    day = f"{TODAY + timedelta(days=20)}"
    interview = [f"/plan/interview?interview={day}&track=backend&hours={hours}" for hours in (1, 9)]
    for path in ("/today?minutes=0", "/review", "/plan", *interview):
        page.goto(fresh + path)
        page.evaluate(OPEN)
        in_both_colours(page)


def test_nothing_is_wider_than_a_narrow_window(visit: Callable[..., Any], fresh: str) -> None:
    page, other = visit("/today", width=360), visit("/today", width=360, address=fresh)
    origin = page.evaluate("location.origin")
    for window, base, paths in (
        (page, origin, ("/today", "/review?card=consensus", "/plan", "/plan/28-days", "/plan/judgment-roadmap")),
        (other, fresh, ("/today", "/today?minutes=x", "/review", "/plan", "/plan/12-weeks", "/plan/interview")),
    ):
        for path in paths:
            window.goto(base + path)
            window.evaluate(OPEN)
            assert overflow(window) == [], path
    page.goto(origin + "/review?card=consensus")
    reveal(page)
    assert overflow(page) == []
