"""The library and a card's page without scripts: what is shown, what each form does, what comes back when it fails."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from tutor.bootstrap import App
from tutor.errors import StudyFault
from tutor.settings import Settings
from tutor.study import notes
from tutor.web.app import create_app

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def app(curriculum_home: Path) -> Iterator[App]:
    core = App(Settings(home=curriculum_home))
    yield core
    core.close()


@pytest.fixture(scope="module")
def client(app: App) -> TestClient:
    return TestClient(create_app(app), headers=HTML)


@pytest.fixture
def own(curriculum: Path, tmp_path: Path) -> Iterator[tuple[TestClient, App]]:
    """A home of the test's own."""
    home = Path(shutil.copytree(curriculum, tmp_path / "home"))
    core = App(Settings(home=home))
    yield TestClient(create_app(core), headers=HTML), core
    core.close()


def soup(client: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == status
    return BeautifulSoup(response.text, "html.parser")


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def titles(page: BeautifulSoup) -> list[str]:
    return [a.get_text() for a in page.select(".shelf:not([hidden]) li:not([hidden]) a")]


def form(client: TestClient, path: str, do: str) -> dict[str, Any]:
    """The hidden fields of a form, as a browser sends them."""
    fields = soup(client, path).select(f"form:has(input[name='do'][value='{do}']) input[type='hidden']")
    return {str(field["name"]): field["value"] for field in fields}


def send(client: TestClient, path: str, fields: dict[str, Any]) -> Any:
    return client.post(path, data=fields, follow_redirects=False)


def test_the_library_shows_everything_with_its_standing(client: TestClient) -> None:
    page = soup(client, "/documents")
    shown = titles(page)
    assert one(page, "[data-count]").get_text() == f"{len(shown)} of {len(shown)} documents"
    assert len(shown) > 300
    kafka = one(page, "li:has(> a[href='/documents/kafka'])")
    assert "Tier 1 · deep-dive" in kafka.get_text() and "not started" not in kafka.get_text()  # as nearly all are
    assert one(page, ".tabs a[aria-current='page']").get_text() == "Phase"


@pytest.mark.parametrize(
    ("by", "heading"),
    [
        ("phase", "Phase 4: Distributed systems"),
        ("section", "Asynchronous communication"),
        ("tier", "Tier 1"),
        ("plan", "The twelve-week plan"),
        ("category", "Articles: System Design, Caching Strategies"),
        ("nonsense", "Phase 4: Distributed systems"),
    ],
)
def test_the_library_is_grouped_in_five_ways(client: TestClient, by: str, heading: str) -> None:
    page = soup(client, f"/documents?by={by}")
    shelves = {one(s, "h2").contents[0].get_text(strip=True): s for s in page.select(".shelf")}
    assert heading in shelves
    assert int(one(shelves[heading], "[data-shown]").get_text()) == len(shelves[heading].select("li"))
    distinct = {a["href"] for a in page.select(".shelf a")}
    assert one(page, "[data-count]").get_text() == f"{len(distinct)} of {len(distinct)} documents"


def test_a_document_stands_on_the_shelf_of_each_plan_that_names_it(client: TestClient) -> None:
    page = soup(client, "/documents?by=plan")
    plans = [one(s, "h2").get_text() for s in page.select(".shelf") if s.select_one("a[href='/documents/kafka']")]
    assert len(plans) > 1 and all("plan" in name or "roadmap" in name for name in plans)


def test_filters_are_combined_and_kept_while_grouping(client: TestClient) -> None:
    page = soup(client, "/documents?filter=log&phase=4&tier=1&kind=card&by=tier")
    assert "Apache Kafka" in titles(page) and len(titles(page)) < 15
    assert not [s for s in page.select(".shelf:not([hidden])") if not s.select("li:not([hidden])")]
    assert one(page, "#facet-phase option[selected]")["value"] == "4"
    assert one(page, "input[name='by']")["value"] == "tier"
    assert one(page, "[data-by='section']")["href"] == "/documents?by=section&filter=log&phase=4&tier=1&kind=card"
    assert one(page, "form [data-clear]")["href"] == "/documents?by=tier"
    depth = titles(soup(client, "/documents?depth=fundamental"))
    assert depth and "Apache Kafka" not in depth


@pytest.mark.parametrize("query", ["filter=zzzz", "phase=4&kind=article", "tier=<script>", "mark=mastered", "phase=x"])
def test_what_nothing_fits_shows_nothing_and_says_so(client: TestClient, query: str) -> None:
    page = soup(client, f"/documents?{query}")
    assert titles(page) == [] and not one(page, "[data-none]").has_attr("hidden")


def test_the_library_knows_the_marks(own: tuple[TestClient, App]) -> None:
    client, app = own
    app.study.mark("kafka", "mastered")
    app.study.mark("redis", "learning")
    app.study.review("caching", 1)
    assert titles(soup(client, "/documents?mark=mastered")) == ["Apache Kafka"]
    assert set(titles(soup(client, "/documents?mark=learning"))) == {"Caching", "Redis"}
    shelf = next(s for s in soup(client, "/documents").select(".shelf") if s.select_one("a[href='/documents/kafka']"))
    assert "1 mastered" in one(shelf, "h2").get_text()


def test_without_the_study_store_the_library_and_the_cards_are_there(
    own: tuple[TestClient, App], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, app = own

    def broken() -> None:
        raise StudyFault("the disk is gone", fix="Put it back.")

    monkeypatch.setattr(app.study, "standing", broken)
    page = soup(client, "/documents")
    assert len(titles(page)) > 300 and "the disk is gone" in one(page, "[role='alert']").get_text()
    assert page.select_one("#facet-mark") is None
    card = soup(client, "/documents/kafka")
    assert "the disk is gone" in one(card, "[role='alert']").get_text() and one(card, ".prose h2")


def test_a_cards_page_has_all_its_parts(client: TestClient) -> None:
    page = soup(client, "/documents/kafka")
    assert len(page.select("h1")) == 1
    for link in page.select(".toc a, .bar a"):
        assert page.select_one(str(link["href"])), link
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert one(page, "figure.diagram svg[role='img']")["aria-label"].startswith("Flow: Producer")
    assert [h.get_text() for h in page.select("#ties h3")][:3] == ["Read before", "Builds on this", "Related"]
    assert one(page, "#ties a[href='/documents/replication']") and one(page, "#ties a[href='/plan/12-weeks']")
    assert one(page, "a[href='/map?goal=kafka']") and one(page, "a[href='/drill?request=kafka']")
    questions = page.select("#try .questions > li")
    assert len(questions) == 5
    assert "Why not Kafka?" in questions[0].get_text()
    assert one(questions[0], "a.button")["href"].startswith("/drill?request=We+only+need")
    rubric = one(questions[0], "details")
    assert not rubric.has_attr("open") and "acknowledges and retries each message" in rubric.get_text()
    assert "Red flags" in rubric.get_text() and "SQS or RabbitMQ" in rubric.get_text()


def test_the_pane_and_other_documents_have_only_the_document(client: TestClient) -> None:
    for path in ("/documents/kafka?fragment=true", "/documents/article-cache-invalidation-strategies"):
        page = soup(client, path)
        assert page.select("form") == [] and page.select(".prose")
        assert [h.get_text() for h in page.select(".links h2")][-1] == "Resources"


def test_a_mark_is_taken_with_its_reason_once(own: tuple[TestClient, App]) -> None:
    client, app = own
    fields = {**form(client, "/documents/kafka", "mark"), "status": "learning", "reason": "Read it <b>twice</b>"}
    answer = send(client, "/documents/kafka", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/documents/kafka?said=mark#mark")
    assert send(client, "/documents/kafka", fields).status_code == 303  # sent twice
    assert [m.note for m in app.study.standing().marks] == ["Read it <b>twice</b>"]
    page = soup(client, "/documents/kafka?said=mark")
    assert one(page, "[role='status'].said").get_text() == "Marked: learning."
    assert "Learning" in one(page, ".bar .badge").get_text()
    assert "Your own mark: learning" in one(page, ".history").get_text()
    assert page.select(".history b") == []


def test_a_check_counts_only_whole(own: tuple[TestClient, App]) -> None:
    client, app = own
    hidden = form(client, "/documents/kafka", "check")
    assert send(client, "/documents/kafka", {**hidden, "item": ["0", "2"]}).status_code == 303
    assert app.study.standing().cards["kafka"].status == "learning"
    hidden = form(client, "/documents/kafka", "check")
    assert send(client, "/documents/kafka", {**hidden, "item": ["0", "1", "2"]}).status_code == 303
    at = app.study.standing().cards["kafka"]
    assert (at.status, at.why) == ("mastered", "the mastery check") and at.due
    page = soup(client, "/documents/kafka")
    assert (
        "The mastery check, since" in one(page, "#mark").get_text() and "Next review:" in one(page, "#mark").get_text()
    )


def test_a_card_is_set_aside_and_taken_back(own: tuple[TestClient, App]) -> None:
    client, app = own
    assert form(client, "/documents/kafka", "aside") == {}  # never reviewed: there is nothing to set aside
    assert send(client, "/documents/kafka", {"do": "aside", "out": "1"}).status_code == 422
    app.study.review("kafka", 1)
    for out, words in (("1", "is set aside"), ("", "comes up for review again")):
        hidden = form(client, "/documents/kafka", "aside")
        assert hidden["out"] == out
        assert send(client, "/documents/kafka", hidden).headers["location"] == "/documents/kafka?said=aside#mark"
        assert words in one(soup(client, "/documents/kafka?said=aside"), "#mark .said").get_text()
        assert app.study.standing().cards["kafka"].suspended == bool(out)


def test_a_check_of_other_items_is_refused_and_keeps_its_ticks(client: TestClient) -> None:
    answer = send(client, "/documents/kafka", {"do": "check", "items": "7", "item": ["1"]})
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert "the check has changed since" in one(page, "#check .failed").get_text().lower()
    assert [box["value"] for box in page.select("#check input[checked]")] == ["1"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"do": "mark", "status": "wise"}, 422),
        ({"do": "mark", "status": "learning", "reason": "x" * 2001}, 422),
        ({"do": "check", "items": "many"}, 422),
        ({"do": "note", "text": "x", "version": "y"}, 422),
        ({"do": "note", "text": "x" * 15_001}, 422),
        ({"do": "delete"}, 422),
        ({}, 422),
    ],
)
def test_forms_that_cannot_be_taken_say_why(client: TestClient, fields: dict[str, str], status: int) -> None:
    answer = send(client, "/documents/kafka", fields)
    assert answer.status_code == status and "Traceback" not in answer.text
    if fields.get("reason"):
        page = BeautifulSoup(answer.text, "html.parser")
        assert one(page, "#reason")["value"] == fields["reason"]


