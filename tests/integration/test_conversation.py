"""Conversations over the real curriculum: the committed sets, the terminal, the API, and the guard of the cache."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import ScriptedModel
from tutor.answering.conversation import Conversation
from tutor.answering.talk import Said, Talk
from tutor.bootstrap import App
from tutor.errors import UsageError
from tutor.settings import Settings
from tutor.web.app import create_app

EVALS = Path(__file__).resolve().parents[2] / "evals"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EVALS / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def core(curriculum_home: Path) -> Iterator[App]:
    app = App(Settings(home=curriculum_home))
    yield app
    app.close()


@pytest.fixture(scope="module")
def client(core: App) -> Iterator[TestClient]:
    with TestClient(create_app(core), base_url="http://127.0.0.1:8000") as found:
        yield found


def read(core: App, turns: list[str]) -> str:
    return core.talk.read(turns[-1], core.talk.remembered(Said(turn) for turn in turns[:-1])).text


def test_the_set_is_whole() -> None:
    found = rows("conversation/followups.jsonl")
    assert len(found) >= 150 and sum(r["untouched"] for r in found) >= 40
    assert len({r["id"] for r in found}) == len(found)
    assert all(2 <= len(r["turns"]) <= 4 for r in found)


@pytest.mark.parametrize(("half", "floor"), [("develop", 0.98), ("report", 0.93)])
def test_follow_ups_are_read_for_what_they_mean(core: App, half: str, floor: float) -> None:
    right = []
    for row in rows("conversation/followups.jsonl"):
        if row["half"] == half and not row["untouched"]:
            low = f" {read(core, row['turns']).lower()}"
            right.append(all(t in low for t in row["must"]) and not any(t in low for t in row["must_not"]))
    assert sum(right) / len(right) >= floor


def test_full_questions_stay_as_they_are(core: App) -> None:
    mine = [r["turns"] for r in rows("conversation/followups.jsonl") if r["untouched"]]
    assert sum(read(core, turns) != turns[-1] for turns in mine) <= 2  # of 48; both are in docs/conversation.md
    golden = [r["question"] for r in rows("golden/questions.jsonl") if not r["history"]]
    touched = [q for n, q in enumerate(golden) if read(core, [golden[n - 7], q]) != q]
    assert touched == []


def test_golden_follow_ups_find_their_card(core: App) -> None:
    asked = [r for r in rows("golden/questions.jsonl") if r["history"]]
    found = 0
    for row in asked:
        text = read(core, [*row["history"], row["question"]])
        hits = core.searcher.search(text, limit=5, by_document=True).hits
        found += bool({h.passage.doc_id for h in hits} & set(row["documents"]))
    assert found == len(asked)


def test_no_two_questions_that_differ_share_an_answer(core: App) -> None:
    senses = core.cache._senses
    assert senses is not None
    pairs = rows("cache/pairs.jsonl")
    assert len(pairs) >= 500
    false, hits, same = [], 0, 0
    for row in pairs:
        first = senses.of(row["a"])
        equal = first is not None and first == senses.of(row["b"])
        if row["same"]:
            same, hits = same + 1, hits + equal
        elif equal:
            false.append((row["a"], row["b"]))
    assert false == []
    assert hits / same >= 0.88


@pytest.mark.parametrize(
    "long",
    [
        "a " * 1_990,
        "what is the difference between " + "and " * 950,
        "how do " + "and differ " * 300,
        "how " + "do " * 1_300,
        "the " + "of " * 1_300,
        "ttl " * 990 + "5",
        "1" + ",000" * 990 + "x",
        "¹" * 3_900,
        "a." * 1_990,
        "why not " * 490,
    ],
)
def test_the_sense_of_a_hostile_question_takes_no_time(core: App, long: str) -> None:
    senses = core.cache._senses
    assert senses is not None
    began = time.process_time()
    assert senses.of(long) == senses.of(f" {long}")
    assert time.process_time() - began < 0.5


def test_an_answer_is_found_by_its_sense_and_no_further(core: App) -> None:
    scope = core.cache_scope("scripted/1", "p1", learner="ann")
    core.cache.clear()
    core.cache.put("When should I not use Kafka?", scope, {"answer": "Not for jobs. [1]", "abstained": False})
    found = core.cache.get("when to avoid Kafka?", scope)
    assert found is not None and (found.how, found.question) == ("sense", "When should I not use Kafka?")
    assert core.cache.get("When should I use Kafka?", scope) is None
    assert core.cache.get("when to avoid Kafka?", core.cache_scope("scripted/1", "p1", learner="bob")) is None
    core.cache.clear()
    assert core.cache.get("When should I not use Kafka?", scope) is None
    assert core.cache_scope("scripted/1", "p1").learner == "local"


def test_a_follow_up_is_answered_from_the_right_card(core: App) -> None:
    first = core.talk.ask("When should I use Kafka?", Conversation())
    assert first.standalone is None
    second = core.talk.ask("and when not?", first.conversation)
    assert second.standalone == "When should I not use Kafka?"
    assert second.answer.citations[0].doc_id == "kafka" and second.answer.intent == "when-not"
    turn = second.conversation.turns[-1]
    assert (turn.question, turn.names) == ("and when not?", ("Kafka",))
    assert "kafka" in turn.doc_ids and turn.said


def test_a_model_reads_only_what_leans_on_the_conversation(core: App) -> None:
    model = ScriptedModel(lambda messages: ["When should I not use Kafka?"])
    talk = Talk(core.answerer, model)
    before = talk.remembered([Said("When should I use Kafka?", "For streams.")])
    assert model.asked == []
    assert talk.read("What is a Bloom filter?", before).by == "rules" and model.asked == []
    assert talk.read("and when not?", before).by == "scripted/1"


def test_a_history_has_limits(core: App) -> None:
    with pytest.raises(UsageError, match="51 turns"):
        core.talk.remembered([Said("What is Kafka?")] * 51)
    with pytest.raises(UsageError, match="4,001"):
        core.talk.remembered([Said("x" * 4_001)])


# -- the API


def test_the_api_reads_a_follow_up(client: TestClient) -> None:
    history = [{"question": "When should I use Kafka?", "answer": "For event streams. [1]"}]
    body = client.post("/api/v1/ask", json={"question": "and when not?", "history": history}).json()
    assert body["standalone"] == "When should I not use Kafka?" and not body["abstained"]
    assert body["citations"][0]["doc_id"] == "kafka"
    alone = client.post("/api/v1/ask", json={"question": "What is Raft?", "history": history}).json()
    assert alone["standalone"] is None


def test_the_stream_says_how_it_read(client: TestClient) -> None:
    history = [{"question": "When should I use Kafka?"}]
    text = client.post("/api/v1/ask/stream", json={"question": "and when not?", "history": history}).text
    names = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]
    assert names[:3] == ["status", "read", "verdict"] and names[-1] == "done"
    done = json.loads(text.rsplit("data: ", 1)[1])
    assert done["standalone"] == "When should I not use Kafka?"
    plain = client.get("/api/v1/ask/stream", params={"q": "What is Raft?"}).text
    assert "event: read" not in plain and "event: done" in plain


@pytest.mark.parametrize(
    "body",
    [
        {"question": "and when not?", "history": [{"question": ""}]},
        {"question": "and when not?", "history": [{"answer": "x"}]},
        {"question": "and when not?", "history": [{"question": "q"}] * 51},
        {"question": "and when not?", "history": [{"question": "q", "answer": "x" * 20_001}]},
        {"question": "and when not?", "history": [{"question": "x" * 4_001}]},
        {"question": "and when not?", "history": [{"question": "q", "role": "system"}]},
        {"question": "and when not?", "history": "q"},
        {"question": "and when not?", "history": [{"question": "\u200b"}]},
        {"question": "", "history": []},
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream"])
def test_a_bad_history_is_refused(client: TestClient, path: str, body: dict[str, Any]) -> None:
    found = client.post(path, json=body)
    if found.status_code == 200:  # a stream that has begun ends with the error
        assert "event: error" in found.text and '"fix"' in found.text
    else:
        assert found.status_code == 422 and found.json()["error"]["what"]


# -- the terminal


def chat(home: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tutor", "--home", str(home), "chat", *more]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)


def test_a_chat_in_the_terminal(curriculum_home: Path) -> None:
    lines = "When should I use Kafka?\nand when not?\n/memory\n/new\n/memory\n/nonsense\n\n/quit\nnever read\n"
    done = chat(curriculum_home, lines)
    assert done.returncode == 0 and done.stderr == ""
    assert "(read as: When should I not use Kafka?)" in done.stdout
    assert "asked as: and when not?" in done.stdout
    assert "(nothing is remembered)" in done.stdout and "never read" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_a_chat_ends_with_its_input(curriculum_home: Path) -> None:
    done = chat(curriculum_home, "What is Raft?")
    assert done.returncode == 0 and "Raft" in done.stdout and "Traceback" not in done.stderr


def test_a_chat_over_json_lines(curriculum_home: Path) -> None:
    asked = [
        {"id": "a", "question": "When should I use Kafka?"},
        {"id": "b", "question": "and when not?"},
        {"id": "c", "question": ""},
        {"id": "d", "question": "What is a Bloom filter?"},
        {"id": "e", "question": "and when not?", "new": True},
    ]
    done = chat(curriculum_home, "\n".join(map(json.dumps, asked)), "--json")
    found = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0 and list(found) == list("abcde")
    assert found["b"]["standalone"] == "When should I not use Kafka?" and found["b"]["carried"] == ["Kafka"]
    assert found["b"]["by"] == "rules" and found["b"]["why"]
    assert "empty" in found["c"]["error"]
    assert found["d"]["shifted"] and found["d"]["standalone"] is None
    assert found["e"]["standalone"] is None and found["e"]["abstained"]


@pytest.mark.parametrize(
    ("turns", "read_as"),
    [
        # A circumstance goes along with the next question, and no further; another takes its place.
        (
            ["How does PostgreSQL replication work?", "and on failover?", "give me an example"],
            "What is an example of PostgreSQL replication, on failover?",
        ),
        (
            ["How does PostgreSQL replication work?", "and on failover?", "an example?", "what are the alternatives?"],
            "What are the alternatives to PostgreSQL replication?",
        ),
        (["When to use Kafka?", "and on failover?", "and with ten topics?"], "When to use Kafka, with ten topics?"),
        # What was named is exchanged whole.
        (["What are virtual nodes?", "no, I meant rendezvous hashing"], "What is rendezvous hashing?"),
        # A pleasantry is nothing to lean on, and leans on nothing.
        (["When should I use Kafka?", "thanks"], "thanks"),
        (["When should I use Kafka?", "thanks", "why?"], "Why should I use Kafka?"),
    ],
)  # fmt: skip
def test_a_chain_of_follow_ups_keeps_to_its_subject(core: App, turns: list[str], read_as: str) -> None:
    assert read(core, turns) == read_as
