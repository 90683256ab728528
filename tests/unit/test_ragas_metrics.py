"""Ragas' metrics without a model: what they are worth, that they agree with ours, and that nothing is sent."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tutor.errors import MissingExtra
from tutor.evals import ragas_metrics
from tutor.evals.ragas_metrics import OfflineRagas, RagasCase, available

installed = importlib.util.find_spec("ragas") is not None
heavy = [pytest.mark.heavy, pytest.mark.skipif(not installed, reason="needs the 'eval' extra")]


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Bags of hashed words: like texts have like vectors."""
    found = np.full((len(texts), 256), 1e-3, dtype=np.float32)
    for row, text in zip(found, texts, strict=True):
        for word in text.lower().split():
            row[hashlib.sha256(word.encode()).digest()[0]] += 1
    return found


CASE = RagasCase(
    question="What does an LSM-tree write first?",
    answer="An LSM-tree appends to a log and inserts into a memtable.",
    reference="The engine appends to a WAL, then inserts into the memtable.",
    retrieved_ids=("a", "b", "c", "d"),
    reference_ids=("b", "x"),
    retrieved_contexts=("The engine’s first step: it appends\nto a WAL.", "Bloom filters skip files."),
    quotes=("The engine's first step: it appends to a WAL.",),
)


def replaced(**changes: object) -> RagasCase:
    values = {name: getattr(CASE, name) for name in RagasCase.__dataclass_fields__}
    return RagasCase(**(values | changes))  # type: ignore[arg-type]


def test_without_ragas_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ragas", "ragas.llms.base"):
        monkeypatch.setitem(sys.modules, name, None)
    ragas_metrics.load_ragas.cache_clear()
    with pytest.raises(MissingExtra) as caught:
        OfflineRagas(embed)
    assert "pip install 'tutor-study[eval]'" in caught.value.message
    ragas_metrics.load_ragas.cache_clear()


def test_the_version_is_told_or_empty() -> None:
    assert bool(available()) == installed


@pytest.fixture(scope="module")
def ragas() -> OfflineRagas:
    return OfflineRagas(embed)


