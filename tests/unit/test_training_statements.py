"""What the grader learns from, and what it is measured by, stand on probes that exist, and never on the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.gaming import runs
from tutor.drill.judge import CONTRADICTED, COVERED, MISSED, PARTLY, STATUSES
from tutor.errors import SourceError
from tutor.training.statements import Answer, Material, Segment, claims_of, examples, read_material

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = ROOT / "evals" / "drill" / "answers.jsonl"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "corpus")


def test_statements_are_of_points_that_exist(corpus: Corpus) -> None:
    said = read_material(ROOT / "ingest" / "training" / "answers")
    _, lost = examples(said, corpus.cards, rounds=0, seed=1)
    assert lost == []
    assert len(said.statements) > 10_000
    assert len({s.text for s in said.statements}) > 0.99 * len(said.statements)
    assert set(Counter(s.status for s in said.statements)) == set(range(len(STATUSES)))


def test_no_answer_that_measures_is_learnt_from() -> None:
    said = read_material(ROOT / "ingest" / "training" / "answers")
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    measured = {run for row in rows if row["kind"] != "pasted" for run in runs(row["answer"])}
    learnt = [s.text for s in said.statements] + [" ".join(p.text for p in a.segments) for a in said.answers]
    # Two writers of one estimate share its figures; more than half of a text is no accident.
    copied = [text for text in learnt if len(runs(text) & measured) > max(2, len(runs(text)) / 2)]
    assert not copied


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
    everything = read_material(ROOT / "ingest" / "training" / "answers")
    said = everything.only([("kafka", p.id) for p in corpus.cards["kafka"].probes])
    found, _ = examples(said, corpus.cards, rounds=2, seed=3)
    assert found == examples(said, corpus.cards, rounds=2, seed=3)[0]
    claims = {c for p in corpus.cards["kafka"].probes for c in claims_of(p).values()}
    assert {e.claim for e in found} <= claims
    covering = {(s.target, s.text) for s in said.statements if s.status == COVERED}
    assert any(sum(text in e.answer for _, text in covering) > 1 for e in found)


def test_a_whole_answer_gives_the_class_of_every_claim(tmp_path: Path, corpus: Corpus) -> None:
    probe = corpus.cards["kafka"].probes[0]
    first, second, *others = (m.id for m in probe.must_have)
    (tmp_path / "kafka.txt").write_text(
        f"# kafka / {probe.id}\n>>\n{first}=partly | One thing\n| A remark.\n{first}=covered {second}=contradicted "
        "| Two things\n!1=rejected | No.\n",
        encoding="utf-8",
    )
    material = read_material(tmp_path)
    assert [dict(s.labels) for s in material.answers[0].segments][:2] == [{first: PARTLY}, {}]
    found, lost = examples(material, corpus.cards, rounds=1, seed=1)
    whole = "One thing. A remark. Two things. No."
    claims = claims_of(probe)
    classes = {e.claim: e.status for e in found if e.answer == whole}
    assert classes == {claims[first]: COVERED, claims[second]: CONTRADICTED, claims["!1"]: CONTRADICTED} | {
        claims[point]: MISSED for point in others
    }
    assert not lost
    assert {e.status for e in found if e.answer == "A remark."} <= {MISSED}
    wrong = Material([], [Answer("kafka", probe.id, (Segment("x", {"nonesuch": COVERED}),))])
    assert examples(wrong, corpus.cards, rounds=1, seed=1) == ([], [("kafka", probe.id, "nonesuch")])


@pytest.mark.parametrize("line", ["nonsense", "covered", "seen: x", "asserted: of a point"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "kafka.txt").write_text(f"# kafka / p\n## point\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 3 is no statement"):
        read_material(tmp_path)


@pytest.mark.parametrize("line", ["no bar", "point: x | y", "point=seen | y", "!1=covered | y", "point=covered |"])
def test_a_bad_segment_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "kafka.txt").write_text(f"# kafka / p\n>>\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 3 is no segment"):
        read_material(tmp_path)
