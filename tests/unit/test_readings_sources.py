"""The list of linked readings is what the curriculum links, in the form that the product reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.errors import SourceError, UsageError
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.sources import Source, canonical, chosen, load_sources, named, sources_file

ROOT = Path(__file__).resolve().parents[2]
ENTRY = '- url: "https://a.example/x"\n  title: "Title"\n  kind: docs\n  cards: ["kafka"]\n  fetch: yes\n'


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(builtin_corpus())


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return load_sources(sources_file())


def test_every_linked_reading_has_an_entry_that_names_the_card(corpus: Corpus, sources: list[Source]) -> None:
    cards = {canonical(source.url): source.cards for source in sources}
    links = [(d.id, canonical(str(r.url))) for d in corpus.all() for r in getattr(d, "resources", ())]
    assert len(links) > 900
    assert [(name, key) for name, key in links if name not in cards.get(key, ())] == []


def test_no_entry_is_about_a_card_or_a_link_that_does_not_exist(corpus: Corpus, sources: list[Source]) -> None:
    links = {canonical(str(r.url)) for d in corpus.all() for r in getattr(d, "resources", ())}
    there = {*corpus.cards, *corpus.entries}
    assert [s.url for s in sources if canonical(s.url) not in links] == []
    assert [(s.url, c) for s in sources for c in s.cards if c not in there] == []


def test_the_list_is_what_the_script_makes() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "ingest" / "make_sources.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_not_fetched_says_why_and_what_is_may_be_asked(sources: list[Source]) -> None:
    guard = Guard(lambda *_: pytest.fail("nothing is resolved"))
    for source in sources:
        assert bool(source.why) != source.fetch, source.url
        if source.fetch:
            guard.check(source.url)
    hosts = {source.host for source in sources if source.fetch}
    assert not hosts & {"www.youtube.com", "dl.acm.org", "doi.org", "www.educative.io"}


def test_ids_are_short_distinct_and_of_safe_characters(sources: list[Source]) -> None:
    ids = [source.id for source in sources]
    assert len(set(ids)) == len(ids)
    assert all(len(name) < 70 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in ids)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x", "http://A.example/x/"),
        ("https://a.example", "https://a.example/#top"),
        ("https://a.example:443/x", "https://a.example/x?utm_source=y&utm_medium=z"),
    ],
)
def test_addresses_of_one_page(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x", "https://b.example/x"),
        ("https://a.example/x?id=1", "https://a.example/x?id=2"),
        ("https://a.example/x", "https://a.example/X"),
    ],
)
def test_addresses_of_two_pages(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_readings_are_chosen_by_card_host_or_address(sources: list[Source]) -> None:
    assert chosen(sources, []) == sources
    assert {s.id for s in chosen(sources, ["kafka"])} == {s.id for s in sources if "kafka" in s.cards}
    assert {s.host for s in chosen(sources, ["arxiv.org"])} == {"arxiv.org"}
    one = sources[0]
    assert chosen(sources, [one.url.rstrip("/") + "#part"]) == [one]
    assert named([one.url, "kafka"]) == {canonical(one.url)}
    for unknown in ("nosuch", "https://nosuch.example/", "", "a://["):
        with pytest.raises(UsageError, match="no linked reading"):
            chosen(sources, [unknown])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- url: [", "is not YAML"),
        ("{}", "valid list"),
        (ENTRY.replace("docs", "song"), "0.kind"),
        (ENTRY.replace("https", "ftp"), "0.url"),
        (ENTRY.replace('["kafka"]', "[]"), "0.cards"),
        (ENTRY + "  more: 1\n", "0.more"),
        (ENTRY + ENTRY.replace("https", "http"), "one page"),
    ],
)
def test_a_list_that_breaks_the_format(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=why):
        load_sources(path)
    with pytest.raises(SourceError, match="cannot be read"):
        load_sources(tmp_path / "none.yaml")
