"""What a stretch of the decision log comes to: a week's digest, a month's capstone, drafts of blog posts.

Everything is cut from the entries; no model writes a word of it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tutor.curriculum.outline import Outline, StepLine
from tutor.errors import NotFound, UsageError
from tutor.study.entries import LogEntry, newest_first, tag_counts
from tutor.study.links import items
from tutor.text import blocks, sentences

#: A resource of a card: kind, title, address.
Resource = tuple[str, str, str]
Resources = Callable[[str], Sequence[Resource]]

_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.I)
_DECIDED = re.compile(
    r"\b(?:decid\w+|decision|chose|choose|chosen|choice|pick(?:ed|ing)?|went with|go(?:ing)? with|settled on|opted"
    r"|prefer\w*|reject\w*|ruled out|will use|i would use|i'd use|instead of|rather than|trade-?offs?|accept\w*)\b",
    re.I,
)
_FIRMLY = re.compile(
    r"\b(?:i|we) (?:have )?(?:decided|chose|picked|went with|settled on|opted|rejected|ruled out)\b", re.I
)
_OPEN = re.compile(
    r"\b(?:open question|not sure|unsure|unclear|don'?t (?:yet )?know|do not (?:yet )?know|to find out|find out"
    r"|todo|to do|to check|need to (?:check|read|learn|measure)|still have to)\b",
    re.I,
)
_MOST_QUESTIONS = 3  # of one entry
_LONGEST = 400  # characters of a sentence that is quoted


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of an entry, verbatim but for line breaks."""

    entry: str
    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Entries from ``first`` to ``last``, oldest first; ``cards`` and ``tags`` with how many entries have each."""

    first: date
    last: date
    week: str
    entries: tuple[LogEntry, ...]
    decisions: tuple[Line, ...]
    questions: tuple[Line, ...]
    cards: tuple[tuple[str, str, int], ...]
    tags: tuple[tuple[str, int], ...]

    @property
    def words(self) -> int:
        return sum(entry.words for entry in self.entries)

    @property
    def days(self) -> int:
        """On how many days something was written."""
        return len({entry.day for entry in self.entries})


def week_of(day: date) -> str:
    """The ISO week of a day: "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def days_of(week: str) -> tuple[date, date]:
    """Monday and Sunday of an ISO week.

    Raises:
        UsageError: it is none.
    """
    match = _WEEK.fullmatch(week.strip())
    try:
        if match is None:
            raise ValueError
        first = date.fromisocalendar(int(match.group(1)), int(match.group(2)), 1)
        return first, first + timedelta(days=6)
    except (ValueError, OverflowError):
        raise UsageError(f"'{week.strip()[:40]}' is no week", about="--week", fix="As in: 2026-W47.") from None


def digest(entries: Iterable[LogEntry], outline: Outline, first: date, last: date) -> Digest:
    """What was decided, touched and left open in entries from ``first`` to ``last``."""
    mine = tuple(reversed(newest_first(e for e in entries if first <= e.day <= last)))
    counts = Counter(card for entry in mine for card in entry.cards)
    cards = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Digest(
        first,
        last,
        week_of(first),
        mine,
        tuple(line for entry in mine if (line := decision(entry))),
        tuple(line for entry in mine for line in questions(entry)),
        tuple((card, _title(outline, card), count) for card, count in cards),
        tuple(tag_counts(mine)),
    )


def decision(entry: LogEntry) -> Line | None:
    """The sentence that says what was decided, or else the first one; None where the entry has no sentence."""
    found = [text for text in _sentences(entry.text) if not text.endswith("?")]
    if not found:
        return None
    firm = next((text for text in found if _FIRMLY.search(text)), None)
    return Line(entry.id, entry.day, firm or next((text for text in found if _DECIDED.search(text)), found[0]))


def questions(entry: LogEntry) -> list[Line]:
    """Sentences that ask, or say what is not known yet; at most three."""
    found = [text for text in _sentences(entry.text) if text.endswith("?") or _OPEN.search(text)]
    return [Line(entry.id, entry.day, text) for text in found[:_MOST_QUESTIONS]]


def _sentences(text: str) -> Iterator[str]:
    for block in blocks(text):
        if block.kind in ("code", "table"):
            continue
        for start, end in sentences(text, block.start, block.end):
            line = " ".join(text[start:end].split()).lstrip("-*+> ")
            if line and not line.startswith("#"):
                yield line if len(line) <= _LONGEST else f"{line[:_LONGEST].rstrip()}…"


def _title(outline: Outline, card: str) -> str:
    return outline.cards[card].title if card in outline.cards else card


def digest_row(found: Digest) -> dict[str, Any]:
    """A digest as JSON."""

    def lines(given: Sequence[Line]) -> list[dict[str, str]]:
        return [{"entry": line.entry, "day": line.day.isoformat(), "text": line.text} for line in given]

    return {
        "week": found.week,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "entries": [entry.id for entry in found.entries],
        "days": found.days,
        "words": found.words,
        "decided": lines(found.decisions),
        "questions": lines(found.questions),
        "cards": [{"id": card, "title": title, "entries": count} for card, title, count in found.cards],
        "tags": [{"tag": tag, "entries": count} for tag, count in found.tags],
    }


