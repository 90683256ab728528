"""What entries come to: a week's digest, drafts of posts, a month's capstone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count

import pytest
import yaml

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.errors import NotFound, UsageError
from tutor.study import digest as rules
from tutor.study.entries import LogEntry

_NUMBERS = count()


@pytest.fixture(scope="module")
def whole() -> Outline:
    return outline(builtin_corpus(), None)


def entry(text: str, day: str = "2026-11-18", **more: object) -> LogEntry:
    written = datetime(2026, 11, 20, tzinfo=UTC)
    return LogEntry(
        f"{next(_NUMBERS):032x}", 1, date.fromisoformat(day), written, **{"title": "", "text": text, **more}
    )  # type: ignore[arg-type]


def test_weeks() -> None:
    assert rules.week_of(date(2026, 11, 22)) == "2026-W47"
    assert rules.days_of("2026-w47") == (date(2026, 11, 16), date(2026, 11, 22))
    assert rules.days_of("2020-W53")[1] == date(2021, 1, 3)
    for wrong in ("2026-W54", "2026-W00", "W47", "", "0000-W01", "2026-47"):
        with pytest.raises(UsageError, match="is no week"):
            rules.days_of(wrong)


def test_the_digest_of_a_week(whole: Outline) -> None:
    entries = [
        entry("Read about logs. I chose Kafka over RabbitMQ because of replay. What of ordering?", cards=("kafka",)),
        entry(
            "# Caches\n\n- Nothing new.\n- I am not sure how a stampede ends.\n\n```\nI decided code?\n```\n",
            "2026-11-16",
            cards=("caching", "kafka"),
            tags=("cache",),
        ),
        entry("Not of this week.", "2026-11-15", cards=("redis",)),
        entry("Nor this.", "2026-11-23"),
    ]
    found = rules.digest(entries, whole, *rules.days_of("2026-W47"))
    assert [line.text for line in found.decisions] == [
        "Nothing new.",
        "I chose Kafka over RabbitMQ because of replay.",
    ]
    assert [line.text for line in found.questions] == ["I am not sure how a stampede ends.", "What of ordering?"]
    assert [(card, number) for card, _, number in found.cards] == [("kafka", 2), ("caching", 1)]
    assert found.tags == (("cache", 1),) and found.days == 2
    text = rules.digest_markdown(found)
    assert "1 entry on 1 day, 1 word.\n" in rules.digest_markdown(
        rules.digest([entry("Hello")], whole, *rules.days_of("2026-W47"))
    )
    assert "2 entries on 2 days" in text and "- Apache Kafka (2)" in text and "- Wed: I chose Kafka" in text
    row = rules.digest_row(found)
    assert row["week"] == "2026-W47" and row["words"] == found.words and len(row["entries"]) == 2


def test_a_week_without_entries(whole: Outline) -> None:
    found = rules.digest([], whole, *rules.days_of("2026-W47"))
    assert "Nothing was written this week." in rules.digest_markdown(found)


def test_a_draft_is_markdown_with_front_matter(whole: Outline) -> None:
    nasty = 'A "title": with --- and\nmore'
    entries = [
        entry("First.", title=nasty, tags=("a", "b"), cards=("kafka",)),
        entry("Second.", "2026-11-19", tags=("b",), cards=("kafka", "gone-card")),
    ]
    resources = {"kafka": [("doc", "A [page]", "https://example.org/")]}
    text = rules.draft(entries, whole, lambda card: resources.get(card, []), today=date(2026, 11, 22))
    _, front, body = text.split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["title"] == " ".join(nasty.split()) and about["draft"] is True and about["tags"] == ["a", "b"]
    assert about["date"] == date(2026, 11, 22) and about["entries"] == [e.id for e in entries]
    assert "## 19 November 2026\n\nSecond." in body
    assert "- Apache Kafka\n  - [A \\[page\\]](https://example.org/)\n- gone-card" in body
    assert rules.draft(entries[1:], whole, lambda _: [], today=date(2026, 11, 22), title="Mine").count("##") == 1
    with pytest.raises(UsageError, match="which entries"):
        rules.draft([], whole, lambda _: [], today=date(2026, 11, 22))
    with pytest.raises(UsageError, match="deleted"):
        rules.draft([entry("x", deleted=True)], whole, lambda _: [], today=date(2026, 11, 22))


def test_the_capstone_gathers_its_month(whole: Outline) -> None:
    entries = [
        entry("I decided on a hash map.", "2026-11-10", item="month/1/week/2", cards=("redis",)),
        entry("I chose RESP.", "2026-11-03", item="month/1/week/1", title="The wire"),
        entry("Of the whole month?", "2026-11-11", item="month/1"),
        entry("Another month.", item="month/2"),
        entry("Looks like it.", item="month/10"),
    ]
    text = rules.capstone(entries, whole, "month/1")
    assert "3 entries" in text and "Another month" not in text and "Looks like it" not in text
    weeks = [text.index(f"## Week {n}") for n in (1, 2, 3, 4)]
    assert weeks[0] < text.index("### 2026-11-03: The wire") < weeks[1] < text.index("hash map") < weeks[2]
    assert text.index("## Beside the weeks") < text.index("Of the whole month?")
    assert text.count("Nothing was written yet.") == 2
    assert "- 2026-11-10: I decided on a hash map." in text and "## Still open" in text
    missing = text.splitlines()[-1]
    assert missing.startswith("No entry is linked to: ") and "Redis" not in missing
    assert "Another month." in rules.capstone(entries, whole, "month/2")
    with pytest.raises(NotFound):
        rules.capstone(entries, whole, "month/9")


def test_long_and_odd_texts_are_cut_not_lost(whole: Outline) -> None:
    line = rules.decision(entry("I decided " + "x" * 5_000))
    assert line is not None and len(line.text) <= 401
    assert rules.decision(entry("```\nonly code\n```")) is None
    assert rules.decision(entry("Only a question?")) is None
    assert rules.digest([entry("```\nonly code\n```")], whole, *rules.days_of("2026-W47")).decisions == ()
