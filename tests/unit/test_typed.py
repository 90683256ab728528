"""Lines read from a pseudo-terminal: long ones, pasted ones, edited ones; and what a drill makes of them."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pty = pytest.importorskip("pty")

#: Reads one answer (of paragraphs with an argument) as a drill does, then one more line, and prints both as JSON.
LISTEN = """
import json, sys
from tutor.cli.interview import _listen
from tutor.cli.typed import Lines
lines = Lines()
with lines.reading():
    said = _listen(lines, several=True, paragraphs=len(sys.argv) > 2)
print("ready for the next")
after = lines.line()
open(sys.argv[1], "w").write(json.dumps([said, after]))
"""
LONG = "A group commits one offset for each partition. " * 142
PARAGRAPHS = "I would take SQS on AWS.\n\nIn Kafka a group commits one offset per partition.\n\n"


class Terminal:
    """A child in a terminal of 80 columns; what it prints is collected."""

    def __init__(self, *arguments: str) -> None:
        self.shown = ""
        self.pid, self.keys = pty.fork()
        if self.pid == 0:
            os.environ["COLUMNS"] = "80"
            os.execv(sys.executable, [sys.executable, "-c", LISTEN, *arguments])
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        try:
            while read := os.read(self.keys, 65536):
                self.shown += read.decode("utf-8", "replace")
        except OSError:
            pass

    def until(self, text: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown[-500:]
            time.sleep(0.01)

    def settle(self) -> None:
        """Waits until what was typed has been read: it is shown then, and nothing more comes."""
        end = time.monotonic() + 30
        while len(self.shown) == self._before:
            assert time.monotonic() < end, self.shown[-500:]
            time.sleep(0.01)
        while True:
            before = len(self.shown)
            time.sleep(0.15)
            if len(self.shown) == before:
                return

    def type(self, text: str) -> None:
        self._before = len(self.shown)
        data = text.encode("utf-8")
        while data:
            data = data[os.write(self.keys, data[:2000]) :]


@pytest.fixture
def heard(tmp_path: Path) -> Callable[..., list[str]]:
    def listen(*typed: str, paragraphs: bool = False) -> list[str]:
        out = tmp_path / "heard.json"
        terminal = Terminal(str(out), *(["paragraphs"] if paragraphs else []))
        terminal.until("> ")
        for text in typed:
            terminal.type(text)
            terminal.settle()
        terminal.until("ready for the next")
        terminal.type("next\r")
        os.waitpid(terminal.pid, 0)
        found: Any = json.loads(out.read_text())
        assert found[1] == "next"
        return [found[0]]

    return listen


def test_a_line_of_any_length_is_heard_whole(heard: Callable[..., list[str]]) -> None:
    assert len(LONG) > 6_000
    assert heard(LONG + "\r", "\r") == [LONG.strip()]


@pytest.mark.parametrize("marks", [("", ""), ("\x1b[200~", "\x1b[201~")])
def test_a_paste_of_paragraphs_is_one_answer(heard: Callable[..., list[str]], marks: tuple[str, str]) -> None:
    pasted = PARAGRAPHS.replace("\n", "\r")
    end = ["\r"] if marks[0] else []  # where a paste is marked, Enter says that this was all
    assert heard(marks[0] + pasted + marks[1], *end) == [PARAGRAPHS.strip()]


def test_one_paragraph_typed_ends_at_an_empty_line(heard: Callable[..., list[str]]) -> None:
    assert heard("I would take SQS,\r", "since it is managed.\r", "\r") == ["I would take SQS, since it is managed."]


def test_two_empty_lines_end_paragraphs(heard: Callable[..., list[str]]) -> None:
    assert heard("First.\r", "\r", "Second.\r", "\r", "\r", paragraphs=True) == ["First.\n\nSecond."]


def test_keys_edit_a_line(heard: Callable[..., list[str]]) -> None:
    typed = "wrong\x15Kafkaß\x7f is a queue\x17log\x1b[D\x1b[A, 日本\x7f\x7fyes.\r"
    assert heard(typed, "\r") == ["Kafka is a log, yes."]


def test_code_keeps_its_lines(heard: Callable[..., list[str]]) -> None:
    code = "class Cache {\r    get(key) { return map[key] }\r}\r\rIt evicts the oldest.\r"
    text = "class Cache {\n    get(key) { return map[key] }\n}\n\nIt evicts the oldest."
    assert heard(f"\x1b[200~{code}\x1b[201~", "\r") == [text]
