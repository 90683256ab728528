"""Conversations in a browser: reload, back, two tabs, a lost connection, a server that comes back, and what can be
done with an answer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages import overflow, running, until, violations
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
QUESTION = "When should I use a B-tree?"
FOLLOW_UP = "and when not?"
NOT_ANSWERED = "How do I bake sourdough bread?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("conversations")
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    core.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag")])
    core.close()
    return home


def serving(home: Path) -> App:
    return App(Settings(home=home, corpus=CorpusSettings(builtin=False)))


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with running(serving(home)) as address:
        yield address


def ask(page: Any, question: str) -> None:
    page.fill("#q", question)
    page.keyboard.press("Enter")


def answered(page: Any, count: int) -> None:
    page.locator(".turn > .timings").nth(count - 1).wait_for()
    page.wait_for_selector("[data-log][aria-busy=false]")


def questions(page: Any) -> list[str]:
    found: list[str] = page.locator(".question").all_inner_texts()
    return found


def test_a_conversation_outlives_reload_back_and_forward(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    page.wait_for_url("**/conversations/*")
    ask(page, FOLLOW_UP)
    answered(page, 2)
    kept = page.url
    assert (
        page.locator(".turn").nth(1).locator(".note").first.inner_text() == "Read as “When should I not use a B-tree?”"
    )
    shown = page.locator(".log .answer").all_inner_texts()
    page.reload()
    assert questions(page) == [QUESTION, FOLLOW_UP]
    again = page.locator(".log .answer").all_inner_texts()
    assert [text.split("\n")[0] for text in again] == [text.split("\n")[0] for text in shown]
    page.go_back()
    page.wait_for_selector("[data-intro]")
    page.wait_for_load_state()  # with the scripts that listen for the way forward
    assert questions(page) == []
    page.go_forward()
    page.wait_for_selector(".turn")
    assert (page.url, questions(page)) == (kept, [QUESTION, FOLLOW_UP])
    assert page.locator("[data-asked] [aria-current]").inner_text() == QUESTION


def loads(page: Any) -> list[str]:
    """The addresses that the page loads from now on, one for each load."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if request.is_navigation_request() else None)
    return found


