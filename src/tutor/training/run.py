"""What every training run shares: the trainer's settings, its command line, and the record of the run."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from pydantic import BaseModel


class Schedule(Protocol):
    """The part of a config that the trainer reads."""

    @property
    def epochs(self) -> float: ...
    @property
    def batch(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def warmup(self) -> float: ...
    @property
    def save_every(self) -> int: ...
    @property
    def bf16(self) -> bool: ...
    @property
    def seed(self) -> int: ...


C = TypeVar("C", bound=BaseModel)


def trainer_settings(config: Schedule, out: Path) -> dict[str, Any]:
    """Keyword arguments for any of sentence-transformers' training arguments."""
    return {
        "output_dir": str(out / "checkpoints"),
        "num_train_epochs": config.epochs,
        "per_device_train_batch_size": config.batch,
        "learning_rate": config.rate,
        "warmup_steps": config.warmup,
        "lr_scheduler_type": "linear",
        "weight_decay": 0.01,
        "seed": config.seed,
        "data_seed": config.seed,
        "dataloader_drop_last": True,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": 2,
        "logging_steps": min(20, config.save_every),  # a short run logs too, up to each checkpoint
        "report_to": "none",
        "disable_tqdm": True,
        "bf16": config.bf16,
        "use_cpu": not torch.cuda.is_available(),
    }


def write_run(out: Path, run: dict[str, Any]) -> dict[str, Any]:
    """``run`` itself, written to ``out/run.json``."""
    (out / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    return run


def parser_of(about: str | None) -> argparse.ArgumentParser:
    """The options of every run: --config, --out, --resume."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    return parser


def read_config(kind: type[C], args: argparse.Namespace) -> C:
    """The config that the options name; its folder for results is made."""
    config = kind.model_validate(tomllib.loads(args.config.read_text(encoding="utf-8")))
    args.out.mkdir(parents=True, exist_ok=True)
    return config


def run_once(about: str | None, kind: type[C], train: Callable[..., dict[str, Any]]) -> None:
    """A run from the command line, with what it returns printed as JSON."""
    args = parser_of(about).parse_args()
    print(json.dumps(train(read_config(kind, args), args.out, resume=args.resume)))
