"""The pages of drills without a browser: the way by forms, what is refused and kept, what is shown of a grade."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from fakes import ScriptedModel
from tutor.bootstrap import App
from tutor.drill.marked import replies
from tutor.settings import Settings
from tutor.studying import open_study
from tutor.web.app import create_app

ANSWER = (
    "On AWS I'd take SQS, RabbitMQ if I needed priorities. Each mail is acknowledged and retried by itself there, so a "
    "slow one holds up nobody. In Kafka a group commits one offset per partition, and whatever stands behind a stuck "
    "job waits. Kafka is just a faster queue. <script>alert(1)</script>"
)


@pytest.fixture(scope="module")
def app(curriculum_home: Path) -> Iterator[App]:
    core = App(Settings(home=curriculum_home))
    yield core
    core.close()


@pytest.fixture
def client(app: App) -> TestClient:
    return TestClient(create_app(app), headers={"accept": "text/html"})


def parsed(response: Any, status: int = 200) -> BeautifulSoup:
    assert response.status_code == status, response.text[:400]
    return BeautifulSoup(response.text, "html.parser")


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def fields(form: Tag, page: BeautifulSoup) -> dict[str, str]:
    """What the form would send, with what belongs to it by its id, without its buttons."""
    inside = [*form.select("input, textarea, select")]
    inside += page.select(f"textarea[form={form.get('id')}]") if form.get("id") else []
    sent = {}
    for element in inside:
        if element.get("type") == "radio" and not element.has_attr("checked"):
            continue
        text = element.text.removeprefix("\n") if element.name == "textarea" else element.get("value", "")
        sent[str(element["name"])] = str(text)
    return sent


def begin(client: TestClient, **asked: str) -> str:
    response = client.post("/drill", data=asked, follow_redirects=False)
    assert response.status_code == 303
    return str(response.headers["location"])


def send(client: TestClient, room: str, do: str = "send", status: int = 200, **typed: str) -> BeautifulSoup:
    """The page after the room's form was sent by one of its buttons."""
    page = parsed(client.get(room))
    form = one(page, "form#reply")
    return parsed(client.post(str(form["action"]), data={**fields(form, page), **typed, "do": do}), status)


def state(page: BeautifulSoup) -> str:
    return str(one(page, "[data-room]")["data-state"])


def finish(client: TestClient, room: str) -> BeautifulSoup:
    """Passes on all that is left and rates; the page then."""
    page = parsed(client.get(room))
    while page.select_one("[data-room]"):
        page = send(client, room, do="none" if state(page) == "rate" else "go" if state(page) == "clarify" else "pass")
    return page


# --- the way ----------------------------------------------------------------------------------------------------------


