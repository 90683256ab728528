"""The page of what is set aside: asked before it is done, listed, taken back; without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.web.app import create_app

POINT = "kafka/why-not-task-queue/per-message-ack"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    found = App(Settings(home=tmp_path / "home"))
    for ref in ("kafka", POINT):
        found.study.review(ref, 1)
    yield found
    found.close()


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with TestClient(create_app(app), base_url="http://127.0.0.1") as found:
        yield found


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.split("<main", 1)[-1])).split())


def test_a_card_is_set_aside_and_taken_back(client: TestClient, app: App) -> None:
    assert "Nothing is set aside" in words(client.get("/review/aside").text)
    asked = client.get("/review/aside", params={"ref": "Apache Kafka"})
    assert "The card and its points will not come up in reviews" in words(asked.text)
    assert app.study.suspended() == [], "asking does nothing"
    assert (ref := re.search(r'name="ref" value="([^"]+)"', asked.text)) and ref[1] == "kafka"
    done = client.post("/review/aside", data={"ref": "kafka", "out": "1"}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/review/aside")
    listed = words(client.get("/review/aside").text)
    assert "Apache Kafka" in listed and "Take back" in listed and next(i.ref for i in app.study.suspended()) == "kafka"
    assert "will not come up" not in words(client.get("/review/aside?ref=kafka").text), "it is there already"
    client.post("/review/aside", data={"ref": "kafka"})
    assert app.study.suspended() == []


def test_a_point_is_set_aside_alone(client: TestClient, app: App) -> None:
    assert "The point will not come up" in words(client.get("/review/aside", params={"ref": POINT}).text)
    client.post("/review/aside", data={"ref": POINT, "out": "1"})
    assert [item.ref for item in app.study.suspended()] == [POINT]
    assert "acknowledges" in words(client.get("/review/aside").text), "the point is told in its words"


def test_what_is_wrong_is_told_on_the_page(client: TestClient, app: App) -> None:
    none = client.get("/review/aside?ref=<b>nope")
    assert none.status_code == 404 and "No card is called so" in words(none.text) and "<b>nope" not in none.text
    assert "never reviewed" in words(client.get("/review/aside?ref=redis").text)
    never = client.post("/review/aside", data={"ref": "redis", "out": "1"})
    assert never.status_code == 422 and "never reviewed" in words(never.text)
    assert app.study.suspended() == []


def test_a_leech_offers_it_on_today(client: TestClient, app: App) -> None:
    assert "Set aside" not in words(client.get("/today").text)
    now = app.study.clock()
    app.study.clock = lambda: now
    for days in range(1, 7):
        app.study.clock = lambda days=days: now.replace(year=now.year + days)  # type: ignore[misc]
        app.study.review("kafka", 1)
    app.study.clock = lambda: now.replace(year=now.year + 7)
    page = client.get("/today").text
    assert "/review/aside?ref=kafka" in page and "tutor review --suspend" not in page
