"""Marks of a pasted study guide: on titles, on items, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor.curriculum.outline import Outline, outline
from tutor.study.marks import CardMark, has_marks, read_marks, store_marks
from tutor.study.store import StudyStore

CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="module")
def curriculum() -> Outline:
    return outline(CORPUS, None)


def statuses(text: str, curriculum: Outline) -> dict[str, str]:
    return {mark.card: mark.status for mark in read_marks(text, curriculum).cards}


@pytest.mark.parametrize(
    "line",
    [
        "[x] Caching (deep dive) HIGHDEEP-DIVE",
        "Caching (deep dive) [x] HIGHDEEP-DIVE",
        "Caching (deep dive) HIGHDEEP-DIVE [X]",
        "- [x] Caching (deep dive) HIGHDEEP-DIVE\r",
        "## [x] Caching",
        "1. [x] caching",
        "* [x] Caching (Deep Dive)",
    ],
)
def test_a_mark_on_a_title_is_the_cards(line: str, curriculum: Outline) -> None:
    assert statuses(f"\ufeffGuide\n{line}\nsome words", curriculum) == {"caching": "mastered"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("Map: [x] layers · [x] eviction · [x] hot keys", "mastered"),
        ("[x]Layers — one.[ ]Eviction — two.[x]Hot keys (three).", "learning"),
        ("[~]Layers", "learning"),
        ("[ ]Layers\n[ ]Eviction", "not-started"),
        ("Mark[x]only when you can; you are marking cards [x] honestly.", None),
    ],
)
def test_marks_on_items_say_it_together(body: str, status: str | None, curriculum: Outline) -> None:
    found = statuses(f"Caching (deep dive) HIGHDEEP-DIVE\n{body}\nCDN HIGHINTERMEDIATE\nwords", curriculum)
    assert found == ({"caching": status} if status else {})


def test_a_mark_on_the_title_counts_before_those_on_items(curriculum: Outline) -> None:
    assert statuses("[~] Caching (deep dive) HIGHDEEP-DIVE\n[x]Layers", curriculum) == {"caching": "learning"}


def test_the_legend_says_nothing(curriculum: Outline) -> None:
    legend = "- Progress:\n[ ]not started ·[~]learning ·[x]mastered - Priority: HIGH"
    assert not has_marks(legend)
    assert read_marks(legend, curriculum).cards == [] and read_marks(legend, curriculum).unmatched == []
    assert statuses("[x] Learning threads", curriculum) == {"learning-threads": "mastered"}


def test_what_belongs_to_no_card_is_listed_with_its_line(curriculum: Outline) -> None:
    found = read_marks("[x] Astrology HIGHDEEP-DIVE\n[x]houses\n[ ] Buy milk\n[~] CDN\n[x] edge", curriculum)
    assert found.unmatched == ["1: [x] Astrology HIGHDEEP-DIVE", "2: [x]houses", "3: [ ] Buy milk", "5: [x] edge"]
    assert [(m.card, m.status, m.line) for m in found.cards] == [("cdn", "learning", 4)]


def test_in_a_list_of_titles_a_line_that_no_card_is_called_by_is_told_and_counts_for_none(curriculum: Outline) -> None:
    found = read_marks("- [x] Redis\n- [x] Cachng\n- [~] Kafak\nzebra [x]\n- [ ] Buy milk\n", curriculum)
    assert {m.card: m.status for m in found.cards} == {"redis": "mastered"}
    assert found.unmatched == [
        "2: - [x] Cachng (did you mean Caching?)", "3: - [~] Kafak (did you mean Apache Kafka?)",
        "4: zebra [x]", "5: - [ ] Buy milk",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "card"),
    [
        ("[X] caching: strategies", "caching"),
        ("[x] Apache Kafka (done in May)", "kafka"),
        ("* [x] replication — read twice", "replication"),
        ("- [x] Redis - again", "redis"),
        ("  - [x] Caching (deep dive), twice", "caching"),
    ],
)
def test_a_remark_may_follow_a_title_of_a_list(line: str, card: str, curriculum: Outline) -> None:
    found = read_marks(f"- [~] CDN\n{line.lstrip()}\n", curriculum)
    assert {m.card: m.status for m in found.cards} == {"cdn": "learning", card: "mastered"} and not found.unmatched
    assert statuses(line, curriculum) == {card: "mastered"}


def test_what_is_indented_below_a_title_of_a_list_is_its_own(curriculum: Outline) -> None:
    found = read_marks("- [~] Caching\n    - [x] layers\n    - [ ] hot keys: two ways\n- [x] CDN\n", curriculum)
    assert {m.card: m.status for m in found.cards} == {"caching": "learning", "cdn": "mastered"}
    assert found.unmatched == []


def test_a_misspelt_title_among_a_guides_items_counts_for_no_other_card(curriculum: Outline) -> None:
    found = read_marks("CDN HIGHINTERMEDIATE\n[ ] edge\n[x] Apache Kafak\n", curriculum)
    assert {m.card: m.status for m in found.cards} == {"cdn": "not-started"}
    assert found.unmatched == ["3: [x] Apache Kafak (did you mean Apache Kafka?)"]


def test_of_two_marks_of_a_card_the_one_that_says_most_counts(curriculum: Outline) -> None:
    assert statuses("[~] CDN\n[x] cdn\n[ ] CDN", curriculum) == {"cdn": "mastered"}


def test_every_card_of_the_guide_is_known_by_its_title(curriculum: Outline) -> None:
    lines = [f"[x] {card.title} HIGHDEEP-DIVE" for card in curriculum.cards.values()]
    assert len(statuses("\n".join(lines), curriculum)) == len(curriculum.cards)


def test_marks_are_taken_down_once_and_again_when_they_change(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "study.db")
    store.owner()
    first = [CardMark("cdn", "mastered", 1), CardMark("caching", "not-started", 2), CardMark("raft", "learning", 3)]
    assert [m.card for m in store_marks(store, first, dry_run=True)] == ["cdn", "raft"]
    assert [m.card for m in store_marks(store, first)] == ["cdn", "raft"]
    assert store_marks(store, first) == []
    assert [m.card for m in store_marks(store, [CardMark("cdn", "learning", 1), *first[1:]])] == ["cdn"]
    store.close()
