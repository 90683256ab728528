"""Plans and tables: parsed, checked, read as documents; learning paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import card
from tutor.curriculum.card import Card
from tutor.curriculum.check import check_corpus
from tutor.curriculum.corpus import load_corpus
from tutor.curriculum.graph import circle, path_to
from tutor.curriculum.parse import parse_card
from tutor.curriculum.plan import as_text, read_plan, read_tables
from tutor.errors import CardError
from tutor.ingest.collect import collect
from tutor.ingest.load import load

PLAN = """\
id: months
type: plan
title: A plan by months
about: "Two months of building."
unit: month
steps:
  - id: m1
    title: Month 1
    covers: [month/1]
    goal: "Build a store."
    build: ["A store in memory."]
    log: "What RAM costs."
    cards: [alpha]
    parts:
      - {id: m1-w1, title: Week 1, covers: [month/1/week/1], goal: "Open a socket."}
      - {id: m1-w2, title: Week 2, goal: "Add expiry."}
  - {id: m2, title: Month 2, covers: [month/2], goal: "Choose an engine.", cards: [beta]}
"""
TABLES = """\
tiers: [{tier: 1, title: First, bar: All of it., cards: [alpha]}]
threads: [{id: thread, title: A thread, why: Because., cards: [alpha, beta]}]
choices: [{need: A need, choose: One, avoid: Other, why: Because., cards: [alpha]}]
technologies: [{name: One, use: Here., avoid: There., instead: Other., cards: [alpha]}]
axes: [{id: axis, ends: [a side, b side], lean: [when a, when b], cards: [gamma]}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("cards", "plans"):
        (tmp_path / name).mkdir()
    for name in ("alpha", "beta"):
        text = card(id=name, title=name.title(), related="[]", aliases="[]")
        (tmp_path / "cards" / f"{name}.md").write_text(text, encoding="utf-8")
    (tmp_path / "plans" / "months.plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "plans" / "tables.yaml").write_text(TABLES, encoding="utf-8")
    return tmp_path


def problems(root: Path) -> list[str]:
    return [p.message for p in check_corpus(load_corpus(root)) if f"{root.name}/plans/" in p.about]


def test_a_plan_is_walked_in_order() -> None:
    plan = read_plan(PLAN, about="months.plan.yaml")
    assert [step.id for step in plan.walk()] == ["m1", "m1-w1", "m1-w2", "m2"]


def test_each_covered_step_is_a_document(root: Path) -> None:
    found, told = collect([root / "plans"])
    assert [f.path.name for f in found] == ["months.plan.yaml"]  # tables are data for programs
    assert told == []
    documents = load(found[0])
    assert [(d.doc_id, d.covers) for d in documents] == [
        ("months-m1", ("month/1",)),
        ("months-m1-w1", ("month/1/week/1",)),
        ("months-m2", ("month/2",)),
    ]
    assert documents[0].title == "A plan by months: Month 1"
    assert "Open a socket." not in documents[0].text  # a document of its own says it
    assert "Add expiry." in documents[0].text
    for document in documents:
        assert all(document.text[s.start : s.end].strip() for s in document.sections)


def test_a_plan_without_items_is_one_document() -> None:
    step = read_plan(PLAN, about="x").steps[0]
    assert as_text(step).startswith("Build a store.\n\n## Build\n\n- A store in memory.\n")


def test_what_plans_and_tables_name_must_exist(root: Path) -> None:
    assert problems(root) == [f"{root / 'plans' / 'tables.yaml'}: ['gamma']: no card has the id gamma"]
    text = PLAN.replace("[beta]", "[delta]").replace("{id: m2,", "{id: m2, notes: [day-01],")
    (root / "plans" / "months.plan.yaml").write_text(text, encoding="utf-8")
    told = problems(root)
    assert any("m2: cards: no card has the id delta" in m for m in told)
    assert any("m2: no note or exercise has the id day-01" in m for m in told)


def test_a_complete_plan_names_every_card_after_what_it_builds_on(root: Path) -> None:
    def told(text: str) -> list[str]:
        (root / "plans" / "months.plan.yaml").write_text(text, encoding="utf-8")
        return [m for m in problems(root) if "months.plan.yaml" in m]

    path = root / "cards" / "alpha.md"
    path.write_text(path.read_text(encoding="utf-8").replace("prerequisites: []", "prerequisites: [beta]"), "utf-8")
    assert "prerequisites: [beta]" in path.read_text(encoding="utf-8")
    complete = PLAN.replace("unit: month\n", "unit: month\ncomplete: true\n")
    assert told(PLAN) == []
    assert any("alpha stands before what it builds on: beta" in m for m in told(complete))
    assert any("names no beta" in m for m in told(complete.replace(", cards: [beta]", "")))


def test_an_ambiguous_acronym_is_listed_with_all_its_meanings(root: Path) -> None:
    for name, long in (("alpha", "access control list"), ("beta", "anticorruption layer")):
        path = root / "cards" / f"{name}.md"
        path.write_text(
            path.read_text(encoding="utf-8").replace("{RWN: read write number}", f"{{ACL: {long}}}"), "utf-8"
        )
    tables = root / "plans" / "tables.yaml"
    assert any("ACL is 'anticorruption layer' here" in p.message for p in check_corpus(load_corpus(root)))
    tables.write_text(TABLES + "ambiguous: {ACL: [access control list, Anticorruption Layer]}\n", encoding="utf-8")
    assert not any("ACL" in p.message for p in check_corpus(load_corpus(root)))


def test_tiers_agree_with_the_cards(root: Path) -> None:
    (root / "plans" / "tables.yaml").write_text(TABLES.replace("tier: 1", "tier: 3"), encoding="utf-8")
    assert any("the card itself says another tier: alpha" in m for m in problems(root))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: [", "not valid YAML"),
        (PLAN.replace("unit: month", "unit: year"), "unit"),
        (PLAN.replace("month/1]", "somewhere/1]"), "covers"),
        (PLAN.replace('    goal: "Build a store."', '    gaol: "Build a store."'), "gaol"),
        ("- a list", "plan.yaml:1: file: '['a list']' is not a mapping"),
    ],
)
def test_bad_plans_are_named(text: str, said: str) -> None:
    with pytest.raises(CardError) as caught:
        read_plan(text, about="months.plan.yaml")
    assert said in caught.value.message
    assert "months.plan.yaml" in caught.value.message


def test_missing_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="cannot be read"):
        read_tables(tmp_path / "tables.yaml")


def deck(**prerequisites: str) -> dict[str, Card]:
    return {
        name: parse_card(card(id=name, prerequisites=f"[{before}]", related="[]"), about=name, stem=name)[0]
        for name, before in prerequisites.items()
    }


def test_the_way_to_a_card() -> None:
    cards = deck(a="", b="a", c="a", d="b, c")
    assert path_to(cards, "d") == ["a", "b", "c", "d"]
    assert path_to(cards, "d", known={"b"}) == ["a", "c", "d"]
    assert path_to(cards, "a") == ["a"]
    assert path_to(cards, "d", known={"d"}) == []
    with pytest.raises(KeyError):
        path_to(cards, "e")
    assert circle(cards) == []
    assert circle(deck(a="b", b="a")) == ["a", "b", "a"]
