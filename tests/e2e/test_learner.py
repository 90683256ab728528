"""A learner of 28 days, over HTTP, on both databases: plan, reviews, drills, log and readiness, as worked out by hand.

The clock is ours: every day is lived at 08:00 UTC (09:00 in Berlin; on 29 March, the last day, 10:00). What FSRS should
know of each card and point is computed beside it by the reference package, from the ratings that were sent.

Intervals by the reference, at a retention of 0.9 and in whole days (good first: 2 days; good after 2 days: 11; …):

    good, good                   stability 2.3065, 10.9643: due after 2, then 11 days
    again, good, good            0.212, 1.8868, 6.2692: due after 1, 2, then 6 days
    good, again, again, …        2.3065, 0.6076, 0.2188, …: due after 2 days, then each day; five lapses make a leech

From 11 days on an interval may be a day shorter or longer, where that day has less due (5% of 11 to 29 days is one).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from fsrs import Card, Rating
from starlette.testclient import TestClient

from drill_fakes import Shelf, corpus
from fakes import FakeEncoder, write_notes
from tutor.asking_again import ByReviews
from tutor.bootstrap import App
from tutor.drill.engine import Drills
from tutor.drill.grade import Grade, PointGrade, settle
from tutor.drill.rubric import Rubric
from tutor.drill.store import DrillStore
from tutor.logkeeping import open_log
from tutor.settings import Settings
from tutor.study.desk import Study
from tutor.study.log import LogBook
from tutor.study.schedule import scheduler
from tutor.studying import open_study
from tutor.web.app import create_app

FIRST = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday
API = "/api/v1/study"
GOOD, AGAIN, HARD = 3, 1, 2
DRILLS = "strong in drills on 2 days"


class Numbered:
    """Grades by the numbers of the points that an answer says: "points 1 3" covers the first and the third."""

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        said = {int(word) for word in answer.split() if word.isdecimal()}
        points = [
            PointGrade(point=p.id, status="covered" if number in said else "missed")
            for number, p in enumerate(rubric.points, 1)
        ]
        return settle(rubric, points, [], [], words=60)


class Home(App):
    """The application with our clock, and with a grader that we can predict."""

    now = FIRST

    def clock(self) -> datetime:
        return self.now

    @cached_property
    def study(self) -> Study:
        return open_study(self.settings, clock=self.clock)

    @cached_property
    def log(self) -> LogBook:
        return open_log(self.settings, clock=self.clock)

    @cached_property
    def drill_schedule(self) -> ByReviews:
        return ByReviews(lambda: open_study(self.settings, clock=self.clock))

    @cached_property
    def drills(self) -> Drills:
        grader: Any = Numbered()
        store = DrillStore(self.settings.home / "drills")
        return Drills(corpus(), self.encoder, grader, store, Shelf(), self.clock, self.drill_schedule)


class Learner:
    """Somebody who studies through the interface; ``known`` is what the reference makes of their ratings."""

    def __init__(self, home: Home, client: TestClient) -> None:
        self.home = home
        self.client = client
        self.known: dict[str, Card] = {}

    def day(self, number: int) -> None:
        self.home.now = FIRST + timedelta(days=number - 1)

    def get(self, path: str, **given: Any) -> Any:
        found = self.client.get(path if path.startswith("/api/") else API + path, params=given)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        found = self.client.post(path if path.startswith("/api/") else API + path, json=body)
        assert found.status_code in (200, 201), found.text
        return found.json()

    def rated(self, ref: str, rating: int) -> None:
        before = self.known.get(ref) or Card(card_id=0, due=self.home.now)
        self.known[ref], _ = scheduler(0.9).review_card(before, Rating(rating), self.home.now)

    def due(self) -> list[str]:
        found = self.get("/review", minutes=720)
        assert not found["more"]
        return [flash["ref"] for flash in found["flashes"]]

    def review(self, ref: str, rating: int = GOOD, *, sure: float | None = None) -> str:
        """The next date."""
        body = {"ref": ref, "rating": rating, "confidence": sure, "seconds": 30}
        self.rated(ref, rating)
        return str(self.post("/review", body)["due"])[:10]

    def review_all(self, **but: int) -> int:
        """Rate everything that is due good, but for those cards; how much that was."""
        refs = self.due()
        for ref in refs:
            self.review(ref, but.get(ref, GOOD), sure=80)
        return len(refs)

    def drill(self, card: str, probe: str, answer: str, own: int = 4) -> dict[str, Any]:
        """A drill on a question; what came of it."""
        ask = next(p.ask for p in corpus().cards[card].probes if p.id == probe)
        step = self.post("/api/v1/drills", {"card": card, "request": ask})
        while step["question"]:
            text = {"clarify": "", "answer": answer, "rate": str(own)}.get(step["state"], "skip")
            reply = {"question": step["question"]["id"], "answer": text}
            step = self.post(f"/api/v1/drills/{step['session']}/replies", reply)
        graded: dict[str, Any] = step["graded"]
        assert (graded["card"], graded["probe"]) == (card, probe)
        self.rated(card, {"strong": GOOD, "mixed": HARD, "weak": AGAIN, "wrong": AGAIN}[graded["verdict"]])
        for point in graded["points"]:
            self.rated(f"{card}/{probe}/{point['point']}", GOOD if point["status"] == "covered" else AGAIN)
        return {**graded, "session": step["session"]}

    def tick(self, *items: str) -> dict[str, Any]:
        found: dict[str, Any] = self.post("/plans/28-days/ticks", {"items": list(items)})["plan"]
        return found

    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/plans/28-days")
        return found

    def card(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/progress/{name}")
        return found

    def check_against_the_reference(self) -> None:
        """Everything that is kept is what the reference knows; due dates are moved by no more than the spread."""
        memory = {row["ref"]: row for row in self.get("/export", format="json")["parts"]["memory"]["rows"]}
        assert memory.keys() == self.known.keys()
        for ref, card in self.known.items():
            row = memory[ref]
            assert row["stability"] == pytest.approx(card.stability, rel=1e-9), ref
            assert row["difficulty"] == pytest.approx(card.difficulty, rel=1e-9), ref
            assert card.last_review and datetime.fromisoformat(row["at"]) == card.last_review, ref
            days = (card.due - card.last_review).days
            assert abs(datetime.fromisoformat(row["due"]) - card.due) <= timedelta(days=round(0.05 * days)), ref


@pytest.fixture
def learner(study_url: str, tmp_path: Path) -> Iterator[Learner]:
    settings = Settings(
        home=tmp_path / "home", study={"zone": "Europe/Berlin", "url": study_url}, corpus={"builtin": False}
    )
    home = Home(settings, encoder=FakeEncoder())
    home.ingest([write_notes(tmp_path / "notes")])  # what is drilled needs no index, but a server has one
    with TestClient(create_app(home), base_url="http://127.0.0.1") as client:
        yield Learner(home, client)
    home.close()


#: What is due in the morning of each study day; from day 3 on all of it is reviewed then, and rated good but for what
#: is said. K kafka, R redis, C caching, P replication, S sharding, L load-balancers; K/1 are the five points of
#: kafka's first question, K/2 the three of its second, R/ C/ P/ S/ the four of the others' first one.
DUE = {
    1: 0,  # K drilled, strong: K and K/1 on 3.  L rated good: on 3.
    2: 0,  # R drilled, weak: R and R/ on 3.
    3: 12,  # K, 5 K/1, R, 4 R/, L.  K and K/1: 11 days, over 13, 14 and 15, two each.  R, R/: on 5.  L again: on 4.
    4: 1,  # L, again: on 5.  K drilled on its second question, strong: 15 days, on 19.  K/2: on 6.
    5: 6,  # R, 4 R/, L.  R again: on 6.  R/: 6 days, on 11.  L again: on 6.  C checked: on 7.
    6: 5,  # R, 3 K/2, L.  R: on 8.  K/2: 11 days, spread over 16, 17 and 18.  L again: on 7.
    7: 2,  # C, L.  C: 11 days, on 18.  L again, the fifth lapse: on 8.
    8: 2,  # R, L; L is suspended.  R: 4 days, on 12.  P drilled, strong: P and P/ on 10.
    9: 0,  # S drilled, half of it; a third point is overridden: S and 3 S/ on 11, the last S/ on 10.
    12: 15,  # 4 R/, 5 of P, 5 of S, R; 10 and 11 were left out.  R: 7 days, on 19.  C drilled, weak: C and C/ on 13.
    13: 7,  # C, 4 C/, 2 K/1.  C: 3 days, on 16.  C/: on 15.
    14: 1,  # K/1.
    15: 7,  # 2 K/1, 4 C/, the S/ that was missed.  C/: 6 days, on 21.  S/: 9 days, on 24.
    16: 2,  # K/2, C.  C: 8 days, on 24.
    17: 1,  # K/2.
    18: 1,  # K/2.
    19: 2,  # K, R.  Both past the end: 61 and 13 days.
    20: 0,
    21: 4,  # C/.  K is rated again, though it is not due: in 3 days, on 24.
    22: 0,
    23: 0,
    24: 3,  # K, C, S/.
    25: 2,  # S and 3 S/ were rated on 12, for 14 days (25 to 27); P and P/ too, for 16 days (27 to 29): 2, 2, 2, 2, 1.
    26: 2,
    27: 2,
    28: 2,
}
#: At the end of a week: the plan's day, items done of 224 (8 a day), percent rounded down; days studied; seconds of
#: all reviews, 30 each; guesses and their Brier score; readiness of tier 1; weak points; what is mastered.
#:
#: Two days were left out, so from day 12 on the plan is two days behind the calendar.  Reviews: 27 until day 7 (1 +
#: 12 + 1 + 6 + 5 + 2), then 24 (1, as L is suspended, + 0 + 15 + 7 + 1), 18 (17 due, and K), 11.  Guesses are all but
#: the two reviews of L and K that were not in a round, with 80% sure, and 3 drills until day 7, 6 from day 12 on,
#: with 4 of 5, which is 75%.  Their squared errors: 0.04 for each that was known, 0.64 for the 6 that were forgotten
#: (L five times, R once); drills 0.0625 where strong, 0.5625 where nothing was known (R, C), 0 for S, which came to
#: 0.75:
#:   7: (20·0.04 + 6·0.64 + 0.6875) / 29    14: (44·0.04 + 6·0.64 + 1.3125) / 56
#:  21: (61·0.04 + 6·0.64 + 1.3125) / 73    28: (72·0.04 + 6·0.64 + 1.3125) / 84
#: Readiness from 5 of the 13 cards on, so not before day 12: (1·K + 0·R + 0·C + 1·P + 0.75·S) / 13 by the recall of
#: each:
#:  14: (0.927 + 0.983 + 0.75·0.980) / 13    21: (1 + 0.935 + 0.75·0.927) / 13    28: (0.938 + 1 + 0.75·0.995) / 13
#: Weak points: 4 R/; with 4 C/ and the S/ from day 12 on.
WEEKS = {
    7: ("day-07", 56, 25, 7, 810, 29, 0.1837, None, 4, {"kafka": DRILLS, "caching": "the mastery check"}),
    14: ("day-12", 96, 42, 12, 1530, 56, 0.1234, 20, 9, {"kafka": DRILLS}),
    21: ("day-19", 152, 67, 19, 2070, 73, 0.1040, 20, 9, {}),
    28: ("day-26", 208, 92, 26, 2400, 84, 0.0956, 21, 9, {"kafka": DRILLS}),
}  # fmt: skip


def what_they_do(me: Learner, day: int) -> None:
    """What a day has besides its reviews and its ticks."""
    if day == 1:
        assert me.post("/plans/28-days/start", {})["end"] == "2026-03-29"
        assert me.drill("kafka", "why-not-task-queue", "points 1 2 3 4 5")["verdict"] == "strong"
        assert me.review("load-balancers") == "2026-03-04"
    elif day == 2:
        assert me.drill("redis", "why-not-primary", "nothing of it")["verdict"] == "weak"
        below = [line["title"] for line in me.get("/today", minutes=240)["lines"] if "Redis went badly" in line["why"]]
        assert below == ["Caching", "Replication"], "what redis builds on"
    elif day == 4:
        assert me.drill("kafka", "kafka-vs-sqs", "points 1 2 3")["due"] == "2026-03-20"
        assert me.card("kafka")["why"] == DRILLS
    elif day == 5:
        assert me.post("/progress/caching/check", {"done": [True, True]})["due"][:10] == "2026-03-08"
        me.rated("caching", GOOD)
    elif day == 8:
        leech = me.get("/today", minutes=240)["lines"][0]
        assert leech["why"].startswith("forgotten 5 times") and leech["aside"] == "load-balancers"
        me.post("/review/suspended", {"ref": "load-balancers"})
        assert me.drill("replication", "why-not-all-sync", "points 1 2 3 4")["verdict"] == "strong"
    elif day == 9:
        half = me.drill("sharding", "why-not-one-node", "points 1 2")
        assert (half["verdict"], half["score"], half["due"]) == ("mixed", 0.5, "2026-03-11")
        point = half["points"][2]["point"]
        mine = {"task": 1, "point": point, "status": "covered"}
        said = me.post(f"/api/v1/drills/{half['session']}/overrides", mine)
        assert (said["verdict"], said["score"]) == ("strong", 0.75)
        for ref in ("sharding", f"sharding/why-not-one-node/{point}"):
            del me.known[ref]
            me.rated(ref, GOOD)
        assert me.card("sharding")["due"][:10] == "2026-03-12"
    elif day == 12:
        late = me.plan()["late"]
        assert [item.split("/")[0] for item in late] == ["day-10"] * 8 + ["day-11"] * 8
        shift = me.get("/plans/28-days/catch-up")["ways"][0]
        assert shift["why"] == "Everything that is open begins today; it ends 2 days later than now."
        plan = me.post("/plans/28-days/catch-up", {"way": "shift"})["plan"]
        assert (plan["now"], plan["end"], plan["late"]) == ("day-10", "2026-03-31", [])
        me.drill("caching", "why-not-cache", "nothing of it")
        assert me.card("caching")["why"] == "was mastered; a later drill was weak"
    elif day == 21:
        assert me.review("kafka", AGAIN) == "2026-03-25"
        assert me.card("kafka")["why"] == "was mastered; forgotten in a later review"


def tick_off(me: Learner, day: int) -> None:
    """All of the plan's day, but for one thing that is done a day later."""
    plan = me.plan()
    if day == 6:
        assert plan["late"] == ["day-05/problem"]
        me.tick("day-05/problem")
    step = next(stage for stage in plan["stages"] if stage["id"] == plan["now"])
    items = [item["id"] for item in step["items"]]
    assert len(items) == 8
    me.tick(*[item for item in items if item != "day-05/problem"])