def test_back_and_forward_before_the_scripts_are_there_show_what_the_address_names(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    page.wait_for_url("**/conversations/*")
    answered(page, 1)
    conversation = page.url
    page.goto(conversation.split("/conversations")[0] + "/today")
    held: list[Any] = []
    page.route("**/kept.js", lambda route: held.append(route))
    page.go_back(wait_until="commit")
    page.locator(".question").wait_for()
    until(page, lambda: bool(held))
    page.go_back(wait_until="commit")  # no load: the step before was made by a script of the same page
    until(page, lambda: page.url != conversation)
    assert questions(page) == [QUESTION]  # the wrong page, as nothing listens yet
    seen = loads(page)
    page.unroute("**/kept.js")  # lets the one go that was held
    page.locator("[data-intro]").wait_for()
    assert page.url.endswith("/") and questions(page) == [] and len(seen) == 1
    page.go_forward()
    page.locator(".question").wait_for()
    assert page.url == conversation and questions(page) == [QUESTION]


@pytest.mark.parametrize("path", ["/", f"/?q={QUESTION}", "/?q=" + "long " * 900])
def test_a_page_that_never_fits_its_address_is_loaded_once_more_and_no_oftener(
    visit: Callable[..., Any], path: str
) -> None:
    page = visit("/healthz")

    def another(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('data-conversation=""', 'data-conversation="other"'))

    page.route(lambda url: url.split("?")[0].endswith("/"), another)
    seen = loads(page)
    page.goto(page.url.removesuffix("/healthz") + path, wait_until="commit")
    until(page, lambda: len(seen) == 2)
    page.wait_for_load_state("networkidle")
    assert len(seen) == 2 and page.evaluate("history.state.again ?? null") is None
    ask(page, "  ")  # and it works: the scripts are set up
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize("path", ["/", f"/?q={QUESTION}", "/?q=" + "long " * 900])
def test_a_page_that_fits_its_address_is_loaded_once(visit: Callable[..., Any], path: str) -> None:
    page = visit("/healthz")
    seen = loads(page)
    page.goto(page.url.removesuffix("/healthz") + path)
    page.wait_for_load_state("networkidle")
    assert len(seen) == 1


def test_two_tabs_of_a_conversation_lose_nothing(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    other = page.context.new_page()
    other.goto(page.url)
    ask(other, "What is a cache stampede?")
    ask(page, FOLLOW_UP)
    answered(other, 2)
    answered(page, 2)
    page.reload()
    assert page.locator(".question").count() == 3
    assert set(questions(page)) == {QUESTION, "What is a cache stampede?", FOLLOW_UP}


def test_text_that_was_not_sent_outlives_a_reload(visit: Callable[..., Any]) -> None:
    page = visit()
    page.fill("#q", "half a thought about Kaf")
    page.reload()
    assert page.input_value("#q") == "half a thought about Kaf"
    ask(page, QUESTION)
    answered(page, 1)
    page.reload()
    assert page.input_value("#q") == ""


def test_a_question_whose_answer_was_lost_can_be_asked_again(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    begun = 'event: status\ndata: {"text": "Searching"}\n\n: keep-alive\n\n'
    page.route(
        "**/ask/stream*",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body=begun),
        times=1,
    )
    ask(page, FOLLOW_UP)
    assert "broke off" in page.wait_for_selector(".failed").inner_text()
    page.reload()
    assert questions(page) == [QUESTION]
    assert page.input_value("#q") == FOLLOW_UP  # nothing typed is lost
    page.press("#q", "Enter")
    answered(page, 2)
    page.reload()
    assert questions(page) == [QUESTION, FOLLOW_UP]


def test_a_server_that_comes_back_goes_on(visit: Callable[..., Any], home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(serving(home), port) as address:
        page = visit(address=address)
        ask(page, QUESTION)
        answered(page, 1)
    ask(page, FOLLOW_UP)
    assert "does not answer" in page.wait_for_selector(".failed").inner_text()
    with running(serving(home), port):
        page.click("[data-again]")
        answered(page, 2)
        page.reload()
        assert questions(page) == [QUESTION, FOLLOW_UP]


def test_a_conversation_that_was_deleted_meanwhile_begins_anew(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    page.evaluate("fetch('/api/v1' + location.pathname, {method: 'DELETE'}).then((response) => response.ok)")
    ask(page, FOLLOW_UP)
    assert "This conversation was deleted" in page.wait_for_selector(".failed").inner_text()
    assert page.inner_text("[data-again]") == "Ask it in a new conversation"
    before = page.url
    page.click("[data-again]")
    answered(page, 2)
    assert "/conversations/" in page.url and page.url != before


def test_an_answer_opened_by_a_link_is_kept_with_what_follows(visit: Callable[..., Any]) -> None:
    page = visit(f"/?q={QUESTION}")
    assert page.locator(".below form[action='/vote']").count() == 2
    ask(page, FOLLOW_UP)
    answered(page, 2)
    page.wait_for_url("**/conversations/*")
    page.reload()
    assert questions(page) == [QUESTION, FOLLOW_UP]


def test_without_scripts_a_conversation_goes_on(visit: Callable[..., Any]) -> None:
    page = visit(java_script_enabled=False)
    page.fill("#q", QUESTION)
    page.click("[data-send]")
    page.wait_for_url("**/conversations/*")
    page.fill("#q", FOLLOW_UP)
    page.click("[data-send]")
    page.wait_for_selector(".question >> nth=1")
    assert questions(page) == [QUESTION, FOLLOW_UP]
    page.click("[data-next] button >> nth=0")
    page.wait_for_selector(".question >> nth=2")
    assert page.locator(".question").count() == 3
    page.click("[data-vote] button[value=up] >> nth=0")
    page.wait_for_selector("[data-told]:text-is('Kept: helpful.')")


def test_what_to_ask_next_is_one_click_and_goes_away(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    first = page.locator("[data-next] button").first
    text = first.inner_text()
    first.click()
    answered(page, 2)
    assert questions(page) == [QUESTION, text]
    assert page.locator("[data-next]").count() == 1
    assert text not in page.locator("[data-next] button").all_inner_texts()
    assert page.get_attribute(".turn:first-child a[href^='/drill']", "href") == "/drill?request=storage-engines"


def test_a_chips_preview_comes_and_goes(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    chip = page.locator(".verdict .chip").first
    quote = page.locator(".sources .chip").first.get_attribute("data-quote")
    chip.hover()
    preview = page.wait_for_selector(".preview")
    assert quote in preview.inner_text()
    assert chip.get_attribute("aria-describedby") == "preview"
    box = preview.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)  # onto it, before it would go: it stays
    page.wait_for_timeout(350)
    assert page.locator(".preview").count() == 1
    page.mouse.move(2, 2)
    page.wait_for_selector(".preview", state="detached")
    page.locator(".question").first.evaluate("e => { e.tabIndex = -1; e.focus(); }")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.className") != "chip":
        page.keyboard.press("Tab")
    page.wait_for_selector(".preview")
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert page.locator(".preview").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_selector(".pane mark#cited")


def test_a_vote_and_its_reason(visit: Callable[..., Any], home: Path) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    page.click("[data-vote] [value=up]")
    page.locator("[data-told]", has_text="Kept: helpful").wait_for()
    page.click("[data-down]")
    page.locator("[data-told]", has_text="Kept: not helpful").wait_for()
    assert page.get_attribute("[data-vote] [value=up]", "aria-pressed") == "false"
    page.check("[value='off topic']")
    page.fill(".why textarea", "it is about caches")
    assert violations(page) == []
    page.click("[data-why] [value=down]")
    page.locator("[data-told]", has_text="Kept: not helpful, off topic").wait_for()
    assert page.locator(".question").count() == 1
    assert '"note": "off topic: it is about caches"' in (home / "feedback" / "answers.jsonl").read_text()
    page.reload()
    assert page.locator("[data-told]").inner_text() == "Kept: not helpful, off topic."


def test_the_list_finds_renames_deletes(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, "What is a Bloom filter for?")
    answered(page, 1)
    page.click("[data-asked] h2 a")
    page.fill("#filter", "bloom")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=bloom")
    item = page.locator(".list > li", has_text="Bloom filter for")
    item.locator(".manage > summary").click()
    item.locator("[name=title]").fill("Bloom filters")
    item.locator(".rename button").click()
    page.wait_for_url("**/conversations#c-*")
    item = page.locator(".list > li", has_text="Bloom filters")
    item.locator(".manage > summary").click()
    with page.expect_download() as got:
        item.get_by_text("a page", exact=True).click()
    assert got.value.suggested_filename == "bloom-filters.html"
    item.locator(".sure > summary").click()
    item.get_by_role("button", name="Delete this conversation").click()
    page.wait_for_url("**deleted=1")
    assert page.locator(".title", has_text="Bloom filters").count() == 0
    assert "is deleted" in page.inner_text(".said")


def test_what_is_shared_opens_anywhere(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit()
    ask(page, QUESTION)
    answered(page, 1)
    with page.expect_download() as got:
        page.click(".below a[download]")
    path = tmp_path / got.value.suggested_filename
    got.value.save_as(path)
    alone = page.context.browser.new_context(offline=True).new_page()
    alone.goto(path.as_uri())
    assert alone.inner_text("h1") == QUESTION
    alone.click(".verdict a >> nth=0")
    alone.wait_for_url("**#s1-1")
    assert violations(alone) == []
    alone.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(visit: Callable[..., Any], scheme: str) -> None:
    page = visit(color_scheme=scheme, width=360, height=740)
    assert violations(page) == [] and overflow(page) == []
    ask(page, QUESTION)
    answered(page, 1)
    ask(page, NOT_ANSWERED)
    answered(page, 2)
    page.click("[data-down] >> nth=0")
    assert violations(page) == [] and overflow(page) == []
    page.goto(page.url)
    assert violations(page) == [] and overflow(page) == []
    origin = page.evaluate("location.origin")
    page.goto(f"{origin}/conversations")
    page.click(".manage > summary >> nth=0")
    page.click(".sure > summary >> nth=0")
    assert violations(page) == [] and overflow(page) == []
    page.goto(f"{origin}/conversations?q=zzzz")
    assert violations(page) == [] and overflow(page) == []
    page.goto(f"{origin}/conversations?q=the")
    assert page.locator(".place mark").count() and violations(page) == [] and overflow(page) == []


def test_a_stop_leaves_nothing_running(visit: Callable[..., Any]) -> None:
    page = visit()
    page.route("**/ask/stream*", lambda route: None)
    ask(page, QUESTION)
    page.wait_for_selector("[data-skeleton]")
    with page.expect_event("requestfailed", lambda request: "ask/stream" in request.url):
        page.click("[data-stop]")
    page.locator(".turn .note", has_text="Stopped.").wait_for()
    until(page, lambda: page.evaluate("document.activeElement.id") == "q")
