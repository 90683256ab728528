"""What is read of a GGUF file before llama.cpp sees it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gguf_files import gguf
from tutor.errors import ModelRefused
from tutor.models.gguf_file import Head, read_head


def written(folder: Path, content: bytes) -> Path:
    path = folder / "m.gguf"
    path.write_bytes(content)
    return path


def test_the_head(tmp_path: Path) -> None:
    assert read_head(written(tmp_path, gguf()), about="m") == Head("Tiny", 2048, "{{ messages }}")


def test_what_is_not_said_is_empty(tmp_path: Path) -> None:
    assert read_head(written(tmp_path, gguf({"general.architecture": "llama"})), about="m") == Head("", 0, "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short"),
        (b"PK\x03\x04" * 100, "no GGUF file"),
        (b"<!doctype html><html>", "no GGUF file"),
        (gguf(version=1), "version 1"),
        (gguf(tensors=0), "no tensors"),
        (gguf()[:60], "damaged|cut short"),
        (gguf(data=32), "needs more than"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2, 2**63), "damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 2, 1, 2**62), "damaged"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ModelRefused, match=said) as caught:
        read_head(written(tmp_path, content), about="m")
    assert caught.value.fix and not caught.value.transient


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="there is no file"):
        read_head(tmp_path / "none.gguf", about="m")
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_head(tmp_path, about="m")


@given(st.data())
def test_any_damage_is_an_error_or_a_head(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(gguf())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.mktemp("damage"), bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        found = read_head(path, about="m")
    except ModelRefused:
        return
    assert isinstance(found, Head)
