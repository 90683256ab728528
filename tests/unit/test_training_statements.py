"""What the grader learns from, and what it is measured by, stand on probes that exist, and never on the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.judge import COVERED, STATUSES
from tutor.errors import SourceError
from tutor.training.statements import claims_of, examples, read_statements

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = ROOT / "evals" / "drill" / "answers.jsonl"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "corpus")


def test_statements_are_of_points_that_exist_and_not_of_those_that_measure(corpus: Corpus) -> None:
    said = read_statements(ROOT / "ingest" / "training" / "answers")
    _, lost = examples(said, corpus.cards, rounds=0, seed=1)
    assert [(s.card, s.probe, s.target) for s in lost] == []
    measured = {
        (row["card"], row["probe"]) for row in map(json.loads, ANSWERS.read_text(encoding="utf-8").splitlines())
    }
    assert not measured & {(s.card, s.probe) for s in said}
    assert len(said) > 10_000
    assert len({s.text for s in said}) > 0.99 * len(said)
    assert set(Counter(s.status for s in said)) == set(range(len(STATUSES)))


def test_answers_are_labelled_whole(corpus: Corpus) -> None:
    probes = {(c.id, p.id): p for c in corpus.cards.values() for p in c.probes}
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 300 and len({(r["card"], r["probe"]) for r in rows}) >= 60
    assert len({r["id"] for r in rows}) == len(rows)
    halves: dict[tuple[str, str], str] = {}
    for row in rows:
        probe = probes[row["card"], row["probe"]]
        assert set(row["points"]) == {m.id for m in probe.must_have}
        assert set(row["points"].values()) <= set(STATUSES)
        assert set(row["red_flags"]) <= set(range(1, len(probe.red_flags) + 1))
        assert row["verdict"] in ("strong", "mixed", "weak", "wrong", "ungraded")
        assert halves.setdefault((row["card"], row["probe"]), row["half"]) == row["half"]


def test_composed_answers_know_the_class_of_every_point(corpus: Corpus) -> None:
    said = [s for s in read_statements(ROOT / "ingest" / "training" / "answers") if s.card == "kafka"]
    found, _ = examples(said, corpus.cards, rounds=2, seed=3)
    assert found == examples(said, corpus.cards, rounds=2, seed=3)[0]
    claims = {c for p in corpus.cards["kafka"].probes for c in claims_of(p).values()}
    assert {e.claim for e in found} <= claims
    covering = {(s.target, s.text) for s in said if s.status == COVERED}
    assert any(sum(text in e.answer for _, text in covering) > 1 for e in found)


@pytest.mark.parametrize("line", ["nonsense", "covered", "seen: x", "asserted: of a point"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "kafka.txt").write_text(f"# kafka / p\n## point\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 3 is no statement"):
        read_statements(tmp_path)
