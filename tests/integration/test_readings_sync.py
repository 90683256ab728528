"""From the list to passages: what is fetched, kept, tried again, left alone, found to be known, and killed halfway."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes import FakeEncoder
from reading_site import WORDS, Clock, Names, Site, answer, html, running
from tutor.bootstrap import App
from tutor.errors import IndexBusy, Offline, SourceError
from tutor.ingest.documents import Document
from tutor.ingest.readings import desk
from tutor.ingest.readings.dedup import signature
from tutor.ingest.readings.extract import extract
from tutor.ingest.readings.fetch import Fetcher
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.shelf import Shelf, read_reading
from tutor.ingest.readings.sources import Source, canonical
from tutor.ingest.readings.sync import Report, Sync, in_turn
from tutor.ingest.readings.transport import Limits, Transport
from tutor.settings import Settings

DAY = 86_400.0


def text_of(subject: str) -> str:
    """A text on a subject that shares no run of words with one on another."""
    return " ".join(
        f"{subject} {n} keeps {subject}{n} beside part{n}{subject} of the {n}{subject} whole." for n in range(30)
    )


class InPlace:
    """The extractor without its process."""

    def extract(self, data: bytes, kind: str, *, url: str, charset: str | None = None) -> Document:
        return extract(data, kind, url=url, charset=charset)

    def close(self) -> None:
        pass


@dataclass
class Library:
    site: Site
    shelf: Shelf
    now: Clock
    names: Names
    known: dict[str, str]

    def source(
        self, path: str, *, host: str = "site.test", cards: tuple[str, ...] = ("kafka",), fetch: bool = True
    ) -> Source:
        why = "" if fetch else "a video"
        return Source(
            url=self.site.url(path, host), title=f"On {path}", kind="article", cards=cards, fetch=fetch, why=why
        )

    def sync(self) -> Sync:
        guard = Guard(self.names, ports=frozenset({self.site.port}), allowed=frozenset({("127.0.0.1", self.site.port)}))
        clock = Clock()
        pace = Pace(2.0, clock, clock.sleep, today=self.now, chance=lambda: 1.0)
        fetcher = Fetcher(Transport(guard), guard, pace, agent="tutor-study/1", limits=Limits(total_s=5, idle_s=2))
        known = lambda: {name: signature(text) for name, text in self.known.items()}  # noqa: E731
        return Sync(self.shelf, fetcher, InPlace(), self.now, known)

    def run(self, *sources: Source, again: frozenset[str] = frozenset(), whole: bool = False) -> Report:
        with self.shelf.locked():
            return self.sync().run(sources, again=again, whole=sources if whole else None)

    def statuses(self, *sources: Source) -> list[str]:
        return [outcome.status for outcome in self.run(*sources).outcomes]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with running() as site:
        here = [["127.0.0.1"]]
        names = Names(site_test=here, other_test=here, third_test=here)
        yield Library(site, Shelf(tmp_path / "readings"), Clock(1_700_000_000.0), names, {})


def test_a_reading_is_fetched_once_and_asked_for_again_when_it_is_due(library: Library) -> None:
    def handler(_: str, headers: dict[str, str], connection: socket.socket) -> None:
        same = headers.get("if-none-match") == '"v1"'
        connection.sendall(answer(b"", 304) if same else answer(html(), ETag='"v1"'))

    library.site.pages["/a"] = handler
    source = library.source("/a")
    assert library.statuses(source) == ["fetched"]
    assert library.statuses(source) == ["fresh"]
    assert library.site.count("/a") == 1
    library.now.now += 8 * DAY
    assert library.statuses(source) == ["unchanged"]
    assert library.site.headers[-1]["if-none-match"] == '"v1"'
    assert library.run(source, again=frozenset({canonical(source.url)})).outcomes[0].status == "unchanged"


def test_a_new_etag_on_the_same_text_changes_nothing(library: Library) -> None:
    library.site.put(
        "/a", answer(html(), ETag='"1"'), answer(html(), ETag='"2"'), answer(html(text_of("raft")), ETag='"3"')
    )
    source = library.source("/a")
    library.run(source)
    path = next(library.shelf.texts.glob("*.json"))
    written = path.stat().st_mtime_ns
    library.now.now += 8 * DAY
    assert library.statuses(source) == ["unchanged"] and path.stat().st_mtime_ns == written
    library.now.now += 8 * DAY
    assert library.statuses(source) == ["fetched"] and "raft" in path.read_text(encoding="utf-8")


def test_what_cannot_be_had_is_told_and_the_others_are_fetched(library: Library) -> None:
    site = library.site
    site.put("/robots.txt", answer(b"User-agent: *\nDisallow: /private", kind="text/plain"))
    site.put("/ok", answer(html()))
    site.put("/gone", answer(b"", 410))
    site.put("/forbidden", answer(b"", 403))
    site.put("/broken", answer(b"", 500))
    site.put("/binary", answer(b"MZ\x00\x00" * 50))
    site.put("/inside", answer(status=302, Location="http://169.254.169.254/"))
    paths = ("/private", "/gone", "/forbidden", "/broken", "/binary", "/inside", "/ok", "/nothing")
    sources = [*map(library.source, paths), library.source("/video", fetch=False)]
    report = library.run(*sources)
    assert [o.status for o in report.outcomes] == [
        *("robots", "gone", "refused", "failed", "refused", "refused", "fetched", "gone", "off")
    ]
    whys = [o.why for o in report.outcomes]
    assert "status 403" in whys[2] and "something else" in whys[4] and "port 80" in whys[5]
    assert not report.done(asked=False)
    site.put("/broken", answer(html(text_of("raft"))))
    again = library.run(*sources)
    assert [o.status for o in again.outcomes].count("fetched") == 1  # only what may pass is tried again at once
    assert again.done(asked=False) and not again.done(asked=True)
    assert site.count("/gone") == 1 and site.count("/private") == 0 and site.count("/video") == 0


def test_what_was_fetched_stays_when_its_site_fails(library: Library) -> None:
    library.site.put("/a", answer(html()), answer(b"", 500))
    source = library.source("/a")
    library.run(source)
    library.now.now += 8 * DAY
    outcome = library.run(source).outcomes[0]
    assert (outcome.status, outcome.text) == ("failed", True)


def test_retry_after_holds_over_runs(library: Library) -> None:
    library.site.put("/a", answer(b"", 429, Retry_After="7200"), answer(html()))
    source = library.source("/a")
    assert library.statuses(source) == ["failed"]
    library.now.now += 3600
    assert library.statuses(source) == ["failed"] and library.site.count("/a") == 1
    library.now.now += 3700
    assert library.statuses(source) == ["fetched"]


def test_one_page_under_two_addresses_is_kept_once(library: Library) -> None:
    long = text_of("saga") + WORDS
    library.site.put("/a", answer(html(long)))
    library.site.put("/b", answer(html(long, title="Copied")))
    first, second = library.source("/a"), library.source("/b", host="other.test")
    report = library.run(first, second)
    assert [o.status for o in report.outcomes] == ["fetched", "duplicate"]
    assert report.outcomes[1].why == f"says the same as reading/{first.id}"
    assert library.statuses(first, second) == ["fresh", "duplicate"]
    library.shelf.drop(first.id)  # the one that was kept is gone: the other has to come
    library.site.put("/a", answer(b"", 410))
    assert library.statuses(second) == ["fetched"]


def test_what_the_library_has_anyway_is_not_kept_twice(library: Library) -> None:
    library.known["notes/sagas"] = text_of("saga")
    library.site.put("/a", answer(html(text_of("saga"))))
    outcome = library.run(library.source("/a")).outcomes[0]
    assert (outcome.status, outcome.why, outcome.text) == ("duplicate", "says the same as notes/sagas", False)


def test_without_a_network_one_line_and_nothing_changes(library: Library) -> None:
    library.site.put("/a", answer(html()))
    kept = library.source("/a")
    library.run(kept)
    before = {p: p.read_bytes() for p in library.shelf.root.rglob("*.json")}
    library.now.now += 8 * DAY
    library.names.names.clear()
    hosts = [library.source("/a", host=f"h{n}.test") for n in range(9)]
    with pytest.raises(Offline, match=r"no network: h0\.test, h1\.test, site\.test cannot be reached") as caught:
        library.run(kept, *hosts, whole=True)
    assert "\n" not in caught.value.message and "Nothing was changed" in caught.value.message
    assert {p: p.read_bytes() for p in library.shelf.root.rglob("*.json")} == before
    assert len(set(library.names.asked[-3:])) == 3  # three hosts are enough to know


def test_one_host_that_cannot_be_found_is_no_missing_network(library: Library) -> None:
    library.site.put("/a", answer(html()))
    lost = library.source("/x", host="lost.test")
    assert library.statuses(lost, library.source("/a")) == ["failed", "fetched"]
    assert library.shelf.state(lost.id).status == ""  # nothing was learnt of it


def test_what_the_list_no_longer_has_goes_and_its_cards_are_kept_right(library: Library) -> None:
    for path in ("/a", "/b", "/c"):
        library.site.put(path, answer(html(text_of(path[1:] * 4))))
    a, b, c = map(library.source, ("/a", "/b", "/c"))
    library.run(a, b, c)
    report = library.run(
        a.model_copy(update={"cards": ("raft", "kafka")}), b.model_copy(update={"fetch": False}), whole=True
    )
    assert report.removed == sorted([b.id, c.id])
    text = next(library.shelf.texts.glob("*.json"))
    document = read_reading(text.read_text(encoding="utf-8"), source=str(text))
    assert document.covers == ("raft", "kafka") and document.source == a.url and document.doc_id == f"reading/{a.id}"


def test_hosts_take_turns(library: Library) -> None:
    sources = [library.source(f"/{n}", host=host) for host in ("site.test", "other.test") for n in range(2)]
    assert [s.host for s in in_turn(sources)] == ["site.test", "other.test", "site.test", "other.test"]


def test_two_at_once_do_not_fetch_twice(library: Library) -> None:
    with library.shelf.locked(), pytest.raises(IndexBusy, match="another process"):
        library.run(library.source("/a"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "text": "x"}', b"\xff\xfe"])
def test_damaged_files_are_told_or_fetched_anew(library: Library, damage: bytes) -> None:
    library.site.put("/a", answer(html()))
    source = library.source("/a")
    library.run(source)
    text, state = next(library.shelf.texts.glob("*.json")), next((library.shelf.root / "state").glob("*.json"))
    state.write_bytes(damage)
    assert library.statuses(source) == ["fetched"]
    with pytest.raises(SourceError, match="no stored reading"):
        read_reading(damage.decode("utf-8", "replace"), source=str(text))


KILLED = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from reading_site import Names
from test_readings_sync import InPlace
from tutor.ingest.readings.fetch import Fetcher
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.shelf import Shelf
from tutor.ingest.readings.sources import Source
from tutor.ingest.readings.sync import Sync
from tutor.ingest.readings.transport import Limits, Transport
port = {port}
guard = Guard(Names(site_test=[["127.0.0.1"]]), ports=frozenset([port]), allowed=frozenset([("127.0.0.1", port)]))
limits, pace = Limits(total_s=60, idle_s=60), Pace(0.0, sleep=lambda s: None)
fetcher = Fetcher(Transport(guard), guard, pace, agent="x", limits=limits)
shelf = Shelf(Path({root!r}))
more = dict(title="On it", kind="docs", cards=("kafka",), fetch=True)
sources = [Source(url=f"http://site.test:{{port}}/{{n}}", **more) for n in range({count})]
with shelf.locked():
    report = Sync(shelf, fetcher, InPlace(), time.time).run(sources, whole=sources)
print([o.status for o in report.outcomes])
"""


