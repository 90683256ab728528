"""Plans through the front ends: ``tutor plan`` and ``/api/v1/study/plans``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from icalendar import Calendar

from fakes import FakeEncoder
from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.settings import Settings
from tutor.studying import open_study, plans_of
from tutor.web.app import create_app

TODAY = datetime.now(UTC).date()
PATH = "/api/v1/study/plans"


@pytest.fixture
def home(study_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    monkeypatch.setenv("TUTOR_STUDY_URL", study_url)
    monkeypatch.setenv("TUTOR_STUDY_ZONE", "UTC")
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    app = App(
        Settings(home=home, study={"url": os.environ["TUTOR_STUDY_URL"]}), encoder=FakeEncoder()
    )  # no index: plans need none
    yield TestClient(create_app(app))
    app.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["plan", *arguments]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def in_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def begun_before(home: Path, days: int, plan: str = "28-days") -> None:
    """A plan that was taken up some days ago."""
    study = open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=days))
    plans_of(study).start(plan)
    study.close()


def test_a_plan_from_beginning_to_end(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys)
    assert all(name in listed for name in ("28-days", "12-weeks", "judgment-roadmap", "technical-excellence"))
    assert "Begin it: tutor plan start 28-days" in run(capsys, "show", "28-days")
    tomorrow = TODAY + timedelta(days=1)
    assert "Begins on" in run(capsys, "start", "28-days", "--from", tomorrow.isoformat())
    found = in_json(capsys, "show", "28", "--day", "3")
    assert found["start"] == tomorrow.isoformat() and [s["id"] for s in found["stages"]] == ["day-03"]
    assert found["stages"][0]["first"] == (TODAY + timedelta(days=3)).isoformat()
    assert "[x] day-01/video" in run(capsys, "done", "28-days", "day-01/video", "day-01/exercise")
    assert "12 %" in run(capsys, "undo", "28-days", "day-01/exercise")  # one of eight
    assert in_json(capsys, "done", "28-days", "day-02")["plan"]["done"] == 9
    before = in_json(capsys, "show", "28")["end"]
    moved = in_json(capsys, "skip", f"{tomorrow}")["plans"][0]["end"]
    assert date.fromisoformat(moved) - date.fromisoformat(before) == timedelta(days=1)
    row = next(row for row in in_json(capsys)["plans"] if row["id"] == "28-days")
    assert row["under_way"] and row["progress"]["percent"] == 100 * 9 // 224
    assert "9 of 224 done" in run(capsys, "stop", "28-days")
    assert "not under way" in run(capsys, "done", "28-days", "day-01", code=1)


def test_lines_fit_a_terminal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun_before(home, 3)
    for arguments in ([], ["show", "28"], ["show", "technical", "--all"], ["catch-up", "28"], ["start", "judgment"]):
        for line in run(capsys, *arguments).splitlines():
            assert len(line) <= 80 or "http" in line, line


def test_catching_up(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun_before(home, 3)
    assert "[!] day-01/notes" in run(capsys, "show", "28")
    said = run(capsys, "catch-up", "28")
    assert "24 items are late" in said and said.count("--") >= 3
    ways = in_json(capsys, "catch-up", "28")["ways"]
    assert [way["way"] for way in ways] == ["shift", "squeeze", "drop"] and all(way["possible"] for way in ways)
    assert "one way at a time" in run(capsys, "catch-up", "28", "--shift", "--drop", code=2)
    done = in_json(capsys, "catch-up", "28", "--shift")
    assert done["plan"]["late"] == [] and done["plan"]["end"] == (TODAY + timedelta(days=27)).isoformat()
    assert "nothing is late" in run(capsys, "catch-up", "28", code=2)


def test_what_is_late_is_in_todays_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun_before(home, 3)
    assert main(["today", "--minutes", "60", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert lines[0]["kind"] == "plan" and lines[0]["title"].startswith("Day 1, notes: ")
    assert "3 days late" in lines[0]["why"]


def test_a_plan_for_an_interview(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    when = (TODAY + timedelta(days=30)).isoformat()
    asked = ("custom", "--interview", when, "--track", "backend", "--hours")
    assert not in_json(capsys, *asked, "8", "--preview")["taken_up"]
    assert in_json(capsys)["custom"] is None
    assert "1. " in run(capsys, *asked, "8")
    assert in_json(capsys)["custom"]["title"] == f"Your plan for {when}"
    shown = in_json(capsys, "show", "custom")
    assert shown["interview"] == when and shown["hours"] == 8 and shown["why"]["caching"].startswith("tier 1")
    less = in_json(capsys, *asked, "8", "--know", "Redis", "--preview")
    assert "redis" not in [card["card"] for card in less["cards"]]
    assert "tier 1 does not fit" in run(capsys, *asked, "1", code=2)
    assert "--what-fits" in run(capsys, *asked, "1", code=2)
    assert in_json(capsys, *asked, "1", "--what-fits")["taken_up"]


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["start", "28-days", "--from", "2020-01-01"], "in the past", 2),
        (["start", "28-days", "--from", "soon"], "is no date", 2),
        (["start", "28-days", "--pace", "0"], "out of range", 2),
        (["start", "28-days", "--skip", "someday"], "is no date", 2),
        (["start", "28-days", "--until", f"{TODAY}"], "What would fit", 2),
        (["start", "nothing"], "no plan has this id", 1),
        (["show", "28-days", "--day", "29"], "no step is called", 1),
        (["show", "12-weeks", "--week", "13"], "there is no week 13. It has 12", 1),
        (["show", "judgment", "--month", "7"], "there is no month 7. It has 6", 1),
        (["show", "28-days", "--day", "1", "--week", "1"], "at a time", 2),
        (["done", "28-days", "day-01"], "not under way", 1),
        (["skip", "2030-01-01"], "no plan is under way", 1),
        (["stop", "12-weeks"], "not under way", 1),
        (["ics", "custom"], "not under way", 1),
        (["custom", "--interview", f"{TODAY}", "--track", "ml", "--hours", "8"], "the day the plan begins", 2),
        (["custom", "--interview", "2030-01-01", "--track", "sales", "--hours", "8"], "no track", 2),
        (["custom", "--interview", "2020-01-01", "--track", "ml", "--hours", "8"], "in the past", 2),
        (["custom", "--interview", f"{TODAY + timedelta(days=9)}", "--track", "ml", "--hours", "0"], "0 hours", 2),
    ],
)
def test_bad_input_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str, code: int
) -> None:
    said = run(capsys, *arguments, code=code)
    assert says in said and said.startswith("tutor: ") and "Traceback" not in said


def test_a_calendar_file_is_read_back(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "plan.ics"
    run(capsys, "start", "28-days", "--skip", "sun")
    run(capsys, "done", "28-days", "day-01/video")
    run(capsys, "ics", "28-days", "--out", str(out))
    events = list(Calendar.from_ical(out.read_bytes()).walk("VEVENT"))
    steps = in_json(capsys, "show", "28-days")["steps"]
    assert [event.decoded("dtstart").isoformat() for event in events] == [step["first"] for step in steps]
    assert all(event.decoded("dtend") - event.decoded("dtstart") == timedelta(days=1) for event in events)
    assert len({str(event["uid"]) for event in events}) == 28
    assert str(events[2]["summary"]) == "Day 3: Gradient boosted trees"
    assert "[x] 3Blue1Brown" in str(events[0]["description"]) and "[ ] " in str(events[0]["description"])
    assert all(len(line) <= 75 for line in out.read_bytes().split(b"\r\n"))
    run(capsys, "start", "technical-excellence")
    assert "no dates" in run(capsys, "ics", "technical", code=2)


def test_plans_over_http(client: TestClient, home: Path) -> None:
    listed = client.get(PATH).json()
    assert {row["id"] for row in listed["plans"]} >= {"28-days", "12-weeks"} and len(listed["tracks"]) == 3
    preview = client.get(f"{PATH}/28-days").json()
    assert not preview["under_way"] and preview["items"] == 224
    started = client.post(f"{PATH}/28-days/start", json={"skips": ["sat", "sun"], "pace": 1})
    assert started.status_code == 201 and started.json()["skips"] == ["sat", "sun"]
    assert client.post(f"{PATH}/28-days/start", json={}).status_code == 422
    ticked = client.post(f"{PATH}/28-days/ticks", json={"items": ["day-01"]}).json()
    assert len(ticked["changed"]) == 8 and ticked["plan"]["done"] == 8
    back = client.post(f"{PATH}/28-days/ticks", json={"items": ["day-01/video"], "done": False}).json()
    assert back["changed"] == ["day-01/video"]
    assert client.get(f"{PATH}/28-days", params={"step": "day-02"}).json()["stages"][0]["id"] == "day-02"
    assert client.get(f"{PATH}/28-days", params={"week": 99}).status_code == 404
    later = client.post(f"{PATH}/skip", json={"days": [f"{TODAY + timedelta(days=40)}..2099-01-01"]})
    assert later.status_code == 422
    assert client.post(f"{PATH}/skip", json={"days": [f"{TODAY + timedelta(days=3)}"]}).status_code == 200
    assert client.get(f"{PATH}/28-days/catch-up").status_code == 422  # nothing is late
    calendar = client.get(f"{PATH}/28-days/calendar.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert len(list(Calendar.from_ical(calendar.content).walk("VEVENT"))) == 28
    assert client.post(f"{PATH}/28-days/stop").json()["done"] == 7
    assert client.post(f"{PATH}/28-days/stop").status_code == 404


def test_catching_up_over_http(client: TestClient, home: Path) -> None:
    begun_before(home, 3)
    found = client.get(f"{PATH}/28-days/catch-up").json()
    assert len(found["late"]) == 24 and len(found["ways"]) == 3
    gone = client.post(f"{PATH}/28-days/catch-up", json={"way": "drop"}).json()
    assert gone["plan"]["dropped"] == 24 and gone["plan"]["late"] == []


def test_a_plan_for_an_interview_over_http(client: TestClient) -> None:
    asked = {"interview": f"{TODAY + timedelta(days=60)}", "track": "ml", "hours": 8}
    assert client.post(f"{PATH}/custom", json={**asked, "preview": True}).json()["taken_up"] is False
    made = client.post(f"{PATH}/custom", json=asked)
    assert made.status_code == 201 and made.json()["holds_tier_1"] and made.json()["cards"][0]["title"]
    assert client.get(PATH).json()["custom"]["items"] == len(made.json()["cards"])
    error = client.post(f"{PATH}/custom", json={**asked, "hours": 0.5}).json()["error"]
    assert "tier 1 does not fit" in error["what"] and '"what_fits": true' in error["fix"]
    for wrong in ({"hours": 0}, {"track": "sales"}, {"interview": "2020-01-01"}, {"interview": "soon"}, {"more": 1}):
        response = client.post(f"{PATH}/custom", json={**asked, **wrong})
        assert response.status_code == 422 and response.json()["error"]["what"]
    assert client.post(f"{PATH}/28-days/start", json={"start": "2020-01-01"}).status_code == 422
    said = client.post(f"{PATH}/28-days/start", json={"until": f"{TODAY}"}).json()["error"]
    assert re.search(r'POST /api/v1/study/plans/28-days/start \{"until": "\d{4}-\d\d-\d\d"\}', said["fix"])


def interview_gone_by(home: Path, days: int) -> None:
    """A plan for an interview of some days ago, made a month before."""
    study = open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=days + 30))
    plans = plans_of(study)
    plans.take_up(plans.choose(interview=TODAY - timedelta(days=days), track="backend", hours=10), what_fits=True)
    study.close()


def test_only_ways_that_change_something_are_offered(
    home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four days into a plan for an interview in two months, with nothing done: all of it still fits."""
    study = open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=4))
    plans = plans_of(study)
    made = plans.choose(interview=TODAY + timedelta(days=60), track="backend", hours=20)
    table = plans.take_up(made, what_fits=True)
    plans.done("custom", [entry.item.id for entry in table.entries[1:]])
    study.close()
    said = run(capsys, "catch-up", "custom")
    assert re.findall(r"--(\w+) +(not needed|ends)", said) == [
        ("shift", "ends"),
        ("squeeze", "not needed"),
        ("drop", "not needed"),
    ]
    assert "20 hours a week hold all of it" in said and "instead of" not in said and "given up (" not in said
    page = BeautifulSoup(client.get("/plan/custom", headers={"accept": "text/html"}).text, "html.parser")
    late = page.select_one("#late")
    assert late and "One way to go on" in late.get_text() and "Not possible" not in late.get_text()
    assert [form.select_one("input[name=way]")["value"] for form in late.select("form")] == ["shift"]
    refused = client.post(f"{PATH}/custom/catch-up", json={"way": "drop"})
    assert refused.status_code == 422 and "To shift is enough" in refused.json()["error"]["what"]
    assert {way["way"] for way in client.get(f"{PATH}/custom/catch-up").json()["ways"] if way["possible"]} == {"shift"}


