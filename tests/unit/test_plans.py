"""Plans as they are followed, against dates and counts worked out by hand."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from tutor.curriculum import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.errors import NotFound, UsageError
from tutor.study.agenda import agenda
from tutor.study.catchup import Option
from tutor.study.links import item_of
from tutor.study.load import hours_of, load_told
from tutor.study.offers import of_cards, of_entry
from tutor.study.plans import Plans
from tutor.study.store import StudyStore
from tutor.study.timetable import Placed, Timetable
from tutor.study.windows import entries_of, of_month, of_step, of_week


class Clock:
    """Nine in the morning of a day that can be moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday

    def __call__(self) -> datetime:
        return self.now

    def to(self, day: date) -> None:
        self.now = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outline:
    return outline(builtin_corpus(), tmp_path_factory.mktemp("outline") / "outline.json")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plans(study_url: str, tmp_path: Path, whole: Outline, clock: Clock) -> Iterator[Plans]:
    store = StudyStore(tmp_path / "study.db", url=study_url, clock=clock)
    store.owner()
    yield Plans(lambda: store, lambda: whole, zone=ZoneInfo("Europe/Berlin"), clock=clock)
    store.close()


def placed(table: Timetable, stage: str) -> Placed:
    return next(one for one in table.placed if one.stage.id == stage)


def span(table: Timetable, stage: str) -> str:
    found = placed(table, stage).span
    assert found
    return f"{found.first:%d.%m.} {found.last:%d.%m.}"


def way(options: list[Option], name: str) -> Option:
    return next(option for option in options if option.way == name)


def test_28_days(plans: Plans) -> None:
    table = plans.start("28-days")
    assert [one.span.first for one in table.placed if one.span] == [
        date(2026, 3, 2) + timedelta(days=n) for n in range(28)
    ]
    assert table.end == date(2026, 3, 29)
    kinds = Counter(entry.item.kind for entry in table.entries)
    assert kinds == {
        "notes": 28, "video": 28, "reading": 84, "exercise": 28, "problem": 28, "reflection": 28,
    }  # fmt: skip
    third = placed(table, "day-03")
    assert [entry.item.id for entry in third.entries][1:5] == [
        "day-03/video", "day-03/reading-1", "day-03/reading-2", "day-03/reading-3",
    ]  # fmt: skip
    assert all(entry.item.title for entry in table.entries)
    assert third.entries[1].item.link.startswith("https://")


def test_twelve_weeks_are_twelve(plans: Plans, whole: Outline) -> None:
    table = plans.start("12-weeks")
    assert table.end == date(2026, 5, 24)  # 84 days
    assert span(table, "week-3") == "16.03. 22.03."
    assert span(table, "weeks-4-5") == "23.03. 05.04."
    assert span(table, "weeks-6-7") == "06.04. 19.04."
    assert span(table, "week-8") == "20.04. 26.04."
    assert span(table, "weeks-9-10") == "27.04. 10.05."
    # What stands before week 1 begins it, and weeks 1 and 2 share the rest of their days.
    assert span(table, "phase-0").startswith("02.03.") and span(table, "weeks-1-2").endswith("15.03.")
    assert span(table, "week-11").startswith("11.05.") and span(table, "weeks-11-12").endswith("24.05.")
    cards = [entry.item.card for entry in table.entries if entry.item.card]
    assert sorted(cards) == sorted(whole.cards)
    assert Counter(entry.item.kind for entry in table.entries) == {"card": 130, "practice": 5}
    dues = [entry.due for entry in table.entries if entry.item.card and entry.due]
    assert dues == sorted(dues) and len(dues) == 130
    assert placed(table, "week-3-practice").entries[0].due == date(2026, 3, 22)
    # None before one that it builds on.
    at = {card: number for number, card in enumerate(cards)}
    assert all(at[below] < at[card] for card in cards for below in whole.cards[card].prerequisites)