def test_a_kill_in_the_middle_loses_the_one_in_flight_at_most(tmp_path: Path) -> None:
    count, at = 8, 5
    with running() as site:
        for number in range(count):
            site.put(f"/{number}", answer(html(text_of(f"w{number}"))))
        held = site.pages[f"/{at}"]
        site.pages[f"/{at}"] = lambda *_: time.sleep(60)
        tests = Path(__file__).parents[1]
        source = Path(sys.modules["tutor"].__file__ or "").parents[1]
        program = textwrap.dedent(KILLED).format(
            paths=[str(tests), str(tests / "integration"), str(source)], port=site.port, root=str(tmp_path), count=count
        )
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 60
            while site.count(f"/{at}") == 0 and time.monotonic() < deadline and child.poll() is None:
                time.sleep(0.02)
            os.kill(child.pid, signal.SIGKILL)
        finally:
            child.communicate(timeout=30)
        assert site.count(f"/{at}") == 1
        assert len(list((tmp_path / "text").glob("*.json"))) == at
        for path in (tmp_path / "text").glob("*.json"):
            read_reading(path.read_text(encoding="utf-8"), source=str(path))
        (tmp_path / "text" / ".torn.reading.json.part").write_text('{"format"', encoding="utf-8")  # as a kill leaves it
        site.pages[f"/{at}"] = held
        again = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
        assert again.stdout.strip() == str(["fresh"] * at + ["fetched"] * (count - at)), again.stderr
        assert [site.count(f"/{n}") for n in range(count)] == [1] * at + [2] + [1] * (count - at - 1)
        assert not list((tmp_path / "text").glob(".*"))


