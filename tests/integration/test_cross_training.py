"""The cross-encoder trained on a handful of questions, by the config committed for it, and measured on others."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.heavy,
    # torch and transformers warn about themselves; what they warn of is not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
for module in ("sentence_transformers", "datasets", "accelerate"):
    pytest.importorskip(module, reason="needs the 'train' extra: make test-all")

import torch  # noqa: E402

from fakes import copy_cards  # noqa: E402
from tutor.training import cross  # noqa: E402
from tutor.training.data import Item  # noqa: E402

COMMITTED = Path(__file__).resolve().parents[2] / "ingest" / "training" / "cross.toml"


def test_a_run_leaves_a_model_checkpoints_and_the_accuracy_on_questions_it_never_saw(tmp_path: Path) -> None:
    corpus, questions = copy_cards(tmp_path)
    committed = tomllib.loads(COMMITTED.read_text(encoding="utf-8"))
    small = {"corpus": corpus, "questions": questions, "validation": 0.3, "max_questions": 24, "save_every": 2}
    out = tmp_path / "out" / "run"
    out.mkdir(parents=True)
    run = cross.train(cross.Config.model_validate(committed | small | {"bf16": False}), out)
    assert run == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (run["questions"], run["steps"]) == (24, 3)
    assert run["unseen"]["questions"] > 5
    assert 0 < run["unseen"]["accuracy"] <= 1
    assert (out / "model" / "model.safetensors").is_file()
    assert "checkpoint-2" in {folder.name for folder in (out / "checkpoints").iterdir()}


def test_accuracy_is_the_share_of_questions_whose_right_passage_is_above_all_wrong_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worth = {"best": 3.0, "good": 2.0, "as good": 2.0, "bad": 1.0}
    items = [Item(passage, ("q",), passage, passage) for passage in worth]
    monkeypatch.setattr(cross, "logits", lambda model, pairs, parts: torch.tensor([[worth[p]] for _, p in pairs]))
    rows = [cross.Contest("q", right, wrong) for right, wrong in ((0, (1, 3)), (1, (0, 3)), (1, (2, 3)), (2, (3, 3)))]
    model = torch.nn.Module()
    assert cross.measure(model, rows, items) == {"questions": 4, "accuracy": 0.5}  # type: ignore[arg-type]
    assert cross.measure(model, [], items) == {}  # type: ignore[arg-type]
