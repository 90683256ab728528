"""What answers show, by hand-checked small examples; and nothing where there is too little to say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from study_fakes import NOW, ZONE, card, curriculum, deck, graded, standing
from tutor.errors import SettingsError
from tutor.study.days import day_of, end_of, start_of, zone_of
from tutor.study.insights import by_kind, calibration, contradictions, forecast, readiness, studied, weak_points
from tutor.study.records import Guess, Spent
from tutor.study.rounds import flash_round

OUTLINE = curriculum()
UNTIL = end_of(day_of(NOW, ZONE), ZONE)


def test_weak_points_are_those_lacking_last() -> None:
    tasks = [
        graded("disk", "weak", 9, a="missed", b="missed"),
        graded("disk", "mixed", 5, a="missed", b="covered"),
        graded("log", "mixed", 4, a="contradicted"),
        graded("gone", "weak", 4, a="missed"),
        graded("log", "weak", 3, "p9", a="missed"),
    ]
    found = weak_points(OUTLINE, tasks)
    assert [(w.ref, w.asked, w.lacked) for w in found] == [("disk/p1/a", 2, 2), ("log/p1/a", 1, 1)]
    assert (found[0].title, found[0].text) == ("Disk", "disk 1 a")
    assert len(weak_points(OUTLINE, tasks, 1)) == 1


def test_kinds_of_question_with_too_few_to_say() -> None:
    tasks = [
        graded("disk", "strong", 9, score=0.9),
        graded("log", "weak", 8, score=0.2),
        graded("log", "wrong", 7, score=0.1),
        graded("log", "strong", 7, "p2", score=0.8),
        graded("", "mixed", 7, "estimate-7"),
        graded("log", "ungraded", 6),
    ]
    found = by_kind(OUTLINE, tasks)
    assert [(k.kind, k.answers, k.strong, k.failed, k.score) for k in found] == [
        ("why-not", 3, 1, 2, 0.4),
        ("how", 1, 1, 0, None),
        ("probe", 1, 0, 0, None),
    ]


def test_a_point_made_and_then_contradicted() -> None:
    tasks = [
        graded("disk", "strong", 9, a="covered"),
        graded("disk", "strong", 6, a="covered"),
        graded("disk", "wrong", 3, a="contradicted"),
        graded("log", "wrong", 5, a="contradicted"),
        graded("log", "strong", 2, a="covered"),
        graded("cache", "weak", 5, a="missed"),
        graded("cache", "strong", 2, a="covered"),
        graded("queue", "mixed", 5, a="prompted"),
        graded("queue", "wrong", 2, a="contradicted"),
    ]
    found = contradictions(OUTLINE, tasks)
    assert [(c.ref, c.mended) for c in found] == [("disk/p1/a", False), ("log/p1/a", True)]
    assert found[0].made.at == NOW - timedelta(days=6) and found[0].contradicted.at == NOW - timedelta(days=3)
    assert found[1].made.at > found[1].contradicted.at


def guesses(*pairs: tuple[float, float]) -> list[Guess]:
    return [Guess("disk", sure, came, NOW, f"review:{n}") for n, (sure, came) in enumerate(pairs)]


def test_brier_by_hand() -> None:
    found = calibration(guesses(*[(1.0, 1.0)] * 5, *[(0.8, 0.0)] * 5))
    assert found.brier == pytest.approx(0.32)  # (5 x 0 + 5 x 0.64) / 10
    assert found.unskilled == pytest.approx(0.25) and found.bias == pytest.approx(0.4)
    assert [(b.low, b.high, b.guesses, b.confidence, b.outcome) for b in found.curve] == [(0.8, 1.0, 10, 0.9, 0.5)]


def test_calibration_with_too_few_guesses_is_not_said() -> None:
    found = calibration(guesses((0.5, 1.0), (0.6, 0.0), (0.0, 0.0)))
    assert (found.guesses, found.brier, found.bias) == (3, None, None)
    assert [(b.low, b.guesses) for b in found.curve] == [(0.0, 1), (0.4, 1), (0.6, 1)]
    assert calibration([]).curve == ()


def test_readiness_by_hand() -> None:
    tasks = [
        graded("disk", "strong", 0, score=0.8, number=1),
        graded("disk", "strong", 0, "p2", score=0.6, number=2),
        graded("disk", "wrong", 5, score=0.0, number=3),  # answered better since
        graded("cache", "ungraded", 1),
    ]
    found = readiness(OUTLINE, standing(OUTLINE, rated=(("disk", 3, 0),)), tasks)
    tiers = [(r.tier, r.percent, r.cards, r.answered, r.answers) for r in found]
    assert tiers == [(1, 35, 2, 1, 3), (2, None, 2, 0, 0), (3, None, 1, 0, 0)]  # 0.7 of one card in two


def test_readiness_falls_with_recall() -> None:
    tasks = [graded("disk", "strong", 40, score=0.8), graded("log", "strong", 40, score=0.8)]
    rated = (("disk", 3, 40.0), ("log", 3, 40.0))
    recall = deck(*rated).recall("disk", NOW)
    assert readiness(OUTLINE, standing(OUTLINE, rated=rated), tasks)[0].percent == round(80 * recall)


def test_days_studied_are_the_learners_and_count_without_a_streak() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # 1 March in Berlin
    spent = [Spent(late, 600, "drill", "disk"), Spent(NOW - timedelta(days=10), 60, "review", "disk/p1/a")]
    found = studied([late, NOW, NOW - timedelta(days=29), NOW - timedelta(days=30)], spent, NOW, ZONE)
    assert (found.days, found.days_30) == (1, 3)
    assert found.seconds == {"drill": 600, "review": 60} and found.total_s == 660
    assert len(found.weeks) == 8 and found.weeks[-1] == (date(2026, 2, 23), 600)  # a Sunday: the week began on 23 Feb
    assert dict(found.weeks)[date(2026, 2, 16)] == 60


def test_what_is_due_on_the_next_days() -> None:
    known = deck(("disk", 1, 9), ("log", 1, 0.5), ("cache", 1, 0), ("queue", 3, 0), ("broker", 1, 0))
    known.suspend("broker", True)
    found = forecast(known.items.values(), NOW, ZONE)
    assert len(found) == 14 and found[0] == (date(2026, 3, 1), 2)  # overdue, and due tonight
    assert found[1] == (date(2026, 3, 2), 1) and sum(due for _, due in found) == 4


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # there is no midnight: clocks go from 0:00 to 1:00
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_it_is(zone: str, day: date, hours: float) -> None:
    at = ZoneInfo(zone)
    begin, end = start_of(day, at), end_of(day, at)
    assert (end - begin) / timedelta(hours=1) == hours
    assert day_of(begin, at) == day == day_of(end - timedelta(seconds=1), at)
    assert day_of(end, at) == day + timedelta(days=1) and day_of(begin - timedelta(seconds=1), at) < day


def test_the_machines_zone_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert zone_of("").key == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "nonsense")
    assert ZoneInfo(zone_of("").key)
    for wrong in ("Europa/Berlin", "../etc/passwd", "Europe", "/etc/localtime", "x" * 300):
        with pytest.raises(SettingsError, match="no time zone"):
            zone_of(wrong)


def test_a_round_asks_what_is_likeliest_forgotten_and_fits_the_minutes() -> None:
    known = deck(("disk/p1/a", 1, 9), ("disk/p1/b", 3, 9), ("log", 3, 9), ("gone", 1, 9), ("log/p9/a", 1, 9))
    found = flash_round(OUTLINE, known, UNTIL, minutes=60)
    assert found.flashes[0].ref == "disk/p1/a" and {f.ref for f in found.flashes} == {
        "disk/p1/a",
        "disk/p1/b",
        "log",
    }
    first = found.flashes[0]
    assert (first.ask, first.answer) == ("disk: question 1? And a of disk?", ("disk 1 a",))
    assert flash_round(OUTLINE, known, UNTIL, minutes=1).more == 2
    assert [f.ref for f in flash_round(OUTLINE, known, UNTIL, minutes=60, cards=("log",)).flashes] == ["log"]
    assert flash_round(OUTLINE, deck(("log", 3, 9)), UNTIL, minutes=1).flashes[0].ref == "log"  # at least one thing
    assert flash_round(OUTLINE, deck(), UNTIL, minutes=9) == type(found)((), 0)


def test_a_cards_questions_are_asked_in_turn_and_one_without_has_its_check() -> None:
    once = flash_round(OUTLINE, deck(("log", 3, 30)), UNTIL, minutes=9).flashes[0]
    twice = flash_round(OUTLINE, deck(("log", 1, 30), ("log", 1, 29)), UNTIL, minutes=9).flashes[0]
    assert {once.ask, twice.ask} == {"log: question 1?", "log: question 2?"}
    bare = curriculum(card("bare", probes=0))
    assert flash_round(bare, deck(("bare", 3, 30)), UNTIL, minutes=9).flashes[0].answer == (
        "Explain bare.",
        "Draw bare.",
    )
