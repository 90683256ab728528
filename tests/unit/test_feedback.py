"""Votes: what is kept, what is refused, and that neither a crash nor strange text spoils the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tutor.errors import SourceError, UsageError
from tutor.feedback import MAX_NOTE, FeedbackStore


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback", clock=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))


def test_a_vote_is_a_line_with_nothing_else_in_it(store: FeedbackStore) -> None:
    kept = store.add("What is a quorum?", "A majority. [1]", "down", citations=["raft#why", "raft#why"], note=" wrong ")
    assert list(store.votes()) == [kept]
    assert json.loads(store.path.read_text(encoding="utf-8")) == {
        "question": "What is a quorum?",
        "answer": "A majority. [1]",
        "citations": ["raft#why"],
        "vote": "down",
        "note": "wrong",
        "at": "2026-03-01T12:00:00+00:00",
    }
    assert store.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"vote": "sideways"}, "vote"),
        ({"question": " \x00 "}, "question"),
        ({"question": "a" * 4_001}, "question"),
        ({"answer": "a" * 20_001}, "answer"),
        ({"note": "a" * (MAX_NOTE + 1)}, "note"),
        ({"citations": [f"a#{n}" for n in range(51)]}, "citations"),
        ({"citations": ["a" * 301]}, "citations"),
        ({"citations": [""]}, "citations"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(
    store: FeedbackStore, given: dict[str, Any], about: str
) -> None:
    with pytest.raises(UsageError) as caught:
        store.add(**({"question": "q", "answer": "a", "vote": "up"} | given))
    assert caught.value.about == about
    assert caught.value.fix
    assert not store.path.exists()


def test_a_line_that_a_crash_cut_short_spoils_no_other(store: FeedbackStore) -> None:
    first = store.add("one", "a", "up")
    with open(store.path, "ab") as file:
        file.write(b'{"question": "half a li\xc3')
    second = store.add("two", "b", "down")
    assert list(store.votes()) == [first, second]


@pytest.mark.parametrize("text", ["two\u2028lines\nand three\x85", "half \ud800 a pair", "漢字 🙂 \x1b[31m", '"}\\n{"'])
def test_any_text_comes_back(store: FeedbackStore, text: str) -> None:
    kept = store.add(text, text, "down", note=text)
    after = store.add("after", "", "up")
    assert list(store.votes()) == [kept, after]
    assert "\x1b" not in store.path.read_text(encoding="utf-8")


def test_rows_that_are_no_votes_are_passed_over(store: FeedbackStore) -> None:
    store.path.parent.mkdir()
    store.path.write_text('[]\n{"vote": "down"}\n{"vote": ["up"], "question": 3}\n\nnull\n', encoding="utf-8")
    assert list(store.votes()) == []


def test_votes_of_several_threads_are_all_there(store: FeedbackStore) -> None:
    threads = [Thread(target=lambda n=n: store.add(f"q{n}", "x" * 9_000, "up")) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(v.question for v in store.votes()) == sorted(f"q{n}" for n in range(16))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be stored"):
        FeedbackStore(tmp_path / "file").add("q", "a", "up")
