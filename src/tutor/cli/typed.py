"""Lines typed or pasted at a terminal: of any length, and with a paste told from what is typed.

A terminal's own line editing cuts a line after 4,095 bytes without a word, and cannot say whether an empty line was
typed or stands between two pasted paragraphs. So at a terminal the keys are read here, one by one, with the editing
that it offers (backspace, Ctrl-U, Ctrl-W, Ctrl-D) and bracketed paste; anywhere else lines are read as they come.
"""

from __future__ import annotations

import codecs
import os
import shutil
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select

try:
    import termios
except ImportError:  # pragma: no cover - Windows
    termios = None  # type: ignore[assignment]

_AT_ONCE_S = 0.05  # nobody types the next key so soon after Enter: what is there by then is pasted
_KEY_S = 0.02  # the rest of a key's escape sequence
_CANONICAL = 4_095  # bytes of a line that a terminal's own editing passes on
_PASTE, _PASTED = "[200~", "[201~"


class Lines:
    """Lines from standard input; the one reader of it for as long as a drill goes on."""

    def __init__(self) -> None:
        self._keys = termios is not None and sys.stdin.isatty() and sys.stdout.isatty()
        self._waiting: list[str] = []  # read, not used yet; the next character is the last
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pasting = False
        self._raw = False
        self._width = 0

    def more(self) -> bool:
        """Whether there is more already: the last line was not typed but is part of a paste."""
        if not self._keys:
            return False
        return self._pasting or bool(self._waiting) or bool(select([sys.stdin.fileno()], [], [], _AT_ONCE_S)[0])

    def line(self, prompt: str = "> ") -> str:
        """The next line, without its end.

        Raises:
            EOFError: standard input ended.
        """
        if not self._keys:
            text = input(prompt)
            if sys.stdin.isatty() and len(text.encode("utf-8", "replace")) >= _CANONICAL:
                print(f"[The terminal passes on {_CANONICAL:,} bytes of a line: what came after is lost.]")
            return text
        with self.reading():
            return self._edited(prompt)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Lines that belong together are read within: in between a paste would meet the terminal's own editing.

        Keys come as they are pressed, not echoed; Ctrl-C still interrupts. What was typed ahead stays.
        """
        if not self._keys or self._raw:
            yield
            return
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        wanted = termios.tcgetattr(terminal)
        wanted[3] &= ~(termios.ICANON | termios.ECHO)
        wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0

        def begin(*_: object) -> None:
            termios.tcsetattr(terminal, termios.TCSADRAIN, wanted)

        with _continued(begin):
            begin()
            self._raw = True
            marked = os.environ.get("TERM") != "dumb"
            self._show("\x1b[?2004h" if marked else "")
            try:
                yield
            finally:
                self._raw = self._pasting = False
                self._show("\x1b[?2004l" if marked else "")
                sys.stdout.flush()
                termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def _edited(self, prompt: str) -> str:
        text: list[str] = []
        self._show(prompt)
        self._width = len(prompt)
        while True:
            key = self._key()
            if key in "\r\n":
                self._show("\n")
                sys.stdout.flush()
                return "".join(text)
            if key == "\x04" and not text:  # Ctrl-D
                raise EOFError
            if key == "\x1b":
                self._escape()
            elif key in "\x7f\b":
                self._erase(text, 1)
            elif key == "\x15":  # Ctrl-U
                self._erase(text, len(text))
            elif key == "\x17":  # Ctrl-W
                kept = "".join(text).rstrip().rpartition(" ")
                self._erase(text, len(text) - len(kept[0] + kept[1]))
            elif key == "\t" or key.isprintable():
                text.append(" " if key == "\t" and not self._pasting else key)
                self._echo(text[-1])

    def _key(self) -> str:
        while not self._waiting:
            sys.stdout.flush()
            read = os.read(sys.stdin.fileno(), 4096)
            if not read:
                raise EOFError
            self._waiting = list(reversed(self._decoder.decode(read)))
        return self._waiting.pop()

    def _escape(self) -> None:
        """Begin or end a paste; other sequences, as of arrow keys, do nothing."""
        if not self._waiting and not select([sys.stdin.fileno()], [], [], _KEY_S)[0]:
            return
        sequence = self._key()
        if sequence in "[O":
            sequence += self._key()
            while not "@" <= sequence[-1] <= "~":
                sequence += self._key()
        if sequence in (_PASTE, _PASTED):
            self._pasting = sequence == _PASTE

    def _echo(self, char: str) -> None:
        self._show("  " if char == "\t" else char)
        self._width += _columns(char)
        if self._width % _window() == 0:
            self._show(" \r")  # at the edge a terminal waits for one more character before it begins the next row

    def _erase(self, text: list[str], count: int) -> None:
        for _ in range(count if text else 0):
            for _ in range(_columns(text.pop())):
                edge = _window()
                up = f"\x1b[A\x1b[{edge}G \x1b[{edge}G"
                self._show(up if self._width % edge == 0 else "\b \b")
                self._width -= 1

    def _show(self, text: str) -> None:
        sys.stdout.write(text)


def _columns(char: str) -> int:
    if char == "\t":
        return 2
    return 0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _window() -> int:
    return max(2, shutil.get_terminal_size().columns)


@contextmanager
def _continued(again: Callable[..., None]) -> Iterator[None]:
    """Call ``again`` when the process goes on after Ctrl-Z: the shell has put the terminal back."""
    try:
        before = signal.signal(signal.SIGCONT, again)
    except (AttributeError, ValueError):  # no such signal here, or not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)
