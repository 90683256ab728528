"""The training data: question files, which passage a question goes to, splits without leaks, hard batches."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from tutor.errors import SourceError
from tutor.ingest.chunk import Chunk
from tutor.training import data
from tutor.training.data import Item, Question

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "ingest" / "training" / "questions"


def piece(doc_id: str, section: str, text: str, ordinal: int = 0) -> Chunk:
    heading = (doc_id.title(), *[part for part in section.split(" > ") if part])
    return Chunk(f"{doc_id}#{ordinal}", doc_id, heading, text, 0, len(text), "body", None, ordinal)


def bag(texts: list[str]) -> np.ndarray:
    """Unit vectors that count three words."""
    counts = np.array([[t.lower().count(w) + 1e-3 for w in ("log", "quorum", "lease")] for t in texts])
    return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


def test_a_question_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "raft.txt").write_text(
        "# raft\n##\nplain: what is raft for\n\n## Mechanics > Log\nfollow-up: who leads => and if it dies?\n"
    )
    assert data.read_questions(tmp_path) == [
        Question("what is raft for", "plain", "raft", ""),
        Question("who leads and if it dies?", "follow-up", "raft", "Mechanics > Log"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# raft\nplain: before any section\n", 2),
        ("# raft\n## Log\nshouted: WHY\n", 3),
        ("# raft\n## Log\nno register here\n", 3),
        ("# raft\n## Log\nplain:\n", 3),
        ("# raft\n## Log\nplain: a\n# paxos\nplain: b\n", 5),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "raft.txt").write_text(text)
    with pytest.raises(SourceError, match=f"line {line} ") as told:
        data.read_questions(tmp_path)
    assert "raft.txt" in told.value.message


def test_a_question_goes_to_the_nearest_passage_of_its_section() -> None:
    pieces = [
        piece("raft", "Mechanics", "The log.", 0),
        piece("raft", "Mechanics", "A lease.", 1),
        piece("b", "", "x", 2),
    ]
    questions = [
        Question("how long is a lease", "plain", "raft", "Mechanics"),
        Question("what is the log", "plain", "raft", "Mechanics"),
        Question("what is x", "plain", "b", ""),
        Question("gone", "plain", "raft", "Removed"),
    ]
    items, lost = data.match(questions, pieces, bag)
    assert [(i.questions, i.section) for i in items] == [
        (("what is the log",), "raft#Mechanics"),
        (("how long is a lease",), "raft#Mechanics"),
        (("what is x",), "b#"),
    ]
    assert [q.text for q in lost] == ["gone"]


def test_no_document_lies_on_both_sides_of_the_split() -> None:
    items = [Item(f"p{n}", ("q",), f"doc-{n % 60}", f"s{n}") for n in range(240)]
    learnt, unseen = data.split(items, 0.2)
    assert {i.group for i in learnt}.isdisjoint({i.group for i in unseen})
    assert len(learnt) + len(unseen) == 240
    assert 0.1 < len(unseen) / 240 < 0.3
    assert data.split(items, 0.0) == (items, [])


def test_rows_take_a_passage_once_for_several_questions_shortest_first() -> None:
    items = [Item("p", ("a long question", "short", "a third one"), "g", "s"), Item("r", ("only",), "g", "t")]
    assert data.rows_of(items, 2) == [(0, ("short", "a long question")), (0, ("a third one",)), (1, ("only",))]


def test_rivals_are_the_documents_found_near_most_often() -> None:
    assert data.rivals(["a", "a", "b", "c"], [0, 1, 2], [[0, 2, 3], [1, 2], [0, 1]]) == {"a": ["b", "c"], "b": ["a"]}


def test_nearest_by_meaning_and_by_terms() -> None:
    passages = ["the log is appended", "a quorum of replicas votes", "the lease expires"]
    assert data.nearest(bag(["quorum"]), bag(passages), 1) == [[1]]
    assert data.nearest_by_terms(["which replicas vote"], passages, 1) == [[1]]
    assert sorted(data.nearest(bag(["quorum"]), bag(passages), 10)[0]) == [0, 1, 2]


def test_general_pairs_are_chosen_by_the_seed_and_grouped_by_repository(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for n in range(50):
            out.write(json.dumps({"query": f"q{n}", "passage": f"p{n}", "source": f"o/r{n % 5}:f{n}.md"}) + "\n")
    first = data.read_pairs(path, 10, seed=1)
    assert len(first) == 10
    assert first == data.read_pairs(path, 10, seed=1) != data.read_pairs(path, 10, seed=2)
    assert {i.group for i in first} <= {f"o/r{n}" for n in range(5)}


def test_every_section_of_the_curriculum_has_questions_and_no_question_is_lost() -> None:
    """The files under ingest/training/questions/ against the curriculum as it is now."""
    questions = data.read_questions(QUESTIONS)
    pieces = data.read_passages(ROOT / "corpus", lambda text: len(text.split()))
    sections = {(p.doc_id, data.section_of(p)) for p in pieces}
    asked = {(q.doc_id, q.section) for q in questions}
    assert len(questions) >= 8_000
    assert not asked - sections, "questions for sections that are gone: mend ingest/training/questions/"
    assert not sections - asked, "sections without questions: write some under ingest/training/questions/"
    texts = [q.text.lower() for q in questions]
    assert len(set(texts)) / len(texts) > 0.99
    shares = {r: sum(q.register == r for q in questions) / len(questions) for r in data.REGISTERS}
    assert min(shares.values()) > 0.01, shares
