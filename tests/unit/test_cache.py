"""The cache of generated answers: whose they are, when they are stale, and that a bad disk stops nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tutor.answering.cache import AnswerCache, Scope, cacheable, normalised, scope_of
from tutor.answering.shelf import SqliteShelf

SCOPE = Scope("g1", "ollama/x", "p1", "s", "{}", "ann")
QUESTION = "When should I use Kafka?"
ANSWER = {"answer": "Kafka fits. [1]", "abstained": False}


@pytest.fixture
def shelf(tmp_path: Path) -> Any:
    found = SqliteShelf(tmp_path / "cache" / "answers.sqlite")
    yield found
    found.close()


def test_an_answer_comes_back_as_it_was() -> None:
    cache = AnswerCache()
    assert cache.get(QUESTION, SCOPE) is None
    assert cache.put(QUESTION, SCOPE, ANSWER)
    found = cache.get("  When should I\tuse Kafka? ", SCOPE)
    assert found is not None and (found.payload, found.how) == (ANSWER, "memory")
    found.payload["answer"] = "changed"
    again = cache.get(QUESTION, SCOPE)
    assert again is not None and again.payload == ANSWER
    assert (cache.counts.memory, cache.counts.missed) == (2, 1)


@pytest.mark.parametrize(
    "other",
    [
        Scope("g1", "ollama/y", "p1", "s", "{}", "ann"),
        Scope("g1", "ollama/x", "p2", "s", "{}", "ann"),
        Scope("g1", "ollama/x", "p1", "t", "{}", "ann"),
        Scope("g1", "ollama/x", "p1", "s", '{"phase": [4]}', "ann"),
        Scope("g1", "ollama/x", "p1", "s", "{}", "bob"),
        Scope("g2", "ollama/x", "p1", "s", "{}", "ann"),
    ],
    ids=["model", "prompt", "settings", "filters", "learner", "generation"],
)
def test_what_an_answer_depends_on_separates_answers(other: Scope, shelf: SqliteShelf) -> None:
    cache = AnswerCache(shelf=shelf)
    cache.put(QUESTION, SCOPE, ANSWER)
    assert cache.get(QUESTION, other) is None


def test_capitals_and_words_count() -> None:
    cache = AnswerCache()
    cache.put("What is USE good for?", SCOPE, ANSWER)
    assert cache.get("What is use good for?", SCOPE) is None
    assert normalised("a\u00a0 b\uff1f") == "a b?"
    assert normalised("10³ messages") != normalised("103 messages")
    assert normalised("1½ s") != normalised("11/2 s")
    assert normalised("H₂O") != normalised("H2O")
    assert normalised("cafe\u0301") == normalised("caf\u00e9")


@pytest.mark.parametrize("question", ["why?", "and its failure modes?", "how does it work?"])
def test_half_a_question_is_never_kept(question: str) -> None:
    cache = AnswerCache()
    assert not cacheable(question)
    assert not cache.put(question, SCOPE, ANSWER)
    assert cache.get(question, SCOPE) is None


def test_a_refusal_is_never_kept() -> None:
    cache = AnswerCache()
    assert not cache.put(QUESTION, SCOPE, {"answer": "Not here.", "abstained": True})


def test_the_least_recently_used_goes_first() -> None:
    cache = AnswerCache(memory_bytes=600)
    for n in range(4):
        cache.put(f"What is Kafka {n}?", SCOPE, {"answer": "x" * 80})
        cache.get("What is Kafka 0?", SCOPE)
    assert cache.get("What is Kafka 0?", SCOPE) is not None
    assert cache.get("What is Kafka 1?", SCOPE) is None
    assert cache.bytes <= 600 and cache.counts.evicted > 0


def test_an_answer_larger_than_the_cache_is_not_kept() -> None:
    cache = AnswerCache(memory_bytes=100)
    cache.put(QUESTION, SCOPE, {"answer": "x" * 1000})
    assert cache.bytes == 0


def test_answers_outlive_the_process(shelf: SqliteShelf) -> None:
    AnswerCache(shelf=shelf).put(QUESTION, SCOPE, ANSWER)
    found = AnswerCache(shelf=shelf).get(QUESTION, SCOPE)
    assert found is not None and (found.payload, found.how) == (ANSWER, "disk")


def test_a_new_generation_forgets_on_disk_too(shelf: SqliteShelf, tmp_path: Path) -> None:
    cache = AnswerCache(shelf=shelf)
    cache.put(QUESTION, SCOPE, ANSWER)
    newer = Scope("g2", "ollama/x", "p1", "s", "{}", "ann")
    cache.put("What is Raft?", newer, ANSWER)
    with sqlite3.connect(tmp_path / "cache" / "answers.sqlite") as db:
        assert [row[0] for row in db.execute("SELECT generation FROM answers")] == ["g2"]
    db.close()
    assert cache.bytes < 300


def test_the_disk_has_a_bound(tmp_path: Path) -> None:
    shelf = SqliteShelf(tmp_path / "a.sqlite", limit=1_000)
    for n in range(20):
        shelf.put(f"k{n}", SCOPE, f"q{n}", {"answer": "x" * 200})
    kept = [key for key, _ in shelf.questions(SCOPE)]
    assert kept == ["k16", "k17", "k18", "k19"]
    shelf.put("huge", SCOPE, "q", {"answer": "x" * 2_000})
    assert shelf.get("huge") is None and shelf.get("k19") is not None
    shelf.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
def test_only_the_owner_reads_what_was_asked(shelf: SqliteShelf, tmp_path: Path) -> None:
    shelf.put("k", SCOPE, "q", ANSWER)
    assert stat.S_IMODE((tmp_path / "cache" / "answers.sqlite").stat().st_mode) == 0o600


def test_a_damaged_file_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"this is no database" * 500)
    shelf = SqliteShelf(path)
    assert shelf.get("k") is None
    shelf.put("k", SCOPE, "q", ANSWER)
    assert shelf.get("k") == ("q", ANSWER)
    shelf.close()


def test_a_damaged_row_is_a_miss(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    shelf = SqliteShelf(path)
    shelf.put("k", SCOPE, "q", ANSWER)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE answers SET body = '{broken'")
    db.close()
    assert shelf.get("k") is None
    shelf.close()


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache = AnswerCache(shelf=SqliteShelf(tmp_path / "file" / "a.sqlite"))
    for n in range(3):
        assert cache.put(f"What is Kafka {n}?", SCOPE, ANSWER)
    assert cache.get("What is Kafka 1?", SCOPE) is not None
    assert sum("not kept on disk" in record.message for record in caplog.records) == 1


def test_threads_may_share_it(shelf: SqliteShelf) -> None:
    cache = AnswerCache(shelf=shelf, memory_bytes=4_000)
    wrong: list[object] = []

    def work(name: int) -> None:
        for n in range(40):
            question = f"What is Kafka {name} {n % 7}?"
            cache.put(question, SCOPE, {"answer": question})
            found = cache.get(question, SCOPE)
            if found is not None and found.payload != {"answer": question}:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and cache.bytes <= 4_000


def test_the_order_of_filter_values_does_not_count() -> None:
    one = scope_of("g", "m", "p", settings={"a": 1, "b": 2}, filters={"phase": [4, 3]})
    other = scope_of("g", "m", "p", settings={"b": 2, "a": 1}, filters={"phase": [3, 4]})
    assert one.key(QUESTION) == other.key(QUESTION)
    assert one.key(QUESTION) != one.key("What is Raft?")
