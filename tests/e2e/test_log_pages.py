"""The log in a browser: drafts that survive, finding, two tabs, a server that goes away; light, dark, narrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import studied
from pages import overflow, running, violations
from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.studying import open_study, plans_of

TEXT = "I chose an LSM-tree over a B-tree. Why? Writes come in bursts; Kafka takes them first."
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def address(curriculum_home: Path) -> Any:
    studied.write(curriculum_home, many=45)
    with running(App(Settings(home=curriculum_home))) as address:
        yield address


def test_an_entry_is_written_with_a_count_and_suggestions(visit: Visit) -> None:
    page = visit("/log")
    page.get_by_role("link", name="Write an entry").click()
    page.get_by_label("What you decided").fill(TEXT)
    page.get_by_text(re.compile(r"^16 words of about 150$")).wait_for()
    named = page.get_by_role("button", name="Apache Kafka")
    named.wait_for()
    links = page.locator("[data-links]")
    assert links.inner_text() == "Named in the text, and linked:"
    named.click()
    assert links.inner_text() == "Named in the text; only those chosen in the field are linked:"
    assert named.get_attribute("aria-pressed") == "true"
    assert page.get_by_label("Cards", exact=True).input_value() == "Apache Kafka"
    page.get_by_role("button", name="#redis").click()
    assert page.get_by_label("Tags").input_value() == "redis"
    assert violations(page) == []
    page.get_by_role("button", name="Save the entry").click()
    page.get_by_text("Saved.").wait_for()
    page.wait_for_url(re.compile(r"/log/[0-9a-f]{32}$"))  # a reload does not say it again
    assert page.get_by_role("link", name="Apache Kafka").get_attribute("href") == "/documents/kafka"
    assert page.evaluate("localStorage.length") == 0
    page.go_back()
    page.wait_for_url("**/log/new")


def test_unsaved_text_survives_a_reload_and_can_be_discarded(visit: Visit) -> None:
    page = visit("/log/new")
    page.get_by_label("Title").fill("A title")
    page.get_by_label("What you decided").fill(TEXT)
    page.get_by_text("Unsaved, kept in this browser").wait_for()
    page.goto(page.url)
    page.get_by_text("is back").wait_for()
    assert page.get_by_label("What you decided").input_value() == TEXT
    assert page.get_by_label("Title").input_value() == "A title"
    assert violations(page) == []
    page.get_by_role("button", name="Discard it").click()
    assert page.get_by_label("What you decided").input_value() == ""
    page.reload()
    page.locator("html.js").wait_for()
    assert page.get_by_text("is back").is_hidden()


def test_the_plans_step_goes_with_the_day_where_it_was_chosen(visit: Visit, curriculum_home: Path) -> None:
    study = open_study(Settings(home=curriculum_home), clock=lambda: datetime.now(UTC) - timedelta(days=3))
    plans_of(study).start("28-days")
    study.close()
    today = datetime.now(UTC).date()
    expect = pytest.importorskip("playwright.sync_api").expect
    page = visit("/log/new")
    day, step = page.get_by_label("Day", exact=True), page.get_by_label("Part of a plan")
    now = page.locator("optgroup[data-now]")
    assert now.get_attribute("label") == "Where the plan is"
    day.fill(f"{today - timedelta(days=1)}")  # nothing was chosen: nothing is
    page.locator("optgroup[label='Where the plan was that day']").wait_for(state="attached")
    assert step.input_value() == ""
    step.select_option(label=now.locator("option").inner_text())
    assert step.input_value() == "28-days/day-03"
    page.get_by_label("What you decided").fill(TEXT)
    day.fill(f"{today - timedelta(days=2)}")  # where the plan is was chosen: it goes with the day
    expect(step).to_have_value("28-days/day-02")
    day.fill(f"{today - timedelta(days=40)}")  # before the plan
    expect(step).to_have_value("")
    day.fill(f"{today}")
    expect(step).to_have_value("28-days/day-04")
    assert violations(page) == []
    step.select_option("month/1")  # another step stays
    day.fill(f"{today - timedelta(days=1)}")
    page.locator("optgroup[label='Where the plan was that day']").wait_for(state="attached")
    assert step.input_value() == "month/1"
    page.get_by_text("Unsaved, kept").wait_for()
    page.goto(page.url)  # a draft comes back with its day, and that day's step to choose
    page.locator("optgroup[label='Where the plan was that day']").wait_for(state="attached")
    assert step.input_value() == "month/1"
    page.get_by_role("button", name="Save the entry").click()
    page.get_by_text("Saved.").wait_for()
    plans = open_study(Settings(home=curriculum_home))
    plans_of(plans).stop("28-days")
    plans.close()


def test_text_outlives_a_server_that_is_gone(visit: Visit, curriculum_home: Path) -> None:
    with running(App(Settings(home=curriculum_home))) as address:
        page = visit("/log/new", address=address)
        page.get_by_label("What you decided").fill(TEXT)
        page.context.set_offline(True)
        page.get_by_role("button", name="Save the entry").click()
        page.wait_for_url("chrome-error:**")
        page.context.set_offline(False)
        page.goto(f"{address}/log/new")
        assert page.get_by_label("What you decided").input_value() == TEXT
        page.get_by_role("button", name="Save the entry").click()
        page.get_by_text("Saved.").wait_for()
        page.wait_for_load_state()  # the script there takes the draft away
        page.goto(f"{address}/log/new")
        assert page.get_by_label("What you decided").input_value() == ""


def test_another_tabs_draft_stays_when_this_one_is_saved(visit: Visit, address: str) -> None:
    one = visit("/log/new")
    other = one.context.new_page()
    other.goto(f"{address}/log/new")
    one.get_by_label("What you decided").fill("Of the one tab.")
    one.get_by_text("Unsaved, kept").wait_for()
    other.get_by_label("What you decided").fill("Of the other tab.")
    other.get_by_text("Unsaved, kept").wait_for()
    one.get_by_role("button", name="Save the entry").click()
    one.get_by_text("Saved.").wait_for()
    # Saving wrote the one tab's text over the other's draft at most once: the other still has its text on the page.
    assert other.get_by_label("What you decided").input_value() == "Of the other tab."
    other.get_by_role("button", name="Save the entry").click()
    other.get_by_text("Saved.").wait_for()
    assert "Of the other tab." in other.locator(".prose").inner_text()


def test_an_edit_beside_another_tabs_is_not_lost(visit: Visit, address: str) -> None:
    page = visit("/log/new")
    page.get_by_label("What you decided").fill("First version.")
    page.get_by_role("button", name="Save the entry").click()
    page.get_by_role("link", name="Edit").click()
    page.wait_for_url("**/edit")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("What you decided").fill("Theirs.")
    other.get_by_role("button", name="Save this version").click()
    other.get_by_text("Saved.").wait_for()
    page.get_by_label("What you decided").fill("Mine.")
    page.get_by_role("button", name="Save this version").click()
    page.get_by_role("heading", name=re.compile("stored now")).wait_for()
    assert page.get_by_label("What you decided").input_value() == "Mine."
    assert violations(page) == []
    page.get_by_role("button", name="Save this version").click()
    page.get_by_text("3 versions").click()
    page.get_by_role("link", name="Version 2").click()
    page.wait_for_url("**version=2")
    assert "Theirs." in page.locator(".prose").inner_text()
    page.get_by_role("button", name="Go back to this version").click()
    page.get_by_text("Restored.").wait_for()
    assert "Theirs." in page.locator(".prose").inner_text()


def test_a_draft_of_an_older_version_does_not_pass_over_a_newer_one(visit: Visit, address: str) -> None:
    page = visit("/log/new")
    page.get_by_label("What you decided").fill("First version.")
    page.get_by_role("button", name="Save the entry").click()
    page.get_by_role("link", name="Edit").click()
    page.wait_for_url("**/edit")
    edit = page.url
    page.get_by_label("What you decided").fill("A draft of the first.")
    page.get_by_text("Unsaved, kept").wait_for()
    entry = edit.split("/")[-2]
    changed = page.request.patch(f"{address}/api/v1/study/log/{entry}", data={"text": "Second version."})
    assert changed.ok
    page.goto(edit)
    page.get_by_text("is back").wait_for()
    page.get_by_role("button", name="Save this version").click()
    page.get_by_role("heading", name=re.compile("stored now")).wait_for()
    assert page.get_by_text("Second version.").is_visible()
    assert page.get_by_label("What you decided").input_value() == "A draft of the first."


def test_without_scripts_everything_works(visit: Visit) -> None:
    page = visit("/log/new", java_script_enabled=False)
    page.get_by_label("What you decided").fill(TEXT)
    page.get_by_label("Tags").fill("no <tag>")
    page.get_by_role("button", name="Save the entry").click()
    page.locator("[aria-invalid]").wait_for()
    assert page.get_by_label("What you decided").input_value() == TEXT
    assert page.get_by_label("Tags").get_attribute("aria-invalid") == "true"
    page.get_by_label("Tags").fill("plain")
    page.get_by_role("button", name="Save the entry").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Restore it").click()
    page.get_by_text("Restored.").wait_for()
    page.goto(page.url.split("/log/")[0] + "/log?tag=plain")
    assert page.locator(".entry").count() == 1


def test_finding_with_the_keyboard_and_going_through_pages(visit: Visit) -> None:
    page = visit("/log?tag=t1")
    assert page.locator(".entry").count() == 7
    page.goto(page.url.split("?")[0])
    page.keyboard.press("/")
    page.keyboard.type("index")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=index**")
    page.get_by_role("link", name="Older").click()
    page.get_by_text("45 entries, 21 to 40").wait_for()
    page.go_back()
    page.get_by_text("45 entries, 1 to 20").wait_for()
    page.get_by_role("link", name="Choose some for a blog post").click()
    boxes = page.locator("input[name=id]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Draft a blog post of these").click()
    page.wait_for_url("**/log/draft?**")
    assert page.locator("li a[href^='/log/']").count() == 2
    with page.expect_download() as got:
        page.get_by_role("link", name="Save as a file").click()
    assert got.value.suggested_filename.endswith(".md")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation_or_scrolls_sideways(visit: Visit, scheme: str) -> None:
    page = visit("/log", color_scheme=scheme)
    entry = str(page.locator(".entry h2 a").first.get_attribute("href"))
    paths = ["/log", "/log?q=yesterday&tag=redis", "/log?q=zzzz", "/log?pick=true", "/log?deleted=true", "/log/new",
             entry, f"{entry}/edit", f"{entry}/delete", "/log/digest", "/log/digest?week=x", "/log/capstone?item=M1",
             f"/log/draft?id={entry.rsplit('/', 1)[1]}"]  # fmt: skip
    root = page.url.removesuffix("/log")
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(root + path)
        assert violations(page) == [], path
        page.set_viewport_size({"width": 360, "height": 740})
        assert overflow(page) == [], path
    assert violations(page) == []


def test_printed_an_entry_is_its_text(visit: Visit) -> None:
    page = visit("/log")
    page.locator(".entry h2 a").first.click()
    page.locator(".prose").wait_for()
    page.emulate_media(media="print")
    assert page.locator(".prose").is_visible()
    for hidden in (".acts", ".rail"):
        assert page.locator(hidden).is_hidden()


def test_long_names_and_tags_stay_within_a_phone(visit: Visit) -> None:
    page = visit("/log", width=360, height=740, has_touch=True)
    entry = {
        "text": "Some text.",
        "title": "Verwaltungsprotokoll" * 6,
        "tags": ["w" * 39],
    }
    made = page.request.post(page.url.removesuffix("/log") + "/api/v1/study/log", data=entry)
    assert made.ok
    for path in ("/log", "/log/" + made.json()["id"]):
        page.goto(page.url.split("/log")[0] + path)
        assert page.get_by_text("#wwwww").count() and overflow(page) == [], path
