"""What the head of a GGUF file says, read before the file is given to a library that would only say "failed".

The format: github.com/ggml-org/ggml, docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tutor.errors import ModelRefused

_MAGIC = b"GGUF"
#: struct's letters for the value types 0 to 12; 8 is a string, 9 a list.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _LIST = 8, 9
_MAX_TEXT = 50_000_000  # bytes; templates have thousands
_MAX_COUNT = 100_000_000  # entries of a list, keys, tensors
_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Head:
    """What matters of a model: its name, the context it was trained for in tokens (0: not said), its chat template."""

    name: str
    context_tokens: int
    template: str


class _Wrong(ValueError):
    pass


def read_head(path: Path, *, about: str) -> Head:
    """The head of a GGUF file, checked against the file's size.

    Raises:
        ModelRefused: there is no such file, it cannot be read, is not GGUF, or is cut short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Reader(file, size).head()
    except FileNotFoundError as error:
        raise ModelRefused(f"there is no file {path}", about=about, fix="Check llm.model.") from error
    except OSError as error:
        raise ModelRefused(
            f"the file {path} cannot be read ({error.strerror})", about=about, fix="Check llm.model."
        ) from error
    except (_Wrong, struct.error) as error:
        raise ModelRefused(f"{path} {error}", about=about, fix="Download it again, whole.") from error


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def head(self) -> Head:
        if self._bytes(4) != _MAGIC:
            raise _Wrong("is no GGUF file")
        version = self._number("I")
        if version not in (2, 3):
            raise _Wrong(f"is GGUF of version {version}, which is not known here")
        tensors, keys = self._count(), self._count()
        kept: dict[str, Any] = {}
        for _ in range(keys):
            name = self._text()
            value = self._value(self._number("I"))
            if not isinstance(value, list):
                kept[name] = value
        last = 0
        for _ in range(tensors):
            self._text()
            dimensions = self._number("I")
            if dimensions > 8:
                raise _Wrong("is damaged")
            self._bytes(8 * dimensions + 4)
            last = max(last, self._number("Q"))
        if tensors == 0:
            raise _Wrong("has no tensors: it is a vocabulary, not a model")
        align = int(kept.get("general.alignment", _ALIGNMENT)) or _ALIGNMENT
        begin = -(-self._file.tell() // align) * align
        if begin + last >= self._size:
            raise _Wrong(f"is cut short: it has {self._size:,} bytes and needs more than {begin + last:,}")
        context = kept.get(f"{kept.get('general.architecture', '')}.context_length", 0)
        return Head(
            str(kept.get("general.name", "")),
            int(context) if isinstance(context, int) else 0,
            str(kept.get("tokenizer.chat_template", "")),
        )

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) != count:
            raise _Wrong("is cut short in its head")
        return found

    def _number(self, letter: str) -> Any:
        (found,) = struct.unpack(f"<{letter}", self._bytes(struct.calcsize(f"<{letter}")))
        return found

    def _count(self) -> int:
        found = int(self._number("Q"))
        if found > _MAX_COUNT:
            raise _Wrong("is damaged")
        return found

    def _text(self) -> str:
        length = int(self._number("Q"))
        if length > min(_MAX_TEXT, self._size):
            raise _Wrong("is damaged")
        return self._bytes(length).decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        """A value; of a list only that it is one."""
        if kind == _STRING:
            return self._text()
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind != _LIST:
            raise _Wrong("is damaged")
        inner, count = self._number("I"), self._count()
        if inner in _NUMBERS:
            self._file.seek(count * struct.calcsize(f"<{_NUMBERS[inner]}"), 1)
        elif inner == _STRING:
            for _ in range(count):
                self._file.seek(int(self._number("Q")), 1)
                if self._file.tell() > self._size:
                    raise _Wrong("is cut short in its head")
        else:
            raise _Wrong("is damaged")
        return []
