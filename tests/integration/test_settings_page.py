"""Settings as a page: what is in force is told and no secret with it; data goes out, comes in, and is deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, LlmSettings, QdrantSettings, ServerSettings, Settings, StudySettings
from tutor.study.tables import Drilled
from tutor.studying import open_store
from tutor.web.app import create_app
from tutor.web.pages import settings
from tutor.web.pages.settings import WORDS

KEY = "a-key-that-nobody-may-see-here"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    core = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    core.ingest([write_notes(tmp_path / "notes")])
    yield core
    core.close()


@pytest.fixture
def client(app: App) -> TestClient:
    return TestClient(create_app(app), headers={"accept": "text/html"}, follow_redirects=True)


def soup(client: TestClient, path: str = "/settings", status: int = 200) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == status, response.text[:500]
    return BeautifulSoup(response.text, "html.parser")


def facts(page: BeautifulSoup) -> dict[str, str]:
    return {row.dt.get_text(): row.dd.get_text(" ", strip=True) for row in page.select(".facts > div")}


def token(page: BeautifulSoup, action: str) -> str:
    return str(page.select_one(f'form[action="{action}"] input[name=once]')["value"])


def mark(client: TestClient, card: str = "kafka") -> None:
    assert client.post(f"/api/v1/study/progress/{card}", json={"status": "learning"}).status_code == 201


def test_what_is_in_force_is_told(client: TestClient, app: App) -> None:
    found = facts(soup(client))
    assert found["Answers"].startswith("cut from the passages")
    assert re.match(r"\d+ documents, \d+ passages", found["Index"])
    assert app.reader.manifest.generation in found["Index"]
    assert found["Encoder"] == app.encoder.name
    assert found["Data folder"].startswith(str(app.settings.home))
    assert "Learner local" in found["Study store"]
    assert found["Server"].startswith("http://testserver/") and "Asks for no key" in found["Server"]
    assert found["Telemetry"] == "off: nothing leaves this machine"


def test_every_setting_is_listed_and_no_secret(tmp_path: Path) -> None:
    chosen = Settings(
        home=tmp_path,
        corpus=CorpusSettings(builtin=False),
        qdrant=QdrantSettings(url="http://ada:pass-word@127.0.0.1:9"),
        study=StudySettings(url="postgresql+psycopg://ada:pass-word@127.0.0.1:9/tutor"),
        server=ServerSettings(api_key=KEY),
        llm=LlmSettings(provider="openai", model="some-model", api_key=KEY),
    )
    core = App(chosen, encoder=FakeEncoder())
    client = TestClient(
        create_app(core),
        headers={"accept": "text/html", "authorization": f"Bearer {KEY}"},
        raise_server_exceptions=False,
    )
    response = client.get("/settings")
    core.close()
    assert response.status_code == 200
    assert KEY not in response.text and "pass-word" not in response.text
    page = BeautifulSoup(response.text, "html.parser")
    listed = {row.th.get_text(): row.td.get_text() for row in page.select(".every tbody tr")}
    assert listed["server.api_key"] == listed["llm.api_key"] == "**********"
    assert listed["study.minutes"] == "45"
    # Neither the index nor the store answers: each says so, and hides nothing else.
    told = facts(page)
    assert "some-model" in told["Answers"] and "Asks for a key" in told["Server"]
    assert page.select_one("#in-force .value.wrong") is not None


def test_a_check_is_made_when_asked_for(client: TestClient) -> None:
    page = soup(client)
    assert "Not checked since" in page.get_text()
    response = client.post("/settings/check", data={"once": token(page, "/settings/check")})
    assert response.url.path == "/settings"
    page = soup(client)
    abouts = [b.get_text() for b in page.select(".finding b")]
    assert {"settings", "versions", "encoder", "index", "study", "disk"} <= set(abouts)
    assert page.select_one("#health time")["datetime"]


def test_an_export_is_looked_at_before_it_is_brought_in(client: TestClient, tmp_path: Path) -> None:
    mark(client)
    export = client.get("/api/v1/study/export")
    assert set(export.json()["parts"]) <= set(settings._NAMES)  # each has words of its own
    assert "attachment" in export.headers["content-disposition"]

    other = App(Settings(home=tmp_path / "other", corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    second = TestClient(create_app(other), headers={"accept": "text/html"})
    once = token(_soup_without_index(second), "/settings/import")
    sent = second.post("/settings/import", data={"once": once}, files={"file": ("tutor.json", export.content)})
    assert re.fullmatch(r"/settings/import/[\w-]+", sent.url.path)
    page = BeautifulSoup(sent.text, "html.parser")
    rows = {row.th.get_text(): [td.get_text() for td in row.select("td")] for row in page.select("tbody tr")}
    assert rows["Marks of cards"] == ["1", "0", "0"]
    assert second.get("/api/v1/study/progress/kafka").json()["status"] == "not-started"  # nothing has changed yet

    confirm = {"once": token(page, sent.url.path)}
    done = second.post(sent.url.path, data=confirm)
    assert "marks of cards, 1 new" in done.text
    assert second.get("/api/v1/study/progress/kafka").json()["status"] == "learning"
    again = second.post(sent.url.path, data=confirm)  # the same form sent twice is carried out once
    assert again.url == done.url
    assert second.get(sent.url.path).status_code == 404
    other.close()


def _soup_without_index(client: TestClient) -> BeautifulSoup:
    page = soup(client)
    assert page.select_one("#in-force .value.wrong") is not None
    return page


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "No file was chosen"), (b"{", "no JSON"), (b'{"format": "tutor-export"', "cut short")]
)
def test_a_file_that_is_no_export_is_refused_on_the_page(client: TestClient, data: bytes, said: str) -> None:
    response = client.post("/settings/import", files={"file": ("x.json", data)})
    assert response.status_code == 422
    page = BeautifulSoup(response.text, "html.parser")
    assert said in page.select_one("#data .failed").get_text()
    assert client.get("/settings/import").url.path == "/settings"  # the way back from its address


def test_a_file_of_more_than_32_mb_is_refused(client: TestClient) -> None:
    response = client.post("/settings/import", files={"file": ("x.json", b" " * (33 << 20))})
    assert response.status_code == 413


def test_everything_is_deleted_once_the_words_are_typed(client: TestClient, app: App) -> None:
    mark(client)
    page = soup(client)
    refused = client.post("/settings/erase", data={"once": token(page, "/settings/erase"), "words": "yes, delete"})
    assert refused.status_code == 422
    form = BeautifulSoup(refused.text, "html.parser")
    assert form.select_one("#words")["value"] == "yes, delete"
    assert form.select_one("#words")["aria-invalid"] == "true"
    assert client.get("/api/v1/study/progress/kafka").json()["status"] == "learning"

    given = {"once": token(form, "/settings/erase"), "words": f" {WORDS.title()} "}
    done = client.post("/settings/erase", data=given)
    told = BeautifulSoup(done.text, "html.parser").select_one(".said").get_text(" ", strip=True)
    assert "Everything is deleted: 1 row and 0 files." in told
    assert "these older copies" in told and str(app.settings.home / "backups" / "daily-") in told
    assert "choose it under Bring it in" in told and "tutor import" not in told
    assert client.get("/api/v1/study/progress/kafka").json()["status"] == "not-started"
    backup = Path(re.search(r"kept in (\S+\.json)", told)[1])
    assert json.loads(backup.read_text(encoding="utf-8"))["parts"]["marks"]["count"] == 1

    mark(client)  # the store goes on
    assert client.post("/settings/erase", data=given).url == done.url  # replayed: nothing more is deleted
    assert client.get("/api/v1/study/progress/kafka").json()["status"] == "learning"


def test_drills_that_another_learner_may_have_made_are_named(client: TestClient, app: App) -> None:
    drill = "20260503-abcdabcd"
    (app.settings.home / "drills").mkdir(parents=True)
    (app.settings.home / "drills" / f"{drill}.json").write_text("{}", encoding="utf-8")
    store = open_store(app.settings.model_copy(update={"study": StudySettings(learner="ada")}))
    store.owner()
    with store.write() as session:
        now = datetime.now(UTC)
        session.add(Drilled(id="d", learner="ada", at=now, session=drill, task=1, card="", verdict="wrong", score=0))
    store.close()
    given = {"once": token(soup(client), "/settings/erase"), "words": WORDS}
    told = BeautifulSoup(client.post("/settings/erase", data=given).text, "html.parser").select_one(".said")
    assert f"Not deleted, in {app.settings.home / 'backups' / 'drills-of-several-'}" in told.get_text(" ", strip=True)
    assert told.select("li code")[-1].get_text() == drill


def test_an_anki_deck(client: TestClient) -> None:
    pytest.importorskip("genanki")
    response = client.get("/settings/anki")
    assert response.content[:2] == b"PK"
    assert response.headers["cache-control"] == "no-store"


def test_another_sites_form_is_refused(client: TestClient) -> None:
    for path in ("/settings/check", "/settings/erase", "/settings/import"):
        response = client.post(path, data={"words": WORDS}, headers={"origin": "https://elsewhere.example"})
        assert response.status_code == 403, path


def test_told_says_only_what_was_done_here(client: TestClient) -> None:
    page = soup(client, "/settings?told=<b>Call%20this%20number</b>")
    assert "number" not in page.get_text()


def test_the_model_that_may_not_be_asked_is_said(tmp_path: Path) -> None:
    llm = LlmSettings(provider="compatible", model="m", url="http://127.0.0.1:9/v1")
    core = App(Settings(home=tmp_path, llm=llm, server=ServerSettings(host="0.0.0.0")), encoder=FakeEncoder())
    told = facts(soup(TestClient(create_app(core), headers={"accept": "text/html"})))
    core.close()
    assert "it is not asked" in told["Answers"]
