"""Conversations in the store, on SQLite and PostgreSQL: nothing lost, found again, and gone when they are deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tutor.errors import NotFound, UsageError
from tutor.study.conversations import Conversations
from tutor.study.store import StudyStore
from tutor.study.transfer import Transfer, dumped, read

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
ANSWER = {"answer": "A **quorum** is a majority. [1]", "citations": [{"n": 1, "quote": "a majority"}], "ms": 1.5}


class Ticking:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.now = NOW
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self.now += timedelta(seconds=1)
            return self.now


def opened(url: str, path: Path, learner: str = "local") -> Conversations:
    clock = Ticking()
    return Conversations(
        lambda: StudyStore(path, url=url, learner=learner, clock=clock), zone=ZoneInfo("Europe/Berlin"), clock=clock
    )


@pytest.fixture
def kept(study_url: str, tmp_path: Path) -> Iterator[Conversations]:
    found = opened(study_url, tmp_path / "study.db")
    yield found
    found.close()


def test_turns_come_back_in_their_order_with_their_answers(kept: Conversations) -> None:
    about, first = kept.add("", "What is a quorum?", ANSWER)
    again, second = kept.add(about.id, "and on failover?", {"answer": "x"}, standalone="A quorum, on failover?")
    assert (about.title, again.id, again.turns) == ("What is a quorum?", about.id, 2)
    assert about.created == again.created and again.changed > about.changed
    thread = kept.get(about.id)
    assert [t.id for t in thread.turns] == [first.id, second.id]
    assert thread.turns[0].answer == ANSWER
    assert (thread.turns[0].standalone, thread.turns[1].standalone) == ("", "A quorum, on failover?")
    assert kept.last(about.id, 8) == [("What is a quorum?", ANSWER["answer"]), ("and on failover?", "x")]
    assert kept.last(about.id, 1) == [("and on failover?", "x")]


def test_an_answer_may_be_written_anew(kept: Conversations) -> None:
    about, turn = kept.add("", "What is a quorum?", ANSWER)
    kept.answer(turn.id, {"answer": "Written.", "citations": []})
    assert kept.get(about.id).turns[0].answer == {"answer": "Written.", "citations": []}
    kept.answer("gone", {"answer": "Nobody reads this."})
    assert kept.find("nobody")[0] == 0


def test_all_words_are_found_wherever_in_a_conversation_they_are(kept: Conversations) -> None:
    one, _ = kept.add("", "What is a QUORUM?", ANSWER)
    kept.add(one.id, "Und auf Straßen?", {"answer": "Äpfel"})
    two, _ = kept.add("", "What is Kafka?", {"answer": "A log."})
    assert [s.id for s in kept.find()[1]] == [two.id, one.id]
    for words, found in (
        ("quorum", [one.id]),
        ("MAJORITY äpfel", [one.id]),
        ("strassen", [one.id]),
        ("what is", [two.id, one.id]),
        ("kafka quorum", []),
        ("100% _", []),
    ):
        assert [s.id for s in kept.find(words)[1]] == found, words
    kept.rename(one.id, "  Voting\nand majorities ")
    total, found_ = kept.find("voting")
    assert (total, found_[0].title, found_[0].turns) == (1, "Voting and majorities", 2)
    assert [s.id for s in kept.find(limit=1, offset=1)[1]] == [two.id]
    assert kept.find(limit=1)[0] == 2


def test_a_title_is_short_and_never_empty(kept: Conversations) -> None:
    about, _ = kept.add("", "why " * 400, ANSWER)
    assert len(about.title) <= 100 and about.title.endswith("why…")
    for wrong in ("", " \n", "x" * 201):
        with pytest.raises(UsageError):
            kept.rename(about.id, wrong)
    assert kept.get(about.id).about.title == about.title


def test_what_is_deleted_is_gone(kept: Conversations) -> None:
    about, turn = kept.add("", "What is a quorum?", ANSWER)
    other, _ = kept.add("", "What is Kafka?", ANSWER)
    kept.delete(about.id)
    assert [s.id for s in kept.find()[1]] == [other.id]
    calls = (
        lambda: kept.get(about.id),
        lambda: kept.delete(about.id),
        lambda: kept.rename(about.id, "x"),
        lambda: kept.add(about.id, "And now?", ANSWER),
        lambda: kept.last(about.id, 3),
        lambda: kept.vote(about.id, turn.id, "up"),
        lambda: kept.get("no/such\x00id"),
        lambda: kept.vote(other.id, turn.id, "up"),
    )
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert kept.store.check() == 2  # the other conversation and its turn: nothing is left behind


def test_a_vote_can_be_changed_and_taken_back(kept: Conversations) -> None:
    about, turn = kept.add("", "What is a quorum?", ANSWER)
    for vote, reason in (("up", ""), ("down", "incomplete"), ("", "")):
        kept.vote(about.id, turn.id, vote, reason)
        found = kept.turn(about.id, turn.id)
        assert (found.vote, found.reason) == (vote, reason)
    with pytest.raises(UsageError):
        kept.vote(about.id, turn.id, "maybe")
    with pytest.raises(UsageError):
        kept.vote(about.id, turn.id, "down", "x" * 2_001)


def test_two_who_ask_at_once_lose_no_turn(kept: Conversations) -> None:
    about, _ = kept.add("", "What is a quorum?", ANSWER)
    threads = [threading.Thread(target=kept.add, args=(about.id, f"and {n}?", ANSWER)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {t.question for t in kept.get(about.id).turns} == {"What is a quorum?", *(f"and {n}?" for n in range(8))}


def test_another_learner_sees_none_of_it(kept: Conversations, study_url: str, tmp_path: Path) -> None:
    about, turn = kept.add("", "What is a quorum?", ANSWER)
    other = opened(study_url, tmp_path / "study.db", "bob")
    assert other.find() == (0, [])
    for call in (lambda: other.get(about.id), lambda: other.delete(about.id), lambda: other.turn(about.id, turn.id)):
        with pytest.raises(NotFound):
            call()
    other.close()


def test_an_export_takes_conversations_along_and_an_import_brings_them(
    kept: Conversations, study_url: str, tmp_path: Path
) -> None:
    about, turn = kept.add("", "What is a quorum?", ANSWER)

    def transfer(home: Path, url: str) -> Transfer:
        return Transfer(
            lambda: StudyStore(home / "study.db", url=url, clock=lambda: NOW),
            home,
            clock=lambda: NOW,
            retention=0.9,
            zone=ZoneInfo("UTC"),
        )

    old, new = transfer(tmp_path, study_url), transfer(tmp_path / "new", "")
    given = read(dumped(old.export()).encode(), "export.json")
    assert new.bring_in(given).parts["conversations"].new == 1
    there = opened("", tmp_path / "new" / "study.db")
    assert there.get(about.id) == kept.get(about.id)
    there.vote(about.id, turn.id, "down", "on the new machine")
    there.rename(about.id, "Quorums")
    assert new.bring_in(given).changes == 0  # what is newer here stays
    assert there.get(about.id).about.title == "Quorums"
    back = old.bring_in(read(dumped(new.export()).encode(), "export.json"))
    assert (back.parts["conversations"].replaced, back.parts["turns"].replaced) == (1, 1)
    assert kept.turn(about.id, turn.id).reason == "on the new machine"
    written = old.text("markdown")
    assert "### 2026-05-03 Quorums" in written and "> A **quorum** is a majority. [1]" in written
    there.close()
