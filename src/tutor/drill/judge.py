"""The judge of one claim and parts of an answer: a port, and the packaged cross-encoder behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor.retrieval.onnx import cores, damaged, load_session, load_tokenizer, verify

GRADER_DIR = Path(__file__).parent / "grader"
#: The classes that a judge tells apart, in the order of its outputs.
Status = Literal["missed", "partly", "covered", "contradicted"]
FlagView = Literal["said", "not-said"]
STATUSES: tuple[Status, ...] = ("missed", "partly", "covered", "contradicted")
MISSED, PARTLY, COVERED, CONTRADICTED = range(4)
Probabilities = NDArray[np.float32]


class Judge(Protocol):
    """Says of (claim, part of an answer) pairs whether the part misses, half makes, makes or denies the claim."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Probabilities:
        """Probabilities (pairs, 4) of missed, partly, covered, contradicted; each row sums to 1."""
        ...


class OnnxJudge:
    """The packaged grader (or a folder made by ``tutor.training.export_grader``), on onnxruntime and tokenizers.

    Raises:
        ModelError: a file is missing, unreadable or not the one that grader.json names.
    """

    def __init__(self, folder: Path = GRADER_DIR, *, threads: int = 0) -> None:
        self.folder = folder
        self._threads = threads or cores()
        path = folder / "grader.json"
        try:
            card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self.name = f"{card['name']}@{card['files']['grader.onnx'][:12]}"
            self.max_tokens = int(card["max_tokens"])
            self._sha256: dict[str, str] = card["files"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise damaged(path, error) from error

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self.folder / "tokenizer.json", max_tokens=self.max_tokens)

    @cached_property
    def _session(self) -> Any:
        return load_session(self.folder / "grader.onnx")

    def verify(self) -> None:
        """Check every model file against its sha256.

        Raises:
            ModelError: a file is missing or differs.
        """
        verify(self.folder, self._sha256)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Probabilities:
        if not pairs:
            return np.zeros((0, 4), dtype=np.float32)
        tokenizer, session = self._tokenizer, self._session
        read = tokenizer.encode_batch(list(pairs))

        def forward(n: int) -> NDArray[np.float32]:
            ids = np.array([read[n].ids], dtype=np.int64)
            inputs = {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.array([read[n].type_ids], dtype=np.int64),
            }
            logits: NDArray[np.float32] = session.run(["logits"], inputs)[0][0]
            return logits

        order = sorted(range(len(pairs)), key=lambda n: -len(read[n].ids))
        with ThreadPoolExecutor(min(self._threads, len(pairs)), thread_name_prefix="judge") as workers:
            scored = dict(zip(order, workers.map(forward, order), strict=True))
        logits = np.stack([scored[n] for n in range(len(pairs))])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