def test_six_months_have_parts_and_capstones(plans: Plans, clock: Clock) -> None:
    clock.to(date(2026, 1, 1))
    table = plans.start("judgment-roadmap")
    assert [span(table, f"m{n}") for n in range(1, 7)] == [
        "01.01. 31.01.", "01.02. 28.02.", "01.03. 31.03.", "01.04. 30.04.", "01.05. 31.05.", "01.06. 30.06.",
    ]  # fmt: skip
    assert [span(table, f"m1-w{n}") for n in range(1, 5)] == [
        "01.01. 07.01.", "08.01. 15.01.", "16.01. 23.01.", "24.01. 31.01.",
    ]  # fmt: skip
    assert len(table.entries) == 32  # 4, 4, 2 and 2 in month 1; 4 in each other
    assert [entry.item.id for entry in table.entries if entry.item.kind == "capstone"] == [
        "m1-w4/log", "m2/log", "m3/log", "m4/log", "m5/log", "m6/log",
    ]  # fmt: skip
    plans.done("judgment-roadmap", ["m1-w1", "m1-w2/build"])
    after = plans.of("judgment")
    assert after.step_percent("m1") == 100 * 5 // 12 and after.percent == 100 * 5 // 32
    assert [one.stage.id for one in of_month(after, 1)] == ["m1", "m1-w1", "m1-w2", "m1-w3", "m1-w4"]
    assert [one.stage.id for one in of_week(after, 2)] == ["m1-w2"]


def test_a_checklist_has_every_line_and_no_dates(plans: Plans) -> None:
    text = (builtin_corpus() / "plans" / "technical-excellence.plan.yaml").read_text(encoding="utf-8")

    def lines(steps: list[dict[str, object]]) -> list[str]:
        found: list[str] = []
        for step in steps:
            found += [str(line) for line in step.get("items", [])]  # type: ignore[attr-defined]
            found += lines(step.get("parts", []))  # type: ignore[arg-type]
        return found

    table = plans.start("technical-excellence")
    assert [entry.item.title for entry in table.entries] == lines(yaml.safe_load(text)["steps"])
    assert table.end is None and table.late == [] and table.current() is None
    first = placed(table, "courses").entries[0]
    assert first.item.id == "courses/mit-18-065-on-matrix-methods"
    plans.done("technical", ["courses/mit-18-065-on-matrix-methods", "books-mathematics"])
    after = plans.of("technical-excellence")
    assert after.step_percent("courses") == 100 // 8 and after.done == 6
    with pytest.raises(UsageError, match="order is free"):
        plans.ways("technical")
    with pytest.raises(UsageError, match="no pace"):
        plans.start("technical", pace=2)
    assert plans.next() == []


def test_every_item_has_a_name_of_its_own(whole: Outline) -> None:
    for plan in whole.plans.values():
        names = [item.id for stage in agenda(whole, plan) for item in stage.items]
        assert len(names) == len(set(names))
        assert all(len(name) <= 255 for name in names)


