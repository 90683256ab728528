"""The joint loss: dense and late-interaction scores of one forward pass learn together, near to where they began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from sentence_transformers import MultiVectorEncoder
from torch import Tensor
from torch.nn import functional as F

_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Table:
    """What the loss knows of each row of the training set, looked up by the row number in its label.

    ``old_questions`` (rows, width, hidden) and ``old_passages`` (rows, hidden) are the upstream encoder's unit vectors:
    the anchor, and the guide that tells likely false negatives. ``real`` (rows, width) is false where a row has fewer
    questions than the table is wide. ``section`` (rows,) and ``group`` (rows,) number the rows' sections and documents.
    """

    old_questions: Tensor
    old_passages: Tensor
    real: Tensor
    section: Tensor
    group: Tensor

    def to(self, device: torch.device) -> Table:
        """The table on ``device``: itself where it is there."""
        if self.section.device == device:
            return self
        return Table(*(getattr(self, field.name).to(device) for field in fields(self)))


class Weights(BaseModel):
    """How much each part of the loss counts, and the scales (inverse temperatures) of the two scores.

    ``late_scale`` is of MaxSim divided by the number of the question's tokens, which lies in [-1, 1] as a cosine does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dense: float = 1.0
    late: float = 1.0
    anchor: float = 1.0
    teach: float = 0.0
    dense_scale: float = 20.0
    late_scale: float = 30.0
    margin: float = 0.0
    kin_similarity: float = 0.8


class JointLoss(torch.nn.Module):
    """In-batch contrastive loss over both scores, with an anchor on the dense vector.

    A row is several questions and the one passage that answers them; all other passages of the batch are negatives,
    but for those of the same section, and for passages of other documents that are likely to answer too: the guide
    ranks them above the row's own passage (GISTEmbed, Solatorio 2024, arXiv:2402.16829), or finds the two passages
    nearly the same. Sibling sections stay negatives whatever the guide says: choosing among them is what is to be
    learnt. The anchor is 1 - cosine to the upstream encoder's vector, of questions and passages.

    ``teach`` distils the mean of the two scores into each (self-distillation as in BGE-M3, Chen et al. 2024,
    arXiv:2402.03216).
    """

    def __init__(self, model: MultiVectorEncoder, table: Table, weights: Weights) -> None:
        super().__init__()
        self.model = model
        self.weights = weights
        self._table = table

    def forward(self, features: Iterable[dict[str, Any]], labels: Tensor) -> dict[str, Tensor]:
        """``features``: one dictionary for each question column, then the passages; ``labels``: (rows,) row numbers."""
        *questions, passages = [by_length(self.model, column) for column in features]
        with torch.autocast(labels.device.type, enabled=False):  # differences of scores need more than bf16's 8 bits
            return self._loss(questions, passages, labels)

    def _loss(self, columns: list[dict[str, Tensor]], passages: dict[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
        self._table = self._table.to(rows.device)  # moved once: the trainer moves batches and model, and knows no table
        table, weights = self._table, self.weights
        real = table.real[rows].T  # (width, rows)
        answers = passages["sentence_embedding"].float()
        asked = torch.cat([c["sentence_embedding"][kept] for c, kept in zip(columns, real, strict=True)]).float()
        own = torch.arange(len(rows), device=rows.device).expand_as(real)[real]  # the passage that answers each
        blocked = ~self._negatives(table, rows)[real]
        dense = (asked @ answers.T * weights.dense_scale).masked_fill(blocked, _NEVER)
        late = (mean_max_sim(columns, real, passages) * weights.late_scale).masked_fill(blocked, _NEVER)
        moved = torch.cat(
            [
                1 - (asked * table.old_questions[rows].transpose(0, 1)[real]).sum(-1),
                1 - (answers * table.old_passages[rows]).sum(-1),
            ]
        )
        parts = {
            "dense": weights.dense * F.cross_entropy(dense, own),
            "late": weights.late * F.cross_entropy(late, own),
            "anchor": weights.anchor * moved.mean(),
        }
        if weights.teach:
            teacher = ((dense + late) / 2).softmax(-1).detach()
            learnt = [F.cross_entropy(score, teacher) for score in (dense, late)]
            parts["teach"] = weights.teach * torch.stack(learnt).mean()
        return parts

    def _negatives(self, table: Table, rows: Tensor) -> Tensor:
        """(width, rows, rows): which passages of the batch stand against which question's own, and that one itself."""
        section, group = table.section[rows], table.group[rows]
        old_questions, old_passages = table.old_questions[rows].transpose(0, 1), table.old_passages[rows]
        scores = old_questions @ old_passages.T
        own = scores.diagonal(dim1=1, dim2=2).unsqueeze(-1)
        likely = (scores > own - self.weights.margin) | (old_passages @ old_passages.T > self.weights.kin_similarity)
        stranger = group[:, None] != group[None, :]
        allowed = (section[:, None] != section[None, :]) & ~(likely & stranger)
        return allowed | torch.eye(len(rows), dtype=torch.bool, device=rows.device)


def by_length(model: MultiVectorEncoder, features: dict[str, Any], parts: int = 4) -> dict[str, Tensor]:
    """The model's output for a batch, run in ``parts`` of rows of like length.

    Half of the curriculum's passages have under 100 tokens and a few have 256: in one part most of the work is padding.
    """
    ids, mask = features["input_ids"], features["attention_mask"]
    order = mask.sum(-1).argsort(stable=True)
    dense, tokens = [], []
    for rows in order.chunk(parts):
        longest = int(mask[rows].sum(-1).max())
        out: Any = model({"input_ids": ids[rows, :longest], "attention_mask": mask[rows, :longest]})
        dense.append(out["sentence_embedding"])
        tokens.append(F.pad(out["token_embeddings"], (0, 0, 0, ids.shape[1] - longest)))
    back = order.argsort()
    return {
        "sentence_embedding": torch.cat(dense)[back],
        "token_embeddings": torch.cat(tokens)[back],
        "attention_mask": mask,
    }


def mean_max_sim(columns: list[dict[str, Tensor]], real: Tensor, passages: dict[str, Tensor]) -> Tensor:
    """MaxSim of each real question with each passage, divided by the question's tokens: (questions, passages), in
    [-1, 1].

    Questions come column by column; ``real`` (columns, rows) says which there are. [CLS] and [SEP] are left out, as in
    the index. Question tokens are laid end to end, without the padding: a batch has a few long questions among short.
    """
    told, told_mask = inner(passages)
    tokens, lengths = [], []
    for column, kept in zip(columns, real, strict=True):
        vectors, mask = inner(column)
        tokens.append(vectors[kept][mask[kept]])
        lengths.append(mask[kept].sum(-1))
    length = torch.cat(lengths)
    similarity = torch.einsum("ad,pbd->apb", torch.cat(tokens), told).masked_fill(~told_mask[None], _NEVER)
    best = similarity.amax(-1)  # (tokens of all questions, passages)
    owner = torch.repeat_interleave(torch.arange(len(length), device=best.device), length)
    total = torch.zeros(len(length), best.shape[1], device=best.device).index_add(0, owner, best)
    return total / length.clamp(min=1)[:, None]


def inner(features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Token vectors and mask without the first and the last real token of each row."""
    mask = features["attention_mask"].bool()
    last = mask.long().cumsum(-1) == mask.sum(-1, keepdim=True)
    mask = mask & ~last
    mask[:, 0] = False
    return features["token_embeddings"].float(), mask
