"""Train the encoder: ``python -m tutor.training.train --config ingest/training/small.toml --out build/encoder``.

Reads a config, mines hard batches, trains with sentence-transformers' trainer, keeps checkpoints (``--resume`` goes on
from the last), validates on documents it never saw, and writes the model and ``run.json``: config, data, time, figures.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from pydantic import BaseModel, ConfigDict, Field
from sentence_transformers import MultiVectorEncoder, MultiVectorEncoderTrainer, MultiVectorEncoderTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.training_args import MultiDatasetBatchSamplers
from torch.utils.data import SequentialSampler

from tutor.ingest.chunk import Chunk
from tutor.retrieval.encoder import OnnxEncoder
from tutor.training import data
from tutor.training.data import Item
from tutor.training.export import export
from tutor.training.loss import JointLoss, Table, Weights
from tutor.training.measure import measure
from tutor.training.model import build, counter, fit_projection, freeze, packaged_weights
from tutor.training.run import parser_of, read_config, trainer_settings, write_run
from tutor.training.upstream import Upstream

CURRICULUM, GENERAL = "curriculum", "general"


class Config(BaseModel):
    """A training run. Paths are relative to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: Path = Path("corpus")
    questions: Path = Path("ingest/training/questions")
    pairs: Path | None = Field(None, description="General pairs (.jsonl.gz); left out where there is none.")
    max_pairs: int = Field(0, ge=0, description="How many of them.")
    max_items: int = Field(0, ge=0, description="Only so many passages, for a small run; 0 takes all.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of documents and repositories held out.")
    dims: int = Field(96, ge=8, le=384, description="Token vector dimensions.")
    frozen_layers: int = Field(0, ge=0, le=6)
    dropout: bool = True
    bf16: bool = Field(False, description="Mixed precision: twice as fast on a CPU with AVX512-BF16 or AMX.")
    epochs: float = Field(3, gt=0)
    batch: int = Field(32, ge=2, description="Passages a step, each with up to `width` questions.")
    width: int = Field(3, ge=1, le=8)
    rate: float = Field(3e-5, gt=0)
    head_rate: float = Field(3e-4, gt=0, description="Learning rate of the token projection.")
    warmup: float = Field(0.1, ge=0, lt=1)
    save_every: int = Field(100, ge=1, description="Steps from checkpoint to checkpoint.")
    seed: int = 20261121
    loss: Weights = Weights()