def look_back(me: Learner, day: int) -> None:
    """The end of a week, against the table."""
    step, done, percent, studied, seconds, guesses, brier, ready, weak, mastered = WEEKS[day]
    me.check_against_the_reference()
    entry = me.post("/log", {"text": "I chose Kafka over a task queue, since two teams read the same events."})
    assert entry["item"] == f"28-days/{step}" and "kafka" in [card["id"] for card in entry["cards"]]
    plan, stats = me.plan(), me.get("/stats")
    assert (plan["now"], plan["done"], plan["items"], plan["percent"], plan["late"]) == (step, done, 224, percent, [])
    assert (stats["studied"]["days"], stats["studied"]["days_30"]) == (studied, studied)
    assert stats["studied"]["seconds"] == {"review": seconds}
    assert sum(spent for _, spent in stats["studied"]["phases"]) == seconds
    assert (stats["calibration"]["guesses"], stats["calibration"]["brier"]) == (guesses, brier)
    assert [tier["percent"] for tier in stats["readiness"]] == [ready, None, None]
    assert len(stats["weak_points"]) == weak
    cards = me.get("/progress")["cards"]
    assert {card["card"]: card["why"] for card in cards if card["status"] == "mastered"} == mastered


def test_28_days(learner: Learner) -> None:
    me = learner
    for day in DUE:
        me.day(day)
        assert (day, len(me.due())) == (day, DUE[day])
        what_they_do(me, day)
        if day > 2:
            me.review_all(**({"load-balancers": AGAIN} if day < 8 else {}), **({"redis": AGAIN} if day == 5 else {}))
        tick_off(me, day)
        if day in WEEKS:
            look_back(me, day)
    assert me.get("/review/suspended")[0]["ref"] == "load-balancers" and me.card("load-balancers")["suspended"]
    assert [row["days"] for row in (me.get("/log/digest", week=f"2026-W{week}") for week in range(10, 14))] == [1] * 4
    assert me.get("/log", q="kafka")["total"] == 4
    assert me.plan()["today"] == date(2026, 3, 29).isoformat(), "the day on which clocks change"
