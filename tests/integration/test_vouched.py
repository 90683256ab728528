"""Cards that a learner says they have mastered are tried after about a month, and fade like all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tutor.settings import Settings
from tutor.study.desk import Study
from tutor.study.marks import CardMark, store_marks
from tutor.study.reviews import Rated, rate, replay
from tutor.studying import open_study

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Place:
    """A learner's home with a clock that can be moved."""

    def __init__(self, home: Path) -> None:
        self.now = NOW
        self.study = open_study(Settings(home=home, study={"zone": "UTC"}), clock=lambda: self.now)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.study.close()


def due(study: Study, card: str) -> bool:
    return any(line.refs[:1] == (card,) and line.why.startswith("due") for line in study.today(720).lines)


def test_ones_own_word_is_tried_after_a_month_and_fades(place: Place) -> None:
    said = place.study.mark("caching", "mastered")
    assert (said.status, said.why) == ("mastered", "your own word") and said.due is not None
    assert timedelta(days=20) <= said.due - NOW <= timedelta(days=40)
    assert not due(place.study, "caching") and place.study.item("caching")
    place.now += timedelta(days=40)
    assert due(place.study, "caching") and ("caching", "2026") in {
        (card, str(day)[:4]) for (card, _), day in place.study.due_probes().items()
    }
    assert place.study.standing().cards["caching"].status == "mastered", "due is not yet forgotten"
    place.now = NOW + timedelta(days=720)
    faded = place.study.standing().cards["caching"]
    assert faded.status == "learning" and "recall has fallen to" in faded.why


def test_many_that_were_imported_do_not_come_back_on_one_day(place: Place) -> None:
    cards = list(place.study.outline.cards)[:100]
    store_marks(place.study.store, [CardMark(card, "mastered", n) for n, card in enumerate(cards, 1)])
    days = Counter(item.due.date() for item in place.study.standing().deck.items.values())
    assert sum(days.values()) == 100 and max(days.values()) <= 15
    again = {ref: item.due for ref, item in place.study.standing().deck.items.items()}
    assert again == {ref: item.due for ref, item in place.study.standing().deck.items.items()}


def test_a_word_that_is_taken_back_takes_its_review_with_it(place: Place) -> None:
    place.study.mark("caching", "mastered")
    place.now += timedelta(minutes=1)
    assert place.study.mark("caching", "not-started").due is None
    place.now += timedelta(days=60)
    assert not due(place.study, "caching")


def test_a_review_goes_on_from_the_word_and_is_replayed_to_the_same(place: Place) -> None:
    study = place.study
    study.mark("caching", "mastered")
    place.now += timedelta(days=35)
    went_on = study.review("caching", 3)
    assert went_on.due - place.now > timedelta(days=40), "a month was recalled"
    with study.store.write() as session:
        replay(session, "local", ["caching"], retention=0.9, zone=study.zone)
    assert study.item("caching") == went_on
    late = [Rated("caching", 3, NOW + timedelta(hours=1), "late:1")]
    rate(study.store, late, retention=0.9, zone=study.zone)
    found = study.item("caching")
    assert found and found.last == place.now and found.due - place.now > timedelta(days=40)


def test_what_is_reviewed_stays_due_on_its_day_and_fades_a_month_after_the_word(place: Place) -> None:
    study = place.study
    before = study.review("caching", 1)
    place.now += timedelta(days=400)  # long forgotten
    study.mark("caching", "mastered")
    assert study.item("caching") == before and due(study, "caching")
    assert study.standing().cards["caching"].status == "mastered", "the word is taken"
    place.now += timedelta(days=31)
    assert "recall has fallen to" in study.standing().cards["caching"].why


def test_it_can_be_set_aside_and_taken_back(place: Place) -> None:
    place.study.mark("caching", "mastered")
    assert [item.ref for item in place.study.suspend("caching")] == ["caching"]
    place.now += timedelta(days=60)
    assert not due(place.study, "caching")
    place.study.suspend("caching", False)
    assert due(place.study, "caching")
