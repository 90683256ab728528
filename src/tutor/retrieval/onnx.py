"""Packaged models on ``onnxruntime`` and ``tokenizers``: loaded once, checked against their sha256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutor.errors import ModelError

_REINSTALL = "Reinstall tutor-study."


def damaged(path: Path, error: Exception) -> ModelError:
    """The error for a model file that cannot be loaded."""
    return ModelError(
        f"the model file cannot be loaded ({error})",
        about=str(path),
        fix="Reinstall tutor-study; 'tutor doctor' checks every file.",
    )


def load_tokenizer(path: Path, *, max_tokens: int = 0) -> Any:
    """A tokenizer that pads nothing; with ``max_tokens`` it cuts the second text of a pair.

    Raises:
        ModelError: the file is missing or bad.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a bad file
        raise damaged(path, error) from error
    tokenizer.no_padding()
    if max_tokens:
        tokenizer.enable_truncation(max_tokens, strategy="only_second")
    else:
        tokenizer.no_truncation()
    return tokenizer


def load_session(path: Path) -> Any:
    """An inference session of one thread: callers run one text a pass, and texts side by side.

    The int8 models scale their activations over the whole batch, so in a batch a text's result would depend on its
    neighbours; and threads over texts are faster than threads inside one matrix product (252 against 193 passages a
    second, 1.06 against 1.39 ms a question, on 2 cores).

    Raises:
        ModelError: the file is missing or bad.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base but Exception
        raise damaged(path, error) from error


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check files (name → sha256) of a folder.

    Raises:
        ModelError: one is missing, unreadable or differs.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelError("the model file is missing", about=str(path), fix=_REINSTALL)
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise damaged(path, error) from error
        if found != expected:
            raise ModelError("the model file is damaged (sha256)", about=str(path), fix=_REINSTALL)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1
