"""An export as Markdown, for people: the decision log, progress, notes, plans, drills with what was said, time, votes,
conversations.

It is to be read, not brought in again: earlier versions and single reviews are in the JSON export only.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tutor.study.days import day_of

Day = Callable[[str], str]
_SAYS = {"up": "good", "down": "bad"}


def markdown(document: Mapping[str, Any], titles: Mapping[str, str], zone: ZoneInfo) -> str:
    """The document of ``Transfer.export`` as Markdown.

    Args:
        document: an export.
        titles: of cards and plans by id; what is not among them goes by its id.
        zone: the learner's, whose days are written.
    """
    day = _days(zone)
    parts = document["parts"]
    tables = {name: part["rows"] for name, part in parts.items() if "rows" in part}
    who = tables["learners"][0]["name"] or tables["learners"][0]["id"]
    lines = [f"# What {_line(who)} has made with tutor", "", f"As of {day(document['made'])}."]
    for title, body in (
        ("Decision log", _log(tables["entries"], titles)),
        ("Cards", _cards(tables["marks"], titles, day)),
        ("Notes on cards", _notes(tables["card_notes"], titles)),
        ("Plans", _plans(tables["plans"], tables["ticks"], titles, day)),
        ("Drills", _drills(parts["drills"]["files"], titles, day)),
        ("Reviews", _reviews(tables["reviews"], tables["memory"], titles, day)),
        ("Conversations", _conversations(tables["conversations"], tables["turns"], day)),
        ("Time", _time(tables["sittings"])),
        ("Votes on answers", _votes(parts["feedback"]["files"], day)),
    ):
        if found := list(body):
            lines += ["", f"## {title}", "", *found]
    return "\n".join(lines).rstrip() + "\n"


def _log(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterator[str]:
    newest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["version"]):
        newest[row["entry"]] = row
    for row in sorted(newest.values(), key=lambda row: (row["at"], row["entry"])):
        if row["deleted"]:
            continue
        yield f"### {row['at'][:10]} {_line(row['title'])}".rstrip()
        yield ""
        about = [", ".join(f"#{tag}" for tag in row["tags"]), ", ".join(_named(c, titles) for c in row["cards"])]
        if named := "; ".join(filter(None, [*about, row["item"]])):
            yield f"*{_line(named)}*"
            yield ""
        for line in row["text"].split("\n"):
            yield f"###{line}" if line.startswith("#") else line  # its own headings go below this one
        yield ""


def _cards(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str], day: Day) -> Iterator[str]:
    last = {row["card"]: row for row in sorted(rows, key=lambda row: row["at"])}
    for number, row in enumerate(sorted(last.values(), key=lambda row: _named(row["card"], titles))):
        if not number:
            yield "| card | marked as | on | by | note |"
            yield "|---|---|---|---|---|"
        cells = (_named(row["card"], titles), row["status"], day(row["at"]), row["why"], row["note"])
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _notes(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterator[str]:
    for row in sorted(rows, key=lambda row: _named(row["card"], titles)):
        if row["text"].strip():
            yield f"### {_line(_named(row['card'], titles))}"
            yield ""
            yield from (f"###{line}" if line.startswith("#") else line for line in row["text"].split("\n"))
            yield ""


def _plans(
    plans: Iterable[Mapping[str, Any]], ticks: Iterable[Mapping[str, Any]], titles: Mapping[str, str], day: Day
) -> Iterator[str]:
    done: dict[str, dict[str, Mapping[str, Any]]] = {}
    for tick in sorted(ticks, key=lambda row: row["at"]):
        done.setdefault(tick["plan"], {})[tick["item"]] = tick
    last = {row["plan"]: row for row in sorted(plans, key=lambda row: row["at"])}
    for plan in sorted({*last, *done}):
        yield f"### {_named(plan, titles)}"
        yield ""
        if row := last.get(plan):
            skips = f", without {', '.join(row['skips'])}" if row["skips"] else ""
            ended = "" if row["active"] else "; given up"
            yield f"From {row['start']}, at a pace of {row['pace']:g}{_line(skips)}{ended}."
            yield ""
        ticked = [tick for _, tick in sorted(done.get(plan, {}).items()) if tick["done"]]
        yield from (f"- [x] {_line(tick['item'])} ({day(tick['at'])})" for tick in ticked)
        yield ""


def _drills(files: Mapping[str, Any], titles: Mapping[str, str], day: Day) -> Iterator[str]:
    for name, text in sorted(files.items()):
        drill = _json(text) if name.endswith(".json") else None
        if not isinstance(drill, dict) or not isinstance(rounds := drill.get("rounds"), list):
            continue
        about = f"{day(str(drill.get('started', '')))} {_line(str(drill.get('kind', '')))}"
        yield f"### {about} ({name.removesuffix('.json')})"
        tasks = drill.get("tasks") or []
        for number, done in enumerate(rounds):
            if not isinstance(done, dict) or not done.get("turns"):
                continue
            task = tasks[number] if number < len(tasks) and isinstance(tasks[number], dict) else {}
            yield ""
            yield f"#### {number + 1}. {_named(str(task.get('card') or 'question'), titles)}"
            yield ""
            for turn in done["turns"]:
                said = str(turn.get("phrased") or turn.get("text", ""))
                yield f"**{'You' if turn.get('who') == 'learner' else 'Interviewer'}:**"
                yield ""
                yield from (f"> {line}".rstrip() for line in said.split("\n"))
                yield ""
            if isinstance(grade := done.get("grade"), dict):
                yield f"Graded {_line(str(grade.get('verdict')))}, {float(grade.get('score') or 0):.0%}."
        yield ""


def _reviews(
    reviews: list[Mapping[str, Any]], memory: Iterable[Mapping[str, Any]], titles: Mapping[str, str], day: Day
) -> Iterator[str]:
    if not reviews:
        return
    days = {day(row["at"]) for row in reviews}
    yield f"{len(reviews)} ratings on {len(days)} {'day' if len(days) == 1 else 'days'}."
    yield ""
    yield "| what | ratings | forgotten | due |"
    yield "|---|---|---|---|"
    for row in sorted(memory, key=lambda row: (row["due"], row["ref"])):
        card, _, rest = row["ref"].partition("/")
        what = f"{_named(card, titles)}{f' / {rest}' if rest else ''}"
        due = "put aside" if row["suspended"] else day(row["due"])
        yield f"| {_cell(what)} | {row['reps']} | {row['lapses']} | {due} |"


def _conversations(rows: Iterable[Mapping[str, Any]], turns: Iterable[Mapping[str, Any]], day: Day) -> Iterator[str]:
    of: dict[str, list[Mapping[str, Any]]] = {}
    for turn in sorted(turns, key=lambda row: row["at"]):
        of.setdefault(turn["conversation"], []).append(turn)
    for row in sorted(rows, key=lambda row: row["at"]):
        yield f"### {day(row['at'])} {_line(row['title'])}"
        yield ""
        for turn in of.get(row["conversation"], ()):
            yield f"**{_line(turn['question'])}**"
            yield ""
            yield from (f"> {line}".rstrip() for line in turn["text"].split("\n"))
            yield ""


def _time(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    spent: Counter[str] = Counter()
    for row in rows:
        spent[row["kind"]] += row["seconds"]
    yield from (f"- {_line(kind)}: {seconds / 3600:.1f} hours" for kind, seconds in spent.most_common())


def _votes(files: Mapping[str, Any], day: Day) -> Iterator[str]:
    for name, text in sorted(files.items()):
        for line in text.split("\n") if name.endswith(".jsonl") and isinstance(text, str) else ():
            row = _json(line)
            if isinstance(row, dict) and row.get("vote") in _SAYS:
                note = f": {_line(str(row['note']))}" if row.get("note") else ""
                asked = f"{day(str(row.get('at', '')))} {_line(str(row.get('question', '')))}"
                yield f"- {asked} ({_SAYS[row['vote']]}{note})"


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _named(name: str, titles: Mapping[str, str]) -> str:
    return titles.get(name, name)


def _days(zone: ZoneInfo) -> Day:
    """Tells the learner's day of a time in ISO 8601; of one that is none, what stands there."""

    def day(instant: str) -> str:
        try:
            return str(day_of(datetime.fromisoformat(instant), zone))
        except ValueError:
            return instant[:10]

    return day


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace("|", "\\|")
