"""Which SQLite files this process has open, so that nothing else in it opens and closes them.

POSIX drops every lock that a process has on a file as soon as it closes any descriptor of it (fcntl(2)). SQLite knows
and keeps its own descriptors; a plain ``open`` and ``close`` beside them would take its locks away, and the next other
process to leave would believe itself the last, and remove the write-ahead log with what stands in it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter

#: A file: device and inode.
Identity = tuple[int, int]

#: Held while a store is opened: between a look at the file and its first connection nobody else looks.
OPENING = threading.RLock()
_open: Counter[Identity] = Counter()


def identity(path: str | os.PathLike[str]) -> Identity | None:
    """The file at a path; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_open(file: Identity | None) -> bool:
    """Whether a store of this process has the file open."""
    with OPENING:
        return file is not None and _open[file] > 0


class Files:
    """The files that one store has connected to, more than one where a backup took a file's place."""

    def __init__(self) -> None:
        self._mine: set[Identity] = set()

    def add(self, file: Identity | None) -> None:
        """Hold a file until ``release``; None, one that has gone meanwhile, is nothing to hold."""
        with OPENING:
            if file is not None and file not in self._mine:
                self._mine.add(file)
                _open[file] += 1

    def release(self) -> None:
        """Let go of all of them, once every connection is closed."""
        with OPENING:
            for file in self._mine:
                _open[file] -= 1
            self._mine.clear()
