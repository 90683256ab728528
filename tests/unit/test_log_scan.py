"""Texts looked through as one give what looking at each would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tutor.study.log_scan import Scan

_TEXTS = st.lists(st.text("abc ", max_size=8), max_size=12)
_PARTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from([0.25, 0.5, 1.0]), max_size=4)


@given(_TEXTS, _PARTS, st.integers(1, 6))
def test_it_finds_what_a_look_at_each_finds(texts: list[str], parts: dict[str, float], limit: int) -> None:
    scores = [sum(weight for part, weight in parts.items() if part in text) for text in texts]
    wanted = sorted((n for n, score in enumerate(scores) if score), key=lambda n: (-scores[n], n))[:limit]
    assert Scan((str(n), text) for n, text in enumerate(texts)).best(parts, limit) == [str(n) for n in wanted]


def test_nothing_in_nothing() -> None:
    assert Scan().best({"a": 1.0}, 3) == Scan([("x", "")]).best({"": 1.0}, 3) == []
