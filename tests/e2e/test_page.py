"""The first page and the library in a browser: what only scripts and layout can break."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes import ScriptedCompletion, ScriptedModel
from pages import follow, running, until
from tutor.bootstrap import App
from tutor.models.port import Message
from tutor.settings import CorpusSettings, LlmSettings, Settings

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
ANSWERED = "B-tree or LSM-tree for a write-heavy store?"
NOT_ANSWERED = "How do I bake sourdough bread?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("page")
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    core.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag")])
    core.close()
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with running(App(Settings(home=home, corpus=CorpusSettings(builtin=False)))) as address:
        yield address


class Writer(ScriptedModel):
    """Begins to write, and goes on when it is told to; ``asked`` keeps the messages, ``last`` the reply."""

    def __init__(self) -> None:
        super().__init__(lambda messages: [])
        self.go_on = threading.Event()
        self.pieces: list[str | Exception] = []
        self.last: ScriptedCompletion | None = None

    def stream(self, messages: Sequence[Message], *, max_tokens: int, **_: Any) -> ScriptedCompletion:
        writer = self
        if max_tokens < 200:  # a reading of a follow-up, not an answer: the rules' stands
            return ScriptedCompletion(["?"])

        class Waiting(ScriptedCompletion):
            def __iter__(self) -> Iterator[str]:
                yield "An LSM-tree "
                while not self.closed and not writer.go_on.wait(0.02):
                    pass
                yield from super().__iter__()

        self.asked.append(tuple(messages))
        self.last = Waiting(self.pieces)
        return self.last


@pytest.fixture
def writer(home: Path) -> Iterator[tuple[Writer, str]]:
    """A model that writes as the test says, and the address of a page that has it."""
    model = Writer()
    chosen = Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False))
    with running(App(chosen, model=model)) as address:
        yield model, address
        model.go_on.set()


def ask(page: Any, question: str) -> None:
    page.fill("#q", question)
    page.keyboard.press("Enter")


def test_a_question_its_answer_and_a_citations_passage(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    quote = page.inner_text(".verdict").split("\u2060")[0]
    page.click(".verdict .chip >> nth=0")
    mark = page.wait_for_selector(".pane mark#cited")
    assert mark.is_visible()
    box, pane = mark.bounding_box(), page.query_selector("[data-pane-body]").bounding_box()
    assert pane["y"] <= box["y"] <= pane["y"] + pane["height"]
    marked = "".join(page.eval_on_selector_all(".pane mark", "all => all.map(m => m.textContent)"))
    assert "".join(marked.split()) == "".join(quote.split())
    page.keyboard.press("Escape")
    assert page.is_hidden("[data-pane]")
    assert page.evaluate("document.activeElement.className") == "chip"


def test_on_a_narrow_screen_the_way_back_closes_the_passage(visit: Callable[..., Any]) -> None:
    page = visit(width=360)
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    page.wait_for_url("**/conversations/*")
    kept = page.url
    for close in (page.go_back, lambda: page.keyboard.press("Escape"), lambda: page.click("[data-pane-close]")):
        page.click(".verdict .chip >> nth=0")
        page.wait_for_selector(".pane mark#cited")
        close()
        page.wait_for_selector("[data-pane]", state="hidden")
        assert page.url == kept and page.locator(".question").all_inner_texts() == [ANSWERED]
        page.wait_for_function("!history.state?.pane")
    page.go_back()
    page.wait_for_url(lambda url: url.endswith("/"))  # nothing of the passages is left in the way back


def test_the_answers_of_a_session_stay_and_are_listed(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    ask(page, NOT_ANSWERED)
    page.wait_for_selector(".abstain")
    page.wait_for_selector("[data-log][aria-busy=false]")
    assert page.locator(".question").all_inner_texts() == [ANSWERED, NOT_ANSWERED]
    assert page.locator("[data-asked] [aria-current]").all_inner_texts() == [ANSWERED]
    assert page.locator(".abstain .nearest").count() == 0  # bread is far from everything here
    page.reload()
    assert page.locator(".question").all_inner_texts() == [ANSWERED, NOT_ANSWERED]
    assert page.locator(".abstain").count() == 1 and page.locator(".abstain .nearest").count() == 0


def test_how_long_each_stage_took_is_folded_away(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, ANSWERED)
    page.wait_for_selector(".turn > .timings")
    assert page.is_hidden(".timings dl")
    page.focus(".timings summary")
    page.keyboard.press("Enter")
    assert page.is_visible(".timings dl")
    names = page.locator(".timings dt").all_inner_texts()
    assert names[:5] == ["clean", "expand", "encode", "query", "order"]
    assert names[-1] == "all"
    assert all(time.endswith(" ms") for time in page.locator(".timings dd").all_inner_texts())


def paste(page: Any, text: str) -> None:
    page.evaluate("document.querySelector('#q').focus()")
    page.keyboard.insert_text(text)


def test_a_question_that_is_too_long_is_told_and_kept(visit: Callable[..., Any]) -> None:
    page = visit()
    text = "Why not Kafka? " * 400
    paste(page, text)
    assert page.input_value("#q") == text
    assert "5,999 characters, the limit is 4,000" in page.inner_text("[data-over]")
    page.keyboard.press("Enter")
    assert page.is_visible("[data-over]")
    assert page.input_value("#q") == text
    assert page.locator(".turn").count() == 0
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    assert page.is_hidden("[data-over]")


def test_a_question_that_is_too_long_is_kept_without_scripts(visit: Callable[..., Any]) -> None:
    page = visit(java_script_enabled=False)
    text = "Why not Kafka? " * 400
    page.fill("#q", text)
    follow(page, "[data-send]")
    assert "5,999 characters, the limit is 4,000" in page.inner_text("[data-over]")
    assert page.input_value("#q") == text
    page.fill("#q", ANSWERED)
    page.click("[data-send]")
    page.wait_for_selector(".sources")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_long_question_does_not_fill_the_screen(visit: Callable[..., Any], scripts: bool) -> None:
    text = ("Is a B-tree or an LSM-tree better for a write-heavy store? " * 60).strip()
    page = visit(java_script_enabled=scripts)
    page.fill("#q", text)
    page.click("[data-send]")
    page.wait_for_selector(".sources, .abstain")
    page.wait_for_load_state()  # the style comes after the words
    heading = page.locator(".question")
    assert heading.inner_text() == text
    assert heading.bounding_box()["height"] < 120
    page.click(".turn .whole summary")
    assert heading.bounding_box()["height"] > 400


def test_an_example_is_one_click(visit: Callable[..., Any]) -> None:
    page = visit()
    page.click("[data-example] >> nth=0")
    page.wait_for_selector(".sources")
    page.wait_for_selector("[data-log][aria-busy=false]")
    assert page.is_hidden("[data-stop]")


def test_a_chip_is_a_plain_link_too(visit: Callable[..., Any]) -> None:
    page = visit(f"/?q={ANSWERED}", java_script_enabled=False)
    page.click(".verdict .chip >> nth=0")
    page.wait_for_selector("main mark#cited")
    assert page.url.endswith("#cited")


def test_without_scripts_the_form_answers(visit: Callable[..., Any]) -> None:
    page = visit(java_script_enabled=False)
    page.fill("#q", ANSWERED)
    page.click("[data-send]")
    page.wait_for_selector(".sources")
    page.wait_for_load_state()  # the style comes after the words
    assert page.is_hidden("[data-theme-toggle]")


def test_an_error_says_what_to_do_and_can_be_tried_again(visit: Callable[..., Any]) -> None:
    page = visit()
    body = '{"error": {"what": "the index is damaged", "about": "index", "fix": "Rebuild it.", "transient": false}}'
    page.route(
        "**/ask/stream*", lambda route: route.fulfill(status=503, content_type="application/json", body=body), times=1
    )
    ask(page, ANSWERED)
    page.wait_for_selector(".failed")
    assert "The index is damaged" in page.inner_text(".failed")
    assert "Rebuild it." in page.inner_text(".failed")
    page.click("[data-again]")
    page.wait_for_selector(".sources")
    assert page.locator(".turn").count() == 1


def test_a_server_that_has_gone_is_an_error_too(visit: Callable[..., Any]) -> None:
    page = visit()
    page.route("**/ask/stream*", lambda route: route.abort())
    ask(page, ANSWERED)
    assert "does not answer" in page.wait_for_selector(".failed").inner_text()


def test_a_follow_up_is_read_with_what_the_tab_asked(visit: Callable[..., Any]) -> None:
    page = visit()
    ask(page, "When should I use a B-tree?")
    page.wait_for_selector("[data-log][aria-busy=false] .turn .copy")
    ask(page, "and when not?")
    turn = page.locator(".turn").nth(1)
    turn.locator(".copy").wait_for()
    assert turn.locator(".note").first.inner_text() == "Read as “When should I not use a B-tree?”"
    assert turn.locator("[data-question]").inner_text() == "and when not?"
    assert "/conversations/" in page.url
    other = visit()
    ask(other, "and when not?")
    other.wait_for_selector("[data-log][aria-busy=false] .turn")
    assert other.locator(".note", has_text="Read as").count() == 0


def test_stopping(visit: Callable[..., Any]) -> None:
    page = visit()
    page.route("**/ask/stream*", lambda route: None)  # never answers
    ask(page, ANSWERED)
    page.wait_for_selector("[data-skeleton]")
    assert page.get_attribute("[data-log]", "aria-busy") == "true"
    page.click("[data-stop]")
    assert page.wait_for_selector(".turn .note").inner_text() == "Stopped. Ask it again"
    assert page.locator("[data-skeleton]").count() == 0
    assert page.is_visible("[data-send]")
    page.unroute("**/ask/stream*")
    page.click(".turn .note button")
    page.wait_for_selector("[data-log][aria-busy=false] .turn .copy")
    assert page.locator(".turn").count() == 1
    assert page.inner_text("[data-question]") == ANSWERED


def begin_writing(page: Any, question: str) -> None:
    ask(page, question)
    page.locator("[data-draft-text]", has_text="LSM-tree").wait_for()


def test_an_answer_that_was_stopped_while_it_was_written_is_kept_and_remembered(
    visit: Callable[..., Any], writer: tuple[Writer, str]
) -> None:
    model, address = writer
    page = visit(address=address, permissions=["clipboard-read", "clipboard-write"])
    begin_writing(page, "When should I use a B-tree?")
    quoted = page.inner_text(".verdict")
    page.click("[data-stop]")
    assert model.last
    line = page.wait_for_selector(".turn .written")
    assert line.inner_text() == "Stopped while the model was writing; the quoted answer above stands."
    assert page.inner_text(".verdict") == quoted
    assert page.locator(".draft").count() == page.locator(".turn .note", has_text="Stopped").count() == 0
    assert page.locator(".turn > .timings").count() == 1
    page.click(".copy")
    page.locator(".copy", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("## When should I use a B-tree?\n")
    assert page.is_visible("[data-send]")
    until(page, lambda: model.last is not None and model.last.closed)  # its request has ended
    with page.expect_request("**/ask/stream") as sent:
        ask(page, "and when not?")
    history = sent.value.post_data_json["history"]
    assert [turn["question"] for turn in history] == ["When should I use a B-tree?"]
    assert history[0]["answer"].replace("**", "").startswith(quoted.split("\u2060")[0][:40])
    turn = page.locator(".turn").nth(1)
    turn.locator(".verdict").wait_for()
    assert turn.locator(".note").first.inner_text() == "Read as “When should I not use a B-tree?”"


def test_the_next_question_may_come_while_the_model_writes(
    visit: Callable[..., Any], writer: tuple[Writer, str]
) -> None:
    _, address = writer
    page = visit(address=address)
    begin_writing(page, "When should I use a B-tree?")
    ask(page, "and when not?")
    turns = page.locator(".turn")
    turns.nth(1).locator(".verdict").wait_for()
    assert turns.nth(1).locator(".note").first.inner_text() == "Read as “When should I not use a B-tree?”"
    assert "the quoted answer above stands" in turns.nth(0).locator(".written").inner_text()
    page.click("[data-stop]")
    turns.nth(1).locator(".written").wait_for()


def test_a_server_that_goes_while_the_model_writes_leaves_the_quoted_answer(
    visit: Callable[..., Any], writer: tuple[Writer, str]
) -> None:
    _, address = writer
    page = visit(address=address)
    page.add_init_script("""
        const whole = window.fetch;
        window.fetch = async (...args) => {
            const response = await whole(...args);
            if (!String(args[0]).includes("ask/stream")) return response;
            const left = response.body.getReader();
            const body = new ReadableStream({ async start(to) {
                for (let text = ""; !text.includes("event: draft");) {
                    const { value } = await left.read();
                    text += new TextDecoder().decode(value);
                    to.enqueue(value);
                }
                to.error(new TypeError("network error"));
                left.cancel();
            } });
            return new Response(body, { status: response.status });
        };
    """)
    page.reload()
    ask(page, ANSWERED)
    page.wait_for_selector(".turn .written")
    assert page.inner_text(".turn .written").startswith("The connection broke off while the model was writing")
    assert page.locator(".verdict").count() == page.locator(".copy").count() == 1
    assert page.locator(".failed").count() == 0


@pytest.mark.parametrize("size", [(1280, 620), (360, 640)])
def test_why_an_answer_is_not_helpful_opens_above_the_box(visit: Callable[..., Any], size: tuple[int, int]) -> None:
    page = visit(width=size[0], height=size[1])
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    page.wait_for_selector("[data-down]")
    page.eval_on_selector("[data-down]", "e => e.scrollIntoView({ block: 'center' })")
    page.click("[data-down]")
    page.wait_for_function(
        """() => {
          const send = document.querySelector(".why [value=down]").getBoundingClientRect();
          return send.height && send.bottom <= document.querySelector(".box").getBoundingClientRect().top;
        }"""
    )


def test_copying(visit: Callable[..., Any]) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, ANSWERED)
    page.click(".copy")
    page.wait_for_function("document.querySelector('.copy').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"## {ANSWERED}\n")
    assert "[1]" in copied
    assert "Sources:" in copied


def test_keys(visit: Callable[..., Any]) -> None:
    page = visit("/?q=" + ANSWERED)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two / three")
    assert page.input_value("#q") == "one\ntwo / three"
    assert page.locator(".turn").count() == 1
    page = visit("/documents")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_the_theme_is_switched_and_kept(visit: Callable[..., Any]) -> None:
    page = visit(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(2):  # from the system's to light, to dark
        page.click("[data-theme-toggle]")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert page.inner_text("[data-theme-name]") == "Dark"


def test_the_library_filters_while_typing(visit: Callable[..., Any]) -> None:
    page = visit("/documents")
    page.keyboard.press("/")
    page.keyboard.type("retriev")
    page.get_by_text("1 of 3 documents").wait_for()
    assert page.locator(".cards a:visible").all_inner_texts() == ["Retrieval-augmented generation (RAG)"]
    page.fill("#filter", "zzz")
    page.locator("[data-none]").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("3 of 3 documents").wait_for()
    assert page.locator(".cards a:visible").count() == 3


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_window(visit: Callable[..., Any], width: int) -> None:
    page = visit(width=width, height=740)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    assert fits()
    ask(page, ANSWERED)
    page.wait_for_selector(".sources")
    assert fits()
    page.click(".chip >> nth=0")
    page.wait_for_selector(".pane mark#cited")
    assert fits()
    if width < 992:
        assert page.locator("[data-pane]").bounding_box()["width"] == width
        assert page.evaluate("document.querySelector('[data-ask]').inert")
    for path in ("/documents", "/documents/storage-engines", "/docs", "/nope", f"/?q={'w' * 300}"):
        page.goto(str(page.evaluate("location.origin")) + path)
        assert fits(), path


def test_every_control_has_a_name_and_pages_one_heading(visit: Callable[..., Any]) -> None:
    unnamed = """() => [...document.querySelectorAll('button, a, input:not([type=hidden]), textarea')]
        .filter(e => !e.closest('[hidden]') && !(e.textContent.trim() || e.ariaLabel || e.labels?.length))
        .map(e => e.outerHTML)"""
    for path in ("/", f"/?q={ANSWERED}", "/documents", "/documents/rag", "/docs", "/nope"):
        page = visit(path)
        assert page.evaluate(unnamed) == []
        assert page.locator("h1").count() == 1, path
