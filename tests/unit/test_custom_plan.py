"""Plans for an interview: what fits, in order, worked out by hand and on the whole curriculum."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tutor.curriculum import builtin_corpus
from tutor.curriculum.outline import CardLine, Outline, ProbeLine, outline
from tutor.errors import UsageError
from tutor.study.agenda import minutes_of
from tutor.study.custom import (
    Custom,
    Group,
    Track,
    budget_of,
    choose,
    hours_for,
    in_hours,
    most_hours,
    track_of,
    tracks,
)
from tutor.study.pacing import Skips, skips_of, study_days

MONDAY = date(2026, 3, 2)


def card(name: str, tier: int, *below: str, probes: int = 4) -> CardLine:
    """A card of 3 minutes' reading: 2 × 3 + 6 for each probe, so 30 minutes with four."""
    asked = tuple(ProbeLine(f"p{n}", "why", "?", ()) for n in range(probes))
    return CardLine(name, name.title(), 1, "s", tier, "high", "deep", (), (), (), below, (), asked, (), 3)


SMALL = Outline(
    {
        one.id: one
        for one in (
            card("base", 2),
            card("quorum", 1, "base"),
            card("cache", 1),
            card("queue", 2, "cache"),
            card("stream", 3, "queue", "log"),
            card("log", 2, probes=9),
            card("poetry", 2),
        )
    },
    {},
    (),
    {},
)
TRACK = Track("t", "T", (Group("it is asked", ("queue", "quorum", "stream")),))


def made(hours: float, days: int, known: tuple[str, ...] = (), skips: Skips = Skips()) -> Custom:  # noqa: B008
    interview = MONDAY + timedelta(days=days)
    return choose(SMALL, start=MONDAY, interview=interview, track=TRACK, hours=hours, skips=skips, known=known)


def test_tier_1_comes_first_and_what_it_builds_on_before_it() -> None:
    # 5 hours for a week leave 240 minutes; all of it takes 30 × 5 and 60 for the log.
    found = made(5, 7)
    assert found.budget == 240 and found.minutes == 210 and found.days == 7
    assert [one.card for one in found.cards] == ["base", "quorum", "cache", "queue", "log", "stream"]
    assert found.cards[0].why == "comes before Quorum" and found.cards[1].why == "tier 1: it is asked"
    assert found.cards[2].why.startswith("tier 1: every track")
    assert found.left_out == () and found.holds_tier_1
    assert found.all_hours == 4.5  # 210 minutes are four fifths of 4.375 hours
    assert found.needed_hours == 2  # 90 of 1.875


def test_what_does_not_fit_is_left_out_with_its_reason() -> None:
    found = made(2.5, 7)  # 120 minutes
    assert [one.card for one in found.cards] == ["base", "quorum", "cache", "queue"]
    assert [(out.card, out.minutes, out.why) for out in found.left_out] == [
        ("stream", 90, "takes 1.5 h with 1 that it builds on; 0 min are left")
    ]


def test_what_is_known_takes_no_time() -> None:
    found = made(2, 7, known=("base", "log", "cache"))  # 96 minutes: quorum, queue, stream
    assert [one.card for one in found.cards] == ["quorum", "queue", "stream"]


def test_where_tier_1_does_not_fit_it_says_what_would() -> None:
    found = made(1, 7)  # 48 minutes; tier 1 takes 90
    assert not found.holds_tier_1 and [one.card for one in found.cards] == ["cache"]
    assert found.needed_hours == 2
    # 48 minutes a week are 90 after 13.125 days: the interview is on the 15th day.
    assert found.by == MONDAY + timedelta(days=14)
    assert made(2, 7).holds_tier_1 and made(1, 14).holds_tier_1


def test_days_off_leave_the_hours_of_a_week_to_the_others() -> None:
    weekdays = skips_of(["sat,sun"])
    assert made(5, 7, skips=weekdays).budget == 240
    assert made(5, 5, skips=weekdays).budget == 240  # Monday to Friday, interview on Saturday
    assert made(5, 5).budget == 171
    assert made(5, 7, skips=skips_of(["2026-03-04"])).budget == 205


