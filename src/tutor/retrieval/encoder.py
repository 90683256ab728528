"""Text to vectors: the port, and the packaged ONNX encoder behind it.

One forward pass gives a mean-pooled dense vector for the dense leg and projected token vectors for late interaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor.errors import ModelError
from tutor.retrieval.onnx import cores, load_session, load_tokenizer, verify

Vectors = NDArray[np.float32]
MODEL_DIR = Path(__file__).resolve().parent / "model"


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text: ``dense`` (dense_dims,), ``tokens`` (n_tokens, token_dims), both L2-normalised.

    ``offsets`` are the half-open character spans of the tokens in the text. The tokenizer's [CLS] and [SEP] are left
    out. A text past the encoder's ``max_tokens`` is encoded up to there.
    """

    dense: Vectors
    tokens: Vectors
    offsets: tuple[tuple[int, int], ...]


def worded(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Which tokens have a letter or a digit; of a passage's tokens only these are stored.

    Punctuation is a fifth of all tokens, and nothing is found by it (evals/LOG.md).
    """
    return [n for n, (start, end) in enumerate(offsets) if any(map(str.isalnum, text[start:end]))]


class Encoder(Protocol):
    """What the index and the search need of an encoder."""

    name: str
    dense_dims: int
    token_dims: int

    def encode(self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None) -> list[Encoded]:
        """Encode ``texts`` in their order; ``on_progress`` gets the number of texts just finished."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` has, without [CLS] and [SEP], not truncated."""
        ...

    def offsets(self, text: str) -> tuple[tuple[int, int], ...]:
        """The character spans of the tokens that ``encode`` gives vectors for."""
        ...

    def is_word(self, word: str) -> bool:
        """Whether the vocabulary knows the lower-case word as one token (so it is no typo)."""
        ...


class OnnxEncoder:
    """The packaged encoder (or a folder made by ``tutor.training.export``), on ``onnxruntime`` and ``tokenizers``.

    Args:
        folder: holds encoder.json, encoder.onnx and tokenizer.json.
        threads: texts encoded side by side; 0 takes one a core.

    Raises:
        ModelError: a file is missing, unreadable or not the one that encoder.json names.
    """

    def __init__(self, folder: Path = MODEL_DIR, *, threads: int = 0) -> None:
        self.folder = folder
        try:
            card: dict[str, Any] = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            self.name = f"{card['name']}@{card['files']['encoder.onnx'][:12]}"
            self.dense_dims = int(card["dense_dims"])
            self.token_dims = int(card["token_dims"])
            self.max_tokens = int(card["max_tokens"])
            self._sha256: dict[str, str] = card["files"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"the encoder's description cannot be read ({error})",
                about=str(folder / "encoder.json"),
                fix="Reinstall tutor-study, or run python -m tutor.training.export.",
            ) from error
        self._threads = threads

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self.folder / "tokenizer.json")

    @cached_property
    def _session(self) -> Any:
        return load_session(self.folder / "encoder.onnx")

    def verify(self) -> None:
        """Check every model file against its sha256.

        Raises:
            ModelError: a file is missing or differs.
        """
        verify(self.folder, self._sha256)

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def offsets(self, text: str) -> tuple[tuple[int, int], ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).offsets[: self.max_tokens - 2])

    def is_word(self, word: str) -> bool:
        return self._tokenizer.token_to_id(word) is not None

    def encode(self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None) -> list[Encoded]:
        if not texts:
            return []
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        cls, sep = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        session = self._session

        def forward(index: int) -> tuple[int, Encoded]:
            kept = found[index].ids[: self.max_tokens - 2]
            ids = np.array([[cls, *kept, sep]], dtype=np.int64)
            dense, tokens = session.run(["dense", "tokens"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            inner = np.ascontiguousarray(tokens[0, 1 : len(kept) + 1])
            return index, Encoded(dense[0], inner, tuple(found[index].offsets[: len(kept)]))

        if len(texts) == 1:
            return [forward(0)[1]]
        done: list[Encoded | None] = [None] * len(texts)
        # Longest first, so that no worker is left with a long text at the end.
        order = sorted(range(len(texts)), key=lambda i: -len(found[i].ids))
        workers = ThreadPoolExecutor(min(self._threads or cores(), len(texts)), thread_name_prefix="encode")
        try:
            for index, encoded in workers.map(forward, order):
                done[index] = encoded
                if on_progress:
                    on_progress(1)
        finally:
            workers.shutdown(cancel_futures=True)  # Ctrl-C waits for the passes under way, not for all
        return [e for e in done if e is not None]
