"""A claim turned round in its own words."""

from __future__ import annotations

import numpy as np
import pytest

from tutor.training.flip import flipped


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("The lowest number leads.", "The highest number leads."),
        ("A standby is not asked.", "A standby is asked."),
        ("A standby is asked.", "A standby is not asked."),
        ("Before commit, it waits.", "After commit, it waits."),
        ("Threads cannot move.", "Threads can move."),
        ("It doesn't wait.", "It does indeed wait."),
        ("Nothing hinges here: threads and locks.", ""),
    ],
)
def test_one_hinge_is_turned(text: str, turned: str) -> None:
    assert flipped(text, np.random.default_rng(1)) == turned


@pytest.mark.parametrize("seed", range(20))
def test_a_figure_changes_by_more_than_rounding(seed: int) -> None:
    turned = flipped("They hold 2,000 connections.", np.random.default_rng(seed))
    value = float(turned.split()[2].replace(",", ""))
    assert value in (200, 400, 10_000, 20_000)


@pytest.mark.parametrize("seed", range(20))
def test_the_rest_of_the_text_stays(seed: int) -> None:
    text = "A leader writes before its followers read, and reads are never older than 5 s (RFC 9110, x=1.5.)"
    turned = flipped(text, np.random.default_rng(seed))
    assert turned != text
    kept = sum(a == b for a, b in zip(text.split(), turned.split(), strict=False))
    assert len(turned.split()) >= len(text.split()) - 1 and kept >= 3
