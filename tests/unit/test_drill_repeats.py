"""What is said again counts once."""

from __future__ import annotations

import pytest

from tutor.drill.evidence import tells
from tutor.drill.reading import read
from tutor.drill.repeats import folded

SAID = "Redis keeps everything in memory and can lose data."


@pytest.mark.parametrize(
    "answer",
    [
        f"{SAID} " * 50,
        f"{SAID} As I said, redis keeps everything in memory and can lose data!",
        f"{SAID}\n{SAID.upper()}",
    ],
)
def test_a_sentence_that_comes_again_is_read_once(answer: str) -> None:
    reading = folded(read(answer))
    assert [s.text for s in reading.sentences] == [SAID]
    assert reading.words == 9


@pytest.mark.parametrize(
    "answer",
    [
        "The leader answers when a majority has it. The leader never answers when a majority has it.",
        "With three nodes one machine may fail. With five nodes two machines may fail.",
        "A strong read costs one unit. An eventual read costs half a unit.",
        "Row locks make others wait. Deadlocks end one of the transactions.",
    ],
)
def test_other_claims_and_figures_stay(answer: str) -> None:
    assert len(folded(read(answer)).sentences) == 2


@pytest.mark.parametrize("text", ["Never.", "Yes, it is.", "Actually you can."])
def test_a_sentence_without_content_is_no_evidence(text: str) -> None:
    assert not tells(text)


@pytest.mark.parametrize("text", ["Writers wait.", "It is 5."])
def test_a_sentence_with_content_is(text: str) -> None:
    assert tells(text)
