"""Passages: slices of the document, within the limit, tables and code whole, ids that stay."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tutor.ingest.chunk import MAX_TOKENS, Chunk, chunk, slug
from tutor.ingest.documents import Document, Section
from tutor.ingest.markdown import read_markdown


def count(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def cut(markdown: str, *, max_tokens: int = MAX_TOKENS) -> list[Chunk]:
    return chunk(read_markdown(markdown, doc_id="doc", source="/doc.md"), count, max_tokens=max_tokens)


PIECES = st.lists(
    st.sampled_from(
        [
            "## Head",
            "### Deep",
            "Some words that say a thing. And one more.",
            "- item one\n- item two",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "```py\nprint(1)\n```",
            "```mermaid\nsecretdiagram\n```",
            "x" * 40,
            "漢字" * 30,
            "? " * 60,
            "1. a\n2. b\n   more",
        ]
    ),
    min_size=1,
    max_size=14,
).map("\n\n".join)


@given(PIECES, st.integers(min_value=3, max_value=60))
def test_every_passage_is_a_slice_of_the_text_within_the_limit(body: str, limit: int) -> None:
    document = read_markdown(f"# Title\n\nintro\n\n{body}\n", doc_id="doc", source="/doc.md")
    found = chunk(document, count, max_tokens=limit)
    at = 0
    for ordinal, piece in enumerate(found):
        assert piece.text == document.text[piece.start : piece.end]
        assert piece.text.strip()
        assert piece.start >= at
        assert piece.ordinal == ordinal
        at = piece.end
        assert "secretdiagram" not in piece.text
        if not piece.text.lstrip().startswith(("|", "```")):
            assert count(piece.text) <= limit + 2 or "```" in piece.text or "|" in piece.text
    assert len({c.chunk_id for c in found}) == len(found)


@given(PIECES)
def test_no_word_of_a_section_is_lost_but_diagrams(body: str) -> None:
    document = read_markdown(f"# Title\n\nintro\n\n{body}\n", doc_id="doc", source="/doc.md")
    kept = sorted(w for c in chunk(document, count, max_tokens=20) for w in re.findall(r"\w+", c.text))
    text = " ".join(document.text[s.start : s.end] for s in document.sections)
    text = re.sub(r"```mermaid\nsecretdiagram\n```", "", text)
    # A word longer than the limit's share may be cut in two, so letters are compared.
    assert sorted("".join(kept)) == sorted("".join(re.findall(r"\w+", text)))


@given(st.text(alphabet="ab ?!漢.", min_size=1, max_size=400), st.integers(min_value=2, max_value=12))
def test_text_without_sentence_ends_is_cut_under_the_limit(text: str, limit: int) -> None:
    document = Document("d", "T", text, "/d", "page", (Section((), 0, len(text)),))
    for piece in chunk(document, count, max_tokens=limit):
        assert count(piece.text) <= limit + 1  # joined units may share a word that was cut


def test_long_tables_and_code_stay_whole() -> None:
    table = "| n | square |\n|---|---|\n" + "\n".join(f"| {n} | {n * n} |" for n in range(200))
    code = "```py\n" + "\n".join(f"x{n} = {n}" for n in range(200)) + "\n\nlast = 1\n```"
    found = cut(f"# T\n\nBefore.\n\n{table}\n\nBetween.\n\n{code}\n\nAfter.\n")
    texts = [c.text for c in found]
    assert sum(table in t for t in texts) == 1
    assert sum(code in t for t in texts) == 1


def test_a_diagram_is_left_out_and_no_passage_runs_across_it() -> None:
    found = cut("# T\n\nBefore it.\n\n```mermaid\ngraph TD; A-->B\n```\n\nAfter it.\n")
    assert [c.text for c in found] == ["Before it.", "After it."]


def test_heading_path_is_prepended_for_the_encoder_and_shown_apart() -> None:
    (piece,) = cut("# Kafka\n\n## Storage\n\n### Segments\n\nA **log** of segments.\n")
    assert piece.heading == ("Kafka", "Storage", "Segments")
    assert piece.text == "A **log** of segments."
    assert piece.encoded_text == "Kafka > Storage > Segments\nA   log   of segments."
    offset = len(piece.prefix) + 1
    assert piece.encoded_text[offset:].index("segments") == piece.text.index("segments")


def test_an_edit_in_one_section_leaves_the_ids_of_the_others() -> None:
    before = cut("# T\n\nIntro.\n\n## One\n\nFirst.\n\n## Two\n\nSecond.\n")
    after = cut("# T\n\nIntro.\n\n## One\n\nFirst, changed.\n\nAnd longer.\n\n## Two\n\nSecond.\n")
    assert [c.chunk_id for c in before] == ["doc#intro", "doc#one", "doc#two"]
    assert [c.chunk_id for c in after] == ["doc#intro", "doc#one", "doc#two"]


def test_sections_of_the_same_name_get_numbers() -> None:
    found = cut("# T\n\n## Notes\n\nOne.\n\n## Other\n\nTwo.\n\n## Notes\n\nThree.\n")
    assert [c.chunk_id for c in found] == ["doc#notes", "doc#other", "doc#notes.2"]


def test_a_section_without_a_latin_name_still_has_an_id() -> None:
    assert slug("漢字") == "text"
    assert slug("A" * 59 + " and more") == "a" * 59
    assert slug("R+W>N: how?") == "r-w-n-how"


def test_pages_are_named_and_numbered() -> None:
    text = "First page.\nSecond page."
    sections = (Section((), 0, 11, page=1), Section((), 12, 24, page=2))
    found = chunk(Document("d", "T", text, "/d.pdf", "page", sections), count)
    assert [(c.chunk_id, c.page) for c in found] == [("d#page-1", 1), ("d#page-2", 2)]


def test_prose_is_packed_up_to_the_limit() -> None:
    found = cut("# T\n\n" + "\n\n".join("One two three four five six seven eight nine." for _ in range(30)))
    assert all(count(c.text) <= MAX_TOKENS for c in found)
    assert len(found) == 2  # 300 tokens


def test_names_stand_on_the_passage_that_explains_them() -> None:
    acronyms = "{EOS: exactly-once semantics, URP: under-replicated partition}"
    front = f"---\naliases: [log broker, Strimzi]\nacronyms: {acronyms}\n---\n"
    body = "## Intro\n\nA broker keeps records.\n\n## Mechanics\n\nExactly-once semantics need a log broker.\n\n"
    body += "## Resources\n\nEOS paper.\n"
    intro, mechanics, resources = cut(front + body)
    assert intro.names == ("Strimzi", "URP", "under-replicated partition")
    assert mechanics.names == ("log broker", "EOS", "exactly-once semantics")
    assert resources.names == ()
    assert all(c.names == () for c in cut(body))
