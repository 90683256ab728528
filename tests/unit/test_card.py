"""The card format: a good card parses, and every error names the file, the line and the field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes import MUST_HAVE, PROBE, card
from tutor.bootstrap import builtin_corpus
from tutor.curriculum.card import DEEP_DIVE_SECTIONS, NEEDED_SECTIONS
from tutor.curriculum.check import check_corpus
from tutor.curriculum.corpus import load_corpus
from tutor.curriculum.parse import load_yaml, parse_card, split_front_matter
from tutor.errors import CardError


def fault(text: str, *, stem: str = "quorums") -> CardError:
    with pytest.raises(CardError) as caught:
        parse_card(text, about="quorums.md", stem=stem)
    return caught.value


def test_a_complete_card_parses() -> None:
    text = card()
    found, body_start = parse_card(text, about="quorums.md", stem="quorums")
    assert found.title == "Quorums"
    assert [p.id for p in found.probes] == ["how-it-works"]
    assert [m.id for m in found.probes[0].must_have] == ["one", "two", "three"]
    assert text[body_start:].strip().startswith("## Why it exists")


@pytest.mark.parametrize(
    ("changes", "line", "field"),
    [
        ({"id": "Quorums"}, 2, "id"),
        ({"id": "a" * 81}, 2, "id"),
        ({"title": "x"}, 3, "title"),
        ({"covers": "[]"}, 4, "covers"),
        ({"covers": "[somewhere/else]"}, 4, "covers, entry 1"),
        ({"phase": "10"}, 5, "phase"),
        ({"phase": "-1"}, 5, "phase"),
        ({"phase": "soon"}, 5, "phase"),
        ({"section": '""'}, 6, "section"),
        ({"priority": "urgent"}, 7, "priority"),
        ({"depth": "shallow"}, 8, "depth"),
        ({"tier": "0"}, 9, "tier"),
        ({"tier": "4"}, 9, "tier"),
        ({"tags": "[]"}, 10, "tags"),
        ({"tags": "[Not A Slug]"}, 10, "tags, entry 1"),
        ({"aliases": "not a list"}, 11, "aliases"),
        ({"acronyms": "[a]"}, 12, "acronyms"),
        ({"prerequisites": "[Bad Id]"}, 13, "prerequisites, entry 1"),
        ({"related": "{a: b}"}, 14, "related"),
        ({"resources": "[]"}, 15, "resources"),
        ({"resources": "[{kind: tweet, title: A page, url: 'https://a.b'}]"}, 15, "resources, entry 1 > kind"),
        ({"resources": "[{kind: doc, title: A page, url: 'not a url'}]"}, 15, "resources, entry 1 > url"),
        ({"resources": "[{kind: doc, url: 'https://a.b'}]"}, 15, "resources, entry 1 > title"),
        ({"probes": "[{id: x}]"}, 16, "probes, entry 1 > kind"),
        ({"probes": f"[{PROBE.replace('kind: how', 'kind: rant')}]"}, 16, "probes, entry 1 > kind"),
        (
            {"probes": f"[{PROBE.replace('staff_level: [A staff point.]', 'staff_level: []')}]"},
            16,
            "probes, entry 1 > staff_level",
        ),
        ({"probes": f"[{PROBE.replace(', why: It is not.', '')}]"}, 16, "probes, entry 1 > red_flags, entry 1 > why"),
        ({"probes": f"[{PROBE.replace(', ' + MUST_HAVE % 'three', '')}]"}, 16, "probes, entry 1 > must_have"),
        (
            {"probes": f"[{PROBE.replace('aliases: [the point]', 'aliases: []', 1)}]"},
            16,
            "probes, entry 1 > must_have, entry 1 > aliases",
        ),
        ({"probes": f"[{PROBE.replace(', expect: Shards.', '')}]"}, 16, "probes, entry 1 > twist > expect"),
        ({"surprise": "1"}, 17, "surprise"),
    ],
)
def test_a_broken_rule_names_line_and_field(changes: dict[str, str], line: int, field: str) -> None:
    error = fault(card(**changes))
    if "\n" in error.what:
        assert error.about == "quorums.md"
        assert f"  line {line}: {field}: " in error.what
    else:
        assert error.about == f"quorums.md:{line}: {field}"
    assert error.fix.endswith("All fields: tutor corpus schema")
    assert not re.search(r"String should|Input should|List should|Field required|Extra inputs|pydantic", error.message)


@pytest.mark.parametrize(
    "field",
    ["id", "title", "covers", "phase", "section", "priority", "depth", "tier", "tags", "resources"],
)
def test_a_missing_field_is_named(field: str) -> None:
    error = fault(card(**{field: ""}))
    assert error.about == f"quorums.md:2: {field}"
    assert error.message.startswith(f"quorums.md:2: {field}: is missing. Add it: '{field}: …'. ")


@pytest.mark.parametrize(
    ("probes", "message"),
    [
        (PROBE.replace("kind: how", "kind: why-not"), "needs 'alternative'"),
        (PROBE.replace("kind: how", "kind: compare"), "needs 'alternative'"),
        (PROBE.replace("id: two", "id: one"), "must_have ids repeat"),
        (f"{PROBE}, {PROBE}", "probe ids repeat"),
    ],
)
def test_rules_across_fields(probes: str, message: str) -> None:
    assert message in fault(card(probes=f"[{probes}]")).what


def test_a_why_not_probe_with_its_alternative_is_good() -> None:
    alternative = "alternative: {name: A queue, wins_when: Tasks are few., costs: No replay.}, ask"
    text = card(probes=f"[{PROBE.replace('kind: how', 'kind: why-not').replace('ask', alternative, 1)}]")
    found, _ = parse_card(text, about="quorums.md", stem="quorums")
    assert found.probes[0].alternative is not None


@pytest.mark.parametrize("field", ["prerequisites", "related"])
def test_a_card_cannot_name_itself(field: str) -> None:
    assert "cannot name itself" in fault(card(**{field: "[quorums]"})).what


def test_all_errors_are_told_at_once() -> None:
    error = fault(card(phase="77", tier="9", depth="shallow"))
    assert error.message == (
        "quorums.md: 3 fields are wrong\n"
        "  line 5: phase: 77 is too large. The most is 9.\n"
        "  line 8: depth: 'shallow' is not known. It is one of 'fundamental', 'intermediate' or 'deep-dive'.\n"
        "  line 9: tier: 9 is too large. The most is 3.\n"
        "  All fields: tutor corpus schema"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": "x"}, "title: 'x' is too short, it needs 2 characters. Write it out."),
        ({"title": "a" * 700}, "title: has 700 characters, the limit is 600. Shorten it."),
        ({"title": "2026"}, "title: '2026' is not text. Put it in quotes."),
        ({"title": "[a, b]"}, "title: '['a', 'b']' is not text. Write one line of text."),
        ({"section": "null"}, "section: is empty. Give it a value, or remove the line 'section:'."),
        ({"covers": "[x]"}, "covers, entry 1: 'x' is no curriculum item. It begins with guide/, article/, day/, "),
        ({"covers": "[]"}, "covers: has 0 entries, at least 1 is needed."),
        ({"phase": "soon"}, "phase: 'soon' is no whole number. As in: 'phase: 3'."),
        (
            {"tags": "[Not A Slug]"},
            "tags, entry 1: 'Not A Slug' is not lower-case letters, digits and single hyphens. ",
        ),
        ({"aliases": "one"}, "aliases: 'one' is not a list. As in: 'aliases: [one, two]'."),
        ({"acronyms": "[a]"}, "acronyms: '['a']' is not a mapping. Write its fields as {name: value, …}."),
        ({"alises": "[a]"}, "alises: is no field here. Did you mean 'aliases'?"),
        ({"surprise": "1"}, "surprise: is no field here. Remove it, or correct its name."),
        (
            {"resources": "[{kind: doc, title: A page, url: 'nope'}]"},
            "resources, entry 1 > url: 'nope' is no web address. As in: https://example.org/page",
        ),
    ],
)
def test_a_problem_is_told_in_words_with_its_mend(changes: dict[str, str], told: str) -> None:
    assert re.fullmatch(r"quorums\.md:\d+: " + re.escape(told) + ".*", fault(card(**changes)).message)


def test_the_id_is_the_file_name() -> None:
    error = fault(card(), stem="kafka")
    assert error.message == "quorums.md:2: id: id is 'quorums', the file is 'kafka.md'. Make them equal."


def test_front_matter_must_be_there_and_close() -> None:
    assert fault("# Quorums\n").about == "quorums.md:1"
    error = fault("---\nid: quorums\n\nbody\n")
    assert error.about == "quorums.md:1"
    assert "never closes" in error.what


def test_front_matter_alone_is_a_file_without_a_body() -> None:
    text = "---\nid: x\n---"
    front = split_front_matter(text, about="x.md")
    assert front is not None
    assert text[front.body_start :] == ""
    assert load_yaml(front, about="x.md") == {"id": "x"}


@pytest.mark.parametrize(
    ("yaml_text", "line", "what"),
    [
        ("id: x\ntitle: a: b", 3, "not valid YAML"),
        ("id: x\ntags: [a, b", 4, "not valid YAML"),
        ("id: x\ntitle: @home", 3, "not valid YAML"),
        ("id: x\n\ttab: 1", 3, "not valid YAML"),
        ("id: x\nid: y", 3, "'id' stands twice"),
        ("a:\n  b: 1\n  c: 2\n  b: 3", 5, "'b' stands twice"),
        ("a:\n  - {b: 1, b: 2}", 3, "'b' stands twice"),
        ("- a\n- b", 2, "not a list of 'key: value' lines"),
        ("just words", 2, "not a list of 'key: value' lines"),
        ("? [a, b]\n: 1", 2, "a key in the front matter is not plain text"),
        ("a: &x [1]\nb: *x", 2, "again by alias"),
        ("a: &x [*x]", 2, "again by alias"),
        ("id: x\ndate: 2026-13-45", 3, "not valid YAML (month must be in 1..12)"),
        ("a: " + "[" * 3000 + "]" * 3000, 1, "nested too deeply"),
    ],
)
def test_broken_yaml_is_an_error_with_a_line(yaml_text: str, line: int, what: str) -> None:
    front = split_front_matter(f"---\n{yaml_text}\n---\nbody\n", about="x.md")
    assert front is not None
    with pytest.raises(CardError) as caught:
        load_yaml(front, about="x.md")
    assert what in caught.value.what
    assert caught.value.about.split(": ")[0] == f"x.md:{line}"


@pytest.mark.parametrize(
    ("yaml_text", "about", "what"),
    [
        ("id: x\ntitle: a: b", "x.md:3: title", "a value has ': ' in it"),
        ("id: x\ntitle: @home", "x.md:3: title", "a value begins with a sign that YAML keeps for itself"),
        ("id: x\nprobes:\n  - id: a\n    ask: why: not", "x.md:5: probes", "a value has ': ' in it"),
        ('id: x\ntitle: "home', "x.md:4: title", "a quote is not closed"),
        ("id: x\ntags: [a, b\nphase: 4", "x.md:4: phase", "a list or mapping is not closed"),
        ("id: x\ndate: 2026-13-45", "x.md:3: date", "month must be in 1..12"),
    ],
)
def test_broken_yaml_names_the_field_and_says_it_in_words(yaml_text: str, about: str, what: str) -> None:
    front = split_front_matter(f"---\n{yaml_text}\n---\nbody\n", about="x.md")
    assert front is not None
    with pytest.raises(CardError) as caught:
        load_yaml(front, about="x.md")
    assert caught.value.about == about
    assert what in caught.value.what
    assert caught.value.fix


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    front = split_front_matter("---\n" + "\n".join(lines) + "\n---\nbody\n", about="x.md")
    assert front is not None
    with pytest.raises(CardError, match="again by alias"):
        load_yaml(front, about="x.md")


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        (DEEP_DIVE_SECTIONS[:-1], "missing: Mastery check"),
        ((*DEEP_DIVE_SECTIONS, "Afterword"), "not in the template: Afterword"),
        (DEEP_DIVE_SECTIONS[::-1], "out of order or repeated"),
        ((*DEEP_DIVE_SECTIONS, "Mastery check"), "out of order or repeated"),
    ],
)
def test_a_deep_dive_has_the_nine_sections_in_order(sections: Sequence[str], what: str) -> None:
    assert what in fault(card(sections=sections)).what


def test_figures_are_optional() -> None:
    parse_card(card(sections=(*DEEP_DIVE_SECTIONS[:-1], "Figures", "Mastery check")), about="q", stem="quorums")


@pytest.mark.parametrize("depth", ["intermediate", "fundamental"])
def test_lesser_depths_need_fewer_sections(depth: str) -> None:
    needed = NEEDED_SECTIONS[depth]
    parse_card(card(depth=depth, sections=needed), about="q", stem="quorums")
    with pytest.raises(CardError, match=f"missing: {needed[1]}"):
        parse_card(card(depth=depth, sections=(needed[0], *needed[2:])), about="q", stem="quorums")
    with pytest.raises(CardError, match="out of order"):
        parse_card(card(depth=depth, sections=(needed[1], needed[0], *needed[2:])), about="q", stem="quorums")
    with pytest.raises(CardError, match="not in the template: Anything"):
        parse_card(card(depth=depth, sections=(*needed, "Anything")), about="q", stem="quorums")


def write(folder: Path, name: str, **changes: str) -> None:
    defaults = {"id": name, "title": name.title(), "related": "[]", "aliases": "[]"}
    (folder / f"{name}.md").write_text(card(**(defaults | changes)), encoding="utf-8")


def problems(root: Path, **options: Any) -> list[str]:
    return [p.message for p in check_corpus(load_corpus(root), **options)]


def test_a_folder_is_checked_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, "alpha", prerequisites="[beta]")
    write(tmp_path, "beta", prerequisites="[gamma]")
    write(tmp_path, "gamma", prerequisites="[alpha]", related="[nobody]")
    write(tmp_path, "delta", tier="9")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")
    corpus = load_corpus(tmp_path)
    assert sorted(corpus.cards) == ["alpha", "beta", "gamma"]
    messages = [m for m in problems(tmp_path) if "the body has" not in m and "probes" not in m]
    assert any("delta.md:9: tier" in m for m in messages)
    assert any("binary.md" in m and "cannot be read" in m for m in messages)
    assert any("no card has the id nobody" in m and "gamma.md: related" in m for m in messages)
    assert any("prerequisites form a circle: alpha > beta > gamma > alpha" in m for m in messages)
    assert len(messages) == 4


def test_what_cards_say_of_each_other(tmp_path: Path) -> None:
    write(tmp_path, "alpha", related="[beta]", aliases="[the first]", acronyms="{CAP: one thing}")
    write(tmp_path, "beta", aliases="[The First]", acronyms="{CAP: another thing}")
    found = problems(tmp_path)
    assert any("beta does not name alpha in turn" in m and "alpha.md: related" in m for m in found)
    assert any("'The First' is already a name of alpha" in m for m in found)
    assert any("CAP is 'another thing' here and 'one thing' in alpha" in m for m in found)


def test_coverage_and_copies(tmp_path: Path) -> None:
    write(tmp_path, "alpha")
    item = load_corpus(tmp_path).cards["alpha"].covers[0]
    assert not any("item" in m for m in problems(tmp_path, items=frozenset([item])))
    assert any(
        "guide/other: no document covers" in m for m in problems(tmp_path, items=frozenset([item, "guide/other"]))
    )
    assert any("is no curriculum item" in m for m in problems(tmp_path, items=frozenset(["guide/other"])))
    body = (tmp_path / "alpha.md").read_text(encoding="utf-8")
    assert any("stand in a source" in m for m in problems(tmp_path, sources=body))
    assert not any("stand in a source" in m for m in problems(tmp_path, sources="entirely different words " * 20))


def test_links_between_documents_resolve(tmp_path: Path) -> None:
    write(tmp_path, "alpha")
    path = tmp_path / "alpha.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nSee [b](beta.md) and [c](https://example.org).\n", "utf-8")
    assert any("the link to beta.md leads nowhere" in m for m in problems(tmp_path))
    write(tmp_path, "beta")
    assert not any("leads nowhere" in m for m in problems(tmp_path))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="there are no cards here"):
        load_corpus(tmp_path)


def test_every_built_in_card_parses() -> None:
    cards = sorted((builtin_corpus() / "cards").rglob("*.md"))
    assert cards
    for path in cards:
        parse_card(path.read_text(encoding="utf-8"), about=str(path), stem=path.stem)
