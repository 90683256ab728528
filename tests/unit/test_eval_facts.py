"""The judge of facts reads less than all, and decides as if it had read all."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tutor.drill.judge import OnnxJudge
from tutor.evals.facts import FactJudge
from tutor.evals.remembering import Remembering
from tutor.evals.sets import Fact, Sets

LABELS = Sets(Path(__file__).resolve().parents[2] / "evals").fact_labels


class Moody:
    """A judge with chances that mean nothing but are the same for the same pair; it counts what it reads."""

    def __init__(self) -> None:
        self.read = 0

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Any:
        self.read += len(pairs)
        seeds = [zlib.crc32("\n".join(pair).encode()) for pair in pairs]
        found = [np.random.default_rng(seed).dirichlet([0.3] * 4) for seed in seeds]
        return np.array(found, dtype=np.float32).reshape(-1, 4)


def decisions(judge: FactJudge, answer: str, facts: list[Fact]) -> list[bool]:
    """From all features, as the model was fitted."""
    return [bool(judge._model(row)[1] >= 0.5) for row in judge.features(answer, facts)]


def test_the_decisions_are_those_of_all_features() -> None:
    moody = Moody()
    judge = FactJudge(judge=moody)
    every = [Fact(fact=one.fact, aliases=one.aliases) for one in LABELS[:40]]
    few = whole = 0
    for n, label in enumerate(LABELS[:40]):
        facts = every[n : n + 4]
        moody.read = 0
        lazy = judge.covered(label.answer, facts)
        few, moody.read = few + moody.read, 0
        assert lazy == decisions(judge, label.answer, facts)
        whole += moody.read
    assert 0 < few < whole / 2


def test_so_they_are_with_the_judge_in_force() -> None:
    judge = FactJudge(judge=OnnxJudge())
    for label in LABELS[40:50]:
        facts = [Fact(fact=label.fact, aliases=label.aliases)]
        assert judge.covered(label.answer, facts) == decisions(judge, label.answer, facts)


def test_an_answer_without_a_sentence_is_judged_by_its_features() -> None:
    judge = FactJudge(judge=Moody())
    assert judge.covered("", [Fact(fact="a majority")] * 2) == decisions(judge, "", [Fact(fact="a majority")] * 2)
    assert judge.covered("Something.", []) == []


def test_a_text_is_encoded_once() -> None:
    asked: list[list[str]] = []

    class Counting:
        name = "counting"

        def encode(self, texts: list[str]) -> list[str]:
            asked.append(list(texts))
            return [text.upper() for text in texts]

    inner: Any = Counting()
    encoder = Remembering(inner)
    done: list[int] = []
    assert encoder.encode(["b", "a", "b"], on_progress=done.append) == ["B", "A", "B"]
    assert encoder.encode(["c", "a"]) == ["C", "A"]
    assert asked == [["b", "a"], ["c"]]
    assert (done, encoder.name) == ([3], "counting")
