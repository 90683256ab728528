"""Finds the files under what a user names: each real file once, whatever links point at it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.curriculum import PLAN_SUFFIX
from tutor.errors import SourceError, Unreadable
from tutor.ingest.formats import MAX_BYTES, SUFFIXES

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
READING_SUFFIX = ".reading.json"  # what tutor.ingest.readings keeps
# What a .gitignore would name, besides every folder and file that begins with a dot.
_SKIPPED_FOLDERS = {"node_modules", "bower_components", "__pycache__", "venv", "site-packages", "htmlcov"}
_SKIPPED_FOLDERS |= {"__MACOSX", "lost+found", "$RECYCLE.BIN"}
_SKIPPED_FILES = (".", "~$")  # "~$" begins the lock file of a document that is open in Word


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: ``root`` is the path the user named, ``size`` in bytes, ``mtime_ns`` its modification time."""

    path: Path
    root: Path
    size: int
    mtime_ns: int


def collect(roots: Iterable[Path], *, skipped: Counter[str] | None = None) -> tuple[list[Found], list[SourceError]]:
    """The readable files under ``roots`` in a stable order, and what could not be looked into.

    ``skipped`` gains, by suffix, the files in folders that are of no known type.
    """
    skipped = Counter() if skipped is None else skipped
    found: dict[str, Found] = {}
    problems: list[SourceError] = []
    for root in roots:
        try:
            folder = stat.S_ISDIR(root.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            problems.append(SourceError("there is no such file or folder", about=str(root), fix="Check the path."))
        except OSError as error:
            problems.append(_circle(root) if error.errno == errno.ELOOP else Unreadable("path", root, error))
        else:
            if folder:
                _walk(root, found, problems, skipped)
            else:
                _add(root, root, found, problems, named=True)
    return list(found.values()), problems


def _circle(path: Path) -> SourceError:
    return SourceError("is a link that leads back to itself", about=str(path), fix="Remove the link.")


def _walk(root: Path, found: dict[str, Found], problems: list[SourceError], skipped: Counter[str]) -> None:
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        problems.append(Unreadable("folder", error.filename, error))

    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=unreadable):
        try:
            status = os.stat(folder)
        except OSError as error:
            unreadable(error)
            continue
        if (status.st_dev, status.st_ino) in seen:  # a link that leads back up
            subfolders.clear()
            if Path(folder).parent.resolve().is_relative_to(Path(folder).resolve()):
                problems.append(_circle(Path(folder)))
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(".") and s not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            if name.startswith(_SKIPPED_FILES):
                continue
            path = Path(folder, name)
            if _is_read(path) or (path.is_symlink() and not path.exists()):  # the latter is told, whatever its name
                _add(path, root, found, problems, named=False)
            else:
                skipped[path.suffix.lower() or "none"] += 1


def _is_read(path: Path) -> bool:
    return path.suffix.lower() in MARKDOWN | SUFFIXES or path.name.endswith((PLAN_SUFFIX, READING_SUFFIX))


def _add(path: Path, root: Path, found: dict[str, Found], problems: list[SourceError], *, named: bool) -> None:
    if named and not _is_read(path):
        known = ", ".join(sorted(MARKDOWN | SUFFIXES))
        problems.append(
            SourceError(f"files of type '{path.suffix}' are not read", about=str(path), fix=f"Known types: {known}.")
        )
        return
    try:
        status = path.stat()
        real = Path(os.path.realpath(path))
        str(real).encode()
    except FileNotFoundError:
        problems.append(SourceError("leads to a file that does not exist", about=str(path), fix="Remove the link."))
    except OSError as error:
        problems.append(_circle(path) if error.errno == errno.ELOOP else Unreadable("file", path, error))
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="replace")
        problems.append(SourceError("the file's name is not UTF-8", about=shown, fix="Rename it."))
    else:
        if stat.S_ISREG(status.st_mode):
            found.setdefault(str(real), Found(real, root, status.st_size, status.st_mtime_ns))
        else:  # reading a pipe would wait for ever
            problems.append(SourceError("is not a regular file", about=str(path), fix="Name a file or a folder."))


def sha256_of(file: Found) -> str:
    """The digest of a file's bytes; a word that is no digest where it is too large to be read, or unreadable."""
    if file.size > MAX_BYTES:
        return "too large"
    try:
        return hashlib.sha256(file.path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def outdated(sources: Mapping[str, Any], roots: Iterable[Path]) -> tuple[list[str], list[str], list[SourceError]]:
    """Files under ``roots`` that are new or changed since ``sources`` was written, those gone, and problems.

    A new modification time alone (as after a checkout) is no change.
    """
    looked_at = list(roots)
    found, problems = collect(looked_at)
    known = sources["files"]
    stale = [str(f.path) for f in found if str(f.path) not in known or _differs(f, known[str(f.path)])]
    now = {str(f.path) for f in found}
    folders = [os.path.realpath(root) for root in looked_at]
    gone = [p for p in known if p not in now and any(Path(p).is_relative_to(folder) for folder in folders)]
    return stale, gone, problems


def moved_on(sources: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Indexed files with another size or modification time than when they were indexed, and those that are gone.

    One ``stat`` a file and nothing is read (1,000 files: 2 ms), so a touched file counts as changed.
    """
    changed, gone = [], []
    for path, entry in sources["files"].items():
        try:
            status = os.stat(path)
        except OSError:
            gone.append(path)
        else:
            if (entry["size"], entry["mtime_ns"]) != (status.st_size, status.st_mtime_ns):
                changed.append(path)
    return changed, gone


def _differs(file: Found, entry: Mapping[str, Any]) -> bool:
    if (entry["size"], entry["mtime_ns"]) == (file.size, file.mtime_ns):
        return False
    return sha256_of(file) != str(entry["sha256"])
