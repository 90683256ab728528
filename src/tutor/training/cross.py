"""Train a cross-encoder: ``python -m tutor.training.cross --config ingest/training/cross.toml --out build/cross``.

It reads question and passage together, so it is the most exact ranker of its size and the slowest: a forward pass for
each passage. Here it is a third stage over the first passages, and the teacher that the encoder can be distilled from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
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

from tutor.training import data
from tutor.training.data import Item, Vectors
from tutor.training.model import MAX_TOKENS, build, counter, packaged_weights
from tutor.training.run import run_once, trainer_settings, write_run
from tutor.training.upstream import Upstream


class Config(BaseModel):
    """A run. Paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: Path = Path("corpus")
    questions: Path = Path("ingest/training/questions")
    model: Path | None = Field(None, description="A trained encoder's model/ to begin from; the upstream one if none.")
    max_questions: int = Field(0, ge=0, description="Only so many, for a small run; 0 takes all.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of documents held out.")
    negatives: int = Field(4, ge=1, le=15, description="Wrong passages to a question.")
    kin_similarity: float = 0.8
    bf16: bool = False
    epochs: float = Field(1, gt=0)
    batch: int = Field(16, ge=1, description="Questions a step.")
    rate: float = Field(5e-5, gt=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    save_every: int = Field(100, ge=1)
    seed: int = 20261121


@dataclass(frozen=True, slots=True)
class Contest:
    """A question, the number of the passage that answers it, and those of wrong passages that look as if they did."""

    question: str
    right: int
    wrong: tuple[int, ...]


def contests(items: Sequence[Item], old: dict[str, Vectors], config: Config) -> list[Contest]:
    """A contest for each question: half siblings and what BM25 finds, half what the untrained encoder finds.

    Passages of other documents that the untrained encoder ranks above the right one, or finds nearly the same as it,
    are likely to answer as well and are left out, as in the encoder's own training.
    """
    texts = [q for item in items for q in item.questions]
    owners = [number for number, item in enumerate(items) for _ in item.questions]
    passages = [item.passage for item in items]
    told = np.stack([old[p] for p in passages])
    asked = np.stack([old[q] for q in texts])
    meaning = data.nearest(asked, told, 20)
    terms = data.nearest_by_terms(texts, passages, 20)
    siblings: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        siblings.setdefault(item.group, []).append(number)
    random = np.random.default_rng(config.seed)
    found: list[Contest] = []
    for n, (text, own) in enumerate(zip(texts, owners, strict=True)):
        scores = told @ asked[n]
        kin = told @ told[own]

        def wrong(m: int, own: int = own, scores: Vectors = scores, kin: Vectors = kin) -> bool:
            if items[m].section == items[own].section:
                return False
            stranger = items[m].group != items[own].group
            return not (stranger and (scores[m] > scores[own] or kin[m] > config.kin_similarity))

        taken: list[int] = []
        pools = [[m for m in pool if wrong(m)] for pool in (siblings[items[own].group], meaning[n], terms[n])]
        for pool in pools:
            random.shuffle(pool)
        while len(taken) < config.negatives and any(pools):
            for pool in pools:
                if pool and (m := pool.pop()) not in taken:
                    taken.append(m)
        if taken:
            found.append(Contest(text, own, tuple(taken[: config.negatives])))
    return found


class ListLoss(torch.nn.Module):
    """Cross-entropy of the right passage among a question's passages, pairs of like length scored together."""

    def __init__(self, model: CrossEncoder, width: int) -> None:
        super().__init__()
        self.model = model
        self._width = width

    def forward(self, inputs: list[Any], labels: Tensor, **kwargs: Any) -> Tensor:
        """``inputs``: the questions, then a column of passages each, the right one first."""
        questions, *columns = inputs
        pairs = [(q, column[n]) for n, q in enumerate(questions) for column in columns]
        scores = logits(self.model, pairs, parts=5).view(len(questions), len(columns))
        first = torch.zeros(len(questions), dtype=torch.long, device=scores.device)
        return F.cross_entropy(scores.float(), first)


def logits(model: CrossEncoder, pairs: Sequence[tuple[str, str]], *, parts: int) -> Tensor:
    """Logits (pairs, labels), computed where the model is.

    In ``parts`` of like length, so that little of the work is padding.
    """
    device = next(model.parameters()).device  # preprocess leaves its tensors on the CPU
    order = np.argsort([len(q) + len(p) for q, p in pairs], kind="stable")
    found = []
    for rows in np.array_split(order, min(parts, len(order))):
        features = model.preprocess([pairs[i] for i in rows])
        out: Any = model({k: v.to(device) for k, v in features.items() if isinstance(v, Tensor)})
        found.append(out["scores"].view(len(rows), -1))
    return torch.cat(found)[torch.from_numpy(np.argsort(order)).to(device)]


def measure(model: CrossEncoder, rows: Sequence[Contest], items: Sequence[Item]) -> dict[str, Any]:
    """Accuracy: the share of questions, all with as many wrong passages, whose right one is scored above them all."""
    model.eval()
    first = 0
    with torch.inference_mode():
        for at in range(0, len(rows), 64):
            part = rows[at : at + 64]
            pairs = [(row.question, items[n].passage) for row in part for n in (row.right, *row.wrong)]
            scores = logits(model, pairs, parts=8).view(len(part), -1)
            first += int((scores[:, 0] > scores[:, 1:].amax(1)).sum())
    return {"questions": len(rows), "accuracy": first / len(rows)} if rows else {}


def train(config: Config, out: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train, validate, write ``out/model`` and ``out/run.json``."""
    began = time.perf_counter()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    base = build(packaged_weights(), 96)
    upstream = Upstream(base, out.parent / "upstream.npz", bf16=config.bf16)
    pieces = data.read_passages(config.corpus, counter(base))
    items, _ = data.match(data.read_questions(config.questions), pieces, upstream)
    learnt, held_out = data.split(items, config.validation)
    texts = list(dict.fromkeys(text for item in items for text in (item.passage, *item.questions)))
    old = dict(zip(texts, upstream(texts), strict=True))
    # The wrong passages of a held-out question are held out too: none was ever learnt to be right.
    rows, unseen = (
        [row for row in contests(found, old, config) if len(row.wrong) == config.negatives] if found else []
        for found in (learnt, held_out)
    )
    if config.max_questions:
        keep = np.random.default_rng(config.seed).permutation(len(rows))[: config.max_questions]
        rows = [rows[i] for i in sorted(keep)]
    print(f"{len(rows)} questions with {config.negatives} wrong passages each; held out: {len(unseen)}", flush=True)
    columns: dict[str, list[Any]] = {
        "question": [r.question for r in rows],
        "right": [learnt[r.right].passage for r in rows],
    }
    for c in range(config.negatives):
        columns[f"wrong_{c}"] = [learnt[r.wrong[c]].passage for r in rows]
    columns["label"] = [0] * len(rows)
    model = CrossEncoder(
        str(config.model or packaged_weights()), num_labels=1, max_length=MAX_TOKENS + 64, device="cpu"
    )
    arguments = CrossEncoderTrainingArguments(**trainer_settings(config, out))
    trainer = CrossEncoderTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict(columns),
        loss=ListLoss(model, config.negatives + 1),
    )
    outcome = trainer.train(resume_from_checkpoint=resume or None)
    model.save_pretrained(str(out / "model"))
    run = {
        "config": json.loads(config.model_dump_json()),
        "questions": len(rows),
        "steps": outcome.global_step,
        "seconds": round(time.perf_counter() - began),
        "unseen": measure(model, unseen, held_out),
    }
    return write_run(out, run)


def main() -> None:
    run_once(__doc__, Config, train)


if __name__ == "__main__":
    main()
