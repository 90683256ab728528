"""Pasted curriculum pages: recognised by shape, split into items, nothing of the source lost."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tutor.errors import UsageError
from tutor.ingest.documents import Document
from tutor.ingest.pasted import recognise, split
from tutor.ingest.pasted_common import Ids, lines_of, slug

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
needs_shared = pytest.mark.skipif(
    not (SHARED / "seeds").is_dir() or not (SHARED / "curriculum" / "items.jsonl").is_file(),
    reason="the user's pasted pages (shared/seeds, shared/curriculum) are not beside this checkout",
)

GUIDE = """\
ⓘ About these notes
Legend
- Depth: how far to go
Order: tools first, then boats.
0Sharp Tools (for beginners)
Every boat starts at the bench.
Choosing a Saw HIGHDEEP-DIVE
Why deep-dive: a blunt saw costs a day.
Deep-dive map:
[ ]teeth per inch[ ]set of the teeth
Resources: 📖 The Saw Book; 📄 example.org/saws
✅ You know it when: you can say "✅ you know it when" without looking.
⚖️ When NOT / why-not: never on wet rope → use a knife.
🎤 Interview probes: "Why not an axe?"
⚠️ Common mistakes (avoid these): pushing too hard.
🚩 Interview red flags (things not to say): "any saw will do" ❌
🎯 Interview signal: they watch your wrist.
🧩 Knots & Splices: Part 1.5 (rope/wire) MEDIUMFUNDAMENTAL
An unlabelled opening line.
Learn (inline) — the short list: tie these
- When NOT to use it — bullets are not labels.
1Two strands cross here.
Quick table (learn it):
| Knot | Use |
1Boats and Water, Seriously
1a — Hulls
Hulls differ more than they look.
Keel Shapes LOWINTERMEDIATE
What & why: it keeps you upright.
Problems (build these): a raft · a punt
1b — Sails
Choosing a Saw HIGHFUNDAMENTAL
Learn (inline): again, for canvas.
2Harbours and Tides
Tide Tables MEDIUMDEEP-DIVE
Studies (read these): the spring flood.
"""

PLAN = """\
Menu

A Plan in Three Days

  1. D01

    Day 01 — Bread — Flour, Water

    Bread needs time. It rises twice…

  2. D02

    Day 02 — Soup & Stock

    Stock first.

  3. D03

    Day 03 — Cheese

    Milk, warmed.
    Then rennet.

All 3 days available · Back to the kitchen →
"""

LIBRARY = """\
Lighthouses vs Buoys
Two ways to mark a rock. Which lasts.
NetworkinggRope 2.0 Explained
A rope that listens.
System Design / DatabasesThe Keeper's Log (LOG)
Security matters at sea, as this line shows.
DevOpsFog / Horn Basics
Loud, louder.
System Design / Case Studies
"""

HEADINGS = """\
# 🚀 Technical Excellence Roadmap

An own-words sample.

