"""Readings beside answers: named as readings, never part of the answer, never in the curriculum's ranking."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from reading_site import Clock, Names, Site, answer, html, running
from tutor.answering.cite import resolves
from tutor.bootstrap import App, builtin_corpus
from tutor.cli.main import main
from tutor.curriculum.corpus import load_corpus
from tutor.ingest.markdown import read_markdown
from tutor.ingest.readings import desk, sources
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.shelf import Shelf
from tutor.ingest.readings.sources import Source
from tutor.settings import Settings
from tutor.web.app import create_app

ASKED = "What does lock-free mean, and how is it different from wait-free?"
QUESTIONS = (
    ASKED,
    "Why not Kafka for a simple task queue?",
    "How do you stop a cache stampede?",
    "Raft vs Paxos",
    "What is EOS?",
    "Who won the football world cup in 1990?",
    "How does CAP apply to a replicated database?",
)


def put_readings(home: Path, count: int = 30) -> list[str]:
    """As many readings as strong rivals of the curriculum: each is a card's own text under another name."""
    corpus = load_corpus(builtin_corpus())
    shelf = Shelf(home / "readings")
    names = ["lock-free", *(name for name in list(corpus.cards)[::4] if name != "lock-free")][:count]
    with shelf.locked():
        for name in names:
            url = f"https://reading.example/{name}"
            source = Source(url=url, title=f"Deep {name}", kind="paper", cards=(name,), fetch=True, licence="CC-BY-4.0")
            shelf.put(source, read_markdown(f"\n{corpus.bodies[name]}", doc_id="reading", source=url))
    return names


@pytest.fixture(scope="module")
def home(curriculum_home: Path) -> Path:
    """The curriculum and 30 readings."""
    before = App(Settings(home=curriculum_home))
    alone = [before.answerer.ask(question) for question in QUESTIONS]
    hits = [[(h.passage.chunk_id, h.score) for h in before.searcher.search(q).hits] for q in QUESTIONS]
    before.close()
    names = put_readings(curriculum_home)
    app = App(Settings(home=curriculum_home))
    assert app.index_readings().documents == len(names) == 30
    app.close()
    (curriculum_home / "before.json").write_text(json.dumps([[a.text for a in alone], hits]), encoding="utf-8")
    return curriculum_home


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    found = App(Settings(home=home))
    yield found
    found.close()


def test_readings_change_neither_ranking_nor_answer(app: App, home: Path) -> None:
    texts, hits = json.loads((home / "before.json").read_text(encoding="utf-8"))
    answers = [app.answerer.ask(question) for question in QUESTIONS]
    assert [a.text for a in answers] == texts
    assert [[[h.passage.chunk_id, h.score] for h in app.searcher.search(q).hits] for q in QUESTIONS] == hits
    assert not any(c.kind == "reading" for a in answers for c in a.citations)
    assert sum(bool(a.further) for a in answers) >= 1


def test_a_reading_is_named_for_the_card_that_is_quoted_and_its_quote_is_in_it(app: App) -> None:
    found = app.answerer.ask(ASKED)
    further = found.further[0]
    citation = further.citation
    assert (citation.doc_id.startswith("reading/"), citation.kind, further.licence) == (True, "reading", "CC-BY-4.0")
    assert citation.covers == ("lock-free",) and citation.source == "https://reading.example/lock-free"
    assert set(citation.covers) & {c.doc_id for c in found.citations}
    assert citation.n == len(found.citations) + 1
    reader = app.readings_store.open()
    stored = reader.payload("document", citation.doc_id)
    reader.close()
    assert stored is not None and resolves(citation, {citation.doc_id: stored["text"]})


def test_filters_and_refusals_name_no_reading(app: App) -> None:
    assert app.answerer.ask(ASKED, filters={"phase": [7]}).further == ()
    assert app.answerer.ask("What is my name?").further == ()
    assert app.answerer.ask("Who won the football world cup in 1990?").further == ()


def test_none_are_named_where_they_are_switched_off(home: Path) -> None:
    app = App(Settings(home=home, readings={"shown": 0}))
    assert app.answerer.ask(ASKED).further == ()
    app.close()


def test_json_and_terminal_say_that_it_is_a_reading(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(home))
    assert main(["ask", "--json", ASKED]) == 0
    row = json.loads(capsys.readouterr().out)
    assert {c["kind"] for c in row["citations"]} <= {"card", "article", "day", "plan", "problem"}
    assert row["further"][0]["kind"] == "reading" and row["further"][0]["licence"] == "CC-BY-4.0"
    assert row["further"][0]["url"] == "https://reading.example/lock-free"
    assert main(["ask", ASKED]) == 0
    out = capsys.readouterr().out
    assert "Further reading (linked pages, not the curriculum)" in out
    assert out.index("(lock-free)") < out.index("Further reading") < out.index("https://reading.example/lock-free")


