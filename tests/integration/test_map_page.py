"""The map as HTML: every card is a link with a name, paths and threads are told as text, wrong names are told of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.web.app import create_app


@pytest.fixture(scope="module")
def app(curriculum_home: Path) -> Iterator[App]:
    core = App(Settings(home=curriculum_home))
    yield core
    core.close()


@pytest.fixture(scope="module")
def client(app: App) -> TestClient:
    return TestClient(create_app(app), headers={"accept": "text/html"})


def soup(client: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == status, response.text[:300]
    return BeautifulSoup(response.text, "html.parser")


def names(page: BeautifulSoup) -> list[str]:
    return [str(node["data-id"]) for node in page.select(".drawing .node")]


def test_every_card_is_on_the_map_a_link_with_its_name(client: TestClient, app: App) -> None:
    page = soup(client, "/map")
    cards = app.study.outline.cards
    assert sorted(names(page)) == sorted(cards)
    for node in page.select(".drawing .node"):
        card = cards[str(node["data-id"])]
        assert node["href"] == f"/documents/{card.id}"
        assert str(node["aria-label"]).startswith(f"{card.title}, ")
        shown = " ".join(text.get_text() for text in node.select("text"))
        assert shown.replace("- ", "-") == card.title
    assert len(page.select(".lane text")) == len({card.phase for card in cards.values()})
    listed = [a.get_text() for a in page.select("#as-list .list a")]
    assert sorted(listed) == sorted(card.title for card in cards.values())


def test_a_mark_is_shown_by_shape_and_word(client: TestClient) -> None:
    assert client.post("/api/v1/study/progress/caching", json={"status": "mastered"}).status_code == 201
    node = soup(client, "/map").select_one("[data-id=caching]")
    assert node["aria-label"] == "Caching, mastered"
    assert node.select_one(".mark.mastered path") is not None


def test_the_path_to_a_goal_is_listed_as_the_domain_has_it(client: TestClient) -> None:
    way = client.get("/api/v1/study/path/kafka").json()
    page = soup(client, "/map?goal=kafka")
    assert page.h1.get_text() == "The path to Apache Kafka"
    order = [str(a["href"]).rsplit("/", 1)[1] for a in page.select(".way ol a")]
    assert order == [stage["card"] for stage in way["stages"]]
    assert set(names(page)) == set(order) | set(way["left_out"])
    assert page.select_one(".node.goal")["data-id"] == "kafka"
    whole = soup(client, "/map?goal=kafka&whole=true")
    assert len(names(whole)) > len(order)
    out = {str(node["data-id"]) for node in whole.select(".node") if "faded" not in node["class"]}
    assert out == set(names(page))


def test_a_goal_goes_by_its_title_and_aliases_too(client: TestClient) -> None:
    assert soup(client, "/map?goal=apache kafka").select_one(".node.goal")["data-id"] == "kafka"


def test_a_thread_in_its_order(client: TestClient, app: App) -> None:
    thread = app.study.outline.threads[0]
    page = soup(client, f"/map?thread={thread.id}")
    assert [str(a["href"]).rsplit("/", 1)[1] for a in page.select(".way ol a")] == list(thread.cards)
    at = {str(node["data-id"]): int(str(node["data-x"])) for node in page.select(".node")}
    assert [at[card] for card in thread.cards] == sorted(at.values())
    assert page.select_one(".threads a[aria-current]").get_text() == thread.title


def test_what_is_looked_for_is_listed_and_stands_out(client: TestClient) -> None:
    page = soup(client, "/map?find=kafka")
    found = [a.get_text() for a in page.select("[aria-labelledby=found] .list a[href^='/documents']")]
    assert found[0] == "Apache Kafka"
    assert "faded" not in page.select_one("[data-id=kafka]")["class"]
    assert "faded" in page.select_one("[data-id=solid]")["class"]
    none = soup(client, "/map?find=sourdough")
    assert "No card has that" in none.get_text()
    assert none.select(".node.faded") == []


@pytest.mark.parametrize(
    "path", ["/map?goal=nothing-like-it", "/map?thread=none", "/map?goal=%00", "/map?goal=" + "x" * 3000]
)
def test_a_wrong_name_is_told_above_the_map(client: TestClient, path: str) -> None:
    page = soup(client, path, 404)
    assert page.select_one(".failed[role=alert]") is not None
    assert len(names(page)) > 100


def test_a_goal_that_is_nearly_a_card_leads_to_it_by_its_title(client: TestClient) -> None:
    page = soup(client, "/map?goal=kafak", 404)
    meant = page.select_one(".failed dd a")
    assert (meant.get_text(), meant["href"]) == ("Apache Kafka", "/map?goal=kafka")
    assert soup(client, str(meant["href"])).h1.get_text() == "The path to Apache Kafka"
    assert "Did you mean" not in soup(client, "/map?goal=zzzzzz", 404).select_one(".failed").get_text()
    assert "The library lists them all" in soup(client, "/map?goal=zzzzzz", 404).select_one(".failed").get_text()


def test_markup_in_the_address_is_text(client: TestClient) -> None:
    page = soup(client, "/map?find=<img src=x onerror=alert(1)>")
    assert page.select("img") == []
    assert "<img src=x" in page.select_one("#found").get_text()