def test_forms_for_what_is_no_card_are_refused(client: TestClient) -> None:
    assert (
        send(client, "/documents/article-cache-invalidation-strategies", {"do": "note", "text": "x"}).status_code == 404
    )
    assert send(client, "/documents/nope", {"do": "mark", "status": "learning"}).status_code == 404


def test_a_note_is_kept_shown_and_found_again(own: tuple[TestClient, App]) -> None:
    client, app = own
    hidden = form(client, "/documents/kafka", "note")
    text = "# Mine\n\n**ISR** is `in sync`.\n\n- one"
    answer = send(client, "/documents/kafka", {**hidden, "text": text.replace("\n", "\r\n")})
    assert answer.headers["location"] == "/documents/kafka?said=note#note"
    assert notes.read(app.study.store, "kafka").text == text
    page = soup(client, "/documents/kafka")
    written = one(page, ".written")
    assert one(written, "h3").get_text() == "Mine" and one(written, "strong").get_text() == "ISR"
    assert one(page, "#note textarea").get_text() == f"\n{text}"
    assert not one(page, "#note details").has_attr("open")


def test_two_windows_do_not_write_over_each_other(own: tuple[TestClient, App]) -> None:
    client, app = own
    first, second = (form(client, "/documents/kafka", "note") for _ in range(2))
    assert send(client, "/documents/kafka", {**first, "text": "from the first"}).status_code == 303
    answer = send(client, "/documents/kafka", {**second, "text": "from the second"})
    assert answer.status_code == 409
    page = BeautifulSoup(answer.text, "html.parser")
    assert one(page, "#note textarea").get_text() == "\nfrom the second"
    assert one(page, "[data-other-text]").get_text() == "from the first"
    assert notes.read(app.study.store, "kafka").text == "from the first"
    hidden = {str(f["name"]): f["value"] for f in page.select("#note form input[type='hidden']")}
    assert send(client, "/documents/kafka", {**hidden, "text": "from the second", "both": "1"}).status_code == 303
    assert notes.read(app.study.store, "kafka").text == "from the first\n\n---\n\nfrom the second"


ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    '![x](x" onerror="alert(1))',
    "<svg onload=alert(1)><animate onbegin=alert(1)>",
    "```mermaid\nflowchart LR\n A[<img src=x onerror=alert(1)>]\n```",
    "</textarea><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_note_is_only_text(client: TestClient, attack: str) -> None:
    hidden = form(client, "/documents/redis", "note")
    assert send(client, "/documents/redis", {**hidden, "text": attack}).status_code == 303
    section = one(soup(client, "/documents/redis"), "#note")
    assert not section.select("script, img, iframe, svg, object, embed, [onerror], [onload], [srcdoc]")
    assert all(not re.match(r"\s*(javascript|data|vbscript):", str(a["href"])) for a in section.select("a[href]"))
    assert one(section, "textarea").get_text() == f"\n{attack}"


