"""Catching up, whatever was done and however late it is: what is lost is said, and nothing is late after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tutor.curriculum import builtin_corpus
from tutor.curriculum.outline import Outline, outline
from tutor.study.catchup import MOST_A_DAY, options
from tutor.study.custom import choose, track_of
from tutor.study.pacing import Skips
from tutor.study.timetable import Taken, Timetable, timetable

AT = datetime(2026, 1, 1, tzinfo=UTC)
START = date(2026, 1, 1)


@cache
def whole() -> Outline:
    return outline(builtin_corpus(), None)


def taken(plan: str, skips: Skips) -> Taken:
    spec: dict[str, object] = {}
    if plan == "custom":
        made = choose(whole(), start=START, interview=date(2026, 3, 1), track=track_of("data"), hours=6, skips=skips)
        spec = {
            "interview": "2026-03-01",
            "track": "data",
            "hours": 6.0,
            "cards": [one.card for one in made.cards],
        }
    return Taken("id", plan, AT, START, 1.0, skips, spec)


@given(
    st.sampled_from(["28-days", "12-weeks", "judgment-roadmap", "custom"]),
    st.integers(1, 200),
    st.sets(st.integers(0, 223), max_size=120),
    st.builds(
        Skips,
        st.frozensets(st.dates(START, date(2026, 6, 1)), max_size=10),
        st.frozensets(st.integers(0, 6), max_size=4),
    ),
)
@settings(max_examples=60)
def test_after_catching_up_nothing_is_late_and_nothing_is_gone_unsaid(
    name: str, days: int, picked: set[int], skips: Skips
) -> None:
    one, today = taken(name, skips), START + timedelta(days=days)
    plan = whole().plans.get(name)

    def table(of: Taken, ticks: dict[str, datetime]) -> Timetable:
        return timetable(whole(), plan, of, ticks, today)

    ids = [entry.item.id for entry in table(one, {}).entries]
    ticks = {ids[n]: AT for n in picked if n < len(ids)}
    before = table(one, ticks)
    assume(before.late)
    found = options(whole(), plan, before)
    assert [option.way for option in found] == ["shift", "squeeze", "drop"]
    shift, squeeze, drop = found
    assert drop.taken or not drop.needed  # giving up is always possible
    assert all(option.needed or shift.taken for option in found)  # not needed: because to shift is enough
    assert not shift.taken or not squeeze.taken or (shift.end, shift.a_day) != (squeeze.end, squeeze.a_day)
    assert drop.lost or not drop.taken
    for option in found:
        if option.taken is None:
            assert option.why and not option.lost
            continue
        after = table(option.taken, ticks)
        assert {entry.item.id for entry in after.entries} == set(ids)
        assert after.late == [] and after.done == before.done
        assert not any(placed.beyond for placed in after.placed)
        assert {e.item.id for e in before.open} - {e.item.id for e in after.open} == {e.item.id for e in option.lost}
        assert all(skips.open(entry.due) and entry.due >= today for entry in after.open if entry.due)
        assert all(entry.due for entry in after.open)
        if option.way == "squeeze":
            assert after.end and before.end
            assert after.end <= (before.end if plan else date(2026, 2, 28))
            assert option.a_day <= MOST_A_DAY or plan is None
