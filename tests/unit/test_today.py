"""What to do today: in what order, why, and within the minutes there are."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from study_fakes import NOW, ZONE, answered, card, curriculum, deck, standing
from tutor.curriculum.outline import Outline
from tutor.study.days import day_of, end_of
from tutor.study.progress import Answered
from tutor.study.today import DRILL_MIN, Next, Today, today

OUTLINE = curriculum()
UNTIL = end_of(day_of(NOW, ZONE), ZONE)
REFS = [*OUTLINE.cards, *(f"{c.id}/{p.id}/{m.id}" for c in OUTLINE.cards.values() for p in c.probes for m in p.points)]
Rated = tuple[str, int, float]


def plan_step(title: str = "Day 1: disk", minutes: int = 20, late: int = 0, item: str = "day-1/read") -> Next:
    return Next("plan", title, item, ("disk",), minutes, late, "tutor plan show plan --step day-1")


def card_step(name: str, minutes: int, late: int = 0, plan: str = "plan") -> Next:
    return Next(plan, name.title(), name, (name,), minutes, late)


def of(
    *rated: Rated,
    answers: tuple[Answered, ...] = (),
    planned: tuple[Next, ...] = (),
    minutes: int = 60,
    outline: Outline = OUTLINE,
) -> Today:
    found = standing(outline, *answers, rated=rated)
    return today(outline, found, deck(*rated), answers, planned, now=NOW, until=UNTIL, minutes=minutes)


def told(found: Today) -> list[tuple[str, str]]:
    return [(line.kind, line.title) for line in found.lines]


def test_on_the_first_day_there_is_something_new_by_tier_and_what_comes_first() -> None:
    found = of()
    assert told(found) == [("read", "Disk"), ("read", "Cache")]  # log stands on disk
    assert found.lines[0].why == "new, tier 1; it builds on nothing"
    assert found.lines[0].minutes == 10 + DRILL_MIN
    assert found.lines[0].command == "tutor card disk"


def test_what_is_likeliest_forgotten_comes_first() -> None:
    found = of(("disk", 3, 10), ("log", 3, 40), ("cache", 3, 0), minutes=16)
    assert told(found)[0] == ("drill", "Log")
    assert found.lines[0].why.startswith("due for ") and "recall" in found.lines[0].why


def test_what_is_due_later_today_is_due_and_tomorrow_is_not() -> None:
    assert ("drill", "Disk") in told(of(("disk", 1, 0.9)))  # due in 2.4 hours
    assert ("drill", "Disk") not in told(of(("disk", 3, 0.1)))


def test_points_alone_are_reviewed_and_points_of_the_asked_question_go_with_the_drill() -> None:
    found = of(("disk/p1/a", 1, 3), ("disk/p2/b", 1, 3))
    assert found.lines[0].kind == "review" and found.lines[0].minutes == 2
    assert found.lines[0].why == "2 points are due"
    both = of(("disk", 1, 3), ("disk/p2/b", 1, 3), ("disk/p1/a", 1, 3), ("disk/p2/a", 1, 3), minutes=60)
    drill = next(line for line in both.lines if line.kind == "drill")
    assert drill.command == "tutor drill --card disk p2" and drill.refs == ("disk", "disk/p2/a", "disk/p2/b")
    assert "with 2 of its points" in drill.why
    review = next(line for line in both.lines if line.kind == "review")
    assert review.refs == ("disk/p1/a",)


def test_the_question_that_failed_last_is_asked_again_then_one_that_was_never_asked() -> None:
    failed = of(("disk", 1, 3), answers=(answered("disk", "weak", 3, "p2"),))
    assert failed.lines[0].command.endswith("disk p2") and "last answer weak" in failed.lines[0].why
    passed = of(("disk", 3, 9), answers=(answered("disk", "strong", 9, "p1"),))
    assert passed.lines[0].command.endswith("disk p2")
    both = of(("disk", 3, 9), answers=(answered("disk", "strong", 12, "p2"), answered("disk", "strong", 9, "p1")))
    assert both.lines[0].command.endswith("disk p2")


def test_what_a_failed_card_builds_on_is_pulled_up_for_a_week_and_until_it_was_looked_at() -> None:
    wrong = answered("queue", "wrong", 1)
    found = of(("queue", 1, 1), answers=(wrong,))
    assert ("read", "Log") in told(found)
    assert next(line.why for line in found.lines if line.title == "Log") == "Queue went wrong and builds on it"
    assert ("read", "Log") not in told(of(answers=(answered("queue", "wrong", 8),)))
    since = of(("log", 3, 0.5), answers=(wrong, answered("log", "mixed", 0.5)))
    assert "Log" not in [line.title for line in since.lines]
    begun = of(("log", 3, 1.5), answers=(answered("log", "mixed", 1.5), wrong))
    assert ("drill", "Log") in told(begun)
    lacking = of(("queue", 2, 1), answers=(answered("queue", "mixed", 1, missed=("a",)),))
    assert next(line.why for line in lacking.lines if line.title == "Log") == "Queue lacked a point and builds on it"
    mended = of(answers=(wrong, answered("queue", "mixed", 0.5)))
    assert "Log" not in [line.title for line in mended.lines]


def test_a_plan_comes_before_anything_new_and_late_is_told() -> None:
    found = of(planned=(plan_step(late=2),))
    assert told(found) == [("plan", "Day 1: disk")]
    assert found.lines[0].why == "next in your plan, 2 days late"
    assert found.lines[0].command == "tutor plan show plan --step day-1"
    assert found.lines[0].tick == "tutor plan done plan day-1/read"


def test_a_line_of_a_plan_says_how_it_is_done_and_ticked_off() -> None:
    written = Next("judgment-roadmap", "Week 1, log: Decide", "m1-w1/log", (), 20, command="tutor log")
    found = of(planned=(card_step("disk", 20), written), answers=(answered("disk", "strong", 1, "p1"),))
    disk, log = found.lines
    assert of(planned=(card_step("disk", 20),)).lines[0].command == "tutor card disk", "which is read first"
    assert (disk.command, disk.tick) == ("tutor drill --card disk p2", "tutor plan done plan disk")
    assert disk.why.endswith("your last answer to it was strong: tick it off if you know the rest")
    assert (log.command, log.tick) == ("tutor log", "tutor plan done judgment-roadmap m1-w1/log")


def test_a_plan_that_is_over_is_told_and_asks_for_nothing() -> None:
    over = Next("custom", "Your plan for 2026-02-10", "", (), 1, note="its interview is over")
    found = of(planned=(over,))
    first = found.lines[0]
    assert (first.kind, first.why, first.command) == ("plan", "its interview is over", "tutor plan stop custom")
    assert first.tick == "" and ("read", "Disk") in told(found)  # as for who follows no plan


def test_a_backlog_does_not_hold_up_the_plan() -> None:
    outline = curriculum(*(card(f"c{n}") for n in range(12)))
    backlog = tuple((f"c{n}", 3, 30.0) for n in range(12))
    found = of(*backlog, planned=(plan_step(minutes=15),), minutes=60, outline=outline)
    kinds = [line.kind for line in found.lines]
    assert kinds.count("drill") == 5 and kinds[-1] == "plan"  # 36 minutes for 4 drills, then the plan, then one more
    alone = of(*backlog, minutes=60, outline=outline)
    assert len(alone.lines) == 7 and alone.total == 56 and alone.left_out_min == 5 * 8


def test_a_step_longer_than_the_day_is_begun() -> None:
    found = of(planned=(plan_step(minutes=180),), minutes=45)
    assert [(line.kind, line.minutes) for line in found.lines] == [("plan", 45)]
    assert found.lines[0].why == (
        "next in your plan; about 180 min in all: begin it or go on with it, the rest comes tomorrow"
    )
    assert found.left_out == ()
    short = of(("disk", 3, 30), planned=(plan_step(minutes=180),), minutes=20)
    assert [(line.kind, line.minutes) for line in short.lines] == [("drill", 8), ("plan", 12)]
    assert [line.kind for line in of(("disk", 3, 30), planned=(plan_step(minutes=180),), minutes=10).lines] == ["drill"]


def test_the_first_step_that_does_not_fit_is_begun_and_none_after_it() -> None:
    steps = (plan_step("one", 20, 1), plan_step("two", 60, 1, "day-1/exercise"), plan_step("three", 5, 1, "day-1/end"))
    found = of(planned=steps, minutes=45)
    assert [(line.title, line.minutes) for line in found.lines] == [("one", 20), ("two", 25)]
    assert [line.title for line in found.left_out] == ["three"]


def test_nothing_overtakes_what_is_late_in_its_plan() -> None:
    late = (card_step("disk", 20, 2), card_step("cache", 60, 1), card_step("log", 5, 1))
    assert [line.title for line in of(planned=late, minutes=30).lines] == ["Disk"]  # 10 min begin nothing
    other = Next("other", "Week 1, topic: Talks", "talks", (), 10)
    assert [line.title for line in of(planned=(*late, other), minutes=30).lines] == ["Disk", "Week 1, topic: Talks"]
    early = (card_step("disk", 20), card_step("cache", 60), card_step("log", 5))
    assert [line.title for line in of(planned=early, minutes=30).lines] == ["Disk", "Log"]


def test_no_card_overtakes_what_it_builds_on() -> None:
    steps = (card_step("cache", 50), card_step("disk", 46), card_step("queue", 5), card_step("broker", 5))
    assert [line.title for line in of(planned=steps, minutes=60).lines] == ["Cache"]  # queue on log on disk
    free = (card_step("cache", 50), card_step("queue", 46), card_step("disk", 5), card_step("broker", 5))
    assert [line.title for line in of(planned=free, minutes=60).lines] == ["Cache", "Disk"]


def test_what_is_most_pressing_is_not_kept_waiting_by_a_plan() -> None:
    outline = curriculum(card("one"), card("two"))
    lapsed = [("one", rating, 100 - n) for n, rating in enumerate([3, *([1, 3] * 6)])]
    found = of(*lapsed, planned=(card_step("two", 180),), minutes=25, outline=outline)
    assert [(line.kind, line.minutes) for line in found.lines] == [("read", 18)]  # more than its share of 25


def test_a_day_with_too_little_time_has_a_first_thing_too() -> None:
    found = of(("disk", 3, 30), minutes=1)
    assert told(found) == [("drill", "Disk")] and found.total > found.minutes


def test_leeches_are_read_one_a_day_and_none_is_lost() -> None:
    outline = curriculum(card("one"), card("two"))
    lapsed = [(name, rating, 100 - n) for name in ("one", "two") for n, rating in enumerate([3, *([1, 3] * 6)])]
    found = of(*lapsed, minutes=200, outline=outline)
    assert [line.kind for line in found.lines] == ["read", "read"]
    assert "times: read it anew" in found.lines[0].why
    little = of(*lapsed, minutes=20, outline=outline)
    assert len(little.lines) == 1 and len(little.left_out) == 1


def test_what_left_the_curriculum_is_not_asked() -> None:
    assert of(("gone", 3, 30), ("gone/p1/a", 1, 30)) == of()
    lines = of(("disk/p9/a", 1, 30), ("disk/p1/gone", 1, 30)).lines
    assert [line.kind for line in lines] == ["read", "read"]


def test_a_card_without_questions_has_its_check() -> None:
    outline = curriculum(card("bare", probes=0))
    found = of(("bare", 3, 30), outline=outline)
    assert found.lines[0].kind == "read" and found.lines[0].command == "tutor card bare"


def test_nothing_to_do_is_an_empty_list() -> None:
    outline = curriculum(card("one"))
    assert of(("one", 3, 0.1), outline=outline) == Today((), (), 60)


@given(
    st.lists(st.tuples(st.sampled_from(REFS), st.sampled_from([1, 1, 2, 3, 4]), st.integers(0, 60)), max_size=40),
    st.integers(1, 300),
    st.lists(st.integers(5, 240), max_size=3),
)
def test_any_list_fits_has_reasons_and_loses_nothing(rated: list[Rated], minutes: int, steps: list[int]) -> None:
    planned = tuple(plan_step(f"step {n}", length) for n, length in enumerate(steps))
    found = of(*rated, planned=planned, minutes=minutes)
    assert found.total <= minutes or len(found.lines) == 1
    every = [*found.lines, *found.left_out]
    assert all(line.why and line.minutes >= 1 and line.command for line in every)
    assert len(set(every)) == len(every)
    due = {item.ref for item in deck(*rated).due(UNTIL)}
    assert due <= {ref for line in every for ref in line.refs}
    assert {step.title for step in planned} <= {line.title for line in every}
    assert found == of(*rated, planned=planned, minutes=minutes)


def test_the_end_of_the_day_is_the_learners() -> None:
    assert timedelta(hours=23) == end_of(day_of(NOW + timedelta(days=28), ZONE), ZONE) - end_of(
        day_of(NOW + timedelta(days=27), ZONE), ZONE
    )  # 29 March: clocks go forward
