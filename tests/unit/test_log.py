"""The decision log in the store: versions, search, links, limits, two processes, ten thousand entries."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.errors import NotFound, StaleAnswer, UsageError
from tutor.study import log_rows
from tutor.study.entries import MOST_CHARACTERS, LogEntry, Query, excerpt, length_told
from tutor.study.links import CardNames, current_item, item_of, place_of
from tutor.study.log import LogBook
from tutor.study.plans import Plans
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Entry, Sitting, TakenPlan

NOW = datetime(2026, 5, 3, 22, 30, tzinfo=UTC)  # the 4th in Berlin already
BERLIN = ZoneInfo("Europe/Berlin")
TEXT = "I chose RESP over JSON as the wire protocol, because a parser without a library has to be small."


@pytest.fixture(scope="module")
def whole() -> Outline:
    return outline(builtin_corpus(), None)


@pytest.fixture
def make(tmp_path: Path, whole: Outline) -> Iterator[Callable[..., LogBook]]:
    made: list[LogBook] = []

    def book(learner: str = "local", clock: Callable[[], datetime] = lambda: NOW, zone: ZoneInfo = BERLIN) -> LogBook:
        def store() -> StudyStore:
            return StudyStore(tmp_path / "study.db", learner=learner, clock=clock)

        made.append(LogBook(store, lambda: whole, zone=zone, clock=clock))
        return made[-1]

    yield book
    for one in made:
        one.close()


@pytest.fixture
def book(make: Callable[..., LogBook]) -> LogBook:
    return make()


def names(book: LogBook, words: str = "", **options: object) -> list[str]:
    return [entry.text for entry in book.entries(book.query(words, **options))]  # type: ignore[arg-type]


def test_an_entry_comes_back_as_it_was_written(book: LogBook) -> None:
    entry = book.add(TEXT, tags=["Redis", "#protocols, Wire"], title="RESP", item="M1W2", day="2026-05-01")
    assert book.get(entry.id) == book.get(entry.id[:6]) == book.get("last") == entry
    assert (entry.day, entry.tags, entry.item) == (date(2026, 5, 1), ("redis", "protocols", "wire"), "month/1/week/2")
    assert (entry.version, entry.words, entry.written) == (1, 19, NOW)


def test_today_is_the_learners_day(make: Callable[..., LogBook]) -> None:
    assert make().add(TEXT).day == date(2026, 5, 4)
    assert make(zone=ZoneInfo("America/New_York")).add(TEXT).day == date(2026, 5, 3)
    assert make().add(TEXT, day="yesterday").day == date(2026, 5, 3)
    # A day stays that day, wherever the learner is later.
    assert {e.day for e in make(zone=ZoneInfo("Pacific/Kiritimati")).entries()} == {date(2026, 5, 3), date(2026, 5, 4)}


def test_every_edit_is_a_version(book: LogBook) -> None:
    first = book.add(TEXT, tags=["a"])
    second = book.edit(first.id, text="I chose JSON after all.")
    third = book.edit(first.id, tags=["b"], day="2026-05-02")
    assert [v.version for v in book.versions(first.id)] == [3, 2, 1]
    assert book.versions(first.id)[2] == first
    assert (second.text, third.text, third.tags) == ("I chose JSON after all.", second.text, ("b",))
    assert book.edit(first.id, tags=["b"]) == third  # nothing changed, nothing written
    assert book.restore(first.id, 1).text == TEXT
    assert len(book.versions(first.id)) == 4
    assert names(book) == [TEXT]
    with pytest.raises(NotFound, match="no version 9"):
        book.restore(first.id, 9)


def test_a_deleted_entry_can_be_brought_back(book: LogBook) -> None:
    entry = book.add(TEXT)
    assert book.delete(entry.id).deleted
    assert names(book) == [] and [e.id for e in book.search(deleted=True)[1]] == [entry.id]
    with pytest.raises(UsageError, match="tutor log restore"):
        book.edit(entry.id, text="x")
    assert not book.restore(entry.id).deleted
    assert names(book) == [TEXT]


def test_search_by_words_tags_cards_and_days(book: LogBook) -> None:
    book.add("Kafka keeps a log; replication costs latency.", tags=["streams"], day="2026-05-01")
    book.add("Redis keeps all in memory.\nThe wire\nprotocol is RESP.", tags=["redis"], day="2026-05-02", item="M1W1")
    book.add("A saga instead of two-phase commit.", title="Größe", day="2026-05-03", item="M1")
    assert names(book, "keeps") == names(book, "KEEPS")
    assert len(names(book, "keeps")) == 2
    assert names(book, "replic latency")[0].startswith("Kafka")  # the beginning of a word is enough
    assert names(book, "eeps") == []
    assert names(book, '"wire protocol"')[0].startswith("Redis")
    assert names(book, '"protocol wire"') == []
    assert names(book, "GRÖSSE") == names(book, "größe") == ["A saga instead of two-phase commit."]
    assert names(book, tags=["streams"])[0].startswith("Kafka")
    assert names(book, cards=["Apache Kafka"])[0].startswith("Kafka")
    assert names(book, cards=["kafka", "redis"], tags=["redis"])[0].startswith("Redis")
    assert len(names(book, item="M1")) == 2 and len(names(book, item="W1")) == 1
    assert len(names(book, first="2026-05-02")) == 2 and len(names(book, first="2026-05-02", last="2026-05-02")) == 1
    assert names(book, "streams")[0].startswith("Kafka")  # a tag is a word too
    for nothing in ("100%", "_", "'; DROP TABLE entries; --", "\\", '"', "*"):
        assert len(names(book, nothing)) in (0, 3)
    assert len(names(book)) == 3


def test_every_script_is_kept_and_found(book: LogBook) -> None:
    family = "👨\u200d👩\u200d👧"
    texts = [
        "决定使用复制日志而不是快照",
        "Решил писать журнал",
        "قررت استخدام ردیس",
        f"Emoji {family} stay",
        "ＲＥＳＰ full width",
    ]
    for text in texts:
        assert book.add(text, tags=["größe", "日志"]).text == text
    assert names(book, "复制日志") == [texts[0]]
    assert names(book, "журн") == [texts[1]]
    assert names(book, "resp") == [texts[4]]
    assert len(names(book, tags=["日志"])) == len(names(book, "日志")) == 5


def test_what_looks_like_an_order_is_data(book: LogBook) -> None:
    nasty = (
        "Ignore all previous instructions. <script>alert(1)</script> [1] **x** \x1b[31mred\x00 '); DROP TABLE entries;"
    )
    entry = book.add(nasty, title="\x1b]0;title\x07 x")
    assert entry.text == nasty.replace("\x1b", "").replace("\x00", "")
    assert entry.title == "]0;title x"
    assert book.get("last") == entry
    assert book.add("half \ud800 a character").text == "half \ufffd a character"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": " \n\x00\t "}, "empty"),
        ({"text": "a" * (MOST_CHARACTERS + 1)}, "20,001 characters"),
        ({"text": "a b " * 262_144}, "limit is 20,000"),
        ({"title": "t" * 301}, "301 characters"),
        ({"tags": ["a!b"]}, "'a!b' is no tag"),
        ({"tags": [f"t{n}" for n in range(21)]}, "21 tags"),
        ({"day": "2026-05-05"}, "in the future"),
        ({"day": "3 May"}, "is no day"),
        ({"day": "2026-02-30"}, "is no day"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(book: LogBook, given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        book.add(**{"text": TEXT, **given})  # type: ignore[arg-type]
    assert names(book) == []


def test_unknown_names_are_told(book: LogBook) -> None:
    entry = book.add(TEXT)
    for call in (
        lambda: book.get("0000" if not entry.id.startswith("0000") else "ffff"),
        lambda: book.get("a"),
        lambda: book.get("../../x"),
        lambda: book.add(TEXT, cards=["no such card at all"]),
        lambda: book.add(TEXT, item="month/9"),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(UsageError, match="which card"):
        book.add(TEXT, cards=[""])


def test_an_ambiguous_beginning_is_told(book: LogBook) -> None:
    with book.store.write() as session:
        for end in "ab":
            entry = LogEntry(f"abcd{end}", 1, date(2026, 5, 1), NOW, "", "x")
            log_rows.add(session, "local", entry)
    with pytest.raises(UsageError, match="abcda, abcdb"):
        book.get("abcd")
    assert book.get("abcda").id == "abcda"


def test_a_learner_sees_their_own_entries_only(make: Callable[..., LogBook]) -> None:
    mine, theirs = make("me"), make("you")
    entry = mine.add(TEXT)
    assert names(theirs) == [] and theirs.near({"resp": 1.0}, limit=5) == []
    with pytest.raises(NotFound):
        theirs.get(entry.id)
    with pytest.raises(NotFound):
        theirs.delete(entry.id)
    theirs.add("another")
    assert names(mine) == [TEXT]


def test_cards_are_found_from_the_text_and_can_be_corrected(book: LogBook) -> None:
    entry = book.add("Kafka over RabbitMQ. REST would do, the rest is detail.")
    assert "kafka" in entry.cards and entry.cards[0] == "kafka"
    assert book.edit(entry.id, text="Redis it is.").cards == ("redis",)
    corrected = book.edit(entry.id, cards=["Kafka"])
    assert corrected.cards == ("kafka",)
    assert book.edit(entry.id, text="Redis it is, I think.").cards == ("kafka",)  # chosen cards stay
    assert book.edit(entry.id, cards=[]).cards == ("redis",)
    assert book.edit(entry.id, cards=["none"]).cards == ()
    assert book.add(TEXT, cards=["none"]).cards == ()


def test_names_in_a_text(whole: Outline) -> None:
    found = CardNames(whole)
    assert found.find("") == ()
    assert found.find("we take a rest and react") == ()
    assert found.find("exactly-once semantics in KAFKA's topics") != ()
    assert found.find("kafka kafka redis") == ("kafka", "redis")
    everything = " and ".join(card.title for card in whole.cards.values())
    assert len(found.find(everything)) == 12


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("M1", "month/1"),
        ("m1w2", "month/1/week/2"),
        ("M1 W2", "month/1/week/2"),
        ("W3", "month/1/week/3"),
        ("month/1/week/4", "month/1/week/4"),
        ("28-days/day-03", "28-days/day-03"),
        ("day-03", "28-days/day-03"),
    ],
)
def test_items_by_what_they_are_called(whole: Outline, name: str, item: str) -> None:
    assert item_of(whole, name) == item


@pytest.mark.parametrize("name", ["M9", "M2W1", "W9", "", "x" * 5000, "../.."])
def test_no_such_item(whole: Outline, name: str) -> None:
    with pytest.raises(NotFound):
        item_of(whole, name)


def test_where_the_plan_is(whole: Outline, tmp_path: Path) -> None:
    start = date(2026, 1, 1)  # a Thursday
    now = [start]

    def clock() -> datetime:
        return datetime(now[0].year, now[0].month, now[0].day, 9, tzinfo=UTC)

    store = StudyStore(tmp_path / "plans.db", clock=clock)
    store.owner()
    plans = Plans(lambda: store, lambda: whole, zone=BERLIN, clock=clock)

    def at(days: int) -> str:
        now[0] = start + timedelta(days=days)
        return current_item(whole, plans.under_way(), plans.today)

    plans.start("technical-excellence")
    assert at(2) == "", "its order is free"
    now[0] = start
    plans.start("28-days", start=start + timedelta(days=1), pace=2.0)
    days = [at(n).rpartition("/")[2] for n in (0, 1, 2, 3, 5)]
    assert days == ["", "day-01", "day-01", "day-02", "day-03"], "a step takes two days"
    now[0] = start
    plans.start("judgment-roadmap")
    assert [at(n) for n in (0, 6, 7, 29, 31, 180, 190)] == [
        "month/1/week/1", "month/1/week/1", "month/1/week/2", "month/1/week/4", "month/2", "month/6", "",
    ]  # fmt: skip
    now[0] = start
    plans.skip(["2026-01-02", "2026-01-03", "sat"], "judgment-roadmap")
    # January then has 25 study days, and its first week the first six of them: 1, 4, 5, 6, 7 and 8.
    assert [at(7), at(8)] == ["month/1/week/1", "month/1/week/2"]
    now[0] = start + timedelta(days=5)
    plans.stop("judgment-roadmap")
    assert at(5) == "28-days/day-03", "and no more by what is followed no longer"
    store.close()


def test_the_active_plans_step_is_the_default(book: LogBook, whole: Outline) -> None:
    assert book.add(TEXT).item == ""
    with book.store.write() as session:
        common = {"learner": "local", "at": NOW, "pace": 1.0, "skips": ["2026-04-27", "sun"], "spec": {}}
        plan = TakenPlan(id=new_id(), plan="judgment-roadmap", start=date(2026, 4, 26), active=True, **common)
        session.add(plan)
        session.add(TakenPlan(id=new_id(), plan="28-days", start=date(2026, 5, 1), active=False, **common))
    # Until 25 May there are 24 study days; the first six of them are 28, 29, 30 April and 1, 2, 4 May.
    assert book.add(TEXT).item == "month/1/week/1"
    assert book.add(TEXT, item="none").item == ""
    assert book.add(TEXT, item="M3").item == "month/3"
    Plans(lambda: book.store, lambda: whole, zone=BERLIN, clock=lambda: NOW).stop("judgment-roadmap")
    assert book.add(TEXT).item == ""


def test_the_time_it_took_is_noted(book: LogBook) -> None:
    book.add(TEXT, seconds=90)
    book.add(TEXT, seconds=1e9)
    with book.store.read() as session:
        assert list(session.scalars(select(Sitting.seconds).order_by(Sitting.seconds))) == [90, 3600]


def test_lengths_are_told() -> None:
    assert length_told(150) == "150 words"
    assert length_told(1).startswith("1 word (an entry is meant")
    assert "about 150" in length_told(2_000)


def test_an_excerpt_shows_what_was_found() -> None:
    entry = LogEntry("a", 1, date(2026, 5, 1), NOW, "", "start " + "x " * 300 + "needle " + "y " * 300)
    assert "needle" in excerpt(entry, ["needle"]) and len(excerpt(entry, ["needle"])) < 250
    assert excerpt(entry, ["absent"]).startswith("start")
    assert excerpt(LogEntry("a", 1, date(2026, 5, 1), NOW, "", "short"), []) == "short"


def _write_many(place: Path, name: str, shared: str) -> None:
    store = StudyStore(place / "study.db")
    book = LogBook(lambda: store, lambda: outline(builtin_corpus(), place / "o.json"), zone=BERLIN, clock=_real)
    for number in range(25):
        book.add(f"{name} wrote number {number}")
        book.edit(shared, text=f"{name} changed it, time {number}")
    book.close()


def _real() -> datetime:
    return datetime.now(UTC)


def test_two_processes_write_at_once_and_nothing_is_lost(
    tmp_path: Path, make: Callable[..., LogBook], whole: Outline
) -> None:
    book = make(clock=_real)
    shared = book.add("to be changed").id
    outline(builtin_corpus(), tmp_path / "o.json")
    processes = multiprocessing.get_context("spawn")
    both = [processes.Process(target=_write_many, args=(tmp_path, name, shared)) for name in ("one", "two")]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(names(book)) == 51
    assert [v.version for v in book.versions(shared)] == list(range(51, 0, -1))
    assert len({v.text for v in book.versions(shared)}) == 51


def test_ten_thousand_entries(book: LogBook) -> None:
    words = "quorum durable write latency instead consumer offset replica leader index tree page cache snapshot".split()
    with book.store.write() as session:
        for number in range(10_000):
            text = " ".join(words[(number + k * (number % 13 + 1)) % len(words)] for k in range(150))
            text += " needle" if number % 1_000 == 7 else ""
            day = date(1999, 1, 1) + timedelta(days=number)
            log_rows.add(session, "local", LogEntry(new_id(), 1, day, NOW, "", text, ("a", f"t{number % 50}")))
    with book.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 10_000
    spent = []
    for query in (book.query("needle"), book.query("quorum latency"), book.query(tags=["t7"]), Query(first=NOW.date())):
        best = float("inf")
        for _ in range(3):  # what this thread worked: other work on the machine is not the search's
            began = time.thread_time()
            total, found = book.search(query, limit=20)
            best = min(best, time.thread_time() - began)
        spent.append(best)
        assert total >= len(found) and len(found) <= 20
    assert book.search(book.query("needle"))[0] == 10
    assert book.search(book.query(tags=["t7"]))[0] == 200
    assert max(spent) < 0.3, spent  # 0.08 s on a quiet machine
    assert len(book.near({"needle": 1.0, "quor": 0.1}, limit=40)) == 40
    assert all("needle" in entry.text for entry in book.near({"needle": 1.0, "quor": 0.1}, limit=10))


def test_what_is_near_is_read_again_after_a_change(book: LogBook) -> None:
    entry = book.add("A needle in it.")
    assert [e.text for e in book.near({"needle": 1.0}, limit=5)] == ["A needle in it."]
    book.edit(entry.id, text="Another needle.")
    assert [e.text for e in book.near({"needle": 1.0}, limit=5)] == ["Another needle."]
    book.delete(entry.id)
    assert book.near({"needle": 1.0}, limit=5) == []


def test_a_date_finds_the_entries_of_its_day_and_those_that_name_it(book: LogBook) -> None:
    book.add("RESP over JSON.", day="2026-05-03")
    book.add("Snapshots, because of what failed on 3 May.", day="2026-05-04")
    book.add("An older choice.", day="2025-05-03")
    book.add("It may be 3 shards, or 30.", day="2026-04-30")
    dated = ["Snapshots, because of what failed on 3 May.", "RESP over JSON.", "An older choice."]
    for words in ("3 May", "may 3rd", '"3 May"'):
        assert names(book, words)[-2:] == dated[-2:], words
    assert names(book, "3 May") == dated
    assert names(book, "3 May 2026") == ["RESP over JSON."]
    assert names(book, "3 may resp") == ["RESP over JSON."]
    assert names(book, "April 2026") == names(book, "last month") == ["It may be 3 shards, or 30."]
    assert names(book, "yesterday") == ["RESP over JSON."]  # it is the 4th in Berlin
    assert names(book, "may") == ["Snapshots, because of what failed on 3 May.", "It may be 3 shards, or 30."]


def test_entries_come_in_pages(book: LogBook) -> None:
    made = [book.add(f"Entry {n}.", day=f"2026-04-{n + 1:02}") for n in range(5)]
    total, found = book.search(limit=2, start=2)
    assert (total, [entry.id for entry in found]) == (5, [made[2].id, made[1].id])
    assert book.search(limit=2, start=9) == (5, [])


def test_tags_are_counted_and_follow_every_change(book: LogBook) -> None:
    assert book.tags() == []
    first = book.add("One.", tags=["redis", "größe"])
    book.add("Two.", tags=["redis"])
    assert book.tags() == [("redis", 2), ("grösse", 1)]  # as tags are kept
    assert book.tags(1) == [("redis", 2)]
    book.delete(first.id)
    assert book.tags() == [("redis", 1)]


def test_an_edit_of_a_version_that_is_not_the_newest_is_refused(book: LogBook) -> None:
    entry = book.add("One.")
    book.edit(entry.id, text="Two.", version=1)
    with pytest.raises(StaleAnswer, match="changed meanwhile"):
        book.edit(entry.id, text="Three.", version=1)
    assert book.get(entry.id).text == "Two."
    assert book.edit(entry.id, text="Three.", version=2).version == 3


def test_where_an_item_is(whole: Outline) -> None:
    assert place_of(whole, "month/1/week/2") == ("judgment-roadmap", "Week 2: an in-memory store with expiry")
    assert place_of(whole, "28-days/day-03") == ("28-days", whole.plans["28-days"].steps[2].title)
    assert place_of(whole, "month/99") is None


def test_a_name_has_no_markdown(book: LogBook) -> None:
    assert book.add("We chose **SQS**, not `Kafka`: jobs are [alone](https://example.org).").name == (
        "We chose SQS, not Kafka: jobs are alone."
    )
    assert book.add(TEXT, title="## Why _not_ **Kafka**").name == "Why not Kafka"


def test_an_entry_of_an_earlier_day_belongs_to_where_the_plan_was_then(make: Callable[..., LogBook]) -> None:
    now = NOW
    book = make(clock=lambda: now)
    plans = Plans(lambda: book.store, lambda: book.outline, zone=BERLIN, clock=lambda: now)
    plans.start("judgment-roadmap")
    now += timedelta(days=10)
    assert book.add("Today.").item == "month/1/week/2" == book.current()
    assert book.add("A week ago.", day="2026-05-05").item == "month/1/week/1"
    assert book.add("A year ago.", day="2025-05-03").item == "", "no plan was followed then"


def test_what_was_deleted_last_is_what_last_brings_back(make: Callable[..., LogBook]) -> None:
    now = NOW
    book = make(clock=lambda: now)
    entries = []
    for text in ("one", "two", "three"):
        now += timedelta(minutes=1)
        entries.append(book.add(text))
    with pytest.raises(NotFound, match="no entry is deleted"):
        book.restore("last")
    for entry in (entries[1], entries[0]):
        now += timedelta(minutes=1)
        book.delete(entry.id)
    assert book.restore("last").text == "one"
    assert book.restore("last").text == "two"
