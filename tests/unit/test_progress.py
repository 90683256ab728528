"""Where one stands with a card: what earns mastery, what takes it away, and what it is said to rest on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from study_fakes import NOW, answered, card, curriculum, deck, standing
from tutor.study.progress import FORGOTTEN_BELOW, Answered, Marked, Status, progress, share

OUTLINE = curriculum()


def mark(status: Status, why: str, days: float) -> Marked:
    return Marked("log", status, why, NOW - timedelta(days=days))


def of(
    *answers: Answered, marks: tuple[Marked, ...] = (), rated: tuple[tuple[str, int, float], ...] = ()
) -> tuple[str, str]:
    found = standing(OUTLINE, *answers, marks=marks, rated=rated)["log"]
    return found.status, found.why


def test_nothing_yet() -> None:
    assert of() == ("not-started", "nothing yet")
    assert of(answered("disk", "strong", 1)) == ("not-started", "nothing yet")


def test_an_answer_or_a_review_begins_a_card() -> None:
    assert of(answered("log", "mixed", 3)) == ("learning", "1 drill, 0 strong")
    assert of(rated=(("log/p1/a", 3, 2),)) == ("learning", "reviewed")


def test_strong_on_two_days_and_two_questions_is_mastery() -> None:
    two = (answered("log", "strong", 5), answered("log", "strong", 2, "p2"))
    assert of(*two) == ("mastered", "strong in drills on 2 days")
    assert standing(OUTLINE, *two)["log"].since == two[1].at


@pytest.mark.parametrize(
    "answers",
    [
        (answered("log", "strong", 5), answered("log", "strong", 2)),  # one question twice
        (answered("log", "strong", 5), answered("log", "strong", 4.99, "p2")),  # one day
        (answered("log", "strong", 5), answered("log", "weak", 4), answered("log", "strong", 2, "p2")),
        (answered("log", "mixed", 5), answered("log", "mixed", 2, "p2")),
    ],
)
def test_less_than_that_is_not(answers: tuple[Answered, ...]) -> None:
    assert of(*answers)[0] == "learning"


def test_a_card_with_one_question_is_mastered_by_it() -> None:
    outline = curriculum(card("log", probes=1))
    assert standing(outline, answered("log", "strong", 5), answered("log", "strong", 2))["log"].status == "mastered"


def test_days_are_the_learners() -> None:
    late = datetime(2026, 2, 20, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    two = [Answered("log", "p1", "strong", 0.9, late), Answered("log", "p2", "strong", 0.9, late + timedelta(hours=1))]
    assert standing(OUTLINE, *two)["log"].status == "mastered"


@pytest.mark.parametrize("verdict", ["weak", "wrong"])
def test_a_failed_drill_takes_earned_mastery_away_until_it_is_earned_anew(verdict: str) -> None:
    earned = (answered("log", "strong", 9), answered("log", "strong", 8, "p2"))
    assert of(*earned, answered("log", verdict, 5)) == ("learning", f"was mastered; a later drill was {verdict}")
    again = (*earned, answered("log", verdict, 5), answered("log", "strong", 4))
    assert of(*again)[0] == "learning"
    assert of(*again, answered("log", "strong", 3, "p2"))[0] == "mastered"


def test_a_mixed_drill_does_not() -> None:
    assert of(answered("log", "mixed", 2), marks=(mark("mastered", "check", 9),)) == ("mastered", "the mastery check")
    assert of(marks=(mark("learning", "check", 9),)) == ("learning", "not yet by the mastery check")


def test_a_failed_drill_takes_a_marked_mastery_away_and_an_earlier_one_does_not() -> None:
    checked = (mark("mastered", "check", 4),)
    assert of(answered("log", "wrong", 6), marks=checked) == ("mastered", "the mastery check")
    assert of(answered("log", "wrong", 2), marks=checked)[1] == "was mastered; a later drill was wrong"


def test_what_is_forgotten_in_a_review_is_mended_by_recalling_it() -> None:
    checked = (mark("mastered", "override", 9),)
    assert of(marks=checked, rated=(("log", 1, 2),)) == ("learning", "was mastered; forgotten in a later review")
    assert of(marks=checked, rated=(("log", 1, 2), ("log", 3, 1)))[0] == "mastered"
    assert of(marks=checked, rated=(("log", 1, 10),)) == ("mastered", "your own word")


def test_a_point_missed_since_counts_and_one_that_the_card_has_no_more_does_not() -> None:
    checked = (mark("mastered", "check", 9),)
    assert of(marks=checked, rated=(("log/p1/a", 1, 2),)) == ("learning", "was mastered; a point was missed since")
    assert of(marks=checked, rated=(("log/p1/a", 1, 3), ("log/p2/b", 1, 2)))[1].endswith("2 points were missed since")
    assert of(marks=checked, rated=(("log/p1/gone", 1, 2), ("disk/p1/a", 1, 2)))[0] == "mastered"


def test_a_point_missed_in_the_answer_that_earned_it_does_not() -> None:
    two = (answered("log", "strong", 5), answered("log", "strong", 2, "p2"))
    assert of(*two, rated=(("log/p2/b", 1, 2),))[0] == "mastered"


def test_mastery_fades_with_recall_but_not_with_what_was_forgotten_before() -> None:
    recall = deck(("log", 3, 60)).recall("log", NOW)
    assert recall < FORGOTTEN_BELOW
    told = f"was mastered; recall has fallen to {recall:.0%}"
    assert of(marks=(mark("mastered", "check", 60),), rated=(("log", 3, 60),)) == ("learning", told)
    assert of(marks=(mark("mastered", "override", 1),), rated=(("log", 3, 60),)) == ("mastered", "your own word")


def test_the_last_word_counts() -> None:
    marks = (mark("mastered", "override", 9), mark("learning", "override", 3))
    assert of(marks=marks) == ("learning", "your own word")
    assert of(marks=(mark("not-started", "override", 3),)) == ("not-started", "your own word")
    assert of(answered("log", "mixed", 1), marks=(mark("not-started", "override", 3),)) == (
        "learning",
        "1 drill, 0 strong",
    )


def test_a_word_against_earned_mastery_asks_for_new_evidence() -> None:
    earned = (answered("log", "strong", 9), answered("log", "strong", 8, "p2"))
    said = (mark("learning", "override", 5),)
    assert of(*earned, marks=said) == ("learning", "your own word")
    assert of(*earned, answered("log", "strong", 2), marks=said)[0] == "learning"
    assert of(*earned, answered("log", "strong", 2), answered("log", "strong", 1, "p2"), marks=said)[0] == "mastered"


@pytest.mark.parametrize("status", ["not-started", "learning"])
def test_an_import_takes_nothing_away(status: Status) -> None:
    imported = mark(status, "import", 1)
    assert of(marks=(mark("mastered", "check", 9), imported)) == ("mastered", "the mastery check")
    earned = (answered("log", "strong", 9), answered("log", "strong", 8, "p2"))
    assert of(*earned, marks=(imported,))[0] == "mastered"
    assert of(answered("log", "mixed", 5), marks=(imported,))[0] == "learning"
    assert of(marks=(mark("mastered", "import", 1),)) == ("mastered", "imported")


def test_points_lacking_are_those_of_the_last_answer_to_each_question() -> None:
    found = standing(
        OUTLINE,
        answered("log", "weak", 5, "p1", ("a", "b")),
        answered("log", "mixed", 3, "p1", ("b",)),
        answered("log", "weak", 4, "p2", ("a",)),
    )["log"]
    assert set(found.missed) == {"p1/b", "p2/a"}
    assert (found.drilled, found.strong) == (3, 0)


def test_shares_count_learning_half() -> None:
    found = standing(OUTLINE, answered("disk", "mixed", 1), marks=(mark("mastered", "check", 1),))
    one = share("some", ["disk", "log", "queue", "log", "gone"], found)
    assert (one.cards, one.learning, one.mastered, one.percent) == (3, 1, 1, 50)
    assert share("none", [], found).percent == 0


def test_cards_that_left_the_curriculum_are_not_shown() -> None:
    assert "gone" not in standing(OUTLINE, answered("gone", "strong", 1))
    assert list(progress(OUTLINE, (), (), deck(), {}, now=NOW, zone=NOW.astimezone().tzinfo)) == list(OUTLINE.cards)  # type: ignore[arg-type]
