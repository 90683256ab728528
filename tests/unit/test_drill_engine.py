"""Drills as front ends use them, on the packaged curriculum, with a grader that looks for words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEncoder
from tutor.bootstrap import builtin_corpus
from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.engine import Drills, Reading
from tutor.drill.grade import Grade, PointGrade, settle
from tutor.drill.rubric import Rubric
from tutor.drill.session import Session
from tutor.drill.store import DrillStore

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class AllSaid:
    """Every point is covered by an answer with "good" in it, else missed; it keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        self.given.append(answer)
        answer.encode("utf-8")
        made = "good" in answer.split()
        points = [
            PointGrade(point=p.id, status="covered" if made else "missed", evidence="good" if made else "")
            for p in rubric.points
        ]
        return settle(rubric, points, [], [], words=max(6, len(answer.split())))


class Shelf:
    """What to read for a claim: the claim's own first words."""

    def __init__(self) -> None:
        self.asked = 0

    def read_for(self, claim: str, doc_id: str) -> Reading | None:
        self.asked += 1
        return Reading(title="Book", heading=("Chapter",), doc_id=doc_id, quote=f"It says: {claim}")


@lru_cache(maxsize=1)
def corpus() -> Corpus:
    return load_corpus(builtin_corpus())


@pytest.fixture
def drills(tmp_path: Path) -> Drills:
    return made(tmp_path / "drills")


def made(folder: Path, now: datetime = NOW) -> Drills:
    grader: Any = AllSaid()
    return Drills(corpus(), FakeEncoder(), grader, DrillStore(folder), Shelf(), clock=lambda: now)


def say(drills: Drills, session: Session, *lines: str) -> Session:
    for line in lines:
        assert session.pending
        session = drills.reply(session.id, session.pending.id, line)
    return session


def rows(folder: Path, name: str = "results.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


# --- text that is no text -------------------------------------------------------------------------------------------


def test_half_a_character_is_replaced_where_text_enters(drills: Drills) -> None:
    session = say(drills, drills.start("kafka \udcff"), "emoji half \ud83d", "good \udc00 answer")
    kept = drills.store.load(session.id)
    said = [t.text for t in kept.rounds[0].turns if t.who == "learner"]
    assert said == ["emoji half \ufffd", "good \ufffd answer"]
    assert drills.grade("kafka\ud800", "why-not-task-queue\udfff", "good \ud800").score > 0
