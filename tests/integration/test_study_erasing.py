"""Deleting everything: it is gone from the database and the files, a copy brings it back, and others' stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tutor.answering.cache import Scope
from tutor.answering.shelf import SqliteShelf
from tutor.bootstrap import App
from tutor.errors import StudyFault
from tutor.settings import Settings
from tutor.study.erasing import erase
from tutor.study.rows import TABLES
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Base, Drilled, Entry, Learner, Mark, Memory, Review, Sitting, TakenPlan, Tick
from tutor.study.transfer import Transfer, read
from tutor.study.whose import own_home

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)


class Place:
    """A home, and a learner's store and export in it."""

    def __init__(self, home: Path, url: str, learner: str) -> None:
        self.home, self.url, self.learner = home, url, learner
        self.transfer = Transfer(self.open, home, clock=lambda: NOW, retention=0.9, zone=ZoneInfo("UTC"))

    def open(self) -> StudyStore:
        path = self.home / "study.db"
        return StudyStore(path, url=self.url, learner=self.learner, clock=lambda: NOW)

    def fill(self) -> None:
        mine: dict[str, Any] = {"learner": self.learner, "at": NOW}
        store = self.open()
        store.owner()
        with store.write() as session:
            session.add_all([
                Mark(id=new_id(), **mine, card="kafka", status="learning", why="override"),
                Drilled(id=new_id(), **mine, session="20260503-abcdabcd", task=0, card="kafka", verdict="pass",
                        score=1.0),
                Memory(id=new_id(), **mine, ref="kafka", state=2, due=NOW),
                Review(id=new_id(), **mine, ref="kafka", rating=3, source="flash"),
                TakenPlan(id=new_id(), **mine, plan="28-day", start=date(2026, 5, 1)),
                Tick(id=new_id(), **mine, plan="28-day", item="day-01", done=True),
                Entry(id=new_id(), **mine, entry="e1", version=1, written=NOW, text="Chose Kafka."),
                Sitting(id=new_id(), **mine, seconds=60.0, kind="drill"),
            ])  # fmt: skip
        store.close()
        for name in ("drills/20260503-abcdabcd.json", "feedback/answers.jsonl", "log-drafts/20260503-093000-7.md"):
            path = own_home(self.home, self.learner) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}\n", encoding="utf-8")

    def rows(self) -> dict[str, int]:
        store = self.open()
        with store.read() as session:
            counted = {
                name: session.scalar(select(func.count()).where(table.c.learner == self.learner)) or 0
                for name, table in TABLES.items()
            }
        store.close()
        return {name: count for name, count in counted.items() if count}


@pytest.fixture
def places(tmp_path: Path, study_url: str) -> tuple[Place, Place]:
    """Two learners with homes of their own; on PostgreSQL they share the database."""
    mine, other = Place(tmp_path / "mine", study_url, "ada"), Place(tmp_path / "other", study_url, "bob")
    mine.fill()
    other.fill()
    return mine, other


def test_everything_of_one_learner_goes_and_the_copy_brings_it_back(places: tuple[Place, Place]) -> None:
    mine, other = places
    before, others = mine.rows(), other.rows()
    done = erase(mine.open, mine.home, mine.transfer.export, clock=lambda: NOW)
    assert (done.rows, done.files) == (sum(before.values()), 3)
    assert mine.rows() == {}
    own = own_home(mine.home, "ada")
    assert not list(own.glob("drills/*.json")) and not list(own.glob("feedback/*.jsonl"))
    assert not list(own.glob("log-drafts/*.md"))
    assert other.rows() == others
    assert (own_home(other.home, "bob") / "drills" / "20260503-abcdabcd.json").exists()

    copy = Path(done.backup)
    assert copy.parent == mine.home / "backups" and copy.stat().st_mode & 0o077 == 0
    mine.transfer.bring_in(read(copy.read_bytes(), "copy"))
    assert mine.rows() == before
    assert (own / "drills" / "20260503-abcdabcd.json").exists()


def test_a_store_that_was_open_meanwhile_goes_on(places: tuple[Place, Place]) -> None:
    mine, _ = places
    held = mine.open()
    erase(mine.open, mine.home, mine.transfer.export, clock=lambda: NOW)
    with held.write() as session:
        session.add(Sitting(id=new_id(), learner="ada", at=NOW, seconds=1.0, kind="ask"))
    held.close()
    assert mine.rows() == {"sittings": 1}


def test_where_no_copy_can_be_written_nothing_is_deleted(places: tuple[Place, Place]) -> None:
    mine, _ = places
    before = mine.rows()
    folder = mine.home / "backups"
    for path in folder.glob("*") if folder.exists() else ():
        path.unlink()
    if folder.exists():
        folder.rmdir()
    folder.write_text("a file where the folder should be", encoding="utf-8")
    document = {"nothing": "is asked of a store whose backups cannot be made"}
    with pytest.raises(StudyFault, match="nothing was deleted"):
        erase(mine.open, mine.home, lambda: document | {"parts": {}}, clock=lambda: NOW)
    folder.unlink()
    assert mine.rows() == before
    assert (own_home(mine.home, "ada") / "feedback" / "answers.jsonl").exists()


def test_older_copies_that_hold_the_words_are_named(places: tuple[Place, Place]) -> None:
    mine, _ = places
    damaged, older = mine.home / "study.damaged-20260501-080000.db", mine.home / "backups" / "before-erase-2026.json"
    older.parent.mkdir(exist_ok=True)
    for path in (damaged, older):
        path.write_text("words", encoding="utf-8")
    done = erase(mine.open, mine.home, mine.transfer.export, clock=lambda: NOW)
    assert {str(damaged), str(older)} <= set(done.left) and done.backup not in done.left


def test_every_table_says_whose_a_row_is() -> None:
    """So that export and erase, which go by that column, miss none that is added later."""
    without = {name for name, table in Base.metadata.tables.items() if "learner" not in table.columns}
    assert without == {Learner.__tablename__}


def test_answers_that_a_model_wrote_are_forgotten_too(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "answers.sqlite"
    scope = Scope("generation", "model")
    shelf = SqliteShelf(path)
    shelf.put("key", scope, "What do I not want to be seen?", {"text": "an answer"})
    shelf.close()
    app = App(Settings(home=tmp_path))
    app.erase()
    app.close()
    shelf = SqliteShelf(path)
    assert shelf.questions(scope) == []
    shelf.close()
