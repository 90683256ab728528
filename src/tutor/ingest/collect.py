"""Finds the files under what a user names: each real file once, whatever links point at it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tutor.errors import SourceError
from tutor.ingest.formats import SUFFIXES

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: ``root`` is the path the user named, ``size`` in bytes, ``mtime_ns`` its modification time."""

    path: Path
    root: Path
    size: int
    mtime_ns: int


def collect(roots: Iterable[Path]) -> tuple[list[Found], list[SourceError]]:
    """The readable files under ``roots`` in a stable order, and what could not be looked into."""
    found: dict[str, Found] = {}
    problems: list[SourceError] = []
    for root in roots:
        if not root.exists():
            problems.append(SourceError("there is no such file or folder", about=str(root), fix="Check the path."))
        elif root.is_file():
            _add(root, root, found, problems, named=True)
        elif root.is_dir():
            _walk(root, found, problems)
        else:
            problems.append(SourceError("this is neither a file nor a folder", about=str(root)))
    return list(found.values()), problems


def _walk(root: Path, found: dict[str, Found], problems: list[SourceError]) -> None:
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        problems.append(
            SourceError(
                f"the folder cannot be read ({error.strerror})",
                about=str(error.filename),
                fix="Give yourself read permission; everything else was still looked at.",
            )
        )

    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=unreadable):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:  # a link that leads back up
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(".") and s not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in MARKDOWN | SUFFIXES:
                _add(Path(folder, name), root, found, problems, named=False)


def _add(path: Path, root: Path, found: dict[str, Found], problems: list[SourceError], *, named: bool) -> None:
    if named and path.suffix.lower() not in MARKDOWN | SUFFIXES:
        known = ", ".join(sorted(MARKDOWN | SUFFIXES))
        problems.append(
            SourceError(f"files of type '{path.suffix}' are not read", about=str(path), fix=f"Known types: {known}.")
        )
        return
    try:
        status = path.stat()
    except OSError as error:
        problems.append(SourceError(f"cannot be read ({error.strerror})", about=str(path), fix="Is it a broken link?"))
        return
    found.setdefault(str(path.resolve()), Found(path.resolve(), root, status.st_size, status.st_mtime_ns))
