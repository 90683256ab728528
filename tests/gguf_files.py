"""GGUF files that have a head and no model."""

from __future__ import annotations

import struct
from typing import Any

KEYS: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.context_length": 2048,
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.ggml.scores": [0.5, 1.5],
    "tokenizer.chat_template": "{{ messages }}",
}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    kind = 8 if isinstance(value[0], str) else 6
    rows = b"".join(text(row) if kind == 8 else struct.pack("<f", row) for row in value)
    return struct.pack("<IIQ", 9, kind, len(value)) + rows


def gguf(keys: dict[str, Any] = KEYS, *, version: int = 3, tensors: int = 2, data: int = 64) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(keys))
    head += b"".join(text(name) + entry(value) for name, value in keys.items())
    for at in range(tensors):
        head += text(f"blk.{at}.weight") + struct.pack("<IQIQ", 1, 8, 0, 32 * at)
    return head + bytes(-len(head) % 32) + bytes(data)
