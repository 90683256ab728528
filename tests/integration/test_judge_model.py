"""A judge model over HTTP: real Ragas and the real OpenAI client against a server that behaves and misbehaves."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from judge_server import FakeModel, Reply, completion, serving
from tutor.evals.agreement import JudgeLabel, agreement
from tutor.evals.judged import Judge, Judged
from tutor.evals.ragas_judge import JUDGED
from tutor.evals.ragas_metrics import RagasCase
from tutor.evals.sets import rows
from tutor.settings import JudgeSettings

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="needs the 'eval' extra"),
]
LABELS = Path(__file__).resolve().parents[2] / "evals" / "golden" / "judge_labels.jsonl"
CASE = RagasCase("What is asked?", "An answer.", "A reference.", retrieved_contexts=("One.", "Two."))
FAITHFUL = ("ragas_faithfulness",)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModel]:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with serving() as model:
        yield model


def embed(texts: list[str]) -> NDArray[np.float32]:
    return np.ones((len(texts), 4), dtype=np.float32)


def judge(model: FakeModel, **changes: object) -> Judge:
    values = {"url": model.url, "model": "fake", "timeout_s": 5.0, "max_cases": 50} | changes
    return Judge(JudgeSettings.model_validate(values), embed)


def cases(n: int) -> dict[str, RagasCase]:
    return {f"c{number}": CASE for number in range(n)}


def test_all_five_metrics_of_a_case(model: FakeModel) -> None:
    done: list[tuple[int, int]] = []
    found = judge(model).run(cases(2), progress=lambda n, of: done.append((n, of)))
    assert set(found.scores) == set(JUDGED) and len(JUDGED) == 5
    for score in found.scores.values():
        assert (score.judged, score.failed, score.left, score.why) == (2, 0, 0, {})
        assert score.mean == pytest.approx(1.0, abs=1e-6)
    assert set(found.values) == {"c0", "c1"} and set(found.values["c0"]) == set(JUDGED)
    assert done[-1] == (10, 10) and len(done) == 10
    # 2 for faithfulness, 3 questions, 2 contexts, 1 for recall, 2 × 2 for correctness
    assert len(model.requests) == 2 * 12
    assert set(model.paths) == {"/v1/chat/completions"}
    assert {(r["model"], r["temperature"], r["max_tokens"]) for r in model.requests} == {("fake", 0.0, 2048)}


def test_a_bad_answer_scores_nothing(model: FakeModel) -> None:
    model.verdict = lambda prompt: False
    found = judge(model).run(cases(1))
    assert {name: score.mean for name, score in found.scores.items()} == dict.fromkeys(JUDGED, 0.0)


def test_the_key_goes_to_the_server_that_it_is_for(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "meant-for-another")
    judge(model, api_key="hush-hush").run(cases(1), metrics=FAITHFUL)
    assert {headers["authorization"] for headers in model.headers} == {"Bearer hush-hush"}
    model.headers.clear()
    judge(model).run(cases(1), metrics=FAITHFUL)
    assert model.headers and all("authorization" not in headers for headers in model.headers)
    assert "meant-for-another" not in str(model.headers)


def test_a_server_that_stalls_is_a_time_out(model: FakeModel) -> None:
    def stall(n: int, form: str, reply: object) -> None:
        model.release.wait(20)

    model.change = stall
    found = judge(model, timeout_s=0.3).run(cases(1), metrics=FAITHFUL)
    assert_failed(found, "time-out")
    assert len(model.requests) == 3


def test_a_server_that_trickles_is_cut_off(model: FakeModel) -> None:
    model.trickle_s = 0.05  # no single wait is a time-out, and the whole reply would take 15 s
    started = time.perf_counter()
    found = judge(model, timeout_s=0.2).run(cases(1), metrics=FAITHFUL)
    assert_failed(found, "time-out")
    assert 1.5 < time.perf_counter() - started < 8


def test_a_server_that_is_not_there(model: FakeModel) -> None:
    found = judge(model, url="http://127.0.0.1:9/v1").run(cases(1), metrics=FAITHFUL)
    assert_failed(found, "no connection")


def test_an_error_of_the_server_is_tried_three_times(model: FakeModel) -> None:
    model.change = lambda n, form, reply: failure(500)
    assert_failed(judge(model).run(cases(1), metrics=FAITHFUL), "HTTP 500")
    assert len(model.requests) == 3


def test_a_refused_key_is_not_repeated_in_the_reason(model: FakeModel) -> None:
    model.change = lambda n, form, reply: (401, {}, b'{"error": {"message": "wrong key hush-hush"}}')
    found = judge(model, api_key="hush-hush").run(cases(1), metrics=FAITHFUL)
    assert_failed(found, "HTTP 401")
    assert "hush" not in found.model_dump_json() and len(model.requests) == 1


def test_too_many_requests_and_then_an_answer(model: FakeModel) -> None:
    model.change = lambda n, form, reply: failure(429) if n == 1 else None
    found = judge(model).run(cases(1), metrics=FAITHFUL)
    assert found.scores["ragas_faithfulness"].mean == 1.0
    assert len(model.requests) == 3


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (completion("I think it is fine."), "InstructorRetryException"),
        (completion('{"statements": "one'), "InstructorRetryException"),
        (completion('{"statements": []}'), "HalfAnswer"),
        (b'{"choices": []}', "IndexError"),
        (b"not JSON at all", "UnboundLocalError"),  # instructor 1.3.2 trips over its own handling of it
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_for_once_more(model: FakeModel, reply: bytes, kind: str) -> None:
    model.change = lambda n, form, given: (200, {}, reply)
    found = judge(model).run(cases(1), metrics=FAITHFUL)
    assert_failed(found, f"an answer that cannot be used ({kind})")
    assert len(model.requests) == 2
    assert "not the whole JSON object" in model.requests[1]["messages"][-1]["content"]


def test_the_second_answer_counts(model: FakeModel) -> None:
    model.change = lambda n, form, reply: (200, {}, completion("Well,")) if n == 1 else None
    assert judge(model).run(cases(1), metrics=FAITHFUL).scores["ragas_faithfulness"].mean == 1.0


@pytest.mark.parametrize("metric", JUDGED)
def test_half_an_answer_is_a_failure_and_no_score(model: FakeModel, metric: str) -> None:
    """Ragas itself would give 0 for no claims, and 1 for a verdict of 7 or one verdict on two claims."""

    def half(n: int, form: str, reply: dict[str, object]) -> dict[str, object] | None:
        match form:
            case "NLIStatementOutput":
                return {"statements": reply["statements"][:1]}  # type: ignore[index]
            case "AnswerRelevanceOutput":
                return {"question": " ", "noncommittal": 0}
            case "ContextPrecisionOutput":
                return {"reason": "because", "verdict": 7}
            case "ContextRecallOutput":
                return {"classifications": []}
        return None

    model.change = half
    assert_failed(judge(model).run(cases(1), metrics=(metric,)), "an answer that cannot be used (HalfAnswer)", metric)


def test_failures_are_counted_beside_the_mean_and_bound_it(model: FakeModel) -> None:
    asked = {
        f"c{n}": RagasCase("q", f"answer {'unlucky' if n < 2 else n}", "r", retrieved_contexts=("x",)) for n in range(6)
    }

    def reply(n: int, form: str, given: object) -> Reply | None:
        return failure(400) if "unlucky" in model.requests[n - 1]["messages"][-1]["content"] else None

    model.change = reply
    score = judge(model).run(asked, metrics=FAITHFUL).scores["ragas_faithfulness"]
    assert (score.judged, score.failed, score.mean) == (4, 2, 1.0)
    assert score.why == {"HTTP 400": 2}
    assert score.bounds == (pytest.approx(4 / 6), 1.0)


def test_the_budget_takes_the_same_cases_each_time(model: FakeModel) -> None:
    found = [judge(model, max_cases=3).run(asked, metrics=FAITHFUL) for asked in (cases(9), cases(9))]
    assert {(f.cases, f.over_budget, f.scores["ragas_faithfulness"].judged) for f in found} == {(3, 6, 3)}
    assert list(found[0].values) == list(found[1].values)


def test_a_judge_that_only_fails_is_not_asked_for_ever(model: FakeModel) -> None:
    model.change = lambda n, form, reply: failure(404)
    score = judge(model).run(cases(40), metrics=FAITHFUL).scores["ragas_faithfulness"]
    assert (score.judged, score.failed, score.mean) == (0, 40, None)
    assert score.why["not asked: the first judgements all failed"] >= 25
    assert len(model.requests) <= 15


def test_at_most_four_requests_at_once(model: FakeModel) -> None:
    model.change = lambda n, form, reply: model.release.wait(0.05) and None
    judge(model).run(cases(12), metrics=FAITHFUL)
    assert 2 <= model.most <= 4


def test_ctrl_c_keeps_what_is_done(model: FakeModel) -> None:
    def stall_later(n: int, form: str, reply: object) -> None:
        if n == 13:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        if n > 12:
            model.release.wait(20)

    model.change = stall_later
    found = judge(model).run(cases(20), metrics=FAITHFUL)
    score = found.scores["ragas_faithfulness"]
    assert found.stopped and score.failed == 0
    assert 3 <= score.judged <= 6 and score.left == 20 - score.judged
    assert len(found.values) == score.judged and score.mean == 1.0


def labels() -> list[JudgeLabel]:
    return list(rows(LABELS, JudgeLabel))


def play(model: FakeModel, wrong: int) -> None:
    """Make the model say what the labels say, save for ``wrong`` rows, which are spread over the set."""
    order = sorted(labels(), key=lambda row: (int(row.id[2:]) % 10, row.id))
    said = {json.dumps(row.answer)[1:-1]: (row, n < wrong) for n, row in enumerate(order)}
    assert len(said) == 40

    def reply(n: int, form: str, given: object) -> dict[str, object] | None:
        prompt = model.requests[n - 1]["messages"][-1]["content"]
        row, turned = next((found for answer, found in said.items() if answer in prompt), (None, False))
        match form:
            case "StatementGeneratorOutput":
                assert row
                return {"statements": ["claim-yes" if row.faithful ^ turned else "claim-no"]}
            case "ClaimDecompositionOutput":  # of the answer, then of the reference
                return {"claims": ["claim-yes" if row and row.covers ^ turned else "claim-no"]}
        verdict = int("claim-yes" in prompt)
        return {"statements": [{"statement": "claim", "reason": "because", "verdict": verdict}]}

    model.change = reply


@pytest.mark.parametrize(("wrong", "kappa", "advisory"), [(0, 1.0, False), (6, 0.7, False), (12, 0.4, True)])
def test_a_judge_is_advisory_until_it_agrees_with_people(
    model: FakeModel, wrong: int, kappa: float, advisory: bool
) -> None:
    play(model, wrong)
    found = agreement(judge(model), labels())
    assert found.model == "fake"
    for metric in ("ragas_faithfulness", "ragas_factual_correctness"):
        agreed = found.metrics[metric]
        assert (agreed.rows, agreed.failed) == (40, 0)
        assert agreed.kappa == pytest.approx(kappa, abs=0.02)
        assert agreed.accuracy == pytest.approx(1 - wrong / 40)
        assert found.advisory(metric) is advisory
    assert found.advisory("ragas_answer_relevancy")  # never compared with people


def test_a_failed_judgement_is_a_wrong_one(model: FakeModel) -> None:
    play(model, 0)
    obedient = model.change
    model.change = lambda n, form, reply: failure(400) if n % 4 == 0 else obedient(n, form, reply)
    found = agreement(judge(model), labels())
    failed = found.metrics["ragas_faithfulness"].failed
    assert failed and found.metrics["ragas_faithfulness"].accuracy == 1 - failed / 40


def test_few_rows_do_not_make_a_judge_trusted(model: FakeModel) -> None:
    play(model, 0)
    found = agreement(judge(model, max_cases=8), labels()).metrics["ragas_faithfulness"]
    assert (found.rows, found.accuracy, found.advisory) == (8, 1.0, True)


def failure(status: int) -> Reply:
    return status, {"retry-after-ms": "10"}, b'{"error": {"message": "no"}}'


def assert_failed(found: Judged, why: str, metric: str = "ragas_faithfulness") -> None:
    score = found.scores[metric]
    assert (score.mean, score.judged, score.failed) == (None, 0, 1)
    assert score.why == {why: 1}
    assert score.bounds == (0.0, 1.0)
    assert found.values == {}