def test_the_page_and_the_api_say_so_too(app: App) -> None:
    with TestClient(create_app(app)) as client:
        page = client.get("/", params={"q": ASKED}).text
        assert "Further reading" in page and "not the curriculum" in page
        assert 'href="https://reading.example/lock-free" rel="noopener noreferrer nofollow"' in page
        assert page.index("<h3>Sources</h3>") < page.index("Further reading")
        row = client.post("/api/v1/ask", json={"question": ASKED}).json()
        assert row["further"][0]["kind"] == "reading"
        stream = client.get("/api/v1/ask/stream", params={"q": ASKED}).text
        assert stream.index("event: sources") < stream.index("event: further") < stream.index("event: done")


def test_a_damaged_index_of_readings_does_not_stop_an_answer(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    pointers = [p for p in (home / "readings" / "index").iterdir() if p.is_file()]
    kept = {p: p.read_bytes() for p in (home / "readings" / "index").rglob("*") if p.is_file()}
    assert pointers
    try:
        for path in kept:
            path.write_bytes(b"x")
        app = App(Settings(home=home))
        found = app.answerer.ask(ASKED)
        app.close()
        assert found.citations and found.further == ()
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


# The command


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A home of its own, a list of four readings on a site on loopback, and a guard that knows this one address."""
    with running() as site:
        rows = [("a", "raft", "yes"), ("b", "kafka", "yes"), ("c", "kafka", "yes"), ("v", "raft", "no")]
        path = tmp_path / "sources.yaml"
        path.write_text(
            "".join(
                f"- {{url: '{site.url('/' + name)}', title: Page {name}, kind: docs, cards: [{card}], fetch: {fetch}"
                f"{', why: a video' if fetch == 'no' else ''}}}\n"
                for name, card, fetch in rows
            ),
            encoding="utf-8",
        )
        names = Names(site_test=[["127.0.0.1"]])
        guard = Guard(names, ports=frozenset({site.port}), allowed=frozenset({("127.0.0.1", site.port)}))
        clock = Clock()

        def sync(self: App) -> object:
            pace = Pace(2.0, clock, clock.sleep)
            return desk.open_sync(
                self.settings.readings_dir, self.settings.readings, self._library_texts, guard=guard, pace=pace
            )

        monkeypatch.setattr(sources, "sources_file", lambda: path)
        monkeypatch.setattr(App, "reading_sync", sync)
        monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))
        yield site


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["ingest", "--readings", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_fetches_reports_and_tells_the_truth(linked: Site, capsys: pytest.CaptureFixture[str]) -> None:
    linked.put("/a", answer(html(" ".join(f"raft {n} elects leader{n} by votes{n}." for n in range(40)))))
    linked.put("/b", answer(b"", 500))
    code, out, _ = said(capsys, "--dry-run")
    assert code == 0 and "4 readings: 3 would be asked for, 1 not fetched, by the list." in out
    assert linked.asked == []
    code, out, _ = said(capsys)
    assert code == 1
    assert "/b: failed, try again (answers with status 500)" in " ".join(out.split())
    assert "4 readings: 1 fetched, 1 gone, 1 failed, try again, 1 not fetched, by the list." in out
    assert "has 1 documents" in out
    linked.put("/b", answer(html(" ".join(f"kafka {n} appends record{n} to log{n}." for n in range(40)))))
    code, out, _ = said(capsys, "--json")
    row = json.loads(out)
    assert code == 0 and row["counts"] == {"fetched": 1, "fresh": 1, "gone": 1, "off": 1}
    assert row["index"]["documents"] == 2
    assert [r["status"] for r in row["readings"]] == ["fresh", "fetched", "gone", "off"]
    assert linked.headers[0]["user-agent"].startswith("tutor-study/")


def test_the_command_on_some_readings_only(linked: Site, capsys: pytest.CaptureFixture[str]) -> None:
    linked.put("/a", answer(html()))
    code, out, _ = said(capsys, "--only", "raft", "--json")
    assert code == 0 and [r["status"] for r in json.loads(out)["readings"]] == ["fetched", "off"]
    assert linked.count("/b") == 0
    code, out, _ = said(capsys, "--only", linked.url("/a"))
    assert code == 0 and linked.count("/a") == 2  # named by its address it is asked for again
    code, _, _ = said(capsys, "--only", linked.url("/c"))
    assert code == 1  # asked for, and not to be had
    code, _, err = said(capsys, "--only", "nosuch")
    assert code == 2 and "no linked reading" in err


def test_the_command_without_a_network(
    linked: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = Guard(Names(), ports=frozenset({linked.port}))
    monkeypatch.setattr(
        App,
        "reading_sync",
        lambda self: desk.open_sync(self.settings.readings_dir, self.settings.readings, list, guard=offline),
    )
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1 and "no network: site.test cannot be reached" in err
    assert not list((tmp_path / "home" / "readings").rglob("*.json"))


def test_options_that_do_not_fit(linked: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "--dry-run"]) == 2
    assert main(["ingest", "--readings", "notes"]) == 2
    assert main(["ingest", "--readings", "--rebuild"]) == 2
    assert "--readings" in capsys.readouterr().err


def test_without_the_extra_the_command_names_it_and_asks_nobody(
    linked: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    code, _, err = said(capsys)
    assert code == 1 and "pip install 'tutor-study[readings]'" in err
    assert linked.asked == []
