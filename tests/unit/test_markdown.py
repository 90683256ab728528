"""Markdown to documents: titles, sections, roles and front matter as people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import card
from tutor.errors import CardError, SourceError
from tutor.ingest.documents import Document
from tutor.ingest.markdown import read_card, read_markdown


def read(text: str) -> Document:
    return read_markdown(text, doc_id="notes/page-one", source="/page-one.md")


def sections(document: Document) -> list[tuple[tuple[str, ...], str]]:
    return [(s.heading, document.text[s.start : s.end].strip()) for s in document.sections]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Given\n---\n# Heading\n\nx\n", "Given"),
        ("# Heading *one*\n\nx\n", "Heading one"),
        ("Heading\n=======\n\nx\n", "Heading"),
        ("## Only a second level\n\nx\n", "page-one"),
        ("---\ntitle: 42\n---\nx\n", "42"),
        ("---\ntitle:\n---\nx\n", "page-one"),
    ],
)
def test_the_title(text: str, title: str) -> None:
    assert read(text).title == title


def test_sections_follow_the_headings_and_leave_them_out() -> None:
    found = read("# T\n\nintro\n\n## A\n\none\n\n### B `code`\n\ntwo\n\n## C\n\nthree\n")
    assert sections(found) == [((), "intro"), (("A",), "one"), (("A", "B code"), "two"), (("C",), "three")]


def test_what_looks_like_a_heading_in_code_or_a_quote_is_none() -> None:
    found = read("# T\n\n```sh\n# not a heading\n```\n\n> # quoted\n\n- # in a list\n\nend\n")
    assert len(found.sections) == 1


def test_a_subsection_without_a_role_takes_its_parent_s() -> None:
    found = read("# T\n\n## When NOT to use\n\nno\n\n### Small teams\n\nno\n\n## Something else\n\nx\n")
    assert [s.role for s in found.sections] == ["when-not", "when-not", "body"]


LINES = ["# H", "## H two", "text", "", "```", "\nUnder\n---", "- x", "    code", "| a |\n|---|", "\n---"]


@given(st.lists(st.sampled_from(LINES), max_size=25))
def test_sections_and_headings_hold_every_word(lines: list[str]) -> None:
    body = "\n".join(["start", *lines]) + "\n"
    document = read_markdown(body, doc_id="d", source="/d")
    at = 0
    for section in document.sections:
        assert at <= section.start < section.end <= len(document.text)
        between = document.text[at : section.start].strip()
        assert not between or between.lstrip("#> ")[:1] in "HU" or set(between) <= set("#-= \nHUTtwonder"), between
        at = section.end


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("tags: [a, b]", ("a", "b")),
        ("tags: a, b", ("a", "b")),
        ("tags: one", ("one",)),
        ("tags:\n  - x\n  -\n  - 3", ("x", "3")),
        ("tags: 2024", ("2024",)),
        ("tags:", ()),
    ],
)
def test_tags_as_other_programs_write_them(front: str, expected: tuple[str, ...]) -> None:
    assert read(f"---\n{front}\n---\nbody\n").meta.get("tags", ()) == expected


def test_front_matter_of_the_wrong_kind_is_taken_as_far_as_it_goes() -> None:
    found = read(
        "---\ncovers: guide/kafka\naliases: Apache Kafka\nacronyms: [a]\ntype:\nphase: four\ntier: 2\n---\nbody\n"
    )
    assert found.covers == ("guide/kafka",)
    assert found.aliases == ("Apache Kafka",)
    assert found.acronyms == {}
    assert found.kind == "page"
    assert found.meta == {"tier": 2}


def test_front_matter_fills_the_document() -> None:
    found = read(
        "---\ntype: note\ncovers: [guide/a, guide/b]\naliases: [x, y]\nacronyms: {CDC: change data capture}\n"
        "phase: 3\nsection: S\npriority: high\ndepth: fundamental\n---\n# T\n\nbody\n"
    )
    assert (found.kind, found.covers, found.aliases) == ("note", ("guide/a", "guide/b"), ("x", "y"))
    assert found.acronyms == {"CDC": "change data capture"}
    assert found.meta == {"phase": 3, "section": "S", "priority": "high", "depth": "fundamental"}
    assert found.text == "# T\n\nbody\n"


@pytest.mark.parametrize("text", ["", "   \n\n", "---\ntitle: x\n---\n", "---\ntitle: x\n---"])
def test_nothing_below_the_front_matter_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match="there is no text in it"):
        read(text)


def test_broken_front_matter_is_an_error_with_its_line() -> None:
    with pytest.raises(CardError, match=r"/page-one\.md:3: title: front matter is not valid YAML") as caught:
        read("---\nid: x\ntitle: a: b\n---\nbody\n")
    assert "Quote values" in caught.value.fix


def test_a_card_keeps_its_body_and_its_place_in_the_curriculum() -> None:
    found = read_card(card(), source="/quorums.md", stem="quorums")
    assert (found.doc_id, found.title, found.kind, found.covers) == ("quorums", "Quorums", "card", ("guide/quorums",))
    assert found.text.startswith("## Why it exists\n\n")
    assert "must_have" not in found.text
    assert found.meta["phase"] == 3
    assert found.meta["resources"] == ("[A page](https://example.org/)",)
    assert [s.role for s in found.sections][:5] == ["why", "learn", "tradeoffs", "when", "when-not"]
    assert all(s.heading for s in found.sections)
