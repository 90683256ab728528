"""Conversations over HTTP and as pages without scripts: kept, gone on with, managed, taken along, voted on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from fakes import ScriptedModel
from tutor.answering.cite import Citation, Further, Own
from tutor.answering.written import Dropped, Generation
from tutor.bootstrap import App
from tutor.errors import StudyFault
from tutor.keeping import kept_answer, kept_json
from tutor.models.port import Usage
from tutor.settings import CorpusSettings, LlmSettings, Settings, StudySettings
from tutor.web.app import create_app
from tutor.web.pieces import copyable, pieces

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
QUESTION = "B-tree or LSM-tree for a write-heavy store?"
FOLLOW_UP = "and when not?"
NOT_ANSWERED = "How do I bake sourdough bread?"
HTML = {"accept": "text/html"}
WRITTEN = (
    "A follower without heartbeats within a random timeout raises its term and asks for votes. [1]\n\n"
    "- The Raft leader appends client commands, sends them to followers and advances the commit index "
    "when a majority has stored an entry of the current term. [1]\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("kept")
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    core.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "consensus")])
    core.close()
    return home


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[App]:
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    yield core
    core.close()


@pytest.fixture
def client(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """With no conversation yet."""
    yield TestClient(create_app(app))
    monkeypatch.undo()
    for one in app.conversations.find(limit=1000)[1]:
        app.conversations.delete(one.id)


def ask(client: TestClient, question: str, conversation: str = "new", **more: Any) -> dict[str, Any]:
    response = client.post("/api/v1/ask", json={"question": question, "conversation": conversation, **more})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def events(client: TestClient, body: dict[str, Any]) -> list[tuple[str, Any]]:
    text = client.post("/api/v1/ask/stream", json=body).text
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def soup(client: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    response = client.get(path, headers=HTML)
    assert response.status_code == status, response.text
    page = BeautifulSoup(response.text, "html.parser")
    for template in page.select("main > template"):
        template.decompose()
    return page


def token(page: BeautifulSoup, form: str) -> str:
    found = page.select_one(f"{form} [name=once]")
    assert found is not None
    return str(found["value"])


# What the API keeps


def test_nothing_is_kept_unless_a_conversation_is_named(client: TestClient) -> None:
    assert client.post("/api/v1/ask", json={"question": QUESTION}).json()["kept"] is None
    assert [name for name, _ in events(client, {"question": QUESTION}) if name in ("stored", "below")] == []
    assert client.get("/api/v1/conversations").json() == {"total": 0, "conversations": []}


def test_a_follow_up_is_read_with_the_conversations_own_turns(client: TestClient) -> None:
    first = ask(client, "When should I use a B-tree?")["kept"]
    second = ask(client, FOLLOW_UP, first["conversation"], history=[{"question": "What is a saga?"}])
    assert second["standalone"] == "When should I not use a B-tree?"
    whole = client.get(f"/api/v1/conversations/{first['conversation']}").json()
    assert [turn["question"] for turn in whole["turns"]] == ["When should I use a B-tree?", FOLLOW_UP]
    assert whole["turns"][1]["standalone"] == second["standalone"]
    assert whole["turns"][1]["answer"]["citations"] == second["citations"]
    assert (whole["title"], whole["questions"]) == ("When should I use a B-tree?", 2)


def test_the_stream_says_where_it_is_kept_and_what_comes_next(client: TestClient) -> None:
    found = dict(events(client, {"question": QUESTION, "conversation": "new"}))
    stored = found["stored"]
    assert client.get(f"/api/v1/conversations/{stored['conversation']}").json()["turns"][0]["id"] == stored["turn"]
    below = BeautifulSoup(found["below"]["html"], "html.parser")
    assert str(below.select_one("a[href^='/drill?request=storage-engines']"))
    nexts = [button.get_text() for button in below.select("[data-next] button")]
    assert 1 <= len(nexts) <= 3 and QUESTION not in nexts
    names = [name for name, _ in events(client, {"question": NOT_ANSWERED, "conversation": stored["conversation"]})]
    assert names == ["status", "abstain", "stored", "below", "done"]


@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream"])
def test_a_conversation_that_is_not_there_is_refused_before_anything_is_answered(client: TestClient, path: str) -> None:
    for name in ("0" * 32, "no/such", "\ud800"):
        body = json.dumps({"question": QUESTION, "conversation": name})
        response = client.post(path, content=body, headers={"content-type": "application/json"})
        assert response.status_code == 404
        assert response.json()["error"]["fix"]
    assert client.post(path, json={"question": QUESTION, "conversation": "x" * 41}).status_code == 422


def test_an_answer_that_a_model_writes_takes_the_quoted_ones_place(home: Path) -> None:
    chosen = Settings(home=home, corpus=CorpusSettings(builtin=False), llm=LlmSettings(cache=False))
    core = App(chosen, model=ScriptedModel(lambda messages: [WRITTEN]))
    client = TestClient(create_app(core))
    found = events(client, {"question": "How does Raft elect a leader?", "conversation": "new"})
    names = [name for name, _ in found]
    assert names.index("stored") < names.index("writing") < names.index("generated"), found
    stored = dict(found)["stored"]
    page = soup(client, f"/conversations/{stored['conversation']}")
    assert "Written by scripted/1" in page.get_text()
    assert "raises its term" in page.select(".verdict")[0].get_text()
    client.delete(f"/api/v1/conversations/{stored['conversation']}")
    core.close()


def test_a_store_that_fails_costs_no_answer(client: TestClient, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(client, "When should I use a B-tree?")["kept"]

    def broken(*args: Any, **more: Any) -> Any:
        raise StudyFault("the disk failed to read or write", about="study.db")

    for name in ("add", "last", "find"):
        monkeypatch.setattr(app.conversations, name, broken)
    done = ask(client, FOLLOW_UP, first["conversation"], history=[{"question": "When should I use a B-tree?"}])
    assert done["citations"] and done["standalone"]
    assert "not kept: the disk failed" in done["kept"]["line"] and done["kept"]["turn"] == ""
    told = dict(events(client, {"question": QUESTION, "conversation": "new"}))
    assert "the disk failed" in told["stored"]["line"]
    assert told["done"]["citations"]
    assert soup(client, "/").select_one("[data-asked]")
    response = client.post("/conversations", data={"q": QUESTION}, headers=HTML)
    assert response.status_code == 200
    page = BeautifulSoup(response.text, "html.parser")
    assert "could not be kept" in page.select(".said")[0].get_text()
    assert page.select(".verdict .chip")


def test_nothing_is_kept_where_the_settings_say_so(home: Path) -> None:
    chosen = Settings(home=home, corpus=CorpusSettings(builtin=False), study=StudySettings(keep_conversations=False))
    core = App(chosen)
    client = TestClient(create_app(core))
    names = [name for name, _ in events(client, {"question": QUESTION, "conversation": "new"})]
    assert "stored" not in names and "below" in names
    assert ask(client, QUESTION)["kept"] is None
    assert str(soup(client, "/").select("[data-form]")[0]["method"]) == "get"
    assert "keep_conversations" in soup(client, "/conversations").get_text()
    page = soup(client, f"/?q={QUESTION}")
    vote = {"vote": "down", "reason": "incomplete", **{
        str(field["name"]): str(field["value"]) for field in page.select("details form [type=hidden]")
    }}  # fmt: skip
    assert client.post("/vote", data=vote, follow_redirects=False).status_code == 303
    kept = json.loads((home / "feedback" / "answers.jsonl").read_text().splitlines()[-1])
    assert (kept["question"], kept["vote"], kept["note"]) == (QUESTION, "down", "incomplete")
    assert kept["citations"] and kept["answer"]
    assert core.conversations.find()[0] == 0
    core.close()


def test_an_answer_looks_the_same_when_it_is_kept(app: App) -> None:
    for question in (QUESTION, NOT_ANSWERED, "Raft vs B-tree", "What is a cahce?"):
        answer = app.answerer.ask(question)
        kept = kept_answer(json.loads(json.dumps(kept_json(answer))))
        assert kept is not None
        assert list(pieces(kept)) == list(pieces(answer))
        assert copyable(kept) == copyable(answer)
        assert (kept.refusal, kept.nearest, kept.corrected) == (answer.refusal, answer.nearest, answer.corrected)


def test_what_the_log_says_is_kept_but_not_shared(client: TestClient, app: App) -> None:
    answer = app.answerer.ask(QUESTION)
    n = len(answer.citations) + 1
    own = Own(n, "0" * 32, date(2026, 5, 3), "Trees", 0, 14, "We chose trees.", ("storage-engines",))
    lost = (Dropped("It is always faster.", "no span says so"),)
    written = Generation("scripted/1", Usage(10, 5, 0.01), 12.0, 30.0, 2, 1, lost, trouble="it broke off")
    page = Citation(n + 1, "p", "p#1", "A reading", (), 0, 4, "Read", (), "https://example.org/p", 3, "reading")
    whole = replace(answer, own=(own,), generation=written, further=(Further(page, "CC-BY"),))
    again = kept_answer(json.loads(json.dumps(kept_json(whole))))
    assert again is not None
    assert (again.own, again.generation, again.text) == (whole.own, whole.generation, whole.text)
    assert list(pieces(again)) == list(pieces(whole))
    about, _ = app.conversations.add("", QUESTION, kept_json(whole))
    assert "We chose trees." in client.get(f"/conversations/{about.id}").text
    assert "We chose trees." in client.get(f"/api/v1/conversations/{about.id}/export").text
    shared = client.get(f"/conversations/{about.id}/share.html").text
    assert "We chose trees." not in shared and "it ended early" in shared


HOSTILE = "<script>alert(1)</script>[x](javascript:alert(2))<img src=x onerror=alert(3)>"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"citations": "no", "abstained": 3},
        {"citations": [], "abstained": False, "laid_out": {"question": HOSTILE, "verdict": [{"text": "x", "n": 9}]}},
        {
            "citations": [
                {"n": 1, "doc_id": '../"onclick=alert(4)', "title": HOSTILE, "start": 0, "end": 1, "quote": HOSTILE}
            ],
            "abstained": False,
            "further": [
                {"n": 2, "doc_id": "d", "title": "t", "start": 0, "end": 1, "quote": "q", "url": "javascript:alert(5)"}
            ],
            "laid_out": {"question": HOSTILE, "verdict": [{"text": HOSTILE, "n": 1}],
                         "groups": [{"label": HOSTILE, "sentences": [{"text": HOSTILE, "n": 1, "mark": HOSTILE}]}]},
        },
    ],
)  # fmt: skip
def test_what_an_import_brought_is_shown_whatever_it_is(client: TestClient, app: App, answer: dict[str, Any]) -> None:
    about, turn = app.conversations.add("", HOSTILE, {"answer": HOSTILE, **answer})
    for path in (f"/conversations/{about.id}", "/conversations", f"/conversations/{about.id}/share.html",
                 f"/conversations/{about.id}/turns/{turn.id}/share.html"):  # fmt: skip
        page = soup(client, path)
        assert all(script.get("src") for script in page.select("script"))
        assert not page.select("img, iframe, [onerror], [onclick], a[href^='javascript']")
        assert "alert(1)" in page.get_text()
    for kind in ("markdown", "json"):
        assert client.get(f"/api/v1/conversations/{about.id}/export?format={kind}").status_code == 200


# The pages


def test_asking_without_scripts_begins_a_conversation_and_goes_on_in_it(client: TestClient) -> None:
    page = soup(client, "/")
    form = {"q": "When should I use a B-tree?", "conversation": "", "once": token(page, "[data-form]")}
    done = client.post("/conversations", data=form, headers=HTML, follow_redirects=False)
    assert done.status_code == 303
    path = done.headers["location"]
    assert client.post("/conversations", data=form, follow_redirects=False).headers["location"] == path  # sent twice
    page = soup(client, path.split("#")[0])
    assert [h.get_text() for h in page.select(".question")] == ["When should I use a B-tree?"]
    assert page.select("#" + path.split("#")[1])
    assert page.select("h1")[0].get_text() == "When should I use a B-tree?"
    again = {"q": FOLLOW_UP, "conversation": path.split("/")[-1].split("#")[0], "once": token(page, "[data-form]")}
    response = client.post("/conversations", data=again, headers=HTML)
    page = BeautifulSoup(response.text, "html.parser")
    assert [h.get_text() for h in page.select(".log .question")] == ["When should I use a B-tree?", FOLLOW_UP]
    assert "When should I not use a B-tree?" in page.select(".turn > .note")[0].get_text()
    assert len(page.select(".log [data-next]")) == 1  # below the last answer only
    assert [a.get_text() for a in page.select("[data-asked] [aria-current]")] == ["When should I use a B-tree?"]


def test_what_was_typed_comes_back_with_what_is_wrong(client: TestClient, tmp_path: Path) -> None:
    kept = ask(client, QUESTION)["kept"]["conversation"]
    text = "Why not Kafka? " * 400
    response = client.post("/conversations", data={"q": text, "conversation": kept}, headers=HTML)
    assert response.status_code == 422
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select("#q")[0].get_text().strip() == text.strip()
    assert "5,999 characters" in page.select("[data-over]")[0].get_text()
    assert page.select(".log .question")
    gone = client.post("/conversations", data={"q": QUESTION, "conversation": "0" * 32}, headers=HTML)
    assert gone.status_code == 404
    empty = TestClient(create_app(App(Settings(home=tmp_path))))
    response = empty.post("/conversations", data={"q": "What is a quorum?"}, headers=HTML)
    assert response.status_code == 503
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select("#q")[0].get_text().strip() == "What is a quorum?"
    assert "tutor ingest" in page.select(".failed")[0].get_text()


def test_the_list_is_by_day_searched_renamed_and_deleted(client: TestClient) -> None:
    one, two = (ask(client, question)["kept"]["conversation"] for question in (QUESTION, NOT_ANSWERED))
    page = soup(client, "/conversations")
    assert [h.get_text() for h in page.select(".day h2")] == ["Today"]
    assert [a.get_text() for a in page.select(".title")] == [NOT_ANSWERED, QUESTION]
    assert [a.get_text() for a in soup(client, "/conversations?q=heavy").select(".title")] == [QUESTION]
    assert soup(client, "/conversations?q=zzz").select(".empty")
    rename = {"title": "Trees", "once": token(page, f"#c-{one}")}
    assert client.post(f"/conversations/{one}/rename", data=rename, follow_redirects=False).status_code == 303
    assert "Trees" in [a.get_text() for a in soup(client, "/conversations").select(".title")]
    response = client.post(f"/conversations/{one}/rename", data={"title": "x" * 201}, headers=HTML)
    assert response.status_code == 422
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select(f"#t-{one}")[0]["value"] == "x" * 201
    assert "201 characters" in page.select(f"#w-{one}")[0].get_text()
    response = client.post(f"/conversations/{two}/delete", data={"once": "abc"}, headers=HTML)
    page = BeautifulSoup(response.text, "html.parser")
    assert "is deleted" in page.select(".said")[0].get_text()
    assert [a.get_text() for a in page.select(".title")] == ["Trees"]
    assert soup(client, f"/conversations/{two}", 404).select(".failed")


def test_a_search_shows_the_place_of_what_it_found(client: TestClient) -> None:
    kept = ask(client, QUESTION)["kept"]
    page = soup(client, "/conversations?q=HEAVY tree")  # both in the title: nothing more is told
    assert [mark.get_text() for mark in page.select(".title mark")] == ["tree", "tree", "heavy"]
    assert page.select(".place") == [] and soup(client, "/conversations").select("mark") == []
    place = soup(client, "/conversations?q=amplification").select(".place a")[0]
    assert place["href"] == f"/conversations/{kept['conversation']}#turn-{kept['turn']}"
    assert {mark.get_text().lower() for mark in place.select("mark")} == {"amplification"}
    assert len(place.get_text()) < 260 and "**" not in place.get_text() and "[1]" not in place.get_text()


def test_the_place_of_what_was_found_is_text(client: TestClient, app: App) -> None:
    hostile = "Is <img src=x onerror=alert(1)> a <b>quorum</b> of &lt;two&gt; in <script>alert(2)</script>?"
    about, _ = app.conversations.add("", "A plain title", {"answer": "None."})
    app.conversations.add(about.id, hostile, {"answer": "**None** [1]"})
    app.conversations.rename(about.id, "<b>title</b>")
    for words, marked in (("<img", "<img"), ("quorum", "quorum"), ("&lt;two", "&lt;two"), ("<script>alert(2)", None)):
        page = soup(client, f"/conversations?q={quote(words)}")
        place = page.select(".place")[0]
        assert page.select("main img, main b, main script") == [] and hostile[20:] in place.get_text()
        assert [mark.get_text() for mark in place.select("mark")] == [marked or words]
    assert soup(client, "/conversations?q=title</b>").select(".title")[0].get_text() == "<b>title</b>"
    assert soup(client, "/conversations?q=**").select(".place") == []  # of its Markdown only


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "2", "²"])
def test_any_page_of_the_list_can_be_asked_for(client: TestClient, page: str) -> None:
    assert soup(client, f"/conversations?page={page}").select("h1")


def test_a_vote_is_kept_with_the_turn_and_for_the_eval_set(client: TestClient, home: Path) -> None:
    kept = ask(client, QUESTION)["kept"]
    path = f"/conversations/{kept['conversation']}/turns/{kept['turn']}/vote"
    form = {"vote": "down", "reason": "incomplete", "note": "no\nfigures"}
    assert client.post(path, data=form, follow_redirects=False).status_code == 303
    line = json.loads((home / "feedback" / "answers.jsonl").read_text().splitlines()[-1])
    assert (line["question"], line["vote"], line["note"]) == (QUESTION, "down", "incomplete: no figures")
    assert line["citations"][0].startswith("storage-engines")
    page = soup(client, f"/conversations/{kept['conversation']}")
    assert "Kept: not helpful, incomplete." in page.select("[data-told]")[0].get_text()
    assert page.select("input[value=incomplete][checked]")
    assert page.select(".why textarea")[0].get_text().strip() == "no figures"
    api = f"/api/v1{path}"
    assert client.put(api, json={"vote": "up"}).json()["vote"] == "up"
    assert client.put(api, json={"vote": ""}).json()["vote"] == ""
    for wrong, status in (({"vote": "maybe"}, 422), ({"vote": "up", "reason": "x" * 2001}, 422)):
        assert client.put(api, json=wrong).status_code == status
    assert client.post(path, data={"vote": "maybe"}, headers=HTML).status_code == 422
    assert client.put(api.replace(kept["turn"], "0" * 32), json={"vote": "up"}).status_code == 404


def test_what_is_shared_stands_alone(client: TestClient) -> None:
    kept = ask(client, QUESTION)["kept"]
    ask(client, NOT_ANSWERED, kept["conversation"])
    for path, questions in (
        (f"/conversations/{kept['conversation']}/share.html", 2),
        (f"/conversations/{kept['conversation']}/turns/{kept['turn']}/share.html", 1),
    ):
        response = client.get(path)
        assert "attachment" in response.headers["content-disposition"]
        assert "b-tree-or-lsm-tree" in response.headers["content-disposition"]
        page = BeautifulSoup(response.text, "html.parser")
        assert not page.select("script, link, img, iframe, form, [src], a[href^='/']")
        assert "default-src 'none'" in str(page.select("meta[http-equiv]")[0]["content"])
        assert len(page.select("article")) == questions
        marks = {str(a["href"]) for a in page.select(".verdict a, ul a")}
        assert marks and all(page.select(mark) for mark in marks)
        assert "Storage" in page.select("ol li span")[0].get_text() or "storage" in page.get_text()


def test_a_conversation_as_markdown_and_json(client: TestClient) -> None:
    kept = ask(client, QUESTION)["kept"]["conversation"]
    path = f"/api/v1/conversations/{kept}"
    response = client.get(f"{path}/export")
    assert response.headers["content-type"].startswith("text/markdown")
    assert response.text.startswith(f"# {QUESTION}\n\n## {QUESTION}\n")
    assert "Sources:" in response.text and re.search(r"\[1\]", response.text)
    assert client.get(f"{path}/export?format=json").json() == client.get(path).json()
    assert client.get(f"{path}/export?format=pdf").status_code == 422


def test_the_api_renames_and_deletes(client: TestClient) -> None:
    kept = ask(client, QUESTION)["kept"]["conversation"]
    path = f"/api/v1/conversations/{kept}"
    assert client.patch(path, json={"title": " Trees "}).json()["title"] == "Trees"
    for wrong in ({"title": ""}, {"title": "x" * 201}, {"title": " "}, {"title": "x", "more": 1}):
        assert client.patch(path, json=wrong).status_code == 422
    assert client.get("/api/v1/conversations?q=trees&limit=1").json()["total"] == 1
    assert client.delete(path).status_code == 204
    for call in (client.get, client.delete):
        assert call(path).status_code == 404