class TestOffline:
    pytestmark = heavy

    def test_the_version(self) -> None:
        assert available() == "0.4.3"

    def test_values_of_a_case(self, ragas: OfflineRagas) -> None:
        found = ragas.score(CASE)
        assert list(found) == [
            "ragas_id_precision",
            "ragas_id_recall",
            "ragas_similarity",
            "ragas_chrf",
            "ragas_quotes",
        ]
        assert found["ragas_id_precision"] == 0.25
        assert found["ragas_id_recall"] == 0.5
        assert found["ragas_quotes"] == 1.0  # apostrophes, quotation marks and line breaks aside
        vectors = embed([CASE.answer, CASE.reference])
        cosine = vectors[0] @ vectors[1] / np.linalg.norm(vectors[0]) / np.linalg.norm(vectors[1])
        assert found["ragas_similarity"] == pytest.approx(float(cosine), abs=1e-6)
        assert 0.3 < found["ragas_chrf"] < 0.9

    def test_the_right_answer_beats_a_wrong_one(self, ragas: OfflineRagas) -> None:
        same, other = ragas.score_all([replaced(answer=CASE.reference), replaced(answer="Quorums overlap.")])
        assert same["ragas_similarity"] == same["ragas_chrf"] == pytest.approx(1.0)
        assert other["ragas_chrf"] < 0.2 < same["ragas_chrf"]
        assert other["ragas_similarity"] < same["ragas_similarity"] <= 1.0

    def test_leaving_out_half_costs_and_padding_does_not_pay(self, ragas: OfflineRagas) -> None:
        half, whole, padded = ragas.score_all(
            [
                replaced(answer="The engine appends to a WAL"),
                replaced(answer=CASE.reference),
                replaced(answer=f"{CASE.reference} {'Quorums overlap in one node at least. ' * 12}"),
            ]
        )
        assert half["ragas_chrf"] < whole["ragas_chrf"] - 0.2
        assert padded["ragas_chrf"] < whole["ragas_chrf"]

    def test_the_id_metrics_agree_with_ours(self, ragas: OfflineRagas) -> None:
        random = np.random.default_rng(7)
        cases = []
        for _ in range(60):
            right = {f"d{n}" for n in random.choice(12, size=random.integers(1, 5), replace=False)}
            got = [f"d{n}" for n in random.choice(12, size=random.integers(1, 9), replace=False)]
            cases.append(replaced(retrieved_ids=tuple(got), reference_ids=tuple(sorted(right))))
        for case, found in zip(cases, ragas.score_all(cases), strict=True):
            hits = len(set(case.retrieved_ids) & set(case.reference_ids))
            assert found["ragas_id_precision"] == pytest.approx(hits / len(case.retrieved_ids))
            assert found["ragas_id_recall"] == pytest.approx(hits / len(case.reference_ids))

    def test_nothing_retrieved_is_passed_on_as_nan(self, ragas: OfflineRagas) -> None:
        found = ragas.score(replaced(retrieved_ids=(), retrieved_contexts=(), quotes=()))
        assert math.isnan(found["ragas_id_precision"])
        assert found["ragas_id_recall"] == 0.0
        assert "ragas_quotes" not in found
        assert math.isnan(ragas.score(replaced(reference_ids=()))["ragas_id_recall"])

    @pytest.mark.parametrize(
        ("quotes", "share"),
        [
            (("appends to a WAL", "appends to a memtable"), 0.5),
            (("it’s `Bloom` filters",), 0.0),
            (("Bloom filters skip files.", "WAL."), 1.0),
            (("BLOOM FILTERS skip files.",), 0.0),
        ],
    )
    def test_a_quote_stands_in_the_contexts_word_for_word(
        self, ragas: OfflineRagas, quotes: tuple[str, ...], share: float
    ) -> None:
        assert ragas.score(replaced(quotes=quotes))["ragas_quotes"] == share

    def test_quotes_of_nothing_are_not_a_full_mark(self, ragas: OfflineRagas) -> None:
        assert math.isnan(ragas.score(replaced(quotes=('""', " ")))["ragas_quotes"])

    def test_an_empty_answer_scores_and_does_not_fail(self, ragas: OfflineRagas) -> None:
        found = ragas.score(replaced(answer=""))
        assert found["ragas_chrf"] == 0.0
        assert -1 <= found["ragas_similarity"] < 0.5

    def test_texts_are_encoded_once_in_one_batch_and_400_cases_take_seconds(self) -> None:
        batches: list[int] = []

        def counted(texts: list[str]) -> NDArray[np.float32]:
            batches.append(len(texts))
            return embed(texts)

        cases = [replaced(answer=f"{CASE.answer} {n}. " * 12, reference=f"{CASE.reference} {n}") for n in range(400)]
        started = time.process_time()
        found = OfflineRagas(counted).score_all(cases)
        assert time.process_time() - started < 10
        assert len(found) == 400 and batches == [800]

    def test_the_same_cases_give_the_same_values(self, ragas: OfflineRagas) -> None:
        assert ragas.score_all([CASE] * 3) == [OfflineRagas(embed).score(CASE)] * 3

    def test_nothing_is_sent_and_nothing_written(self, tmp_path: Path) -> None:
        program = """
import atexit, socket, sys, threading
calls = []
def refused(self, address):
    calls.append(address)
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refused
socket.getaddrinfo = lambda *a, **k: refused(None, a)
atexit.register(lambda: print("calls", calls))  # the first to register is the last to run: after Ragas' flush
import numpy as np
from tutor.evals.ragas_metrics import OfflineRagas, RagasCase
case = RagasCase("q", "an answer", "a reference", ("a",), ("a", "b"), ("an answer",), ("an answer",))
ragas = OfflineRagas(lambda texts: np.ones((len(texts), 4), dtype=np.float32))
for _ in range(60):
    assert ragas.score(case)["ragas_id_recall"] == 0.5
from langsmith.utils import tracing_is_enabled
print("traced", tracing_is_enabled())
"""
        environment = os.environ | {
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "RAGAS_DO_NOT_TRACK": "false",
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "lsv2_not_a_key",
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["traced True", "calls []"]
        assert list(tmp_path.rglob("*")) == []
