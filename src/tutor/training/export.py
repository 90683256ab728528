"""Make the packaged encoder: a trained model (or all-MiniLM-L6-v2 itself) as one ONNX int8 graph with two outputs.

Run ``python -m tutor.training.export --model build/encoder/model`` in an environment with the ``train`` extra. Without
a model the upstream weights are taken, with a projection fitted on the curriculum.

The graph: ``input_ids``, ``attention_mask`` (int64, batch x tokens) → ``dense`` (float32, batch x 384, mean-pooled over
the mask, L2-normalised) and ``tokens`` (float32, batch x tokens x ``dims``, projected, L2-normalised).
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import MultiVectorEncoder

from tutor.retrieval.encoder import MODEL_DIR
from tutor.training.data import read_passages
from tutor.training.model import (
    MAX_TOKENS,
    WEIGHTS_SHA256,
    build,
    counter,
    fit_projection,
    packaged_weights,
    projection_of,
    sha256,
    transformer_of,
)


class TwoHeads(torch.nn.Module):
    """The transformer with a mean-pooled head and a projected token head."""

    def __init__(self, model: MultiVectorEncoder) -> None:
        super().__init__()
        self.bert = transformer_of(model)
        self.bert.set_attn_implementation("eager")
        self.register_buffer("projection", projection_of(model).detach().T.contiguous())

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
    with warnings.catch_warnings():
        # The exporter warns of its own shortcuts; the parity tests show that they change nothing here.
        warnings.simplefilter("ignore")
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


def export(model: MultiVectorEncoder, out: Path, *, name: str, keep_fp32: bool = False) -> dict[str, Any]:
    """Write encoder.onnx, tokenizer.json and encoder.json to ``out``; returns what encoder.json says."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        fp32 = Path(scratch) / "encoder.fp32.onnx"
        export_graph(TwoHeads(model.cpu()), fp32)  # a trainer leaves it on the GPU where there is one
        quantise(fp32, out / "encoder.onnx")
        if keep_fp32:
            shutil.copy(fp32, out / fp32.name)
    shutil.copy(packaged_weights() / "tokenizer.json", out / "tokenizer.json")
    dims, hidden = projection_of(model).shape
    card = {
        "name": name,
        "dense_dims": hidden,
        "token_dims": dims,
        "max_tokens": MAX_TOKENS,
        "licence": "Apache-2.0",
        "weights_sha256": WEIGHTS_SHA256,
        "files": {file: sha256(out / file) for file in ("encoder.onnx", "tokenizer.json")},
    }
    (out / "encoder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder made by tutor.training.train; upstream when left out")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="what upstream's projection is fitted on")
    parser.add_argument("--out", type=Path, default=MODEL_DIR)
    parser.add_argument("--name", default="", help="what the index remembers it by")
    parser.add_argument("--dims", type=int, default=96, help="token vector dimensions of an upstream encoder")
    parser.add_argument("--keep-fp32", action="store_true", help="also keep encoder.fp32.onnx, for comparing")
    args = parser.parse_args()
    if args.model:
        model = MultiVectorEncoder(str(args.model), device="cpu")
    else:
        model = build(packaged_weights(), args.dims)
        texts = [p.encoded_text for p in read_passages(args.corpus, counter(model))]
        print(f"projection: {fit_projection(model, texts):.1%} of the squared norm kept")
    name = args.name or ("tutor-encoder/int8" if args.model else "all-MiniLM-L6-v2/int8/pca")
    print(json.dumps(export(model, args.out, name=name, keep_fp32=args.keep_fp32), indent=2))


if __name__ == "__main__":
    main()
