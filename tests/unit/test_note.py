"""Notes and practice entries: front matter, and what is read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor.curriculum.corpus import load_corpus
from tutor.curriculum.parse import ENTRIES, parse_front
from tutor.curriculum.practice import STEPS
from tutor.curriculum.words import copied_share, runs, sentence_length, word_count
from tutor.errors import CardError
from tutor.ingest.collect import collect
from tutor.ingest.load import load

DAY = """\
---
id: day-06
type: day
title: "Retrieval-augmented generation"
covers: [day/06]
day: 6
area: AI and LLMs
tags: [rag]
related: [rag]
video: {kind: video, title: A talk, url: "https://example.org/v"}
readings:
  - {kind: paper, title: One, url: "https://example.org/1"}
  - {kind: doc, title: Two, url: "https://example.org/2"}
  - {kind: blog, title: Three, url: "https://example.org/3"}
exercise: {task: Index ten files., done_when: [a question is answered with a citation]}
problem: {name: LRU Cache, number: 146, url: "https://leetcode.com/problems/lru-cache/", why: A cache bounds the index.}
reflection: What would a user do with a wrong citation?
---
## Mechanics

Retrieval finds passages.
"""
PROBLEM = """\
---
id: hld-url-shortener
type: problem
title: "URL shortener"
covers: [guide/hld-problem-practice-graded-ladder]
track: hld
tier: 1
tags: [hld]
related: [caching]
ask: "Design a URL shortener."
rubric: {RUBRIC}
---
## Requirements

Short links redirect.
""".replace("RUBRIC", ", ".join(f"{step}: [A point.]" for step in STEPS))


def write(folder: Path, text: str, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_day_is_read_with_its_agenda(tmp_path: Path) -> None:
    write(tmp_path, DAY, "day-06.md")
    (document,) = load(collect([tmp_path])[0][0])
    assert (document.doc_id, document.kind, document.covers) == ("day-06", "day", ("day/06",))
    assert document.meta["section"] == "AI and LLMs"
    assert "[146. LRU Cache](https://leetcode.com/problems/lru-cache/): A cache bounds the index." in document.text
    assert "- Done when a question is answered with a citation" in document.text
    roles = {s.heading[-1]: s.role for s in document.sections}
    assert roles["Resources"] == "resources"
    assert roles["Mechanics"] == "learn"


def test_a_problem_is_read_with_its_ladder(tmp_path: Path) -> None:
    write(tmp_path, PROBLEM, "hld-url-shortener.md")
    (document,) = load(collect([tmp_path])[0][0])
    assert (document.kind, document.meta["tier"], document.meta["section"]) == ("problem", 1, "hld")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DAY.replace("day: 6", "day: 7"), "day 7 has the id day-07"),
        (DAY.replace("kind: video", "kind: blog"), "the video's kind is 'video'"),
        (DAY.replace('  - {kind: blog, title: Three, url: "https://example.org/3"}\n', ""), "readings"),
        (DAY.replace("number: 146", "number: 0"), "problem > number: 0 is too small. The least is 1."),
        (PROBLEM.replace("scale: [A point.]", "scale: []"), "rubric lacks scale"),
        (PROBLEM.replace("track: hld", "track: lld"), "the id of a lld problem begins with 'lld-'"),
    ],
)
def test_bad_front_matter_is_named_with_its_line(text: str, said: str) -> None:
    kind = "day" if "type: day" in text else "problem"
    stem = "day-06" if kind == "day" else "hld-url-shortener"
    with pytest.raises(CardError) as caught:
        parse_front(ENTRIES[kind], text, about=f"{stem}.md", stem=stem)
    assert said in caught.value.message
    assert f"{stem}.md:" in caught.value.message


def test_an_unknown_type_in_the_corpus_is_named(tmp_path: Path) -> None:
    from fakes import card

    write(tmp_path / "cards", card(id="alpha", related="[]"), "alpha.md")
    write(tmp_path / "notes", DAY.replace("type: day", "type: week"), "day-06.md")
    write(tmp_path / "notes", DAY.replace("day-06", "day-05").replace("day: 6", "day: 5"), "day-05.md")
    corpus = load_corpus(tmp_path)
    assert list(corpus.entries) == ["day-05"]
    assert ["type is 'week'" in p.message for p in corpus.problems] == [True]
    assert corpus.covered()["day/06"] == ["day-05"]


def test_words_are_counted_without_code_and_marks() -> None:
    body = (
        "## A heading\n\nThree plain words.\n\n| a | b |\n|---|---|\n\n```mermaid\ngraph LR\n```\n\n- **Two** words\n"
    )
    assert word_count(body) == 9
    assert 2.5 <= sentence_length(body) <= 3
    assert sentence_length("") == 0.0


def test_copies_are_runs_of_eight_words() -> None:
    source = "one two three four five six seven eight nine ten"
    assert len(runs(source)) == 3
    assert copied_share(source, frozenset(runs(source))) == 1.0
    assert copied_share("one two three four five six seven, EIGHT and no more", runs(source)) == pytest.approx(1 / 4)
    assert copied_share("see https://example.org/one/two", runs(source)) == 0.0
