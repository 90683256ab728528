"""The golden questions: sections that exist, facts that can be looked for, none of them a training question.

The encoder was not trained and abstaining not fitted on them, but k and the weights of the fusion were chosen with
their help (``evals/LOG.md``, "The first places count").
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tutor.training.data import read_passages, read_questions, section_of

ROOT = Path(__file__).resolve().parents[2]


def lines(name: str) -> list[dict[str, Any]]:
    text = (ROOT / "evals" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line]


GOLDEN, REFUSED = lines("golden/questions.jsonl"), lines("golden/refuse.jsonl")


def plain(question: str) -> str:
    return re.sub(r"\W+", " ", question.lower()).strip()


@pytest.fixture(scope="module")
def sections() -> set[tuple[str, str]]:
    return {(p.doc_id, section_of(p)) for p in read_passages(ROOT / "corpus", lambda text: len(text.split()))}


def test_there_are_enough_of_every_kind() -> None:
    kinds = Counter(q["kind"] for q in GOLDEN)
    assert len(GOLDEN) >= 320
    assert set(kinds) == set(
        "definition how compare why-not scenario estimate multi-card follow-up misspelt acronym spoken".split()
    )
    assert set(Counter(q["phase"] for q in GOLDEN)) == set(range(10))
    assert len(REFUSED) >= 80
    assert {q["kind"] for q in REFUSED} == {"far", "near-miss", "false-premise", "injection", "secrets"}


def test_ids_and_questions_are_unique() -> None:
    assert len({q["id"] for q in (*GOLDEN, *REFUSED)}) == len(GOLDEN) + len(REFUSED)
    assert len({plain(q["question"]) for q in (*GOLDEN, *REFUSED) if not q.get("history")}) == len(REFUSED) + sum(
        not q["history"] for q in GOLDEN
    )


@pytest.mark.parametrize("question", GOLDEN, ids=lambda q: q["id"])
def test_a_golden_question_is_whole(question: dict[str, Any], sections: set[tuple[str, str]]) -> None:
    named = {(p["doc"], p["section"]) for p in question["passages"]}
    assert named
    assert named <= sections, named - sections
    assert set(question["documents"]) <= {doc for doc, _ in sections}
    assert {doc for doc, _ in named} <= set(question["documents"])
    assert question["reference"]
    assert question["key_facts"]
    assert all(fact["fact"] for fact in question["key_facts"])
    assert bool(question["history"]) == (question["kind"] == "follow-up")


def test_no_golden_question_is_a_training_or_calibration_question() -> None:
    known = {plain(q.text) for q in read_questions(ROOT / "ingest" / "training" / "questions")}
    known |= {plain(q["question"]) for name in ("questions", "held_out") for q in lines(f"calibration/{name}.jsonl")}
    found = [q["id"] for q in (*GOLDEN, *REFUSED) if plain(q["question"]) in known]
    assert not found