## Table of Contents
- [Books](#books)

## 📝 Todo List
- one
  - nested

## 📖 Books
### Tuning & Care
- a book

## Core CS Concepts
- two

### Tuning & Care
- again
"""

MONTHS = """\
A roadmap
Learning to sail
M1 Water — what floats
say why a boat floats.
12% +
W1 A raft
By Sunday it floats.
Lash the logs
M2 of rope is enough here.
Daily rhythm
Write one line.
W2 A punt
Push, do not row.
M2 Wind
point at the wind with closed eyes.
0% +
Build a kite
“The gust I would wait for.”
Progress is shared — the owner ticks things off.
"""

SAMPLES = {
    "study-guide": GUIDE,
    "28-day-plan": PLAN,
    "article-library": LIBRARY,
    "technical-excellence-roadmap": HEADINGS,
    "engineering-judgment-roadmap": MONTHS,
}

# What may stand outside every slice: bare phase and section lines, and the list markers of the day plan.
OUTSIDE = re.compile(r"\d{1,2}[A-Z]\S* .*|\d{1,2}[a-z] [—–-] .*|(?:\d{1,3}\. +)?D\d{1,3}")


def by_id(documents: list[Document]) -> dict[str, Document]:
    found = {document.doc_id: document for document in documents}
    assert len(found) == len(documents), "ids are unique"
    return found


def words(document: Document) -> list[tuple[str, str, str]]:
    return [(" / ".join(s.heading), s.role, document.text[s.start : s.end]) for s in document.sections]


def check_whole(text: str, documents: list[Document]) -> None:
    """Slices are verbatim, in order and apart; every line is in one or is decoration; sections lie inside, in order."""
    end = 0
    gaps = []
    for document in documents:
        start = document.meta["source_start"]
        assert isinstance(start, int) and start >= end, document.doc_id
        assert text[start : start + len(document.text)] == document.text
        assert document.text and document.text == document.text.strip()
        gaps.append(text[end:start])
        end = start + len(document.text)
        at = 0
        for section in document.sections:
            assert at <= section.start < section.end <= len(document.text), document.doc_id
            at = section.end
        assert document.covers == (() if document.kind == "note" else (document.doc_id,))
    gaps.append(text[end:])
    lost = [line.text for gap in gaps for line in lines_of(gap) if not OUTSIDE.fullmatch(line.text)]
    assert lost == []


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: "\n".join(line.strip() for line in text.split("\n")),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
    ],
    ids=["as is", "crlf", "trailing blanks", "no indent", "byte order mark", "no last newline"],
)
def test_recognised_and_whole_however_it_was_saved(kind: str, change: Any) -> None:
    text = change(SAMPLES[kind])
    assert recognise(text) == kind
    documents = split(kind, text, "some.txt")
    check_whole(text, documents)
    plain = split(kind, SAMPLES[kind], "some.txt")
    assert [(d.doc_id, d.title, d.kind) for d in documents] == [(d.doc_id, d.title, d.kind) for d in plain]
    shape = [[(s.heading, s.role) for s in d.sections] for d in documents]
    assert shape == [[(s.heading, s.role) for s in d.sections] for d in plain]
    assert {d.source for d in documents} == {"some.txt"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Notes\n\nThe risk is HIGH.\n\n## Books\n- one\n",
        "# My reading\n\n## Books\n- x\n\n## Courses\n- y\n",
        "# Our Technical Excellence Roadmap\n\n## Goals\n- hire\n\n## Budget\n- none\n",
        "Day 01 — Tokyo\nFood.\nDay 02 — Kyoto\nTea.\nDay 03 — Nara\nDeer.\n",
        "1. D01\n2. D02\n3. D03\n4. D04\n",
        "DevOps\nNetworking\nSecurity\nSystem Design / Databases\n",
        "Networkings are fun.\nSecurity is hard.\nDevOps teams ship.\nSystem Design interviews.\n",
        "M1 chips are fast.\nThey run cool.\nM2 chips too.\nAt 40% load.\n",
        "Severity HIGH\nLevel FUNDAMENTAL\nMEDIUM\nDEEP-DIVE\n",
        "What I skipped:\nKafka HIGHDEEP-DIVE\nno time\nRedis HIGHDEEP-DIVE\nRaft MEDIUMINTERMEDIATE\nlater\n",
    ],
)
def test_ordinary_documents_are_left_alone(text: str) -> None:
    assert recognise(text) is None


def test_recognising_a_long_document_is_quick() -> None:
    text = ("M1 " + "word " * 400 + " " * 4000 + "\n\n \n") * 300 + "\n" * 200_000 + "HIGH" + " " * 200_000
    start = time.process_time()
    assert recognise(text) is None
    assert time.process_time() - start < 2.0


def test_unknown_kind() -> None:
    with pytest.raises(UsageError, match="study-guide"):
        split("poem", "text", "poem.txt")


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_page_without_any_item_is_kept_as_a_note_or_is_empty(kind: str) -> None:
    check_whole("nothing of the kind", split(kind, "nothing of the kind", "x"))
    assert split(kind, " \r\n", "x") == []


def test_slug_and_duplicates() -> None:
    assert slug("📚 Ada's List: v2.0 (A/B — C…) & more") == "adas-list-v20-a-b-c-more"
    assert slug("Ada’s Café – 1") == "adas-cafe-1"
    ids = Ids("x")
    assert [ids.claim(t) for t in ("A B", "a-b", "A & B!", "🧩")] == ["x/a-b", "x/a-b-2", "x/a-b-3", "x/untitled"]


def test_guide_cards() -> None:
    found = by_id(split("study-guide", GUIDE, "g.txt"))
    assert [d.doc_id for d in found.values() if d.kind == "card"] == [
        "guide/choosing-a-saw",
        "guide/knots-splices-part-15-rope-wire",
        "guide/keel-shapes",
        "guide/choosing-a-saw-2",
        "guide/tide-tables",
    ]
    saw = found["guide/choosing-a-saw"]
    assert saw.title == "Choosing a Saw"
    assert saw.text.startswith("Choosing a Saw HIGHDEEP-DIVE\n")
    assert (saw.meta["phase"], saw.meta["phase_title"]) == (0, "Sharp Tools (for beginners)")
    assert (saw.meta["priority"], saw.meta["depth"]) == ("high", "deep-dive")
    assert "section" not in saw.meta
    assert words(saw) == [
        ("Why", "why", "a blunt saw costs a day."),
        ("Deep-dive map", "map", "[ ]teeth per inch[ ]set of the teeth"),
        ("Resources", "resources", "📖 The Saw Book; 📄 example.org/saws"),
        ("You know it when", "mastery", 'you can say "✅ you know it when" without looking.'),
        ("When not to use", "when-not", "never on wet rope → use a knife."),
        ("Interview probes", "probes", '"Why not an axe?"'),
        ("Common mistakes", "mistakes", "pushing too hard."),
        ("Red flags", "red-flags", '"any saw will do" ❌'),
        ("Interview signal", "signal", "they watch your wrist."),
    ]
    knots = found["guide/knots-splices-part-15-rope-wire"]
    assert knots.title == "🧩 Knots & Splices: Part 1.5 (rope/wire)"
    assert words(knots) == [
        ("", "body", "An unlabelled opening line."),
        (
            "Learn / the short list",
            "learn",
            "tie these\n- When NOT to use it — bullets are not labels.\n1Two strands cross here.",
        ),
        ("Quick table", "body", "| Knot | Use |"),
    ]


def test_guide_phases_sections_and_notes() -> None:
    found = by_id(split("study-guide", GUIDE, "g.txt"))
    notes = {d.doc_id: d for d in found.values() if d.kind == "note"}
    assert list(notes) == ["guide/about", "guide/phase-0", "guide/section-1a"]
    assert notes["guide/about"].text.startswith("ⓘ About these notes")
    assert words(notes["guide/about"])[-1] == ("Order", "body", "tools first, then boats.")
    assert words(notes["guide/phase-0"]) == [("", "body", "Every boat starts at the bench.")]
    assert notes["guide/phase-0"].title == "Sharp Tools (for beginners)"
    assert words(notes["guide/section-1a"]) == [("", "body", "Hulls differ more than they look.")]
    assert found["guide/keel-shapes"].meta["section"] == "1a — Hulls"
    assert found["guide/choosing-a-saw-2"].meta["section"] == "1b — Sails"
    assert found["guide/tide-tables"].meta["phase"] == 2
    assert "section" not in found["guide/tide-tables"].meta, "a phase ends the section before it"
    assert [role for _, role, _ in words(found["guide/keel-shapes"])] == ["why", "scenarios"]
    assert [role for _, role, _ in words(found["guide/tide-tables"])] == ["failures"]


def test_plan_days() -> None:
    found = by_id(split("28-day-plan", PLAN, "p.txt"))
    assert list(found) == ["day/about", "day/01", "day/02", "day/03", "day/closing"]
    assert found["day/01"].title == "Day 01 — Bread — Flour, Water"
    assert found["day/01"].meta["day"] == 1
    assert words(found["day/01"]) == [("", "body", "Bread needs time. It rises twice…")]
    assert words(found["day/03"]) == [("", "body", "Milk, warmed.\n    Then rennet.")]
    assert found["day/closing"].text.startswith("All 3 days")
    assert found["day/about"].text == "Menu\n\nA Plan in Three Days"


def test_library_peels_the_category_off_the_next_title() -> None:
    found = by_id(split("article-library", LIBRARY, "a.txt"))
    assert [(d.doc_id, d.title, d.meta["category"]) for d in found.values()] == [
        ("article/lighthouses-vs-buoys", "Lighthouses vs Buoys", "Networking"),
        ("article/grope-20-explained", "gRope 2.0 Explained", "System Design / Databases"),
        ("article/the-keepers-log-log", "The Keeper's Log (LOG)", "DevOps"),
        ("article/fog-horn-basics", "Fog / Horn Basics", "System Design / Case Studies"),
    ]
    log = found["article/the-keepers-log-log"]
    assert log.text.startswith("The Keeper's Log (LOG)\n") and log.text.endswith("\nDevOps")
    assert words(log) == [("", "body", "Security matters at sea, as this line shows.")]


def test_library_keeps_what_stands_around_the_articles() -> None:
    text = "Home\nAll articles\n" + LIBRARY + "Page 1 of 1\n"
    assert recognise(text) == "article-library"
    documents = split("article-library", text, "a.txt")
    check_whole(text, documents)
    found = by_id(documents)
    assert found["article/about"].text == "Home\nAll articles"
    assert found["article/closing"].text == "Page 1 of 1"
    assert "article/lighthouses-vs-buoys" in found and len(found) == 6


def test_library_with_categories_on_lines_of_their_own() -> None:
    apart = LIBRARY.replace("NetworkinggRope", "Networking\ngRope")
    before, after = split("article-library", LIBRARY, "a"), split("article-library", apart, "a")
    assert [(d.doc_id, d.meta["category"]) for d in after] == [(d.doc_id, d.meta["category"]) for d in before]


def test_heading_roadmap() -> None:
    found = by_id(split("technical-excellence-roadmap", HEADINGS, "r.txt"))
    assert list(found) == [
        "roadmap/about",
        "roadmap/todo-list",
        "roadmap/books",
        "roadmap/tuning-care",
        "roadmap/core-cs-concepts",
        "roadmap/tuning-care-2",
    ]
    assert "Table of Contents" in found["roadmap/about"].text
    assert found["roadmap/todo-list"].title == "Todo List"
    assert words(found["roadmap/todo-list"]) == [("", "body", "- one\n  - nested")]
    books = found["roadmap/books"]
    assert (books.sections, books.meta["level"], books.meta["parts"]) == ((), 2, ("roadmap/tuning-care",))
    assert found["roadmap/tuning-care-2"].meta["parent"] == "roadmap/core-cs-concepts"
    assert found["roadmap/tuning-care-2"].meta["level"] == 3


def test_month_roadmap() -> None:
    found = by_id(split("engineering-judgment-roadmap", MONTHS, "m.txt"))
    assert list(found) == [
        "month/about",
        "month/1",
        "month/1/week/1",
        "month/1/week/2",
        "month/2",
        "month/closing",
    ]
    assert found["month/1"].title == "M1 Water — what floats"
    assert found["month/1"].meta["goal"] == "say why a boat floats."
    assert found["month/1"].meta["parts"] == ("month/1/week/1", "month/1/week/2")
    assert words(found["month/1"]) == [("Goal", "body", "say why a boat floats.")]
    assert words(found["month/1/week/1"]) == [
        ("Goal", "body", "By Sunday it floats."),
        ("", "body", "Lash the logs\nM2 of rope is enough here."),
        ("Daily rhythm", "body", "Write one line."),
    ]
    assert (found["month/1/week/2"].meta["month"], found["month/1/week/2"].meta["week"]) == (1, 2)
    assert words(found["month/2"])[-1] == ("", "body", "Build a kite\n“The gust I would wait for.”")


@needs_shared
def test_every_curriculum_item_comes_out_of_the_users_pages() -> None:
    listed = (SHARED / "curriculum" / "items.jsonl").read_text(encoding="utf-8")
    items: dict[str, dict[str, Any]] = {}
    for line in filter(str.strip, listed.splitlines()):
        item = json.loads(line)
        items[item["id"]] = item
    found: dict[str, Document] = {}
    kinds = []
    for path in sorted((SHARED / "seeds").glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        kind = recognise(text)
        assert kind is not None, path.name
        kinds.append(kind)
        documents = split(kind, text, path.name)
        check_whole(text, documents)
        by_id(documents)
        for document in documents:
            if document.covers:
                assert document.doc_id not in found
                assert items[document.doc_id]["source"] == kind
                found[document.doc_id] = document
    assert sorted(kinds) == sorted(SAMPLES)
    assert sorted(found) == sorted(items)
    for name, item in items.items():
        document = found[name]
        assert document.title == item["title"]
        for key in ("priority", "depth", "category", "goal", "level"):
            assert document.meta.get(key) == item.get(key), (name, key)
        if "teaser" in item:
            assert document.text[document.sections[0].start : document.sections[0].end] == item["teaser"]
        if "phase" in item:
            assert f"{document.meta['phase']}{document.meta['phase_title']}" == item["phase"]
            # The list carries a section on into phases that have none; the splitter ends it with its phase.
            own = str(item["section"] or "").startswith(str(document.meta["phase"]))
            assert document.meta.get("section") == (item["section"] if own else None)
        # Headings that only group others have no words of their own.
        assert document.sections or document.meta.get("parts"), name
