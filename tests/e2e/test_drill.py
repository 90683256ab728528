"""The interview room in a browser: the way to a grade, two windows, a restart, the clocks, the sheet and the voice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pages import overflow, running, violations
from tutor.bootstrap import App
from tutor.settings import Settings

Visit = Callable[..., Any]
ANSWER = (
    "On AWS I'd take SQS, RabbitMQ if I needed priorities. Each mail is acknowledged and retried by itself there, so a "
    "slow one holds up nobody. In Kafka a group commits one offset per partition, and whatever stands behind a stuck "
    "job waits. Kafka is just a faster queue."
)
HEARD = "I would take a queue"
#: A browser's speech recognition that hears one sentence.
FAKE_VOICE = f"""
window.listened = 0;
window.SpeechRecognition = window.webkitSpeechRecognition = class {{
  start() {{
    window.listened += 1;
    const said = [{{ transcript: "{HEARD}" }}];
    said.isFinal = true;
    setTimeout(() => this.onresult({{ resultIndex: 0, results: [said] }}), 20);
  }}
  stop() {{ this.onend(); }}
}};
"""

#: Replies are held back until ``window.let()``; ``window.posted`` are the buttons whose forms were sent.
HELD = """() => {
  const really = window.fetch;
  window.posted = [];
  const held = new Promise((done) => { window.let = done; });
  window.fetch = async (address, options) => {
    if (options?.body instanceof FormData) { window.posted.push(options.body.get("do") ?? "send"); await held; }
    return really(address, options);
  };
}"""
#: The same, and nothing is held back.
WATCHED = f"() => {{ ({HELD})(); window.let(); }}"


def sound(page: Any) -> bool:
    """Whether axe finds nothing, and nothing stands out of a window of 360 px."""
    found = violations(page)
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 780})
    found += overflow(page)
    page.set_viewport_size(size)
    assert found == []
    return True


def start(page: Any, query: str) -> None:
    """From the start page into the room of what ``query`` fills in."""
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + f"/drill?{query}")
    with page.expect_navigation():  # with its scripts: a key pressed before they are there does nothing
        page.get_by_role("button", name="Start the drill").first.click()


def onwards(page: Any, act: Callable[[], None], *, most_ms: float = 30_000) -> None:
    """Does something that brings another question into the room, and waits for it."""
    before = page.get_attribute("[data-room]", "data-question")
    act()
    asked = "q => ![undefined, q].includes(document.querySelector('[data-room]')?.dataset.question)"
    page.wait_for_function(asked, arg=before, timeout=most_ms)


def press(page: Any, value: str) -> None:
    onwards(page, lambda: page.click(f"#reply button[value={value}]"))


def state(page: Any) -> str:
    return str(page.get_attribute("[data-room]", "data-state"))


def answer(page: Any, text: str = ANSWER) -> None:
    page.fill("[data-words]", text)
    onwards(page, lambda: page.keyboard.press("Control+Enter"))


def to_rating(page: Any) -> None:
    while state(page) != "rate":
        press(page, "go" if state(page) == "clarify" else "pass")


def to_answer(page: Any, query: str = "request=why+not+kafka") -> None:
    start(page, query)
    press(page, "go")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_start_to_the_grade(visit: Visit, scheme: str) -> None:
    page = visit("/drill", color_scheme=scheme)
    assert sound(page)
    start(page, "request=why+not+kafka")
    assert sound(page)
    page.fill("[data-words]", "Is it only for mail?")
    press(page, "send")
    assert state(page) == "answer" and page.evaluate("document.activeElement.name") == "answer"
    answer(page)
    assert state(page) == "follow-up" and sound(page)
    assert page.inner_text("[data-live]") == page.inner_text(".prompt")
    while state(page) == "follow-up":
        press(page, "pass")
    answer(page, "Then Kafka: a retained log that several groups read.")
    assert page.evaluate("document.activeElement.value") == "1"  # the first of them, and none is chosen
    assert page.locator("[data-rate]:checked").count() == 0
    page.get_by_label("4 strong").check()
    assert sound(page)
    page.get_by_role("button", name="Show the grade").click()
    page.wait_for_selector("[data-graded]")
    page.wait_for_load_state()  # with the script that lights what belongs together
    assert sound(page)
    page.set_viewport_size({"width": 1280, "height": 300})  # words longer than the window scroll beside the points
    words = page.locator(".own-words")
    assert words.evaluate("e => e.scrollHeight > e.clientHeight") and violations(page) == []
    words.focus()
    assert words.evaluate("e => e === document.activeElement")
    page.set_viewport_size({"width": 1280, "height": 860})
    assert page.locator(".figures").inner_text().count("4") >= 1

    # words and points point at each other
    page.locator("ol.points > .point").nth(0).hover()
    assert page.locator("mark.lit").count() >= 1
    page.locator(".tick").first.focus()
    label = page.locator(".tick").first.get_attribute("data-label")
    assert page.locator(f"#p{label.replace('!', 'f')}").evaluate("e => e.classList.contains('lit')")

    # the learner's own view
    missed = page.locator("ol.points > .point.missed").first
    missed.locator("summary").click()
    missed.get_by_label("covered", exact=True).check()
    missed.get_by_label("Why").fill("It follows from what I said.")
    assert sound(page)
    missed.get_by_role("button", name="Keep my view").click()
    page.wait_for_selector(".mine")
    assert "It follows from what I said." in page.inner_text(".mine")
    assert "As you see it" in page.inner_text(".figures").replace("AS YOU SEE IT", "As you see it")
    assert sound(page)

    # the passage that a flag or a reading rests on
    link = page.locator(".flag blockquote a, #read + .list a").first
    link.click()
    page.wait_for_selector("mark#cited")


def test_a_link_to_a_drill_offers_first_what_it_names(visit: Visit) -> None:
    page = visit("/drill?request=kafka", width=360)
    assert page.locator("main button").first.is_visible()
    assert page.inner_text("main h2 >> nth=0") == "Drill: Apache Kafka" and sound(page)
    page.locator("main button").first.click()
    page.wait_for_selector("[data-room]")
    assert page.inner_text(".crumbs").endswith("Apache Kafka")
    page.goto(page.url.split("/drill")[0] + "/drill?request=chat&format=estimate")
    page.locator("main button").first.click()
    page.wait_for_selector("[data-room]")
    assert "Estimate" in page.inner_text(".crumbs")


def test_a_reload_keeps_the_draft_the_question_and_the_clock(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    page.fill("[data-words]", "half an answer")
    page.wait_for_function("() => document.querySelector('[data-clock-time]').textContent !== '0:00'")
    question = page.get_attribute("[data-room]", "data-question")
    page.reload()
    assert page.get_attribute("[data-room]", "data-question") == question
    assert page.input_value("[data-words]") == "half an answer"
    assert page.inner_text("[data-clock-time]") != "0:00"
    page.goto(page.url.rsplit("/", 1)[0])  # left, and gone on with from the start page
    page.locator(".now a").first.click()
    assert page.get_attribute("[data-room]", "data-question") == question


def test_the_clock_says_when_the_time_is_up(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    page.evaluate("""async () => {
      const room = document.querySelector("[data-room]");
      room.querySelector("[data-clock]").dataset.since = new Date(Date.now() - 3600e3).toISOString();
      const { Clocks } = await import("/static/js/drill-clock.js");
      window.said = [];
      new Clocks(room, (text) => window.said.push(text)).stop();
    }""")
    assert page.evaluate("window.said") == ["The time for this is up: come to an end."]
    assert sound(page)


def test_a_stale_answer_of_a_second_window_is_told_and_its_words_stay(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    other = page.context.new_page()
    other.goto(page.url)
    answer(page)
    other.fill("[data-words]", "The other window's words.")
    other.click("#reply button[value=send]")
    other.wait_for_selector(".left textarea")
    assert other.input_value(".left textarea") == "The other window's words."
    assert "answered already" in other.inner_text(".failed")
    assert state(other) == "follow-up" and sound(other)
    answer(other, "It goes on here.")
    page.fill("[data-words]", "late")
    page.click("#reply button[value=send]")
    page.wait_for_selector(".failed")


def test_notes_of_two_windows(visit: Visit) -> None:
    page = visit("/drill")
    start(page, "format=hld")
    other = page.context.new_page()
    other.goto(page.url)
    page.fill("[data-notes]", "first window")
    page.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")
    other.fill("[data-notes]", "second window")
    other.wait_for_selector("[data-other]")
    assert other.input_value("[data-other] textarea") == "first window"
    assert other.input_value("[data-notes]") == "second window" and sound(other)
    other.evaluate(WATCHED)
    other.focus("[data-notes]")
    other.keyboard.press("End")
    other.keyboard.type(", mended")
    other.wait_for_timeout(2500)  # longer than what is typed waits to be saved
    assert other.evaluate("window.posted") == [] and other.is_visible("[data-other]")
    page.reload()
    assert page.input_value("[data-notes]") == "first window"
    other.reload()  # it is told again, and nothing is lost
    other.wait_for_selector("[data-other]")
    assert other.input_value("[data-notes]") == "second window, mended"
    assert other.input_value("[data-other] textarea") == "first window"
    other.click("[data-keep]")
    other.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")
    assert other.locator("[data-other]").count() == 0
    page.reload()
    assert page.input_value("[data-notes]") == "second window, mended"
    other.focus("[data-notes]")
    other.keyboard.press("End")
    other.keyboard.type(" twice")  # and from then on by itself again
    other.wait_for_function("() => !Object.keys(sessionStorage).some((key) => key.endsWith('.notes'))")
    page.reload()
    assert page.input_value("[data-notes]") == "second window, mended twice"


def test_what_is_typed_beside_an_answer_while_it_is_read_stays(visit: Visit) -> None:
    page = visit("/drill")
    start(page, "format=hld&request=chat")
    press(page, "go")
    page.evaluate(HELD)
    page.fill("[data-notes]", "before")
    page.fill("[data-lines]", "users = 5 M")
    page.fill("[data-words]", "Users send and read messages.")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => window.posted.length === 1")
    page.fill("[data-lines]", "users = 5 M\nqps = users / day")
    page.focus("[data-notes]")
    page.keyboard.press("End")
    page.keyboard.type(", and while")
    onwards(page, lambda: page.evaluate("window.let()"))
    assert page.evaluate("document.activeElement.name") == "notes"
    page.keyboard.type(" it was read")
    assert page.input_value("[data-notes]") == "before, and while it was read"
    assert page.input_value("[data-lines]") == "users = 5 M\nqps = users / day"
    page.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    assert page.input_value("[data-notes]") == "before, and while it was read"
    assert page.input_value("[data-lines]") == "users = 5 M\nqps = users / day"


def later(page: Any, text: str) -> None:
    """Types behind what is in the box."""
    page.focus("[data-words]")
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def held(page: Any, text: str = ANSWER) -> None:
    """Sends an answer whose reply is held back until ``window.let()``."""
    page.evaluate(HELD)
    page.fill("[data-words]", text)
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => window.posted.length === 1")


def test_what_is_typed_into_the_box_while_an_answer_is_read_stays(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    held(page)
    later(page, " And it costs less")
    assert "is not sent, and stays" in page.inner_text("[data-status]")
    onwards(page, lambda: page.evaluate("window.let()"))
    assert page.input_value("[data-words]") == "And it costs less"
    assert page.inner_text(".turns .learner >> nth=-1").strip().endswith("Kafka is just a faster queue.")
    assert page.evaluate("document.activeElement.name") == "answer"
    page.keyboard.type(".")  # where the caret was
    page.reload()
    assert page.input_value("[data-words]") == "And it costs less." and page.locator("[data-aside]").count() == 0


def test_words_changed_while_they_are_read_are_kept_beside_the_box(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    held(page)
    page.fill("[data-words]", ANSWER.replace("SQS", "Amazon SQS"))
    onwards(page, lambda: page.evaluate("window.let()"))
    assert page.input_value("[data-words]") == "" and "Amazon SQS" in page.input_value("[data-aside] textarea")
    page.reload()
    assert "Amazon SQS" in page.input_value("[data-aside] textarea") and sound(page)
    page.fill("[data-words]", "First this.")
    page.get_by_role("button", name="Put them into the answer").click()
    assert page.input_value("[data-words]").startswith("First this.\nOn AWS I'd take Amazon SQS")
    assert page.locator("[data-aside]").count() == 0
    page.reload()
    assert page.input_value("[data-words]").startswith("First this.\nOn AWS")


def test_what_is_typed_before_the_rating_or_the_grade_is_shown_until_it_is_discarded(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    answer(page)
    while state(page) != "twist":
        press(page, "pass")
    held(page, "With ten times the load I would shard.")
    later(page, " One more thing")
    onwards(page, lambda: page.evaluate("window.let()"))
    assert state(page) == "rate" and page.input_value("[data-aside] textarea") == "One more thing"
    assert not page.is_visible("[data-put]")
    page.click("#reply button[value=none]")
    page.wait_for_selector("[data-graded]")
    assert page.input_value("[data-aside] textarea") == "One more thing" and sound(page)
    page.get_by_role("button", name="Discard").click()
    page.reload()
    assert page.locator("[data-graded]").count() == 1 and page.locator("[data-aside]").count() == 0


def test_what_is_typed_while_an_answer_is_read_outlives_a_reload_and_a_lost_reply(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    page.evaluate("""() => {
      const really = window.fetch;
      window.fetch = async (address, options) => {
        const response = await really(address, options);
        window.fetch = really;
        window.arrived = true;
        await new Promise(() => {}); // it was carried out, and the reply never comes
        return response;
      };
    }""")
    page.fill("[data-words]", ANSWER)
    page.keyboard.press("Control+Enter")
    later(page, " And it costs less")
    page.wait_for_function("() => window.arrived")
    page.reload()
    assert state(page) == "follow-up" and page.input_value("[data-words]") == "And it costs less"


def test_after_a_lost_reply_more_words_are_no_replay(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    page.evaluate("""() => {
      const really = window.fetch;
      window.fetch = async (address, options) => {
        await really(address, options);
        window.fetch = really;
        throw new TypeError("the connection broke off");
      };
    }""")
    page.fill("[data-words]", ANSWER)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".failed[data-lost]")
    assert page.input_value("[data-words]") == ANSWER
    later(page, " And it costs less")
    onwards(page, lambda: page.get_by_role("button", name="Try again").click())
    assert page.input_value("[data-aside] textarea") == f"{ANSWER} And it costs less"
    page.reload()  # what counted nowhere is not lost with the page
    assert page.input_value("[data-aside] textarea") == f"{ANSWER} And it costs less"


def test_what_is_refused_comes_back_with_what_was_typed_since(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page)
    page.evaluate(HELD)
    page.fill("[data-words]", "words")
    page.click("#reply button[value=pass]")  # with words in the box that is refused
    page.wait_for_function("() => window.posted.length === 1")
    later(page, " and more")
    page.evaluate("window.let()")
    page.wait_for_selector(".failed")
    assert page.input_value("[data-words]") == "words and more"
    page.reload()
    assert page.input_value("[data-words]") == "words and more"


def test_pressing_twice_while_the_notes_are_saved_sends_once(visit: Visit) -> None:
    page = visit("/drill")
    start(page, "format=hld&request=chat")
    press(page, "go")
    page.evaluate(HELD)
    page.fill("[data-notes]", "a note")
    page.click("[data-keep]")
    page.wait_for_function("() => window.posted.length === 1")
    page.fill("[data-words]", "Users send and read messages.")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    onwards(page, lambda: page.evaluate("window.let()"))
    assert page.evaluate("window.posted") == ["keep", "send"]
    page.wait_for_function("() => document.querySelector('[data-clock-time]').textContent !== '0:00'")


def test_a_restart_in_the_middle_loses_nothing(visit: Visit, curriculum_home: Path) -> None:
    with running(App(Settings(home=curriculum_home))) as first:
        port = int(first.rsplit(":", 1)[-1])
        page = visit("/drill", address=first)
        to_answer(page)
        page.fill("[data-words]", ANSWER)
    page.click("#reply button[value=send]")
    page.wait_for_selector(".failed[data-lost]")
    assert page.input_value("[data-words]") == ANSWER and sound(page)
    with running(App(Settings(home=curriculum_home)), port):
        onwards(page, lambda: page.click("[data-again]"), most_ms=40_000)  # it reads the curriculum first
        assert state(page) == "follow-up" and page.locator(".failed").count() == 0
        assert ANSWER in page.inner_text(".turns")


def test_a_mock_with_its_steps_its_pad_and_its_debrief(visit: Visit) -> None:
    page = visit("/drill")
    start(page, "format=hld")
    assert sound(page)
    page.fill("[data-notes]", "ask for the cost\n")
    page.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")
    press(page, "go")
    answer(page, "Users upload and read objects; eleven nines of durability are needed.")
    assert page.inner_text(".steps [aria-current] .step-name") == "Estimation"
    assert page.inner_text(".steps .done .step-time").strip().endswith("of 5")
    elsewhere = page.context.browser.new_context()
    there = elsewhere.new_page()
    there.goto(page.url)
    assert there.input_value("[data-notes]").strip() == "ask for the cost"
    elsewhere.close()
    to_rating(page)
    page.click("#reply button[value=none]")
    page.wait_for_selector(".debriefed")
    assert page.locator(".debriefed > li").count() == 9
    assert "ask for the cost" in page.inner_text("pre")
    assert sound(page)
    page.locator(".debriefed h2 a").first.click()
    page.wait_for_selector("[data-graded]")
    assert sound(page)


def test_an_estimate_with_its_sheet(visit: Visit) -> None:
    page = visit("/drill")
    to_answer(page, "format=estimate&request=chat")
    page.fill("[data-lines]", "users = 50 M\nqps = users * 10 / day\nbad = 1 GB + 3 s")
    page.wait_for_selector(".values .bad")
    assert page.locator(".values li").all_inner_texts()[1].split() == ["qps", "5,787/s", "=", "500", "million/day"]
    assert "a time cannot be added to data" in page.inner_text(".values .bad")
    page.fill("[data-words]", "I assume:")
    page.click("[data-insert]")
    page.wait_for_function("() => document.querySelector('[data-words]').value.includes('qps')")
    assert page.input_value("[data-words]") == "I assume:\nqps = 5,787/s = 500 million/day"
    assert sound(page)
    page.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")  # by itself
    page.evaluate("sessionStorage.clear()")
    page.reload()
    assert page.locator(".values li").count() == 3
    assert page.input_value("[data-words]").startswith("I assume:")


def test_voice_is_off_until_it_was_said_where_speech_may_go(visit: Visit) -> None:
    page = visit("/drill")
    page.add_init_script(FAKE_VOICE)
    to_answer(page)
    page.fill("[data-words]", "First.")
    page.click("[data-voice]")
    assert "send what you say to their maker" in page.inner_text("[data-voice-panel]")
    assert page.evaluate("window.listened") == 0 and sound(page)
    page.click("[data-voice-start]")
    page.wait_for_function("text => document.querySelector('[data-words]').value.includes(text)", arg=HEARD)
    assert page.input_value("[data-words]") == f"First. {HEARD}"
    page.click("[data-voice]")
    assert page.inner_text("[data-voice]") == "Answer by voice"
    page.reload()
    assert page.input_value("[data-words]") == f"First. {HEARD}"


def test_without_voice_in_the_browser_there_is_no_button(visit: Visit) -> None:
    page = visit("/drill")
    page.add_init_script("delete window.SpeechRecognition; delete window.webkitSpeechRecognition;")
    to_answer(page)
    assert not page.is_visible("[data-voice]")


def test_everything_works_without_scripts(visit: Visit) -> None:
    page = visit("/drill", java_script_enabled=False, width=360)

    def click(selector: str) -> None:
        with page.expect_navigation():
            page.locator(selector).first.click()

    page.fill("#request", "chat")
    page.check("input[name=format][value=estimate]")
    click("[data-start] button[type=submit]")
    click("button[value=go]")
    page.fill("[name=answer]", "I assume a peak factor of 3.")
    page.fill("[name=sheet]", "qps = 50 M * 20 / day")
    click("button[value=compute]")
    assert "11,570/s" in page.inner_text(".values")
    click("button[value=insert]")
    assert page.input_value("[name=answer]").startswith("I assume a peak factor of 3.\nqps = 11,570/s")
    click("button[value=send]")
    while page.locator("button[value=pass]").count():
        click("button[value=pass]")
    click("#reply button[value=send]")
    assert page.locator("ol.points > .point").count() > 4
    page.locator(".dispute summary").first.click()
    click(".dispute button")
    assert page.locator(".mine").count() == 1


def test_a_set_goes_by_its_grades_and_back_leads_back(visit: Visit) -> None:
    page = visit("/drill")
    page.select_option("#how-many", "3")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector("[data-room]")
    began = time.monotonic()
    to_rating(page)
    page.click("#reply button[value=none]")
    page.wait_for_selector("[data-graded]")
    page.get_by_role("link", name="Next question").click()
    page.wait_for_selector("[data-room]")
    assert "2 of 3" in page.inner_text(".crumbs") and time.monotonic() - began < 60
    page.go_back()
    page.wait_for_selector("[data-graded]")


def test_what_is_typed_before_a_grade_is_there_at_the_next_question(visit: Visit) -> None:
    page = visit("/drill")
    start(page, "format=set")
    to_rating(page)
    page.evaluate(HELD)
    page.fill("[data-notes]", "before")
    page.click("#reply button[value=none]")
    page.wait_for_function("() => window.posted.length === 1")
    page.fill("[data-notes]", "before, and after")
    page.evaluate("window.let()")
    page.wait_for_selector("[data-graded]")
    page.get_by_role("link", name="Next question").click()
    page.wait_for_selector("[data-room]")
    page.wait_for_function("() => document.querySelector('[data-notes]').value === 'before, and after'")
    page.wait_for_function("() => document.querySelector('[data-saved]').textContent === 'Saved'")
    assert page.locator("[data-other]").count() == 0