def test_the_api_of_notes(own: tuple[TestClient, App]) -> None:
    client, _ = own
    path = "/api/v1/study/notes/kafka"
    assert client.get(path).json() == {"card": "kafka", "text": "", "version": 0, "at": None, "html": ""}
    saved = client.put(path, json={"text": "*a* <b>", "version": 0}).json()
    assert (saved["version"], saved["html"]) == (1, "<p><em>a</em> &lt;b&gt;</p>\n")
    conflict = client.put(path, json={"text": "b", "version": 0})
    assert conflict.status_code == 409 and "another window" in conflict.json()["error"]["what"]
    assert client.put(path, json={"text": "b", "version": 1}).json()["version"] == 2
    assert client.put(path, json={"text": "x" * 15_001, "version": 2}).status_code == 422
    assert client.put(path, json={"text": "\u6f22" * 15_000, "version": 2}).status_code == 200
    assert client.put("/api/v1/study/notes/nope", json={"text": "b"}).status_code == 404
    assert client.put(path, json={"text": "b", "version": -1}).status_code == 422


def test_entries_of_the_log_that_name_the_card(own: tuple[TestClient, App]) -> None:
    client, app = own
    assert "No entry names this card yet" in one(soup(client, "/documents/kafka"), "#log").get_text()
    entry = app.log.add("We chose Kafka for <i>replay</i>.", title="Why <b>Kafka</b>")
    section = one(soup(client, "/documents/kafka"), "#log")
    assert one(section, f"a[href='/log/{entry.id}']").get_text() == "Why <b>Kafka</b>"
    assert section.select("b, i") == []