def in_words(text: str) -> str:
    return " ".join(text.split())


def test_days_that_were_left_out_count_again(
    home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    end = in_json(capsys, "start", "28-days")["end"]
    day = (TODAY + timedelta(days=3)).isoformat()
    assert "was to end on" in run(capsys, "skip", day)
    assert "was to end on" in run(capsys, "skip", day, "--undo")
    shown = in_json(capsys, "show", "28-days")
    assert (shown["end"], shown["skips"]) == (end, [])


def test_steps_go_by_all_their_names(home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert [s["id"] for s in in_json(capsys, "show", "28", "--step", "day-1")["stages"]] == ["day-01"]
    assert [s["id"] for s in in_json(capsys, "show", "judg", "--step", "month/1/week/1")["stages"]] == ["m1-w1"]
    run(capsys, "start", "28-days")
    assert "[x] day-05/video" in run(capsys, "done", "28-days", "day-5/video")
    assert client.get(f"{PATH}/28-days", params={"step": "day-5"}).json()["stages"][0]["id"] == "day-05"


def test_what_a_plan_takes_a_day_is_told(home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    for said in (run(capsys, "show", "28-days"), run(capsys, "start", "28-days"), run(capsys, "show", "28")):
        assert "h a study day, but tutor today has 45 min (study.minutes), so this plan" in in_words(said)
        assert all(len(line) <= 80 or "http" in line for line in said.splitlines())
    assert in_json(capsys, "show", "28")["minutes_a_day"] > 200
    when = (TODAY + timedelta(days=60)).isoformat()
    asked = ("custom", "--interview", when, "--track", "backend", "--hours")
    said = in_words(run(capsys, *asked, "8"))
    assert "a study day, with reviews, but tutor today has 45 min" in said and "5.2 hours a week" in said
    assert client.get(f"{PATH}/custom").json()["minutes_a_day"] > 45


def test_a_line_of_today_says_how_it_is_done_and_ticked_off(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun_before(home, 1)
    assert main(["today"]) == 0
    said = in_words(capsys.readouterr().out)
    assert "tutor plan show 28-days --step day-01 Done: tutor plan done 28-days day-01/notes" in said
    assert main(["today", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["lines"][0]
    assert first["tick"] == "tutor plan done 28-days day-01/notes"
    assert main(first["tick"].split()[1:]) == 0


def test_an_entry_that_a_plan_asks_for_is_offered_to_be_ticked_off(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "start", "judgment-roadmap")
    assert main(["log", "I chose Kafka over a task queue.", "--item", "M1W1"]) == 0
    assert "tick it off: tutor plan done judgment-roadmap m1-w1/log" in in_words(capsys.readouterr().out)
    run(capsys, "done", "judgment-roadmap", "m1-w1/log")
    assert main(["log", "I chose Kafka again, for the same reason.", "--item", "M1W1"]) == 0
    assert "tick it off" not in capsys.readouterr().out


def test_a_plan_whose_interview_is_over_says_so(
    home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    interview_gone_by(home, 20)
    for said in (run(capsys), run(capsys, "show", "custom")):
        assert "The interview was on" in said and "End it: tutor plan stop custom" in said
    assert "is over" in run(capsys, "catch-up", "custom", code=2)
    shown = client.get(f"{PATH}/custom").json()
    assert shown["over"] and shown["late"] == [] and shown["minutes_a_day"] == 0
    lines = client.get("/api/v1/study/today").json()["lines"]
    assert (lines[0]["title"], lines[0]["command"]) == (shown["title"], "tutor plan stop custom")
    assert lines[1]["kind"] == "read", "something new, as for who follows no plan"
    page = client.get("/plan/custom", headers={"accept": "text/html"}).text
    assert "The interview is over" in page and "late since" not in page
    run(capsys, "stop", "custom")
    assert all(line["kind"] == "read" for line in client.get("/api/v1/study/today").json()["lines"])


def test_a_card_that_is_mastered_is_done_in_its_plan(
    home: Path, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    when = (TODAY + timedelta(days=60)).isoformat()
    run(capsys, "custom", "--interview", when, "--track", "backend", "--hours", "8")
    assert main(["progress", "caching", "--set", "mastered"]) == 0
    capsys.readouterr()
    assert in_json(capsys, "show", "custom")["done"] == 1
    row = next(r for s in client.get(f"{PATH}/custom").json()["stages"] for r in s["items"] if r["id"] == "caching")
    assert (row["state"], row["done"]) == ("done", None)
    page = BeautifulSoup(client.get("/plan/custom", headers={"accept": "text/html"}).text, "html.parser")
    item = page.select_one("li.item.done")
    assert item and "mastered" in item.get_text() and item.select_one("button") is None