def test_readings_are_indexed_beside_the_curriculum_with_their_cards(library: Library, tmp_path: Path) -> None:
    library.site.put("/a", answer(html(text_of("quorum"))))
    home = tmp_path / "home"
    library.shelf = Shelf(home / "readings")
    source = library.source("/a", cards=("quorums", "raft"))
    library.run(source)
    app = App(Settings(home=home), encoder=FakeEncoder())
    try:
        report = app.index_readings()
        assert (report.documents, report.problems) == (1, [])
        reader = app.readings_store.open()
        passages = list(reader.passages(["kind", "covers", "source", "doc_id"]))
        assert {p["kind"] for p in passages} == {"reading"}
        assert {tuple(p["covers"]) for p in passages} == {("quorums", "raft")}
        assert {p["source"] for p in passages} == {source.url}
        stored = reader.payload("document", f"reading/{source.id}")
        assert stored is not None and stored["meta"]["licence"] == "unknown"
        reader.close()
        assert not (home / "index").exists()  # the curriculum's index has no part in it
        library.shelf.drop(source.id)
        assert app.index_readings().documents == 0
    finally:
        app.close()


def test_the_shelf_is_json_that_people_can_read(library: Library) -> None:
    library.site.put("/a", answer(html("Größe: " + WORDS)))
    library.run(library.source("/a"))
    row = json.loads(next(library.shelf.texts.glob("*.json")).read_text(encoding="utf-8"))
    assert "Größe" in row["text"] and row["licence"] == "unknown"


def test_what_the_library_has_is_read_from_its_index(tmp_path: Path, notes: Path) -> None:
    app = App(Settings(home=tmp_path / "home", corpus={"builtin": False}), encoder=FakeEncoder())
    assert list(app._library_texts()) == []  # there is no index yet
    app.ingest([notes])
    found = desk.signatures(app._library_texts())
    assert len(found) == 6 and all(mine.any() for mine in found.values())
    app.close()
