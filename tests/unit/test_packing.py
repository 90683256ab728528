"""Packed vectors rank and read like the vectors they were made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.retrieval.index import Vector
from tutor.retrieval.packing import pack, pack_query, packed_dims, unpack

DIMS = 96
#: Half a step of a stored entry; a step is the reach of five standard deviations in 127 parts.
HALF_STEP = 5 / math.sqrt(DIMS) / 127 / 2


def unit(seed: int, count: int, dims: int = DIMS) -> Vector:
    found = np.random.default_rng(seed).normal(size=(count, dims)) * np.random.default_rng(seed + 1).uniform(
        0.2, 2.0, dims
    )
    found += np.random.default_rng(seed + 2).normal(0, 0.5, dims)  # as real ones: not all about zero
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def engine(asked: np.ndarray, stored: np.ndarray) -> int:
    """MaxSim as the engine works it out: whole numbers, no sign."""
    return int((asked.astype(np.int64) @ stored.astype(np.int64).T).max(axis=1).sum())


def max_sim(asked: Vector, stored: Vector) -> float:
    return float((asked.astype(np.float64) @ stored.astype(np.float64).T).max(axis=1).sum())


seeds = st.integers(0, 2**32 - 4)


@given(seeds, st.integers(1, 40))
def test_what_was_packed_is_read_back_to_half_a_step(seed: int, count: int) -> None:
    vectors = unit(seed, count)
    stored = pack(vectors)
    assert stored.shape == (count, packed_dims(DIMS))
    assert stored.dtype == np.uint8
    back = unpack(stored.astype(np.float32))  # as an engine gives them
    assert back.shape == vectors.shape
    # Turned back, an entry gathers a little of every other's rounding: half a step a dimension is the whole vector's.
    assert np.linalg.norm(back - vectors, axis=1).max() <= HALF_STEP * math.sqrt(DIMS + 1)
    assert np.sqrt(np.mean((back - vectors) ** 2)) < HALF_STEP
    np.testing.assert_array_equal(pack(back), stored)


@given(seeds, st.integers(1, 30))
def test_every_stored_vector_has_the_same_sum(seed: int, count: int) -> None:
    assert set(pack(unit(seed, count)).sum(axis=1, dtype=int)) == {128 * packed_dims(DIMS)}


@given(seeds, st.integers(1, 40), st.sampled_from([2, 16, 32, 96]))
def test_a_score_is_the_max_sim(seed: int, count: int, dims: int) -> None:
    asked, vectors = unit(seed, count, dims), unit(seed + 3, 60, dims)
    query, stored = pack_query(asked), pack(vectors)
    found = query.max_sim(engine(query.vectors, stored))
    # Against what is stored only the question's own rounding is left; against the vectors, both.
    assert found / count == pytest.approx(max_sim(asked, unpack(stored.astype(np.float32))) / count, abs=0.01)
    assert found / count == pytest.approx(max_sim(asked, vectors) / count, abs=0.02)


@given(seeds)
def test_the_order_is_kept(seed: int) -> None:
    asked = unit(seed, 12)
    query = pack_query(asked)
    passages = [unit(seed + 5 + n, 20) for n in range(12)]
    exact = [max_sim(asked, p) for p in passages]
    packed = [engine(query.vectors, pack(p)) for p in passages]
    for n, m in zip(*np.triu_indices(12, 1), strict=True):
        if abs(exact[n] - exact[m]) > 0.005 * len(asked):
            assert (exact[n] > exact[m]) == (packed[n] > packed[m])


def test_the_scores_of_one_question_differ_by_what_is_stored_alone() -> None:
    """A vector whose entries are all high is not taken for a near one."""
    high = np.full((1, DIMS), 1 / math.sqrt(DIMS), dtype=np.float32)
    near = unit(4, 1)
    query = pack_query(near)
    assert engine(query.vectors, pack(near)) > engine(query.vectors, pack(high))
    assert query.max_sim(engine(query.vectors, pack(near))) == pytest.approx(1, abs=0.01)
    assert query.max_sim(engine(query.vectors, pack(-near))) == pytest.approx(-1, abs=0.01)
    assert query.max_sim(engine(query.vectors, pack(high))) == pytest.approx(float(high[0] @ near[0]), abs=0.01)


def test_an_entry_out_of_reach_is_cut() -> None:
    """And nothing else is: the vector that the rotation turns into a single entry, 1 where the bytes reach .51."""
    lone = unpack(np.eye(1, packed_dims(DIMS), 40, dtype=np.float32) + 128)
    lone /= np.linalg.norm(lone)
    stored = pack(lone)
    assert stored.max() == 255
    back = unpack(stored.astype(np.float32))
    assert float(back[0] @ lone[0]) == pytest.approx(5 / math.sqrt(DIMS), abs=0.02)
    assert float(back[0] @ lone[0]) / np.linalg.norm(back) > 0.99
    query = pack_query(lone)  # a question's entries are never cut
    assert query.max_sim(engine(query.vectors, pack(unit(1, 5)))) == pytest.approx(max_sim(lone, unit(1, 5)), abs=0.02)


def test_neither_a_few_large_entries_nor_equal_ones_are_cut() -> None:
    vectors = unit(7, 50)
    vectors[:25, 3] += 2.0
    vectors[25:] += 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.linalg.norm(unpack(pack(vectors).astype(np.float32)) - vectors, axis=1).max() < HALF_STEP * 10


def test_nothing_to_pack() -> None:
    none = np.zeros((0, DIMS), dtype=np.float32)
    assert pack(none).shape == (0, packed_dims(DIMS))
    assert unpack(np.zeros((0, packed_dims(DIMS)), dtype=np.float32)).shape == (0, DIMS)
    assert pack_query(none).max_sim(0.0) == 0.0
    assert pack_query(np.zeros((1, DIMS), dtype=np.float32)).max_sim(128 * 128 * packed_dims(DIMS)) == 0.0
