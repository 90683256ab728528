"""Today, Review and Plan as HTML: what works without scripts, what a wrong form keeps, what a replay does not do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from fakes import FakeEncoder
from tutor.bootstrap import App
from tutor.settings import Settings, StudySettings
from tutor.study.reviews import Rated
from tutor.studying import open_study, plans_of
from tutor.web.app import create_app

TODAY = datetime.now(UTC).date()
POINT = "kafka/why-not-task-queue/per-message-ack"


@pytest.fixture(scope="module")
def outline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The curriculum's outline, read once."""
    folder = tmp_path_factory.mktemp("outline")
    study = open_study(Settings(home=folder))
    assert study.outline.cards
    study.close()
    return folder / "cache" / "outline.json"


@pytest.fixture
def home(tmp_path: Path, outline: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_STUDY_ZONE", "UTC")
    (tmp_path / "cache").mkdir()
    shutil.copy(outline, tmp_path / "cache")
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """Without an index: studying needs none."""
    app = App(Settings(home=home, study=StudySettings(zone="UTC")), encoder=FakeEncoder())
    yield TestClient(create_app(app), headers={"accept": "text/html"}, follow_redirects=False)
    app.close()


def drilled(home: Path, days: int = 3, **other: Any) -> None:
    """An answer some days ago, of which a card and a point are due; ``other`` is what its row has instead."""
    row: dict[str, Any] = {
        "session": "20261101-00000001", "task": 1, "card": "kafka", "probe": "why-not-task-queue", "kind": "probe",
        "score": 0.1, "verdict": "wrong", "points": {"per-message-ack": "missed"}, "rating": 4, "seconds": 200.0,
        "at": (datetime.now(UTC) - timedelta(days=days)).isoformat(), **other,
    }  # fmt: skip
    (home / "drills").mkdir(parents=True)
    (home / "drills" / "results.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def begun(home: Path, plan: str, days: int, **how: Any) -> None:
    study = open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=days))
    plans_of(study).start(plan, **how)
    study.close()


