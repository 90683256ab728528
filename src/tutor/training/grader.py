"""Train the grader: ``python -m tutor.training.grader --config ingest/training/grader.toml --out build/grader``.

A small cross-encoder reads a rubric point and (a part of) an answer together and tells missed, partly, covered and
contradicted apart. It learns from statements written for the curriculum's own points (``statements``), and is validated
on cards it never saw.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
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
from tutor.training.cross import logits
from tutor.training.data import held_out
from tutor.training.measure import kappa
from tutor.training.model import packaged_weights
from tutor.training.statements import STATUSES, Example, examples, read_statements

MAX_TOKENS = 320


class Config(BaseModel):
    """A run. Paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: Path = Path("corpus")
    answers: Path = Path("ingest/training/answers")
    padding: Path = Path("ingest/training/padding.txt")
    evaluation: Path = Field(Path("evals/drill/answers.jsonl"), description="Probes that are never learnt from.")
    model: Path | None = Field(None, description="A trained encoder's model/ to begin from; the upstream one if none.")
    rounds: int = Field(1, ge=0, description="Composed answers for each statement.")
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


def train(config: Config, out: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train, validate, write ``out/model`` and ``out/run.json``."""
    began = time.perf_counter()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    cards = load_corpus(config.corpus).cards
    evaluated: set[tuple[str, str]] = set()
    if config.evaluation.is_file():
        lines = config.evaluation.read_text(encoding="utf-8").splitlines()
        evaluated = {(row["card"], row["probe"]) for row in map(json.loads, filter(None, lines))}
    said = [s for s in read_statements(config.answers) if (s.card, s.probe) not in evaluated]
    padding = config.padding.read_text(encoding="utf-8").splitlines()
    learnt, lost = examples(
        [s for s in said if not held_out(s.card, config.validation)],
        cards,
        rounds=config.rounds,
        seed=config.seed,
        padding=padding,
    )
    unseen, _ = examples(
        [s for s in said if held_out(s.card, config.validation)], cards, rounds=1, seed=config.seed, padding=padding
    )
    if config.max_examples:
        learnt = [learnt[i] for i in np.random.default_rng(config.seed).permutation(len(learnt))[: config.max_examples]]
    counts = Counter(STATUSES[e.status] for e in learnt)
    print(f"{len(said)} statements, {len(learnt)} examples {dict(counts)}; held out: {len(unseen)}; lost: {len(lost)}")
    model = CrossEncoder(
        str(config.model or packaged_weights()), num_labels=len(STATUSES), max_length=MAX_TOKENS, device="cpu"
    )
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(out / "checkpoints"),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch,
        learning_rate=config.rate,
        warmup_steps=config.warmup,
        weight_decay=0.01,
        seed=config.seed,
        data_seed=config.seed,
        dataloader_drop_last=True,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=20,
        report_to="none",
        disable_tqdm=True,
        bf16=config.bf16,
        use_cpu=not torch.cuda.is_available(),
    )
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
        "statements": len(said),
        "examples": len(learnt),
        "steps": outcome.global_step,
        "seconds": round(time.perf_counter() - began),
        "unseen": measure(model, unseen) if unseen else {},
    }
    (out / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    args = parser.parse_args()
    config = Config.model_validate(tomllib.loads(args.config.read_text(encoding="utf-8")))
    args.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(train(config, args.out, resume=args.resume)))


if __name__ == "__main__":
    main()
