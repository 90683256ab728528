"""Any Hugging Face embedder as the encoder (extra ``hf``), through sentence-transformers.

The dense vector is the model's sentence embedding; the token vectors are its token embeddings, cut to the first 96
dimensions of a random orthogonal rotation (Johnson-Lindenstrauss: dot products are kept up to noise), since an
arbitrary model has no projection fitted for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.errors import MissingExtra, ModelError
from tutor.retrieval.encoder import Encoded

TOKEN_DIMS = 96
_SEED = 20261121


class HuggingFaceEncoder:
    """A model named by hub name or folder.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        ModelError: the model cannot be loaded, or has no fast tokenizer.
    """

    def __init__(self, model: str, *, threads: int = 0) -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtra("encoder.model", extra="hf", module="sentence-transformers") from error
        if threads:
            torch.set_num_threads(threads)
        try:
            # Remote code stays off: a model name must not be able to run a stranger's Python.
            self._model = SentenceTransformer(model, trust_remote_code=False)
        except Exception as error:  # huggingface_hub, transformers and torch each raise their own
            raise ModelError(
                f"the model cannot be loaded ({error})",
                about=model,
                fix="Name a folder or a hub model (needs a network).",
            ) from error
        self._tokenizer: Any = self._model.tokenizer
        if not getattr(self._tokenizer, "is_fast", False):
            raise ModelError("the model has no fast tokenizer, so tokens cannot be traced to characters", about=model)
        self.dense_dims = int(self._model.get_embedding_dimension() or 0)
        self.token_dims = min(TOKEN_DIMS, self.dense_dims)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.name = f"hf:{model}/{self.dense_dims}/{self.token_dims}"
        self._rotation = _rotation(self.dense_dims, self.token_dims)

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def offsets(self, text: str) -> tuple[tuple[int, int], ...]:
        found = self._tokenizer(
            text,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            truncation=True,
            max_length=self.max_tokens,
        )
        pairs = zip(found["offset_mapping"], found["special_tokens_mask"], strict=True)
        return tuple((int(a), int(b)) for (a, b), special in pairs if not special)

    def is_word(self, word: str) -> bool:
        return word in self._tokenizer.get_vocab()

    def encode(self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None) -> list[Encoded]:
        done: list[Encoded] = []
        for at in range(0, len(texts), 32):
            group = list(texts[at : at + 32])
            rows: Any = self._model.encode(group, output_value=None, show_progress_bar=False)
            for text, row in zip(group, rows, strict=True):
                dense = _unit(np.asarray(row["sentence_embedding"].cpu(), dtype=np.float32))
                hidden = np.asarray(row["token_embeddings"].cpu(), dtype=np.float32)
                special = self._tokenizer(
                    text, return_special_tokens_mask=True, truncation=True, max_length=self.max_tokens
                )["special_tokens_mask"]
                keep = [i for i, flag in enumerate(special) if not flag and i < len(hidden)]
                done.append(Encoded(dense, _unit(hidden[keep] @ self._rotation), self.offsets(text)))
            if on_progress:
                on_progress(len(group))
        return done


def _rotation(dims: int, kept: int) -> NDArray[np.float32]:
    """The first ``kept`` columns of a random orthogonal matrix (dims, kept), the same in every process."""
    gaussian = np.random.default_rng(_SEED).standard_normal((dims, dims))
    return np.asarray(np.linalg.qr(gaussian)[0][:, :kept], dtype=np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)
