"""Ship a trained grader: ``python -m tutor.training.export_grader --model build/training/grader/model``.

The graph: ``input_ids``, ``attention_mask``, ``token_type_ids`` (int64, batch x tokens) → ``logits`` (float32, batch x
4).
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
from sentence_transformers import CrossEncoder

from tutor.drill.judge import GRADER_DIR
from tutor.training.export import quantise
from tutor.training.grader import MAX_TOKENS
from tutor.training.model import sha256


class Logits(torch.nn.Module):
    """The classifier with positional inputs."""

    def __init__(self, model: CrossEncoder) -> None:
        super().__init__()
        first: Any = model[0]
        self.classifier = getattr(first, "auto_model", None) or first.model
        self.classifier.set_attn_implementation("eager")

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.classifier(
            input_ids=ids, attention_mask=mask, token_type_ids=types, return_dict=False
        )[0]
        return out


def export(model: CrossEncoder, folder: Path, *, name: str) -> None:
    """Write ``grader.onnx`` (int8), ``tokenizer.json`` and ``grader.json`` to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    module = Logits(model.cpu()).eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own shortcuts; the parity test shows they change nothing
        full = Path(scratch) / "full.onnx"
        torch.onnx.export(
            module,
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(full),
            input_names=inputs,
            output_names=["logits"],
            dynamic_axes={key: {0: "batch", 1: "tokens"} for key in inputs} | {"logits": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        quantise(full, folder / "grader.onnx")
        model.tokenizer.save_pretrained(scratch)
        shutil.copy(Path(scratch) / "tokenizer.json", folder / "tokenizer.json")
    files = {f: sha256(folder / f) for f in ("grader.onnx", "tokenizer.json")}
    card = {"name": name, "max_tokens": MAX_TOKENS, "files": files}
    (folder / "grader.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=GRADER_DIR)
    parser.add_argument("--name", default="tutor-grader")
    args = parser.parse_args()
    export(CrossEncoder(str(args.model), device="cpu"), args.out, name=args.name)
    print(f"{args.name}: {(args.out / 'grader.onnx').stat().st_size / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