@pytest.mark.parametrize(
    ("hours", "days", "what"),
    [
        (5, 0, "is the day the plan begins"),
        (5, -1, "in the past"),
        (5, 731, "two years"),
        (0, 7, "0 hours"),
        (-1, 7, "-1 hours"),
        (61, 7, "61 hours"),
        (float("nan"), 7, "nan hours"),
    ],
)
def test_what_no_plan_can_be_made_from_is_told(hours: float, days: int, what: str) -> None:
    with pytest.raises(UsageError, match=what) as told:
        made(hours, days)
    assert told.value.fix


def test_more_hours_than_the_days_have_are_told() -> None:
    with pytest.raises(UsageError, match="on each day") as told:
        made(21, 30, skips=skips_of(["mon,tue,wed,thu,fri"]))
    assert told.value.fix == "At most 20 with these days, or skip fewer."
    assert made(20, 30, skips=skips_of(["mon,tue,wed,thu,fri"])).cards


def test_no_day_to_study_on_is_told() -> None:
    with pytest.raises(UsageError, match="skipped"):
        made(5, 2, skips=skips_of(["2026-03-02..2026-03-03"]))


def test_an_interview_tomorrow_holds_a_card_or_says_so() -> None:
    assert [one.card for one in made(5, 1).cards] == ["cache"]  # 34 minutes
    assert made(4, 1).cards == ()  # 27 minutes


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outline:
    return outline(builtin_corpus(), tmp_path_factory.mktemp("outline") / "outline.json")


def test_tracks_name_cards_that_there_are_once_each_with_reasons(whole: Outline) -> None:
    assert list(tracks()) == ["backend", "data", "ml"]
    for track in tracks().values():
        cards = [name for group in track.groups for name in group.cards]
        assert set(cards) <= set(whole.cards)
        assert len(cards) == len(set(cards))
        assert all(len(group.why) > 30 for group in track.groups)
    assert track_of("ML/AI") is tracks()["ml"] and track_of(" Backend ") is tracks()["backend"]
    with pytest.raises(UsageError, match="no track"):
        track_of("frontend")


_WHOLE: list[Outline] = []


@given(
    st.sampled_from(["backend", "data", "ml"]),
    st.floats(0.5, 40),
    st.integers(1, 200),
    st.frozensets(st.integers(0, 6), max_size=5),
)
def test_a_plan_holds_its_promises(track: str, hours: float, days: int, weekdays: frozenset[int]) -> None:
    if not _WHOLE:
        _WHOLE.append(outline(builtin_corpus(), None))
    every, interview, skips = _WHOLE[0], MONDAY + timedelta(days=days), Skips(weekdays=weekdays)
    assume(study_days(MONDAY, interview - timedelta(days=1), skips))
    hours = min(hours, most_hours(skips))
    found = choose(every, start=MONDAY, interview=interview, track=track_of(track), hours=hours, skips=skips)
    cards = [one.card for one in found.cards]
    assert len(cards) == len(set(cards))
    assert found.minutes == sum(minutes_of(every.cards[name]) for name in cards) <= found.budget
    at = {name: number for number, name in enumerate(cards)}
    assert all(at[below] < at[name] for name in cards for below in every.cards[name].prerequisites)
    first = {name for name, line in every.cards.items() if line.tier == 1}
    assert found.holds_tier_1 is (first <= set(cards))
    assert not set(cards) & {out.card for out in found.left_out}


def test_minutes_in_words(tmp_path: Path) -> None:
    assert (in_hours(45), in_hours(90)) == ("45 min", "1.5 h")


@given(st.integers(1, 20_000), st.integers(7, 400), st.sets(st.integers(0, 6), max_size=5))
def test_hours_hold_what_they_are_said_to_hold_and_half_an_hour_less_does_not(
    minutes: int, days: int, weekdays: set[int]
) -> None:
    skips = Skips(weekdays=frozenset(weekdays))
    interview = MONDAY + timedelta(days=days)
    hours = hours_for(minutes, study_days(MONDAY, interview - timedelta(days=1), skips), skips)
    assert budget_of(MONDAY, interview, hours, skips) >= minutes > budget_of(MONDAY, interview, hours - 0.5, skips)


def test_a_minute_too_much_takes_more_hours() -> None:
    # 300 days at 8 hours a week, less a fifth: 16,457.14 minutes. A minute more is not held by the same hours.
    skips = Skips()
    assert budget_of(MONDAY, MONDAY + timedelta(days=300), 8, skips) == 16_457
    assert hours_for(16_457, 300, skips) == 8 and hours_for(16_458, 300, skips) == 8.5
