"""Notes on cards in the store: kept, never stored over unseen, taken along and brought in; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tutor.errors import Outdated, UsageError
from tutor.study import notes
from tutor.study.store import StudyStore
from tutor.study.transfer import Transfer, dumped, read

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)


class Machine:
    """A home with its store, and a clock that goes on by a minute at each look."""

    def __init__(self, home: Path, url: str = "", learner: str = "local") -> None:
        self.looks = 0
        self.make = lambda: StudyStore(home / "study.db", url=url, learner=learner, clock=self.clock)
        self.store = self.make()
        self.store.owner()
        self.transfer = Transfer(self.make, home, clock=self.clock, retention=0.9, zone=ZoneInfo("UTC"))

    def clock(self) -> datetime:
        self.looks += 1
        return NOW + timedelta(minutes=self.looks)

    def save(self, text: str, version: int = 0) -> notes.Note:
        return notes.save(self.store, "kafka", text, version)


@pytest.fixture
def machine(tmp_path: Path, study_url: str) -> Iterator[Machine]:
    made = Machine(tmp_path / "one", study_url)
    yield made
    made.store.close()


def test_a_note_is_kept_and_counts_its_changes(machine: Machine) -> None:
    assert notes.read(machine.store, "kafka") == notes.Note("kafka")
    first = machine.save("  ISR: *in sync*.\r\nSecond line \n")
    assert (first.text, first.version) == ("ISR: *in sync*.\nSecond line", 1)
    second = machine.save("Shorter", 1)
    assert second.version == 2 and first.at and second.at and second.at > first.at
    assert notes.read(machine.store, "kafka") == second
    assert notes.noted(machine.store) == {"kafka"}
    assert machine.save("", 2).version == 3
    assert notes.noted(machine.store) == frozenset()


def test_another_windows_note_is_not_stored_over(machine: Machine) -> None:
    machine.save("from the first window")
    with pytest.raises(Outdated, match="another window"):
        machine.save("from the second window", 0)
    assert notes.read(machine.store, "kafka").text == "from the first window"
    assert machine.save("from the first window", 0).version == 1  # the same text is no conflict


@pytest.mark.parametrize(("text", "version"), [("x" * (notes.MOST_CHARACTERS + 1), 0), ("fine", -1)])
def test_what_cannot_be_stored_is_refused(machine: Machine, text: str, version: int) -> None:
    with pytest.raises(UsageError):
        machine.save(text, version)
    assert notes.read(machine.store, "kafka").version == 0


def test_half_characters_and_nul_are_mended(machine: Machine) -> None:
    assert machine.save("a\x00b\ud800c").text == "ab\ufffdc"


def test_learners_do_not_see_each_others_notes(tmp_path: Path, study_url: str) -> None:
    one, other = Machine(tmp_path / "shared", study_url, "ann"), Machine(tmp_path / "shared", study_url, "bob")
    one.save("Ann's")
    assert other.save("Bob's").version == 1
    assert notes.read(one.store, "kafka").text == "Ann's"
    one.store.close()
    other.store.close()


def test_an_export_takes_notes_along_and_both_machines_texts_stay(machine: Machine, tmp_path: Path) -> None:
    machine.save("Partitions order by key.")
    other = Machine(tmp_path / "two")
    given = read(dumped(machine.transfer.export()).encode(), "export.json")
    assert other.transfer.bring_in(given).parts["card_notes"].new == 1
    assert notes.read(other.store, "kafka").text == "Partitions order by key."
    other.save("Share groups since 4.2.", 1)
    machine.save("Partitions order by key. Hot keys hurt.", 1)
    given = read(dumped(machine.transfer.export()).encode(), "export.json")
    assert other.transfer.bring_in(given).parts["card_notes"].replaced == 1
    merged = notes.read(other.store, "kafka")
    assert "Share groups since 4.2." in merged.text and "Hot keys hurt." in merged.text
    assert other.transfer.bring_in(given).changes == 0  # the same again changes nothing
    assert notes.read(other.store, "kafka") == merged
    other.store.close()


def test_the_readable_export_shows_notes(machine: Machine) -> None:
    machine.save("# Mine\nSee *ISR*.")
    text = machine.transfer.text("markdown")
    assert "## Notes on cards\n\n### kafka\n\n#### Mine\nSee *ISR*." in text
