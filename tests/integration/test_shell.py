"""What every page stands in: the places, the manifest, what the palette finds, and the design system's page."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app
from tutor.web.design import contrast, tokens
from tutor.web.pages import palette
from tutor.web.pages.design import COMPONENTS
from tutor.web.pages.shell import PAPER
from tutor.web.views import GO, HERE, NAVIGATION, place_of

TOKENS = HERE / "static" / "css" / "tokens.css"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    core = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    core.ingest([write_notes(tmp_path / "notes")])
    yield core
    core.close()


@pytest.fixture
def client(app: App) -> TestClient:
    return TestClient(create_app(app), headers={"accept": "text/html"})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/"),
        ("/conversations/ab", "/"),
        ("/documents/kafka", "/documents"),
        ("/plan/28-day", "/plan"),
        ("/review", "/today"),
        ("/settings/import/x", "/settings"),
        ("/planets", ""),
        ("/design", ""),
    ],
)
def test_a_page_knows_its_place(path: str, place: str) -> None:
    assert place_of(path) == place


def test_every_place_has_a_key_of_its_own() -> None:
    assert list(GO) == [path for path, _, _ in NAVIGATION]
    assert len(set(GO.values())) == len(GO) and "g" not in GO.values()


def test_the_manifest_names_icons_that_are_there(client: TestClient) -> None:
    response = client.get("/manifest.webmanifest")
    assert response.headers["content-type"].startswith("application/manifest+json")
    manifest = response.json()
    assert manifest["start_url"] == manifest["id"] == "/" and manifest["display"] == "standalone"
    sizes = set()
    for icon in manifest["icons"]:
        picture = client.get(icon["src"])
        assert picture.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", picture.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
            sizes.add((width, icon["purpose"]))
    assert {(192, "any"), (512, "any"), (512, "maskable")} <= sizes
    assert all(client.get(s["url"]).status_code in (200, 404, 503) for s in manifest["shortcuts"])
    assert {s["url"] for s in manifest["shortcuts"]} <= set(GO)


def test_the_frames_colours_are_the_papers(client: TestClient) -> None:
    paper = next(colour for colour in tokens(TOKENS).colours if colour.name == "paper")
    page = BeautifulSoup(client.get("/settings").text, "html.parser")
    assert [meta["content"] for meta in page.select("meta[name=theme-color]")] == [paper.light, paper.dark]
    assert paper.light == PAPER


def test_the_palette_is_asked_again_only_when_the_library_changed(client: TestClient, app: App, tmp_path: Path) -> None:
    first = client.get("/palette")
    rows = first.json()["documents"]
    assert [row[1] for row in rows] == [document["title"] for document in client.app.state.core.documents()]
    tag = first.headers["etag"]
    again = client.get("/palette", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    (tmp_path / "notes" / "new.md").write_text("# Quite new\n\nA paragraph about new things.\n", encoding="utf-8")
    app.ingest()
    changed = client.get("/palette", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert "Quite new" in [row[1] for row in changed.json()["documents"]]


def test_a_large_library_is_cut_for_the_palette() -> None:
    documents = [{"doc_id": str(i), "title": "T", "aliases": [], "kind": "note", "meta": {}} for i in range(5_000)]
    assert len(list(palette.named(documents))) == palette.MOST


def test_the_palette_says_so_where_there_is_no_index(tmp_path: Path) -> None:
    core = App(Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    response = TestClient(create_app(core), headers={"accept": "application/json"}).get("/palette")
    core.close()
    assert response.status_code == 503


def test_the_design_page_shows_every_token_and_component(client: TestClient) -> None:
    page = BeautifulSoup(client.get("/design").text, "html.parser")
    named = {code.get_text().removeprefix("--") for code in page.select("code") if code.get_text().startswith("--")}
    found = tokens(TOKENS)
    listed = [c.name for c in found.colours] + [n for n, _ in (*found.families, *found.sizes, *found.spaces)]
    assert set(listed) <= named
    declared = {
        line.split(":")[0].strip().removeprefix("--") for line in TOKENS.read_text().splitlines() if "  --" in line
    }
    assert set(listed) == declared
    assert all(colour.purpose for colour in found.colours)
    assert {section["id"] for section in page.select(".component")} == {name for name, _, _ in COMPONENTS}
    assert len(page.select("h1")) == 1


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_an_error_page_has_its_headings_in_order(client: TestClient) -> None:
    page = BeautifulSoup(client.get("/nowhere").text, "html.parser")
    assert [heading.name for heading in page.select("main :is(h1, h2, h3)")] == ["h1", "h2"]


def test_every_region_of_the_api_page_has_a_name_of_its_own(client: TestClient) -> None:
    page = BeautifulSoup(client.get("/docs").text, "html.parser")
    labels = [region["aria-label"] for region in page.select("[role=region]")]
    assert len(labels) > 10 and len(labels) == len(set(labels))
