"""The README's "real output" is what the commands print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.search(r"```text\n(\$ .*?)```", README.read_text(encoding="utf-8"), re.S)
assert BLOCK
SHOWN = re.split(r"^\$ ", BLOCK.group(1), flags=re.M)[1:]


def question(command: str) -> str:
    """What ``make ask Q="…"`` or ``.venv/bin/tutor ask …`` asks."""
    words = shlex.split(command)
    return next((w[2:] for w in words if w.startswith("Q=")), "") or " ".join(words[words.index("ask") + 1 :])


@pytest.mark.parametrize("shown", SHOWN, ids=lambda s: s.splitlines()[0])
def test_shown_output_is_printed(shown: str, curriculum_home: Path) -> None:
    command, _, output = shown.partition("\n")
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "--home", str(curriculum_home), "ask", "--", question(command)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env=os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"},
        check=True,
    )
    at = 0
    pieces = [piece.strip("\n") for piece in re.split(r"^…$", output, flags=re.M)]
    assert any(pieces)
    for piece in filter(None, pieces):  # each in full, in this order; "…" stands for what is left out
        found = done.stdout.find(piece, at)
        assert found >= 0, f"not printed:\n{piece}\n\nbut:\n{done.stdout}"
        at = found + len(piece)
