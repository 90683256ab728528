"""Sentences that repeat or may contradict each other, between documents only."""

from __future__ import annotations

from fakes import FakeEncoder
from tutor.ingest.twins import find_twins

SAME = "A DynamoDB partition serves up to 3,000 read units every second."


def kinds(first: str, second: str) -> list[str]:
    return [pair.kind for pair in find_twins({"a": first, "b": second}, FakeEncoder())]


def test_what_is_said_twice_is_found_between_documents_only() -> None:
    assert kinds(f"## One\n\n{SAME}\n", f"- **{SAME}**\n") == ["repeated"]
    assert find_twins({"a": f"{SAME}\n\n{SAME}\n"}, FakeEncoder()) == []


def test_other_figures_are_named_and_equal_ones_are_not() -> None:
    assert kinds(SAME, SAME.replace("3,000", "4,000")) == ["figures"]
    assert "figures" not in kinds(SAME, SAME.replace("3,000", "3000"))


def test_a_negation_is_named() -> None:
    positive = "The Redis cluster moves hash slots between nodes while clients keep writing to it."
    assert kinds(positive, positive.replace("moves", "never moves")) == ["negation"]


def test_other_subjects_short_fragments_code_and_tables_are_left_alone() -> None:
    assert kinds(SAME, "Raft elects a leader by a majority of votes within one term.") == []
    assert kinds("Too short.", "Too short.") == []
    assert kinds(f"```\n{SAME}\n```\n", f"| {SAME} |\n|---|\n") == []
    assert find_twins({}, FakeEncoder()) == []


def test_the_most_similar_come_first() -> None:
    bodies = {"a": SAME, "b": SAME, "c": SAME.replace("3,000", "4,000")}
    found = find_twins(bodies, FakeEncoder())
    assert [p.kind for p in found] == ["repeated", "figures", "figures"]
    assert [p.similarity for p in found] == sorted((p.similarity for p in found), reverse=True)