def test_a_drill_from_its_start_to_its_grade_by_forms_alone(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    assert state(parsed(client.get(room))) == "clarify"
    page = send(client, room, answer="Is it only for mail?")
    assert state(page) == "answer" and "Is it only for mail?" in one(page, ".turns").text
    page = send(client, room, answer=ANSWER)
    assert state(page) == "follow-up"
    while state(page) == "follow-up":
        page = send(client, room, do="pass")
    page = send(client, room, answer="Then a retained log with several consumer groups: Kafka.")
    assert state(page) == "rate" and len(page.select("input[type=radio]")) == 5
    page = send(client, room, answer="4")
    session = app.drills.store.load(room.rsplit("/", 1)[-1])
    grade = session.rounds[0].grade
    assert grade is not None
    # every point stands there with its status, and every word that was taken as evidence is marked
    shown = [p.select(".badge")[0].text for p in page.select("ol.points > .point")]
    assert shown == [p.status for p in grade.points]
    for number, point in enumerate(grade.points, 1):
        marked = "".join(m.text for m in page.select("mark") if str(number) in str(m["data-labels"]).split())
        assert marked == point.evidence
        assert bool(page.select(f"#said-{number}")) == bool(point.evidence)
    assert "4" in one(page, ".figures").text and "fair" not in one(page, ".figures").text
    assert "Due again on" in page.text and "Coverage of the rubric, not truth" in page.text
    # the learner's own words are text, whatever they are
    assert "<script>alert(1)" not in str(one(page, ".own-words")) and "alert(1)" in one(page, ".own-words").text
    assert page.select_one("a[download]")


def test_an_answer_in_the_first_box_is_graded(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    assert one(parsed(client.get(room)), "form#reply button").text == "Answer"
    page = send(client, room, answer=ANSWER)
    assert state(page) == "follow-up"
    graded = finish(client, room)
    assert "retried by itself" in one(graded, ".own-words").text
    made = one(graded, "#p1")
    assert "covered" in (made.get("class") or [])


def test_a_rating_that_nobody_chose_is_none(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, answer=ANSWER)
    page = parsed(client.get(room))
    while state(page) != "rate":
        page = send(client, room, do="pass")
    assert len(page.select("input[type=radio][name=answer]")) == 5 and not page.select("input[checked]")
    rating = next(dt for dt in send(client, room).select(".figures dt") if dt.text == "Your rating")
    assert one(rating.parent or rating, "dd").text.strip() == "–"


def test_coverage_is_the_share_of_points_whatever_the_grade(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, answer=ANSWER)
    figures = {dt.text: one(dt.parent or dt, "dd").text for dt in finish(client, room).select(".figures dt")}
    made, of = figures["Points made"].split(" of ")
    assert figures["Coverage"] == f"{100 * float(made) / float(of):.0f}%"


def test_a_red_flag_is_explained_with_a_passage_that_opens_at_its_line(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    send(client, room, answer=ANSWER)
    page = finish(client, room)
    flag = one(page, ".flag")
    assert app.drills.store.load(room.rsplit("/", 1)[-1]).rounds[0].grade.red_flags[0].why in flag.text  # type: ignore[union-attr]
    link = str(one(flag, "blockquote a")["href"])
    document = parsed(client.get(link))
    assert one(document, "mark#cited").text.strip()[:20] in flag.text
    assert one(page, ".own-words mark.contradicted").text in ANSWER


def test_the_start_page_offers_what_is_open_and_what_was(client: TestClient) -> None:
    room = begin(client, format="estimate", request="chat")
    page = parsed(client.get("/drill"))
    assert any(a["href"] == room for a in page.select(".start-side a"))
    finish(client, room)
    page = parsed(client.get("/drill?request=consensus&format=card"))
    assert not any(a["href"] == room for a in page.select(".now a"))
    assert any(a["href"] == room for a in page.select(".before a"))
    assert one(page, "#request")["value"] == "Consensus" or "onsensus" in str(one(page, "#request")["value"])
    assert one(page, "input[name=format][checked]")["value"] == "card"


@pytest.mark.parametrize(
    ("asked", "said"), [("kafka", "Apache Kafka"), ("why not kafka for jobs", "why not kafka for jobs"), ("", "")]
)
def test_what_a_link_names_can_be_started_above_all_else(client: TestClient, app: App, asked: str, said: str) -> None:
    page = parsed(client.get("/drill", params={"request": asked}))
    forms = page.select("main form")
    if not said:
        assert not page.select(".offer") and page.select("main form button[value=choose]")
        return
    assert one(page, "main h2").text == f"Drill: {said}" and one(forms[0], "button").text == "Start the drill"
    session = app.drills.store.load(begin(client, **fields(forms[0], page)).rsplit("/", 1)[-1])
    assert (session.kind, session.task.card) == ("probe", "kafka")


def test_let_it_choose_takes_what_is_due_and_what_went_badly(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    finish(client, room)  # passed: ungraded, which is weak, and makes due what Kafka builds on
    due, weak = (app.drills.due_or_weak(due=asked, weak=not asked) for asked in (True, False))
    chosen = app.drills.store.load(begin(client, do="choose", count="6").rsplit("/", 1)[-1])
    probes = [(task.card, task.probe) for task in chosen.tasks]
    assert len(probes) == 6 and ("kafka", "why-not-task-queue") in set(weak) & set(probes)
    assert probes[0] in (due or weak)


def test_let_it_choose_gives_as_many_questions_as_were_asked_for_and_says_why(curriculum: Path, tmp_path: Path) -> None:
    core = App(Settings(home=shutil.copytree(curriculum, tmp_path / "home")))
    try:
        client = TestClient(create_app(core), headers={"accept": "text/html"})
        finish(client, begin(client, request="why not kafka"))  # the only one that went badly
        room = begin(client, do="choose", count="3")
        chosen = core.drills.store.load(room.rsplit("/", 1)[-1])
        assert chosen.task.card == "kafka" and len(chosen.tasks) == 3
        assert f"Chosen for you: {chosen.task.why}." in parsed(client.get(room)).text
        for _ in chosen.tasks:
            finish(client, room)
        debrief = parsed(client.get(room)).text
        assert all(f"Chosen for you: {task.why}." in debrief for task in chosen.tasks)
        step = client.post("/api/v1/drills", json={"choose": True, "count": 4}).json()
        assert step["of"] == 4 and step["why"]
        refused = client.post("/api/v1/drills", json={"choose": True, "request": "kafka"}, headers={"accept": "*/*"})
        assert refused.status_code == 422 and "request" in refused.json()["error"]["about"]
    finally:
        core.close()


def test_a_set_shows_the_grade_of_each_task_and_a_debrief(client: TestClient) -> None:
    room = begin(client, format="set", count="2", seed="3")
    page = send(client, room, answer=ANSWER)
    while state(page) not in ("rate",):
        page = send(client, room, do="pass")
    page = send(client, room, do="none")
    assert "Next question" in one(page, ".next").text  # the grade of the first
    page = finish(client, room)
    assert len(page.select(".debriefed > li")) == 2
    assert parsed(client.get(f"{room}/2")).select_one("[data-graded]")


def test_a_mock_goes_from_step_to_step_and_ends_in_the_debrief(client: TestClient) -> None:
    room = begin(client, format="hld", seed="1")
    page = parsed(client.get(room))
    assert one(page, ".step-name").text == "Requirements" and len(page.select(".steps li")) == 9
    assert one(page, ".steps [aria-current]").text.strip().startswith("Requirements")
    send(client, room, do="go")
    page = send(client, room, answer="Users upload and read objects; 11 nines of durability.", notes="ask for the cost")
    assert one(page, ".steps [aria-current] .step-name").text == "Estimation"
    assert one(page, "[data-notes]").text.strip() == "ask for the cost"
    page = finish(client, room)
    assert len(page.select(".debriefed > li")) == 9
    assert "Was missing" in page.text and "ask for the cost" in page.text
    assert "of 45:00" in one(page, ".figures").text


@pytest.mark.parametrize("asked", [{"request": "why not kafka"}, {"format": "estimate", "request": "chat", "seed": "2"},
                                   {"format": "lld", "seed": "1"}])  # fmt: skip
def test_again_now_asks_the_same_once_more(client: TestClient, app: App, asked: dict[str, str]) -> None:
    def tasks(room: str) -> list[tuple[str, str]]:
        return [(task.card, task.probe) for task in app.drills.store.load(room.rsplit("/", 1)[-1]).tasks]

    room = begin(client, **asked)
    page = finish(client, room)
    form = next(form for form in page.select("form") if "Again now" in form.text)
    again = begin(client, **fields(form, page))
    assert again != room and tasks(again) == tasks(room)


def test_a_card_that_was_checked_and_never_drilled_comes_due_here(curriculum: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(curriculum, tmp_path / "home"))
    study = open_study(Settings(home=home), clock=lambda: datetime.now(UTC) - timedelta(days=60))
    study.check("kafka", [True] * len(study.outline.cards["kafka"].check))
    study.close()
    core = App(Settings(home=home))
    try:
        client = TestClient(create_app(core), headers={"accept": "text/html"})
        for path in ("/drill", "/drill?request=kafka"):
            due = one(parsed(client.get(path)), ".now .due")
            assert one(due, "input[name=card]")["value"] == "kafka" and one(due, "input[name=request]")["value"]
            assert "last time" not in due.text and "%" not in due.text
    finally:
        core.close()


# --- what is refused, and kept ----------------------------------------------------------------------------------------


def test_what_cannot_be_drilled_stays_in_the_form(client: TestClient) -> None:
    page = parsed(client.post("/drill", data={"request": "sourdough bread", "format": "probe"}), 404)
    assert one(page, "#request")["value"] == "sourdough bread"
    assert one(page, "input[name=format][checked]")["value"] == "probe"
    assert "no topic has this name" in one(page, ".failed").text.lower() and not page.select(".offer")
    meant = page.select(".failed dd a")
    assert meant and all(str(a["href"]).startswith("/drill?request=") and a.text != a["href"][15:] for a in meant)
    assert one(parsed(client.get(str(meant[0]["href"]))), "#request")["value"] == meant[0].text
    page = parsed(client.post("/drill", data={"request": "kafka", "phase": "3", "count": "many"}), 422)
    assert one(page, "#phase option[selected]")["value"] == "3" and one(page, "#count")["value"] == "many"
    assert "tutor drill" not in one(page, ".failed").text
    assert parsed(client.post("/drill", data={"request": "x" * 5_000}), 422).select_one(".failed")


def test_an_answer_to_a_question_that_is_no_longer_asked_is_told_and_kept(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    page = parsed(client.get(room))
    form = one(page, "form#reply")
    old = fields(form, page) | {"do": "send"}
    send(client, room, answer=ANSWER)
    page = parsed(client.post(str(form["action"]), data={**old, "answer": "Another window's words."}), 409)
    assert one(page, ".left textarea").text.strip() == "Another window's words."
    assert "answered already" in one(page, ".failed").text
    assert state(page) == "follow-up" and one(page, "[data-words]").text.strip() == ""


def test_an_answer_whose_reply_was_lost_may_be_sent_again(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    page = parsed(client.get(room))
    form = one(page, "form#reply")
    sent = fields(form, page) | {"do": "send", "answer": ANSWER}
    first = client.post(str(form["action"]), data=sent, follow_redirects=False)
    replayed = client.post(str(form["action"]), data=sent, follow_redirects=False)
    restarted = client.post(str(form["action"]), data={**sent, "once": "of-another-server"}, follow_redirects=False)
    assert first.status_code == replayed.status_code == restarted.status_code == 303
    turns = app.drills.store.load(room.rsplit("/", 1)[-1]).rounds[0].turns
    assert [t.text for t in turns if t.who == "learner"] == ["", ANSWER]


@pytest.mark.parametrize(
    ("do", "typed", "told"),
    [
        ("send", "", "the answer is empty"),
        ("send", "x" * 20_001, "the answer has 20,001 characters"),
        ("pass", "half an answer", "you have written an answer"),
    ],
)
def test_words_that_do_not_fit_come_back(client: TestClient, do: str, typed: str, told: str) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    page = send(client, room, do=do, status=422, answer=typed)
    assert told in one(page, ".failed").text.lower() and one(page, "[data-words]").text.strip() == typed
    assert one(page, "[data-words]")["aria-invalid"] == "true"


def test_words_typed_before_going_to_the_answer_are_there_for_it(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    page = send(client, room, do="go", answer="I would use SQS.")
    assert state(page) == "answer" and one(page, "[data-words]").text.strip() == "I would use SQS."


def test_notes_changed_in_another_window_are_not_lost(client: TestClient, app: App) -> None:
    room = begin(client, format="hld", seed="1")
    page = parsed(client.get(room))
    old = fields(one(page, "form#reply"), page)
    send(client, room, do="keep", notes="first window")
    page = parsed(client.post(f"{room}/reply", data={**old, "do": "keep", "notes": "second window"}), 409)
    assert one(page, "[data-notes]").text.strip() == "second window"
    assert one(page, ".notes textarea[readonly]").text.strip() == "first window"
    again = fields(one(page, "form#reply"), page) | {"do": "keep"}
    assert client.post(f"{room}/reply", data=again).status_code == 200  # who saves again has seen it
    assert app.drills.store.pad(room.rsplit("/", 1)[-1]).notes == "second window"


def test_unknown_drills_and_tasks(client: TestClient) -> None:
    page = parsed(client.get("/drill/20261122-00000000"), 404)
    assert "listed at /drill" in page.text and "tutor drill" not in page.text
    assert client.get("/drill/..%2f..%2fetc").status_code == 404
    room = begin(client, request="why not kafka")
    assert client.get(f"{room}/1").status_code == 422  # no grade yet
    assert client.get(f"{room}/9").status_code == 404
    assert client.post("/drill/20261122-00000000/reply", data={"answer": "x"}).status_code == 404


def test_another_site_cannot_answer(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    response = client.post(f"{room}/reply", data={"answer": "x"}, headers={"origin": "https://evil.example"})
    assert response.status_code == 403


# --- the learner's own view -------------------------------------------------------------------------------------------


def test_a_view_of_a_point_is_kept_with_its_reason_and_counts(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    send(client, room, answer=ANSWER)
    page = finish(client, room)
    missed = next(p for p in page.select("ol.points > .point") if "missed" in str(p["class"]))
    form = one(missed, ".dispute form")
    sent = fields(form, page) | {"status": "covered", "reason": "I said <b>so</b>."}
    page = parsed(client.post(str(form["action"]), data=sent))
    point = one(page, f"#{missed['id']}")
    assert "Your view: covered – I said <b>so</b>." in point.text.replace("\n", " ")
    made, mine = (
        float(one(page.find("dt", string=name).parent, "dd").text.split()[0])
        for name in ("Points made", "As you see it")
    )  # type: ignore[arg-type, union-attr]
    assert mine == made + 1
    rows = [r for r in app.drills.store.every_override() if r["session"] == room.rsplit("/", 1)[-1]]
    assert [(r["learner"], r["reason"]) for r in rows] == [("covered", "I said <b>so</b>.")]
    assert "Your view of a point: covered, graded missed" in parsed(client.get("/documents/kafka")).text
    page = parsed(client.post(str(form["action"]), data={**sent, "once": "2", "reason": "y" * 1_001}), 422)
    assert one(page, f"#{missed['id']} textarea").text.strip() == "y" * 1_001


def test_a_red_flag_is_disputed_beside_it_and_taken_back(client: TestClient, app: App) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    send(client, room, answer=ANSWER)
    page = finish(client, room)
    session = room.rsplit("/", 1)[-1]
    graded = app.drills.store.load(session).rounds[0].grade
    assert graded and graded.red_flags and not page.find("dt", string="As you see it")
    form = one(page, ".flag details form")
    sent = fields(form, page) | {"reason": "I said <b>not</b> only."}
    page = parsed(client.post(str(form["action"]), data=sent))
    said = one(page, "#pf1 .mine").text
    assert said == "Your view: not said; it does not count against you.I said <b>not</b> only."
    assert graded.red_flags[0].key == "!1"
    mine = page.find("dt", string="As you see it")
    assert mine and one(mine.parent, ".badge").text in ("mixed", "weak", "strong")  # type: ignore[arg-type]
    assert "Your view of a red flag: not said" in parsed(client.get("/documents/kafka")).text
    page = parsed(client.post(str(form["action"]), data={**sent, "once": "2", "reason": "y" * 1_001}), 422)
    assert one(page, "#pf1 .mine")
    back = one(page, "#pf1 form")
    page = parsed(client.post(str(back["action"]), data=fields(back, page)))
    assert not page.select("#pf1 .mine") and not page.find("dt", string="As you see it")
    page = parsed(client.post(str(form["action"]), data={**sent, "once": "3", "reason": "y" * 1_001}), 422)
    assert one(page, "#pf1 textarea").text.strip() == "y" * 1_001 and one(page, "#pf1 details").has_attr("open")
    api, kept = f"/api/v1/drills/{session}/overrides", {"flag": 1, "status": "not-said"}
    found = client.post(api, json=kept)
    assert found.status_code == 201 and found.json().items() >= {"point": "!1", "graded": "said"}.items()
    for wrong, status in (({"flag": 99}, 404), ({"point": "x", "flag": 1}, 422), ({"flag": None}, 422)):
        assert client.post(api, json=kept | wrong, headers={"accept": "*/*"}).status_code == status


# --- the sheet --------------------------------------------------------------------------------------------------------


def test_a_sheet_is_computed_kept_and_put_into_the_answer(client: TestClient) -> None:
    room = begin(client, format="estimate", request="chat", seed="2")
    send(client, room, do="go")
    sheet = "users = 50 M\nqps = users * 10 / day\nbad = 1 GB + 3 s"
    page = send(client, room, do="compute", answer="So far:", sheet=sheet)
    values = [li.text.split(maxsplit=1)[1].strip() for li in page.select(".values li")]
    assert values == ["50 million", "5,787/s = 500 million/day", "a time cannot be added to data"]
    assert one(page, "[data-words]").text.strip() == "So far:"
    page = send(client, room, do="insert")
    assert one(page, "[data-words]").text.strip() == "So far:\nqps = 5,787/s = 500 million/day"
    assert one(page, "[data-lines]").text.strip() == sheet
    page = send(client, room, do="insert", status=422, sheet="x = z")
    assert "no line of the sheet has a value" in one(page, ".failed").text.lower()
    assert one(page, "[data-lines]").text.strip() == "x = z"


def test_the_sheet_over_http(client: TestClient) -> None:
    found = client.post("/api/v1/sheet", json={"text": "dau = 50 M * 20%\n1 +"}).json()
    assert found[0] == {"number": 1, "name": "dau", "value": 10_000_000, "shown": "10 million", "error": ""}
    assert found[1]["value"] is None and found[1]["error"]
    assert client.post("/api/v1/sheet", json={"text": "x" * 15_001}).status_code == 422


# --- with a language model --------------------------------------------------------------------------------------------


def test_a_second_reading_stands_beside_the_grade(curriculum_home: Path) -> None:
    model = ScriptedModel(
        lambda messages: ['{"made": true, "quote": "Each mail is acknowledged and retried by itself"}']
    )
    core = App(Settings(home=curriculum_home), model=model)
    try:
        client = TestClient(create_app(core), headers={"accept": "text/html"})
        room = begin(client, request="why not kafka")
        send(client, room, do="go")
        send(client, room, answer=ANSWER)
        page = finish(client, room)
        before = one(page, ".figures").text
        form = next(f for f in page.select("form") if str(f.get("action", "")).endswith("/opinions"))
        page = parsed(client.post(str(form["action"]), data=fields(form, page)))
        assert one(page, ".figures").text == before
        assert "reading a second time" in page.text and page.select(".differs")
        assert not [f for f in page.select("form") if str(f.get("action", "")).endswith("/opinions")]
    finally:
        core.close()


# --- what is marked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"format": "decision", "request": "kafka or sqs"}, ANSWER),
        ({"format": "behavioural"}, "At my last job the build was slow. I had to mend it. I split it up and cached it, "
         "alone, in two weeks. It took 4 minutes instead of 40, and I learned to measure first."),
        ({"format": "estimate", "request": "chat", "seed": "5"}, "I assume a peak factor of 3. Average sent messages: "
         "11,600 per second, at peak 35,000 per second. Storage per day: 200 GB."),
    ],
)  # fmt: skip
def test_the_words_that_a_grade_rests_on_are_marked_in_every_format(
    client: TestClient, app: App, asked: dict[str, str], said: str
) -> None:
    room = begin(client, **asked)
    if state(parsed(client.get(room))) == "clarify":
        send(client, room, do="go")
    page = send(client, room, answer=said)
    while state(page) != "rate":
        page = send(client, room, answer="With Kafka instead, since they replay; I would say 35,000 per second.")
    page = finish(client, room)
    done = app.drills.store.load(room.rsplit("/", 1)[-1]).rounds[0]
    assert done.grade is not None
    assert replies(done)[0].text == said
    for number, point in enumerate(done.grade.points, 1):
        marked = "".join(m.text for m in page.select("mark") if str(number) in str(m["data-labels"]).split())
        assert re.sub(r"\s", "", marked) == re.sub(r"\s", "", point.evidence), point


def test_a_view_that_says_what_was_graded_is_taken_back(client: TestClient) -> None:
    room = begin(client, request="why not kafka")
    send(client, room, do="go")
    send(client, room, answer=ANSWER)
    page = finish(client, room)
    point = one(page, "ol.points > .point")
    form, graded = one(point, ".dispute form"), one(point, ".badge").text
    other = "missed" if graded != "missed" else "covered"
    page = parsed(client.post(str(form["action"]), data={**fields(form, page), "status": other}))
    assert "As you see it" in one(page, ".figures").text
    form = one(page, f"#{point['id']} .dispute form")
    page = parsed(client.post(str(form["action"]), data={**fields(form, page), "status": graded}))
    assert "As you see it" not in one(page, ".figures").text


def test_a_grade_of_a_plans_card_offers_to_tick_it_off(client: TestClient) -> None:
    asked = {"track": "backend", "hours": 10, "interview": f"{datetime.now(UTC).date() + timedelta(days=60)}"}
    assert client.post("/api/v1/study/plans/custom", json=asked).status_code == 201
    room = begin(client, request="why not kafka")
    page = finish(client, room)
    form = one(page, "form[action='/plan/custom/tick']")
    assert one(form, "button")["value"] == "kafka" and "In your plan: Apache Kafka" in form.text
    sent = client.post(str(form["action"]), data={"done": "kafka"}, follow_redirects=False)
    assert sent.status_code == 303 and str(sent.headers["location"]).startswith("/plan/custom#week-")
    assert parsed(client.get(room)).select_one("form[action='/plan/custom/tick']") is None
    client.post("/plan/custom/stop", data={})