def soup(client: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == status, response.text[:500]
    return BeautifulSoup(response.text, "html.parser")


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def fields(form: Tag) -> dict[str, Any]:
    """What a browser would send of a form, without its buttons but for the one that has the form's token."""
    found: dict[str, Any] = {str(b["name"]): str(b["value"]) for b in form.select("button[name=once]")}
    for field in form.select("input[name], textarea[name], select[name]"):
        name, kind = str(field["name"]), field.get("type")
        if kind in ("checkbox", "radio") and not field.has_attr("checked"):
            continue
        if field.name == "textarea":
            value: str = field.get_text()
        elif field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            value = str(chosen["value"]) if chosen else ""
        else:
            value = str(field.get("value", ""))
        found[name] = value
    return found


def text(tag: BeautifulSoup | Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def plain_page(page: BeautifulSoup) -> None:
    """Every page has one heading, and nothing that the policy would stop."""
    assert len(page.select("h1")) == 1
    assert not page.select("[style], style") and all(s.get("src") for s in page.select("script"))


# Today


def test_a_first_visit_offers_where_to_begin(client: TestClient) -> None:
    page = soup(client, "/today")
    plain_page(page)
    assert [a["href"] for a in page.select(".ways a")] == ["/plan", "/drill", "/"]
    assert len(page.select(".todo")) == 2
    assert one(page, ".todo a[href^='/documents/']") and one(page, ".todo a[href^='/drill?request=']")


def test_each_line_has_its_reason_and_where_it_is_done(client: TestClient, home: Path) -> None:
    drilled(home)
    begun(home, "28-days", 2)
    page = soup(client, "/today?minutes=200")
    assert not page.select(".welcome")
    drill = one(page, ".todo[data-kind=drill]")
    assert "Apache Kafka" in text(drill) and "last answer wrong" in text(drill) and "8 min" in text(drill)
    assert "request=" in str(one(drill, ".todo-go a")["href"])
    plan = one(page, ".todo[data-kind=plan]")
    assert "Next in your plan, 2 days late." in text(plan)
    assert one(plan, "a[href='/documents/day-01']") and one(plan, "a[href='/plan/28-days#day-01/notes']")
    assert one(plan, "button.tick[name=done][value='day-01/notes']")["aria-pressed"] == "false"
    assert one(page, "a[href='/review']") and "2 questions" in text(one(page, ".round"))
    assert one(page, "#left-out")


def test_a_tick_from_today_comes_back_to_it(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 0)
    page = soup(client, "/today?minutes=60")
    form = one(page, "form#ticks-28-days")
    sent = client.post(str(form["action"]), data={**fields(form), "done": "day-01/notes"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/today?minutes=60")
    done = one(soup(client, "/today"), ".done")
    assert "Ticked off Transformer Internals" in text(done)


def test_a_day_that_was_long_enough_says_so(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 0)
    client.post("/plan/28-days/tick", data={"done": "day-01"})
    page = soup(client, "/today")
    assert "That was today's time" in text(one(page, ".enough")) and "of 45 min" in text(one(page, ".enough"))


@pytest.mark.parametrize("minutes", ["0", "x", "721", "-5", "9" * 40, "<b>"])
def test_minutes_that_are_none_stay_in_their_box(client: TestClient, minutes: str) -> None:
    page = soup(client, f"/today?minutes={minutes}", 422)
    box = one(page, "#minutes")
    assert (box["value"], box["aria-invalid"]) == (minutes, "true")
    assert "From 1 to 720." in text(one(page, ".failed"))
    assert page.select(".todo")


def test_minutes_choose_what_fits(client: TestClient) -> None:
    assert len(soup(client, "/today?minutes=14").select(".todos")[0].select(".todo")) == 1
    assert one(soup(client, "/today?minutes=14"), "#minutes")["value"] == "14"


# Review


def reveal(client: TestClient, page: BeautifulSoup, **more: str) -> BeautifulSoup:
    data = {**fields(one(page, "form[data-reveal]")), **more}
    response = client.post("/review", data=data)
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def test_a_round_from_question_to_summary(client: TestClient, home: Path) -> None:
    drilled(home)
    page = soup(client, "/review")
    plain_page(page)
    assert "1 of 2" in text(one(page, ".head")) and not page.select(".answer")
    first = reveal(client, page, said="Work in my <b>own</b> words", confidence="80")
    assert "Work in my <b>own</b> words" in text(first) and "You were 80 % sure" in text(first)
    buttons = first.select("button[name=rating]")
    assert [b["value"] for b in buttons] == ["1", "2", "3", "4"]
    assert all(re.search(r"tomorrow|in \d+ days", text(b)) for b in buttons)
    data = fields(one(first, "form[data-rate]"))
    sent = client.post("/review", data={**data, "rating": "1"})
    assert sent.status_code == 303 and "began=" in sent.headers["location"]
    page = soup(client, sent.headers["location"])
    assert "2 of 2" in text(one(page, ".head"))
    second = reveal(client, page, unsure="1")
    assert "sure." not in text(one(second, ".answer"))
    sent = client.post("/review", data={**fields(one(second, "form[data-rate]")), "rating": "3"})
    end = soup(client, sent.headers["location"])
    assert "Done: 2 recalled" in text(end) and "You were 80 % sure on average, and 0 % was recalled." in text(end)
    assert one(end, "a[href='/drill?request=kafka']") and "Forgotten, and back tomorrow" in text(end)
    assert "2 recalled" in text(one(soup(client, "/today"), ".done"))


def test_a_rating_that_is_sent_twice_or_from_two_windows_counts_once(client: TestClient, home: Path) -> None:
    drilled(home)
    first = reveal(client, soup(client, "/review"))
    other = reveal(client, soup(client, "/review"))
    data = fields(one(first, "form[data-rate]"))
    again = [client.post("/review", data={**data, "rating": "3"}).headers["location"] for _ in range(2)]
    assert again[0] == again[1] and "late" not in again[0]
    stale = client.post("/review", data={**fields(one(other, "form[data-rate]")), "rating": "4"})
    told = soup(client, stale.headers["location"])
    assert "was rated in the meantime" in text(told) and "This rating was not stored." in text(told)
    assert "1 recalled" in text(one(soup(client, "/today"), ".done"))
    late = client.post("/review", data={**fields(one(other, "form[data-rate]"))})  # its answer is asked for again
    assert "was rated in the meantime" in late.text


def test_a_rating_that_is_none_keeps_what_was_typed(client: TestClient, home: Path) -> None:
    drilled(home)
    shown = reveal(client, soup(client, "/review"), said="kept", confidence="60")
    sent = client.post("/review", data={**fields(one(shown, "form[data-rate]")), "rating": "9"})
    assert sent.status_code == 422
    page = BeautifulSoup(sent.text, "html.parser")
    assert one(page, ".failed") and "kept" in text(page) and one(page, "input[name=confidence]")["value"] == "60"


def test_a_leech_is_told(client: TestClient, home: Path) -> None:
    study = open_study(Settings(home=home))
    now = datetime.now(UTC)
    rated = [(120, 3), (110, 1), (100, 3), (90, 1), (80, 3), (70, 1), (60, 3), (50, 1), (40, 3), (30, 1)]
    study.rate([Rated("caching", grade, now - timedelta(days=n), f"drill:x/{n}") for n, grade in rated])  # type: ignore[arg-type]
    study.close()
    line = client.get("/api/v1/study/today", headers={"accept": "*/*"}).json()["lines"][0]
    assert (line["aside"], line["kind"]) == ("caching", "read") and "plan" not in line
    shown = reveal(client, soup(client, "/review"))
    assert "Forgotten 5 times" in text(one(shown, ".leech")) and one(shown, ".leech a[href='/documents/caching']")


def test_nothing_due_says_what_comes(client: TestClient, home: Path) -> None:
    assert "once you have drilled them" in text(one(soup(client, "/review"), ".empty"))
    drilled(home, days=0)
    assert re.search(r"The next \d reviews are on \w{3} \d", text(one(soup(client, "/review"), ".empty")))


def test_a_round_of_one_card_and_so_many_minutes(client: TestClient, home: Path) -> None:
    drilled(home)
    page = soup(client, "/review?card=Apache%20Kafka&minutes=1")
    form = fields(one(page, "form[data-reveal]"))
    assert (form["card"], form["minutes"]) == ("Apache Kafka", "1") and "1 more is due" in text(page)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/review?card=nothing", 404),
        ("/review?minutes=0", 422),
        ("/review?minutes=x", 422),
        ("/review?began=x", 200),
        ("/review?began=9999999999", 200),
        ("/review?late=nothing", 200),
        ("/review?late=kafka", 404),
    ],
)
def test_a_review_by_a_wrong_address(client: TestClient, path: str, status: int) -> None:
    page = soup(client, path, status)
    assert bool(page.select(".failed")) is (status != 200)


def test_a_rating_of_nothing_is_refused(client: TestClient, home: Path) -> None:
    drilled(home)
    for data, status in (({}, 404), ({"ref": "zzz", "rating": "3", "seen": "x"}, 404), ({"ref": "redis"}, 404)):
        assert client.post("/review", data=data).status_code == status
    assert client.post("/review", data={"ref": "kafka"}).status_code == 200  # shown, not rated; the drill is taken in
    assert client.post("/review", data={"ref": "kafka", "rating": "3"}).status_code == 422  # which question?


# Plans


def test_the_plans_that_there_are(client: TestClient, home: Path) -> None:
    page = soup(client, "/plan")
    plain_page(page)
    names = [section["id"] for section in page.select("section.plan")]
    assert set(names) == {"28-days", "12-weeks", "judgment-roadmap", "technical-excellence", "custom"}
    assert len(page.select("details.start form")) == 4 and not page.select("#skip")
    begun(home, "28-days", 2)
    own = one(soup(client, "/plan"), "[id='28-days']")
    assert "16 late" in text(own) and "0 of 224 items" in text(own) and "Day 3" in text(own)
    assert one(own, "progress")["aria-label"] and one(own, "a[href='/plan/28-days#late']")


def test_starting_a_plan_with_dates_and_without_days(client: TestClient) -> None:
    form = one(soup(client, "/plan"), "#start-28-days form")
    data = {**fields(form), "weekday": ["sat", "sun"], "start": f"{TODAY + timedelta(days=1)}"}
    sent = client.post(str(form["action"]), data=data)
    assert (sent.status_code, sent.headers["location"]) == (303, "/plan/28-days?did=started")
    page = soup(client, sent.headers["location"])
    plain_page(page)
    assert "The plan has begun" in text(one(page, ".said")) and "Without study: Sat, Sun." in text(page)
    assert "It begins on" in text(page)
    again = client.post(str(form["action"]), data=data)  # a replay
    assert again.headers["location"] == sent.headers["location"]
    other = client.post(str(form["action"]), data={**data, "once": "another"})
    assert other.status_code == 422 and "Catching up lays it out anew" in other.text


def test_the_hours_that_one_has_give_the_pace(client: TestClient) -> None:
    page = soup(client, "/plan/12-weeks?speed=hours&hours=5")
    assert re.search(r"So it would end on \w{3} \d+ \w{3} \d{4}", text(page))
    form = one(page, "#begin form")
    sent = client.post(str(form["action"]), data=fields(form))
    found = client.get("/api/v1/study/plans/12-weeks", headers={"accept": "*/*"}).json()
    weeks = ((date.fromisoformat(found["end"]) - date.fromisoformat(found["start"])).days + 1) / 7
    assert sent.status_code == 303 and 4.8 < found["minutes_left"] / 60 / weeks < 5.2


@pytest.mark.parametrize(
    ("data", "says", "field"),
    [
        ({"start": "2020-01-01"}, "is in the past", "start"),
        ({"start": "soon"}, "is no date", "start"),
        ({"speed": "pace", "pace": "quick"}, "is no number", "pace"),
        ({"speed": "pace", "pace": "40"}, "out of range", "pace"),
        ({"speed": "pace", "pace": ""}, "the pace is missing", "pace"),
        ({"speed": "until", "until": f"{TODAY}"}, "An end on", ""),
        ({"speed": "hours", "hours": "0.1"}, "can do", "hours"),
        ({"speed": "hours", "hours": "nan"}, "out of range", "hours"),
        ({"weekday": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, "every weekday is skipped", ""),
        ({"skips": "<script>"}, "is no date", ""),
    ],
)
@pytest.mark.parametrize("back", ["list", ""])
def test_a_start_that_cannot_be_keeps_the_form(
    client: TestClient, data: dict[str, Any], says: str, field: str, back: str
) -> None:
    sent = client.post("/plan/28-days/start", data={"back": back, **data})
    assert sent.status_code == 422
    page = BeautifulSoup(sent.text, "html.parser")
    assert says.lower() in text(one(page, ".failed")).lower()
    form = one(page, "form[action='/plan/28-days/start']")
    kept = fields(form)
    assert all(kept[name] == value for name, value in data.items() if isinstance(value, str))
    assert len(form.select("input[name=weekday][checked]")) == len(data.get("weekday", ()))
    if field:
        assert one(form, f"[name={field}]")["aria-invalid"] == "true"
    if back:
        assert one(page, "#start-28-days").has_attr("open")
    assert not client.get("/api/v1/study/plans/28-days", headers={"accept": "*/*"}).json()["under_way"]


def test_a_plan_by_its_days(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 1)
    page = soup(client, "/plan/28-days")
    plain_page(page)
    assert [d["id"] for d in page.select("details.step[open]")] == ["step-day-02"]
    assert one(page, "[id=day-05]") and one(page, "[id=day-5]") and len(page.select(".strip a")) == 28
    assert one(page, ".strip a[aria-current=step]")["href"] == "#day-02"
    assert len(page.select("button.tick")) == 224
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert one(page, "a[download]")["href"] == "/api/v1/study/plans/28-days/calendar.ics"
    assert len(client.get("/plan/28-days").content) < 150_000


def test_ticking_taking_back_and_a_whole_day(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 0)
    for data, done in (({"done": "day-01/video"}, 1), ({"done": "day-01/video"}, 1), ({"done": "day-01"}, 8)):
        sent = client.post("/plan/28-days/tick", data=data)
        assert sent.status_code == 303 and sent.headers["location"].startswith("/plan/28-days")
        assert f"{done} of 224 items" in text(soup(client, "/plan/28-days"))
    client.post("/plan/28-days/tick", data={"undo": "day-01/video"})
    page = soup(client, "/plan/28-days")
    assert "7 of 224 items" in text(page)
    assert one(page, "button[value='day-01/video']")["name"] == "done"
    for data, status in (({}, 422), ({"done": "zzz"}, 404)):
        assert client.post("/plan/28-days/tick", data=data).status_code == status
    assert client.post("/plan/12-weeks/tick", data={"done": "x"}).status_code == 404


def test_catching_up_tells_what_it_costs_first(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 3)
    page = soup(client, "/plan/28-days")
    assert "24 items are late" in text(one(page, "#late"))
    options = page.select(".options > li")
    assert [text(one(o, "h3")) for o in options] == ["Shift", "Squeeze", "Drop"]
    assert "ends 3 days later" in text(options[0]) and "What is given up: 24" in text(options[2])
    form = one(options[0], "form")
    sent = client.post(str(form["action"]), data=fields(form))
    assert sent.headers["location"] == "/plan/28-days?did=caught-up"
    assert not soup(client, sent.headers["location"]).select("#late")
    assert client.post(str(form["action"]), data=fields(form)).status_code == 303  # a replay
    for way in ("shift", "fly"):
        assert client.post("/plan/28-days/catch-up", data={"way": way}).status_code == 422


def test_days_are_left_out_and_studied_on_after_all(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 0)
    first, last = TODAY + timedelta(days=3), TODAY + timedelta(days=5)
    end = client.get("/api/v1/study/plans/28-days", headers={"accept": "*/*"}).json()["end"]
    form = one(soup(client, "/plan"), "#skip form")
    sent = client.post(str(form["action"]), data={**fields(form), "first": f"{first}", "last": f"{last}"})
    assert sent.headers["location"] == "/plan?did=skipped"
    page = soup(client, "/plan/28-days")
    later = client.get("/api/v1/study/plans/28-days", headers={"accept": "*/*"}).json()["end"]
    assert (date.fromisoformat(later) - date.fromisoformat(end)).days == 3
    back = one(page, "#skip .list form")
    assert client.post("/plan/skip", data={**fields(back), "undo": "1"}).headers["location"].endswith("did=unskipped")
    assert client.get("/api/v1/study/plans/28-days", headers={"accept": "*/*"}).json()["end"] == end
    wrong = client.post("/plan/skip", data={"plan": "28-days", "first": "2020-01-01"})
    assert wrong.status_code == 422 and "For days that have gone by, catch up." in wrong.text
    assert client.post("/plan/skip", data={}).status_code == 422


def test_a_month_gathers_its_log(client: TestClient, home: Path) -> None:
    begun(home, "judgment-roadmap", 8)
    api = {"accept": "*/*"}
    wrote = {"text": "I chose RESP <script>alert(1)</script> over JSON because frames have lengths.", "item": "M1W1"}
    client.post("/api/v1/study/log", json={**wrote, "title": "RESP"}, headers=api)
    page = soup(client, "/plan/judgment-roadmap")
    log = one(page, ".written")
    assert "1 entry" in text(log) and one(log, "a[href^='/log/']").get_text() == "RESP"
    assert "Month 1" in text(one(page, "details.step[open] summary"))
    text_page = soup(client, str(one(log, "a[href*=capstone]")["href"]))
    assert "I chose RESP" in text(text_page)
    write = one(page, "[id='m1-w1/log'] a[href^='/log/new']")
    assert write["href"] == "/log/new?item=month%2F1%2Fweek%2F1"
    form = fields(one(soup(client, str(write["href"])), "form[method=post]"))
    assert form["item"] == "month/1/week/1"


def test_stopping_keeps_the_ticks(client: TestClient, home: Path) -> None:
    begun(home, "28-days", 0)
    client.post("/plan/28-days/tick", data={"done": "day-01/video"})
    form = one(soup(client, "/plan/28-days"), "#stop form")
    assert client.post(str(form["action"]), data=fields(form)).headers["location"] == "/plan?did=stopped"
    assert client.post(str(form["action"]), data=fields(form)).headers["location"] == "/plan?did=stopped"  # a replay
    page = soup(client, "/plan?did=stopped")
    assert "What was ticked off is kept" in text(one(page, ".said"))
    assert "1 tick from before" in text(one(page, "#start-28-days"))
    assert client.post("/plan/28-days/stop").status_code == 404


def test_a_plan_for_an_interview(client: TestClient) -> None:
    asked = f"/plan/interview?interview={TODAY + timedelta(days=30)}&track=backend"
    page = soup(client, f"{asked}&hours=8")
    plain_page(page)
    assert "Follow this plan" in text(page) and page.select(".list.items li")
    assert client.get("/api/v1/study/plans", headers={"accept": "*/*"}).json()["custom"] is None
    less = soup(client, f"{asked}&hours=1", 422)
    assert "tier 1 does not fit in" in text(one(less, ".failed"))
    assert "hours a week hold tier 1" in text(one(less, ".failed"))
    assert one(less, "#interview-hours")["value"] == "1" and one(less, "button[name=what_fits]")
    form = one(page, "form[method=post]")
    sent = client.post("/plan/interview", data=fields(form))
    assert sent.headers["location"] == "/plan/custom?did=started"
    own = soup(client, "/plan/custom")
    plain_page(own)
    assert text(one(own, "h1")).startswith("Your plan for ") and one(own, "[id=week-1]")
    assert one(own, "a[href^='/plan/interview?interview=']")
    refused = client.post("/plan/interview", data={**fields(form), "hours": "1", "once": "b"})
    assert refused.status_code == 422 and "Take what fits" in refused.text
    fits = client.post("/plan/interview", data={**fields(form), "hours": "1", "once": "c", "what_fits": "1"})
    assert fits.status_code == 303


def test_a_plan_for_an_interview_is_held_against_the_minutes_of_a_day(client: TestClient) -> None:
    asked = f"/plan/interview?interview={TODAY + timedelta(days=60)}&track=backend&hours="
    said = text(one(soup(client, f"{asked}14"), ".load"))
    assert said.startswith("About 2.0 h a study day, with reviews; Today has 45 min") and "5.2 a week would fit" in said
    assert soup(client, f"{asked}5.2").select(".load") == []  # what would fit does
    fewer = soup(client, f"{asked}5.2&weekday=sat&weekday=sun")  # the same hours on five days
    assert "About 1.1 h" in text(one(fewer, ".load")) and "3.7 a week would fit" in text(one(fewer, ".load"))
    client.post("/plan/interview", data=fields(one(soup(client, f"{asked}14"), "form[method=post]")))
    assert "Today has 45 min" in text(one(soup(client, "/plan/custom"), ".load"))  # as the plan's own page says it


@pytest.mark.parametrize(
    ("query", "says", "field"),
    [
        ("interview=&track=ml&hours=8", "day of the interview is missing", "interview"),
        ("interview=2020-01-01&track=ml&hours=8", "in the past", "interview"),
        (f"interview={TODAY}&track=ml&hours=8", "the day the plan begins", "interview"),
        ("interview=2099-01-01&track=ml&hours=8", "more than two years away", "interview"),
        (f"interview={TODAY + timedelta(days=9)}&track=sales&hours=8", "no track", "track"),
        (f"interview={TODAY + timedelta(days=9)}&track=ml&hours=99", "out of range", "hours"),
        (f"interview={TODAY + timedelta(days=9)}&track=ml&hours=", "hours a week are missing", "hours"),
        (f"interview={TODAY + timedelta(days=9)}&track=ml&hours=8&known=zzzz", "no card is called so", ""),
    ],
)
def test_an_interview_that_cannot_be_keeps_the_form(client: TestClient, query: str, says: str, field: str) -> None:
    response = client.get(f"/plan/interview?{query}")
    assert response.status_code in (404, 422)
    page = BeautifulSoup(response.text, "html.parser")
    assert says in text(one(page, ".failed")).lower() or says in text(one(page, ".failed"))
    kept = fields(one(page, "form[method=get]"))
    wanted = dict(part.split("=") for part in query.split("&"))
    assert all(kept[name] == value for name, value in wanted.items() if name != "track")
    if field:
        assert one(page, f"[name={field}][aria-invalid=true]")


def test_the_checklist_has_no_dates(client: TestClient, home: Path) -> None:
    assert not soup(client, "/plan/technical-excellence").select("[name=speed]")
    begun(home, "technical-excellence", 0)
    page = soup(client, "/plan/technical-excellence")
    plain_page(page)
    assert not page.select("a[download], #skip") and len(page.select(".strip a")) == 6


@pytest.mark.parametrize("path", ["/plan/nothing", "/plan/custom", "/plan/12-weeks/start", "/plan/%2e%2e"])
def test_a_plan_that_is_none(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (404, 405) and "Traceback" not in response.text


def test_a_store_that_cannot_be_read_is_told(home: Path) -> None:
    (home / "study.db").write_bytes(b"no database at all" * 100)
    app = App(Settings(home=home), encoder=FakeEncoder())
    client = TestClient(create_app(app), headers={"accept": "text/html"})
    for path in ("/today", "/review", "/plan", "/plan/28-days"):
        page = soup(client, path, 503)
        assert "damaged" in text(one(page, ".failed"))
    app.close()


# What the API answers is described


def test_every_answer_of_studying_is_described_and_nothing_of_it_is_lost(client: TestClient, home: Path) -> None:
    drilled(home)
    begun(home, "28-days", 2)
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        if not path.startswith("/api/v1/study/") or "/log" in path or path.endswith(("/export", "/import")):
            continue
        for method, operation in methods.items():
            code = next(code for code in operation["responses"] if code.startswith("2"))
            content = operation["responses"][code]["content"]
            schema = content.get("application/json", {}).get("schema", {})
            described = "$ref" in schema or "$ref" in schema.get("items", {})
            assert described or path.endswith(".ics"), f"{method} {path}"
    api = {"accept": "*/*"}
    today = client.get("/api/v1/study/today", params={"minutes": 300}, headers=api).json()
    planned = next(line for line in today["lines"] if line["kind"] == "plan")
    assert (planned["plan"], planned["item"]) == ("28-days", "day-01/notes")
    assert "plan" not in next(line for line in today["lines"] if line["kind"] == "drill")
    shown = client.get("/api/v1/study/plans/28-days", headers=api).json()
    assert "interview" not in shown and shown["stages"][0]["items"][0]["doc_id"] == "day-01"
    hours = client.post("/api/v1/study/plans/12-weeks/start", json={"hours": 5}, headers=api)
    assert hours.status_code == 201 and hours.json()["pace"] > 1
    undo = {"days": [f"{TODAY + timedelta(days=2)}"], "plan": "28-days"}
    client.post("/api/v1/study/plans/skip", json=undo, headers=api)
    back = client.post("/api/v1/study/plans/skip", json={**undo, "undo": True}, headers=api).json()
    assert back["plans"][0]["skips"] == []


@pytest.mark.parametrize(
    ("card", "probe", "kind", "title"),
    [
        ("hld-unique-id-generator", "requirements", "hld", "Unique ID generator"),
        ("estimation", "estimate-7", "estimate", "Back-of-the-envelope estimation"),
        ("hld-is-gone", "requirements", "hld", "Hld-is-gone"),
    ],
)
def test_what_was_drilled_today_is_called_by_its_title(
    client: TestClient, home: Path, card: str, probe: str, kind: str, title: str
) -> None:
    drilled(home, days=0, card=card, probe=probe, kind=kind, points={})
    assert text(one(soup(client, "/today"), ".done li a[href^='/drill/']")) == title


def test_an_entry_that_a_plan_asks_for_offers_to_tick_it_off(client: TestClient, home: Path) -> None:
    begun(home, "judgment-roadmap", 0)
    said = {"text": "I chose Kafka over a task queue.", "item": "month/1/week/1"}
    entry = client.post("/api/v1/study/log", json=said).json()["id"]
    form = one(soup(client, f"/log/{entry}"), "form[action='/plan/judgment-roadmap/tick']")
    value = str(one(form, "button[name=done]")["value"])
    assert value == "m1-w1/log"
    assert client.post(str(form["action"]), data={"done": value}).status_code == 303
    assert soup(client, f"/log/{entry}").select_one("form[action='/plan/judgment-roadmap/tick']") is None


def test_a_plan_says_what_it_takes_beside_what_today_has(client: TestClient, home: Path) -> None:
    before = text(one(soup(client, "/plan/28-days"), "#begin"))
    assert "with about 3.5 h on each study day; Today has 45 min" in before and "5.2 hours a week would fit" in before
    begun(home, "28-days", 0)
    assert "About 3.5 h a study day; Today has 45 min, so this plan falls behind." in text(
        soup(client, "/plan/28-days")
    )
