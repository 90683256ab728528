"""A set that is chosen for the learner: full, in the order of what helps most, each question with its reason."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drill_fakes import AllSaid, Shelf, corpus
from fakes import FakeEncoder
from tutor.bootstrap import builtin_corpus
from tutor.curriculum.outline import outline
from tutor.drill.choosing import choices, start_chosen
from tutor.drill.engine import Drills
from tutor.drill.store import DrillStore
from tutor.drill.transcript import as_markdown, step_json
from tutor.errors import UsageError
from tutor.study.ahead import ahead
from tutor.study.pacing import Skips
from tutor.study.timetable import Taken, timetable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
PROBES = [(card.id, probe.id) for card in corpus().cards.values() for probe in card.probes]


def row(key: tuple[str, str], verdict: str, days: int, due: int = 9) -> dict[str, Any]:
    """A result of ``days`` ago that is due in ``due``."""
    at, again = NOW - timedelta(days=days), TODAY + timedelta(days=due)
    return {"card": key[0], "probe": key[1], "verdict": verdict, "at": at.isoformat(), "due": again.isoformat()}


def picked(count: int, due: Any = (), last: Any = (), plans: Any = ()) -> list[tuple[str, str, str]]:
    results = {(r["card"], r["probe"]): r for r in last}
    found = choices(corpus(), due, results, plans, count, today=TODAY, seed=1)
    return [(one.card.id, one.probe.id, one.why) for one in found]


def test_one_weak_point_is_filled_up_to_what_was_asked_for(tmp_path: Path) -> None:
    grader: Any = AllSaid()
    drills = Drills(corpus(), FakeEncoder(), grader, DrillStore(tmp_path), Shelf(), clock=lambda: NOW)
    session = drills.start("why not kafka")
    while session.pending:
        session = drills.reply(session.id, session.pending.id, "skip")
    assert len(drills.due_or_weak(due=False, weak=True)) == 1
    chosen = start_chosen(drills, 5, seed=1)
    assert len(chosen.tasks) == 5 and drills.store.load(chosen.id) == chosen
    assert (chosen.task.card, chosen.task.why) == ("kafka", "went badly on 21 November")
    assert {task.why for task in chosen.tasks[1:]} == {"new, tier 1"}
    assert step_json(drills, chosen)["why"] == chosen.task.why
    assert "Chosen for you: went badly on 21 November." in as_markdown(drills, chosen)


def test_due_comes_first_then_weak_then_the_plan_then_new() -> None:
    due, weak, wrong, good = PROBES[0], PROBES[10], PROBES[20], PROBES[30]
    planned = corpus().cards[PROBES[40][0]]
    last = [row(due, "strong", 400, -3), row(weak, "weak", 2), row(wrong, "wrong", 1), row(good, "strong", 3)]
    found = picked(6, [last[0]], last, [planned.id, "no-such-card"])
    assert found[:4] == [
        (*due, "due since 18 November"),
        (*wrong, "went wrong on 20 November"),
        (*weak, "went badly on 19 November"),
        (planned.id, planned.probes[0].id, "next in your plan"),
    ]
    tiers = [corpus().cards[card].tier for card, _, _ in found[4:]]
    assert tiers == [1, 1] and all(why == "new, tier 1" for _, _, why in found[4:])
    assert not {(card, probe) for card, probe, _ in found[4:]} & {due, weak, wrong, good}


def test_no_question_comes_twice_and_no_card_before_every_card_had_its_turn() -> None:
    card = next(card for card in corpus().cards.values() if len(card.probes) > 1)
    mine = [row((card.id, probe.id), "weak", 3, -1) for probe in card.probes]
    other = row(next(key for key in PROBES if key[0] != card.id), "weak", 1, 0)
    found = picked(3, [*mine, other], [*mine, other])
    assert [one[:2] for one in found] == [(card.id, mine[0]["probe"]), (other["card"], other["probe"]),
                                          (card.id, mine[1]["probe"])]  # fmt: skip
    assert [one[2] for one in found] == ["due since 20 November", "due today", "due since 20 November"]
    assert max(Counter(one[:2] for one in picked(50, mine, mine, [card.id])).values()) == 1


def test_who_was_asked_everything_is_asked_what_was_longest_ago() -> None:
    last = [row(key, "strong", 10) for key in PROBES]
    last[7] = row(PROBES[7], "strong", 400)
    assert picked(2, (), last)[0] == (*PROBES[7], "asked longest ago, on 17 October 2025")
    assert len(picked(2, (), last)) == 2


def test_a_plan_asks_for_the_next_question_of_a_card_that_was_not_asked() -> None:
    card = next(card for card in corpus().cards.values() if len(card.probes) > 2)
    last = [row((card.id, card.probes[0].id), "strong", 2), row((card.id, card.probes[1].id), "strong", 5)]
    assert picked(1, (), last, [card.id]) == [(card.id, card.probes[2].id, "next in your plan")]


@pytest.mark.parametrize("count", [0, 51])
def test_a_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="1 to 50"):
        picked(count)


@pytest.mark.parametrize("name", ["28-days", "12-weeks"])
def test_what_a_plan_comes_to_next(tmp_path: Path, name: str) -> None:
    found = outline(builtin_corpus(), tmp_path / "outline.json")
    taken = Taken("1", name, NOW, TODAY, 1.0, Skips(), {})
    table = timetable(found, found.plans[name], taken, {}, TODAY)
    cards = ahead([table])
    assert cards and len(cards) == len(set(cards))
    inside = {placed.stage.id: placed.stage.cards for placed in table.placed}
    first = next(entry for entry in table.open if entry.item.card or inside[entry.stage])
    assert cards[0] == (first.item.card or inside[first.stage][0])
