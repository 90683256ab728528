"""What a learner has made that lies in files (drills with their transcripts, votes, drafts): collected, and merged.

Nothing here knows what they say. A ``.jsonl`` file is a log: lines that are missing are added. Of a ``.json`` file the
one that went on for longer stays; the other is kept beside it.
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tutor.errors import SourceError, StudyFault, Unreadable
from tutor.files import write_whole
from tutor.study.merge import Counts

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

#: A file's words, or, of one that is no UTF-8, ``{"base64": …}``.
Files = Mapping[str, Any]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.(?:json|jsonl|txt|md)")
_TIMES = ("at", "started")


def collect(folder: Path) -> dict[str, Any]:
    """The files of a folder by name, as they are now.

    Raises:
        Unreadable: the folder or a file of it exists and cannot be read.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, Any] = {}
    with alone(folder, make=False):
        for path in sorted(folder.iterdir()):
            if _NAME.fullmatch(path.name) and path.is_file():
                try:
                    data = path.read_bytes()
                except OSError as error:
                    raise Unreadable("file", path, error) from error
                try:
                    found[path.name] = data.decode("utf-8")
                except UnicodeDecodeError:
                    found[path.name] = {"base64": base64.b64encode(data).decode("ascii")}
    return found


def checked(files: object, about: str) -> dict[str, bytes]:
    """The files of an export, by names that stay inside a folder.

    Raises:
        SourceError: they are none.
    """
    if not isinstance(files, dict):
        raise SourceError("there are no files", about=about)
    found: dict[str, bytes] = {}
    for name, text in files.items():
        if not _NAME.fullmatch(name):
            raise SourceError(f"'{name[:80]}' is no name of a file that is kept here", about=about)
        try:
            found[name] = base64.b64decode(text["base64"], validate=True) if isinstance(text, dict) else text.encode()
        except (KeyError, TypeError, AttributeError, UnicodeEncodeError, binascii.Error) as error:
            raise SourceError(f"'{name}' cannot be read", about=about) from error
    return found


def merge_files(folder: Path, files: Mapping[str, bytes], *, ordered: bool, dry_run: bool) -> Counts:
    """Bring files into a folder, each whole or not at all; what became of them (of a log: of its lines).

    Args:
        folder: where they go; made where there is none.
        files: as ``checked`` gives them.
        ordered: whether what was said last in a log counts, so that lines are put in the order of their times. Such a
            log is written anew, which needs that its other writers take the folder's lock.
        dry_run: only say what would become of them.

    Raises:
        StudyFault: a file cannot be written. Those before it are; bringing the same in again completes it.
    """
    counts = Counts()
    if not files:
        return counts
    try:
        with alone(folder, make=not dry_run):
            for name, data in sorted(files.items()):
                if name.endswith(".jsonl"):
                    _merge_log(folder / name, data, counts, ordered, dry_run)
                else:
                    _merge_one(folder / name, data, counts, dry_run)
    except OSError as error:
        raise StudyFault(
            f"a file cannot be read or written ({error.strerror})",
            about=str(folder),
            fix="Mend that and run the same again: what is in already stays.",
        ) from error
    return counts


def remove(folder: Path) -> int:
    """Delete the files of a folder that ``collect`` gives; how many there were.

    Raises:
        StudyFault: one cannot be deleted. Those before it are gone; doing it again goes on.
    """
    if not folder.is_dir():
        return 0
    removed = 0
    try:
        with alone(folder, make=False):
            for path in sorted(folder.iterdir()):
                if _NAME.fullmatch(path.name) and path.is_file():
                    path.unlink()
                    removed += 1
    except OSError as error:
        raise StudyFault(
            f"a file cannot be deleted ({error.strerror})", about=str(folder), fix="Mend that and run the same again."
        ) from error
    return removed


def _merge_one(path: Path, data: bytes, counts: Counts, dry_run: bool) -> None:
    if not path.exists():
        counts.new += 1
        if not dry_run:
            write_whole(path, data)
        return
    mine = path.read_bytes()
    if mine == data or _same(mine, data):
        counts.kept += 1
        return
    newer = path.suffix == ".json" and _latest(data) > _latest(mine)
    counts.replaced += newer
    counts.kept += not newer
    if dry_run:
        return
    other = mine if newer else data  # the same drill went on in two places: neither is lost
    beside = path.with_name(f"{path.stem}.{sha256(other).hexdigest()[:8]}.txt")
    if not beside.exists():
        write_whole(beside, other)
    if newer:
        write_whole(path, data)


def _merge_log(path: Path, data: bytes, counts: Counts, ordered: bool, dry_run: bool) -> None:
    before = path.read_bytes() if path.exists() else b""
    mine = _lines(before)
    have = {_canonical(line) for line in mine}
    new = []
    for line in _lines(data):
        if (canonical := _canonical(line)) not in have:
            have.add(canonical)
            new.append(line)
            counts.new += 1
        else:
            counts.kept += 1
    if not new or dry_run:
        return
    if not ordered:
        text = b"".join(line + b"\n" for line in new)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(handle, "ab", buffering=0) as file:
            text = b"\n" + text if before and not before.endswith(b"\n") else text
            if file.write(text) != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        return
    rows = sorted([*mine, *new], key=lambda line: _time(_parsed(line).get("at")))  # one without a time comes first
    write_whole(path, b"".join(line + b"\n" for line in rows))


def _lines(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n") if line.strip()]


def _canonical(data: bytes) -> bytes:
    try:
        return json.dumps(json.loads(data), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return data


def _same(one: bytes, other: bytes) -> bool:
    return _canonical(one) == _canonical(other)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(value: Any) -> datetime:
    """A time that was written in ISO 8601; before all others where it is none."""
    try:
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)


def _latest(data: bytes) -> datetime:
    """The last time that a file of JSON tells of."""
    return max(_times(_parsed(data)), default=_time(None))


def _times(value: Any) -> Iterator[datetime]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in _TIMES and isinstance(inner, str):
                yield _time(inner)
            else:
                yield from _times(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _times(inner)


@contextmanager
def alone(folder: Path, *, make: bool) -> Iterator[None]:
    """Nobody else writes there meanwhile who takes the same lock, as drills do."""
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None or not folder.is_dir():
        yield
        return
    try:
        handle = open(folder / "lock", "ab")  # noqa: SIM115  closed by the with below
    except OSError:
        if make:
            raise
        yield  # only to be read, where nothing can be written
        return
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
