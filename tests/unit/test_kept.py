"""What is kept between questions changes no answer: vectors as they are stored, and the spans of a passage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fakes import FakeEncoder
from tutor.answering.units import Units
from tutor.retrieval.index import DENSE, TOKENS, Hit, Passage
from tutor.retrieval.kept import Kept

TEXT = "A quorum is a majority of the nodes. A write is kept when a quorum of nodes has it on its disks."


@dataclass
class Record:
    id: str
    vector: dict[str, Any] | None


def records(ids: list[str]) -> list[Record]:
    asked.append(list(ids))
    return [Record(id, {DENSE: [0.5, len(id)], TOKENS: [[0.0, 255.0], [7.0, 128.0]]}) for id in ids]


asked: list[list[str]] = []


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    asked.clear()


def test_vectors_are_read_once_and_come_back_as_they_are_stored() -> None:
    kept = Kept()
    first = kept.of(["a", "bb"], records)
    again = kept.of(["bb", "ccc", "a"], records)
    assert asked == [["a", "bb"], ["ccc"]]
    assert set(again) == {"a", "bb", "ccc"}
    assert again["bb"] is first["bb"]
    assert first["bb"].dense is not None and first["bb"].dense.tolist() == [0.5, 2.0]
    assert first["bb"].tokens is not None and first["bb"].tokens.tolist() == [[0, 255], [7, 128]]


def test_the_longest_unasked_go_first_but_none_of_those_asked_for() -> None:
    kept = Kept(most=2)
    assert set(kept.of(["a", "b", "c"], records)) == {"a", "b", "c"}
    assert len(kept) == 2
    kept.of(["b"], records)
    kept.of(["d"], records)
    kept.of(["b"], records)
    assert asked == [["a", "b", "c"], ["d"]]
    kept.of(["c"], records)
    assert asked[-1] == ["c"]


def test_a_point_may_have_no_vectors() -> None:
    found = Kept().of(["a"], lambda ids: [Record("a", None)])
    assert (found["a"].dense, found["a"].tokens) == (None, None)


@pytest.mark.parametrize("vector", [{DENSE: [float("nan")]}, {TOKENS: [[float("inf")]]}])
def test_damage_is_told_each_time(vector: dict[str, Any]) -> None:
    kept = Kept()
    for _ in range(2):
        with pytest.raises(ValueError, match="not finite"):
            kept.of(["a"], lambda ids: [Record("a", vector)])


class Counted(FakeEncoder):
    """Counts how often it is asked where tokens begin."""

    looked = 0

    def offsets(self, text: str) -> Any:
        self.looked += 1
        return super().offsets(text)


def hit(*, heading: tuple[str, ...] = ("Quorum",)) -> Hit:
    passage = Passage("q#1", "q", "Quorum", heading, TEXT, 0, len(TEXT), "text", "note", "q.md", None, (), ())
    tokens = FakeEncoder().encode([f"{passage.prefix}\n{TEXT}"])[0].tokens
    return Hit(passage, 1.0, None, tokens)


def test_a_passage_is_cut_once_and_each_hit_has_its_own_vectors() -> None:
    encoder = Counted()
    units = Units(encoder)
    one = hit()
    assert one.tokens is not None
    other = Hit(one.passage, 0.5, None, np.negative(one.tokens))
    first, second = list(units.of(one, 3)), list(units.of(other, 4))
    assert encoder.looked == 1
    assert [u.text for u in first] == [u.text for u in second] == [s.strip() for s in (TEXT[:36], TEXT[36:])]
    assert [u.first for u in first] == [True, False]
    assert {u.rank for u in first} == {3} and {u.rank for u in second} == {4}
    for a, b in zip(first, second, strict=True):
        assert len(a.tokens) and np.array_equal(a.tokens, -b.tokens)
    assert list(units.of(hit(heading=("Other",)), 0))
    assert encoder.looked == 2  # another prefix: the vectors stand elsewhere


def test_only_so_many_are_kept() -> None:
    encoder = Counted()
    units = Units(encoder, most=1)
    for heading in ("a", "b", "a"):
        assert list(units.of(hit(heading=(heading,)), 0))
    assert encoder.looked == 3


def test_a_passage_without_vectors_gives_none() -> None:
    one = hit()
    assert list(Units(FakeEncoder()).of(Hit(one.passage, 1.0), 0)) == []