def digest_markdown(found: Digest) -> str:
    """A digest as Markdown."""
    head = f"# Decision log, {found.week} ({found.first} to {found.last})"
    if not found.entries:
        return f"{head}\n\nNothing was written this week.\n"
    count, days = len(found.entries), found.days
    said = f"{count} {_plural('entry', count)} on {days} {_plural('day', days)}, {found.words:,} "
    said += f"{_plural('word', found.words)}."
    parts = [head, "", said, "", "## Decided", "", *(f"- {line.day:%a}: {line.text}" for line in found.decisions)]
    if found.questions:
        parts += ["", "## Open questions", "", *(f"- {line.day:%a}: {line.text}" for line in found.questions)]
    if found.cards:
        parts += ["", "## Cards touched", "", *(f"- {title} ({n})" for _, title, n in found.cards)]
    if found.tags:
        parts += ["", "Tags: " + ", ".join(f"{tag} ({n})" for tag, n in found.tags)]
    return "\n".join(parts) + "\n"


def draft(entries: Sequence[LogEntry], outline: Outline, resources: Resources, *, today: date, title: str = "") -> str:
    """A blog post's draft: front matter, the entries' texts, and what to read on, from the cards they are linked to.

    Args:
        entries: in the order of the post.
        resources: of a card by its id.
        today: the date of the draft.
        title: of the post; the first entry's where none is given.

    Raises:
        UsageError: no entry is given, or one is deleted.
    """
    if not entries:
        raise UsageError("which entries?", fix="As in: tutor log draft last")
    if gone := next((entry.id[:8] for entry in entries if entry.deleted), ""):
        raise UsageError("the entry is deleted", about=gone, fix=f"First: tutor log restore {gone}")
    cards = list(dict.fromkeys(card for entry in entries for card in entry.cards))
    front = {
        "title": title or entries[0].name,
        "draft": True,
        "tags": list(dict.fromkeys(tag for entry in entries for tag in entry.tags)),
        "entries": [entry.id for entry in entries],
    }
    # JSON is YAML too, and needs no rules for what has to be quoted.
    shown = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    lines = ["---", shown[0], f"date: {today}", *shown[1:], "---", ""]
    for entry in entries:
        if len(entries) > 1:
            lines += [f"## {entry.title or f'{entry.day:%-d %B %Y}'}", ""]
        lines += [entry.text, ""]
    if cards:
        lines += ["## Further reading", ""]
        for card in cards:
            lines.append(f"- {_title(outline, card)}")
            lines += [f"  - [{_escaped(name)}]({url})" for _, name, url in resources(card)]
        lines.append("")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)


def capstone(entries: Iterable[LogEntry], outline: Outline, item: str) -> str:
    """Everything that was written for a month (or another item), step by step, as Markdown to write the capstone from.

    Raises:
        NotFound: no plan has a step of that item.
    """
    step = _step_of(outline, item)
    mine = list(reversed(newest_first(e for e in entries if e.item == item or e.item.startswith(f"{item}/"))))
    below = [part for part in step.parts if part.covers]
    lines = [f"# Capstone: {step.title}", ""]
    lines += [f"Goal: {step.goal}", ""] if step.goal else []
    lines += [f"To be written: {step.log}", ""] if step.log else []
    words, count = sum(entry.words for entry in mine), len(mine)
    lines += [f"{count} {_plural('entry', count)}, {words:,} {_plural('word', words)}.", ""]
    for part in below:
        lines += [f"## {part.title}", "", *([f"To be written: {part.log}", ""] if part.log else [])]
        there = [e for e in mine if any(e.item == c or e.item.startswith(f"{c}/") for c in part.covers)]
        lines += _written(there, "###") or ["Nothing was written yet.", ""]
    placed = {c for part in below for c in part.covers}
    rest = [e for e in mine if not any(e.item == c or e.item.startswith(f"{c}/") for c in placed)]
    lines += [*(["## Beside the weeks", ""] if below and rest else []), *_written(rest, "###" if below else "##")]
    if found := [line for entry in mine if (line := decision(entry))]:
        lines += ["## What was decided", "", *(f"- {line.day}: {line.text}" for line in found), ""]
    if asked := [line for entry in mine for line in questions(entry)]:
        lines += ["## Still open", "", *(f"- {line.day}: {line.text}" for line in asked), ""]
    touched = {card for entry in mine for card in entry.cards}
    if missing := [_title(outline, card) for card in step.cards if card not in touched]:
        lines += [f"No entry is linked to: {', '.join(missing)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _written(entries: Sequence[LogEntry], mark: str) -> list[str]:
    lines: list[str] = []
    for entry in entries:
        lines += [f"{mark} {entry.day}{f': {entry.title}' if entry.title else ''}", "", entry.text, ""]
    return lines


def _step_of(outline: Outline, item: str) -> StepLine:
    def walk(steps: Iterable[StepLine]) -> Iterator[StepLine]:
        for step in steps:
            yield step
            yield from walk(step.parts)

    for plan in outline.plans.values():
        for step in walk(plan.steps):
            if item in step.covers or item == f"{plan.id}/{step.id}":
                return step
    near = [name for name in items(outline) if name.startswith("month/")]
    raise NotFound("no plan has such a step", about=item, fix=f"As in: {', '.join(near[:3])}")


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return "entries" if word == "entry" else f"{word}s"