def test_ticks_count_and_can_be_taken_back(plans: Plans) -> None:
    plans.start("28-days")
    assert len(plans.done("28-days", ["day-01", "day-02/video"])) == 9
    assert plans.done("28-days", ["day-01/video"]) == []  # it was already
    assert (plans.of("28").done, plans.of("28").percent) == (9, 100 * 9 // 224)
    assert [e.item.id for e in plans.done("28-days", ["day-02/video", "day-03/video"], undo=True)] == ["day-02/video"]
    assert plans.of("28").done == 8
    plans.done("28-days", ["day-02/video"])
    assert plans.of("28").done == 9


def test_late_today_and_next_by_the_learners_day(plans: Plans, clock: Clock) -> None:
    plans.start("28-days")
    clock.now = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    assert {entry.item.id.split("/")[0] for entry in plans.of("28").late} == set()
    clock.now = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # half past midnight there
    assert {entry.item.id.split("/")[0] for entry in plans.of("28").late} == {"day-01"}
    found = plans.next()
    assert found[0].item == "day-01/notes" and found[0].late_days == 1
    plans.done("28", ["day-01"])
    assert [n.item for n in plans.next()][:2] == ["day-02/notes", "day-02/video"]
    current = plans.of("28").current()
    assert current and current.stage.id == "day-02"


def test_days_across_the_change_of_clocks_stay_days(plans: Plans, clock: Clock) -> None:
    clock.to(date(2026, 3, 27))
    table = plans.start("28-days")  # clocks go forward on 29 March
    assert [one.span.first.day for one in table.placed[:5] if one.span] == [27, 28, 29, 30, 31]


def test_skipping_moves_what_follows(plans: Plans) -> None:
    plans.start("28-days", skips=["sun"])
    plans.start("technical-excellence")
    assert plans.of("28").end == date(2026, 4, 2)  # 28 days but Sundays: four weeks of six, and four more
    moved = {after.taken.plan: (before.end, after.end) for before, after in plans.skip(["2026-03-04..2026-03-05"])}
    assert moved == {"28-days": (date(2026, 4, 2), date(2026, 4, 4)), "technical-excellence": (None, None)}
    assert [one.span.first.day for one in plans.of("28").placed[:3] if one.span] == [2, 3, 6]
    with pytest.raises(UsageError, match="in the past"):
        plans.skip(["2026-03-01"])


def behind(plans: Plans, clock: Clock) -> None:
    """Two days of four done, on the morning of the fifth."""
    plans.start("28-days")
    plans.done("28", ["day-01", "day-03"])
    clock.to(date(2026, 3, 6))


def test_shift_begins_what_is_open_today(plans: Plans, clock: Clock) -> None:
    behind(plans, clock)
    option = way(plans.ways("28"), "shift")
    # 26 days are open: 6 to 31 March.
    assert option.end == date(2026, 3, 31)
    _, table = plans.catch_up("28", "shift")
    assert table.end == date(2026, 3, 31) and table.late == [] and table.done == 16
    assert span(table, "day-02") == "06.03. 06.03." and span(table, "day-04") == "07.03. 07.03."
    assert table.taken.began == date(2026, 3, 2)
    assert placed(table, "day-01").span is None and placed(table, "day-01").entries[0].state == "done"


def test_squeeze_ends_as_planned(plans: Plans, clock: Clock) -> None:
    behind(plans, clock)
    option, table = plans.catch_up("28", "squeeze")
    assert option.end == table.end == date(2026, 3, 29) and table.late == []
    assert len({one.span.first for one in table.placed if one.span}) <= 24  # 26 days in 24
    assert option.a_day > 0
    with pytest.raises(UsageError, match="nothing is late"):
        plans.ways("28")


def test_squeeze_says_where_a_day_would_not_hold_it(plans: Plans, clock: Clock) -> None:
    plans.start("28-days")
    clock.to(date(2026, 3, 28))
    squeeze = way(plans.ways("28"), "squeeze")
    assert squeeze.taken is None and "h a day" in squeeze.why
    with pytest.raises(UsageError) as told:
        plans.catch_up("28", "squeeze")
    assert told.value.fix == "What would do: --shift, --drop."
    clock.to(date(2026, 4, 3))
    assert "over" in way(plans.ways("28"), "squeeze").why


def test_nothing_is_squeezed_that_ends_in_time_as_it_is(plans: Plans, clock: Clock) -> None:
    plans.start("28-days")
    plans.done("28", [f"day-{n:02}" for n in range(2, 29)])
    clock.to(date(2026, 3, 6))
    shift, squeeze, drop = plans.ways("28")
    assert shift.end == date(2026, 3, 6) and shift.taken and drop.taken
    assert squeeze.taken is None and not squeeze.needed
    assert squeeze.why == "To shift is enough: it ends no later than now."


def test_drop_gives_up_what_is_late_and_says_what_is_lost(plans: Plans, clock: Clock) -> None:
    behind(plans, clock)
    option, table = plans.catch_up("28", "drop")
    assert {entry.item.id.split("/")[0] for entry in option.lost} == {"day-02", "day-04"}
    lost = dict(option.cards)
    assert "batch-processing" not in lost  # day 12 comes to it again
    assert set(lost) == {"hld-framework"} and "ml-system-design" in lost["hld-framework"]
    assert table.end == date(2026, 3, 29) and table.late == [] and len(table.counted) == 208
    plans.done("28", ["day-04/video"])  # done all the same
    assert len(plans.of("28").counted) == 209


def test_a_week_plan_that_is_behind(plans: Plans, clock: Clock) -> None:
    plans.start("12-weeks", skips=["sat,sun"])
    assert plans.of("12").end == date(2026, 5, 22)  # the Friday of week 12
    clock.to(date(2026, 3, 16))
    late = plans.of("12").late
    assert {entry.stage for entry in late} == {"phase-0", "weeks-1-2"}
    _, table = plans.catch_up("12", "shift")
    assert table.end == date(2026, 6, 5) and table.late == []


def test_an_end_gives_a_pace(plans: Plans) -> None:
    table = plans.start("12-weeks", until=date(2026, 4, 12))
    assert table.end and date(2026, 4, 11) <= table.end <= date(2026, 4, 12)
    assert table.taken.pace == pytest.approx(0.5, abs=0.02)


def test_starting_stopping_and_starting_again(plans: Plans, clock: Clock) -> None:
    plans.start("28-days")
    plans.done("28", ["day-01"])
    with pytest.raises(UsageError, match="under way"):
        plans.start("28-days")
    assert plans.stop("28").done == 8
    with pytest.raises(NotFound, match="not under way"):
        plans.of("28-days")
    assert plans.start("28-days").done == 8  # nothing that was ticked is lost
    plans.stop("28")
    clock.now += timedelta(minutes=1)
    assert plans.start("28-days", afresh=True).done == 0


@pytest.mark.parametrize("clocks_back", [timedelta(0), timedelta(hours=-1)])
def test_the_last_word_counts_also_where_the_clock_went_back(
    plans: Plans, clock: Clock, clocks_back: timedelta
) -> None:
    plans.start("28-days")
    for n in range(5):
        clock.now += clocks_back if n == 1 else timedelta(0)
        plans.done("28", ["day-01/video"])
        assert plans.of("28").done == 1
        plans.done("28", ["day-01/video"], undo=True)
        assert plans.of("28").done == 0
    plans.stop("28")
    assert plans.under_way() == []


def test_bad_input_is_told(plans: Plans) -> None:
    with pytest.raises(UsageError, match="in the past"):
        plans.start("28-days", start=date(2026, 3, 1))
    with pytest.raises(NotFound, match="no plan") as told:
        plans.start("30-days")
    assert "28-days" in told.value.fix
    with pytest.raises(UsageError, match="exclude"):
        plans.start("28-days", pace=1, until=date(2026, 5, 1))
    with pytest.raises(UsageError, match="so quickly that is more") as quick:
        plans.start("28-days", until=date(2026, 3, 3))
    # Every day has 205 minutes and the reading of its notes, so 10 hours hold less than three of them.
    by = date.fromisoformat(quick.value.fix.rsplit(" ", 1)[1])
    assert date(2026, 3, 11) <= by <= date(2026, 3, 13)
    with pytest.raises(UsageError, match="so quickly that is more"):
        plans.start("28-days", until=by - timedelta(days=1))
    with pytest.raises(UsageError, match="so quickly that is more"):
        plans.start("28-days", pace=0.1)
    assert plans.start("28-days", until=by).end == by
    plans.stop("28-days")
    with pytest.raises(NotFound, match="made first"):
        plans.start("custom")
    assert plans.under_way() == []
    plans.start("28-days")
    with pytest.raises(NotFound, match="no item") as missing:
        plans.done("28", ["day-01/vidoe"])
    assert "day-01/video" in missing.value.fix
    with pytest.raises(UsageError, match="name of 28 items"):
        plans.done("28", ["exercise"])
    assert plans.of("28").done == 0


def own(plans: Plans, hours: float = 8, weeks: int = 6) -> Timetable:
    made = plans.choose(interview=plans.today + timedelta(weeks=weeks), track="backend", hours=hours)
    return plans.take_up(made)


def test_a_plan_for_an_interview_has_weeks_and_ends_before_it(plans: Plans, clock: Clock) -> None:
    table = own(plans)
    assert table.taken.spec["interview"] == "2026-04-13" and table.end and table.end <= date(2026, 4, 12)
    weeks = [one for one in table.placed if one.span]
    assert [one.stage.id for one in weeks] == [f"week-{n}" for n in range(1, len(weeks) + 1)]
    for week in weeks[:-1]:
        # 8 hours less a fifth; a card is in the week in which it ends.
        assert abs(sum(e.item.minutes for e in week.entries) - 384) <= 48
    assert weeks[0].span and weeks[0].span.first == date(2026, 3, 2) and weeks[0].span.last == date(2026, 3, 8)
    cards = [entry.item.id for entry in table.entries]
    assert cards[0] in ("caching", "replication") and len(cards) == len(set(cards))
    plans.done("custom", [cards[0], "week-2"])
    assert plans.of("custom").step_percent("week-2") == 100
    assert own(plans, hours=9).done == plans.of("custom").done  # made anew, ticks stay


def test_a_plan_for_an_interview_that_is_behind(plans: Plans, clock: Clock) -> None:
    table = own(plans)
    total = len(table.entries)
    plans.done("custom", ["week-1"])
    clock.to(date(2026, 3, 23))  # three weeks on
    found = plans.ways("custom")
    shift, squeeze, drop = (way(found, name) for name in ("shift", "squeeze", "drop"))
    assert shift.taken is None and "later interview" in shift.why
    assert squeeze.taken and squeeze.taken.spec["hours"] > 8 and squeeze.end and squeeze.end < date(2026, 4, 13)
    _, dropped = plans.catch_up("custom", "drop")
    assert dropped.late == [] and len(dropped.counted) == total - len(drop.lost)
    assert dropped.minutes_left <= 8 * 60 * 0.8 * 3  # three weeks are left
    assert dropped.end and dropped.end < date(2026, 4, 13)
    kept = [entry.item.id for entry in dropped.open]
    assert kept == [name for name in table.taken.spec["cards"] if name in kept]


def test_squeezing_a_plan_for_an_interview_takes_more_hours(plans: Plans, clock: Clock) -> None:
    table = own(plans)
    clock.to(date(2026, 3, 23))
    option, after = plans.catch_up("custom", "squeeze")
    assert after.late == [] and {e.item.id for e in after.open} == {e.item.id for e in table.entries}
    assert not any(placed.beyond for placed in after.placed) and option.end == after.end
    # Six weeks' work in three: twice the hours of what was needed.
    assert 12 <= after.taken.spec["hours"] <= 17


def test_skipped_days_may_leave_too_little(plans: Plans) -> None:
    own(plans)
    ((before, after),) = plans.skip(["2026-03-16..2026-04-05"])
    assert not any(placed.beyond for placed in before.placed)
    beyond = [entry for placed in after.placed if placed.beyond for entry in placed.entries]
    assert beyond and after.late == []
    assert way(plans.ways("custom"), "squeeze").taken


def test_what_still_fits_is_only_shifted(plans: Plans, clock: Clock) -> None:
    table = own(plans)
    first, *rest = [entry.item.id for entry in table.entries]
    plans.done("custom", rest[:-1])
    clock.to(date(2026, 3, 9))
    assert [entry.item.id for entry in plans.of("custom").late] == [first]
    found = plans.ways("custom")
    assert [option.way for option in found if option.taken] == ["shift"]
    squeeze, drop = way(found, "squeeze"), way(found, "drop")
    assert not squeeze.needed and squeeze.why == "To shift is enough: 8 hours a week hold all of it."
    assert not drop.needed and drop.lost == () and "nothing has to be given up" in drop.why
    with pytest.raises(UsageError, match="To shift is enough") as told:
        plans.catch_up("custom", "drop")
    assert told.value.fix == "What would do: --shift."


def test_that_nothing_fits_is_said(plans: Plans, clock: Clock) -> None:
    table = own(plans, weeks=6, hours=6)
    ids = [entry.item.id for entry in table.entries]
    clock.to(date(2026, 4, 12))  # a day is left, of 6 / 7 hours less a fifth: 41 minutes
    short = [entry.item.id for entry in table.entries if entry.item.minutes <= 41]
    plans.done("custom", short)
    assert 0 < len(ids) - len(short) == len(plans.of("custom").open)
    shift, squeeze, drop = plans.ways("custom")
    assert shift.taken is None and "until the interview there are 41 min for it" in shift.why
    assert squeeze.taken is None and "hours a week; at most 60 are planned for" in squeeze.why
    assert drop.taken and drop.end is None and len(drop.lost) == len(ids) - len(short)
    assert drop.why.startswith("Not even what comes first fits in before the interview: ")


def test_an_impossible_plan_says_what_would_fit(plans: Plans) -> None:
    soon = plans.today + timedelta(days=14)
    made = plans.choose(interview=soon, track="data", hours=2)
    with pytest.raises(UsageError, match="tier 1 does not fit in") as told:
        plans.take_up(made)
    assert plans.under_way() == []
    hours = float(told.value.fix.split(" ", 1)[0])
    assert plans.choose(interview=soon, track="data", hours=hours).holds_tier_1
    assert made.by and plans.choose(interview=made.by, track="data", hours=2).holds_tier_1
    assert not plans.choose(interview=made.by - timedelta(days=1), track="data", hours=2).holds_tier_1
    assert len(plans.take_up(made, what_fits=True).entries) == len(made.cards)
    with pytest.raises(UsageError, match="not enough for one"):
        plans.take_up(plans.choose(interview=plans.today + timedelta(days=1), track="ml", hours=1), what_fits=True)
    with pytest.raises(UsageError, match="in the past"):
        plans.choose(interview=plans.today - timedelta(days=1), track="ml", hours=8)
    with pytest.raises(NotFound):
        plans.choose(interview=soon, track="ml", hours=8, known=["no such card"])


def test_the_day_of_the_interview_ends_its_plan(plans: Plans, clock: Clock) -> None:
    own(plans, weeks=2)
    clock.to(date(2026, 3, 16))
    found = plans.ways("custom")
    assert [option.way for option in found if option.taken] == ["drop"]
    _, table = plans.catch_up("custom", "drop")
    assert table.open == [] and table.counted == []


def test_a_card_that_is_mastered_is_not_asked_for(plans: Plans) -> None:
    own(plans)
    first = plans.next()[0]
    assert first.cards and first.cards[0] not in [n.cards[0] for n in plans.next(first.cards)]


def test_hours_a_week_give_the_pace(plans: Plans) -> None:
    alone = plans.preview("12-weeks")
    weekly = alone.minutes_left / 60 / 12  # twelve weeks as it stands
    assert plans.preview("12-weeks", hours=weekly).taken.pace == pytest.approx(1, abs=0.002)
    half = plans.start("12-weeks", hours=weekly / 2)
    assert half.taken.pace == pytest.approx(2, abs=0.002)
    assert half.end is not None and (half.end - date(2026, 3, 2)).days + 1 == 24 * 7
    for hours in (0, 0.1, 61):
        with pytest.raises(UsageError, match="hours a week"):
            plans.preview("28-days", hours=hours)
    with pytest.raises(UsageError, match="a pace and hours exclude each other"):
        plans.preview("28-days", hours=8, pace=1)
    with pytest.raises(UsageError, match="order is free"):
        plans.preview("technical-excellence", hours=8)


def test_a_preview_has_the_dates_of_the_start_and_takes_nothing_up(plans: Plans) -> None:
    how = {"start": date(2026, 3, 9), "skips": ["sun"], "until": date(2026, 3, 30)}
    seen = plans.preview("28-days", **how)  # type: ignore[arg-type]
    assert not seen.taken.active and plans.under_way() == []
    begun = plans.start("28-days", **how)  # type: ignore[arg-type]
    assert [one.span for one in seen.placed] == [one.span for one in begun.placed]
    with pytest.raises(UsageError, match="in the past"):
        plans.preview("12-weeks", start=date(2026, 3, 1))


def test_days_that_were_left_out_are_studied_on_after_all(plans: Plans) -> None:
    table = plans.start("28-days", skips=["sun"])
    plans.skip(["2026-03-10..2026-03-12", "sat"], "28-days")
    [(before, after)] = plans.skip(["2026-03-11", "sat", "2026-04-01"], "28-days", undo=True)
    assert after.taken.skips.words == ["sun", "2026-03-10", "2026-03-12"]
    assert before.end is not None and after.end is not None and table.end is not None
    assert table.end < after.end < before.end
    plans.skip(["sun", "2026-03-10..2026-03-12"], undo=True)
    assert plans.of("28-days").end == date(2026, 3, 29)


def test_ticks_are_counted_under_way_or_not(plans: Plans) -> None:
    plans.start("28-days")
    plans.done("28-days", ["day-01"])
    plans.done("28-days", ["day-01/video"], undo=True)
    plans.stop("28-days")
    assert plans.ticked("28") == 7 and plans.ticked("12-weeks") == 0
    with pytest.raises(NotFound):
        plans.ticked("nothing")


def test_items_name_their_documents(plans: Plans) -> None:
    day = placed(plans.preview("28-days"), "day-03")
    assert [e.item.doc_id for e in day.entries if e.item.doc_id] == ["day-03"]
    week = placed(plans.preview("12-weeks"), "week-3")
    assert all(e.item.doc_id == e.item.card for e in week.entries)


def test_a_step_goes_by_all_its_names(plans: Plans) -> None:
    days, months = plans.start("28-days"), plans.start("judgment-roadmap")
    for name in ("day-05", "day-5", "Day 5", "28-days/day-05"):
        assert [one.stage.id for one in of_step(days, name)] == ["day-05"]
    for name in ("m1-w2", "month/1/week/2", "M1W2", "month 1 week 2"):
        assert [one.stage.id for one in of_step(months, name)] == ["m1-w2"]
    assert [e.item.id for e in entries_of(days, "day-5/exercise")] == ["day-05/exercise"]
    assert [e.item.id for e in entries_of(months, "month/1/week/2/log")] == ["m1-w2/log"]
    assert len(entries_of(days, "day-5")) == 8
    outline = plans._outline()
    for name in ("M1W2", "m1-w2", "judgment-roadmap/m1-w2", "month/1/week/2"):
        assert item_of(outline, name) == "month/1/week/2", "to the log it has one name"
    assert item_of(outline, "day-05") == "28-days/day-05"
    for name in ("day-29", "day", "", "5"):
        with pytest.raises(NotFound, match="no step"):
            of_step(days, name)


def test_what_two_change_at_once_is_all_kept(study_url: str, tmp_path: Path, whole: Outline, clock: Clock) -> None:
    """Each has a store of its own, as two processes have."""
    stores = [StudyStore(tmp_path / "study.db", url=study_url, clock=clock) for _ in range(6)]
    stores[0].owner()
    each = [
        Plans(lambda store=store: store, lambda: whole, zone=ZoneInfo("UTC"), clock=clock)  # type: ignore[misc]
        for store in stores
    ]
    each[0].start("28-days")
    days = [date(2026, 3, 5) + timedelta(days=n) for n in range(18)]
    ready = threading.Barrier(len(each))

    def skip(number: int) -> None:
        ready.wait(60)
        for day in days[number :: len(each)]:
            each[number].skip([day.isoformat()])

    with ThreadPoolExecutor(len(each)) as pool:
        list(pool.map(skip, range(len(each))))
    assert each[0].of("28-days").taken.skips.words == [day.isoformat() for day in days]
    for store in stores:
        store.close()


def known_plans(plans: Plans, whole: Outline, clock: Clock, *cards: str) -> Plans:
    """The same learner, with these cards mastered."""
    return Plans(plans._store, lambda: whole, zone=ZoneInfo("Europe/Berlin"), clock=clock, mastered=lambda: cards)


def test_a_card_that_is_mastered_counts_as_done(plans: Plans, whole: Outline, clock: Clock) -> None:
    table = own(plans)
    first, second = (entry.item.id for entry in table.entries[:2])
    clock.to(date(2026, 3, 9))
    assert {first, second} <= {entry.item.id for entry in plans.of("custom").late}
    knows = known_plans(plans, whole, clock, first)
    after = knows.of("custom")
    assert after.done == 1 and first not in {entry.item.id for entry in after.late}
    assert next((e.item.id, e.state, e.done) for e in after.entries) == (first, "done", None)
    assert first not in [step.item for step in knows.next()]
    _, dropped = knows.catch_up("custom", "drop")
    assert dropped.done == 1 and first not in knows.of("custom").taken.spec["dropped"]
    assert [changed.item.id for changed in knows.done("custom", [second])] == [second]
    weeks = plans.start("12-weeks")
    assert weeks.done == 0 and knows.of("12-weeks").done == 1
    ((before, skipped),) = knows.skip(["2026-03-12"], "12-weeks")
    assert (before.done, skipped.done) == (1, 1)


def test_a_plan_is_over_with_its_interview(plans: Plans, clock: Clock) -> None:
    table = own(plans, weeks=2)
    plans.done("custom", [table.entries[0].item.id])
    clock.to(date(2026, 3, 16))
    assert not plans.of("custom").over and plans.of("custom").late, "on the day itself it still stands"
    clock.to(date(2026, 4, 4))
    over = plans.of("custom")
    assert over.over and over.late == [] and over.a_day == 0 and over.done == 1
    (said,) = plans.next()
    assert said.item == "" and said.title == "Your plan for 2026-03-16"
    assert said.note.startswith(f"its interview is over, 1 of {len(table.entries)} done")
    with pytest.raises(UsageError, match="is over") as told:
        plans.ways("custom")
    assert "tutor plan stop custom" in told.value.fix
    plans.stop("custom")
    assert plans.next() == []


def test_what_a_plan_takes_a_day_is_told_beside_what_there_is(plans: Plans) -> None:
    table = plans.start("28-days")
    assert table.a_day == -(-table.minutes_left // 28) > 200
    told = load_told(table, 45)
    assert told.startswith(f"About {table.a_day / 60:.1f} h a study day, but tutor today has 45 min (study.minutes)")
    assert f"tutor today --minutes {table.a_day}" in told and "5.2 hours a week" in told
    slow = plans.preview("28-days", hours=5.2)
    assert slow.a_day <= 45 and load_told(slow, 45) == f"About {slow.a_day} min a study day; tutor today has 45 min."
    weekdays = plans.preview("28-days", skips=["sat", "sun"])
    assert hours_of(weekdays, 60) == 5.0
    mine = own(plans)
    assert 60 <= mine.a_day <= 69, "8 hours a week are 68.6 minutes a day, reviews and all"
    assert "with reviews, but tutor today has 45 min" in load_told(mine, 45)
    assert load_told(plans.preview("technical"), 45) == ""


def test_what_a_drill_or_an_entry_may_have_done_is_offered(plans: Plans, whole: Outline) -> None:
    own(plans)
    plans.start("judgment-roadmap")
    plans.start("28-days")
    tables = plans.under_way()
    (offer,) = of_cards(tables, {"caching"})
    assert (offer.title, offer.command) == ("Caching", "tutor plan done custom caching")
    for item in ("month/1/week/1", "judgment-roadmap/m1-w1"):
        assert [one.command for one in of_entry(whole, tables, item)] == ["tutor plan done judgment-roadmap m1-w1/log"]
    assert [one.item for one in of_entry(whole, tables, "28-days/day-03")] == ["day-03/reflection"]
    assert of_entry(whole, tables, "") == of_entry(whole, tables, "gone") == []
    plans.done("custom", ["caching"])
    plans.done("judgment", ["m1-w1/log"])
    tables = plans.under_way()
    assert of_cards(tables, {"caching"}) == of_entry(whole, tables, "month/1/week/1") == []
