"""What failed makes what it builds on due: in the day's list, the drills, the flash round and what is due by day."""

from __future__ import annotations

from datetime import timedelta

from study_fakes import NOW, ZONE, answered, curriculum, deck, standing
from tutor.study.below import pulled
from tutor.study.days import day_of, end_of
from tutor.study.evidence import Noted
from tutor.study.probes import due_probes
from tutor.study.progress import Answered
from tutor.study.schedule import Deck, Item
from tutor.study.standing import Kept, Standing, standing_of
from tutor.study.today import Today, today

OUTLINE = curriculum()
UNTIL = end_of(day_of(NOW, ZONE), ZONE)
Rating = tuple[str, int, float]


def last(*rated: Rating) -> dict[str, tuple[int, object]]:
    return {ref: (rating, NOW - timedelta(days=days)) for ref, rating, days in sorted(rated, key=lambda r: -r[2])}


def of(*rated: Rating, answers: tuple[Answered, ...] = ()) -> list[tuple[str, str]]:
    made = deck(*rated)
    found = pulled(OUTLINE, standing(OUTLINE, *answers, rated=rated), made, answers, last(*rated), NOW)  # type: ignore[arg-type]
    return [(one.card, one.why) for one in found]


def test_a_card_or_point_that_was_forgotten_in_a_review_pulls_up_what_it_builds_on() -> None:
    assert of(("queue", 1, 1)) == [("log", "Queue was forgotten and builds on it")]
    assert of(("queue", 3, 1), ("queue/p1/a", 1, 1)) == [("log", "Queue had a point forgotten and builds on it")]
    assert of(("queue", 1, 8)) == [], "that was more than a week ago"
    assert of(("queue", 3, 1)) == [] and of(("queue/p9/z", 1, 1)) == []
    assert of(("queue", 1, 2), ("log", 3, 1)) == [], "it was looked at since"


def test_the_latest_word_on_a_card_counts() -> None:
    mended = (answered("queue", "strong", 1),)
    assert of(("queue", 1, 2), answers=mended) == []
    assert of(("queue", 1, 0.5), answers=mended) == [("log", "Queue was forgotten and builds on it")]
    assert of(("queue", 1, 1), answers=(answered("queue", "wrong", 1),)) == [
        ("log", "Queue went wrong and builds on it")
    ]


def kept(*rated: Rating, aside: str = "") -> Standing:
    items = [Item(**{f: getattr(i, f) for f in Item.__slots__}) for i in deck(*rated).items.values()]
    made = Deck(items, retention=0.9, zone=ZONE)
    if aside:
        made.suspend(aside, True)
    marks: list[Noted] = []
    return standing_of(
        OUTLINE,
        Kept(list(made.items.values()), {}, marks, last(*rated)),
        now=NOW,
        retention=0.9,
        zone=ZONE,  # type: ignore[arg-type]
    )


def list_of(at: Standing) -> Today:
    return today(at.outline, at.cards, at.deck, at.answers, (), now=NOW, until=UNTIL, minutes=90, rated=at.rated)


def test_it_is_due_wherever_what_is_due_is_asked_for() -> None:
    at = kept(("log", 4, 5), ("queue", 1, 1))
    assert at.deck.items["log"].due > UNTIL and "log" in {i.ref for i in at.coming.due(UNTIL)}
    assert at.coming.items["log"].last == at.deck.items["log"].last, "nothing was reviewed by that"
    probes = due_probes(OUTLINE, at.deck, (), until=UNTIL, zone=ZONE, below=at.pulled)
    assert probes["log", "p1"] == day_of(NOW - timedelta(days=1), ZONE)
    (line,) = [line for line in list_of(at).lines if line.title == "Log"]
    assert (line.kind, line.why) == ("drill", "Queue was forgotten and builds on it")


def test_what_was_never_looked_at_is_to_be_read_and_can_be_drilled() -> None:
    at = kept(("queue", 1, 1))
    assert "log" not in at.coming.items
    assert ("log", "p1") in due_probes(OUTLINE, at.deck, (), until=UNTIL, zone=ZONE, below=at.pulled)
    assert ("read", "Log") in [(line.kind, line.title) for line in list_of(at).lines]


def test_what_is_set_aside_stays_so() -> None:
    assert kept(("log", 4, 5), ("queue", 1, 1), aside="log").pulled == []
    assert kept(("log", 4, 5), ("queue", 1, 1), aside="queue").pulled == []
