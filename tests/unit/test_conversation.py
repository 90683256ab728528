"""What a conversation remembers, and that it stays within its limits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.answering.conversation import (
    MAX_SAID_CHARS,
    MAX_TURNS,
    SUMMARY_LINES,
    SUMMARY_NAMES,
    Conversation,
    Turn,
    first_sentence,
)
from tutor.errors import UsageError


def talked(turns: int) -> Conversation:
    conversation = Conversation()
    for n in range(turns):
        one = Turn(f"q{n}?", f"standalone {n}?", f"subject {n}", f"Answer {n}.", (f"Name{n}",), (f"doc-{n}",))
        conversation = conversation.with_turn(one)
    return conversation


def test_older_turns_become_a_summary() -> None:
    found = talked(MAX_TURNS + 3)
    assert [t.question for t in found.turns] == [f"q{n}?" for n in range(3, MAX_TURNS + 3)]
    assert found.before.turns == 3
    assert found.before.names == ("Name0", "Name1", "Name2")
    assert found.before.lines[0] == "standalone 0? Answer 0."


def test_a_conversation_of_thousands_of_turns_stays_small() -> None:
    found = talked(3_000)
    assert len(found.turns) == MAX_TURNS and found.before.turns == 3_000 - MAX_TURNS
    assert len(found.before.lines) == SUMMARY_LINES and len(found.before.names) == SUMMARY_NAMES
    assert len(json.dumps(found.to_json())) < 10_000


def test_a_huge_turn_is_cut() -> None:
    found = Conversation().with_turn(
        Turn("q" * 9_000, "s " * 9_000, "x " * 900, "a " * 9_000, ("n",) * 500, ("d",) * 500)
    )
    assert len(json.dumps(found.to_json())) < 4_000


def test_a_conversation_survives_json() -> None:
    found = talked(9)
    assert Conversation.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "data",
    [
        {"turns": [{"question": 3}]},
        {"turns": [{}]},
        {"turns": "abc"},
        {"turns": 7},
        {"before": []},
        {"before": {"turns": "many"}},
        {"turns": [{"question": "q"}] * 51},
        [],
    ],
)
def test_what_is_no_conversation_is_refused(data: object) -> None:
    with pytest.raises(UsageError):
        Conversation.from_json(data)  # type: ignore[arg-type]


@given(st.text())
def test_a_first_sentence_is_short_and_plain(text: str) -> None:
    assert len(first_sentence(text)) <= MAX_SAID_CHARS


def test_a_first_sentence_has_no_marks() -> None:
    assert first_sentence("**Kafka** keeps a log [1]. It is `fast` [2, 3].") == "Kafka keeps a log."
