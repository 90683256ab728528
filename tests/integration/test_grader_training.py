"""The grader trained on a handful of examples and exported: the ONNX judge says what the torch model says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.heavy,
    # torch, transformers and the exporter warn about themselves; what they warn of is not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
for module in ("sentence_transformers", "datasets", "accelerate"):
    pytest.importorskip(module, reason="needs the 'train' extra: make test-all")

import torch  # noqa: E402
from sentence_transformers import CrossEncoder  # noqa: E402

from tutor.drill.judge import STATUSES, OnnxJudge  # noqa: E402
from tutor.training.cross import logits  # noqa: E402
from tutor.training.export_grader import export  # noqa: E402
from tutor.training.grader import Config, train  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [
    ("Each record of a queue is acknowledged by itself.", "with SQS every message is deleted once it's done"),
    ("Each record of a queue is acknowledged by itself.", "All jobs are confirmed together, at midnight."),
    ("A cache stampede is prevented by a lock or by early renewal.", "I like caches."),
    ("Red flag: Kafka is a faster queue. In truth: A log keeps what was read.", "it's a queue, " * 60),
    ("The write-ahead log is flushed before COMMIT returns.", "WAL → fsync → OK, at 03:15 ± 2 s"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grader")
    config = Config(
        corpus=ROOT / "corpus",
        answers=ROOT / "ingest" / "training" / "answers",
        leave_out=ROOT / "evals" / "drill" / "answers.jsonl",
        validation=0.01,
        rounds=0,
        max_examples=48,
        batch=8,
        epochs=1,
        save_every=3,
    )
    train(config, out)
    return out


def test_a_run_leaves_a_model_checkpoints_and_figures_of_cards_it_never_saw(small: Path) -> None:
    run = json.loads((small / "run.json").read_text(encoding="utf-8"))
    assert (run["examples"], run["steps"]) == (48, 6)
    assert run["statements"] > 1000 and run["answers"] > 100
    table = np.array(run["unseen"]["table"])
    assert table.shape == (4, 4) and table.sum() == run["unseen"]["pairs"] > 50
    assert sorted(p.name for p in (small / "checkpoints").iterdir()) == ["checkpoint-3", "checkpoint-6"]


def test_the_exported_judge_says_what_the_model_says(small: Path, tmp_path: Path) -> None:
    model = CrossEncoder(str(small / "model"), device="cpu")
    export(model, tmp_path, name="small")
    judge = OnnxJudge(tmp_path)
    judge.verify()
    got = judge.judge(PAIRS)
    with torch.inference_mode():
        wanted = torch.softmax(logits(model.eval(), PAIRS, parts=1).float(), dim=-1).numpy()
    assert got.shape == (len(PAIRS), len(STATUSES))
    assert np.allclose(got.sum(axis=1), 1, atol=1e-5)
    assert np.abs(got - wanted).max() < 0.1  # int8 against float32
    assert np.allclose(judge.judge(PAIRS[:1]), got[:1], atol=1e-6), "a pair's verdict depends on nothing beside it"