class TopicBatches(DefaultBatchSampler):
    """Batches of documents that are taken for one another: a document's rows, then those of its rivals.

    So the batch holds a question's hardest wrong passages: sibling sections, and what BM25 and the untrained encoder
    find near it in other documents. Every row comes once an epoch. (Topic-aware sampling: Hofstätter et al. 2021,
    arXiv:2104.06967.)
    """

    def __init__(
        self, groups: Sequence[str], rivals: dict[str, list[str]], batch_size: int, seed: int, share: int = 3
    ) -> None:
        super().__init__(SequentialSampler(range(len(groups))), batch_size=batch_size, drop_last=True)
        self._groups, self._rivals, self._share = groups, rivals, share
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng([self._seed, self._epoch])
        waiting: dict[str, list[int]] = {}
        for row in random.permutation(len(self._groups)):
            waiting.setdefault(self._groups[row], []).append(int(row))
        order = [str(g) for g in random.permutation(sorted(waiting))]
        batch: list[int] = []
        at_most = max(1, self.batch_size // self._share)
        while order:
            seed = order[0]
            for group in (seed, *self._rivals.get(seed, [])[:8]):
                taken, waiting[group] = waiting.get(group, [])[:at_most], waiting.get(group, [])[at_most:]
                batch += taken
            order = [g for g in order if waiting[g]]
            # The seed's turn is over; what is left of it meets other documents.
            if order and order[0] == seed:
                order.append(order.pop(0))
            while len(batch) >= self.batch_size:
                yield batch[: self.batch_size]
                batch = batch[self.batch_size :]


class Trainer(MultiVectorEncoderTrainer):
    """The trainer with our batches, by name of the data set, and a rate of its own for the projection."""

    def __init__(self, *args: Any, samplers: dict[str, DefaultBatchSampler], head_rate: float, **kwargs: Any) -> None:
        self._samplers, self._head_rate = samplers, head_rate
        super().__init__(*args, **kwargs)

    def get_batch_sampler(self, dataset: Dataset, *args: Any, **kwargs: Any) -> Any:
        return self._samplers.get(dataset[0]["dataset_name"]) or super().get_batch_sampler(dataset, *args, **kwargs)

    def create_optimizer(self, model: Any = None) -> Any:
        head = [p for n, p in self.model.named_parameters() if ".linear." in n and p.requires_grad]
        known = {id(p) for p in head}
        body = [p for p in self.model.parameters() if p.requires_grad and id(p) not in known]
        decay = self.args.weight_decay
        params: list[dict[str, Any]] = [{"params": body}, {"params": head, "lr": self._head_rate}]
        self.optimizer = torch.optim.AdamW(params, lr=self.args.learning_rate, weight_decay=decay)
        return self.optimizer


def filled(asked: tuple[str, ...], width: int) -> tuple[str, ...]:
    """``width`` questions: a row with fewer leaves its last columns to its first, and the loss passes over them."""
    return (*asked, *[asked[0]] * (width - len(asked)))


def table_of(
    rows: Sequence[tuple[int, tuple[str, ...]]], items: Sequence[Item], width: int, old: dict[str, np.ndarray]
) -> Table:
    """What the loss looks up, from rows of (item number, questions) and the upstream vectors of all texts."""
    sections = {name: n for n, name in enumerate(dict.fromkeys(i.section for i in items))}
    groups = {name: n for n, name in enumerate(dict.fromkeys(i.group for i in items))}
    return Table(
        old_questions=torch.from_numpy(
            np.stack([np.stack([old[q] for q in filled(asked, width)]) for _, asked in rows])
        ),
        old_passages=torch.from_numpy(np.stack([old[items[n].passage] for n, _ in rows])),
        real=torch.tensor([[c < len(asked) for c in range(width)] for _, asked in rows]),
        section=torch.tensor([sections[items[n].section] for n, _ in rows]),
        group=torch.tensor([groups[items[n].group] for n, _ in rows]),
    )


def dataset_of(rows: Sequence[tuple[int, tuple[str, ...]]], items: Sequence[Item], width: int) -> Dataset:
    """The rows as columns of text, questions first, the row number as the label."""
    columns: dict[str, list[Any]] = {
        f"question_{c}": list(column)
        for c, column in enumerate(zip(*(filled(asked, width) for _, asked in rows), strict=True))
    }
    columns["passage"] = [items[n].passage for n, _ in rows]
    columns["label"] = list(range(len(rows)))
    return Dataset.from_dict(columns)


def train(config: Config, out: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train, validate, write ``out/model`` and ``out/run.json``; returns what run.json says."""
    began = time.perf_counter()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    model = build(packaged_weights(), config.dims)
    upstream = Upstream(model, out.parent / "upstream.npz", bf16=config.bf16)

    pieces = data.read_passages(config.corpus, counter(model))
    asked = data.read_questions(config.questions)
    items, lost = data.match(asked, pieces, upstream)
    for question in lost:
        print(f"no such section: {question.doc_id} / {question.section!r}")
    if config.max_items:
        keep = np.random.default_rng(config.seed).permutation(len(items))[: config.max_items]
        items = [items[i] for i in sorted(keep)]
    learnt, unseen = data.split(items, config.validation)
    general: list[Item] = []
    if config.pairs and config.max_pairs:
        general, _ = data.split(data.read_pairs(config.pairs, config.max_pairs, config.seed), config.validation)
    questions, held_out = (sum(len(i.questions) for i in found) for found in (learnt, unseen))
    print(f"{len(learnt)} passages with {questions} questions, {len(general)} general pairs;")
    print(f"held out: {len(unseen)} passages with {held_out} questions; lost: {len(lost)}")

    texts = list(dict.fromkeys(text for item in (*learnt, *general) for text in (item.passage, *item.questions)))
    old = dict(zip(texts, upstream(texts), strict=True))
    kept = fit_projection(model, [p.encoded_text for p in pieces])
    print(f"projection: 384 -> {config.dims}, {kept:.1%} of the squared norm kept")
    before = shipped(model, out / "before", unseen, pieces)
    print("before:", json.dumps(before))

    sets: dict[str, Dataset] = {}
    losses: dict[str, JointLoss] = {}
    samplers: dict[str, DefaultBatchSampler] = {}
    for name, found, width in ((CURRICULUM, learnt, config.width), (GENERAL, general, 1)):
        if not found:
            continue
        rows = data.rows_of(found, width)
        sets[name] = dataset_of(rows, found, width)
        losses[name] = JointLoss(model, table_of(rows, found, width, old), config.loss)
        if name == CURRICULUM:
            samplers[name] = TopicBatches(
                [found[n].group for n, _ in rows], mined(found, old), config.batch, config.seed
            )
    freeze(model, config.frozen_layers)
    if not config.dropout:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    arguments = MultiVectorEncoderTrainingArguments(
        multi_dataset_batch_sampler=MultiDatasetBatchSamplers.PROPORTIONAL, **trainer_settings(config, out)
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=DatasetDict(sets),
        loss=losses,
        samplers=samplers,
        head_rate=config.head_rate,
    )
    outcome = trainer.train(resume_from_checkpoint=resume or None)
    after = shipped(model, out / "encoder", unseen, pieces)
    print("after: ", json.dumps(after))
    model.save(str(out / "model"))
    run = {
        "config": json.loads(config.model_dump_json()),
        "questions": questions,
        "passages": len(learnt),
        "general_pairs": len(general),
        "validation_questions": held_out,
        "steps": outcome.global_step,
        "seconds": round(time.perf_counter() - began),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "before": before,
        "after": after,
    }
    return write_run(out, run)


def shipped(model: MultiVectorEncoder, folder: Path, unseen: Sequence[Item], pieces: Sequence[Chunk]) -> dict[str, Any]:
    """The figures of what would ship: the model exported to ``folder`` as int8."""
    export(model, folder, name=folder.name)
    return measure(OnnxEncoder(folder), unseen, pieces)


def mined(items: Sequence[Item], old: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """Each document's rivals, by the upstream encoder and by BM25 together."""
    texts = [q for item in items for q in item.questions]
    owners = [number for number, item in enumerate(items) for _ in item.questions]
    passages = [item.passage for item in items]
    by_meaning = data.nearest(np.stack([old[t] for t in texts]), np.stack([old[p] for p in passages]), 10)
    by_terms = data.nearest_by_terms(texts, passages, 10)
    near = [[*a, *b] for a, b in zip(by_meaning, by_terms, strict=True)]
    return data.rivals([item.group for item in items], owners, near)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument(
        "--pairs", type=Path, help="general (query, passage) pairs (.jsonl.gz), as many as the config says"
    )
    args = parser.parse_args()
    config = read_config(Config, args)
    if args.pairs:
        config = config.model_copy(update={"pairs": args.pairs})
    run = train(config, args.out, resume=args.resume)
    print(json.dumps({k: run[k] for k in ("steps", "seconds")}))


if __name__ == "__main__":
    main()
