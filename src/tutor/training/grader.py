"""Train the grader: ``python -m tutor.training.grader --config ingest/training/grader.toml --out build/grader``.

A small cross-encoder reads a rubric point and (a part of) an answer together and tells missed, partly, covered and
contradicted apart. It learns from statements written for the curriculum's own points (``statements``), and is validated
on cards it never saw.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from pydantic import BaseModel, ConfigDict, Field
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from torch import Tensor
from torch.nn import functional as F

from tutor.curriculum.corpus import load_corpus
from tutor.drill.judge import STATUSES
from tutor.drill.substance import PADDING
from tutor.evals.metrics import kappa
from tutor.training.cross import logits
from tutor.training.data import held_out
from tutor.training.model import packaged_weights
from tutor.training.run import run_once, trainer_settings, write_run
from tutor.training.statements import Example, Material, examples, read_material

MAX_TOKENS = 320


class Config(BaseModel):
    """A run. Paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: Path = Path("corpus")
    answers: Path = Path("ingest/training/answers")
    padding: Path = PADDING
    leave_out: Path | None = Field(None, description="Labelled answers (JSON lines) whose probes are not learnt from.")
    added: Path | None = Field(
        None, description="The same file in a second run: all examples of its probes, with max_examples of the others."
    )
    model: Path | None = Field(None, description="A trained encoder's model/ to begin from; the upstream one if none.")
    rounds: float = Field(0.25, ge=0, description="Composed answers for each statement; below 1, a share of them.")
    max_examples: int = Field(0, ge=0, description="Only so many, for a small run; 0 takes all.")
    validation: float = Field(0.08, ge=0, lt=1, description="Share of cards held out.")
    bf16: bool = False
    epochs: float = Field(2, gt=0)
    batch: int = Field(32, ge=1)
    rate: float = Field(6e-5, gt=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    smoothing: float = Field(0.05, ge=0, lt=1)
    save_every: int = Field(200, ge=1)
    seed: int = 20261121


class ClassLoss(torch.nn.Module):
    """Cross-entropy over the four classes, pairs of like length scored together."""

    def __init__(self, model: CrossEncoder, smoothing: float) -> None:
        super().__init__()
        self.model = model
        self._smoothing = smoothing

    def forward(self, inputs: list[Any], labels: Tensor, **kwargs: Any) -> Tensor:
        claims, answers = inputs
        scores = logits(self.model, list(zip(claims, answers, strict=True)), parts=4)
        return F.cross_entropy(scores.float(), labels.long(), label_smoothing=self._smoothing)


def measure(model: CrossEncoder, unseen: Sequence[Example]) -> dict[str, Any]:
    """Accuracy, Cohen's kappa (unweighted) and the confusion table (true class by row) on pairs."""
    model.eval()
    found: list[int] = []
    with torch.inference_mode():
        for at in range(0, len(unseen), 256):
            pairs = [(e.claim, e.answer) for e in unseen[at : at + 256]]
            found += logits(model, pairs, parts=8).argmax(-1).tolist()
    table = np.zeros((len(STATUSES), len(STATUSES)), dtype=int)
    for example, guess in zip(unseen, found, strict=True):
        table[example.status, guess] += 1
    return {
        "pairs": len(unseen),
        "accuracy": float(np.trace(table) / table.sum()),
        "kappa": kappa(table),
        "table": table.tolist(),
    }


def _probes(path: Path) -> set[tuple[str, str]]:
    rows = map(json.loads, filter(None, path.read_text(encoding="utf-8").splitlines()))
    return {(row["card"], row["probe"]) for row in rows}


def train(config: Config, out: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train, validate, write ``out/model`` and ``out/run.json``."""
    began = time.perf_counter()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    cards = load_corpus(config.corpus).cards
    said = read_material(config.answers)
    if config.leave_out:
        said = said.only(but=_probes(config.leave_out))
    unseen_probes = {key for key in said.probes if held_out(key[0], config.validation)}
    padding = config.padding.read_text(encoding="utf-8").splitlines()

    def pairs(part: Material) -> tuple[list[Example], list[tuple[str, str, str]]]:
        return examples(part, cards, rounds=config.rounds, seed=config.seed, padding=padding)

    added_probes = (_probes(config.added) if config.added else set()) - unseen_probes
    learnt, lost = pairs(said.only(but=unseen_probes | added_probes))
    added, more_lost = pairs(said.only(added_probes))
    unseen, _ = pairs(said.only(unseen_probes))
    if config.max_examples:
        learnt = [learnt[i] for i in np.random.default_rng(config.seed).permutation(len(learnt))[: config.max_examples]]
    learnt += added
    counts = Counter(STATUSES[e.status] for e in learnt)
    print(f"{len(said.statements)} statements, {len(said.answers)} answers: {len(learnt)} examples {dict(counts)}")
    print(f"held out: {len(unseen)}; lost: {len(lost + more_lost)}")
    model = CrossEncoder(
        str(config.model or packaged_weights()), num_labels=len(STATUSES), max_length=MAX_TOKENS, device="cpu"
    )
    arguments = CrossEncoderTrainingArguments(**trainer_settings(config, out))
    rows = {
        "claim": [e.claim for e in learnt],
        "answer": [e.answer for e in learnt],
        "label": [e.status for e in learnt],
    }
    trainer = CrossEncoderTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict(rows), loss=ClassLoss(model, config.smoothing)
    )
    outcome = trainer.train(resume_from_checkpoint=resume or None)
    model.save_pretrained(str(out / "model"))
    run = {
        "config": json.loads(config.model_dump_json()),
        "statements": len(said.statements),
        "answers": len(said.answers),
        "examples": len(learnt),
        "steps": outcome.global_step,
        "seconds": round(time.perf_counter() - began),
        "unseen": measure(model, unseen) if unseen else {},
    }
    return write_run(out, run)


def main() -> None:
    run_once(__doc__, Config, train)


if __name__ == "__main__":
    main()
