"""The fitted part of grading: what evidence makes of a point, a red flag and a verdict, as linear models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CALIBRATION = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Softmax:
    """A linear model over standardised features: probabilities of its classes."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = self.weight @ ((features - self.mean) / self.scale) + self.bias
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum())

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Softmax:
        return cls(*(np.array(data[key], dtype=float) for key in ("mean", "scale", "weight", "bias")))


@dataclass(frozen=True, slots=True)
class Models:
    """Models of a point's status and of a red flag, and the chance that raises one."""

    status: Softmax
    flag: Softmax
    flag_from: float


@dataclass(frozen=True, slots=True)
class Calibration(Models):
    """What ``evals/drill/calibrate.py`` fits: the models of points and flags, and of the verdict they give."""

    verdict: Softmax


@lru_cache(maxsize=4)
def calibrated(path: Path = CALIBRATION) -> Calibration:
    """The calibration of a file, read once."""
    data = json.loads(path.read_text(encoding="utf-8"))
    status, flag, verdict = (Softmax.of(data[name]) for name in ("status", "flag", "verdict"))
    return Calibration(status, flag, float(data["flag_from"]), verdict)
