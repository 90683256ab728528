"""Export and import of all that a learner has made, between homes and databases: nothing lost, nothing twice."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tutor.errors import SourceError, StudyNewer
from tutor.study import transfer
from tutor.study.reviews import Rated, load_deck, rate, suspend
from tutor.study.rows import TABLES
from tutor.study.schedule import Grade
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import CardNote, Conversation, Drilled, Entry, Mark, Memory, Sitting, TakenPlan, Tick, Turn
from tutor.study.transfer import Export, Transfer, dumped, read

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


class Machine:
    """A home with its store."""

    def __init__(self, home: Path, url: str = "", learner: str = "local") -> None:
        self.home = home
        self.learner = learner
        self.store = StudyStore(home / "study.db", url=url, learner=learner, clock=lambda: NOW)
        self.store.owner()
        opened: Callable[[], StudyStore] = lambda: StudyStore(  # noqa: E731
            home / "study.db", url=url, learner=learner, clock=lambda: NOW
        )
        self.transfer = Transfer(opened, home, clock=lambda: NOW, retention=0.9, zone=ZONE, version="1.2")

    def export(self) -> Export:
        return read(dumped(self.transfer.export()).encode(), "export.json")

    def bring_in(self, given: Export, **how: Any) -> transfer.Imported:
        return self.transfer.bring_in(given, **how)

    def add(self, *rows: Any) -> None:
        with self.store.write() as session:
            session.add_all(rows)

    def rate(self, ref: str, rating: Grade, day: int, source: str) -> None:
        rate(self.store, [Rated(ref, rating, NOW + timedelta(days=day), source)], retention=0.9, zone=ZONE)

    def rows(self, name: str) -> list[Any]:
        with self.store.read() as session:
            table = TABLES[name]
            query = select(table).where(table.c.learner == self.learner).order_by(table.c.at, table.c.id)
            return [tuple(row) for row in session.execute(query)]

    def file(self, name: str, text: str) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def one(name: str, url: str = "", learner: str = "local") -> Machine:
        made.append(Machine(tmp_path / name, url, learner))
        return made[-1]

    yield one
    for each in made:
        each.store.close()


def entry(learner: str, name: str, version: int, text: str, minutes: int = 0) -> Entry:
    written = NOW + timedelta(minutes=minutes)
    return Entry(
        id=new_id(), learner=learner, at=NOW, entry=name, version=version, written=written, title="T", text=text,
        tags=["kafka"], cards=[], item="", deleted=False,
    )  # fmt: skip


DRILL = {"id": "20260503-abcdabcd", "kind": "card", "tasks": [], "rounds": [], "started": NOW.isoformat()}


def vouched(own: str) -> Mark:
    """That the learner calls Kafka mastered, which its schedule begins with."""
    return Mark(id=new_id(), learner=own, at=NOW, card="kafka", status="mastered", why="override", note="“so” 🐘\u2028")


def filled(one: Machine) -> Machine:
    own = one.learner
    one.add(
        vouched(own),
        Drilled(
            id=new_id(), learner=own, at=NOW, session="20260503-abcdabcd", task=1, card="kafka", probe="why-not",
            kind="card", verdict="mixed", score=0.1 + 0.2, points={"ack": "covered"}, rating=None, seconds=61.5,
        ),
        TakenPlan(
            id=new_id(), learner=own, at=NOW, plan="28-day", start=date(2026, 5, 4), pace=1.5,
            skips=["sunday"], spec={}, active=True,
        ),
        Tick(id=new_id(), learner=own, at=NOW, plan="28-day", item="day-01/video", done=True),
        entry(own, "e1", 1, "first\nwords"),
        Sitting(id=new_id(), learner=own, at=NOW, seconds=30.0, kind="ask", ref=""),
        Conversation(id=new_id(), learner=own, at=NOW, conversation="c1", title="Why not Kafka?", changed=NOW),
        Turn(
            id=new_id(), learner=own, at=NOW, conversation="c1", question="Why not Kafka?", standalone="",
            text="A log. [1]", answer={"citations": [{"n": 1}]}, vote="down", reason="“so” 🐘", changed=NOW,
        ),
        CardNote(id=new_id(), learner=own, at=NOW, card="kafka", version=1, text="Mine"),
    )  # fmt: skip
    one.rate("kafka", 3, 0, "drill:20260503-abcdabcd/1")
    one.file("drills/20260503-abcdabcd.json", json.dumps(DRILL))
    one.file(
        "drills/results.jsonl", json.dumps({"session": "20260503-abcdabcd", "task": 1, "at": NOW.isoformat()}) + "\n"
    )
    one.file("feedback/answers.jsonl", json.dumps({"question": "q", "vote": "up", "at": NOW.isoformat()}) + "\n")
    (one.home / "drills" / "20260503-abcdabcd.refused.txt").write_bytes(b"caf\xe9")
    one.file("log-drafts/20260503-093000-7.md", "---\ntitle: Unfinished\n---\n\nI was going to\n")
    return one


def test_everything_goes_from_one_machine_to_another(machine: Callable[..., Machine], study_url: str) -> None:
    """Whichever database either has; a second time changes nothing."""
    old, new = filled(machine("old")), machine("new", study_url)
    given = old.export()
    assert given.learner["id"] == "local" and given.made == NOW.isoformat(timespec="seconds")
    tried = new.bring_in(given, dry_run=True)
    assert all(new.rows(name) == [] for name in TABLES) and not (new.home / "drills").exists()
    done = new.bring_in(given)
    assert {name: counts.new for name, counts in done.parts.items()} == {
        **dict.fromkeys(TABLES, 1), "learners": 0, "drills": 3, "feedback": 1, "log-drafts": 1,
    }  # fmt: skip
    assert tried.parts == done.parts
    assert {name: new.rows(name) for name in TABLES} == {name: old.rows(name) for name in TABLES}
    for path in (old.home / "drills").iterdir():
        assert (new.home / "drills" / path.name).read_bytes() == path.read_bytes()
    assert (new.home / "feedback/answers.jsonl").read_text() == (old.home / "feedback/answers.jsonl").read_text()
    again = new.bring_in(new.export())
    assert again.changes == 0 and again.backup == ""
    assert new.bring_in(given).changes == 0
    assert dumped(new.transfer.export()) == dumped(old.transfer.export())
    if not study_url:
        assert Path(done.backup).name.startswith("before-import-") and Path(done.backup).is_file()


def test_two_machines_that_went_on_apart_come_together(machine: Callable[..., Machine], study_url: str) -> None:
    one, two = filled(machine("one")), machine("two", study_url)
    two.bring_in(one.export())
    one.add(entry("local", "e1", 2, "on the first", minutes=5), entry("local", "e2", 1, "only here"))
    two.add(entry("local", "e1", 2, "on the second", minutes=3), entry("local", "e3", 1, "only there"))
    one.rate("kafka", 3, 3, "review:a")
    two.rate("kafka", 1, 5, "review:b")
    two.rate("raft", 3, 1, "review:c")
    given = one.export()
    done = two.bring_in(given)
    assert (done.parts["entries"].new, done.parts["reviews"].new) == (2, 1)
    one.bring_in(two.export())
    for side in (one, two):
        with side.store.read() as session:
            texts = [tuple(row) for row in session.execute(select(Entry.entry, Entry.version, Entry.text))]
            assert sorted(texts) == [
                ("e1", 1, "first\nwords"), ("e1", 2, "on the second"), ("e1", 3, "on the first"),
                ("e2", 1, "only here"), ("e3", 1, "only there"),
            ]  # fmt: skip
    reference = machine("reference")  # the same word and reviews, one after another
    reference.add(vouched("local"))
    reference.rate("kafka", 3, 0, "drill:20260503-abcdabcd/1")
    reference.rate("kafka", 3, 3, "review:a")
    reference.rate("kafka", 1, 5, "review:b")
    states = []
    for side in (one, two, reference):
        with side.store.read() as session:
            item = load_deck(session, "local", retention=0.9, zone=ZONE).items["kafka"]
            states.append((item.state, item.stability, item.difficulty, item.reps, item.lapses, item.last))
    assert states[0] == states[1] == states[2] and states[0][3:5] == (3, 1)
    assert one.bring_in(two.export()).changes == 0 and two.bring_in(one.export()).changes == 0


def test_the_newest_version_of_a_row_stays(machine: Callable[..., Machine]) -> None:
    one, two = filled(machine("one")), machine("two")
    two.bring_in(one.export())
    with one.store.write() as session:
        row = session.scalars(select(Drilled)).one()
        row.score, row.at = 0.9, NOW + timedelta(hours=1)  # its last question was answered again
    done = two.bring_in(one.export())
    assert (done.parts["drilled"].replaced, done.changes) == (1, 1)
    with two.store.read() as session:
        assert session.scalars(select(Drilled.score)).one() == 0.9
    older = filled(machine("three")).export()  # the same task of the same drill, under another id
    assert two.bring_in(older).parts["drilled"].kept == 1
    with two.store.read() as session:
        assert session.scalars(select(Drilled.score)).one() == 0.9


def test_what_was_suspended_later_and_reviewed_more_stays(machine: Callable[..., Machine]) -> None:
    one, two = machine("one"), machine("two")
    one.rate("kafka", 3, 0, "a")
    two.bring_in(one.export())
    one.rate("kafka", 3, 4, "b")
    done = two.bring_in(one.export())
    assert (done.parts["memory"].replaced, done.parts["reviews"].new) == (1, 1)
    assert two.rows("memory") == one.rows("memory")
    with one.store.read() as session:
        assert session.scalars(select(Memory.reps)).one() == 2


def test_a_drill_that_went_on_in_two_places_is_kept_twice(machine: Callable[..., Machine]) -> None:
    one, two = filled(machine("one")), machine("two")
    two.bring_in(one.export())
    longer = DRILL | {"rounds": [{"turns": [{"text": "x", "at": "2026-05-03T12:00:00+02:00"}]}]}
    other = DRILL | {"rounds": [{"turns": [{"text": "y", "at": "2026-05-03T09:45:00+00:00"}]}]}
    one.file("drills/20260503-abcdabcd.json", json.dumps(longer))
    mine = two.file("drills/20260503-abcdabcd.json", json.dumps(other))
    done = two.bring_in(one.export())
    assert done.parts["drills"].replaced == 1
    assert json.loads(mine.read_text()) == longer
    (beside,) = (p for p in mine.parent.glob("20260503-abcdabcd.*.txt") if "refused" not in p.name)
    assert json.loads(beside.read_text()) == other
    assert two.bring_in(one.export()).changes == 0


def test_lines_of_drills_are_put_in_the_order_of_their_times(machine: Callable[..., Machine]) -> None:
    one, two = machine("one"), machine("two")
    early, late = (
        {"point": "p", "learner": who, "at": f"2026-05-0{n}T09:00:00+00:00"} for n, who in ((1, "a"), (2, "b"))
    )
    one.file("drills/overrides.jsonl", json.dumps(early) + "\n")
    path = two.file("drills/overrides.jsonl", json.dumps(late) + '\n{"cut short')
    two.bring_in(one.export())
    assert [json.loads(line) for line in path.read_text().splitlines()[1:]] == [early, late]
    assert path.read_text().splitlines()[0] == '{"cut short'


def test_another_learner_of_the_same_database_can_bring_it_in(machine: Callable[..., Machine], study_url: str) -> None:
    ada = filled(machine("home", study_url, "ada"))
    bob = machine("home", study_url, "bob")
    given = ada.export()
    assert bob.bring_in(given).parts["entries"].new == 1
    assert bob.bring_in(given).changes == 0
    before = {name: ada.rows(name) for name in TABLES}
    assert all(len(bob.rows(name)) == 1 for name in TABLES)
    assert {name: ada.rows(name) for name in TABLES} == before


def broken(text: str, change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(text)
    change(document)
    return json.dumps(document).encode()


def test_what_was_said_last_of_setting_aside_counts_on_both_machines(
    machine: Callable[..., Machine], study_url: str
) -> None:
    one, other = machine("one"), machine("other", study_url)
    for ref in ("kafka", "kafka/p/a", "redis"):
        one.rate(ref, 3, 0, f"review:{ref}")
    other.bring_in(one.export())

    def aside(of: Machine, ref: str, out: bool, day: int) -> None:
        of.store.clock = lambda: NOW + timedelta(days=day)
        suspend(of.store, ref, out=out, retention=0.9, zone=ZONE)

    def out(of: Machine) -> set[str]:
        with of.store.read() as session:
            items = load_deck(session, of.learner, retention=0.9, zone=ZONE).items.values()
        return {item.ref for item in items if item.suspended}

    aside(one, "kafka", True, 1)
    done = other.bring_in(one.export())
    assert done.parts["memory"].replaced == 2 and out(other) == {"kafka", "kafka/p/a"}
    assert not other.bring_in(one.export()).changes, "a second time changes nothing"

    aside(other, "kafka", False, 2)  # later, on the other machine, while the first reviews it
    one.rate("kafka", 3, 3, "review:later")
    other.bring_in(one.export())
    one.bring_in(other.export())
    assert out(one) == out(other) == set()
    with other.store.read() as session:
        assert load_deck(session, "local", retention=0.9, zone=ZONE).items["kafka"].reps == 2

    aside(one, "redis", True, 4)
    other.rate("redis", 3, 5, "review:other")  # a review is no word on that
    one.bring_in(other.export())
    other.bring_in(one.export())
    assert out(one) == out(other) == {"redis"}


def test_what_was_set_aside_before_a_time_was_kept_stays_so(machine: Callable[..., Machine]) -> None:
    one, other = machine("one"), machine("other")
    one.rate("kafka", 3, 0, "review:1")
    other.bring_in(one.export())
    suspend(one.store, "kafka", out=True, retention=0.9, zone=ZONE)
    document = one.transfer.export()
    as_first_written(document)
    other.bring_in(read(dumped(document).encode(), "e.json"))
    with other.store.read() as session:
        assert load_deck(session, "local", retention=0.9, zone=ZONE).items["kafka"].suspended


def mended(document: dict[str, Any], name: str) -> None:
    kind = "files" if name in transfer.FOLDERS else "rows"
    document["parts"][name] = transfer._part(kind, document["parts"][name][kind])


def as_first_written(document: dict[str, Any]) -> None:
    """As the first schema had it: settings of the learner, no views, no conversations, no notes on cards."""
    document["schema"] = "0001"
    parts = document["parts"]
    for name in ("conversations", "turns", "card_notes"):
        parts.pop(name, None)
    for row in parts["learners"]["rows"]:
        row.update(zone="Europe/Berlin", minutes=45, retention=0.9)
    parts.pop("log-drafts")
    for row in parts["drilled"]["rows"]:
        del row["views"]
    for row in parts["memory"]["rows"]:
        del row["suspended_at"]
    for part in parts.values():
        content = part.get("rows", part.get("files"))
        part.update(count=len(content), sha256=transfer._checksum(content))


def test_an_export_of_the_first_version_can_be_brought_in(machine: Callable[..., Machine]) -> None:
    document = filled(machine("old")).transfer.export()
    as_first_written(document)
    new = machine("new")
    done = new.bring_in(read(json.dumps(document).encode(), "e.json"))
    assert done.parts["drilled"].new == done.parts["marks"].new == 1
    (row,) = new.rows("drilled")
    assert {} in row, "no view of a point was given then"


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (lambda d: d.update(version=2), StudyNewer, "newer version"),
        (lambda d: d.update(schema="9999"), StudyNewer, "newer version"),
        (lambda d: d.update(format="x"), SourceError, "no export of tutor"),
        (lambda d: d.update(version=None), SourceError, "head"),
        (lambda d: d["parts"].pop("marks"), SourceError, "marks"),
        (lambda d: d["parts"].update(odd={}), SourceError, "odd"),
        (lambda d: d["parts"]["marks"]["rows"].pop(), SourceError, "marks does not match its checksum"),
        (lambda d: d["parts"]["drills"]["files"].update(x="y"), SourceError, "drills does not match its checksum"),
        (lambda d: d["parts"].update(marks=[]), SourceError, "marks is not what it was"),
    ],
)
def test_what_is_newer_or_damaged_is_refused(
    change: Callable[[dict[str, Any]], Any], kind: type[Exception], says: str, machine: Callable[..., Machine]
) -> None:
    text = dumped(filled(machine("old")).transfer.export())
    with pytest.raises(kind, match=says) as caught:
        read(broken(text, change), "e.json")
    assert "othing was changed" in caught.value.fix or "makes one" in caught.value.fix  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        ("marks", {"at": "2026-05-03"}, "marks: row 1: at: the value is no time with a zone"),
        ("marks", {"at": "9999-12-31T23:59:59-20:00"}, "no time"),
        ("marks", {"card": "x" * 121}, "121 characters"),
        ("marks", {"note": "a\x00"}, "cannot be stored"),
        ("marks", {"note": "\ud800"}, "cannot be stored"),
        ("marks", {"note": None}, "no value"),
        ("marks", {"odd": 1}, "unknown field 'odd'"),
        ("drilled", {"score": float("nan")}, "no number"),
        ("drilled", {"task": 2**31}, "whole number"),
        ("drilled", {"task": True}, "whole number"),
        ("drilled", {"points": []}, "object"),
        ("plans", {"start": "4 May"}, "no date"),
        ("ticks", {"done": 1}, "true or false"),
    ],
)
def test_a_row_that_no_table_takes_is_refused(
    part: str, change: dict[str, Any], says: str, machine: Callable[..., Machine]
) -> None:
    def put(document: dict[str, Any]) -> None:
        document["parts"][part]["rows"][0].update(change)
        mended(document, part)

    with pytest.raises(SourceError, match=says):
        read(broken(dumped(filled(machine("old")).transfer.export()), put), "e.json")


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/x.json", "a/b.json", ".hidden.json", "x.py", "lock", "x.json\n"]
)
def test_a_file_that_would_lie_elsewhere_is_refused(name: str, machine: Callable[..., Machine]) -> None:
    def put(document: dict[str, Any]) -> None:
        document["parts"]["drills"]["files"][name] = "{}"
        mended(document, "drills")

    with pytest.raises(SourceError, match="no name of a file"):
        read(broken(dumped(filled(machine("old")).transfer.export()), put), "e.json")


def test_cut_short_anywhere_or_a_byte_changed_it_is_refused(machine: Callable[..., Machine]) -> None:
    data = dumped(filled(machine("old")).transfer.export()).encode()
    chance = random.Random(7)
    for end in [0, 1, len(data) - 3, *(chance.randrange(len(data) - 3) for _ in range(60))]:
        with pytest.raises(SourceError):
            read(data[:end], "e.json")
    accepted = 0
    for _ in range(200):
        at = chance.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << chance.randrange(7)
        try:
            found = read(bytes(changed), "e.json")
        except (SourceError, StudyNewer):
            continue
        assert found.tables == read(data, "e.json").tables  # a blank, or the day it was made
        accepted += 1
    assert accepted < 20


def test_an_import_that_fails_half_way_changes_nothing(
    machine: Callable[..., Machine], study_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, new = filled(machine("old")).export(), machine("new", study_url)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr("tutor.study.folders.write_whole", full)
        with pytest.raises(Exception, match="No space left"):
            new.bring_in(given)
    assert all(new.rows(name) == [] for name in TABLES)
    assert new.bring_in(given).parts["entries"].new == 1


def test_ten_thousand_entries(machine: Callable[..., Machine], study_url: str) -> None:
    one, two = machine("one"), machine("two", study_url)
    one.add(*(entry("local", f"e{n}", 1, f"entry {n} " * 20) for n in range(10_000)))
    assert two.bring_in(one.export()).parts["entries"].new == 10_000
    assert two.bring_in(one.export()).changes == 0
    with two.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 10_000
