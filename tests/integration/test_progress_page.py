"""The pages on progress read as HTML: what they rest on, what leads where, marks brought in, odd input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient
from httpx import Response

import studied
from fakes import FakeEncoder
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app

HTML = {"accept": "text/html"}


def made(home: Path) -> App:
    return App(Settings(home=home, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of somebody who has studied for two months."""
    home = tmp_path_factory.mktemp("studied")
    studied.study(home)
    core = made(home)
    yield TestClient(create_app(core), headers=HTML, follow_redirects=False)
    core.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[TestClient]:
    """Of somebody who has done nothing."""
    core = made(tmp_path)
    yield TestClient(create_app(core), headers=HTML, follow_redirects=False)
    core.close()


def soup(response: Response, status: int = 200) -> BeautifulSoup:
    assert response.status_code == status, response.text[:400]
    return BeautifulSoup(response.text, "html.parser")


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def test_what_a_tiers_readiness_rests_on(client: TestClient) -> None:
    page = soup(client.get("/progress"))
    rows = page.select("figure.bars:has([id^=readiness]) tbody tr")
    assert [row.select_one("a").get_text() for row in rows] == ["Tier 1", "Tier 2", "Tier 3"]  # type: ignore[union-attr]
    figures = client.get("/api/v1/study/stats").json()["readiness"]
    for row, told in zip(rows, figures, strict=True):
        shown = row.get_text(" ")
        assert ("not enough to say" if told["percent"] is None else f"{told['percent']}%") in shown
        assert f"{told['answers']} answers to {told['answered']} of {told['cards']} cards" in shown
        assert f"{told['mastered']} mastered" in shown


def test_ids_are_the_pages_own_and_its_drawings_hold_no_nan(client: TestClient) -> None:
    response = client.get("/progress?days=0&by=section")
    page = soup(response)
    ids = [str(e["id"]) for e in page.find_all(True, id=True)]
    assert len(ids) == len(set(ids))
    assert len(response.content) < 200_000
    for drawing in page.select("svg[role=img]"):
        assert not re.search(r'="[^"]*\b(?:nan|inf)\b', str(drawing))


@pytest.mark.parametrize(("by", "rows"), [("phase", 10), ("tier", 3), ("section", 39), ("plan", 4)])
def test_cards_by_what_they_belong_to(client: TestClient, by: str, rows: int) -> None:
    page = soup(client.get(f"/progress?by={by}"))
    table = page.select("figure.stacks tbody tr")
    assert len(table) == rows
    for row in (table[0], table[-1]):
        mastered, learning, open_, whole = (int(cell.get_text()) for cell in row.select("td"))
        assert mastered + learning + open_ == whole
        listed = soup(client.get(str(one(row, "a")["href"])))
        assert len(listed.select(".standing > li")) == whole


def test_weak_points_lead_to_their_card_and_to_a_drill(client: TestClient) -> None:
    page = soup(client.get("/progress?days=0"))
    points = page.select("section:has(#weak) li")
    assert len(points) == 10
    for point in points:
        card, drill = (str(a["href"]) for a in point.select("a"))
        assert card.startswith("/documents/") and drill == f"/drill?request={card.rsplit('/', 1)[1]}"
        assert "lacking in" in point.get_text()


def test_a_period_leaves_out_what_was_before(client: TestClient) -> None:
    def answers(days: int) -> int:
        page = soup(client.get(f"/progress?days={days}"))
        cells = [row.select("td")[1].get_text() for row in page.select("figure:has([id^=kinds]) tbody tr")]
        return sum(int(cell.split()[0]) for cell in cells)

    assert 0 < answers(30) < answers(90) == answers(0)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/progress?days=31", 422),
        ("/progress?days=x", 422),
        ("/progress?by=<b>", 404),
        ("/progress?days=99999999999", 422),
    ],
)
def test_what_makes_no_sense_is_told(client: TestClient, path: str, status: int) -> None:
    page = soup(client.get(path), status)
    assert len(one(page, ".failed").get_text()) > 20 and not page.select(".failed b")


def test_cards_that_do_not_exist_are_an_empty_list(client: TestClient) -> None:
    for query in ("status=zzz", "phase=<b>", "tier=9", "section=%00", "plan=zzz"):
        page = soup(client.get(f"/progress/cards?{query}"))
        assert not page.select(".standing li") and one(page, ".empty a")["href"] == "/progress/cards"


def test_somebody_new_is_told_how_it_begins(new: TestClient) -> None:
    page = soup(new.get("/progress"))
    assert {str(a["href"]) for a in page.select(".panel .row a")} == {"/drill", "/today", "/progress/import"}
    assert one(page, ".figures a[href$=not-started]").get_text() == "130"
    assert len(page.select("figure")) == 1


def test_after_one_mark_the_rest_says_what_it_waits_for(new: TestClient) -> None:
    assert new.post("/api/v1/study/progress/kafka", json={"status": "learning"}).status_code == 201
    page = soup(new.get("/progress"))
    waiting = {f.select_one("figcaption").get_text(): f.get_text() for f in page.select("figure.none")}  # type: ignore[union-attr]
    assert "5 reviews" in waiting["What you recalled"] and "10 guesses" in waiting["How sure you were"]
    assert set(waiting) == {"What you recalled", "How sure you were", "Kinds of question", "Days studied"}


GUIDE = "[x] A card of none <script>\n[x] Caching\n[~] Consensus: Paxos, Raft and ZAB\n[ ] Apache Kafka\n"


def test_marks_are_previewed_then_taken_in_once(new: TestClient) -> None:
    form = one(soup(new.get("/progress/import")), "form")
    assert one(form, "textarea").get_text() == ""
    page = soup(new.post("/progress/import", data={"text": GUIDE}))
    assert [li.get_text(" ", strip=True) for li in page.select("section li.row")] == [
        "Caching line 2 mastered",
        "Consensus: Paxos, Raft and ZAB line 3 learning",
    ]  # not started is what Kafka was before
    assert one(page, "textarea").get_text().lstrip("\n") == GUIDE
    assert "<script>" in one(page, "details").get_text() and not page.select("main script")
    assert one(soup(new.get("/progress")), ".figures a").get_text() == "0"  # nothing was taken in
    token = str(one(page, "input[name=once]")["value"])
    for _ in range(2):
        done = new.post("/progress/import", data={"text": GUIDE, "apply": "yes", "once": token})
        assert (done.status_code, done.headers["location"]) == (303, "/progress/import?taken=2")
    assert "Taken in: 2 marks." in soup(new.get("/progress/import?taken=2")).get_text()
    again = soup(new.post("/progress/import", data={"text": GUIDE}))
    assert "Nothing: all 3 marks" in again.get_text() and not again.select("button[name=apply]")


@pytest.mark.parametrize("text", ["", "no marks here", "[x] A card of no curriculum", "x" * 300_001])
def test_what_has_no_marks_comes_back_with_what_to_do(new: TestClient, text: str) -> None:
    for extra in ({}, {"apply": "yes"}):
        page = soup(new.post("/progress/import", data={"text": text} | extra), 422)
        assert one(page, "textarea").get_text().lstrip("\n") == text
        assert one(page, ".failed dd").get_text()
