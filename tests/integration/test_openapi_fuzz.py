"""Every operation of /openapi.json with generated requests, sane and broken: no 5xx, and what comes back is described.

The requests are schemathesis's. On their own almost all of them name cards and drills that do not exist, so half of the
names are replaced by ones that do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from tutor.bootstrap import App
from tutor.drill.formats import FORMATS
from tutor.settings import Settings
from tutor.web.app import create_app

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis (extra 'dev')")
checks = pytest.importorskip("schemathesis.checks")
failures = pytest.importorskip("schemathesis.core.failures")

#: Examples of an operation: sane requests reach far, broken ones are refused at the door.
SANE, BROKEN = 20, 12
_QUIET = {
    "database": None,
    "derandomize": True,
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
Known = dict[str, list[Any]]


@pytest.fixture(scope="module")
def client(curriculum_home: Path) -> Iterator[TestClient]:
    core = App(Settings(home=curriculum_home))
    yield TestClient(create_app(core))
    core.close()


@pytest.fixture(scope="module")
def schema(client: TestClient) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


@pytest.fixture(scope="module")
def known(client: TestClient) -> Known:
    """Values that mean something, by the name of the parameter or of the body's field."""
    drills = []
    for request in (
        {"request": "why not kafka"},
        {"card": "caching"},
        {"format": "estimate"},
        {"format": "decision"},
        {"format": "hld"},
    ):
        begun = client.post("/api/v1/drills", json=request)
        assert begun.status_code == 201, begun.text
        drills.append(begun.json())
    entry = client.post(
        "/api/v1/study/log", json={"text": "Chose Kafka over SQS for replay.", "tags": ["queue"]}
    ).json()
    plans = [row["id"] for row in client.get("/api/v1/study/plans").json()["plans"]]
    started = client.post(f"/api/v1/study/plans/{plans[0]}/start", json={})
    assert started.status_code == 201, started.text
    cards = ["kafka", "caching", "RAG"]
    text = ["why not kafka?", "I would use a log because replay matters: 5 GB/day is small.", "no", "3"]
    return {
        "session": [drill["session"] for drill in drills],
        "question": [drill["question"]["id"] for drill in drills] + text,
        "q": text,
        "answer": text,
        "text": text,
        "title": text,
        "request": text,
        "card": cards,
        "cards": [cards],
        "known": [cards],
        "have": [cards],
        "doc_id": ["kafka", "caching", "article-consistent-hashing"],
        "probe": ["why-not-task-queue", "Why not SQS?"],
        "ref": ["kafka/why-not-task-queue/per-message-ack"],
        "format": list(FORMATS),
        "phases": [[3], [1, 4]],
        "tiers": [[1]],
        "count": [1, 3],
        "seed": [1],
        "point": ["replay", "ordering"],
        "status": ["covered", "missed", "learning"],
        "entry": [entry["id"], "last"],
        "id": [entry["id"], ["last"]],
        "tag": ["queue"],
        "tags": [["queue", "kafka"]],
        "plan": plans,
        "items": [["day-01"], ["1"]],
        "step": ["1", "day-01"],
        "week": ["2026-W47"],
        "item": ["month/1/week/2", "M1W2"],
        "track": ["backend"],
        "interview": ["2099-01-01"],
        "start": ["2099-01-01"],
        "hours": [10],
        "day": ["2026-05-03", "today"],
        "days": [["sat", "sun"]],
        "skips": [["sat"]],
        "name": ["tutor"],
        "model": ["tutor"],
        "messages": [[{"role": "user", "content": "When would you not use Kafka?"}]],
        "filters": [{"phase": [3]}],
        "vote": ["down"],
        "stream": [False, True],
    }


def _sensible(case: Any, data: st.DataObject, known: Known) -> None:
    """Put known values in place of about half of the generated ones."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in sorted(place.keys() & known.keys()):
                if data.draw(st.booleans()):
                    place[name] = data.draw(st.sampled_from(known[name]))


def _faults(operation: Any, known: Known, *, sane: bool) -> list[str]:
    """What was wrong with the answers of an operation, each kind of fault once, with the request that shows it."""
    found: dict[str, str] = {}
    # A text may fit the schema and still be no card, day or question: 422 then is right.
    excluded = [checks.positive_data_acceptance] if sane else [checks.negative_data_rejection]
    mode = schemathesis.GenerationMode.POSITIVE if sane else schemathesis.GenerationMode.NEGATIVE

    @settings(max_examples=SANE if sane else BROKEN, **_QUIET)
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case: Any, data: st.DataObject) -> None:
        if sane:
            _sensible(case, data, known)
        response = case.call()
        try:
            case.validate_response(response, excluded_checks=excluded)
        except failures.FailureGroup as group:
            for fault in group.exceptions:
                kind = f"{operation.label}: {fault.title}: {str(fault.message)[:200]}"
                found.setdefault(kind, f"{kind}\n{case.as_curl_command()[:1000]}\n{response.text[:500]}")
        if not sane and response.status_code >= 400 and operation.path.startswith("/api/"):
            assert set(response.json()["error"]) == {"what", "about", "fix", "transient"}

    try:
        run()
    except Unsatisfiable:
        assert not sane  # an operation without parameters has nothing to break
    return list(found.values())


@pytest.mark.parametrize("sane", [True, False], ids=["sane", "broken"])
def test_every_operation_answers_as_it_is_described(schema: Any, known: Known, sane: bool) -> None:
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 50
    faults = [fault for operation in operations for fault in _faults(operation, known, sane=sane)]
    assert not faults, "\n\n".join(faults)


def test_the_known_values_are_known(client: TestClient, known: Known) -> None:
    """Else the requests above would reach no further than a 404."""
    for session in known["session"]:
        assert client.get(f"/api/v1/drills/{session}").status_code == 200
    for name in known["doc_id"]:
        assert client.get(f"/api/v1/documents/{name}").status_code == 200
    for name in known["card"]:
        assert client.get(f"/api/v1/study/progress/{name}").status_code == 200
    for name in known["plan"]:
        assert client.get(f"/api/v1/study/plans/{name}").status_code == 200
    for name in known["entry"]:
        assert client.get(f"/api/v1/study/log/{name}").status_code == 200
    grade = {"card": "kafka", "probe": known["probe"][0], "answer": known["answer"][1]}
    assert client.post("/api/v1/grade", json=grade).status_code == 200
