"""Drills and grades through the command line and HTTP, with the packaged grader."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import ScriptedModel
from tutor.bootstrap import App
from tutor.drill.arithmetic import ArithmeticGrader
from tutor.drill.engine import Drills
from tutor.drill.formats import Selection
from tutor.drill.grade import Grade
from tutor.drill.scenarios import scenario
from tutor.evals.drills import rows_of
from tutor.models.port import Message
from tutor.settings import Settings
from tutor.web.app import create_app

STRONG = (
    "For plain jobs on AWS I'd take SQS, RabbitMQ where priorities or routing matter, and a Postgres table read with "
    "SKIP LOCKED if it is only a trickle. There each mail is acknowledged and retried on its own, so one "
    "that takes ten minutes holds up nobody, while a consumer group moves one offset for the whole partition "
    "and everything behind the slow one waits. Delays, priorities and dead-letter queues come built in instead "
    "of being our code. Workers can be added at will, whereas a group has at most one active consumer for each "
    "partition. And nobody has to run brokers and live through rebalances for a few mails a second."
)
WRONG = (
    "Kafka is simply a faster queue. Consumers acknowledge and retry every record separately, so a stuck job "
    "never holds up the others, and it has delays and priorities built in. You can run as many consumers of "
    "one group as you like on a partition, and it needs no operation at all."
)
PROBE = "why-not-task-queue"


def tutor(home: Path, *arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(home), "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    return done


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def home(curriculum_home: Path) -> Path:
    return curriculum_home


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[App]:
    core = App(Settings(home=home))
    yield core
    core.close()


@pytest.fixture(scope="module")
def client(app: App) -> TestClient:
    return TestClient(create_app(app), base_url="http://127.0.0.1:8000")


# --- grading --------------------------------------------------------------------------------------------------------


def test_a_strong_answer_beats_a_wrong_one(app: App) -> None:
    strong, wrong = (app.drills.grade("kafka", PROBE, answer) for answer in (STRONG, WRONG))
    # How often a verdict is right is measured by the gate; here it must not be far off, and its order right.
    assert strong.verdict in ("strong", "mixed") and strong.score > 0.7
    assert sum(p.status == "covered" for p in strong.points) >= 4
    assert wrong.verdict in ("wrong", "weak") and wrong.score < 0.1
    for graded, answer in ((strong, STRONG), (wrong, WRONG)):
        for point in graded.points:
            assert point.evidence == answer[point.start : point.end]
            assert bool(point.evidence) == (point.status != "missed")


WHO = (
    "my aunt|the neighbour|a friend of mine|the old man|our teacher|nobody|everyone here|the cat|a small child|I".split(
        "|"
    )
)
DOES = (
    "likes|forgot|painted|bought|sold|ate|found|lost|sang about|talks of|cannot stand|dreams of|carried|gave away"
).split("|")
WHAT = (
    "a red bicycle|the summer rain|two pounds of apples|an umbrella|the last bus|banana bread|a wooden chair|old songs"
    "|the football match|her blue coat|a cup of tea|the mountains|a very long story|fresh fish|the birthday party"
).split("|")
CHAT = (
    "good question|okay sure|hmm, pass please|what a great day|ok sure whatever|lorem ipsum dolor sit amet|foo bar baz"
    "|thank you so much|see you tomorrow|well, let me think|that is interesting|never mind|asdf qwer zxcv|no comment"
    "|haha|happy birthday to you|one moment please|the sky is blue|banana split|nice to meet you"
).split("|")


def test_everyday_words_score_nothing_on_any_probe(app: App) -> None:
    drawn = random.Random(20261122)
    probes = [(card.id, probe.id) for card in app.corpus.cards.values() for probe in card.probes]
    for n in range(200):
        phrase = drawn.choice(CHAT) if n % 4 == 0 else " ".join(map(drawn.choice, (WHO, DOES, WHAT)))
        card, probe = drawn.choice(probes)
        graded = app.drills.grade(card, probe, phrase)
        assert graded.verdict == "ungraded" or graded.score == 0, (phrase, card, probe, graded)
        assert graded.reason or graded.verdict != "ungraded"
        assert {p.status for p in graded.points} <= {"missed"}, (phrase, card, probe)


@pytest.mark.parametrize(
    ("answer", "point"),
    [
        ("Each message is acknowledged on its own by the queue, while Kafka commits one offset per partition.", 0),
        ("SQS acknowledges and retries each message by itself, whereas Kafka commits an offset per partition.", 0),
        (
            "You cannot have more active consumers than partitions in a classic Kafka group, while queue workers can "
            "be added freely.",
            2,
        ),
    ],
)
def test_who_is_right_in_one_sentence_is_not_accused(app: App, answer: str, point: int) -> None:
    graded = app.drills.grade("kafka", PROBE, answer)
    assert graded.points[point].status == "covered"
    assert all(p.status != "contradicted" for p in graded.points)
    assert graded.verdict == "weak" and graded.score > 0.05


def test_evidence_is_the_sentence_that_a_point_rests_on(app: App) -> None:
    first = "A queue acknowledges and retries each message on its own, while Kafka commits one offset per partition."
    second = "A Kafka cluster brings brokers and rebalances to run, which a small queue never pays back."
    graded = app.drills.grade("kafka", PROBE, f"{first} {second}")
    assert {p.point: p.evidence for p in graded.points if p.status == "covered"} == {
        "per-message-ack": first,
        "operations": second,
    }


def test_right_answers_in_other_words_are_not_called_wrong(app: App) -> None:
    rows = rows_of(Path(__file__).parents[2] / "evals" / "drill" / "paraphrases.jsonl")
    assert len(rows) >= 40 and len({row["card"] for row in rows}) >= 10
    made = []
    for row in rows:
        graded = app.drills.grade(row["card"], row["probe"], row["answer"])
        assert graded.verdict != "wrong", row["id"]
        assert all(p.status != "contradicted" for p in graded.points), row["id"]
        made += [p.status == "covered" for p in graded.points if row["points"][p.point] == "covered"]
    assert sum(made) / len(made) > 0.65  # .70 when they were written


def test_a_complete_answer_may_be_short_and_a_repeated_one_is_nothing(app: App) -> None:
    whole = (
        "Because more than one team will want these events, and with Kafka each of them reads the whole stream on their"
        " own at their own speed; with SQS once a consumer deletes the message it's gone, so you'd need SNS and a queue"
        " each. Also when a bug breaks the read model I can go back to last Tuesday and read it again. And if I use the"
        " order id as the key, all events of one order come out in sequence."
    )
    assert app.drills.grade("kafka", "kafka-vs-sqs", whole).verdict == "strong"
    again = "Redis keeps everything in memory and can lose data. " * 50
    assert app.drills.grade("redis", "why-not-primary", again).verdict == "weak"


@pytest.mark.parametrize("reply", ["good question", "okay sure", "banana split", "hmm, pass please"])
def test_small_talk_after_a_follow_up_raises_nothing(app: App, reply: str) -> None:
    answer = (
        "Kafka is a distributed log made at LinkedIn, and it scales very well, with brokers, topics and partitions."
    )

    def scored(said: str) -> float:
        session = app.drills.start("why not kafka", kind="probe")
        words = {"clarify": "", "answer": answer, "follow-up": said, "twist": said, "rate": "3"}
        while session.pending:
            session = app.drills.reply(session.id, session.pending.id, words[session.state])
        (done,) = session.rounds
        assert done.grade and (done.twist is None or done.twist.points[0].status == "missed")
        return done.grade.score

    assert scored(reply) == scored("skip")


def test_a_decision_counts_where_the_choice_goes(app: App) -> None:
    answer = (
        "Kafka, because several teams read the same order events. Kafka keeps events for the configured retention "
        "regardless of reads, so a new consumer replays them. Each consumer group reads the whole stream on its own, "
        "where SQS needs a queue per consumer behind a fan-out."
    )

    def scored(reply: str) -> tuple[float, str]:
        session = app.drills.start("Kafka or SQS", kind="decision")
        words = {"clarify": "", "answer": answer, "follow-up": "skip", "twist": reply, "rate": "3"}
        while session.pending:
            session = app.drills.reply(session.id, session.pending.id, words[session.state])
        grade = session.rounds[0].grade
        assert grade
        return grade.score, grade.points[-1].status

    stuck, skipped, right = map(
        scored,
        (
            "Nothing changes, I stay with Kafka for everything.",
            "skip",
            "Then I drop Kafka and take SQS: fully managed.",
        ),
    )
    assert [stuck[1], skipped[1], right[1]] == ["contradicted", "missed", "covered"]
    assert stuck[0] < skipped[0] < right[0] and stuck[0] <= 0.45


def test_a_wrong_quantity_caps_an_estimate(app: App) -> None:
    session = app.drills.start(kind="estimate", chosen=Selection(seed=1))
    rubric = session.task.rubric
    drawn = scenario(1)
    right = ". ".join(f"{w.label}: {w.amount()}" for w in drawn.quantities) + ". I assume a peak factor of 3."
    assert ArithmeticGrader().grade(rubric, right).verdict == "strong"
    egress = next(w for w in drawn.quantities if w.id == "egress")
    wrong = right.replace(f"{egress.label}: {egress.amount()}", f"{egress.label}: {egress.amount(egress.low * 8)}")
    graded = ArithmeticGrader().grade(rubric, wrong)
    assert any(p.status == "contradicted" for p in graded.points)
    assert graded.verdict == "mixed" and graded.score <= 0.45 and not graded.level


def test_the_batch_gives_a_line_for_each_line(home: Path, tmp_path: Path) -> None:
    asked = [
        {"id": 1, "card": "kafka", "probe": PROBE, "answer": STRONG},
        {"id": "two", "card": "Apache Kafka", "probe": "Why not Kafka for sending emails?", "answer": WRONG},
        {"id": 3, "card": "guide/apache-kafka-deep-dive", "probe": "", "answer": "Events stay and can be replayed."},
        {"id": 4, "card": "kafak", "probe": PROBE, "answer": ""},
        {"id": 5, "card": "no such card at all", "probe": PROBE, "answer": STRONG},
        {"id": 6, "card": "kafka", "probe": PROBE, "answer": "x" * 20_001},
    ]
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    found = lines(tutor(home, "grade", "--batch", str(file)).stdout)
    assert [row["id"] for row in found] == [1, "two", 3, 4, 5, 6]
    keys = ["id", "score", "verdict", "points", "red_flags", "level", "lifts", "follow_ups", "reason", "ms"]
    assert list(found[0]) == keys
    assert found[0]["score"] > 0.7 > 0.1 > found[1]["score"]
    assert [found[n]["verdict"] for n in (3, 4, 5)] == ["ungraded"] * 3
    assert found[4]["error"].startswith("no such card") and "Did you mean" in found[4]["error"]
    assert "20,000" in found[5]["error"]
    assert {p["status"] for row in found for p in row["points"]} <= {"covered", "partly", "missed", "contradicted"}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "  \n ",
        "no",
        "🤷",
        "\x00\x07\x1b[31m",
        "def f():\n    return 1",
        "Почему бы и нет? Потому что медленно.",
        "a " * 9_000,
    ],
)
def test_nothing_scores_nothing(app: App, answer: str) -> None:
    graded = app.drills.grade("kafka", PROBE, answer)
    assert graded.score == 0
    assert graded.verdict in ("ungraded", "weak")


def test_bad_lines_are_named_and_the_rest_is_graded(home: Path) -> None:
    text = '{"id": 1, "card": "kafka"}\nnot json\n' + json.dumps(
        {"id": 2, "card": "kafka", "probe": PROBE, "answer": "x"}
    )
    done = tutor(home, "grade", "--batch", "-", stdin=text, code=2)
    found = lines(done.stdout)
    assert [(row["id"], row.get("line"), row["verdict"]) for row in found[:2]] == [
        (1, 1, "ungraded"),
        (None, 2, "ungraded"),
    ]
    assert "no 'probe'" in found[0]["error"] and "not JSON" in found[1]["error"]
    assert found[2]["id"] == 2 and len(found) == 3
    assert "'probe' and no 'answer'" in done.stderr and "2 lines were left out" in done.stderr


HALF = '{"id": 1, "card": "kafka", "probe": "x", "answer": "\\ud800 SQS acknowledges each message"}\n'


def test_half_a_character_ends_no_batch(home: Path) -> None:
    good = json.dumps({"id": 2, "card": "kafka", "probe": PROBE, "answer": STRONG})
    found = lines(tutor(home, "grade", "--batch", "-", stdin=HALF + good).stdout)
    assert [row["id"] for row in found] == [1, 2]
    assert found[1]["score"] > 0.5


def test_a_fault_in_one_line_ends_no_batch(app: App, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from types import SimpleNamespace

    from tutor.cli import drill

    def grade(card: str, probe: str, answer: str) -> Any:
        if answer == "bad":
            raise TypeError("nobody thought of this")
        return Grade(score=1.0, verdict="strong", points=())

    core = SimpleNamespace(drills=SimpleNamespace(grade=grade))
    context: Any = SimpleNamespace(obj=SimpleNamespace(core=lambda: nullcontext(core)))
    rows = [{"id": n, "card": "c", "probe": "p", "answer": answer} for n, answer in enumerate(["good", "bad", "good"])]
    monkeypatch.setattr(drill, "batch_rows", lambda *_, **__: iter(rows))
    drill.grade(context, "-")
    found = capsys.readouterr()
    assert [row["verdict"] for row in lines(found.out)] == ["strong", "ungraded", "strong"]
    assert "unexpected TypeError: nobody thought of this" in lines(found.out)[1]["error"]
    assert "nobody thought of this" in found.err


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_bytes_that_are_no_text_end_no_drill(home: Path, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "--home", str(home), "drill", "why not kafka", "--json"],
        input=b"\nbad \xff byte, caf\xc3\xa9\n",
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


# --- the drill at a terminal ------------------------------------------------------------------------------------------


def test_a_scripted_drill_from_question_to_grade(home: Path) -> None:
    said = ["", STRONG.replace("\n", " "), "", "", "", "", ""]
    found = lines(tutor(home, "drill", "why not kafka for sending emails", "--json", stdin="\n".join(said)).stdout)
    assert [found[0]["state"], found[1]["state"]] == ["clarify", "answer"]
    assert found[0]["question"]["text"].startswith("We only need background jobs")
    last = found[-1]
    assert last["state"] == "done" and last["question"] is None
    assert last["graded"]["card"] == "kafka" and last["graded"]["probe"] == PROBE
    assert last["graded"]["verdict"] in ("strong", "mixed")


def test_a_killed_drill_goes_on_where_it_was(home: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")} | {"TUTOR_HOME": str(home)}
    with subprocess.Popen(
        [sys.executable, "-m", "tutor", "drill", "why not kafka", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin and process.stdout
        session = json.loads(process.stdout.readline())["session"]
        process.stdin.write("How many mails?\n")
        process.stdin.flush()
        asked = json.loads(process.stdout.readline())
        assert asked["state"] == "answer"
        process.send_signal(signal.SIGKILL)
    again = lines(tutor(home, "drill", "--resume", session, "--json").stdout)[0]
    assert again["question"] == asked["question"]
    kept = json.loads(tutor(home, "drill", "--export", session, "--json").stdout)
    assert kept["rounds"][0]["turns"][1]["text"] == "How many mails?"


def test_an_answer_survives_a_kill_while_it_is_graded(home: Path) -> None:
    session = lines(tutor(home, "drill", "why not kafka", "--json", stdin="\n").stdout)[-1]["session"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")} | {"TUTOR_HOME": str(home)}
    with subprocess.Popen(
        [sys.executable, "-m", "tutor", "drill", "--resume", session, "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        process.stdin.write(STRONG + "\n")
        process.stdin.flush()
        time.sleep(0.3)  # the grader of a fresh process is still being loaded
        process.send_signal(signal.SIGKILL)
    kept = json.loads(tutor(home, "drill", "--export", session, "--json").stdout)
    said = [turn["text"] for turn in kept["rounds"][0]["turns"] if turn["who"] == "learner"]
    assert said == ["", STRONG] and kept["rounds"][0]["first"]["verdict"] in ("strong", "mixed")
    again = lines(tutor(home, "drill", "--resume", session, "--json").stdout)[0]
    assert again["state"] in ("follow-up", "twist")


def test_the_interview_fits_eighty_columns_and_can_be_left(home: Path) -> None:
    done = tutor(home, "drill", "why not kafka", stdin=f"\n{STRONG}\n\nquit\n")
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if "http" not in line)
    assert "tutor drill --resume" in done.stdout
    session = done.stdout.rsplit("--resume ", 1)[1].split()[0]
    assert session in tutor(home, "drill", "--list").stdout
    transcript = tutor(home, "drill", "--export", session).stdout
    assert "**You:** For plain jobs" in transcript


def test_a_finished_drill_is_found_again(home: Path) -> None:
    done = lines(tutor(home, "drill", "why not kafka", "--json", stdin="\nskip\n2\n").stdout)[-1]
    assert done["state"] == "done" and done["graded"]["due"] and done["graded"]["read"][0]["quote"]
    tutor(home, "drill", "--card", "consensus", "--json")
    listed = tutor(home, "drill", "--list", "--all").stdout
    assert f"{done['session']}  probe     over" in listed
    assert done["session"] not in tutor(home, "drill", "--list").stdout
    assert all(len(line) <= 80 for line in listed.splitlines())
    rows = lines(tutor(home, "drill", "--list", "--all", "--json").stdout)
    assert {"session": done["session"], "state": "done"}.items() <= next(
        row for row in rows if row["session"] == done["session"]
    ).items()
    assert "Kept: point 2 is covered" in tutor(home, "drill", "--override", done["session"], "2=covered").stdout
    assert f"Drill {done['session']}" in tutor(home, "drill", "--export", done["session"]).stdout
    assert "# Drill" in tutor(home, "drill", "--export", "last").stdout
    again = tutor(home, "drill", "--resume", done["session"], stdin="\n").stdout
    assert "Grade: " in again and "Due again on" in again and "Disagree?" not in again  # nothing was graded


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["drill", "why not kafkaesque quuxification"], 1, "No card has a name like it"),
        (["drill", "--format", "chess"], 2, "unknown format 'chess'"),
        (["drill", "--card", "nonesuch queue"], 1, "Did you mean"),
        (["drill", "--resume", "nothing"], 1, "no drill has this id"),
        (["drill", "--resume", "../../etc/passwd"], 1, "no drill has this id"),
        (["drill", "--phase", "17"], 1, "no probe fits"),
        (["drill", "--count", "0"], 2, "1 to 50"),
        (["drill", "--thread", "knitting"], 1, "Known: "),
        (["drill", "--due"], 1, "no probe is due"),
        (["drill", "--choose", "kafka"], 2, "--choose goes with --count and --seed only, not with a name"),
        (["drill", "--format", "hld", "perpetual motion"], 1, "Did you mean"),
        (["grade", "--batch", "/no/such/file"], 2, "cannot be read"),
    ],
)
def test_what_cannot_be_drilled_is_said(tmp_path: Path, home: Path, arguments: list[str], code: int, said: str) -> None:
    done = tutor(home, *arguments, code=code)
    assert said in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "decision", "kafka or sqs"],
        ["--format", "estimate", "--seed", "7"],
        ["--format", "hld", "url shortener"],
        ["--format", "lld", "--seed", "1"],
        ["--format", "capstone", "news feed"],
        ["--format", "review", "--seed", "3"],
        ["--format", "behavioural", "outage"],
        ["--card", "consensus"],
        ["--choose", "--count", "2"],
        ["--thread", "messaging", "--count", "2", "--seed", "5"],
        ["--phase", "4", "--tier", "1", "--count", "3", "--seed", "5"],
    ],
)
def test_every_format_starts_and_takes_an_answer(home: Path, arguments: list[str]) -> None:
    answer = "I would take the simpler option since it costs less; the other wins under heavy load."
    found = lines(tutor(home, "drill", *arguments, "--json", stdin=f"{answer}\n{answer}\n").stdout)
    assert all("error" not in row for row in found)
    assert found[0]["question"]["text"]
    assert len(found) == 3


def test_a_set_is_the_same_with_the_same_seed(home: Path) -> None:
    def drawn(seed: str) -> list[tuple[str, str]]:
        row = lines(tutor(home, "drill", "--phase", "4", "--seed", seed, "--json").stdout)[0]
        kept = json.loads(tutor(home, "drill", "--export", row["session"], "--json").stdout)
        return [(task["card"], task["probe"]) for task in kept["tasks"]]

    assert drawn("11") == drawn("11") != drawn("12")
    assert len({card for card, _ in drawn("11")}) == 5


# --- HTTP -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
def test_a_drill_over_http(client: TestClient, prefix: str) -> None:
    started = client.post(f"{prefix}/drills", json={"request": "why not kafka for sending emails"})
    assert started.status_code == 201
    step = started.json()
    session, first = step["session"], step["question"]["id"]
    assert client.get(f"{prefix}/drills/{session}").json()["question"] == step["question"]
    reply = client.post(f"{prefix}/drills/{session}/replies", json={"question": first, "answer": ""})
    assert reply.json()["state"] == "answer"
    stale = client.post(f"{prefix}/drills/{session}/replies", json={"question": first, "answer": "x"})
    assert stale.status_code == 409
    assert stale.json()["error"]["fix"].startswith("Now asked: ")
    step = reply.json()
    answers = iter([STRONG, *["skip"] * 8])
    while step["question"]:
        body = {"question": step["question"]["id"], "answer": "4" if step["state"] == "rate" else next(answers)}
        step = client.post(f"{prefix}/drills/{session}/replies", json=body).json()
    assert step["graded"]["verdict"] in ("strong", "mixed") and step["graded"]["rating"] == 4
    late = client.post(f"{prefix}/drills/{session}/replies", json={"question": first, "answer": "x"})
    assert late.status_code == 409
    point = step["graded"]["points"][0]["point"]
    kept = client.post(f"{prefix}/drills/{session}/overrides", json={"point": point, "status": "missed"})
    assert kept.status_code == 201 and kept.json()["learner"] == "missed"
    assert "## 1. Apache Kafka" in client.get(f"{prefix}/drills/{session}/transcript").text


def test_a_model_beside_a_drill_over_http(home: Path) -> None:
    def script(messages: Sequence[Message]) -> list[str]:
        if "criterion" in messages[0].content:
            return ['{"made": true, "quote": "each message on its own"}']
        asked = messages[1].content.split("\n")[0].removeprefix("Question: ")
        return ["Say, ", asked[0].lower(), asked[1:]]

    model = ScriptedModel(script)
    app = App(Settings(home=home), model=model)
    with TestClient(create_app(app)) as beside:
        step = beside.post("/api/v1/drills", json={"request": "why not kafka for sending emails"}).json()
        assert step["question"]["phrased"].startswith("Say, ") and not step["question"]["text"].startswith("Say, ")
        url = f"/api/v1/drills/{step['session']}"
        answers = iter(["A task queue acknowledges each message on its own.", *["skip"] * 9])
        early = beside.post(f"{url}/opinions", json={})
        assert early.status_code == 422 and "no grade yet" in early.json()["error"]["what"]
        while step["question"]:
            text = "" if step["state"] == "clarify" else "4" if step["state"] == "rate" else next(answers)
            step = beside.post(f"{url}/replies", json={"question": step["question"]["id"], "answer": text}).json()
        found = beside.post(f"{url}/opinions", json={"task": 1}).json()
        assert {row["quote"] for row in found} == {"each message on its own"} and all(row["made"] for row in found)
        after = beside.get(url).json()["graded"]
        assert after.pop("second") == found and step["graded"].pop("second") is None
        assert after == step["graded"]
    app.close()


def test_without_a_model_there_is_no_second_reader(client: TestClient) -> None:
    step = client.post("/api/v1/drills", json={"card": "kafka"}).json()
    assert step["question"]["phrased"] == ""
    refused = client.post(f"/api/v1/drills/{step['session']}/opinions", json={})
    assert refused.status_code == 422 and refused.json()["error"]["what"] == "no language model is set"


def test_a_reply_as_events(client: TestClient) -> None:
    step = client.post("/api/v1/drills", json={"card": "kafka"}).json()
    body = {"question": step["question"]["id"], "answer": ""}
    url = f"/api/v1/drills/{step['session']}/replies"
    events = client.post(url, json=body, headers={"Accept": "text/event-stream"}).text
    assert [line[7:] for line in events.splitlines() if line.startswith("event: ")] == ["status", "step"]
    assert client.post(url, json=body, headers={"Accept": "text/event-stream"}).status_code == 409
    gone = "/api/v1/drills/20260101-00000000/replies"
    refused = client.post(gone, json=body, headers={"Accept": "text/event-stream"})
    assert refused.status_code == 404 and refused.json()["error"]["fix"].startswith("GET /api/v1/drills?all=true")


def test_errors_over_http_speak_http(client: TestClient) -> None:
    count = client.post("/api/v1/drills", json={"count": 99}).json()["error"]
    assert count["about"] == "count"
    due = client.post("/api/v1/drills", json={"due": True, "phase": 7, "tier": 3}).json()["error"]  # no card of Kafka's
    assert "tutor" not in due["fix"]
    large = client.post("/api/v1/grade", json={"card": "kafka", "answer": "x" * 70_000})
    assert large.status_code == 413 and "20,000" in large.json()["error"]["fix"]
    formats = client.get("/openapi.json").json()["components"]["schemas"]["DrillIn"]["properties"]["format"]
    assert "estimate" in formats["description"] and "behavioural" in formats["description"]
    client.post("/api/v1/drills", json={"card": "kafka"})
    first = client.get("/api/v1/drills").json()[0]
    assert {"session", "kind", "state", "title", "task", "of"} <= set(first)


def test_half_a_character_over_http(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    half = b'{"card": "kafka", "probe": "x", "answer": "\\ud800 SQS acknowledges each message"}'
    assert client.post("/api/v1/grade", content=half, headers=headers).status_code == 200
    strange = client.post("/api/v1/grade", content=b'{"card": "kafka", "\\ud800": 1}', headers=headers)
    assert strange.status_code == 422
    step = client.post("/api/v1/drills", json={"card": "kafka"}).json()
    reply = b'{"question": "%s", "answer": "\\ud800 lone"}' % step["question"]["id"].encode()
    url = f"/api/v1/drills/{step['session']}/replies"
    assert client.post(url, content=reply, headers=headers).json()["state"] == "answer"


def test_a_stream_ends_with_an_event_whatever_happens(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    step = client.post("/api/v1/drills", json={"card": "kafka"}).json()
    monkeypatch.setattr(Drills, "reply", lambda *_: 1 / 0)
    url, body = f"/api/v1/drills/{step['session']}/replies", {"question": step["question"]["id"], "answer": ""}
    events = client.post(url, json=body, headers={"Accept": "text/event-stream"}).text
    assert [line[7:] for line in events.splitlines() if line.startswith("event: ")] == ["status", "error"]
    assert "ZeroDivisionError" in events


@pytest.mark.parametrize(
    ("url", "body", "status"),
    [
        ("/api/v1/drills", {"request": "why not kafkaesque quuxification"}, 404),
        ("/api/v1/drills", {"format": "chess"}, 422),
        ("/api/v1/drills", {"colour": "red"}, 422),
        ("/api/v1/drills/20260101-00000000/replies", {"question": "q", "answer": "a"}, 404),
        ("/api/v1/drills/..%2f..%2fetc/replies", {"question": "q", "answer": "a"}, 404),
        ("/api/v1/grade", {"card": "nonesuch", "answer": "a"}, 404),
        ("/api/v1/grade", {"card": "kafka", "answer": "x" * 20_001}, 422),
    ],
)
def test_http_errors_tell_the_truth(client: TestClient, url: str, body: dict[str, Any], status: int) -> None:
    response = client.post(url, json=body)
    assert response.status_code == status
    assert response.json()["error"]["what"]


def test_a_grade_and_a_step_are_quick(app: App) -> None:
    app.drills.grade("kafka", PROBE, STRONG)
    times = []
    for _ in range(5):
        began, before = time.perf_counter(), time.process_time()
        app.drills.grade("kafka", PROBE, STRONG)
        # On a machine that is busy with other things the processor's time says what it costs.
        times.append(min(time.perf_counter() - began, time.process_time() - before))
    assert min(times) < 0.6  # 150 ms on an idle machine (evals/LOG.md); CI is not idle
